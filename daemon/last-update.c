// SPDX-License-Identifier: LGPL-2.1-or-later
/* What is told of the last update, and which job was one. The file is
 * last-update-file.c's.
 */
#include <stdio.h>
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

/* Return: whether that is news. */
static bool note_loss(struct last_update *last, const struct job *job,
		      const char *boot_id)
{
	if (job->state != JOB_LOST || strcmp(last->lost_boot_id, boot_id) == 0)
		return false;
	snprintf(last->lost_boot_id, sizeof(last->lost_boot_id), "%s", boot_id);
	return true;
}

/* All but in which boot a loss was told. */
static void clear(struct last_update *last)
{
	char lost_boot_id[BOOT_ID_BYTES];

	memcpy(lost_boot_id, last->lost_boot_id, sizeof(lost_boot_id));
	last_update_done(last);
	memcpy(last->lost_boot_id, lost_boot_id, sizeof(lost_boot_id));
}

bool last_update_forgive(struct last_update *last)
{
	if (last->id == 0 || last->failure == FAILURE_NONE)
		return false;
	clear(last);
	return true;
}

bool last_update_take(struct last_update *last, const struct job *job,
		      const char *boot_id, uint64_t now_usec)
{
	bool is_loss = note_loss(last, job, boot_id);

	if (!job_state_is_end(job->state) || !is_update(job))
		return is_loss;
	clear(last);
	last->id = job->id;
	last->failure = job->state == JOB_DONE ? FAILURE_NONE : job->failure;
	last->has_versions = job->has_versions;
	last->from = job->from;
	last->to = job->to;
	last->ended_usec = now_usec;
	last->detail = job->detail ? strdup(job->detail) : NULL;
	return true;
}

const char *last_update_get_result(const struct last_update *last)
{
	if (last->id == 0)
		return "";
	return last->failure == FAILURE_NONE ? "done" : failure_to_string(last->failure);
}
