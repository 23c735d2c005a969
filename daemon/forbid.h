/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FORBID_H
#define FORBID_H

#include "config.h"
#include "holds.h"
#include "job.h"

/*
 * What is about to be done, as far as it is known.
 * @to: where it is to lead; NULL: to whatever is newest
 * @steps: images on the way, the next one first
 * @host: that @steps were chosen for; NULL before
 */
struct forbid_question {
	const struct job_request *request;
	const struct tdxupd_version *to;
	size_t step_count;
	const struct job_step *steps;
	const struct tdxupd_host *host;
};

/*
 * Is that forbidden as things stand now, by a hold, the pin, or Blocked=, Target=,
 * AllowedMrSeam=, TrustedSigner= or ReserveUpdates= of tdxupd.conf? This is the only
 * answer to that: at the request, while it waits in line, when it is staged, at the last
 * look, between steps, after a backoff, and when any of these changes. Pure, and without
 * a system call. Return: FAILURE_NONE: no; else why, with a sentence, which is NULL when
 * memory ran out; free() it. @ret_detail may be NULL.
 */
enum failure forbid_find(const struct config *config, const struct holds *holds,
			 const struct forbid_question *question, char **ret_detail);
/* The same for a job, with what it knows by now. */
enum failure forbid_find_job(const struct job *job, char **ret_detail);

#endif
