/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PLAN_GRAPH_H
#define PLAN_GRAPH_H

#include <stdint.h>

#include "tdxupd.h"

#define GRAPH_RUNNING SIZE_MAX /* the node that is not in the list: what runs now */

/* What a search rests on. @ignored: CHECK_BIT()s that are taken as passed. */
struct graph_facts {
	const struct tdxupd_host *host;
	const struct tdxupd_catalog *catalog;
	const struct tdxupd_policy *policy;
	struct tdxupd_module_facts running;
	uint64_t ignored;
};

/*
 * An image that could be on a path.
 * @entry: its index in the catalog
 * @distance: updates from the running module by the shortest path, 0 where there is none
 * @parent: the node before it on that path, or GRAPH_RUNNING
 */
struct graph_node {
	size_t entry;
	struct tdxupd_module_facts facts;
	uint32_t distance;
	size_t parent;
};

/* @nodes: one a version, in the order of travel: away from the running one. */
struct graph {
	struct graph_facts facts;
	bool is_falling;
	size_t count;
	struct graph_node *nodes;
};

/*
 * Find all that can be reached, with every pairwise rule honoured at every hop. A path
 * goes up in version all the way, or down all the way.
 */
int graph_new(const struct graph_facts *facts, bool is_falling, struct graph **ret);
struct graph *graph_free(struct graph *graph);
/* Return: the node of this version, NULL where there is none. */
const struct graph_node *graph_find(const struct graph *graph,
				    const struct tdxupd_version *version);

/*
 * The entries to load, in order, to get to @target, which can be reached with @budget.
 * Return: 0 and newly allocated indices; -ENOMEM.
 */
int graph_get_path(const struct graph *graph, const struct graph_node *target,
		   enum tdxupd_strategy strategy, uint32_t budget, size_t **ret,
		   size_t *ret_count);

#endif
