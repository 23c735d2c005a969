// SPDX-License-Identifier: LGPL-2.1-or-later
/* GetReferenceValues(): what quotes of this host will carry, for whoever verifies them.
 */
#include <errno.h>
#include <string.h>

#include "bus-attest.h"
#include "bus-manager.h"
#include "bus-options.h"
#include "bus-read.h"
#include "describe.h"
#include "json.h"

DEFINE_CLEANUP(struct tdxupd_plan, plan, tdxupd_plan_free)

struct wanted {
	bool is_plain;
};

static const char *take_format(void *target, const union bus_value *value)
{
	struct wanted *wanted = target;

	wanted->is_plain = strcmp(value->text, "plain") == 0;
	return wanted->is_plain || strcmp(value->text, "comid") == 0
		       ? NULL
		       : "neither `comid' nor `plain'";
}

static const struct bus_option options[] = {
	{ "format", 's', take_format },
};

static int read_call(sd_bus_message *message, struct job_request *request,
		     struct wanted *wanted, sd_bus_error *error)
{
	const char *version;
	int r = sd_bus_message_read_basic(message, 's', &version);

	if (r < 0)
		return r;
	if (*version) {
		if (tdxupd_version_parse(version, &request->target) < 0)
			return bus_refuse(error, "version",
					  "not a version such as 1.5.16");
		request->has_target = true;
	}
	return bus_read_options(message,
				&(struct bus_options){ options, ARRAY_SIZE(options) },
				wanted, error);
}

static int describe(const struct tdxupd_plan *plan, const struct tdxupd_catalog *catalog,
		    const struct tdxupd_policy *policy, const struct wanted *wanted,
		    struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *attest = NULL;
	int r = describe_attest(plan, catalog, policy, &attest);

	if (r < 0)
		return r;
	if (!wanted->is_plain)
		return describe_corim(attest, plan->id, ret);
	*ret = TAKE_PTR(attest);
	return 0;
}

static int reply_values(struct bus *bus, sd_bus_message *message,
			const struct tdxupd_catalog *catalog, sd_bus_error *error)
{
	struct manager *manager = bus->manager;
	_cleanup_(cleanup_plan)
	struct tdxupd_plan *plan = NULL;
	_cleanup_(cleanup_json)
	struct json_object *json = NULL;
	struct job_request request;
	struct wanted wanted = { 0 };
	int r;

	job_request_init(&request, manager->config);
	r = read_call(message, &request, &wanted, error);
	if (r >= 0)
		r = manager_plan(manager, &request, catalog, &plan);
	if (r >= 0)
		r = describe(plan, catalog, manager->config->policy, &wanted, &json);
	return r < 0 ? r : bus_manager_reply_json(message, json);
}

int bus_attest_on_get(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	static const struct bus_question question = { .action = BUS_ACTION_PLAN };
	struct manager *manager = ((struct bus *)userdata)->manager;
	struct job_request request;
	struct wanted wanted = { 0 };
	int r;

	job_request_init(&request, manager->config);
	r = read_call(message, &request, &wanted, error);
	if (r >= 0)
		r = bus_authorize(userdata, message, &question, bus_attest_on_get, error);
	if (r <= 0)
		return r < 0 ? r : 1;
	return bus_read_catalog(userdata, message, reply_values, error);
}
