/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PLAN_RECORD_H
#define PLAN_RECORD_H

#include "tdxupd.h"

/* What records tell beside a plan: informs, decides nothing. */
void plan_set_records(struct tdxupd_plan *plan, const struct tdxupd_host *host,
		      const struct tdxupd_catalog *catalog);

#endif
