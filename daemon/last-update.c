// SPDX-License-Identifier: LGPL-2.1-or-later
/* What is told of the last update, and which job was one. */
#include <string.h>

#include "last-update.h"

/* What the request, or what forbids it, was at fault for: mistyped, stale, forbidden. */
static bool is_refusal_of_request(enum failure failure)
{
	switch (failure) {
	case FAILURE_NO_SUCH_VERSION:
	case FAILURE_STALE:
	case FAILURE_HELD:
	case FAILURE_FAILED:
	case FAILURE_PINNED:
	case FAILURE_FORBIDDEN:
	/* It was lost before this was asked for. */
	case FAILURE_LOST:
		return true;
	default:
		return false;
	}
}

static bool is_update(const struct job *job)
{
	if (job->attempts > 0)
		return true;
	return job->state != JOB_DONE && !is_refusal_of_request(job->failure);
}

void last_update_done(struct last_update *last)
{
	free(last->detail);
	*last = (struct last_update){ 0 };
}

void last_update_take(struct last_update *last, const struct job *job, uint64_t now_usec)
{
	if (!job_state_is_end(job->state) || !is_update(job))
		return;
	last_update_done(last);
	*last = (struct last_update){
		.id = job->id,
		.failure = job->state == JOB_DONE ? FAILURE_NONE : job->failure,
		.has_versions = job->has_versions,
		.from = job->from,
		.to = job->to,
		.ended_usec = now_usec,
		.detail = job->detail ? strdup(job->detail) : NULL,
	};
}

const char *last_update_get_result(const struct last_update *last)
{
	if (last->id == 0)
		return "";
	return last->failure == FAILURE_NONE ? "done" : failure_to_string(last->failure);
}
