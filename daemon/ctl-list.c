// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * tdxupdctl list: every image, what a plan makes of it, and why not. Needs no daemon.
 */
#include <string.h>

#include <json-c/json.h>

#include "ctl-facts.h"
#include "ctl-reasons.h"
#include "ctl-table.h"
#include "ctl.h"
#include "describe.h"
#include "json.h"

static const struct ctl_column columns[] = {
	{ .name = "VERSION" },
	{ .name = "SVN" },
	{ .name = "DATE" },
	{ .name = "STATE" },
	{ .name = "WHY", .is_wrapped = true },
};

static const char *colour_of(const char *state)
{
	if (!state)
		return NULL;
	if (strcmp(state, "running") == 0)
		return "bold";
	if (strcmp(state, "offered") == 0 || strcmp(state, "reachable") == 0)
		return "green";
	return NULL;
}

/* A file that tells no version goes by its name. */
static const char *name_of(struct json_object *candidate)
{
	const char *version = json_get_text(candidate, "version");

	return version ? version : json_get_text(candidate, "name");
}

static int add_candidate(struct ctl *ctl, struct ctl_table *table,
			 struct json_object *candidate)
{
	struct json_object *image = json_get(candidate, "image");
	struct json_object *verdicts = json_get(candidate, "verdicts");
	const char *state = json_get_text(candidate, "state");
	_cleanup_(cleanup_free)
	char *why = ctl->is_why ? ctl_reasons_join(verdicts, "- ")
				: ctl_reasons_summarize(verdicts);
	const char *cells[ARRAY_SIZE(columns)] = {
		name_of(candidate),
		json_get_text(image, "svn"),
		json_get_text(image, "date"),
		state,
		why,
	};

	if (!why)
		return -1;
	return ctl_table_add(table, cells, colour_of(state));
}

/* Releases that the mapping names and nobody put there. */
static int add_missing(struct ctl_table *table, struct json_object *list)
{
	struct json_object *missing = json_get(list, "missing");
	int r = 0;

	for (size_t i = 0; r == 0 && i < json_count(missing); i++) {
		struct json_object *release = json_object_array_get_idx(missing, i);
		const char *cells[ARRAY_SIZE(columns)] = {
			json_get_text(release, "version"),
			NULL,
			NULL,
			"no image",
			"in the mapping only",
		};

		r = ctl_table_add(table, cells, NULL);
	}
	return r;
}

static void say_left_out(struct ctl *ctl, struct json_object *list)
{
	uint64_t left_out;

	if (ctl->has_no_legend || !json_get_number(list, "left_out", &left_out) ||
	    !left_out)
		return;
	ctl_say(ctl, "\n%ju other file%s here %s no module image%s.", (uintmax_t)left_out,
		left_out == 1 ? "" : "s", left_out == 1 ? "is" : "are",
		left_out == 1 ? "" : "s");
}

static int print_table(struct ctl *ctl, struct json_object *list)
{
	struct json_object *candidates = json_get(list, "candidates");
	_cleanup_(cleanup_ctl_table)
	struct ctl_table *table = NULL;
	int r = ctl_table_new(ctl, columns, ARRAY_SIZE(columns), true, &table);

	/* Newest first: what one looks for. */
	for (size_t i = json_count(candidates); r == 0 && i > 0; i--)
		r = add_candidate(ctl, table,
				  json_object_array_get_idx(candidates, i - 1));
	if (r == 0)
		r = add_missing(table, list);
	if (r < 0)
		return ctl_fail_memory(ctl);
	if (!json_count(candidates))
		ctl_say(ctl, "No module images here.");
	r = ctl_table_print(table);
	say_left_out(ctl, list);
	return r;
}

static bool has_entry(const struct tdxupd_catalog *catalog,
		      const struct tdxupd_version *version)
{
	for (size_t i = 0; i < catalog->entry_count; i++)
		if (catalog->entries[i].has_version &&
		    tdxupd_version_compare(&catalog->entries[i].version, version) == 0)
			return true;
	return false;
}

static int describe_missing(const struct tdxupd_catalog *catalog,
			    struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *array = NULL;
	int r = json_new_array(&array);

	for (size_t i = 0; r == 0 && i < catalog->release_count; i++) {
		struct json_object *release = NULL;

		if (has_entry(catalog, &catalog->releases[i].version))
			continue;
		r = describe_release(&catalog->releases[i], &release)
			    ?: json_append(array, release);
	}
	if (r < 0)
		return r;
	*ret = TAKE_PTR(array);
	return 0;
}

/* The candidates of a plan, with what is not an image. */
static int describe_list(const struct ctl *ctl, const struct ctl_facts *facts,
			 struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *plan = NULL;
	_cleanup_(cleanup_json)
	struct json_object *list = NULL;
	struct json_object *missing = NULL;
	int r;

	r = describe_plan(facts->plan, &plan) ?: json_new_object(&list)
		?: json_add(list, "candidates",
			    json_object_get(json_get(plan, "candidates")))
		?: json_add_number(list, "left_out", facts->catalog->left_out);
	if (r == 0 && ctl->is_all)
		r = describe_missing(facts->catalog, &missing)
			    ?: json_add(list, "missing", missing);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(list);
	return 0;
}

static int list_facts(struct ctl *ctl, struct ctl_facts *facts)
{
	_cleanup_(cleanup_json)
	struct json_object *list = NULL;
	int r = ctl_facts_make_plan(ctl, NULL, facts);

	if (r)
		return r;
	if (describe_list(ctl, facts, &list) < 0)
		return ctl_fail_memory(ctl);
	return ctl->json == CTL_JSON_OFF ? print_table(ctl, list)
					 : ctl_print_json(ctl, list);
}

int ctl_list(struct ctl *ctl, int argc, char **argv)
{
	struct ctl_facts facts = { 0 };
	int r;

	(void)argc;
	(void)argv;
	r = list_facts(ctl, &facts);
	ctl_facts_done(&facts);
	return r;
}
