/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef REPORT_H
#define REPORT_H

#include "tdxupd.h"

/*
 * What the verdicts that refuse amount to, the gravest first; of equals the first speaks.
 * @ret: that verdict, left alone where nothing refuses; may be NULL. A doubt whether TDX
 * is lost is a refusal, and no loss.
 */
enum tdxupd_reason report_get_reason(const struct tdxupd_report *report,
				     const struct tdxupd_verdict **ret);
/* A verdict as tdxupd_verdict_format() has it, without full stop and advice. Newly
 * allocated; NULL: no memory. */
char *report_describe(const struct tdxupd_verdict *verdict);

#endif
