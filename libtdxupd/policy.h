/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef POLICY_H
#define POLICY_H

#include <stdbool.h>

#include "tdxupd.h"

/* Return: @severity, or WARN where the administrator accepted this check's refusals. */
enum tdxupd_severity policy_weigh(const struct tdxupd_policy *policy,
				  enum tdxupd_check check, enum tdxupd_severity severity);
/* Where nothing is listed as allowed, all is. */
bool policy_is_mrseam_allowed(const struct tdxupd_policy *policy,
			      const struct tdxupd_digest *mrseam);
bool policy_is_mrseam_blocked(const struct tdxupd_policy *policy,
			      const struct tdxupd_digest *mrseam);
bool policy_is_version_blocked(const struct tdxupd_policy *policy,
			       const struct tdxupd_version *version);
/* May no update end at @version? */
bool policy_is_pinned_elsewhere(const struct tdxupd_policy *policy,
				const struct tdxupd_version *version);
/* Why it is pinned, not that it is. */
void policy_forget_pin(struct tdxupd_policy *policy);
/* What holds this very version, or all; NULL: nothing does. */
const struct tdxupd_hold *policy_find_hold(const struct tdxupd_policy *policy,
					   const struct tdxupd_version *version);
const struct tdxupd_hold *policy_find_hold_of_all(const struct tdxupd_policy *policy);
/* HELD or FAILED. */
enum tdxupd_check policy_get_hold_check(const struct tdxupd_hold *hold);
/* Add the verdict of a hold or of the pin, with since when, by whom and why. Return: 0;
 * -ENOMEM. */
int policy_report_hold(const struct tdxupd_hold *hold, struct tdxupd_report *report);
int policy_report_pin(const struct tdxupd_policy *policy, struct tdxupd_report *report);
/*
 * "held since 2026-11-30 18:06 UTC by uid 0: the verifiers", newly allocated; NULL: no
 * memory. @what: "held", "pinned"
 */
char *policy_describe(const char *what, uint64_t since_usec, const char *by,
		      const char *reason);

#endif
