// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * tdxupdctl history: what was done to this host, from the daemon's own record, which is
 * root's; others, and those who ask about another host, ask the daemon for its end.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "clock.h"
#include "ctl-bus.h"
#include "ctl-table.h"
#include "ctl-text.h"
#include "ctl.h"
#include "describe.h"
#include "duration.h"
#include "history-read.h"
#include "history.h"
#include "io.h"
#include "json.h"

static const struct ctl_column columns[] = {
	{ .name = "WHEN" }, { .name = "JOB", .is_right = true },
	{ .name = "WHAT" }, { .name = "RUNS" },
	{ .name = "TO" },   { .name = "DETAIL", .is_wrapped = true },
};

/* ---- what is asked for ---- */

static int parse_number(struct ctl *ctl, const char *option, const char *text,
			uint64_t max, uint64_t *ret)
{
	uint64_t number;

	if (!text)
		return CTL_EXIT_OK;
	if (!text_parse_number(text, max, &number) || number < 1)
		return ctl_fail(ctl, CTL_EXIT_USAGE, "usage",
				"--%s is a number from 1 to %ju, not \"%s\"", option,
				(uintmax_t)max, text);
	*ret = number;
	return CTL_EXIT_OK;
}

static int parse_since(struct ctl *ctl, uint64_t *ret)
{
	uint64_t usec, now = clock_usec(CLOCK_REALTIME);

	if (!ctl->since)
		return CTL_EXIT_OK;
	if (duration_parse(ctl->since, &usec) < 0)
		return ctl_fail(ctl, CTL_EXIT_USAGE, "usage",
				"--since is how long ago, such as 90, 5min or 3d, not "
				"\"%s\"",
				ctl->since);
	*ret = usec < now ? now - usec : 0;
	return CTL_EXIT_OK;
}

static int make_query(struct ctl *ctl, struct history_query *ret)
{
	uint64_t count = HISTORY_COUNT_DEFAULT;
	int r;

	*ret = (struct history_query){ .bytes = UINT64_MAX };
	r = parse_number(ctl, "count", ctl->count, HISTORY_COUNT_MAX, &count)
		    ?: parse_number(ctl, "job", ctl->job, UINT32_MAX, &ret->job)
		    ?: parse_since(ctl, &ret->since_usec);
	ret->count = count;
	return r;
}

/* ---- asking ---- */

static int append_query(sd_bus_message *call, const void *userdata)
{
	const struct history_query *query = userdata;
	int r;

	r = sd_bus_message_open_container(call, 'a', "{sv}");
	if (r >= 0)
		r = sd_bus_message_append(call, "{sv}", "count", "u",
					  (uint32_t)query->count);
	if (r >= 0 && query->job)
		r = sd_bus_message_append(call, "{sv}", "job", "u", (uint32_t)query->job);
	if (r >= 0 && query->since_usec)
		r = sd_bus_message_append(call, "{sv}", "since_usec", "t",
					  query->since_usec);
	return r < 0 ? r : sd_bus_message_close_container(call);
}

static bool is_daemons(const struct ctl *ctl)
{
	if (ctl->remote)
		return true;
	return ctl_bus_is_ours(ctl) &&
	       faccessat(ctl->root_fd, STATE_DIR "/" HISTORY_FILE, R_OK, AT_EACCESS) <
		       0 &&
	       errno == EACCES;
}

/* This machine's journal knows nothing of another root. */
static void find_head(const struct ctl *ctl, const struct history_query *query,
		      struct history_query *ret)
{
	*ret = *query;
	if (strcmp(ctl->root, "/") == 0)
		history_head_find(&ret->head);
}

static int read_history(struct ctl *ctl, const struct history_query *query,
			struct json_object **ret)
{
	struct history_excerpt excerpt;
	struct history_query headed;
	int r;

	if (is_daemons(ctl))
		return ctl_bus_ask(ctl, "GetHistory", append_query, query, ret);
	find_head(ctl, query, &headed);
	r = history_read(ctl->root_fd, &headed, &excerpt);
	if (r == -EACCES)
		return ctl_fail(ctl, CTL_EXIT_NOT_AUTHORISED, "not-authorised",
				"only root may read the history");
	if (r == -ENOMEM)
		return ctl_fail_memory(ctl);
	if (r < 0)
		return ctl_fail(ctl, CTL_EXIT_FAILURE, "history-unreadable",
				"can't read /" STATE_DIR "/" HISTORY_FILE ": %s",
				io_strerror(r));
	r = describe_history(&excerpt, ret);
	history_excerpt_done(&excerpt);
	return r < 0 ? ctl_fail_memory(ctl) : CTL_EXIT_OK;
}

