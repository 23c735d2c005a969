// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Kinds of nodes and, of each, the ones that no other makes superfluous. Why two nodes
 * are of one kind is the caller's matter.
 */
#include <errno.h>
#include <stdlib.h>

#include "plan-front.h"

/* Whether a node with limit @a serves wherever one with limit @b does. */
static bool is_as_wide(const struct front *front, const struct tdxupd_version *a,
		       const struct tdxupd_version *b)
{
	int order = tdxupd_version_compare(a, b);

	return front->is_lower_bound ? order <= 0 : order >= 0;
}

static bool is_superfluous(const struct front *front, const struct front_point *point,
			   const struct front_point *beside)
{
	return beside->cost <= point->cost &&
	       is_as_wide(front, &beside->limit, &point->limit);
}

static int add_kind(struct front *front, size_t node)
{
	struct front_kind *kinds =
		reallocarray(front->kinds, front->count + 1, sizeof(*kinds));

	if (!kinds)
		return -ENOMEM;
	kinds[front->count++] = (struct front_kind){ .node = node };
	front->kinds = kinds;
	return 0;
}

int front_add(struct front *front, size_t kind, const struct front_point *point)
{
	struct front_point *points;
	struct front_kind *to;
	size_t kept = 0;

	if (kind == front->count && add_kind(front, point->node) < 0)
		return -ENOMEM;
	to = &front->kinds[kind];
	for (size_t i = 0; i < to->count; i++)
		if (is_superfluous(front, point, &to->points[i]))
			return 0;
	points = reallocarray(to->points, to->count + 1, sizeof(*points));
	if (!points)
		return -ENOMEM;
	for (size_t i = 0; i < to->count; i++)
		if (!is_superfluous(front, &points[i], point))
			points[kept++] = points[i];
	points[kept++] = *point;
	to->points = points;
	to->count = kept;
	return 0;
}

const struct front_point *front_find(const struct front *front, size_t kind,
				     const struct tdxupd_version *version)
{
	const struct front_kind *in = &front->kinds[kind];
	const struct front_point *best = NULL;

	for (size_t i = 0; i < in->count; i++)
		if (is_as_wide(front, &in->points[i].limit, version) &&
		    (!best || in->points[i].cost < best->cost))
			best = &in->points[i];
	return best;
}

void front_done(struct front *front)
{
	for (size_t i = 0; i < front->count; i++)
		free(front->kinds[i].points);
	free(front->kinds);
	*front = (struct front){};
}
