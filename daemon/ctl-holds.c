// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * tdxupdctl hold, unhold, reset-failed, holds: what must not be loaded for now.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "clock.h"
#include "ctl-bus.h"
#include "ctl-holds.h"
#include "ctl-table.h"
#include "ctl-text.h"
#include "ctl-view.h"
#include "ctl.h"
#include "duration.h"
#include "json.h"
#include "tdxupd.h"

static const struct ctl_column columns[] = {
	{ .name = "WHAT" },
	{ .name = "SINCE" },
	{ .name = "BY" },
	{ .name = "UNTIL" },
	{ .name = "WHY", .is_wrapped = true },
};

/* ---- holds ---- */

/* @never: what to call a time that does not come. */
static const char *format_time(struct json_object *hold, const char *key,
			       const char *never, char *ret)
{
	uint64_t usec;

	if (!json_get_number(hold, key, &usec) || usec == 0 || usec == USEC_INFINITY)
		return never;
	return text_format_time(usec, ret);
}

static int print_holds(struct ctl *ctl, struct json_object *manager)
{
	struct json_object *holds = json_get(manager, "holds");
	_cleanup_(cleanup_ctl_table)
	struct ctl_table *table = NULL;
	int r = ctl_table_new(ctl, columns, ARRAY_SIZE(columns), true, &table);

	for (size_t i = 0; r == 0 && i < json_count(holds); i++) {
		struct json_object *hold = json_object_array_get_idx(holds, i);
		char since[TEXT_TIME_BYTES], until[TEXT_TIME_BYTES];
		const char *cells[ARRAY_SIZE(columns)] = {
			json_get_text(hold, "what"),
			format_time(hold, "since_usec", "?", since),
			json_get_text(hold, "by"),
			format_time(hold, "until_usec", "unheld", until),
			json_get_text(hold, "reason"),
		};

		r = ctl_table_add(table, cells, NULL);
	}
	if (r < 0)
		return ctl_fail_memory(ctl);
	if (!json_count(holds) && !ctl->has_no_legend)
		ctl_say(ctl, "Nothing is held.");
	r = ctl_table_print(table);
	ctl_view_say_holds(ctl, manager);
	return r;
}

int ctl_holds(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(cleanup_sd_bus)
	sd_bus *bus = NULL;
	_cleanup_(cleanup_json)
	struct json_object *manager = NULL;
	sd_bus_error error = SD_BUS_ERROR_NULL;
	struct json_object *holds;
	int r = ctl_bus_open(ctl, &bus);

	(void)argc;
	(void)argv;
	if (r)
		return r;
	r = ctl_bus_get_manager(bus, &manager, &error);
	holds = json_get(manager, "holds");
	if (r < 0 || !holds)
		r = ctl_bus_fail(ctl, &error, r < 0 ? r : -EOPNOTSUPP);
	else if (ctl->json == CTL_JSON_OFF)
		r = print_holds(ctl, manager);
	else
		r = ctl_print_json(ctl, holds);
	sd_bus_error_free(&error);
	return r;
}

/* ---- hold, unhold ---- */

static int check_what(struct ctl *ctl, const char *what)
{
	struct tdxupd_version version;

	if (strcmp(what, "all") == 0 || tdxupd_version_parse(what, &version) == 0)
		return CTL_EXIT_OK;
	return ctl_fail(ctl, CTL_EXIT_USAGE, "usage",
			"\"%s\" is neither a version such as 1.5.16 nor `all`", what);
}

/* From now, as a point in time; 0 for until somebody ends it. */
static int get_until(struct ctl *ctl, uint64_t *ret)
{
	uint64_t usec = USEC_INFINITY, now = clock_usec(CLOCK_REALTIME);

	if (ctl->duration && duration_parse(ctl->duration, &usec) < 0)
		return ctl_fail(ctl, CTL_EXIT_USAGE, "usage",
				"--for is a time such as 90, 5min or 3d, not \"%s\"",
				ctl->duration);
	*ret = usec < USEC_INFINITY - now ? now + usec : 0;
	return CTL_EXIT_OK;
}

int ctl_hold(struct ctl *ctl, int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "all";
	uint64_t until = 0;
	_cleanup_(cleanup_free)
	char *note = NULL;
	int r = check_what(ctl, what) ?: get_until(ctl, &until);

	r = r ? r
	      : ctl_bus_forbid(ctl, "Hold", &note, "sst", what,
			       ctl->why_text ? ctl->why_text : "", until);
	if (r == CTL_EXIT_OK)
		ctl_say(ctl, "Held%s%s; `tdxupdctl unhold %s` ends it.",
			*note ? ", but " : "", note, what);
	return r;
}

int ctl_holds_say_changed(struct ctl *ctl, bool has_changed, const char *text)
{
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;

	ctl_say(ctl, "%s", text);
	if (ctl->json == CTL_JSON_OFF)
		return CTL_EXIT_OK;
	if ((json_new_object(&object) ?: json_add_bool(object, "changed", has_changed)) <
	    0)
		return ctl_fail_memory(ctl);
	return ctl_print_json(ctl, object);
}

int ctl_reset_failed(struct ctl *ctl, int argc, char **argv)
{
	bool has_changed;
	int r = ctl_bus_permit(ctl, "ResetFailed", &has_changed, "");

	(void)argc;
	(void)argv;
	return r ? r
		 : ctl_holds_say_changed(ctl, has_changed,
					 has_changed ? "What failed is forgotten."
						     : "Nothing failed; nothing was "
						       "changed.");
}

int ctl_unhold(struct ctl *ctl, int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "all";
	bool is_all = strcmp(what, "all") == 0, has_changed;
	char text[96];
	int r = check_what(ctl, what)
			?: ctl_bus_permit(ctl, "Unhold", &has_changed, "s", what);

	if (r)
		return r;
	if (has_changed)
		snprintf(text, sizeof(text), "The hold of %s has ended.",
			 is_all ? "all updates" : what);
	else
		snprintf(text, sizeof(text),
			 "There is no hold of %s; nothing was changed.",
			 is_all ? "all updates" : what);
	return ctl_holds_say_changed(ctl, has_changed, text);
}
