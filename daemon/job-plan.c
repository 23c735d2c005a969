// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * From a request to the bytes of one image: what the library decides on the host as it is
 * now. Every hop of a longer path is planned anew, as the one before changed the host.
 */
#include <errno.h>
#include <string.h>

#include "catalog-load.h"
#include "host-files.h"
#include "job-plan.h"
#include "reader.h"
#include "text.h"

/* Others read, and come back. */
#define NOT_YET _JOB_EVENT_INVALID

DEFINE_CLEANUP(struct tdxupd_plan, plan, tdxupd_plan_free)
DEFINE_CLEANUP(struct tdxupd_report, report, tdxupd_report_free)

static enum job_event refuse(struct job *job, enum failure failure, char *detail)
{
	job_set_failure(job, failure, detail);
	/* What was lost and told of before is no loss of this job. */
	return failure == FAILURE_LOST && !job->context->is_loss_told ? JOB_EVENT_LOSE
								      : JOB_EVENT_REFUSED;
}

/* Its catalog stays until the bytes of @entry have come. */
static enum job_event fetch(struct job *job, const struct tdxupd_entry *entry)
{
	int r = -ENOMEM;

	free(job->image_name);
	job->image_name = strdup(entry->name);
	job->entry = entry;
	if (job->image_name)
		r = job->context->read_image(job->context->userdata, job, entry->name);
	return r < 0 ? refuse(job, FAILURE_UNKNOWN, strdup(strerror(-r))) : NOT_YET;
}

/* Who read the bytes is not believed: they are judged here, all of it. */
static enum job_event judge(struct job *job, const uint8_t *bytes, size_t count)
{
	struct tdxupd_policy policy =
		job_request_policy(&job->request, *job->context->config);
	_cleanup_(cleanup_report)
	struct tdxupd_report *report = NULL;
	enum failure failure;
	char *detail = NULL;
	int r;

	r = tdxupd_report_new(&report);
	if (r == 0)
		r = catalog_check_bytes(bytes, count, job->entry, &policy, report,
					&job->image);
	if (r == -ESTALE)
		return refuse(job, FAILURE_STALE,
			      text_new("%s is not the file that was looked at before",
				       job->image_name));
	if (r < 0)
		return refuse(job, FAILURE_UNKNOWN,
			      text_new("%s: %s", job->image_name, strerror(-r)));
	if (tdxupd_report_is_passed(report))
		return JOB_EVENT_PLANNED;
	failure = failure_from_report(report, &detail);
	return refuse(job, failure, detail);
}

static void put_catalog_away(struct job *job)
{
	job->entry = NULL;
	job->catalog = tdxupd_catalog_free(job->catalog);
}

enum job_event job_plan_load(struct job *job, int r, const uint8_t *bytes, size_t count)
{
	enum job_event event;

	switch (r) {
	case 0:
		event = judge(job, bytes, count);
		break;
	case WORKER_HUNG:
	case WORKER_CRASHED:
	case READER_STUCK:
	case -ENOMEM:
		event = refuse(job, FAILURE_UNKNOWN,
			       text_new("%s could not be read: %s", job->image_name,
					strerror(-r)));
		break;
	default:
		event = refuse(job, FAILURE_STALE,
			       text_new("%s is not the file that was looked at before",
					job->image_name));
	}
	put_catalog_away(job);
	return event;
}

static bool is_zero(const struct tdxupd_version *version)
{
	return !version->major && !version->minor && !version->update;
}

/* What was agreed to at the start holds for all hops. */
static enum job_event agree(struct job *job, const struct tdxupd_plan *plan)
{
	if (job->has_versions)
		return JOB_EVENT_PLANNED;
	strcpy(job->plan_id, plan->id);
	job->from = plan->from;
	job->to = plan->to;
	job->has_versions = job->before->state == TDXUPD_TDX_LIVE && !is_zero(&plan->to);
	if (*job->request.plan_id && strcmp(job->request.plan_id, plan->id) != 0)
		return refuse(job, FAILURE_STALE,
			      strdup("the host or the images have changed since that "
				     "plan was made; plan again"));
	return JOB_EVENT_PLANNED;
}

