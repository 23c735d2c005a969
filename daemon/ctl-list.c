// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * tdxupdctl list: every image, what a plan makes of it, and why not.
 */
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "ctl-reasons.h"
#include "ctl-record.h"
#include "ctl-table.h"
#include "ctl-view.h"
#include "ctl.h"
#include "json.h"
#include "util.h"

#define LEFT_OUTS_MAX 3 /* `catalog check` names them all */

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

/* Every reason, and what is known besides. */
static char *explain(struct json_object *candidate)
{
	_cleanup_(cleanup_free)
	char *reasons = ctl_reasons_join(json_get(candidate, "verdicts"), "- ");
	const char *strict = ctl_record_explain_strict(candidate);
	char *text = NULL;

	if (!reasons || !*strict)
		return TAKE_PTR(reasons);
	if (asprintf(&text, "%s%s- %s", reasons, *reasons ? "\n" : "", strict) < 0)
		return NULL;
	return text;
}

static int add_candidate(struct ctl *ctl, struct ctl_table *table,
			 struct json_object *candidate)
{
	struct json_object *image = json_get(candidate, "image");
	struct json_object *verdicts = json_get(candidate, "verdicts");
	const char *state = json_get_text(candidate, "state");
	_cleanup_(cleanup_free)
	char *why = ctl->is_why ? explain(candidate) : ctl_reasons_summarize(verdicts);
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

/* Releases that the mapping or the records name and nobody put there. */
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
			json_get_bool(release, "is_from_record") ? "on record only"
								 : "in the mapping only",
		};

		r = ctl_table_add(table, cells, NULL);
	}
	return r;
}

/* What stands against all of them is no image's. */
static void say_blocked(struct ctl *ctl, struct json_object *list)
{
	_cleanup_(cleanup_free)
	char *text = json_get(list, "why") ? ctl_view_explain(list) : NULL;

	if (text && !ctl->has_no_legend)
		ctl_say(ctl, "\nNo update: %s", text);
}

static void say_remote(struct ctl *ctl, struct json_object *list)
{
	const char *type = json_get_text(list, "remote");

	if (type && !ctl->has_no_legend)
		ctl_say(ctl,
			"\nThe images are on a remote file system (%s): while it does "
			"not answer\nno update can be planned.",
			type);
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
	ctl_record_say_files(ctl, list, LEFT_OUTS_MAX);
	ctl_record_say_running(ctl, list);
	say_remote(ctl, list);
	ctl_view_say_holds(ctl, list);
	say_blocked(ctl, list);
	return r;
}

int ctl_list(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(cleanup_json)
	struct json_object *list = NULL;
	int r = ctl_view_list(ctl, &list);

	(void)argc;
	(void)argv;
	if (r)
		return r;
	return ctl->json == CTL_JSON_OFF ? print_table(ctl, list)
					 : ctl_print_json(ctl, list);
}
