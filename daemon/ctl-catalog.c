// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * tdxupdctl catalog check: are the images and the mapping sound by themselves, whatever
 * host they are for? Needs neither a daemon nor TDX.
 */
#include <string.h>

#include <json-c/json.h>

#include "ctl-facts.h"
#include "ctl-reasons.h"
#include "ctl-record.h"
#include "ctl-table.h"
#include "ctl.h"
#include "describe.h"
#include "json.h"

static const struct ctl_column columns[] = {
	{ .name = "VERSION" },
	{ .name = "IMAGE" },
	{ .name = "VERDICT", .is_wrapped = true },
};

static int add_entry(struct ctl_table *table, struct json_object *entry)
{
	bool is_sound = json_get_bool(entry, "is_sound");
	_cleanup_(cleanup_free)
	char *reasons = ctl_reasons_join(json_get(entry, "verdicts"), "");
	const char *cells[ARRAY_SIZE(columns)] = {
		json_get_text(entry, "version"),
		json_get_text(entry, "name"),
		reasons && *reasons ? reasons : "sound",
	};

	if (!reasons)
		return -1;
	return ctl_table_add(table, cells, is_sound ? NULL : "red");
}

static size_t count_unsound(struct json_object *entries)
{
	size_t count = 0;

	for (size_t i = 0; i < json_count(entries); i++)
		if (!json_get_bool(json_object_array_get_idx(entries, i), "is_sound"))
			count++;
	return count;
}

static size_t count_from_record(struct json_object *releases)
{
	size_t count = 0;

	for (size_t i = 0; i < json_count(releases); i++)
		if (json_get_bool(json_object_array_get_idx(releases, i),
				  "is_from_record"))
			count++;
	return count;
}

static void say_summary(struct ctl *ctl, struct json_object *catalog)
{
	struct json_object *entries = json_get(catalog, "entries");
	struct json_object *releases = json_get(catalog, "releases");
	size_t recorded = count_from_record(releases);
	uint64_t left_out = 0;

	if (ctl->has_no_legend)
		return;
	json_get_number(catalog, "left_out", &left_out);
	ctl_say(ctl,
		"%s%zu image%s, %zu not sound; %ju other file%s; %zu releases in the "
		"mapping, %zu more on record.",
		json_count(entries) ? "\n" : "", json_count(entries),
		json_count(entries) == 1 ? "" : "s", count_unsound(entries),
		(uintmax_t)left_out, left_out == 1 ? "" : "s",
		json_count(releases) - recorded, recorded);
}

static int print_table(struct ctl *ctl, struct json_object *catalog)
{
	struct json_object *entries = json_get(catalog, "entries");
	_cleanup_(cleanup_ctl_table)
	struct ctl_table *table = NULL;
	int r = ctl_table_new(ctl, columns, ARRAY_SIZE(columns), true, &table);

	for (size_t i = json_count(entries); r == 0 && i > 0; i--)
		r = add_entry(table, json_object_array_get_idx(entries, i - 1));
	if (r < 0)
		return ctl_fail_memory(ctl);
	r = ctl_table_print(table);
	ctl_record_say_files(ctl, catalog, SIZE_MAX);
	say_summary(ctl, catalog);
	return r;
}

int ctl_catalog_check(struct ctl *ctl, int argc, char **argv)
{
	struct ctl_facts facts = { 0 };
	_cleanup_(cleanup_json)
	struct json_object *catalog = NULL;
	int r = ctl_facts_read_catalog(ctl, &facts);

	(void)argc;
	(void)argv;
	if (r == CTL_EXIT_OK) {
		if (describe_catalog(facts.catalog, &catalog) < 0)
			r = ctl_fail_memory(ctl);
		else if (ctl->json == CTL_JSON_OFF)
			r = print_table(ctl, catalog);
		else
			r = ctl_print_json(ctl, catalog);
	}
	ctl_facts_done(&facts);
	if (r == CTL_EXIT_OK && count_unsound(json_get(catalog, "entries")))
		return CTL_EXIT_UNTRUSTED;
	return r;
}
