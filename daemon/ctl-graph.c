// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * tdxupdctl catalog graph: which image may follow which on this host, and where one gets
 * stuck. Each pair is judged by the very rules that a plan uses.
 */
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "compat.h"
#include "ctl-facts.h"
#include "ctl-image.h"
#include "ctl-reasons.h"
#include "ctl-table.h"
#include "ctl.h"
#include "describe.h"
#include "json.h"

/*
 * A version, whether or not its image is here: the running module may have none.
 * @ways: indices of the nodes that may follow, newer ones only
 * @is_reached: from the running module, in any number of steps
 */
struct node {
	struct tdxupd_module_facts facts;
	const struct tdxupd_entry *entry;
	bool is_running;
	bool is_reached;
	size_t way_count;
	size_t *ways;
};

struct graph {
	size_t count;
	struct node *nodes;
};

static void graph_done(struct graph *graph)
{
	for (size_t i = 0; i < graph->count; i++)
		free(graph->nodes[i].ways);
	free(graph->nodes);
}

static bool is_node(const struct tdxupd_entry *entry)
{
	return entry->has_version && entry->image &&
	       tdxupd_report_is_passed(entry->report);
}

static bool is_running(const struct ctl_facts *facts, const struct tdxupd_entry *entry)
{
	return tdxupd_version_compare(&facts->host->module_version, &entry->version) == 0;
}

static int add_nodes(const struct ctl_facts *facts, struct graph *graph)
{
	struct tdxupd_module_facts running;
	bool has_running = false;

	graph->nodes = calloc(facts->catalog->entry_count + 1, sizeof(*graph->nodes));
	if (!graph->nodes)
		return -1;
	tdxupd_compat_running(facts->host, facts->catalog, &running);
	for (size_t i = 0; i < facts->catalog->entry_count; i++) {
		const struct tdxupd_entry *entry = &facts->catalog->entries[i];
		struct node *node = &graph->nodes[graph->count];

		if (!is_node(entry))
			continue;
		node->entry = entry;
		compat_get_facts(entry, &node->facts);
		if (is_running(facts, entry)) {
			node->is_running = true;
			node->facts = running;
			has_running = true;
		}
		graph->count++;
	}
	if (!has_running)
		graph->nodes[graph->count++] =
			(struct node){ .facts = running, .is_running = true };
	return 0;
}

/* Return: 1 there is a way, 0 there is none, -1 memory ran out. */
static int has_way(const struct ctl_facts *facts, const struct node *from,
		   const struct node *to)
{
	_cleanup_(cleanup_report)
	struct tdxupd_report *report = NULL;

	if (!to->entry ||
	    tdxupd_version_compare(&to->facts.version, &from->facts.version) <= 0)
		return 0;
	if (tdxupd_report_new(&report) < 0 ||
	    tdxupd_compat_check_image(facts->host, &from->facts, to->entry,
				      facts->config->policy, report) < 0)
		return -1;
	return tdxupd_report_is_passed(report);
}

static int add_ways(const struct ctl_facts *facts, struct graph *graph)
{
	for (size_t from = 0; from < graph->count; from++) {
		struct node *node = &graph->nodes[from];

		node->ways = calloc(graph->count, sizeof(*node->ways));
		if (!node->ways)
			return -1;
		for (size_t to = 0; to < graph->count; to++) {
			int r = has_way(facts, node, &graph->nodes[to]);

			if (r < 0)
				return r;
			if (r > 0)
				node->ways[node->way_count++] = to;
		}
	}
	return 0;
}

/* Ways lead to newer versions only, so that nobody goes round in circles. */
static void mark_reached(struct graph *graph, size_t index)
{
	struct node *node = &graph->nodes[index];

	if (node->is_reached)
		return;
	node->is_reached = true;
	for (size_t i = 0; i < node->way_count; i++)
		mark_reached(graph, node->ways[i]);
}

static int make_graph(const struct ctl_facts *facts, struct graph *graph)
{
	if (add_nodes(facts, graph) < 0 || add_ways(facts, graph) < 0)
		return -1;
	for (size_t i = 0; i < graph->count; i++)
		if (graph->nodes[i].is_running)
			mark_reached(graph, i);
	return 0;
}

/* Why the running module can't be followed by an image that nothing leads to. */
static int describe_why(const struct ctl_facts *facts, const struct graph *graph,
			const struct node *node, struct json_object **ret)
{
	_cleanup_(cleanup_report)
	struct tdxupd_report *report = NULL;
	const struct node *running = NULL;

	for (size_t i = 0; i < graph->count; i++)
		if (graph->nodes[i].is_running)
			running = &graph->nodes[i];
	if (!running || tdxupd_report_new(&report) < 0 ||
	    tdxupd_compat_check_image(facts->host, &running->facts, node->entry,
				      facts->config->policy, report) < 0)
		return -1;
	return describe_report(report, ret);
}

static int describe_ways(const struct graph *graph, const struct node *node,
			 struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *array = NULL;
	int r = json_new_array(&array);

	for (size_t i = 0; r == 0 && i < node->way_count; i++) {
		char text[TDXUPD_VERSION_TEXT_BYTES];

		r = json_append_text(
			array, tdxupd_version_format(
				       &graph->nodes[node->ways[i]].facts.version, text));
	}
	if (r < 0)
		return r;
	*ret = TAKE_PTR(array);
	return 0;
}

/* {version, is_running, is_reached, ways [], verdicts} */
static int describe_node(const struct ctl_facts *facts, const struct graph *graph,
			 const struct node *node, struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	struct json_object *part = NULL;
	int r;

	r = json_new_object(&object)
		?: describe_version(object, "version", &node->facts.version)
		?: json_add_bool(object, "is_running", node->is_running)
		?: json_add_bool(object, "is_reached", node->is_reached)
		?: describe_ways(graph, node, &part) ?: json_add(object, "ways", part);
	if (r == 0 && node->entry && !node->is_reached)
		r = describe_why(facts, graph, node, &part)
			    ?: json_add(object, "verdicts", part);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(object);
	return 0;
}

