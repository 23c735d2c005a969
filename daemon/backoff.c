// SPDX-License-Identifier: LGPL-2.1-or-later
/* How long to pause before another attempt, where no event tells. Pure: no clock. */
#include "backoff.h"

/* splitmix64 (Steele, Lea, Flood 2014): any seed will do, zero too. */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

void backoff_init(struct backoff *backoff, uint64_t base_usec, uint64_t cap_usec,
		  uint64_t seed)
{
	*backoff = (struct backoff){
		.base_usec = base_usec,
		.cap_usec = cap_usec,
		.last_usec = base_usec,
		.random = seed,
	};
}

uint64_t backoff_next(struct backoff *backoff)
{
	uint64_t high = backoff->last_usec < backoff->cap_usec / 3
				? backoff->last_usec * 3
				: backoff->cap_usec;
	uint64_t span = high > backoff->base_usec ? high - backoff->base_usec + 1 : 1;

	backoff->last_usec = backoff->base_usec + next_random(&backoff->random) % span;
	return backoff->last_usec;
}
