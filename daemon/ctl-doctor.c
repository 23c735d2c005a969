// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * tdxupdctl doctor: what is right on this host, what is missing, and the next step.
 */
#include <stdio.h>

#include <json-c/json.h>

#include "ctl-bus.h"
#include "ctl-doctor.h"
#include "ctl-table.h"
#include "ctl-view.h"
#include "ctl.h"
#include "json.h"

static const struct ctl_column columns[] = {
	{ .name = "" },
	{ .name = "WHAT" },
	{ .name = "FOUND", .is_wrapped = true },
};

static const char *const names[] = {
	[DOCTOR_OK] = "ok",
	[DOCTOR_WARN] = "warn",
	[DOCTOR_BAD] = "bad",
	[DOCTOR_UNKNOWN] = "?",
};
STRING_TABLE_TO(doctor_state, enum doctor_state, names)

static const char *colour_of(enum doctor_state state)
{
	static const char *const colours[] = {
		[DOCTOR_OK] = "green",
		[DOCTOR_WARN] = "yellow",
		[DOCTOR_BAD] = "red",
	};

	return string_table_lookup(colours, ARRAY_SIZE(colours), (int)state);
}

static int add_finding(struct ctl_table *table, const char *name,
		       const struct doctor_finding *finding)
{
	_cleanup_(cleanup_free)
	char *text = NULL;
	const char *cells[ARRAY_SIZE(columns)] = { doctor_state_to_string(finding->state),
						   name, NULL };

	if (asprintf(&text, "%s%s%s", finding->found, *finding->next ? "\n-> " : "",
		     finding->next) < 0)
		return -1;
	cells[2] = text;
	return ctl_table_add(table, cells, colour_of(finding->state));
}

static int append_finding(struct json_object *array, const char *name,
			  const struct doctor_finding *finding)
{
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	int r;

	r = json_new_object(&object) ?: json_add_text(object, "name", name)
		?: json_add_text(object, "state", doctor_state_to_string(finding->state))
		?: json_add_text(object, "found", finding->found)
		?: json_add_text(object, "next", *finding->next ? finding->next : NULL);
	return r < 0 ? r : json_append(array, TAKE_PTR(object));
}

static int look(struct ctl *ctl, const struct doctor_patient *patient)
{
	_cleanup_(cleanup_ctl_table)
	struct ctl_table *table = NULL;
	_cleanup_(cleanup_json)
	struct json_object *array = NULL;
	bool is_bad = false;
	int r = ctl_table_new(ctl, columns, ARRAY_SIZE(columns), false, &table)
			?: json_new_array(&array);

	for (size_t i = 0; r == 0 && i < doctor_check_count; i++) {
		struct doctor_finding finding = { 0 };

		doctor_checks[i].look(patient, &finding);
		is_bad = is_bad || finding.state == DOCTOR_BAD;
		r = add_finding(table, doctor_checks[i].name, &finding)
			    ?: append_finding(array, doctor_checks[i].name, &finding);
	}
	if (r < 0)
		return ctl_fail_memory(ctl);
	if (ctl->json != CTL_JSON_OFF)
		r = ctl_print_json(ctl, array);
	else
		r = ctl_table_print(table);
	if (r)
		return r;
	if (patient->facts->host->state == TDXUPD_TDX_LOST)
		return CTL_EXIT_LOST;
	return is_bad ? CTL_EXIT_UNSUPPORTED : CTL_EXIT_OK;
}

int ctl_doctor(struct ctl *ctl, int argc, char **argv)
{
	struct ctl silent = *ctl;
	struct ctl_facts facts = { 0 };
	struct doctor_patient patient = { .root_fd = ctl->root_fd, .facts = &facts };
	int r = ctl_facts_read_host(ctl, &facts);

	(void)argc;
	(void)argv;
	if (r == CTL_EXIT_OK) {
		/* What is missing is a finding here, no error. */
		silent.is_silent = true;
		patient.catalog_exit = ctl_facts_read_catalog(&silent, &facts);
		(void)ctl_view_plan(&silent, NULL, &patient.plan);
		patient.daemon = ctl_bus_ask_manager(ctl);
		r = look(ctl, &patient);
	}
	json_object_put(patient.plan);
	json_object_put(patient.daemon);
	ctl_facts_done(&facts);
	return r;
}
