// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * tdxupdctl status: what runs here, whether it could be updated, and what the daemon is
 * doing about it. Says what it can find out and does without the rest.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "ctl-blockers.h"
#include "ctl-bus.h"
#include "ctl-table.h"
#include "ctl-text.h"
#include "ctl-view.h"
#include "ctl.h"
#include "describe.h"
#include "json.h"
#include "last-update.h"

static const struct ctl_column columns[] = {
	{ .name = "FACT" },
	{ .name = "VALUE", .is_wrapped = true },
};

static int add_fact(struct ctl_table *table, const char *name, const char *value,
		    const char *colour)
{
	const char *cells[] = { name, value };

	return value && *value ? ctl_table_add(table, cells, colour) : 0;
}

/* ---- the host ---- */

static int add_module(struct ctl_table *table, struct json_object *host)
{
	const char *state = json_get_text(host, "state");
	const char *version = json_get_text(host, "module_version");

	if (version)
		return add_fact(table, "Module", version, "bold");
	if (state && strcmp(state, "absent") == 0)
		return add_fact(table, "Module", "none; `tdxupdctl doctor` says why",
				"red");
	if (state && strcmp(state, "lost") == 0)
		return add_fact(table, "Module", "LOST until the next reboot", "red");
	return add_fact(table, "Module", "unknown: its version can't be read", "red");
}

static int add_guard(struct ctl_table *table, struct json_object *host)
{
	const char *guard = json_get_text(host, "update_guard");
	char text[96];

	if (!guard)
		return add_fact(table, "Race guard", "none known of in the kernel", NULL);
	if (strcmp(guard, "none") == 0)
		return add_fact(table, "Race guard",
				"none: nothing but tdxupd keeps an update from racing a "
				"TD build",
				NULL);
	snprintf(text, sizeof(text), "%s refuses an update that races a TD build", guard);
	return add_fact(table, "Race guard", text, NULL);
}

static int add_tds(struct ctl_table *table, struct json_object *host)
{
	uint64_t tds, building;
	bool has_tds = json_get_number(host, "tds", &tds);
	bool has_building = json_get_number(host, "tds_building", &building);
	char text[96];

	if (has_tds && tds == 0)
		snprintf(text, sizeof(text), "none");
	else if (has_tds && has_building)
		snprintf(text, sizeof(text), "%ju, %ju being built", (uintmax_t)tds,
			 (uintmax_t)building);
	else if (has_tds)
		snprintf(text, sizeof(text), "%ju", (uintmax_t)tds);
	else if (has_building)
		snprintf(text, sizeof(text), "%ju being built", (uintmax_t)building);
	else
		return 0;
	return add_fact(table, "TDs", text, NULL);
}

static int add_cpus(struct ctl_table *table, struct json_object *host)
{
	struct json_object *cpus = json_get(host, "cpus");
	struct json_object *sockets = json_get(host, "sockets");
	struct json_object *socket = json_object_is_type(sockets, json_type_array)
					     ? json_object_array_get_idx(sockets, 0)
					     : NULL;
	const char *online = json_get_text(cpus, "online");
	const char *possible = json_get_text(cpus, "possible");
	const char *signature = json_get_text(socket, "signature");
	char text[256];
	bool is_all;

	if (!online || !possible)
		return 0;
	is_all = strcmp(online, possible) == 0;
	snprintf(text, sizeof(text), "%s%s%s%s%s", online, is_all ? "" : " of ",
		 is_all ? "" : possible, " online", is_all ? "" : ": all must be");
	if (signature)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "; CPUID %s",
			 signature);
	return add_fact(table, "CPUs", text, is_all ? NULL : "red");
}

static int add_host(struct ctl_table *table, struct json_object *host)
{
	uint64_t remaining;
	char text[32];
	int r;

	r = add_module(table, host)
		    ?: add_fact(table, "P-SEAMLDR",
				json_get_text(host, "seamldr_version"), NULL);
	if (r == 0 && json_get_number(host, "remaining_updates", &remaining)) {
		snprintf(text, sizeof(text), "%ju", (uintmax_t)remaining);
		r = add_fact(table, "Updates left", text, remaining ? NULL : "red");
	}
	return r ?: add_guard(table, host) ?: add_tds(table, host)
		?: add_cpus(table, host);
}

