/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FAILURE_H
#define FAILURE_H

#include "tdxupd.h"

/* Why a request or a job came to nothing; each is a D-Bus error and an exit code. */
enum failure {
	FAILURE_NONE,
	FAILURE_NO_SUCH_JOB,
	FAILURE_NO_SUCH_VERSION,
	FAILURE_NO_IMAGE,
	FAILURE_NO_PATH,
	FAILURE_STALE,
	FAILURE_UNSUPPORTED,
	FAILURE_LOST,
	FAILURE_UNTRUSTED,
	FAILURE_EXHAUSTED,
	FAILURE_BUSY,
	FAILURE_EXPIRED,
	FAILURE_CANCELLED,
	FAILURE_HELD,
	FAILURE_FAILED,
	FAILURE_PINNED,
	FAILURE_FORBIDDEN,
	FAILURE_INTERRUPTED,
	FAILURE_REFUSED,
	FAILURE_MISMATCH,
	FAILURE_UNKNOWN,
	FAILURE_CONFIG,
	FAILURE_LIMIT,
	_FAILURE_MAX,
	_FAILURE_INVALID = -22,
};

#define FAILURE_PREFIX "org.tdxupd1.Error."

/* "org.tdxupd1.Error.NoPath"; NULL for FAILURE_NONE and outside the enum. */
const char *failure_to_string(enum failure failure);
enum failure failure_from_string(const char *name);

/* What the library's word for a host amounts to. Pure. */
enum failure failure_from_reason(enum tdxupd_reason reason);
/*
 * What the verdicts that refuse amount to, the gravest first. @ret_detail: the sentence
 * of that verdict, NULL when memory ran out. FAILURE_NONE when nothing refuses.
 */
enum failure failure_from_report(const struct tdxupd_report *report, char **ret_detail);
/* Why a plan is blocked; @ret_detail, may be NULL: in a sentence, with what helps. */
enum failure failure_from_plan(const struct tdxupd_plan *plan, char **ret_detail);

#endif
