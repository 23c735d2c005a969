// SPDX-License-Identifier: LGPL-2.1-or-later
/* /org/tdxupd1: the host as anybody may see it, and what root may ask for. */
#include <errno.h>
#include <string.h>

#include "bus-attest.h"
#include "bus-history.h"
#include "bus-inhibit.h"
#include "bus-job.h"
#include "bus-lease.h"
#include "bus-manager.h"
#include "bus-options.h"
#include "bus-policy.h"
#include "bus-properties.h"
#include "bus-read.h"
#include "bus-update.h"
#include "describe.h"
#include "json.h"
#include "manager-jobs.h"
#include "manager-images.h"
#include "text.h"

DEFINE_CLEANUP(struct tdxupd_plan, plan, tdxupd_plan_free)

static struct manager *manager_of(void *userdata)
{
	return ((struct bus *)userdata)->manager;
}

/* ---- plans and images ---- */

static const struct bus_question about_plans = { .action = BUS_ACTION_PLAN };

int bus_manager_reply_json(sd_bus_message *message, struct json_object *json)
{
	const char *text = json_print(json, JSON_C_TO_STRING_PLAIN);

	return text ? sd_bus_reply_method_return(message, "s", text) : -ENOMEM;
}

static int reply_plan(struct bus *bus, sd_bus_message *message,
		      const struct tdxupd_catalog *catalog, sd_bus_error *error)
{
	struct manager *manager = bus->manager;
	_cleanup_(cleanup_plan)
	struct tdxupd_plan *plan = NULL;
	_cleanup_(cleanup_json)
	struct json_object *json = NULL;
	struct job_request request;
	int r;

	job_request_init(&request, manager->config);
	r = bus_read_request(message, &request, error);
	if (r >= 0)
		r = manager_plan(manager, &request, catalog, &plan);
	if (r < 0)
		return r;
	r = describe_plan(plan, &json) ?: describe_holds(&manager->holds, json);
	return r < 0 ? r : bus_manager_reply_json(message, json);
}

static int on_plan(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct job_request request;
	int r;

	job_request_init(&request, manager_of(userdata)->config);
	r = bus_read_request(message, &request, error);
	if (r >= 0)
		r = bus_authorize(userdata, message, &about_plans, on_plan, error);
	if (r <= 0)
		return r < 0 ? r : 1;
	return bus_read_catalog(userdata, message, reply_plan, error);
}

static int reply_images(struct bus *bus, sd_bus_message *message,
			const struct tdxupd_catalog *catalog, sd_bus_error *error)
{
	_cleanup_(cleanup_json)
	struct json_object *json = NULL;
	int r = describe_catalog(catalog, &json);

	(void)bus;
	(void)error;
	return r < 0 ? r : bus_manager_reply_json(message, json);
}

static int on_list_images(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	int r = bus_read_no_options(message, error);

	if (r >= 0)
		r = bus_authorize(userdata, message, &about_plans, on_list_images, error);
	if (r <= 0)
		return r < 0 ? r : 1;
	return bus_read_catalog(userdata, message, reply_images, error);
}

static int reply_new(struct bus *bus, sd_bus_message *message,
		     const struct tdxupd_catalog *catalog, sd_bus_error *error)
{
	char text[TDXUPD_VERSION_TEXT_BYTES] = "";
	struct tdxupd_version next;
	bool has_next;
	int r = manager_check_new(bus->manager, catalog, &has_next, &next);

	(void)error;
	if (r < 0)
		return r;
	if (has_next)
		tdxupd_version_format(&next, text);
	return sd_bus_reply_method_return(message, "s", text);
}

static int on_check_new(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	int r = bus_read_no_options(message, error);

	if (r >= 0)
		r = bus_authorize(userdata, message, &about_plans, on_check_new, error);
	if (r <= 0)
		return r < 0 ? r : 1;
	return bus_read_catalog(userdata, message, reply_new, error);
}

/* ---- jobs ---- */

static int append_job(sd_bus_message *reply, const struct job *job)
{
	char path[BUS_JOB_PATH_BYTES];
	char from[TDXUPD_VERSION_TEXT_BYTES] = "", to[TDXUPD_VERSION_TEXT_BYTES] = "";

	if (job->has_versions) {
		tdxupd_version_format(&job->from, from);
		tdxupd_version_format(&job->to, to);
	}
	return sd_bus_message_append(reply, "(uosss)", job->id,
				     bus_job_path(job->id, path),
				     job_state_to_string(job->state), from, to);
}

static int append_jobs(sd_bus_message *reply, void *userdata)
{
	struct manager *manager = manager_of(userdata);
	int r = 0;

	for (size_t i = 0; r >= 0 && i < manager->job_count; i++)
		r = append_job(reply, manager->jobs[i]);
	return r;
}

