// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * tdxupdctl attest show, export: what quotes of a host carry now and what they will carry
 * after an update. What that is, is decided in describe-attest.c.
 */
#include <json-c/json.h>

#include "ctl-table.h"
#include "ctl-view.h"
#include "ctl.h"
#include "json.h"

static const struct ctl_column columns[] = {
	{ .name = "FACT" },
	{ .name = "VALUE", .is_wrapped = true },
};

static int add_values(struct ctl_table *table, const char *title,
		      struct json_object *values)
{
	static const struct {
		const char *name;
		const char *key;
	} facts[] = {
		{ "  MRSEAM", "mrseam" },
		{ "  SVN", "svn" },
		{ "  TEE_TCB_SVN", "tee_tcb_svn_begins" },
		{ "  MRSIGNERSEAM", "mrsigner_seam" },
		{ "  Signer", "signer" },
		{ "  Attributes", "attributes" },
	};
	const char *head[] = { title, json_get_text(values, "version") };
	int r = ctl_table_add(table, head, "bold");

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(facts); i++) {
		const char *cells[] = { facts[i].name,
					json_get_text(values, facts[i].key) };

		r = cells[1] ? ctl_table_add(table, cells, NULL) : 0;
	}
	return r;
}

static int print_values(struct ctl *ctl, struct json_object *attest)
{
	struct json_object *now = json_get(attest, "now");
	struct json_object *next = json_get(attest, "next");
	_cleanup_(cleanup_ctl_table)
	struct ctl_table *table = NULL;
	int r = ctl_table_new(ctl, columns, ARRAY_SIZE(columns), false, &table);

	if (r == 0 && now)
		r = add_values(table, "Now", now);
	if (r == 0 && next)
		r = add_values(table, "After the update", next);
	if (r < 0)
		return ctl_fail_memory(ctl);
	if (!now)
		ctl_say(ctl, "Now: unknown, the image of what runs is not here.");
	r = ctl_table_print(table);
	if (next && !json_get_bool(next, "is_allowed"))
		ctl_say(ctl,
			"\nAllowedMrSeam= does not list the MRSEAM of the update, yet.");
	if (!ctl->has_no_legend)
		ctl_say(ctl, "\nTDs that run keep the MRSEAM and TEE_TCB_SVN of their "
			     "launch; TEE_TCB_SVN_2\nof all of them moves with the "
			     "update.");
	return r;
}

int ctl_attest_show(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(cleanup_json)
	struct json_object *attest = NULL;
	int r = ctl_view_attest(ctl, argc > 1 ? argv[1] : NULL, "plain", &attest);

	if (r)
		return r;
	return ctl->json == CTL_JSON_OFF ? print_values(ctl, attest)
					 : ctl_print_json(ctl, attest);
}

int ctl_attest_export(struct ctl *ctl, int argc, char **argv)
{
	struct ctl pretty = *ctl;
	_cleanup_(cleanup_json)
	struct json_object *corim = NULL;
	int r = ctl_view_attest(ctl, argc > 1 ? argv[1] : NULL, "comid", &corim);

	/* JSON is what this is for, whether or not it was asked for. */
	if (ctl->json == CTL_JSON_OFF)
		pretty.json = CTL_JSON_PRETTY;
	return r ? r : ctl_print_json(&pretty, corim);
}
