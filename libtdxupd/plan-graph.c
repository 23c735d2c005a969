// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * All paths from the running module through the images at hand. An edge is a pair that
 * compat lets pass; versions rise (or fall) along a path, so that there are no circles
 * and one pass in order of version finds every shortest path.
 */
#include <errno.h>
#include <stdlib.h>

#include "compat.h"
#include "plan-front.h"
#include "plan-graph.h"
#include "policy.h"
#include "util.h"

/* Reasons that hold on whatever path an image is reached: no need to look at any. */
#define LASTING                                    \
	(CHECK_BIT(TDXUPD_CHECK_CPU_UNSUPPORTED) | \
	 CHECK_BIT(TDXUPD_CHECK_MAPPING_MISSING) | \
	 CHECK_BIT(TDXUPD_CHECK_SEAMLDR_TOO_OLD) | \
	 CHECK_BIT(TDXUPD_CHECK_SERIES_MISMATCH))

#define MODULE_BIT CHECK_BIT(TDXUPD_CHECK_MODULE_TOO_OLD)

DEFINE_CLEANUP(struct graph, graph, graph_free)

struct graph *graph_free(struct graph *graph)
{
	if (graph)
		free(graph->nodes);
	free(graph);
	return NULL;
}

static const struct tdxupd_entry *get_entry(const struct graph *graph, size_t node)
{
	return &graph->facts.catalog->entries[graph->nodes[node].entry];
}

static const struct tdxupd_module_facts *get_facts(const struct graph *graph, size_t node)
{
	return node == GRAPH_RUNNING ? &graph->facts.running : &graph->nodes[node].facts;
}

static uint64_t find_blockers(const struct graph *graph, size_t from,
			      const struct tdxupd_entry *to)
{
	return compat_find_blockers(graph->facts.host, get_facts(graph, from), to,
				    graph->facts.policy) &
	       ~graph->facts.ignored;
}

/* The version that @entry asks of the module before it; 0.0.0 where it asks for none. */
static struct tdxupd_version get_min_module(const struct graph *graph,
					    const struct tdxupd_entry *entry)
{
	if (!entry->release || graph->facts.ignored & MODULE_BIT)
		return (struct tdxupd_version){};
	return entry->release->min_module_version;
}

/* ---- nodes ---- */

/* Why it is held does not matter here, but what it takes to pass. */
static bool is_held(const struct graph *graph, const struct tdxupd_entry *entry)
{
	const struct tdxupd_hold *hold =
		policy_find_hold(graph->facts.policy, &entry->version);

	return hold && !(graph->facts.ignored & CHECK_BIT(policy_get_hold_check(hold)));
}

static bool is_on_the_way(const struct graph *graph, const struct tdxupd_entry *entry)
{
	int order;

	if (!entry->has_version || !entry->image ||
	    !tdxupd_report_is_passed(entry->report) || is_held(graph, entry))
		return false;
	order = tdxupd_version_compare(&entry->version, &graph->facts.running.version);
	if (graph->is_falling ? order >= 0 : order <= 0)
		return false;
	return !(find_blockers(graph, GRAPH_RUNNING, entry) & LASTING);
}

/* Entries are sorted; copies of one module follow each other, and one of them will do. */
static void add_node(struct graph *graph, size_t i)
{
	const struct tdxupd_entry *entry = &graph->facts.catalog->entries[i];
	struct graph_node *node = &graph->nodes[graph->count];

	if (!is_on_the_way(graph, entry))
		return;
	if (graph->count > 0 &&
	    tdxupd_version_compare(&entry->version, &node[-1].facts.version) == 0)
		return;
	*node = (struct graph_node){ .entry = i, .parent = GRAPH_RUNNING };
	compat_get_facts(entry, &node->facts);
	graph->count++;
}

static void reverse(struct graph *graph)
{
	for (size_t i = 0; i < graph->count / 2; i++) {
		struct graph_node *other = &graph->nodes[graph->count - 1 - i];
		struct graph_node node = graph->nodes[i];

		graph->nodes[i] = *other;
		*other = node;
	}
}

static int make_nodes(struct graph *graph)
{
	size_t count = graph->facts.catalog->entry_count;

	graph->nodes = calloc(count ? count : 1, sizeof(*graph->nodes));
	if (!graph->nodes)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		add_node(graph, i);
	if (graph->is_falling)
		reverse(graph);
	return 0;
}

/* ---- distances from the running module ---- */

/* But for their versions, the one leads wherever the other does. */
static bool leads_alike(const struct tdxupd_module_facts *a,
			const struct tdxupd_module_facts *b)
{
	return a->svn == b->svn && a->module_hv == b->module_hv &&
	       a->has_features0 == b->has_features0 && a->features0 == b->features0 &&
	       a->offered_features0 == b->offered_features0;
}

static size_t find_leading_kind(const struct graph *graph, const struct front *front,
				size_t node)
{
	size_t kind;

	for (kind = 0; kind < front->count; kind++)
		if (leads_alike(get_facts(graph, front->kinds[kind].node),
				get_facts(graph, node)))
			break;
	return kind;
}

