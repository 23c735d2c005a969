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

#endif
