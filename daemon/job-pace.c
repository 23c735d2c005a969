// SPDX-License-Identifier: LGPL-2.1-or-later
/* How fast a job may go round. Pure. Where it goes round is in job-state.c. */
#include "job-pace.h"
#include "duration.h"

/* Of pauses, each twice the one before. The first leaves whoever writes time to finish:
 * what we staged between their bytes and their commit would be committed, by nobody's
 * gate. */
#define PAUSE_FIRST_USEC (1 * USEC_PER_SEC)
#define PAUSE_LAST_USEC  (30 * USEC_PER_SEC)

/* Undisturbed for this long, the next disturbance is a new one. */
#define CALM_USEC (5 * 60 * USEC_PER_SEC)

/*
 * Refusals are normal, and the end of a build is the best moment for the next attempt. A
 * hundred of them are not: at 4 lines of some 450 bytes each they must not fill the 5 MiB
 * of a history within a week.
 */
#define BUSY_FREE       16
#define BUSY_TERSE      100
#define BUSY_PAUSE_USEC (1 * USEC_PER_SEC)
#define BUSY_LAST_USEC  (3 * 60 * USEC_PER_SEC)

uint64_t job_pace_go_back(struct job_pace *pace, uint64_t calm_usec)
{
	uint64_t pause = PAUSE_FIRST_USEC;

	if (calm_usec >= CALM_USEC)
		pace->rounds = 0;
	if (pace->rounds == JOB_PACE_ROUNDS_MAX)
		return UINT64_MAX;
	pace->rounds++;
	for (unsigned i = 1; i < pace->rounds && pause < PAUSE_LAST_USEC; i++)
		pause *= 2;
	return pause < PAUSE_LAST_USEC ? pause : PAUSE_LAST_USEC;
}

uint64_t job_pace_refused(struct job_pace *pace)
{
	pace->busy++;
	if (pace->busy <= BUSY_FREE)
		return 0;
	return job_pace_is_terse(pace) ? BUSY_LAST_USEC : BUSY_PAUSE_USEC;
}

bool job_pace_is_terse(const struct job_pace *pace)
{
	return pace->busy > BUSY_TERSE;
}
