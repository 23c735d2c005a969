// SPDX-License-Identifier: LGPL-2.1-or-later
/* What the library's verdicts amount to for somebody who asked for an update. Pure. */
#include <string.h>

#include "failure.h"
#include "util.h"

static const char *const names[] = {
	[FAILURE_NO_SUCH_JOB] = FAILURE_PREFIX "NoSuchJob",
	[FAILURE_NO_SUCH_VERSION] = FAILURE_PREFIX "NoSuchVersion",
	[FAILURE_NO_PATH] = FAILURE_PREFIX "NoPath",
	[FAILURE_STALE] = FAILURE_PREFIX "Stale",
	[FAILURE_UNSUPPORTED] = FAILURE_PREFIX "Unsupported",
	[FAILURE_LOST] = FAILURE_PREFIX "Lost",
	[FAILURE_UNTRUSTED] = FAILURE_PREFIX "Untrusted",
	[FAILURE_EXHAUSTED] = FAILURE_PREFIX "Exhausted",
	[FAILURE_BUSY] = FAILURE_PREFIX "Busy",
	[FAILURE_EXPIRED] = FAILURE_PREFIX "Expired",
	[FAILURE_CANCELLED] = FAILURE_PREFIX "Cancelled",
	[FAILURE_HELD] = FAILURE_PREFIX "Held",
	[FAILURE_PINNED] = FAILURE_PREFIX "Pinned",
	[FAILURE_INTERRUPTED] = FAILURE_PREFIX "Interrupted",
	[FAILURE_REFUSED] = FAILURE_PREFIX "Refused",
	[FAILURE_MISMATCH] = FAILURE_PREFIX "Mismatch",
	[FAILURE_UNKNOWN] = FAILURE_PREFIX "Unknown",
	[FAILURE_CONFIG] = FAILURE_PREFIX "Config",
	[FAILURE_LIMIT] = FAILURE_PREFIX "Limit",
};

STRING_TABLE_TO(failure, enum failure, names)
STRING_TABLE_FROM(failure, enum failure, names)

enum failure failure_from_check(enum tdxupd_check check)
{
	switch (check) {
	case TDXUPD_CHECK_TDX_LOST:
		return FAILURE_LOST;
	case TDXUPD_CHECK_TDX_ABSENT:
	case TDXUPD_CHECK_UPDATE_UNSUPPORTED:
	case TDXUPD_CHECK_INTERFACE_MISSING:
	case TDXUPD_CHECK_CPU_BUG:
		return FAILURE_UNSUPPORTED;
	case TDXUPD_CHECK_UPDATES_EXHAUSTED:
		return FAILURE_EXHAUSTED;
	case TDXUPD_CHECK_BLOCKED:
		return FAILURE_HELD;
	case TDXUPD_CHECK_PINNED:
		return FAILURE_PINNED;
	default:
		break;
	}
	/* The file, the container, SIGSTRUCT and trust come first in the enum. */
	if (check < TDXUPD_CHECK_TDX_ABSENT)
		return FAILURE_UNTRUSTED;
	return FAILURE_NO_PATH;
}

/* Gravest first: what nobody can help, what needs another host, another image, time. */
static const enum failure by_weight[] = {
	FAILURE_LOST,   FAILURE_UNSUPPORTED, FAILURE_EXHAUSTED, FAILURE_HELD,
	FAILURE_PINNED, FAILURE_UNTRUSTED,   FAILURE_NO_PATH,
};

enum failure failure_from_report(const struct tdxupd_report *report, char **ret_detail)
{
	for (size_t w = 0; w < ARRAY_SIZE(by_weight); w++)
		for (size_t i = 0; i < tdxupd_report_count(report); i++) {
			const struct tdxupd_verdict *v = tdxupd_report_get(report, i);

			if (v->severity == TDXUPD_SEVERITY_WARN ||
			    failure_from_check(v->check) != by_weight[w])
				continue;
			*ret_detail = tdxupd_verdict_format(v);
			return by_weight[w];
		}
	return FAILURE_NONE;
}

/* Several files may hold the wanted version; the one that came closest speaks for all. */
static const struct tdxupd_candidate *find_closest(const struct tdxupd_plan *plan,
						   bool *ret_is_there)
{
	const struct tdxupd_candidate *closest = NULL;

	*ret_is_there = false;
	for (size_t i = 0; i < plan->candidate_count; i++) {
		const struct tdxupd_candidate *c = &plan->candidates[i];

		if (!c->entry->has_version ||
		    tdxupd_version_compare(&c->entry->version, &plan->to) != 0)
			continue;
		*ret_is_there = true;
		if (c->state != TDXUPD_CANDIDATE_REFUSED)
			continue;
		if (!closest ||
		    tdxupd_report_count(c->report) < tdxupd_report_count(closest->report))
			closest = c;
	}
	return closest;
}

enum failure failure_from_plan(const struct tdxupd_plan *plan, char **ret_detail)
{
	const struct tdxupd_candidate *closest;
	enum failure failure;
	bool is_there;

	failure = failure_from_report(plan->host_report, ret_detail);
	if (failure != FAILURE_NONE)
		return failure;
	closest = find_closest(plan, &is_there);
	if (closest)
		failure = failure_from_report(closest->report, ret_detail);
	if (failure != FAILURE_NONE)
		return failure;
	*ret_detail = strdup(plan->advice ? plan->advice : "no path leads to the target");
	return is_there ? FAILURE_NO_PATH : FAILURE_NO_SUCH_VERSION;
}
