// SPDX-License-Identifier: LGPL-2.1-or-later
/* A job as org.tdxupd1.Job shows it, for whoever has it in the same process. */
#include "describe.h"
#include "job.h"
#include "json.h"

static int append_blocker(struct json_object *list, const char *source,
			  const struct gate_blocker *blocker)
{
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	int r;

	r = json_new_object(&object);
	if (r == 0)
		r = json_add_text(object, "source", source);
	if (r == 0)
		r = json_add_text(object, "who", blocker->who);
	if (r == 0)
		r = json_add_number(object, "pid", (uint64_t)blocker->pid);
	if (r == 0)
		r = json_add_number(object, "since_usec", blocker->since_usec);
	return r < 0 ? r : json_append(list, TAKE_PTR(object));
}

static int add_blockers(struct json_object *object, const struct job *job)
{
	const struct sources *sources = job->context->sources;
	bool is_waiting = job->state == JOB_WAITING || job->state == JOB_BACKOFF;
	_cleanup_(cleanup_json)
	struct json_object *list = NULL;
	int r = json_new_array(&list);

	for (size_t i = 0; is_waiting && i < sources->count; i++) {
		const struct gate_source *word = &sources->words[i];

		if (!(job->verdict.blocking & (UINT32_C(1) << i)))
			continue;
		for (size_t b = 0; r == 0 && b < word->blocker_count; b++)
			r = append_blocker(list, word->name, &word->blockers[b]);
	}
	return r < 0 ? r : json_add(object, "blockers", TAKE_PTR(list));
}

static int add_suspects(struct json_object *object, const struct job *job)
{
	_cleanup_(cleanup_json)
	struct json_object *list = NULL;
	int r = json_new_array(&list);

	for (size_t i = 0; r == 0 && i < job->suspect_count; i++) {
		struct json_object *text;

		r = json_new_text(job->suspects[i], &text) ?: json_append(list, text);
	}
	return r < 0 ? r : json_add(object, "suspects", TAKE_PTR(list));
}

static int add_versions(struct json_object *object, const struct job *job)
{
	int r = 0;

	if (job->request.has_target)
		r = describe_version(object, "target", &job->request.target);
	else
		r = json_add_text(object, "target", "");
	if (r == 0 && job->has_versions)
		r = describe_version(object, "from", &job->from);
	if (r == 0 && job->has_versions)
		r = describe_version(object, "to", &job->to);
	return r;
}

static int add_state(struct json_object *object, const struct job *job)
{
	const char *outcome = tdxupd_outcome_to_string(job->outcome);

	return json_add_text(object, "plan_id", job->plan_id)
		       ?: json_add_text(object, "state", job_state_to_string(job->state))
		       ?: json_add_text(object, "phase", job_state_to_string(job->phase))
		       ?: json_add_number(object, "state_since", job->state_since_usec)
		       ?: json_add_number(object, "attempt", job->attempts)
		       ?: json_add_number(object, "progress", job_get_progress(job))
		       ?: json_add_number(object, "next_attempt", job->next_attempt_usec)
		       ?: json_add_bool(object, "cancellable", job_can_cancel(job))
		       ?: json_add_text(object, "outcome", outcome ? outcome : "")
		       ?: json_add_text(object, "result", job_get_result(job))
		       ?: json_add_text(object, "detail", job->detail ? job->detail : "");
}

int describe_job(const struct job *job, struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	int r;

	r = json_new_object(&object);
	if (r == 0)
		r = json_add_number(object, "id", job->id);
	if (r == 0)
		r = add_versions(object, job);
	if (r == 0)
		r = add_state(object, job);
	if (r == 0)
		r = add_blockers(object, job);
	if (r == 0)
		r = add_suspects(object, job);
	if (r == 0)
		*ret = TAKE_PTR(object);
	return r;
}
