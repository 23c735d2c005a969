// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which image, by which path: what compat says of every pair, put together. Pure: reads
 * nothing but its arguments, so that equal facts give equal plans.
 */
#include <errno.h>

#include "compat.h"
#include "plan-graph.h"
#include "plan-id.h"
#include "plan-record.h"
#include "plan-verdict.h"
#include "policy.h"
#include "util.h"

DEFINE_CLEANUP(struct tdxupd_plan, plan, tdxupd_plan_free)

static const char *const candidate_state_table[] = {
	[TDXUPD_CANDIDATE_REFUSED] = "refused",
	[TDXUPD_CANDIDATE_RUNNING] = "running",
	[TDXUPD_CANDIDATE_OLDER] = "older",
	[TDXUPD_CANDIDATE_OFFERED] = "offered",
	[TDXUPD_CANDIDATE_REACHABLE] = "reachable",
};
PUBLIC_STRING_TABLE_TO(tdxupd_candidate_state, enum tdxupd_candidate_state,
		       candidate_state_table)

static const char *const plan_result_table[] = {
	[TDXUPD_PLAN_UPDATE] = "update",
	[TDXUPD_PLAN_CURRENT] = "current",
	[TDXUPD_PLAN_BLOCKED] = "blocked",
};
PUBLIC_STRING_TABLE_TO(tdxupd_plan_result, enum tdxupd_plan_result, plan_result_table)

/* What a plan is made from. @falling: NULL unless an older target is asked for. */
struct planning {
	struct graph_facts facts;
	const struct tdxupd_version *target;
	uint32_t budget;
	struct graph *rising;
	struct graph *falling;
};

static void planning_done(struct planning *planning)
{
	graph_free(planning->rising);
	graph_free(planning->falling);
}

_public_ struct tdxupd_plan *tdxupd_plan_free(struct tdxupd_plan *plan)
{
	if (!plan)
		return NULL;
	for (size_t i = 0; plan->candidates && i < plan->candidate_count; i++)
		tdxupd_report_free(plan->candidates[i].report);
	tdxupd_report_free(plan->host_report);
	free(plan->candidates);
	free(plan->steps);
	free(plan->advice);
	free(plan->why);
	free(plan);
	return NULL;
}

static bool is_live(const struct planning *planning)
{
	return planning->facts.host->state == TDXUPD_TDX_LIVE;
}

static int compare_with_running(const struct planning *planning,
				const struct tdxupd_version *version)
{
	return tdxupd_version_compare(version, &planning->facts.running.version);
}

/* ---- candidates ---- */

/* The node by which an entry may be reached at all, the budget aside. */
static const struct graph_node *find_node(const struct planning *planning,
					  const struct tdxupd_entry *entry)
{
	const struct graph_node *node = NULL;

	if (!entry->image || !entry->has_version ||
	    !tdxupd_report_is_passed(entry->report))
		return NULL;
	if (compare_with_running(planning, &entry->version) > 0)
		node = graph_find(planning->rising, &entry->version);
	else if (planning->falling &&
		 tdxupd_version_compare(&entry->version, planning->target) == 0)
		node = graph_find(planning->falling, &entry->version);
	return node && node->distance > 0 ? node : NULL;
}

static enum tdxupd_candidate_state get_state(const struct planning *planning,
					     const struct tdxupd_plan *plan,
					     const struct tdxupd_entry *entry,
					     const struct tdxupd_report *report)
{
	const struct graph_node *node;

	if (is_live(planning) && entry->has_version &&
	    compare_with_running(planning, &entry->version) == 0)
		return TDXUPD_CANDIDATE_RUNNING;
	if (!is_live(planning) || !tdxupd_report_is_passed(plan->host_report))
		return TDXUPD_CANDIDATE_REFUSED;
	node = find_node(planning, entry);
	if (node && node->distance <= planning->budget)
		return node->distance == 1 ? TDXUPD_CANDIDATE_OFFERED
					   : TDXUPD_CANDIDATE_REACHABLE;
	if (!node && entry->has_version && tdxupd_report_is_passed(report))
		return TDXUPD_CANDIDATE_OLDER;
	return TDXUPD_CANDIDATE_REFUSED;
}

/* There is a path and it is too long. */
static int check_budget(const struct planning *planning, const struct tdxupd_entry *entry,
			struct tdxupd_report *report)
{
	const struct graph_node *node = find_node(planning, entry);
	char found[48], wanted[48];

	if (!node || node->distance == 1 || node->distance <= planning->budget)
		return 0;
	snprintf(found, sizeof(found), "%u may be used up", planning->budget);
	snprintf(wanted, sizeof(wanted), "%u updates in a row", node->distance);
	return tdxupd_report_add(report, TDXUPD_CHECK_UPDATES_EXHAUSTED,
				 TDXUPD_SEVERITY_REFUSE, found, wanted);
}