/* ---- the daemon ---- */

static int add_gate(struct ctl_table *table, struct json_object *daemon)
{
	const char *decision = json_get_text(daemon, "gate_decision");
	_cleanup_(cleanup_free)
	char *blockers = ctl_blockers_format(json_get(daemon, "blockers"));
	_cleanup_(cleanup_free)
	char *text = NULL;

	if (!decision)
		return 0;
	if (!blockers)
		return -1;
	if (strcmp(decision, "go") == 0)
		return ctl_blockers_is_sure(daemon)
			       ? add_fact(table, "Gate", "open: no TD is being built",
					  "green")
			       : add_fact(table, "Gate",
					  "open by Guard=, not because anything is sure "
					  "that no TD is being built",
					  "yellow");
	if (*blockers)
		return asprintf(&text, "closed: %s", blockers) < 0
			       ? -1
			       : add_fact(table, "Gate", text, "yellow");
	return add_fact(table, "Gate",
			"closed: nothing can tell whether a TD is being built", "yellow");
}

static int add_lacks(struct ctl_table *table, struct json_object *daemon)
{
	struct json_object *lacks = json_get(daemon, "lacks");
	int r = 0;

	for (size_t i = 0; r == 0 && i < json_count(lacks); i++)
		r = add_fact(table, "Lacks",
			     json_object_get_string(json_object_array_get_idx(lacks, i)),
			     "yellow");
	return r;
}

/* "to 1.5.16 failed (refused), 2026-11-30 18:06:12: the kernel says ..." */
static int add_last(struct ctl_table *table, struct json_object *last)
{
	const char *result = json_get_text(last, "result");
	const char *to = json_get_text(last, "to");
	const char *detail = json_get_text(last, "detail");
	bool is_done = result && strcmp(result, "done") == 0;
	char when[TEXT_TIME_BYTES + 2] = "", reason[64] = "";
	_cleanup_(cleanup_free)
	char *text = NULL;
	uint64_t usec;

	if (!result)
		return 0;
	if (json_get_number(last, "ended_usec", &usec)) {
		char time[TEXT_TIME_BYTES];

		snprintf(when, sizeof(when), ", %s", text_format_time(usec, time));
	}
	ctl_bus_error_to_reason(result, reason, sizeof(reason));
	if (asprintf(&text, "%s%s%s%s%s%s", to ? "to " : "", to ? to : "", to ? " " : "",
		     is_done ? "succeeded" : reason, when,
		     !is_done && detail && *detail ? ": " : "") < 0)
		return -1;
	if (!is_done && detail && *detail) {
		_cleanup_(cleanup_free)
		char *begin = TAKE_PTR(text);

		if (asprintf(&text, "%s%s", begin, detail) < 0)
			return -1;
	}
	return add_fact(table, "Last update", text, is_done ? NULL : "yellow");
}

static int add_daemon(struct ctl_table *table, struct json_object *daemon)
{
	if (!daemon)
		return add_fact(table, "Daemon", "does not run", NULL);
	return add_fact(table, "Daemon", json_get_text(daemon, "state"), NULL)
		?: add_gate(table, daemon) ?: add_lacks(table, daemon);
}

static int add_pin(struct ctl_table *table, struct json_object *pin)
{
	const char *version = json_get_text(pin, "version");
	_cleanup_(cleanup_free)
	char *text = NULL;
	char to[64];

	if (!version)
		return 0;
	snprintf(to, sizeof(to), "to %s", version);
	text = ctl_view_describe_hold(to, pin);
	return text ? add_fact(table, "Pinned", text, "yellow") : -1;
}

static int add_holds(struct ctl_table *table, struct json_object *holds)
{
	_cleanup_(cleanup_free)
	char *text = NULL;
	size_t size, count = json_count(holds);
	FILE *out = count ? open_memstream(&text, &size) : NULL;

	if (!count)
		return 0;
	if (!out)
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct json_object *hold = json_object_array_get_idx(holds, i);
		const char *what = json_get_text(hold, "what");
		_cleanup_(cleanup_free)
		char *line = ctl_view_describe_hold(what ? what : "?", hold);

		fprintf(out, "%s%s", i ? "\n" : "", line ? line : "?");
	}
	if (fclose(out) == EOF)
		return -1;
	return add_fact(table, "Held", text, "yellow");
}