static int on_list_jobs(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	(void)error;
	return bus_reply_array(message, "(uosss)", append_jobs, userdata);
}

static int on_get_job(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	char path[BUS_JOB_PATH_BYTES];
	uint32_t id;
	int r;

	r = sd_bus_message_read(message, "u", &id);
	if (r < 0)
		return r;
	if (!manager_find_job(manager_of(userdata), id))
		return bus_fail(error, FAILURE_NO_SUCH_JOB,
				strdup("there is no such job"));
	return sd_bus_reply_method_return(message, "o", bus_job_path(id, path));
}

/* ---- the host ---- */

static const struct bus_question about_policy = { .action = BUS_ACTION_POLICY };

static int on_refresh(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	int r = bus_authorize(userdata, message, &about_policy, on_refresh, error);

	if (r <= 0)
		return r < 0 ? r : 1;
	r = manager_refresh(manager_of(userdata), "external");
	return r < 0 ? r : sd_bus_reply_method_return(message, NULL);
}

static int on_reload(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	char *why = NULL;
	int r = bus_authorize(userdata, message, &about_policy, on_reload, error);

	if (r <= 0)
		return r < 0 ? r : 1;
	r = manager_reload(manager_of(userdata), &why);
	if (r < 0)
		return bus_fail(error, FAILURE_CONFIG, why ? why : strdup(strerror(-r)));
	return sd_bus_reply_method_return(message, NULL);
}

/* ---- the interface ---- */

