// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * tdxupdctl plan: what an update would do, or why there is none.
 */
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "ctl-reasons.h"
#include "ctl-record.h"
#include "ctl-table.h"
#include "ctl-text.h"
#include "ctl-view.h"
#include "ctl.h"
#include "json.h"

static const struct ctl_column columns[] = {
	{ .name = "STEP", .is_right = true },
	{ .name = "VERSION" },
	{ .name = "SVN" },
	{ .name = "IMAGE", .is_wrapped = true },
};

static int print_steps(struct ctl *ctl, struct json_object *plan)
{
	struct json_object *steps = json_get(plan, "steps");
	_cleanup_(cleanup_ctl_table)
	struct ctl_table *table = NULL;
	int r = ctl_table_new(ctl, columns, ARRAY_SIZE(columns), true, &table);

	for (size_t i = 0; r == 0 && i < json_count(steps); i++) {
		struct json_object *step = json_object_array_get_idx(steps, i);
		char number[24];
		const char *cells[ARRAY_SIZE(columns)] = {
			number,
			json_get_text(step, "version"),
			json_get_text(step, "svn"),
			json_get_text(step, "name"),
		};

		snprintf(number, sizeof(number), "%zu", i + 1);
		r = ctl_table_add(table, cells, NULL);
	}
	return r < 0 ? ctl_fail_memory(ctl) : ctl_table_print(table);
}

static void say_wrapped(struct ctl *ctl, const char *text, const char *indent)
{
	_cleanup_(cleanup_free)
	char *wrapped = text_wrap(text, ctl->width - strlen(indent));
	char *save = NULL;

	if (!wrapped)
		return;
	for (char *line = strtok_r(wrapped, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		ctl_say(ctl, "%s%s", indent, line);
}

static void say_reasons(struct ctl *ctl, struct json_object *verdicts)
{
	_cleanup_(cleanup_free)
	char *reasons = ctl_reasons_join(verdicts, "- ");

	if (reasons)
		say_wrapped(ctl, reasons, "  ");
}

static void print_update(struct ctl *ctl, struct json_object *plan)
{
	size_t steps = json_count(json_get(plan, "steps"));

	ctl_say(ctl, "From %s to %s in %zu step%s:\n", json_get_text(plan, "from"),
		json_get_text(plan, "to"), steps, steps == 1 ? "" : "s");
	print_steps(ctl, plan);
	ctl_say(ctl, "%s", "");
	ctl_record_say_steps(ctl, plan);
	ctl_record_say_running(ctl, plan);
	ctl_say(ctl, "Nothing was changed. `tdxupdctl update` does it.");
}

static void print_current(struct ctl *ctl, struct json_object *plan)
{
	ctl_say(ctl, "Nothing to do: %s runs, and nothing newer here is for this host.",
		json_get_text(plan, "from"));
	say_reasons(ctl, json_get(plan, "verdicts"));
	ctl_record_say_running(ctl, plan);
}

/* The candidate that was wanted, or else the newest that was refused. */
static struct json_object *find_refused(struct json_object *plan)
{
	struct json_object *candidates = json_get(plan, "candidates");
	const char *to = json_get_text(plan, "to");

	for (size_t i = json_count(candidates); i > 0; i--) {
		struct json_object *candidate =
			json_object_array_get_idx(candidates, i - 1);
		const char *state = json_get_text(candidate, "state");
		const char *version = json_get_text(candidate, "version");

		if (!state || !version || strcmp(state, "refused") != 0)
			continue;
		if (!to || strcmp(version, to) == 0)
			return candidate;
	}
	return NULL;
}

static void print_blocked(struct ctl *ctl, struct json_object *plan)
{
	struct json_object *refused = json_get(find_refused(plan), "verdicts");
	struct json_object *verdicts = json_get(plan, "verdicts");
	const char *why = json_get_text(plan, "why");
	const char *advice = json_get_text(plan, "advice");
	_cleanup_(cleanup_free)
	char *sentence = NULL;

	if (asprintf(&sentence, "No update: %s.", why ? why : "no path leads there") < 0)
		sentence = NULL;
	if (sentence)
		say_wrapped(ctl, sentence, "");
	/* One reason has been said. */
	if (json_count(verdicts) + json_count(refused) > 1) {
		say_reasons(ctl, verdicts);
		say_reasons(ctl, refused);
	}
	if (advice)
		say_wrapped(ctl, advice, "");
	ctl_record_say_running(ctl, plan);
}

static void print_result(struct ctl *ctl, struct json_object *plan, int code)
{
	if (code == CTL_EXIT_AVAILABLE)
		print_update(ctl, plan);
	else if (code == CTL_EXIT_OK)
		print_current(ctl, plan);
	else
		print_blocked(ctl, plan);
	/* Where that is what is in the way, it has been said. */
	if (code == CTL_EXIT_OK || code == CTL_EXIT_AVAILABLE)
		ctl_view_say_holds(ctl, plan);
}

int ctl_plan(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(cleanup_json)
	struct json_object *plan = NULL;
	int code, r = ctl_view_plan(ctl, argc > 1 ? argv[1] : NULL, &plan);

	if (r)
		return r;
	code = ctl_view_exit(plan);
	if (ctl->json != CTL_JSON_OFF)
		r = ctl_print_json(ctl, plan);
	else
		print_result(ctl, plan, code);
	if (r)
		return r;
	return code == CTL_EXIT_AVAILABLE && !ctl->is_exit_code ? CTL_EXIT_OK : code;
}
