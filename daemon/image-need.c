// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What `image vacuum` must not take. An update that is not possible today, because a CPU
 * is offline, no slot is left or a version is held, is one that may be wanted tomorrow.
 */
#include "compat.h"
#include "image-need.h"
#include "policy.h"

void image_range_add(struct image_range *range, const struct tdxupd_version *version)
{
	bool is_empty = !range->low.major && !range->high.major;

	if (is_empty || tdxupd_version_compare(version, &range->low) < 0)
		range->low = *version;
	if (is_empty || tdxupd_version_compare(version, &range->high) > 0)
		range->high = *version;
}

static bool is_in(const struct image_range *ranges, size_t count,
		  const struct tdxupd_version *version)
{
	for (size_t i = 0; i < count; i++)
		if (tdxupd_version_compare(version, &ranges[i].low) >= 0 &&
		    tdxupd_version_compare(version, &ranges[i].high) <= 0)
			return true;
	return false;
}

static bool is_step(const struct tdxupd_plan *plan, size_t candidate)
{
	for (size_t i = 0; i < plan->step_count; i++)
		if (plan->steps[i] == candidate)
			return true;
	return false;
}

/* @passing: what says no to an image and may be another word tomorrow */
static bool has_lasting_refusal(const struct tdxupd_report *report, uint64_t passing)
{
	for (size_t i = 0; i < tdxupd_report_count(report); i++) {
		const struct tdxupd_verdict *verdict = tdxupd_report_get(report, i);

		if (verdict->severity == TDXUPD_SEVERITY_REFUSE &&
		    !(passing & CHECK_BIT(verdict->check)))
			return true;
	}
	return false;
}

static bool is_sound(const struct tdxupd_entry *entry)
{
	const uint64_t policy = CHECK_BIT(TDXUPD_CHECK_BLOCKED) |
				CHECK_BIT(TDXUPD_CHECK_MRSEAM_NOT_ALLOWED);

	return entry->image && !has_lasting_refusal(entry->report, policy);
}

/* For another CPU, or a branch of modules that this host's firmware does not have. */
static bool is_foreign(const struct tdxupd_candidate *candidate)
{
	return tdxupd_report_has(candidate->report, TDXUPD_CHECK_CPU_UNSUPPORTED) ||
	       tdxupd_report_has(candidate->report, TDXUPD_CHECK_SERIES_MISMATCH);
}

static bool is_pinned(const struct tdxupd_policy *policy,
		      const struct tdxupd_version *version)
{
	return policy->has_pin && tdxupd_version_compare(&policy->pin, version) == 0;
}

bool image_is_needed(const struct tdxupd_plan *plan, size_t candidate,
		     const struct tdxupd_host *host, const struct tdxupd_policy *policy,
		     const struct image_range *ranges, size_t count)
{
	const struct tdxupd_candidate *image = &plan->candidates[candidate];
	const struct tdxupd_entry *entry = image->entry;

	if (is_step(plan, candidate) || image->state == TDXUPD_CANDIDATE_RUNNING)
		return true;
	if (!is_sound(entry))
		return false;
	if (!entry->has_version)
		return true;
	if (host->has_mrseam &&
	    tdxupd_digest_is_equal(&host->mrseam, &entry->image->mrseam))
		return true;
	if (is_pinned(policy, &entry->version) || is_in(ranges, count, &entry->version))
		return true;
	return !is_foreign(image) &&
	       tdxupd_version_compare(&entry->version, &plan->from) > 0;
}
