// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * tdxupdctl history: what was done to this host, from the daemon's own record. Needs no
 * daemon, and root, since the record is root's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <json-c/json.h>

#include "ctl-table.h"
#include "ctl.h"
#include "duration.h"
#include "history.h"
#include "io.h"
#include "json.h"
#include "state-dir.h"

static const struct ctl_column columns[] = {
	{ .name = "WHEN" }, { .name = "JOB", .is_right = true },
	{ .name = "WHAT" }, { .name = "RUNS" },
	{ .name = "TO" },   { .name = "DETAIL", .is_wrapped = true },
};

/* Anybody's bytes: what is not there stays out. */
static int describe_record(const struct history_record *record, struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	int r;

	r = json_new_object(&object)
		?: json_add_number(object, "sequence", record->sequence)
		?: json_add_number(object, "realtime_usec", record->realtime_usec)
		?: json_add_text(object, "boot_id", record->boot_id)
		?: json_add_number(object, "job", record->job)
		?: json_add_number(object, "attempt", record->attempt)
		?: json_add_text(object, "phase", record->phase)
		?: json_add_text(object, "module", record->module)
		?: json_add_text(object, "from", record->from)
		?: json_add_text(object, "to", record->to)
		?: json_add_text(object, "step_to", record->step_to)
		?: json_add_text(object, "plan_id", record->plan_id)
		?: json_add_text(object, "path", record->path)
		?: json_add_text(object, "mrseam", record->mrseam)
		?: json_add_text(object, "outcome", record->outcome)
		?: json_add_text(object, "reason", record->reason)
		?: json_add_text(object, "detail", record->detail)
		?: json_add_text(object, "caller", record->caller);
	if (r == 0 && record->has_remaining)
		r = json_add_number(object, "remaining_updates", record->remaining);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(object);
	return 0;
}

static int append_line(struct json_object *array, const char *line, size_t bytes)
{
	struct history_record record = { 0 };
	struct tdxupd_digest chain;
	struct json_object *object = NULL;
	int r = history_line_parse(line, bytes, NULL, &record, &chain);

	/* A damaged line is the daemon's matter; the others are still worth reading. */
	if (r == -EBADMSG || r == -EPROTO || r == -EBADE)
		return 0;
	if (r < 0)
		return r;
	r = describe_record(&record, &object) ?: json_append(array, object);
	history_record_done(&record);
	return r;
}

static int append_lines(struct json_object *array, const char *text)
{
	int r = 0;

	while (r == 0 && *text) {
		size_t bytes = strcspn(text, "\n");

		r = append_line(array, text, bytes);
		text += bytes;
		text += *text == '\n';
	}
	return r;
}

static const char *format_when(struct json_object *record, char *ret, size_t size)
{
	uint64_t usec = 0;
	struct tm tm;
	time_t seconds;

	json_get_number(record, "realtime_usec", &usec);
	seconds = (time_t)(usec / USEC_PER_SEC);
	if (!localtime_r(&seconds, &tm) ||
	    strftime(ret, size, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		return "?";
	return ret;
}

static int add_record(struct ctl_table *table, struct json_object *record)
{
	const char *detail = json_get_text(record, "detail");
	char when[32], job[24] = "";
	uint64_t id = 0;
	const char *cells[ARRAY_SIZE(columns)] = {
		format_when(record, when, sizeof(when)),
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

static int print_table(struct ctl *ctl, struct json_object *records)
{
	_cleanup_(cleanup_ctl_table)
	struct ctl_table *table = NULL;
	int r = ctl_table_new(ctl, columns, ARRAY_SIZE(columns), true, &table);

	for (size_t i = 0; r == 0 && i < json_count(records); i++)
		r = add_record(table, json_object_array_get_idx(records, i));
	if (r < 0)
		return ctl_fail_memory(ctl);
	if (!json_count(records) && !ctl->has_no_legend)
		ctl_say(ctl, "Nothing has been done here yet.");
	return ctl->is_quiet ? CTL_EXIT_OK : ctl_table_print(table);
}

int ctl_history(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(cleanup_json)
	struct json_object *records = NULL;
	_cleanup_(cleanup_free)
	uint8_t *text = NULL;
	size_t bytes;
	int r = io_read_file(ctl->root_fd, STATE_DIR "/" HISTORY_FILE, 64u << 20, &text,
			     &bytes);

	(void)argc;
	(void)argv;
	if (r == -EACCES)
		return ctl_fail(ctl, CTL_EXIT_NOT_AUTHORISED, "not-authorised",
				"only root may read the history");
	if (r < 0 && r != -ENODATA)
		return ctl_fail(ctl, CTL_EXIT_FAILURE, "history-unreadable",
				"can't read /" STATE_DIR "/" HISTORY_FILE ": %s",
				io_strerror(r));
	if (json_new_array(&records) < 0 ||
	    (text && append_lines(records, (const char *)text) < 0))
		return ctl_fail_memory(ctl);
	return ctl->json == CTL_JSON_OFF ? print_table(ctl, records)
					 : ctl_print_json(ctl, records);
}
