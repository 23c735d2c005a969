/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PLAN_ID_H
#define PLAN_ID_H

#include "tdxupd.h"

/* Fill in plan->id from all that was decided on. Return: 0, -ENOMEM. */
int plan_set_id(struct tdxupd_plan *plan, const struct tdxupd_host *host,
		const struct tdxupd_catalog *catalog, const struct tdxupd_policy *policy,
		const struct tdxupd_version *target);

#endif
