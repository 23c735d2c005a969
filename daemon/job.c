// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * One request on its way through the states of job-state.c: its facts, and the one setter
 * that logs, records and tells. What is done in each state is job-run.c's business.
 */
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "clock.h"
#include "duration.h"
#include "job.h"
#include "journal.h"
#include "text.h"

/* Builds end within seconds; a kernel that says busy without one knows no better. */
#define BACKOFF_BASE_USEC (200 * USEC_PER_MSEC)
#define BACKOFF_CAP_USEC  (30 * USEC_PER_SEC)

/* Of a message: all of them are in the journal and the history. */
#define SUSPECTS_MAX 64

void job_request_init(struct job_request *request, const struct config *config)
{
	*request = (struct job_request){
		/* A pin is in the policy, and stronger. */
		.has_target = config->has_target && !config->policy->has_pin,
		.target = config->target,
		.deadline_usec = USEC_INFINITY,
		.guard = config->guard,
		.terms = {
			.accepted = config->policy->accepted,
			.reserve_updates = config->policy->reserve_updates,
			.has_target = config->has_target,
			.target = config->target,
		},
		.starter = (uid_t)-1,
	};
	if (config->deadline_usec != USEC_INFINITY)
		request->deadline_usec =
			clock_usec(CLOCK_MONOTONIC) + config->deadline_usec;
}

void job_request_done(struct job_request *request)
{
	free(request->caller);
	request->caller = NULL;
}

struct tdxupd_policy job_request_policy(const struct job_request *request,
					const struct config *config)
{
	struct tdxupd_policy policy = *config->policy;

	policy.accepted = request->terms.accepted;
	if (request->has_strategy)
		policy.strategy = request->strategy;
	/* More than was to be used is the caller's own word; else the stricter counts. */
	if (request->has_reserve &&
	    (request->reserve_updates < request->terms.reserve_updates ||
	     request->reserve_updates > policy.reserve_updates))
		policy.reserve_updates = request->reserve_updates;
	return policy;
}

static bool is_target_same(const struct job_request *a, const struct job_request *b)
{
	if (a->has_target != b->has_target)
		return false;
	return !a->has_target || tdxupd_version_compare(&a->target, &b->target) == 0;
}

static bool are_options_same(const struct job_request *a, const struct job_request *b)
{
	if (a->guard != b->guard)
		return false;
	if (a->has_strategy != b->has_strategy || a->has_reserve != b->has_reserve)
		return false;
	return a->strategy == b->strategy && a->reserve_updates == b->reserve_updates;
}

bool job_request_is_same(const struct job_request *a, const struct job_request *b)
{
	return is_target_same(a, b) && are_options_same(a, b);
}

bool job_request_is_repeated(const struct job_request *a, const struct job_request *b)
{
	if (a->starter != b->starter || a->drain != b->drain ||
	    strcmp(a->plan_id, b->plan_id) != 0 ||
	    a->is_target_named != b->is_target_named)
		return false;
	/* Target= may have become another one since. */
	return (!a->is_target_named || is_target_same(a, b)) && are_options_same(a, b);
}

int job_new(const struct job_context *context, uint32_t id, struct config *config,
	    const struct job_request *request, struct job **ret)
{
	_cleanup_(cleanup_job)
	struct job *job = calloc(1, sizeof(*job));
	uint64_t seed = id;

	if (!job)
		return -ENOMEM;
	job->context = context;
	job->id = id;
	job->config = config_ref(config);
	job->request = *request;
	job->request.caller = NULL;
	job->outcome = _TDXUPD_OUTCOME_INVALID;
	job->state_since_usec = clock_usec(CLOCK_MONOTONIC);
	if (request->caller) {
		job->request.caller = strdup(request->caller);
		if (!job->request.caller)
			return -ENOMEM;
	}
	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) < 0)
		seed = job->state_since_usec;
	backoff_init(&job->backoff, BACKOFF_BASE_USEC, BACKOFF_CAP_USEC, seed);
	*ret = TAKE_PTR(job);
	return 0;
}

struct job *job_free(struct job *job)
{
	if (!job)
		return NULL;
	sd_event_source_disable_unref(job->timer);
	sd_event_source_disable_unref(job->deadline);
	tdxupd_upload_free(job->upload);
	tdxupd_image_free(job->image);
	tdxupd_catalog_free(job->catalog);
	tdxupd_host_free(job->before);
	tdxupd_host_free(job->after);
	config_unref(job->config);
	job_request_done(&job->request);
	for (size_t i = 0; i < job->suspect_count; i++)
		free(job->suspects[i]);
	free(job->suspects);
	free(job->detail);
	free(job->image_name);
	free(job->steps);
	free(job);
	return NULL;
}

void job_tell(struct job *job, enum job_state before)
{
	journal_say_job(job, before);
	job->context->changed(job->context->userdata, job);
}

bool job_set(struct job *job, enum job_event event)
{
	enum job_state before = job->state;
	enum job_state after = job_next(before, event);
	int r;

	if (after < 0)
		return false;
	r = job->context->record(job->context->userdata, job, after);
	/* A commit that nobody could tell of after a crash is not made. */
	if (r < 0 && (event == JOB_EVENT_STAGED || event == JOB_EVENT_OPENED)) {
		job_set_failure(
			job, FAILURE_UNKNOWN,
			text_new("could not record the attempt: %s", strerror(-r)));
		return false;
	}
	job->state = after;
	if (!job_state_is_end(after))
		job->phase = after == JOB_BACKOFF ? JOB_WAITING : after;
	job->state_since_usec = clock_usec(CLOCK_MONOTONIC);
	if (after != JOB_BACKOFF)
		job->next_attempt_usec = 0;
	/* Nothing may come between the open gate and the write: job-run.c tells after. */
	if (after != JOB_COMMITTING)
		job_tell(job, before);
	return true;
}

void job_set_failure(struct job *job, enum failure failure, char *detail)
{
	if (job->failure != FAILURE_NONE) {
		free(detail);
		return;
	}
	job->failure = failure;
	free(job->detail);
	job->detail = detail;
}

int job_add_suspect(struct job *job, const char *text)
{
	char **suspects;

	if (job->suspect_count == SUSPECTS_MAX)
		return -ENOSPC;
	suspects = reallocarray(job->suspects, job->suspect_count + 1, sizeof(*suspects));
	if (!suspects)
		return -ENOMEM;
	job->suspects = suspects;
	suspects[job->suspect_count] = strdup(text);
	if (!suspects[job->suspect_count])
		return -ENOMEM;
	job->suspect_count++;
	return 0;
}

bool job_can_cancel(const struct job *job)
{
	return job_next(job->state, JOB_EVENT_CANCEL) >= 0;
}

unsigned job_get_progress(const struct job *job)
{
	static const unsigned char progress[_JOB_STATE_MAX] = {
		[JOB_PLANNING] = 10, [JOB_STAGING] = 30,    [JOB_WAITING] = 50,
		[JOB_BACKOFF] = 50,  [JOB_COMMITTING] = 70, [JOB_CONFIRMING] = 90,
	};
	unsigned steps = job->step_count ? job->step_count : 1;
	unsigned made = job->steps_left < steps ? steps - job->steps_left : 0;

	if (job->state == JOB_DONE)
		return 100;
	if (!job->step_count)
		made = 0;
	return (made * 100 + progress[job->phase]) / steps;
}

const char *job_get_result(const struct job *job)
{
	if (!job_state_is_end(job->state))
		return "";
	if (job->state == JOB_DONE)
		return "done";
	return failure_to_string(job->failure);
}