/* Without them nobody could tell later what has become forbidden. */
static int note_steps(struct job *job, const struct tdxupd_plan *plan)
{
	job->steps = calloc(plan->step_count, sizeof(*job->steps));
	if (!job->steps)
		return -ENOMEM;
	for (size_t i = 0; i < plan->step_count; i++) {
		const struct tdxupd_entry *entry = plan->candidates[plan->steps[i]].entry;

		job->steps[i] = (struct job_step){ .version = entry->version,
						   .mrseam = entry->image->mrseam,
						   .signer = entry->image->signer };
	}
	job->steps_left = (unsigned)plan->step_count;
	if (!job->step_count)
		job->step_count = job->steps_left;
	return 0;
}

static enum job_event follow(struct job *job, const struct tdxupd_plan *plan)
{
	const struct tdxupd_entry *entry;
	enum failure failure;
	char *detail = NULL;

	switch (plan->result) {
	case TDXUPD_PLAN_CURRENT:
		return JOB_EVENT_CURRENT;
	case TDXUPD_PLAN_BLOCKED:
		failure = failure_from_plan(plan, &detail);
		return refuse(job, failure, detail);
	default:
		entry = plan->candidates[plan->steps[0]].entry;
		job->step_to = entry->version;
		job->is_last_step = plan->step_count == 1;
		job->harm = tdxupd_plan_build_harm(plan, 0);
		job->strict_compat = tdxupd_plan_strict_compat(plan, 0);
		if (note_steps(job, plan) < 0)
			return refuse(job, FAILURE_UNKNOWN, strdup(strerror(ENOMEM)));
		return fetch(job, entry);
	}
}

/* Drops what belonged to the hop before. */
static int take_snapshot(struct job *job)
{
	struct tdxupd_host *host;
	int r;

	job->image = tdxupd_image_free(job->image);
	job->before = tdxupd_host_free(job->before);
	job->after = tdxupd_host_free(job->after);
	r = host_read(job->context->files, &job->before);
	if (r < 0)
		return r;
	host = job->before;
	job->has_module_guard =
		host->has_update_guard && host->update_guard == TDXUPD_GUARD_MODULE;
	return 0;
}

static enum job_event decide(struct job *job, const struct tdxupd_catalog *catalog)
{
	struct tdxupd_policy policy =
		job_request_policy(&job->request, *job->context->config);
	_cleanup_(cleanup_plan)
	struct tdxupd_plan *plan = NULL;
	const struct tdxupd_version *target = NULL;
	enum job_event event;
	int r;

	if (job->has_versions)
		target = &job->to;
	else if (job->request.has_target)
		target = &job->request.target;
	r = tdxupd_plan_new(job->before, catalog, &policy, target, &plan);
	if (r < 0)
		return refuse(job, FAILURE_UNKNOWN, strdup(strerror(-r)));
	event = agree(job, plan);
	return event == JOB_EVENT_PLANNED ? follow(job, plan) : event;
}

enum job_event job_plan(struct job *job)
{
	int r;

	/* What forbids counts as it is now, whatever it was when the job began. */
	free(job->steps);
	job->steps = NULL;
	config_unref(job->config);
	job->config = config_ref(*job->context->config);
	r = job->context->read_catalog(job->context->userdata, job);
	if (r == -EWOULDBLOCK)
		return refuse(job, FAILURE_BUSY,
			      strdup("another tdxupd works on this machine; the lock of "
				     "this one was removed"));
	return r < 0 ? refuse(job, FAILURE_UNKNOWN, strdup(strerror(-r))) : NOT_YET;
}

enum job_event job_plan_with(struct job *job, int r, struct tdxupd_catalog **catalog,
			     const char *why)
{
	enum job_event event;

	if (r < 0)
		return refuse(job, FAILURE_CONFIG, strdup(why ? why : strerror(-r)));
	r = take_snapshot(job);
	if (r < 0)
		return refuse(job, FAILURE_UNKNOWN,
			      text_new("could not look at the host: %s", strerror(-r)));
	put_catalog_away(job);
	job->catalog = TAKE_PTR(*catalog);
	event = decide(job, job->catalog);
	if (event != NOT_YET)
		put_catalog_away(job);
	return event;
}