static void set_distance(struct graph *graph, const struct front *front, size_t node)
{
	const struct tdxupd_entry *entry = get_entry(graph, node);
	struct tdxupd_version min = get_min_module(graph, entry);
	const struct front_point *best = NULL;

	if (find_blockers(graph, GRAPH_RUNNING, entry) == 0) {
		graph->nodes[node].distance = 1;
		return;
	}
	for (size_t kind = 0; kind < front->count; kind++) {
		const struct front_point *point = front_find(front, kind, &min);

		if (!point || (best && point->cost >= best->cost) ||
		    find_blockers(graph, front->kinds[kind].node, entry) & ~MODULE_BIT)
			continue;
		best = point;
	}
	if (best) {
		graph->nodes[node].distance = best->cost + 1;
		graph->nodes[node].parent = best->node;
	}
}

static int set_distances(struct graph *graph)
{
	_cleanup_(front_done)
	struct front front = {};

	for (size_t i = 0; i < graph->count; i++) {
		struct graph_node *node = &graph->nodes[i];
		struct front_point point = { .limit = node->facts.version, .node = i };

		set_distance(graph, &front, i);
		if (node->distance == 0)
			continue;
		point.cost = node->distance;
		if (front_add(&front, find_leading_kind(graph, &front, i), &point) < 0)
			return -ENOMEM;
	}
	return 0;
}

int graph_new(const struct graph_facts *facts, bool is_falling, struct graph **ret)
{
	_cleanup_(cleanup_graph)
	struct graph *graph = calloc(1, sizeof(*graph));
	int r;

	if (!graph)
		return -ENOMEM;
	graph->facts = *facts;
	graph->is_falling = is_falling;
	r = make_nodes(graph) ?: set_distances(graph);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(graph);
	return 0;
}

const struct graph_node *graph_find(const struct graph *graph,
				    const struct tdxupd_version *version)
{
	size_t low = 0, high = graph->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = tdxupd_version_compare(version,
						   &graph->nodes[middle].facts.version);

		if (order == 0)
			return &graph->nodes[middle];
		if (graph->is_falling ? order > 0 : order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* ---- paths ---- */

static void get_shortest(const struct graph *graph, size_t target, size_t *steps)
{
	for (size_t i = graph->nodes[target].distance; i-- > 0;) {
		steps[i] = graph->nodes[target].entry;
		target = graph->nodes[target].parent;
	}
}

/* But for the version asked for, what leads to the one leads to the other. */
static bool is_led_to_alike(const struct graph *graph, size_t a, size_t b)
{
	const struct tdxupd_entry *one = get_entry(graph, a),
				  *other = get_entry(graph, b);

	return leads_alike(get_facts(graph, a), get_facts(graph, b)) &&
	       one->image->min_update_hv == other->image->min_update_hv &&
	       !one->release == !other->release;
}

static size_t find_led_kind(const struct graph *graph, const struct front *front,
			    size_t node)
{
	size_t kind;

	for (kind = 0; kind < front->count; kind++)
		if (is_led_to_alike(graph, front->kinds[kind].node, node))
			break;
	return kind;
}

/* Updates from @node to the target, whose neighbours are in @front; 0: no path. */
static uint32_t get_rest(const struct graph *graph, const struct front *front,
			 size_t node)
{
	uint32_t rest = 0;

	for (size_t kind = 0; kind < front->count; kind++) {
		const struct front_point *point =
			front_find(front, kind, &graph->nodes[node].facts.version);

		if (!point || (rest && point->cost + 1 >= rest))
			continue;
		if (find_blockers(graph, node, get_entry(graph, point->node)) == 0)
			rest = point->cost + 1;
	}
	return rest;
}

/* rests[i]: updates from node i to the target, UINT32_MAX where no path leads there. */
static int set_rests(const struct graph *graph, size_t target, uint32_t *rests)
{
	_cleanup_(front_done)
	struct front front = { .is_lower_bound = true };

	for (size_t i = target + 1; i-- > 0;) {
		const struct tdxupd_entry *entry = get_entry(graph, i);
		struct front_point point = {
			.limit = get_min_module(graph, entry),
			.node = i,
		};

		if (i != target)
			point.cost = get_rest(graph, &front, i);
		rests[i] = i == target || point.cost ? point.cost : UINT32_MAX;
		if (rests[i] != UINT32_MAX &&
		    front_add(&front, find_led_kind(graph, &front, i), &point) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* Always the nearest next version from which what is left of the budget suffices. */
static size_t get_smallest(const struct graph *graph, size_t target, uint32_t budget,
			   const uint32_t *rests, size_t *steps)
{
	size_t count = 0, from = GRAPH_RUNNING;

	for (size_t i = 0; i <= target && count < budget; i++) {
		if (rests[i] > budget - count - 1 ||
		    find_blockers(graph, from, get_entry(graph, i)) != 0)
			continue;
		steps[count++] = graph->nodes[i].entry;
		from = i;
	}
	return count;
}

int graph_get_path(const struct graph *graph, const struct graph_node *target,
		   enum tdxupd_strategy strategy, uint32_t budget, size_t **ret,
		   size_t *ret_count)
{
	size_t node = (size_t)(target - graph->nodes), count = target->distance;
	_cleanup_(cleanup_free)
	size_t *steps = calloc(node + 1, sizeof(*steps));
	_cleanup_(cleanup_free)
	uint32_t *rests = calloc(node + 1, sizeof(*rests));

	if (!steps || !rests)
		return -ENOMEM;
	if (strategy == TDXUPD_STRATEGY_SMALLEST) {
		if (set_rests(graph, node, rests) < 0)
			return -ENOMEM;
		count = get_smallest(graph, node, budget, rests, steps);
	} else {
		get_shortest(graph, node, steps);
	}
	*ret = TAKE_PTR(steps);
	*ret_count = count;
	return 0;
}
