/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IMAGE_NEED_H
#define IMAGE_NEED_H

#include "tdxupd.h"

/* Versions that a job leads through, both ends included. */
struct image_range {
	struct tdxupd_version low;
	struct tdxupd_version high;
};

/* Make @range reach to @version as well. */
void image_range_add(struct image_range *range, const struct tdxupd_version *version);

/*
 * Can this host have a use for the image of @plan's @candidate, now or once what is in
 * the way of it has gone? What runs, is pinned, planned, or on the way of one of the
 * @count
 * @ranges; what is newer, sound, and for this host; and what is of no known version yet.
 * Pure.
 */
bool image_is_needed(const struct tdxupd_plan *plan, size_t candidate,
		     const struct tdxupd_host *host, const struct tdxupd_policy *policy,
		     const struct image_range *ranges, size_t count);

#endif
