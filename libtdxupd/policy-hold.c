// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What somebody, or a failure, took out of reach for now: holds, and what is to be said
 * of them and of the pin. Where they are kept is not known here.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "policy.h"
#include "util.h"

#define USEC_PER_SEC UINT64_C(1000000)

static void hold_done(struct tdxupd_hold *hold)
{
	free(hold->reason);
	free(hold->by);
}

/* Shown on terminals, whoever wrote it. */
static char *copy_text(const char *text)
{
	size_t size = strlen(text ? text : "") + 1;
	char *copy = malloc(size);

	if (copy)
		text_make_printable(copy, size, text);
	return copy;
}

static int copy_texts(const char *reason, const char *by, char **ret_reason,
		      char **ret_by)
{
	_cleanup_(cleanup_free)
	char *reason_copy = copy_text(reason);
	_cleanup_(cleanup_free)
	char *by_copy = copy_text(by);

	if (!reason_copy || !by_copy)
		return -ENOMEM;
	*ret_reason = TAKE_PTR(reason_copy);
	*ret_by = TAKE_PTR(by_copy);
	return 0;
}

/* ---- the pin ---- */

void policy_forget_pin(struct tdxupd_policy *policy)
{
	free(TAKE_PTR(policy->pin_reason));
	free(TAKE_PTR(policy->pin_by));
	policy->pin_since_usec = 0;
}

_public_ int tdxupd_policy_explain_pin(struct tdxupd_policy *policy, uint64_t since_usec,
				       const char *reason, const char *by)
{
	char *reason_copy, *by_copy;

	if (!policy || !policy->has_pin)
		return -EINVAL;
	if (copy_texts(reason, by, &reason_copy, &by_copy) < 0)
		return -ENOMEM;
	policy_forget_pin(policy);
	policy->pin_reason = reason_copy;
	policy->pin_by = by_copy;
	policy->pin_since_usec = since_usec;
	return 0;
}

/* ---- holds ---- */

_public_ void tdxupd_policy_hold_nothing(struct tdxupd_policy *policy)
{
	for (size_t i = 0; i < policy->hold_count; i++)
		hold_done(&policy->holds[i]);
	free(TAKE_PTR(policy->holds));
	policy->hold_count = 0;
}

const struct tdxupd_hold *policy_find_hold_of_all(const struct tdxupd_policy *policy)
{
	for (size_t i = 0; i < policy->hold_count; i++)
		if (policy->holds[i].is_all)
			return &policy->holds[i];
	return NULL;
}

const struct tdxupd_hold *policy_find_hold(const struct tdxupd_policy *policy,
					   const struct tdxupd_version *version)
{
	for (size_t i = 0; i < policy->hold_count; i++)
		if (!policy->holds[i].is_all &&
		    tdxupd_version_compare(&policy->holds[i].version, version) == 0)
			return &policy->holds[i];
	return NULL;
}

static struct tdxupd_hold *find_slot(struct tdxupd_policy *policy,
				     const struct tdxupd_hold *hold)
{
	const struct tdxupd_hold *found =
		hold->is_all ? policy_find_hold_of_all(policy)
			     : policy_find_hold(policy, &hold->version);

	return found ? &policy->holds[found - policy->holds] : NULL;
}

_public_ int tdxupd_policy_hold(struct tdxupd_policy *policy,
				const struct tdxupd_hold *hold)
{
	struct tdxupd_hold copy, *slot, *more;

	if (!policy || !hold)
		return -EINVAL;
	more = reallocarray(policy->holds, policy->hold_count + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	policy->holds = more;
	copy = *hold;
	if (copy_texts(hold->reason, hold->by, &copy.reason, &copy.by) < 0)
		return -ENOMEM;
	slot = find_slot(policy, hold);
	if (slot)
		hold_done(slot);
	else
		slot = &policy->holds[policy->hold_count++];
	*slot = copy;
	return 0;
}

/* ---- words ---- */

/* In UTC: it is read on other machines as well. */
static void format_time(uint64_t usec, char *ret, size_t size)
{
	time_t seconds = (time_t)(usec / USEC_PER_SEC);
	struct tm tm;

	ret[0] = '\0';
	if (usec && gmtime_r(&seconds, &tm))
		(void)strftime(ret, size, " since %Y-%m-%d %H:%M UTC", &tm);
}

char *policy_describe(const char *what, uint64_t since_usec, const char *by,
		      const char *reason)
{
	char since[40], *text;
	bool has_by = by && *by, has_reason = reason && *reason;

	format_time(since_usec, since, sizeof(since));
	if (asprintf(&text, "%s%s%s%s%s%s", what, since, has_by ? " by " : "",
		     has_by ? by : "", has_reason ? ": " : "",
		     has_reason ? reason : "") < 0)
		return NULL;
	return text;
}

static int report(struct tdxupd_report *report, enum tdxupd_check check, const char *what,
		  uint64_t since_usec, const char *by, const char *reason)
{
	_cleanup_(cleanup_free)
	char *text = policy_describe(what, since_usec, by, reason);

	if (!text)
		return -ENOMEM;
	return tdxupd_report_add(report, check, TDXUPD_SEVERITY_REFUSE, text, NULL);
}

enum tdxupd_check policy_get_hold_check(const struct tdxupd_hold *hold)
{
	return hold->is_failed ? TDXUPD_CHECK_FAILED : TDXUPD_CHECK_HELD;
}

int policy_report_hold(const struct tdxupd_hold *hold, struct tdxupd_report *into)
{
	char text[TDXUPD_VERSION_TEXT_BYTES] = "all";

	if (!hold->is_all)
		tdxupd_version_format(&hold->version, text);
	return report(into, policy_get_hold_check(hold), text, hold->since_usec, hold->by,
		      hold->reason);
}

int policy_report_pin(const struct tdxupd_policy *policy, struct tdxupd_report *into)
{
	char text[TDXUPD_VERSION_TEXT_BYTES];

	return report(into, TDXUPD_CHECK_PINNED,
		      tdxupd_version_format(&policy->pin, text), policy->pin_since_usec,
		      policy->pin_by, policy->pin_reason);
}
