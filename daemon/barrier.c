// SPDX-License-Identifier: LGPL-2.1-or-later
/* When launches wait for an update. Pure. Who waits is in lease.c. */
#include "barrier.h"
#include "util.h"

/* The longest pause, in shut times: an update that this can't help still shuts nothing
 * for more than a thirty-third of the time. */
#define PAUSE_MAX 32

void barrier_init(struct barrier *barrier, const struct barrier_config *config)
{
	*barrier = (struct barrier){ .config = *config, .state = BARRIER_IDLE };
}

static uint64_t add(uint64_t now_usec, uint64_t span_usec)
{
	return span_usec < UINT64_MAX - now_usec ? now_usec + span_usec : UINT64_MAX;
}

/*
 * A client that is held counts max_usec of its own, in case that the daemon is gone. It
 * should not have to: the daemon lets it go a little earlier.
 */
static void shut(struct barrier *barrier, uint64_t now_usec)
{
	uint64_t max = barrier->config.max_usec;

	if (max == 0)
		return;
	barrier->state = BARRIER_SHUT;
	barrier->until_usec = add(now_usec, max - max / 16);
	barrier->rounds++;
}

static void open(struct barrier *barrier, uint64_t now_usec)
{
	barrier->state = BARRIER_OPEN;
	barrier->until_usec = add(now_usec, barrier->pause_usec);
	if (barrier->pause_usec < barrier->config.max_usec * PAUSE_MAX)
		barrier->pause_usec *= 2;
}

/* It was refused: launches have what is left of the pause that they were in. */
static void resume(struct barrier *barrier, uint64_t now_usec)
{
	if (now_usec < barrier->shut_usec) {
		barrier->state = BARRIER_SHUT;
		barrier->until_usec = barrier->shut_usec;
	} else {
		open(barrier, now_usec);
	}
}

void barrier_want(struct barrier *barrier, uint64_t now_usec, bool is_urgent)
{
	if (barrier->state == BARRIER_COMMIT)
		resume(barrier, now_usec);
	if (barrier->state == BARRIER_IDLE) {
		barrier->state = BARRIER_OPEN;
		barrier->until_usec = add(now_usec, barrier->config.drain_after_usec);
		barrier->pause_usec = barrier->config.max_usec;
		barrier->rounds = 0;
	}
	/* A hurry skips the wait for a gap, not the pauses that launches are owed. */
	if (is_urgent && barrier->state == BARRIER_OPEN && barrier->rounds == 0)
		shut(barrier, now_usec);
}

void barrier_commit(struct barrier *barrier, uint64_t now_usec)
{
	if (barrier->state == BARRIER_COMMIT)
		return;
	if (barrier->state == BARRIER_IDLE)
		barrier->pause_usec = barrier->config.max_usec;
	barrier->shut_usec = barrier->state == BARRIER_SHUT ? barrier->until_usec : 0;
	barrier->state = BARRIER_COMMIT;
	barrier->commit_usec = now_usec;
	barrier->until_usec = add(now_usec, BARRIER_COMMIT_USEC);
}

void barrier_end(struct barrier *barrier)
{
	barrier->state = BARRIER_IDLE;
}

void barrier_tick(struct barrier *barrier, uint64_t now_usec)
{
	if (barrier->state == BARRIER_IDLE || now_usec < barrier->until_usec)
		return;
	if (barrier->state == BARRIER_COMMIT)
		barrier->until_usec = UINT64_MAX; /* overdue, and so it stays */
	else if (barrier->state == BARRIER_SHUT)
		open(barrier, now_usec);
	else
		shut(barrier, now_usec);
}

bool barrier_is_shut(const struct barrier *barrier, uint64_t now_usec)
{
	if (barrier->state == BARRIER_COMMIT)
		return true;
	return barrier->state == BARRIER_SHUT && now_usec < barrier->until_usec;
}

bool barrier_is_overdue(const struct barrier *barrier, uint64_t now_usec)
{
	return barrier->state == BARRIER_COMMIT &&
	       now_usec - barrier->commit_usec >= BARRIER_COMMIT_USEC;
}

uint64_t barrier_get_next(const struct barrier *barrier)
{
	bool is_off = barrier->config.max_usec == 0 && barrier->state != BARRIER_COMMIT;

	return barrier->state == BARRIER_IDLE || is_off ? UINT64_MAX
							: barrier->until_usec;
}
