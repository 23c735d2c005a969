// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Where no path leads: what would open one. Each thing that an administrator can do is
 * tried out on the same graph, from the least trouble to the most.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "compat.h"
#include "plan-advice.h"
#include "policy.h"
#include "util.h"

/* What is held against the running module's own image. */
#define RUNNING_BITS                                                             \
	(CHECK_BIT(TDXUPD_CHECK_SVN_MAJOR) | CHECK_BIT(TDXUPD_CHECK_SVN_LOWER) | \
	 CHECK_BIT(TDXUPD_CHECK_HANDOFF_RANGE))

#define SEAMLDR_BIT CHECK_BIT(TDXUPD_CHECK_SEAMLDR_TOO_OLD)

/* What does not matter to a module that is loaded at boot. */
#define BOOT_BITS                                                                \
	(CHECK_BIT(TDXUPD_CHECK_SVN_MAJOR) | CHECK_BIT(TDXUPD_CHECK_SVN_LOWER) | \
	 CHECK_BIT(TDXUPD_CHECK_HANDOFF_RANGE) |                                 \
	 CHECK_BIT(TDXUPD_CHECK_MODULE_TOO_OLD) |                                \
	 CHECK_BIT(TDXUPD_CHECK_SERIES_MISMATCH) |                               \
	 CHECK_BIT(TDXUPD_CHECK_FEATURES_LOST))

struct advice {
	const struct tdxupd_plan *plan;
	struct graph_facts facts;
	bool is_falling;
};

DEFINE_CLEANUP(struct graph, graph, graph_free)

static int copy(const char *text, char **ret)
{
	*ret = strdup(text);
	return *ret ? 0 : -ENOMEM;
}

static const struct tdxupd_verdict *find_refusal(const struct tdxupd_report *report)
{
	for (size_t i = 0; i < tdxupd_report_count(report); i++) {
		const struct tdxupd_verdict *verdict = tdxupd_report_get(report, i);

		if (verdict->severity != TDXUPD_SEVERITY_WARN)
			return verdict;
	}
	return NULL;
}

/* Return: 1 and updates to plan->to with @ignored checks passed, 0 no path, -ENOMEM. */
static int try_without(const struct advice *advice, uint64_t ignored, uint32_t *ret)
{
	_cleanup_(cleanup_graph)
	struct graph *graph = NULL;
	struct graph_facts facts = advice->facts;
	const struct graph_node *node;
	int r;

	facts.ignored = ignored;
	r = graph_new(&facts, advice->is_falling, &graph);
	if (r < 0)
		return r;
	node = graph_find(graph, &advice->plan->to);
	if (!node || node->distance == 0)
		return 0;
	*ret = node->distance;
	return 1;
}

/* The highest that any release up to the target asks of a loader like this one. */
static const struct tdxupd_version *get_seamldr(const struct advice *advice)
{
	const struct tdxupd_catalog *catalog = advice->facts.catalog;
	const struct tdxupd_release *release =
		tdxupd_catalog_find_release(catalog, &advice->plan->to);
	const struct tdxupd_version *best = NULL;

	for (size_t i = 0; release && i < release->min_seamldr_count; i++) {
		const struct tdxupd_version *min = &release->min_seamldr_versions[i];

		if (!best || min->major == advice->facts.host->seamldr_version.major)
			best = min;
	}
	return best;
}

static int advise_seamldr(const struct advice *advice, const char *to, uint32_t updates,
			  char **ret)
{
	const struct tdxupd_version *min = get_seamldr(advice);
	char version[TDXUPD_VERSION_TEXT_BYTES];

	if (asprintf(ret,
		     "With P-SEAMLDR %s or newer, from a BIOS or EFI loader, %u update%s "
		     "would lead to %s.",
		     min ? tdxupd_version_format(min, version) : "of another series",
		     updates, updates == 1 ? "" : "s", to) < 0)
		return -ENOMEM;
	return 0;
}