static int add_blocked(struct ctl_table *table, struct json_object *plan)
{
	_cleanup_(cleanup_free)
	char *text = ctl_view_explain(plan);

	return text ? add_fact(table, "Update", text, "yellow") : -1;
}

static int add_next(struct ctl_table *table, struct json_object *plan)
{
	const char *result = json_get_text(plan, "result");
	const char *to = json_get_text(plan, "to");
	char text[64];

	if (!result)
		return 0;
	if (strcmp(result, "current") == 0)
		return add_fact(table, "Update",
				"nothing to do: nothing newer here is for this host",
				NULL);
	if (strcmp(result, "update") != 0 || !to)
		return add_blocked(table, plan);
	snprintf(text, sizeof(text), "to %s; `tdxupdctl update` does it", to);
	return add_fact(table, "Update", text, "green");
}

static int print_status(struct ctl *ctl, struct json_object *status)
{
	_cleanup_(cleanup_ctl_table)
	struct ctl_table *table = NULL;
	int r;

	r = ctl_table_new(ctl, columns, ARRAY_SIZE(columns), false, &table)
		    ?: add_host(table, json_get(status, "host"));
	if (r == 0 && !ctl->host_file && ctl_bus_is_ours(ctl))
		r = add_daemon(table, json_get(status, "daemon"))
			    ?: add_last(table, json_get(status, "last_update"));
	if (r == 0)
		r = add_pin(table, json_get(status, "pin"))
			    ?: add_holds(table, json_get(status, "holds"))
			    ?: add_fact(table, "Configuration",
					json_get_text(status, "config_error"), "red")
			    ?: add_next(table, json_get(status, "plan"));
	return r < 0 ? ctl_fail_memory(ctl) : ctl_table_print(table);
}

/* ---- gathering ---- */

/* {result, to, reason, why, advice} of the plan. Where none can be made, {result, why}:
 * that nobody can tell is no reason to say nothing. */
static int ask_plan(const struct ctl *ctl, struct json_object **ret)
{
	struct ctl silent = *ctl;
	_cleanup_(cleanup_free)
	char *why = NULL;
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	_cleanup_(cleanup_json)
	struct json_object *plan = NULL;
	int r = json_new_object(&object);

	silent.is_silent = true;
	silent.heard = &why;
	if (r == 0 && ctl_view_plan(&silent, NULL, &plan) == CTL_EXIT_OK)
		r = ctl_view_copy_word(plan, object)
			    ?: json_add_text(object, "to", json_get_text(plan, "to"));
	else if (r == 0)
		r = json_add_text(object, "result", "unknown")
			    ?: json_add_text(object, "why", why);
	if (r == 0)
		*ret = TAKE_PTR(object);
	return r;
}

static int describe_local_holds(const struct holds *holds, struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *array = NULL;
	const struct hold *hold;
	int r = json_new_array(&array);

	for (size_t i = 0; r == 0 && (hold = holds_get(holds, i)); i++) {
		struct json_object *object = NULL;

		r = describe_hold(hold, &object) ?: json_append(array, object);
	}
	if (r == 0)
		*ret = TAKE_PTR(array);
	return r;
}

/*
 * What the daemon goes by; without one, what the next one will: the pin, holds, and why
 * tdxupd.conf makes no sense. A file of holds that can't be read counts from now on.
 */
static int add_policy(struct ctl *ctl, struct json_object *daemon,
		      struct json_object *status)
{
	const char *version = json_get_text(json_get(daemon, "pin"), "version");
	struct json_object *pin = NULL, *holds = NULL;
	struct ctl silent = *ctl;
	struct ctl_facts facts = { 0 };
	_cleanup_(cleanup_free)
	char *why = NULL;
	int r = 0;

	silent.is_silent = true;
	silent.heard = &why;
	if (!ctl->remote) {
		(void)ctl_facts_read_holds(&silent, &facts);
		(void)ctl_facts_read_config(&silent, &facts);
	}
	if (version && *version)
		pin = json_object_get(json_get(daemon, "pin"));
	else if (!daemon)
		r = describe_pin(&facts.holds.pin, &pin);
	if (r == 0 && daemon && !facts.holds_note)
		holds = json_object_get(json_get(daemon, "holds"));
	else if (r == 0)
		r = describe_local_holds(&facts.holds, &holds);
	r = r < 0 ? r
		  : json_add(status, "pin", pin) ?: json_add(status, "holds", holds)
			?: json_add_text(status, "config_error", why);
	ctl_facts_done(&facts);
	return r;
}

