// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What is on record of the running module and of what could follow it: advisories, what
 * ends them, the newest for this CPU, and what each step does to a TD under build.
 */
#include "compat.h"
#include "known-select.h"
#include "known.h"
#include "plan-record.h"
#include "util.h"

static const struct tdxupd_known_module *
find_running(const struct tdxupd_plan *plan, const struct tdxupd_catalog *catalog)
{
	if (plan->running.identity == TDXUPD_IDENTITY_DISPUTED)
		return NULL;
	if (plan->running.has_mrseam)
		return known_find_mrseam(catalog->known, catalog->known_count,
					 &plan->running.mrseam);
	return known_find(catalog->known, catalog->known_count, &plan->running.version);
}

void plan_set_records(struct tdxupd_plan *plan, const struct tdxupd_host *host,
		      const struct tdxupd_catalog *catalog)
{
	const struct tdxupd_known_module *record = find_running(plan, catalog);

	plan->running_record = record;
	plan->newest_record =
		host->state == TDXUPD_TDX_LIVE
			? known_find_newest(catalog->known, catalog->known_count,
					    &plan->running.version, host)
			: NULL;
	for (size_t i = 0; record && i < record->advisory_count; i++)
		plan->fixes[i] =
			known_find_fix(catalog->known, catalog->known_count,
				       &record->version, record->advisories[i], host);
}

_public_ enum tdxupd_build_harm tdxupd_plan_build_harm(const struct tdxupd_plan *plan,
						       size_t step)
{
	struct tdxupd_module_facts from = plan->running, to;

	if (step >= plan->step_count)
		return TDXUPD_BUILD_HARM_UNKNOWN;
	if (step > 0)
		compat_get_facts(plan->candidates[plan->steps[step - 1]].entry, &from);
	compat_get_facts(plan->candidates[plan->steps[step]].entry, &to);
	return tdxupd_compat_build_harm(&from, &to);
}

_public_ enum tdxupd_strict_compat
tdxupd_plan_strict_compat(const struct tdxupd_plan *plan, size_t step)
{
	const struct tdxupd_version *from = &plan->from;

	if (step >= plan->step_count)
		return TDXUPD_STRICT_COMPAT_UNKNOWN;
	if (step > 0)
		from = &plan->candidates[plan->steps[step - 1]].entry->version;
	return tdxupd_release_strict(plan->candidates[plan->steps[step]].entry->release,
				     from);
}