/* ---- showing ---- */

static int add_record(struct ctl_table *table, struct json_object *record)
{
	const char *detail = json_get_text(record, "detail");
	char when[TEXT_TIME_BYTES], job[24] = "";
	uint64_t id = 0, usec = 0;
	bool has_time = json_get_number(record, "realtime_usec", &usec);
	const char *cells[ARRAY_SIZE(columns)] = {
		has_time ? text_format_time(usec, when) : NULL,
		job,
		json_get_text(record, "phase"),
		json_get_text(record, "module"),
		json_get_text(record, "to"),
		detail ? detail : json_get_text(record, "outcome"),
	};

	if (json_get_number(record, "job", &id) && id)
		snprintf(job, sizeof(job), "%ju", (uintmax_t)id);
	return ctl_table_add(table, cells, NULL);
}

/* Of the two ends the chain says nothing. */
static const char *explain_start(uint64_t first, bool is_whole)
{
	if (!is_whole)
		return "older lines were not looked at";
	return first <= 1 ? "from the first one" : "older lines are not kept";
}

static const char *explain_end(const char *end)
{
	static const struct {
		const char *end, *text;
	} table[] = {
		{ "agrees", "the journal knows the last of them" },
		{ "short",
		  "LINES ARE MISSING AT THE END: the journal knows of later ones" },
		{ "differs", "THE END IS ANOTHER ONE than the journal knows" },
	};

	for (size_t i = 0; end && i < ARRAY_SIZE(table); i++)
		if (strcmp(end, table[i].end) == 0)
			return table[i].text;
	return "nothing tells whether lines are missing at the end";
}

/* Whether what was read is what was written. */
static void say_chain(struct ctl *ctl, struct json_object *history)
{
	struct json_object *chain = json_get(history, "chain");
	const char *where = json_get_text(chain, "first_break");
	uint64_t lines = 0, breaks = 0, left_out = 0, first = 0;

	json_get_number(history, "left_out", &left_out);
	json_get_number(chain, "lines", &lines);
	json_get_number(chain, "breaks", &breaks);
	json_get_number(chain, "first_sequence", &first);
	if (left_out)
		ctl_say(ctl, "\n%ju older ones are left out; --count shows more.",
			(uintmax_t)left_out);
	if (breaks)
		ctl_say(ctl,
			"%s%ju lines: THE CHAIN IS BROKEN at %s; lines there were "
			"changed, or lost.",
			left_out ? "" : "\n", (uintmax_t)lines, where ? where : "?");
	else
		ctl_say(ctl, "%s%ju lines, each follows from the one before; %s.",
			left_out ? "" : "\n", (uintmax_t)lines,
			explain_start(first, json_get_bool(chain, "is_whole")));
	ctl_say(ctl, "%s.", explain_end(json_get_text(chain, "end")));
}

static int print_history(struct ctl *ctl, struct json_object *history)
{
	struct json_object *records = json_get(history, "records");
	_cleanup_(cleanup_ctl_table)
	struct ctl_table *table = NULL;
	int r = ctl_table_new(ctl, columns, ARRAY_SIZE(columns), true, &table);

	for (size_t i = 0; r == 0 && i < json_count(records); i++)
		r = add_record(table, json_object_array_get_idx(records, i));
	if (r < 0)
		return ctl_fail_memory(ctl);
	if (!json_count(records) && !ctl->has_no_legend)
		ctl_say(ctl, "Nothing of that kind has been done here.");
	r = ctl_table_print(table);
	if (!ctl->has_no_legend)
		say_chain(ctl, history);
	return r;
}

int ctl_history(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(cleanup_json)
	struct json_object *history = NULL;
	struct history_query query;
	int r = make_query(ctl, &query) ?: read_history(ctl, &query, &history);

	(void)argc;
	(void)argv;
	if (r)
		return r;
	return ctl->json == CTL_JSON_OFF ? print_history(ctl, history)
					 : ctl_print_json(ctl, history);
}
