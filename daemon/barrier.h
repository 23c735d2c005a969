/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BARRIER_H
#define BARRIER_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Makes a gap where builds leave none: while it is shut, new leases wait. An update that
 * waits shuts it; it opens when the launches have waited long enough, and shuts again
 * after pauses that grow. An update that commits shuts it until that is through, whatever
 * the bound says: a lease that is granted in the middle of an update does not hold.
 */
enum barrier_state {
	BARRIER_IDLE, /* no update waits */
	BARRIER_OPEN, /* one waits, launches go */
	BARRIER_SHUT,
	BARRIER_COMMIT, /* one is being made: launches wait for its end */
	_BARRIER_STATE_MAX,
	_BARRIER_STATE_INVALID = -22,
};

/*
 * @drain_after_usec: how long an update waits for a gap to come by itself
 * @max_usec: how long a launch may be held while an update waits
 */
struct barrier_config {
	uint64_t drain_after_usec;
	uint64_t max_usec;
};

struct barrier {
	struct barrier_config config;
	enum barrier_state state;
	uint64_t until_usec; /* of the state, where it is not idle */
	uint64_t shut_usec;  /* until when it was shut before the commit */
	uint64_t commit_usec;
	uint64_t pause_usec;
	unsigned rounds;
};

/* Pure: all clocks are CLOCK_MONOTONIC and passed in. */
void barrier_init(struct barrier *barrier, const struct barrier_config *config);
/* An update waits. Repeating it changes nothing, but that a hurry shuts at once. */
void barrier_want(struct barrier *barrier, uint64_t now_usec, bool is_urgent);
/* An update takes seconds, and seconds more on hundreds of CPUs; one that takes longer
 * than this is no reason any more to hold a launch. It is told that no lease can hold. */
#define BARRIER_COMMIT_USEC UINT64_C(60000000)

/* The update commits: whoever asks now has to wait for its end. Before the last look. */
void barrier_commit(struct barrier *barrier, uint64_t now_usec);
/* No update waits any more. */
void barrier_end(struct barrier *barrier);
/* Time has passed. */
void barrier_tick(struct barrier *barrier, uint64_t now_usec);

/* Do launches wait? Also right where barrier_tick() comes late. */
bool barrier_is_shut(const struct barrier *barrier, uint64_t now_usec);
/* It has been committing for so long that launches are told to go without a lease. */
bool barrier_is_overdue(const struct barrier *barrier, uint64_t now_usec);
/* When barrier_tick() has something to do, or it becomes overdue; UINT64_MAX never. */
uint64_t barrier_get_next(const struct barrier *barrier);

#endif
