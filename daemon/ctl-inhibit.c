// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * tdxupdctl inhibit: keeps updates off while a command runs, and lists who does. Unlike a
 * guarded launch, what cannot be kept is not promised: without an inhibitor the command
 * does not run.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "clock.h"
#include "ctl-bus.h"
#include "ctl-command.h"
#include "ctl-table.h"
#include "ctl.h"
#include "duration.h"
#include "json.h"

static const struct ctl_column columns[] = {
	{ .name = "WHO" },
	{ .name = "PID", .is_right = true },
	{ .name = "MODE" },
	{ .name = "FOR", .is_right = true },
	{ .name = "LEFT", .is_right = true },
	{ .name = "WHY", .is_wrapped = true },
};

/* ---- the list ---- */

/* Another machine's CLOCK_MONOTONIC says nothing here. */
static int add_times(struct json_object *object, const struct ctl *ctl, uint64_t since,
		     uint64_t until)
{
	int r = ctl->remote ? 0 : json_add_number(object, "since_usec", since);

	if (r == 0 && !ctl->remote && until != USEC_INFINITY)
		r = json_add_number(object, "until_usec", until);
	return r;
}

static int read_inhibitor(sd_bus_message *reply, const struct ctl *ctl,
			  struct json_object *array)
{
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	const char *who, *why, *mode;
	uint64_t since, until;
	uint32_t uid, pid;
	int r = sd_bus_message_read(reply, "(sssuutt)", &who, &why, &mode, &uid, &pid,
				    &since, &until);

	if (r <= 0)
		return r;
	r = json_new_object(&object) ?: json_add_text(object, "who", who)
		?: json_add_text(object, "why", why)
		?: json_add_text(object, "mode", mode)
		?: json_add_number(object, "uid", uid)
		?: json_add_number(object, "pid", pid)
		?: add_times(object, ctl, since, until)
		?: json_append(array, TAKE_PTR(object));
	return r < 0 ? r : 1;
}

static int read_list(sd_bus_message *reply, const struct ctl *ctl,
		     struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *array = NULL;
	int r = json_new_array(&array);

	if (r >= 0)
		r = sd_bus_message_enter_container(reply, 'a', "(sssuutt)");
	while (r >= 0 && (r = read_inhibitor(reply, ctl, array)) > 0)
		;
	if (r < 0)
		return r;
	*ret = TAKE_PTR(array);
	return 0;
}

/* A span from or to now, nothing where it is not known or has no end. */
static void format_span(struct json_object *object, const char *key, char *ret)
{
	uint64_t usec, now = clock_usec(CLOCK_MONOTONIC);

	ret[0] = '\0';
	if (json_get_number(object, key, &usec))
		duration_format(usec > now ? usec - now : now - usec, ret);
}

static int add_row(struct ctl_table *table, struct json_object *object)
{
	char pid[16] = "", age[DURATION_TEXT_BYTES], left[DURATION_TEXT_BYTES];
	const char *cells[ARRAY_SIZE(columns)] = {
		json_get_text(object, "who"),
		pid,
		json_get_text(object, "mode"),
		age,
		left,
		json_get_text(object, "why"),
	};
	uint64_t number;

	if (json_get_number(object, "pid", &number))
		snprintf(pid, sizeof(pid), "%u", (unsigned)number);
	format_span(object, "since_usec", age);
	format_span(object, "until_usec", left);
	return ctl_table_add(table, cells, NULL);
}

static int print_list(struct ctl *ctl, struct json_object *list)
{
	_cleanup_(cleanup_ctl_table)
	struct ctl_table *table = NULL;
	int r = ctl_table_new(ctl, columns, ARRAY_SIZE(columns), true, &table);

	for (size_t i = 0; r == 0 && i < json_count(list); i++)
		r = add_row(table, json_object_array_get_idx(list, i));
	if (r < 0)
		return ctl_fail_memory(ctl);
	if (!json_count(list) && !ctl->has_no_legend)
		ctl_say(ctl, "Nobody keeps updates off.");
	return ctl_table_print(table);
}