static int advise_budget(const struct advice *advice, const char *to, uint32_t updates,
			 char **ret)
{
	uint32_t budget = compat_get_budget(advice->facts.host, advice->facts.policy);

	if (asprintf(ret,
		     "%u update%s would lead to %s and %u may be used up: reboot, which "
		     "empties the log of updates, or lower ReserveUpdates=.",
		     updates, updates == 1 ? "" : "s", to, budget) < 0)
		return -ENOMEM;
	return 0;
}

static int advise_running(const struct advice *advice, const char *to, char **ret)
{
	char from[TDXUPD_VERSION_TEXT_BYTES];

	if (asprintf(
		    ret,
		    "Nothing here tells enough of %s, which runs, to know whether %s may "
		    "follow: put an image of it beside the others, or a record of it "
		    "into /etc/tdxupd/known-modules.d.",
		    tdxupd_version_format(&advice->plan->from, from), to) < 0)
		return -ENOMEM;
	return 0;
}

static int advise_boot(const char *to, char **ret)
{
	if (asprintf(ret,
		     "Load %s at boot: install it where the firmware finds it and "
		     "reboot.",
		     to) < 0)
		return -ENOMEM;
	return 0;
}

static bool has_image(const struct tdxupd_plan *plan)
{
	for (size_t i = 0; i < plan->candidate_count; i++)
		if (plan->candidates[i].entry->has_version &&
		    tdxupd_version_compare(&plan->candidates[i].entry->version,
					   &plan->to) == 0)
			return true;
	return false;
}

static int advise_absent(const char *to, char **ret)
{
	if (asprintf(ret,
		     "There is no image of %s here: put it into the images directory.",
		     to) < 0)
		return -ENOMEM;
	return 0;
}

/* No path whatever one does to the host: the image itself is the trouble. */
static int advise_image(const struct advice *advice, char **ret)
{
	for (size_t i = advice->plan->candidate_count; i-- > 0;) {
		const struct tdxupd_candidate *candidate = &advice->plan->candidates[i];
		const struct tdxupd_verdict *verdict;

		if (tdxupd_version_compare(&candidate->entry->version,
					   &advice->plan->to) != 0)
			continue;
		verdict = find_refusal(candidate->report);
		if (verdict)
			return copy(tdxupd_check_describe(verdict->check)->advice, ret);
	}
	return copy("Look at the reasons of each image.", ret);
}

int plan_get_advice(const struct tdxupd_plan *plan, const struct graph_facts *facts,
		    char **ret)
{
	const struct tdxupd_verdict *verdict = find_refusal(plan->host_report);
	const struct advice advice = {
		.plan = plan,
		.facts = *facts,
		.is_falling = tdxupd_version_compare(&plan->to, &plan->from) < 0,
	};
	char to[TDXUPD_VERSION_TEXT_BYTES];
	uint32_t updates;
	int r;

	if (verdict)
		return copy(tdxupd_check_describe(verdict->check)->advice, ret);
	if (policy_is_pinned_elsewhere(facts->policy, &plan->to))
		return copy(tdxupd_check_describe(TDXUPD_CHECK_PINNED)->advice, ret);
	tdxupd_version_format(&plan->to, to);
	if (!has_image(plan))
		return advise_absent(to, ret);
	r = try_without(&advice, 0, &updates);
	if (r != 0)
		return r < 0 ? r : advise_budget(&advice, to, updates, ret);
	r = try_without(&advice, SEAMLDR_BIT, &updates);
	if (r != 0)
		return r < 0 ? r : advise_seamldr(&advice, to, updates, ret);
	if (!facts->running.has_svn || !facts->running.has_handoff) {
		r = try_without(&advice, RUNNING_BITS, &updates);
		if (r != 0)
			return r < 0 ? r : advise_running(&advice, to, ret);
	}
	r = try_without(&advice, BOOT_BITS, &updates);
	if (r != 0)
		return r < 0 ? r : advise_boot(to, ret);
	return advise_image(&advice, ret);
}
