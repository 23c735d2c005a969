/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_usec(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* From now to @until_usec of CLOCK_MONOTONIC; none where that has passed. */
static inline struct timespec clock_left(uint64_t until_usec)
{
	uint64_t now = clock_usec(CLOCK_MONOTONIC);
	uint64_t usec = until_usec > now ? until_usec - now : 0;

	return (struct timespec){ .tv_sec = (time_t)(usec / 1000000),
				  .tv_nsec = (long)(usec % 1000000) * 1000 };
}

#endif
