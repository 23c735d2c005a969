/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PLAN_FRONT_H
#define PLAN_FRONT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tdxupd.h"

/*
 * What matters of the nodes seen so far, when asked for the cheapest one within a limit:
 * of two nodes of one kind, one with the wider limit and no higher cost makes the other
 * superfluous. The many nodes of a large catalog are of few kinds, so that searching it
 * takes time proportional to its size.
 */
struct front_point {
	struct tdxupd_version limit;
	uint32_t cost;
	size_t node;
};

struct front_kind {
	size_t node; /* any of its nodes */
	size_t count;
	struct front_point *points;
};

struct front {
	/* Limits are lower bounds: a node serves where the asked version is not less. */
	bool is_lower_bound;
	size_t count;
	struct front_kind *kinds;
};

/* Add to the kind @kind, or as a kind of its own where @kind is front->count. Return: 0,
 * -ENOMEM. */
int front_add(struct front *front, size_t kind, const struct front_point *point);
/* The cheapest node of a kind for which @version is within the limit, or NULL. */
const struct front_point *front_find(const struct front *front, size_t kind,
				     const struct tdxupd_version *version);
void front_done(struct front *front);

#endif
