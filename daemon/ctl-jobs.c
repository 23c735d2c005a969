// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * tdxupdctl jobs, watch, cancel: the daemon's jobs, and a way back to one.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "ctl-bus.h"
#include "ctl-job.h"
#include "ctl-table.h"
#include "ctl-text.h"
#include "ctl.h"
#include "json.h"

static const struct ctl_column columns[] = {
	{ .name = "JOB", .is_right = true },
	{ .name = "STATE" },
	{ .name = "FROM" },
	{ .name = "TO" },
};

/* ---- jobs ---- */

static int read_job(sd_bus_message *reply, struct json_object *array)
{
	_cleanup_(cleanup_json)
	struct json_object *job = NULL;
	const char *path, *state, *from, *to;
	uint32_t id;
	int r = sd_bus_message_read(reply, "(uosss)", &id, &path, &state, &from, &to);

	if (r <= 0)
		return r;
	r = json_new_object(&job) ?: json_add_number(job, "id", id)
		?: json_add_text(job, "path", path)
		?: json_add_text(job, "state", state)
		?: json_add_text(job, "from", *from ? from : NULL)
		?: json_add_text(job, "to", *to ? to : NULL)
		?: json_append(array, TAKE_PTR(job));
	return r < 0 ? r : 1;
}

static int read_jobs(sd_bus_message *reply, struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *array = NULL;
	int r = json_new_array(&array);

	if (r < 0 || (r = sd_bus_message_enter_container(reply, 'a', "(uosss)")) < 0)
		return r;
	while ((r = read_job(reply, array)) > 0)
		;
	if (r < 0)
		return r;
	*ret = TAKE_PTR(array);
	return 0;
}

static int print_jobs(struct ctl *ctl, struct json_object *jobs)
{
	_cleanup_(cleanup_ctl_table)
	struct ctl_table *table = NULL;
	int r = ctl_table_new(ctl, columns, ARRAY_SIZE(columns), true, &table);

	for (size_t i = 0; r == 0 && i < json_count(jobs); i++) {
		struct json_object *job = json_object_array_get_idx(jobs, i);
		char number[16] = "";
		uint64_t id;
		const char *cells[ARRAY_SIZE(columns)] = {
			number,
			json_get_text(job, "state"),
			json_get_text(job, "from"),
			json_get_text(job, "to"),
		};

		if (json_get_number(job, "id", &id))
			snprintf(number, sizeof(number), "%ju", (uintmax_t)id);
		r = ctl_table_add(table, cells, NULL);
	}
	if (r < 0)
		return ctl_fail_memory(ctl);
	if (!json_count(jobs) && !ctl->has_no_legend)
		ctl_say(ctl, "No jobs.");
	return ctl_table_print(table);
}

static int list_jobs(struct ctl *ctl, sd_bus *bus)
{
	_cleanup_(cleanup_sd_bus_message)
	sd_bus_message *reply = NULL;
	_cleanup_(cleanup_json)
	struct json_object *jobs = NULL;
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = ctl_bus_ask_list(bus, "ListJobs", &error, &reply);

	if (r < 0 || (r = read_jobs(reply, &jobs)) < 0)
		r = ctl_bus_fail(ctl, &error, r);
	else if (ctl->json == CTL_JSON_OFF)
		r = print_jobs(ctl, jobs);
	else
		r = ctl_print_json(ctl, jobs);
	sd_bus_error_free(&error);
	return r;
}

int ctl_jobs(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(cleanup_sd_bus)
	sd_bus *bus = NULL;
	int r = ctl_bus_open(ctl, &bus);

	(void)argc;
	(void)argv;
	return r ? r : list_jobs(ctl, bus);
}

/* ---- one job ---- */

static int parse_id(struct ctl *ctl, const char *text, uint32_t *ret)
{
	uint64_t number;

	if (!text_parse_number(text, UINT32_MAX, &number))
		return ctl_fail(
			ctl, CTL_EXIT_USAGE, "usage",
			"\"%s\" is no number of a job; `tdxupdctl jobs` lists them",
			text);
	*ret = (uint32_t)number;
	return CTL_EXIT_OK;
}

static int find_by_id(struct ctl *ctl, sd_bus *bus, const char *text, char **ret_path)
{
	_cleanup_(cleanup_sd_bus_message)
	sd_bus_message *reply = NULL;
	sd_bus_error error = SD_BUS_ERROR_NULL;
	const char *path;
	uint32_t id = 0;
	int r = parse_id(ctl, text, &id);

	if (r)
		return r;
	r = sd_bus_call_method(bus, BUS_NAME, BUS_PATH, BUS_MANAGER, "GetJob", &error,
			       &reply, "u", id);
	if (r < 0 || (r = sd_bus_message_read(reply, "o", &path)) < 0) {
		r = ctl_bus_fail(ctl, &error, r);
	} else {
		*ret_path = strdup(path);
		r = *ret_path ? CTL_EXIT_OK : ctl_fail_memory(ctl);
	}
	sd_bus_error_free(&error);
	return r;
}

static int find_current(struct ctl *ctl, sd_bus *bus, char **ret_path)
{
	_cleanup_(cleanup_json)
	struct json_object *manager = NULL;
	sd_bus_error error = SD_BUS_ERROR_NULL;
	const char *path;
	int r = ctl_bus_get_manager(bus, &manager, &error);

	if (r < 0) {
		r = ctl_bus_fail(ctl, &error, r);
		sd_bus_error_free(&error);
		return r;
	}
	path = json_get_text(manager, "current_job");
	if (!path || strcmp(path, "/") == 0)
		return ctl_fail(ctl, CTL_EXIT_FAILURE, "no-such-job",
				"no update is under way; `tdxupdctl jobs` lists those "
				"that ended");
	*ret_path = strdup(path);
	return *ret_path ? CTL_EXIT_OK : ctl_fail_memory(ctl);
}

/* The job that the command line names, or the one under way. */
static int find_job(struct ctl *ctl, sd_bus *bus, int argc, char **argv, char **ret_path)
{
	return argc > 1 ? find_by_id(ctl, bus, argv[1], ret_path)
			: find_current(ctl, bus, ret_path);
}

int ctl_watch(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(cleanup_sd_bus)
	sd_bus *bus = NULL;
	_cleanup_(cleanup_ctl_job_watch)
	struct ctl_job_watch *watch = NULL;
	_cleanup_(cleanup_free)
	char *path = NULL;
	int r = ctl_bus_open(ctl, &bus);

	if (r == CTL_EXIT_OK)
		r = ctl_job_watch_new(ctl, bus, &watch);
	if (r == CTL_EXIT_OK)
		r = find_job(ctl, bus, argc, argv, &path);
	return r ? r : ctl_job_watch_run(watch, path);
}

int ctl_cancel(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(cleanup_sd_bus)
	sd_bus *bus = NULL;
	sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(cleanup_free)
	char *path = NULL;
	int r = ctl_bus_open(ctl, &bus);

	if (r == CTL_EXIT_OK)
		r = find_job(ctl, bus, argc, argv, &path);
	if (r)
		return r;
	r = sd_bus_call_method(bus, BUS_NAME, path, BUS_JOB, "Cancel", &error, NULL, "");
	r = r < 0 ? ctl_bus_fail(ctl, &error, r) : CTL_EXIT_OK;
	sd_bus_error_free(&error);
	if (r == CTL_EXIT_OK)
		ctl_say(ctl, "Cancelled; what was handed to the kernel is taken back.");
	return r;
}
