/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CONTRADICTION_H
#define CONTRADICTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gate.h"

/*
 * Two sources that count the same and do not agree. A TD takes its key right before the
 * first call that begins its build, and two files are not read at one moment, so a
 * difference that is young is a TD about to begin: the gate is closed. One that lasts
 * means that one of the two is wrong, and which one nobody knows: both are unknown, and
 * the probes have to be settled anew. One of them falling silent ends nothing.
 */
enum contradiction_kind {
	CONTRADICTION_TDS,    /* the machine has more than were seen to begin */
	CONTRADICTION_BUILDS, /* the kernel and the probes count different builds */
	_CONTRADICTION_KIND_MAX,
};

#define CONTRADICTION_WHY_BYTES  160
#define CONTRADICTION_YOUNG_USEC (2 * UINT64_C(1000000))

/*
 * @since_usec: 0 where they agree
 * @is_told: that it lasts
 */
struct contradiction {
	struct {
		uint64_t since_usec;
		uint64_t more, less;
		bool is_told;
		struct gate_blocker blocker;
	} of[_CONTRADICTION_KIND_MAX];
};

/* Compare the words of sources that were all just read. */
void contradiction_look(struct contradiction *contradiction,
			const struct gate_source *words, size_t count, uint64_t now_usec);
bool contradiction_is_there(const struct contradiction *contradiction);
/* One lasts, which was not told before. @why: CONTRADICTION_WHY_BYTES, which two
 * disagree.
 */
bool contradiction_tell(struct contradiction *contradiction, uint64_t now_usec,
			char *why);
/* What follows from what was last found for the words of those concerned. */
void contradiction_apply(struct contradiction *contradiction, struct gate_source *words,
			 size_t count, uint64_t now_usec);

#endif
