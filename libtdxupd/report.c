// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Lists of verdicts: what was found against an update, in the order of enum tdxupd_check.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "tdxupd.h"
#include "util.h"

#define VERDICTS_FIRST 8

struct tdxupd_report {
	size_t count;
	size_t size;
	struct tdxupd_verdict *verdicts;
};

char *report_describe(const struct tdxupd_verdict *verdict)
{
	const struct tdxupd_check_info *info = tdxupd_check_describe(verdict->check);
	bool has_both = *verdict->found && *verdict->wanted;
	/* "cannot be ruled out: a CPU is offline" is no statement that one is. */
	const char *doubt = verdict->severity == TDXUPD_SEVERITY_UNKNOWN
				    ? "cannot be ruled out: "
				    : "";
	char *text;
	int n;

	if (!info)
		return NULL;
	n = asprintf(&text, "%s%s%s%s%s%s%s%s", doubt, info->title,
		     *verdict->found || *verdict->wanted ? ": " : "",
		     has_both ? "found " : "", verdict->found, has_both ? ", " : "",
		     *verdict->wanted ? "wanted " : "", verdict->wanted);
	return n < 0 ? NULL : text;
}

_public_ char *tdxupd_verdict_format(const struct tdxupd_verdict *verdict)
{
	_cleanup_(cleanup_free)
	char *described = verdict ? report_describe(verdict) : NULL;
	char *text;

	if (!described || asprintf(&text, "%s. %s", described,
				   tdxupd_check_describe(verdict->check)->advice) < 0)
		return NULL;
	return text;
}

_public_ int tdxupd_report_new(struct tdxupd_report **ret)
{
	struct tdxupd_report *report;

	if (!ret)
		return -EINVAL;
	report = calloc(1, sizeof(*report));
	if (!report)
		return -ENOMEM;
	*ret = report;
	return 0;
}

_public_ struct tdxupd_report *tdxupd_report_free(struct tdxupd_report *report)
{
	if (report)
		free(report->verdicts);
	free(report);
	return NULL;
}

static bool is_equal(const struct tdxupd_verdict *a, const struct tdxupd_verdict *b)
{
	return a->check == b->check && a->severity == b->severity &&
	       strcmp(a->found, b->found) == 0 && strcmp(a->wanted, b->wanted) == 0;
}

/* Behind those of the same check, so that they keep the order in which they came. */
static int insert(struct tdxupd_report *report, const struct tdxupd_verdict *verdict)
{
	size_t at = report->count;

	for (size_t i = 0; i < report->count; i++)
		if (is_equal(&report->verdicts[i], verdict))
			return 0;
	if (report->count == report->size) {
		size_t size = report->size ? report->size * 2 : VERDICTS_FIRST;
		struct tdxupd_verdict *more =
			reallocarray(report->verdicts, size, sizeof(*more));

		if (!more)
			return -ENOMEM;
		report->verdicts = more;
		report->size = size;
	}
	while (at > 0 && report->verdicts[at - 1].check > verdict->check)
		at--;
	memmove(&report->verdicts[at + 1], &report->verdicts[at],
		(report->count - at) * sizeof(*verdict));
	report->verdicts[at] = *verdict;
	report->count++;
	return 0;
}

_public_ int tdxupd_report_add(struct tdxupd_report *report, enum tdxupd_check check,
			       enum tdxupd_severity severity, const char *found,
			       const char *wanted)
{
	struct tdxupd_verdict verdict = { .check = check, .severity = severity };

	if (!report || !tdxupd_check_describe(check) ||
	    !tdxupd_severity_to_string(severity))
		return -EINVAL;
	text_make_printable(verdict.found, sizeof(verdict.found), found);
	text_make_printable(verdict.wanted, sizeof(verdict.wanted), wanted);
	return insert(report, &verdict);
}

_public_ int tdxupd_report_merge(struct tdxupd_report *report,
				 const struct tdxupd_report *from)
{
	if (!report || !from)
		return -EINVAL;
	if (report == from)
		return 0;
	for (size_t i = 0; i < from->count; i++) {
		int rc = insert(report, &from->verdicts[i]);

		if (rc < 0)
			return rc;
	}
	return 0;
}

_public_ size_t tdxupd_report_count(const struct tdxupd_report *report)
{
	return report ? report->count : 0;
}

_public_ const struct tdxupd_verdict *
tdxupd_report_get(const struct tdxupd_report *report, size_t i)
{
	if (!report || i >= report->count)
		return NULL;
	return &report->verdicts[i];
}

_public_ bool tdxupd_report_has(const struct tdxupd_report *report,
				enum tdxupd_check check)
{
	for (size_t i = 0; report && i < report->count; i++)
		if (report->verdicts[i].check == check)
			return true;
	return false;
}

/* No report is no evidence: it does not pass. */
_public_ bool tdxupd_report_is_passed(const struct tdxupd_report *report)
{
	if (!report)
		return false;
	for (size_t i = 0; i < report->count; i++)
		if (report->verdicts[i].severity != TDXUPD_SEVERITY_WARN)
			return false;
	return true;
}

enum tdxupd_reason report_get_reason(const struct tdxupd_report *report,
				     const struct tdxupd_verdict **ret)
{
	enum tdxupd_reason gravest = TDXUPD_REASON_NONE;

	for (size_t i = 0; report && i < report->count; i++) {
		const struct tdxupd_verdict *verdict = &report->verdicts[i];
		enum tdxupd_reason reason = tdxupd_check_get_reason(verdict->check);

		if (verdict->severity == TDXUPD_SEVERITY_WARN)
			continue;
		if (reason == TDXUPD_REASON_LOST &&
		    verdict->severity == TDXUPD_SEVERITY_UNKNOWN)
			reason = TDXUPD_REASON_REFUSED;
		if (gravest != TDXUPD_REASON_NONE && reason >= gravest)
			continue;
		gravest = reason;
		if (ret)
			*ret = verdict;
	}
	return gravest;
}