static int judge(const struct planning *planning, const struct tdxupd_plan *plan,
		 const struct tdxupd_entry *entry, struct tdxupd_candidate *candidate)
{
	const struct graph_facts *facts = &planning->facts;
	const struct tdxupd_hold *hold;
	int r;

	candidate->entry = entry;
	r = tdxupd_report_new(&candidate->report);
	if (r == 0)
		r = tdxupd_report_merge(candidate->report, entry->report);
	if (r == 0 && is_live(planning))
		r = tdxupd_compat_check_image(facts->host, &facts->running, entry,
					      facts->policy, candidate->report);
	hold = entry->has_version ? policy_find_hold(facts->policy, &entry->version)
				  : NULL;
	if (r == 0 && hold)
		r = policy_report_hold(hold, candidate->report);
	if (r == 0 && is_live(planning))
		r = check_budget(planning, entry, candidate->report);
	if (r == 0)
		candidate->state = get_state(planning, plan, entry, candidate->report);
	return r;
}

static int judge_all(const struct planning *planning, struct tdxupd_plan *plan)
{
	const struct tdxupd_catalog *catalog = planning->facts.catalog;
	int r = 0;

	plan->candidates = calloc(catalog->entry_count ? catalog->entry_count : 1,
				  sizeof(*plan->candidates));
	if (!plan->candidates)
		return -ENOMEM;
	plan->candidate_count = catalog->entry_count;
	for (size_t i = 0; r == 0 && i < catalog->entry_count; i++)
		r = judge(planning, plan, &catalog->entries[i], &plan->candidates[i]);
	return r;
}

/* ---- decision ---- */

static int set_steps(const struct planning *planning, struct tdxupd_plan *plan)
{
	const struct graph *graph = compare_with_running(planning, &plan->to) > 0
					    ? planning->rising
					    : planning->falling;

	return graph_get_path(graph, graph_find(graph, &plan->to),
			      planning->facts.policy->strategy, planning->budget,
			      &plan->steps, &plan->step_count);
}

static int decide(const struct planning *planning, struct tdxupd_plan *plan,
		  const struct tdxupd_version *named)
{
	verdict_decide(plan, &planning->facts, named);
	switch (plan->result) {
	case TDXUPD_PLAN_UPDATE:
		return set_steps(planning, plan);
	case TDXUPD_PLAN_BLOCKED:
		return verdict_explain(plan, &planning->facts);
	default:
		return 0;
	}
}

static bool is_step(const struct tdxupd_plan *plan, size_t candidate)
{
	for (size_t i = 0; i < plan->step_count; i++)
		if (plan->steps[i] == candidate)
			return true;
	return false;
}

/* A pin leaves what runs, the pinned one, and what lies on the way there. */
static int rule_out_others(const struct planning *planning, struct tdxupd_plan *plan)
{
	const struct tdxupd_policy *policy = planning->facts.policy;
	int r = 0;

	for (size_t i = 0; r == 0 && i < plan->candidate_count; i++) {
		struct tdxupd_candidate *candidate = &plan->candidates[i];
		const struct tdxupd_entry *entry = candidate->entry;

		if (!entry->has_version || is_step(plan, i) ||
		    candidate->state == TDXUPD_CANDIDATE_RUNNING ||
		    !policy_is_pinned_elsewhere(policy, &entry->version))
			continue;
		candidate->state = TDXUPD_CANDIDATE_REFUSED;
		r = policy_report_pin(policy, candidate->report);
	}
	return r;
}

static int search(struct planning *planning)
{
	int r = graph_new(&planning->facts, false, &planning->rising);

	if (r == 0 && planning->target &&
	    compare_with_running(planning, planning->target) < 0)
		r = graph_new(&planning->facts, true, &planning->falling);
	return r;
}

_public_ int tdxupd_plan_new(const struct tdxupd_host *host,
			     const struct tdxupd_catalog *catalog,
			     const struct tdxupd_policy *policy,
			     const struct tdxupd_version *target,
			     struct tdxupd_plan **ret)
{
	_cleanup_(cleanup_plan)
	struct tdxupd_plan *plan = NULL;
	_cleanup_(planning_done)
	struct planning planning = {
		.facts = { .host = host, .catalog = catalog, .policy = policy },
		.target = target,
	};
	int r;

	if (!host || !catalog || !policy || !ret)
		return -EINVAL;
	if (!target && policy->has_pin)
		planning.target = &policy->pin;
	plan = calloc(1, sizeof(*plan));
	if (!plan)
		return -ENOMEM;
	tdxupd_compat_running(host, catalog, &planning.facts.running);
	planning.budget = compat_get_budget(host, policy);
	r = tdxupd_report_new(&plan->host_report);
	if (r == 0)
		r = tdxupd_compat_check_host(host, policy, 1, plan->host_report)
			    ?: compat_check_running(&planning.facts.running,
						    plan->host_report);
	if (r == 0)
		r = search(&planning);
	if (r == 0)
		r = judge_all(&planning, plan);
	if (r == 0)
		r = decide(&planning, plan, target);
	if (r == 0)
		r = rule_out_others(&planning, plan);
	if (r == 0)
		r = plan_set_id(plan, host, catalog, policy, target);
	plan->running = planning.facts.running;
	plan_set_records(plan, host, catalog);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(plan);
	return 0;
}