static int list(struct ctl *ctl, sd_bus *bus)
{
	_cleanup_(cleanup_sd_bus_message)
	sd_bus_message *reply = NULL;
	_cleanup_(cleanup_json)
	struct json_object *inhibitors = NULL;
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = ctl_bus_ask_list(bus, "ListInhibitors", &error, &reply);

	if (r < 0 || (r = read_list(reply, ctl, &inhibitors)) < 0)
		r = ctl_bus_fail(ctl, &error, r);
	else if (ctl->json == CTL_JSON_OFF)
		r = print_list(ctl, inhibitors);
	else
		r = ctl_print_json(ctl, inhibitors);
	sd_bus_error_free(&error);
	return r;
}

/* ---- around a command ---- */

static int append_options(sd_bus_message *call, uint64_t timeout_usec)
{
	int r = sd_bus_message_open_container(call, 'a', "{sv}");

	if (r >= 0 && timeout_usec != USEC_INFINITY)
		r = sd_bus_message_append(call, "{sv}", "timeout_usec", "t",
					  timeout_usec);
	return r < 0 ? r : sd_bus_message_close_container(call);
}

static int new_call(struct ctl *ctl, sd_bus *bus, const char *who, uint64_t timeout_usec,
		    sd_bus_message **ret)
{
	int r = sd_bus_message_new_method_call(bus, ret, BUS_NAME, BUS_PATH, BUS_MANAGER,
					       "Inhibit");

	if (r >= 0)
		r = sd_bus_message_append(*ret, "sss", who,
					  ctl->why_text ? ctl->why_text : "",
					  ctl->mode ? ctl->mode : "block");
	return r < 0 ? r : append_options(*ret, timeout_usec);
}

/* Return: an exit code, and has said why. */
static int take(struct ctl *ctl, sd_bus *bus, const char *who, uint64_t timeout_usec,
		int *ret_fd)
{
	_cleanup_(cleanup_sd_bus_message)
	sd_bus_message *call = NULL;
	_cleanup_(cleanup_sd_bus_message)
	sd_bus_message *reply = NULL;
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int fd, r = new_call(ctl, bus, who, timeout_usec, &call);

	if (r >= 0)
		r = sd_bus_call(bus, call, 0, &error, &reply);
	if (r >= 0)
		r = sd_bus_message_read_basic(reply, 'h', &fd);
	if (r >= 0 && (*ret_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3)) < 0)
		r = -errno;
	r = r < 0 ? ctl_bus_fail(ctl, &error, r) : CTL_EXIT_OK;
	sd_bus_error_free(&error);
	return r;
}

static int check_options(struct ctl *ctl, uint64_t *ret_timeout_usec)
{
	if (ctl->remote)
		return ctl_fail(ctl, CTL_EXIT_USAGE, "usage",
				"--host only lists: an inhibitor does not go through "
				"ssh; run tdxupdctl inhibit over there");
	if (ctl->mode && strcmp(ctl->mode, "block") != 0 &&
	    strcmp(ctl->mode, "delay") != 0)
		return ctl_fail(ctl, CTL_EXIT_USAGE, "usage",
				"--mode is block or delay, not \"%s\"", ctl->mode);
	if (ctl->duration && (duration_parse(ctl->duration, ret_timeout_usec) < 0 ||
			      *ret_timeout_usec == 0))
		return ctl_fail(ctl, CTL_EXIT_USAGE, "usage",
				"--for is a time such as 90, 5min or 3d, not \"%s\"",
				ctl->duration);
	return CTL_EXIT_OK;
}

static int inhibit(struct ctl *ctl, sd_bus *bus, char **argv)
{
	uint64_t timeout_usec = USEC_INFINITY;
	int fd = -1, r = check_options(ctl, &timeout_usec);

	if (r == CTL_EXIT_OK)
		r = take(ctl, bus, ctl->who ? ctl->who : argv[0], timeout_usec, &fd);
	return r ? r
		 : ctl_command_run(ctl, fd, USEC_INFINITY,
				   "updates are kept off no longer: the time is over, or "
				   "tdxupdd has ended",
				   argv);
}

int ctl_inhibit(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(cleanup_sd_bus)
	sd_bus *bus = NULL;
	int r;

	if (ctl->is_list && argc > 1)
		return ctl_fail(ctl, CTL_EXIT_USAGE, "usage",
				"either a command to run, or --list");
	r = ctl_bus_open(ctl, &bus);
	if (r)
		return r;
	return argc > 1 ? inhibit(ctl, bus, argv + 1) : list(ctl, bus);
}
