// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What forbids an update, as it stands now. What a request or a plan wants is decided
 * elsewhere, and what only widens, Guard= and Accept...=, is the request's.
 */
#include <stdio.h>
#include <string.h>

#include "forbid.h"
#include "policy.h"
#include "text.h"

/* What is looked at, and where a sentence about it goes. */
struct ask {
	const struct config *config;
	const struct holds *holds;
	const struct forbid_question *question;
	char **ret_detail;
};

/* What was done since when, by whom and why. */
static enum failure answer_since(const struct ask *ask, enum failure failure,
				 const char *what, uint64_t since_usec, const char *by,
				 const char *reason)
{
	if (ask->ret_detail)
		*ask->ret_detail = policy_describe(what, since_usec, by, reason);
	return failure;
}

#define ANSWER(ask, failure, ...)                                               \
	((ask)->ret_detail ? (void)(*(ask)->ret_detail = text_new(__VA_ARGS__)) \
			   : (void)0,                                           \
	 (failure))

static bool is_same(const struct tdxupd_version *a, const struct tdxupd_version *b)
{
	return tdxupd_version_compare(a, b) == 0;
}

/* ---- each of them ---- */

static enum failure say_held(const struct ask *ask, const struct hold *hold)
{
	bool is_all = strcmp(hold->what, HOLDS_ALL) == 0;
	enum failure failure =
		hold->is_automatic && !is_all ? FAILURE_FAILED : FAILURE_HELD;
	char what[TDXUPD_VERSION_TEXT_BYTES + 16];

	snprintf(what, sizeof(what), "%s %s held", is_all ? "all updates" : hold->what,
		 is_all ? "are" : "is");
	return answer_since(ask, failure, what, hold->since_usec, hold->by, hold->reason);
}

static enum failure ask_holds(const struct ask *ask)
{
	const struct forbid_question *q = ask->question;
	const struct hold *hold = holds_find(ask->holds, q->to);

	for (size_t i = 0; !hold && i < q->step_count; i++)
		hold = holds_find(ask->holds, &q->steps[i].version);
	return hold ? say_held(ask, hold) : FAILURE_NONE;
}

static enum failure say_blocked(const struct ask *ask,
				const struct tdxupd_version *version)
{
	char text[TDXUPD_VERSION_TEXT_BYTES];

	return ANSWER(ask, FAILURE_FORBIDDEN, "%s is in Blocked= of tdxupd.conf",
		      tdxupd_version_format(version, text));
}

static enum failure ask_blocked(const struct ask *ask)
{
	const struct tdxupd_policy *policy = ask->config->policy;
	const struct forbid_question *q = ask->question;

	if (q->to && policy_is_version_blocked(policy, q->to))
		return say_blocked(ask, q->to);
	for (size_t i = 0; i < q->step_count; i++)
		if (policy_is_version_blocked(policy, &q->steps[i].version) ||
		    policy_is_mrseam_blocked(policy, &q->steps[i].mrseam))
			return say_blocked(ask, &q->steps[i].version);
	return FAILURE_NONE;
}

static enum failure ask_pin(const struct ask *ask)
{
	const struct pin *pin = &ask->holds->pin;
	const struct tdxupd_version *to = ask->question->to;
	char text[TDXUPD_VERSION_TEXT_BYTES], what[TDXUPD_VERSION_TEXT_BYTES + 16];

	if (!pin->is_set || !to || is_same(to, &pin->version))
		return FAILURE_NONE;
	snprintf(what, sizeof(what), "%s is pinned",
		 tdxupd_version_format(&pin->version, text));
	return answer_since(ask, FAILURE_PINNED, what, pin->since_usec, pin->by,
			    pin->reason);
}

/* A pin is stronger; and whoever asked for another version than Target= knew of it,
 * unless it is newer than what was asked for. */
static enum failure ask_target(const struct ask *ask)
{
	const struct job_terms *terms = &ask->question->request->terms;
	const struct config *config = ask->config;
	const struct tdxupd_version *to = ask->question->to;
	char text[TDXUPD_VERSION_TEXT_BYTES];

	if (!config->has_target || ask->holds->pin.is_set || !to ||
	    is_same(to, &config->target))
		return FAILURE_NONE;
	if (terms->has_target && is_same(&terms->target, &config->target))
		return FAILURE_NONE;
	return ANSWER(ask, FAILURE_FORBIDDEN,
		      "Target= of tdxupd.conf has become %s since this was asked for",
		      tdxupd_version_format(&config->target, text));
}

static enum failure ask_image(const struct ask *ask, const struct job_step *step)
{
	const struct tdxupd_policy *policy = ask->config->policy;
	char text[TDXUPD_VERSION_TEXT_BYTES];

	tdxupd_version_format(&step->version, text);
	if (!policy_is_mrseam_allowed(policy, &step->mrseam))
		return ANSWER(ask, FAILURE_FORBIDDEN,
			      "the MRSEAM of %s is not in AllowedMrSeam= of tdxupd.conf",
			      text);
	if (!tdxupd_policy_is_trusted(policy, &step->signer))
		return ANSWER(ask, FAILURE_UNTRUSTED,
			      "the signer of %s is not in TrustedSigner= of tdxupd.conf",
			      text);
	return FAILURE_NONE;
}

static enum failure ask_images(const struct ask *ask)
{
	enum failure failure = FAILURE_NONE;

	for (size_t i = 0; failure == FAILURE_NONE && i < ask->question->step_count; i++)
		failure = ask_image(ask, &ask->question->steps[i]);
	return failure;
}

static enum failure ask_reserve(const struct ask *ask)
{
	const struct forbid_question *q = ask->question;
	const struct tdxupd_policy policy = job_request_policy(q->request, ask->config);

	if (!q->host || !q->host->has_remaining_updates ||
	    q->host->remaining_updates >=
		    (uint64_t)policy.reserve_updates + q->step_count)
		return FAILURE_NONE;
	return ANSWER(
		ask, FAILURE_EXHAUSTED,
		"ReserveUpdates= of tdxupd.conf keeps %u of the %u updates that are "
		"left, and this takes %zu",
		policy.reserve_updates, q->host->remaining_updates, q->step_count);
}

/* ---- all of them ---- */

enum failure forbid_find(const struct config *config, const struct holds *holds,
			 const struct forbid_question *question, char **ret_detail)
{
	static enum failure (*const asks[])(const struct ask *ask) = {
		ask_holds, ask_blocked, ask_pin, ask_target, ask_images, ask_reserve,
	};
	const struct ask ask = { config, holds, question, ret_detail };
	enum failure failure = FAILURE_NONE;

	for (size_t i = 0; failure == FAILURE_NONE && i < ARRAY_SIZE(asks); i++)
		failure = asks[i](&ask);
	return failure;
}

enum failure forbid_find_job(const struct job *job, char **ret_detail)
{
	struct forbid_question question = {
		.request = &job->request,
		.step_count = job->steps ? job->steps_left : 0,
		.steps = job->steps,
		.host = job->steps ? job->before : NULL,
	};

	if (job->has_versions)
		question.to = &job->to;
	else if (job->request.has_target)
		question.to = &job->request.target;
	return forbid_find(*job->context->config, job->context->holds, &question,
			   ret_detail);
}