#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
#define ANYBODY SD_BUS_VTABLE_UNPRIVILEGED

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("Version", "s", bus_get_text, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("TdxState", "s", bus_get_text, 0, CHANGES),
	SD_BUS_PROPERTY("ModuleVersion", "s", bus_get_text, 0, CHANGES),
	SD_BUS_PROPERTY("SeamldrVersion", "s", bus_get_text, 0, CHANGES),
	SD_BUS_PROPERTY("RemainingUpdates", "i", bus_get_remaining, 0, CHANGES),
	SD_BUS_PROPERTY("Features0", "t", bus_get_features0, 0, CHANGES),
	SD_BUS_PROPERTY("UpdateGuard", "s", bus_get_text, 0, CHANGES),
	SD_BUS_PROPERTY("GateDecision", "s", bus_get_text, 0, CHANGES),
	SD_BUS_PROPERTY("GateSources", "a(sssus)", bus_get_sources, 0, CHANGES),
	SD_BUS_PROPERTY("Blockers", "a(ssut)", bus_get_blockers, 0, CHANGES),
	SD_BUS_PROPERTY("TdsBuilding", "i", bus_get_builds, 0, CHANGES),
	/* Nobody is told when a TD ends. */
	SD_BUS_PROPERTY("Tds", "i", bus_get_tds, 0, 0),
	SD_BUS_PROPERTY("PreparingForUpdate", "b", bus_inhibit_get_preparing, 0, CHANGES),
	SD_BUS_PROPERTY("State", "s", bus_get_text, 0, CHANGES),
	SD_BUS_PROPERTY("CurrentJob", "o", bus_get_current_job, 0, CHANGES),
	SD_BUS_PROPERTY("LastResult", "s", bus_get_text, 0, CHANGES),
	SD_BUS_PROPERTY("LastUpdate", "a{sv}", bus_get_last_update, 0, CHANGES),
	SD_BUS_PROPERTY("NextVersion", "s", bus_get_text, 0, CHANGES),
	SD_BUS_PROPERTY("Lacks", "as", bus_get_lacks, 0, CHANGES),
	SD_BUS_PROPERTY("Holds", "a(sststb)", bus_policy_get_holds, 0, CHANGES),
	SD_BUS_PROPERTY("Pin", "(ssts)", bus_policy_get_pin, 0, CHANGES),
	SD_BUS_METHOD_WITH_ARGS("CheckNew", SD_BUS_ARGS("a{sv}", options),
				SD_BUS_RESULT("s", version), on_check_new, ANYBODY),
	SD_BUS_METHOD_WITH_ARGS("Plan", SD_BUS_ARGS("s", target, "a{sv}", options),
				SD_BUS_RESULT("s", json), on_plan, ANYBODY),
	SD_BUS_METHOD_WITH_ARGS("Update", SD_BUS_ARGS("s", target, "a{sv}", options),
				SD_BUS_RESULT("o", job), bus_update_on_update, ANYBODY),
	SD_BUS_METHOD_WITH_ARGS("ListImages", SD_BUS_ARGS("a{sv}", options),
				SD_BUS_RESULT("s", json), on_list_images, ANYBODY),
	SD_BUS_METHOD_WITH_ARGS("ListJobs", SD_BUS_NO_ARGS,
				SD_BUS_RESULT("a(uosss)", jobs), on_list_jobs, ANYBODY),
	SD_BUS_METHOD_WITH_ARGS("GetJob", SD_BUS_ARGS("u", id), SD_BUS_RESULT("o", job),
				on_get_job, ANYBODY),
	SD_BUS_METHOD_WITH_ARGS("Hold",
				SD_BUS_ARGS("s", what, "s", reason, "t", until_usec),
				SD_BUS_RESULT("s", note), bus_policy_on_hold, ANYBODY),
	SD_BUS_METHOD_WITH_ARGS("Unhold", SD_BUS_ARGS("s", what),
				SD_BUS_RESULT("b", was_held), bus_policy_on_unhold,
				ANYBODY),
	SD_BUS_METHOD_WITH_ARGS("Pin", SD_BUS_ARGS("s", version, "s", reason),
				SD_BUS_RESULT("s", note), bus_policy_on_pin, ANYBODY),
	SD_BUS_METHOD_WITH_ARGS("Unpin", SD_BUS_NO_ARGS, SD_BUS_RESULT("b", was_pinned),
				bus_policy_on_unpin, ANYBODY),
	SD_BUS_METHOD_WITH_ARGS("ListHolds", SD_BUS_NO_ARGS,
				SD_BUS_RESULT("a(sststb)", holds),
				bus_policy_on_list_holds, ANYBODY),
	SD_BUS_METHOD_WITH_ARGS("ResetFailed", SD_BUS_NO_ARGS,
				SD_BUS_RESULT("b", had_failed),
				bus_policy_on_reset_failed, ANYBODY),
	SD_BUS_METHOD_WITH_ARGS("GetReferenceValues",
				SD_BUS_ARGS("s", version, "a{sv}", options),
				SD_BUS_RESULT("s", json), bus_attest_on_get, ANYBODY),
	SD_BUS_METHOD_WITH_ARGS("GetHistory", SD_BUS_ARGS("a{sv}", options),
				SD_BUS_RESULT("s", json), bus_history_on_get, ANYBODY),
	SD_BUS_METHOD_WITH_ARGS("BeginBuild", SD_BUS_ARGS("s", vm, "a{sv}", options),
				SD_BUS_RESULT("h", lease), bus_lease_on_begin, ANYBODY),
	SD_BUS_METHOD_WITH_ARGS("ListBuilds", SD_BUS_NO_ARGS,
				SD_BUS_RESULT("a(ssuttb)", builds), bus_lease_on_list,
				ANYBODY),
	SD_BUS_METHOD_WITH_ARGS(
		"Inhibit", SD_BUS_ARGS("s", who, "s", why, "s", mode, "a{sv}", options),
		SD_BUS_RESULT("h", inhibitor), bus_inhibit_on_inhibit, ANYBODY),
	SD_BUS_METHOD_WITH_ARGS("ListInhibitors", SD_BUS_NO_ARGS,
				SD_BUS_RESULT("a(sssuutt)", inhibitors),
				bus_inhibit_on_list, ANYBODY),
	SD_BUS_METHOD("Refresh", "", "", on_refresh, ANYBODY),
	SD_BUS_METHOD("Reload", "", "", on_reload, ANYBODY),
	SD_BUS_SIGNAL_WITH_ARGS("JobNew", SD_BUS_ARGS("u", id, "o", job), 0),
	SD_BUS_SIGNAL_WITH_ARGS("JobRemoved", SD_BUS_ARGS("u", id, "o", job, "s", result),
				0),
	SD_BUS_SIGNAL_WITH_ARGS("PrepareForUpdate", SD_BUS_ARGS("b", is_preparing), 0),
	SD_BUS_SIGNAL_WITH_ARGS("GateChanged", SD_BUS_ARGS("s", decision), 0),
	SD_BUS_SIGNAL_WITH_ARGS("BuildSuspect",
				SD_BUS_ARGS("s", source, "s", who, "u", pid, "t",
					    since_usec, "s", harm, "s", strict_compat),
				0),
	SD_BUS_SIGNAL_WITH_ARGS("ModuleChanged",
				SD_BUS_ARGS("s", from, "s", to, "s", cause), 0),
	SD_BUS_VTABLE_END
};

int bus_manager_add(struct bus *bus)
{
	return sd_bus_add_object_vtable(bus->bus, NULL, BUS_PATH, BUS_MANAGER_INTERFACE,
					vtable, bus);
}

void bus_manager_tell(struct bus *bus)
{
	/* Without names: all that may change. */
	(void)sd_bus_emit_properties_changed_strv(bus->bus, BUS_PATH,
						  BUS_MANAGER_INTERFACE, NULL);
}
