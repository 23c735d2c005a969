/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BACKOFF_H
#define BACKOFF_H

#include <stdint.h>

/*
 * Decorrelated jitter: each pause is drawn from [base, 3 * the last one], at most cap.
 * Many hosts that met the same trouble at the same time drift apart, and the mean pause
 * still grows.
 */
struct backoff {
	uint64_t base_usec;
	uint64_t cap_usec;
	uint64_t last_usec;
	uint64_t random;
};

void backoff_init(struct backoff *backoff, uint64_t base_usec, uint64_t cap_usec,
		  uint64_t seed);
uint64_t backoff_next(struct backoff *backoff);

#endif