static int describe_graph(const struct ctl_facts *facts, const struct graph *graph,
			  struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	_cleanup_(cleanup_json)
	struct json_object *nodes = NULL;
	int r = json_new_object(&object) ?: json_new_array(&nodes);

	for (size_t i = 0; r == 0 && i < graph->count; i++) {
		struct json_object *node = NULL;

		r = describe_node(facts, graph, &graph->nodes[i], &node)
			    ?: json_append(nodes, node);
	}
	if (r == 0)
		r = json_add(object, "nodes", TAKE_PTR(nodes));
	if (r < 0)
		return r;
	*ret = TAKE_PTR(object);
	return 0;
}

/* ---- printing ---- */

static const struct ctl_column columns[] = {
	{ .name = "FROM" },
	{ .name = "MAY BE FOLLOWED BY", .is_wrapped = true },
};

static char *join_ways(struct json_object *ways)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	for (size_t i = 0; i < json_count(ways); i++)
		fprintf(out, "%s%s", i ? " " : "",
			json_object_get_string(json_object_array_get_idx(ways, i)));
	if (fclose(out) == EOF) {
		free(text);
		return NULL;
	}
	return text;
}

static int add_row(struct ctl_table *table, struct json_object *node)
{
	struct json_object *ways = json_get(node, "ways");
	bool is_reached = json_get_bool(node, "is_reached");
	_cleanup_(cleanup_free)
	char *text = NULL;
	_cleanup_(cleanup_free)
	char *why = ctl_reasons_summarize(json_get(node, "verdicts"));
	_cleanup_(cleanup_free)
	char *joined = join_ways(ways);
	const char *cells[] = { json_get_text(node, "version"), NULL };

	if (!joined || !why ||
	    asprintf(&text, "%s%s%s", *joined ? joined : "nothing newer",
		     is_reached ? "" : "; out of reach: ", is_reached ? "" : why) < 0)
		return -1;
	cells[1] = text;
	return ctl_table_add(table, cells,
			     json_get_bool(node, "is_running") ? "bold" : NULL);
}

static int print_table(struct ctl *ctl, struct json_object *graph)
{
	struct json_object *nodes = json_get(graph, "nodes");
	_cleanup_(cleanup_ctl_table)
	struct ctl_table *table = NULL;
	int r = ctl_table_new(ctl, columns, ARRAY_SIZE(columns), true, &table);

	for (size_t i = 0; r == 0 && i < json_count(nodes); i++)
		r = add_row(table, json_object_array_get_idx(nodes, i));
	return r < 0 ? ctl_fail_memory(ctl) : ctl_table_print(table);
}

/* Versions are digits and dots, titles our own words: nothing here needs quoting. */
static int print_dot_node(struct json_object *node)
{
	const char *version = json_get_text(node, "version");
	struct json_object *ways = json_get(node, "ways");
	_cleanup_(cleanup_free)
	char *why = ctl_reasons_summarize(json_get(node, "verdicts"));

	if (!why)
		return -1;
	if (json_get_bool(node, "is_running"))
		printf("\t\"%s\" [label=\"%s\\nruns here\", style=filled, "
		       "fillcolor=palegreen];\n",
		       version, version);
	else if (!json_get_bool(node, "is_reached"))
		printf("\t\"%s\" [label=\"%s\\nout of reach:\\n%s\", style=dashed, "
		       "color=red];\n",
		       version, version, why);
	else if (!json_count(ways))
		printf("\t\"%s\" [label=\"%s\\nno way on\", peripheries=2];\n", version,
		       version);
	else
		printf("\t\"%s\";\n", version);
	for (size_t i = 0; i < json_count(ways); i++)
		printf("\t\"%s\" -> \"%s\";\n", version,
		       json_object_get_string(json_object_array_get_idx(ways, i)));
	return 0;
}

static int print_dot(struct ctl *ctl, struct json_object *graph)
{
	struct json_object *nodes = json_get(graph, "nodes");

	puts("digraph updates {\n\trankdir=LR;\n\tnode [shape=box, fontname=sans];");
	for (size_t i = 0; i < json_count(nodes); i++)
		if (print_dot_node(json_object_array_get_idx(nodes, i)) < 0)
			return ctl_fail_memory(ctl);
	puts("}");
	return CTL_EXIT_OK;
}

static int graph_of(struct ctl *ctl, struct ctl_facts *facts, struct graph *graph)
{
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	int r = ctl_facts_read_host(ctl, facts);

	facts->may_use_cache = true;
	if (r == CTL_EXIT_OK)
		r = ctl_facts_check_host(ctl, facts);
	if (r == CTL_EXIT_OK)
		r = ctl_facts_read_catalog(ctl, facts);
	if (r)
		return r;
	if (make_graph(facts, graph) < 0 || describe_graph(facts, graph, &object) < 0)
		return ctl_fail_memory(ctl);
	if (ctl->json != CTL_JSON_OFF)
		return ctl_print_json(ctl, object);
	return ctl->is_dot ? print_dot(ctl, object) : print_table(ctl, object);
}

int ctl_catalog_graph(struct ctl *ctl, int argc, char **argv)
{
	struct ctl_facts facts = { 0 };
	struct graph graph = { 0 };
	int r = graph_of(ctl, &facts, &graph);

	(void)argc;
	(void)argv;
	graph_done(&graph);
	ctl_facts_done(&facts);
	return r;
}
