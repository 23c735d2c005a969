// SPDX-License-Identifier: LGPL-2.1-or-later
/* What the library's verdicts amount to for somebody who asked for an update. Pure. */
#include <stdio.h>

#include "failure.h"
#include "report.h"
#include "util.h"

static const char *const names[] = {
	[FAILURE_NO_SUCH_JOB] = FAILURE_PREFIX "NoSuchJob",
	[FAILURE_NO_SUCH_VERSION] = FAILURE_PREFIX "NoSuchVersion",
	[FAILURE_NO_IMAGE] = FAILURE_PREFIX "NoImage",
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
	[FAILURE_FAILED] = FAILURE_PREFIX "Failed",
	[FAILURE_PINNED] = FAILURE_PREFIX "Pinned",
	[FAILURE_FORBIDDEN] = FAILURE_PREFIX "Forbidden",
	[FAILURE_INTERRUPTED] = FAILURE_PREFIX "Interrupted",
	[FAILURE_REFUSED] = FAILURE_PREFIX "Refused",
	[FAILURE_MISMATCH] = FAILURE_PREFIX "Mismatch",
	[FAILURE_UNKNOWN] = FAILURE_PREFIX "Unknown",
	[FAILURE_CONFIG] = FAILURE_PREFIX "Config",
	[FAILURE_LIMIT] = FAILURE_PREFIX "Limit",
};

STRING_TABLE_TO(failure, enum failure, names)
STRING_TABLE_FROM(failure, enum failure, names)

enum failure failure_from_reason(enum tdxupd_reason reason)
{
	static const enum failure failures[_TDXUPD_REASON_MAX] = {
		[TDXUPD_REASON_NONE] = FAILURE_NONE,
		[TDXUPD_REASON_LOST] = FAILURE_LOST,
		[TDXUPD_REASON_UNSUPPORTED] = FAILURE_UNSUPPORTED,
		[TDXUPD_REASON_EXHAUSTED] = FAILURE_EXHAUSTED,
		[TDXUPD_REASON_HELD] = FAILURE_HELD,
		[TDXUPD_REASON_FAILED] = FAILURE_FAILED,
		[TDXUPD_REASON_PINNED] = FAILURE_PINNED,
		[TDXUPD_REASON_FORBIDDEN] = FAILURE_FORBIDDEN,
		[TDXUPD_REASON_UNTRUSTED] = FAILURE_UNTRUSTED,
		[TDXUPD_REASON_REFUSED] = FAILURE_NO_PATH,
		[TDXUPD_REASON_NO_IMAGE] = FAILURE_NO_IMAGE,
	};

	if (reason < 0 || reason >= _TDXUPD_REASON_MAX)
		return FAILURE_UNKNOWN;
	return failures[reason];
}

enum failure failure_from_report(const struct tdxupd_report *report, char **ret_detail)
{
	const struct tdxupd_verdict *verdict = NULL;
	enum tdxupd_reason reason = report_get_reason(report, &verdict);

	if (verdict)
		*ret_detail = tdxupd_verdict_format(verdict);
	return failure_from_reason(reason);
}

enum failure failure_from_plan(const struct tdxupd_plan *plan, char **ret_detail)
{
	bool is_wanted = tdxupd_version_compare(&plan->from, &plan->to) != 0;

	if (ret_detail &&
	    asprintf(ret_detail, "%s%s%s", plan->why ? plan->why : "",
		     plan->advice ? ". " : "", plan->advice ? plan->advice : "") < 0)
		*ret_detail = NULL;
	if (plan->reason == TDXUPD_REASON_NO_IMAGE && is_wanted)
		return FAILURE_NO_SUCH_VERSION;
	return failure_from_reason(plan->reason);
}
