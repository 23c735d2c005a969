// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Update(): whether this caller may have this update, and the job. What is done then is
 * the job's business.
 */
#include <errno.h>
#include <string.h>

#include "bus-job.h"
#include "bus-options.h"
#include "bus-update.h"
#include "manager-jobs.h"
#include "manager-policy.h"
#include "text.h"

/* ---- may they? ---- */

/* Is it the caller and not the administrator who says where to go? */
static bool is_chosen(const struct job_request *request, const struct config *config)
{
	const struct tdxupd_version *wanted = config->policy->has_pin
						      ? &config->policy->pin
					      : config->has_target ? &config->target
								   : NULL;

	return request->has_target &&
	       (!wanted || tdxupd_version_compare(&request->target, wanted) != 0);
}

/* From strict to off, and more updates than are to be used. */
static bool is_unsafe(const struct job_request *request, const struct config *config)
{
	return request->guard > config->guard ||
	       (request->has_reserve &&
		request->reserve_updates < config->policy->reserve_updates);
}

static enum bus_action action_of(const struct job_request *request,
				 const struct config *config)
{
	if (is_unsafe(request, config))
		return BUS_ACTION_UPDATE_UNSAFE;
	return is_chosen(request, config) ? BUS_ACTION_UPDATE_VERSION : BUS_ACTION_UPDATE;
}

/* What the person who is asked sees, and polkit's rules: "" where it is not known. */
struct prospect {
	char from[TDXUPD_VERSION_TEXT_BYTES];
	char to[TDXUPD_VERSION_TEXT_BYTES];
	char signer[TDXUPD_DIGEST_TEXT_BYTES];
};

/* As the last look at the images found it: nothing is read for who may not be allowed to
 * have anything read. */
static void look_ahead(const struct manager *manager, const struct job_request *request,
		       struct prospect *ret)
{
	bool is_next = manager->has_next &&
		       (!request->has_target ||
			tdxupd_version_compare(&request->target, &manager->next) == 0);

	if (manager->host->state == TDXUPD_TDX_LIVE)
		tdxupd_version_format(&manager->host->module_version, ret->from);
	if (request->has_target)
		tdxupd_version_format(&request->target, ret->to);
	if (!is_next)
		return;
	tdxupd_version_format(&manager->next, ret->to);
	tdxupd_digest_format(&manager->next_signer, ret->signer);
}

static int authorize(struct bus *bus, sd_bus_message *message,
		     const struct job_request *request, sd_bus_error *error)
{
	enum bus_action action = action_of(request, bus->manager->config);
	struct prospect prospect = { 0 };
	const struct bus_detail details[] = {
		{ "from", prospect.from },
		{ "to", prospect.to },
		{ "signer", prospect.signer },
		{ "guard", gate_policy_to_string(request->guard) },
	};
	const struct bus_question question = { action, details, ARRAY_SIZE(details) };

	look_ahead(bus->manager, request, &prospect);
	return bus_authorize(bus, message, &question, bus_update_on_update, error);
}

/* ---- the job ---- */

static void name_caller(sd_bus_message *message, struct job_request *request)
{
	struct bus_caller caller;

	bus_find_caller(message, &caller);
	request->starter = caller.uid;
	if (caller.uid != (uid_t)-1)
		request->caller =
			text_new("uid %u, pid %d", (unsigned)caller.uid, (int)caller.pid);
}

static int add_job(struct manager *manager, const struct job_request *request,
		   struct job **ret, sd_bus_error *error)
{
	char *detail = NULL;
	enum failure failure = manager_refuses(manager, request, &detail);
	int r;

	if (failure != FAILURE_NONE)
		return bus_fail(error, failure, detail);
	r = manager_add_job(manager, request, ret);
	if (r == -EBUSY)
		return bus_fail(error, FAILURE_BUSY,
				strdup("an update is under way that the daemon before "
				       "this one began; ask again when it is over"));
	if (r == -EEXIST)
		return bus_refuse(
			error, "token",
			"has been used for another request, or by somebody else");
	if (r == -ESTALE)
		return bus_fail(error, FAILURE_STALE,
				strdup("the update that is under way rests on another "
				       "plan; plan again"));
	if (r == -EDQUOT || r == -ENOSPC)
		return bus_fail(error, FAILURE_LIMIT,
				strdup("too many jobs; wait for some to be forgotten"));
	return r;
}

int bus_update_on_update(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct manager *manager = ((struct bus *)userdata)->manager;
	struct job_request request;
	char path[BUS_JOB_PATH_BYTES];
	struct job *job;
	int r;

	job_request_init(&request, manager->config);
	r = bus_read_request(message, &request, error);
	if (r >= 0)
		r = authorize(userdata, message, &request, error);
	if (r <= 0)
		return r < 0 ? r : 1;
	name_caller(message, &request);
	r = add_job(manager, &request, &job, error);
	job_request_done(&request);
	if (r < 0)
		return r;
	return sd_bus_reply_method_return(message, "o", bus_job_path(job->id, path));
}
