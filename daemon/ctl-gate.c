// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * tdxupdctl blockers: what each source says of TDs under build, and who builds one.
 */
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "clock.h"
#include "ctl-blockers.h"
#include "ctl-bus.h"
#include "ctl-table.h"
#include "ctl.h"
#include "json.h"

static const struct ctl_column source_columns[] = {
	{ .name = "SOURCE" },
	{ .name = "SAYS" },
	{ .name = "SURE" },
	{ .name = "TDS", .is_right = true },
	{ .name = "REASON", .is_wrapped = true },
};

static const struct ctl_column blocker_columns[] = {
	{ .name = "SOURCE" },
	{ .name = "PID", .is_right = true },
	{ .name = "FOR", .is_right = true },
	{ .name = "WHO", .is_wrapped = true },
};

/* Numbers as text, nothing for zero. */
static const char *format_number(struct json_object *object, const char *key, char *ret,
				 size_t size)
{
	uint64_t number;

	ret[0] = '\0';
	if (json_get_number(object, key, &number) && number)
		snprintf(ret, size, "%ju", (uintmax_t)number);
	return ret;
}

static int print_sources(struct ctl *ctl, struct json_object *sources)
{
	_cleanup_(cleanup_ctl_table)
	struct ctl_table *table = NULL;
	int r = ctl_table_new(ctl, source_columns, ARRAY_SIZE(source_columns), true,
			      &table);

	for (size_t i = 0; r == 0 && i < json_count(sources); i++) {
		struct json_object *source = json_object_array_get_idx(sources, i);
		const char *state = json_get_text(source, "state");
		bool is_unknown = state && strcmp(state, "unknown") == 0;
		char count[24];
		const char *cells[ARRAY_SIZE(source_columns)] = {
			json_get_text(source, "name"),
			state,
			is_unknown ? NULL : json_get_text(source, "confidence"),
			format_number(source, "count", count, sizeof(count)),
			json_get_text(source, "reason"),
		};

		r = ctl_table_add(table, cells, NULL);
	}
	return r < 0 ? ctl_fail_memory(ctl) : ctl_table_print(table);
}

static int add_blocker(struct ctl_table *table, struct json_object *blocker)
{
	uint64_t since, now = clock_usec(CLOCK_MONOTONIC);
	char pid[24], age[32] = "";
	const char *cells[ARRAY_SIZE(blocker_columns)] = {
		json_get_text(blocker, "source"),
		format_number(blocker, "pid", pid, sizeof(pid)),
		age,
		json_get_text(blocker, "who"),
	};

	if (json_get_number(blocker, "since_usec", &since) && since && since <= now)
		snprintf(age, sizeof(age), "%.1f s", (double)(now - since) / 1e6);
	return ctl_table_add(table, cells, NULL);
}

static int print_blockers(struct ctl *ctl, struct json_object *blockers)
{
	_cleanup_(cleanup_ctl_table)
	struct ctl_table *table = NULL;
	int r = ctl_table_new(ctl, blocker_columns, ARRAY_SIZE(blocker_columns), true,
			      &table);

	for (size_t i = 0; r == 0 && i < json_count(blockers); i++)
		r = add_blocker(table, json_object_array_get_idx(blockers, i));
	return r < 0 ? ctl_fail_memory(ctl) : ctl_table_print(table);
}

static void say_decision(struct ctl *ctl, struct json_object *gate, bool is_sure)
{
	const char *decision = json_get_text(gate, "decision");
	struct json_object *blockers = json_get(gate, "blockers");

	if (ctl->has_no_legend || !decision)
		return;
	if (strcmp(decision, "go") == 0)
		ctl_say(ctl, is_sure ? "An update may go: no TD is being built.\n"
				     : "An update may go as far as Guard= is concerned; "
				       "nothing is sure that no TD is being built.\n");
	else if (strcmp(decision, "wait") != 0)
		ctl_say(ctl,
			"An update waits: nothing can tell for certain whether a TD is "
			"being built.\n");
	else if (ctl_blockers_has_build(blockers) || !json_count(blockers))
		ctl_say(ctl, "An update waits: a TD is being built.\n");
	else
		ctl_say(ctl, "An update waits: updates are inhibited.\n");
}

static int print_gate(struct ctl *ctl, struct json_object *gate, bool is_sure)
{
	struct json_object *blockers = json_get(gate, "blockers");
	int r;

	say_decision(ctl, gate, is_sure);
	r = print_sources(ctl, json_get(gate, "sources"));
	if (r == CTL_EXIT_OK && json_count(blockers)) {
		ctl_say(ctl, "%s", "");
		r = print_blockers(ctl, blockers);
	}
	return r;
}

/* {decision, sources, blockers}: members of the manager. */
static int describe_gate_of(struct json_object *manager, struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *gate = NULL;
	int r;

	r = json_new_object(&gate)
		?: json_add_text(gate, "decision",
				 json_get_text(manager, "gate_decision"))
		?: json_add(gate, "sources",
			    json_object_get(json_get(manager, "gate_sources")))
		?: json_add(gate, "blockers",
			    json_object_get(json_get(manager, "blockers")));
	if (r < 0)
		return r;
	*ret = TAKE_PTR(gate);
	return 0;
}

int ctl_blockers(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(cleanup_sd_bus)
	sd_bus *bus = NULL;
	_cleanup_(cleanup_json)
	struct json_object *manager = NULL;
	_cleanup_(cleanup_json)
	struct json_object *gate = NULL;
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = ctl_bus_open(ctl, &bus);

	(void)argc;
	(void)argv;
	if (r)
		return r;
	r = ctl_bus_get_manager(bus, &manager, &error);
	if (r < 0)
		r = ctl_bus_fail(ctl, &error, r);
	else if (describe_gate_of(manager, &gate) < 0)
		r = ctl_fail_memory(ctl);
	else if (ctl->json == CTL_JSON_OFF)
		r = print_gate(ctl, gate, ctl_blockers_is_sure(manager));
	else
		r = ctl_print_json(ctl, gate);
	sd_bus_error_free(&error);
	return r;
}
