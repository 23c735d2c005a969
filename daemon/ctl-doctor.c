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
	int code = CTL_EXIT_OK;
	int r = ctl_table_new(ctl, columns, ARRAY_SIZE(columns), false, &table)
			?: json_new_array(&array);

	for (size_t i = 0; r == 0 && i < doctor_check_count; i++) {
		struct doctor_finding finding = { 0 };

		doctor_checks[i].look(patient, &finding);
		if (finding.state == DOCTOR_BAD && code == CTL_EXIT_OK)
			code = (int)doctor_checks[i].code;
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
	return code;
}

/* What can't be read is a finding here, no error. */
static void gather(struct ctl *ctl, struct ctl_facts *facts,
		   struct doctor_patient *patient)
{
	struct ctl silent = *ctl;

	silent.is_silent = true;
	(void)ctl_facts_read_holds(&silent, facts);
	silent.heard = &patient->config_why;
	if (ctl_facts_read_config(&silent, facts) == CTL_EXIT_OK) {
		silent.heard = &patient->catalog_why;
		(void)ctl_facts_read_catalog(&silent, facts);
	}
	silent.heard = NULL;
	/* What has just not answered is not asked again. */
	if (!patient->catalog_why || !*facts->remote)
		(void)ctl_view_plan(&silent, NULL, &patient->plan);
	patient->daemon = ctl_bus_ask_manager(ctl);
}

int ctl_doctor(struct ctl *ctl, int argc, char **argv)
{
	struct ctl_facts facts = { 0 };
	struct doctor_patient patient = { .root_fd = ctl->root_fd, .facts = &facts };
	int r = ctl_facts_read_host(ctl, &facts);

	(void)argc;
	(void)argv;
	if (r == CTL_EXIT_OK) {
		gather(ctl, &facts, &patient);
		r = look(ctl, &patient);
	}
	json_object_put(patient.plan);
	json_object_put(patient.daemon);
	free(patient.config_why);
	free(patient.catalog_why);
	ctl_facts_done(&facts);
	return r;
}