/* The daemon's word, or, without one, what root can read of what the one before wrote. */
static int add_last_update(const struct ctl *ctl, struct json_object *daemon,
			   struct json_object *status)
{
	struct json_object *told = json_get(daemon, "last_update"), *object = NULL;
	struct last_update last = { 0 };
	int r = 0;

	if (json_get_text(told, "result"))
		object = json_object_get(told);
	else if (!daemon && !ctl->remote && !ctl->host_file && geteuid() == 0 &&
		 last_update_load(ctl->root_fd, &last) == 0)
		r = describe_last_update(&last, &object);
	last_update_done(&last);
	return r < 0 ? r : json_add(status, "last_update", object);
}

/* Takes @host and @daemon. */
static int describe_status(struct ctl *ctl, struct json_object *host,
			   struct json_object *daemon, struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *status = NULL;
	struct json_object *plan = NULL;
	int r;

	r = json_new_object(&status) ?: json_add(status, "host", host)
		?: json_add(status, "daemon", daemon) ?: ask_plan(ctl, &plan)
		?: json_add(status, "plan", plan) ?: add_policy(ctl, daemon, status)
		?: add_last_update(ctl, daemon, status);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(status);
	return 0;
}

static int export_host(struct ctl *ctl, struct ctl_facts *facts)
{
	_cleanup_(cleanup_free)
	char *text = NULL;
	int r;

	if (ctl->remote)
		return ctl_fail(ctl, CTL_EXIT_USAGE, "usage",
				"--export-host describes this host; run it there");
	r = ctl_facts_read_host(ctl, facts);
	if (r)
		return r;
	if (tdxupd_host_to_json(facts->host, &text) < 0)
		return ctl_fail_memory(ctl);
	fputs(text, stdout);
	return CTL_EXIT_OK;
}

/* @ret: NULL where there is none, which is an error of another host only. */
static int ask_daemon(struct ctl *ctl, struct json_object **ret)
{
	_cleanup_(cleanup_sd_bus)
	sd_bus *bus = NULL;
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int r;

	*ret = NULL;
	if (!ctl->remote) {
		*ret = ctl->host_file ? NULL : ctl_bus_ask_manager(ctl);
		return CTL_EXIT_OK;
	}
	r = ctl_bus_open(ctl, &bus);
	if (r)
		return r;
	r = ctl_bus_get_manager(bus, ret, &error);
	r = r < 0 ? ctl_bus_fail(ctl, &error, r) : CTL_EXIT_OK;
	sd_bus_error_free(&error);
	return r;
}

static int exit_of(struct json_object *status)
{
	const char *state = json_get_text(json_get(status, "host"), "state");

	if (state && strcmp(state, "absent") == 0)
		return CTL_EXIT_UNSUPPORTED;
	return state && strcmp(state, "lost") == 0 ? CTL_EXIT_LOST : CTL_EXIT_OK;
}

static int status_of(struct ctl *ctl, struct ctl_facts *facts)
{
	_cleanup_(cleanup_json)
	struct json_object *status = NULL;
	struct json_object *host = NULL, *daemon = NULL;
	int r = ask_daemon(ctl, &daemon) ?: ctl_view_host(ctl, facts, daemon, &host);

	if (r) {
		json_object_put(daemon);
		return r;
	}
	if (describe_status(ctl, host, daemon, &status) < 0)
		return ctl_fail_memory(ctl);
	r = ctl->json == CTL_JSON_OFF ? print_status(ctl, status)
				      : ctl_print_json(ctl, status);
	return r ? r : exit_of(status);
}

int ctl_status(struct ctl *ctl, int argc, char **argv)
{
	struct ctl_facts facts = { 0 };
	int r = ctl->is_export_host ? export_host(ctl, &facts) : status_of(ctl, &facts);

	(void)argc;
	(void)argv;
	ctl_facts_done(&facts);
	return r;
}
