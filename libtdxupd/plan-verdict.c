// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Where a host stands, in one word: there is an update, there is nothing to do, or what
 * is in the way. Every answer of every verb comes from here, so that "nothing to do" has
 * one meaning: what runs is at least as new as every image here that is for this host and
 * may be used, and none that is newer is left out because it is held, has failed or
 * another version is pinned. Where no image could be judged, nobody knows whether that is
 * so.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "compat.h"
#include "plan-advice.h"
#include "plan-verdict.h"
#include "policy.h"
#include "report.h"
#include "util.h"

/* ---- one candidate ---- */

static bool is_live(const struct graph_facts *facts)
{
	return facts->host->state == TDXUPD_TDX_LIVE;
}

static bool is_version(const struct tdxupd_candidate *candidate,
		       const struct tdxupd_version *version)
{
	return candidate->entry->has_version &&
	       tdxupd_version_compare(&candidate->entry->version, version) == 0;
}

static bool is_of_series(const struct graph_facts *facts,
			 const struct tdxupd_entry *entry)
{
	return entry->has_version &&
	       entry->version.major == facts->running.version.major &&
	       entry->version.minor == facts->running.version.minor;
}

static bool can_be_taken(const struct tdxupd_candidate *candidate)
{
	return candidate->state == TDXUPD_CANDIDATE_OFFERED ||
	       candidate->state == TDXUPD_CANDIDATE_REACHABLE;
}

/* Known to be for another CPU; where that is unknown it may be for this one. */
static bool is_for_other_cpu(const struct tdxupd_report *report)
{
	for (size_t i = 0; i < tdxupd_report_count(report); i++) {
		const struct tdxupd_verdict *verdict = tdxupd_report_get(report, i);

		if (verdict->check == TDXUPD_CHECK_CPU_UNSUPPORTED &&
		    verdict->severity == TDXUPD_SEVERITY_REFUSE)
			return true;
	}
	return false;
}

/* Newer, for this host, and not ruled out by the configuration, which is no news. */
static bool is_progress(const struct graph_facts *facts,
			const struct tdxupd_candidate *candidate)
{
	const struct tdxupd_entry *entry = candidate->entry;

	return is_of_series(facts, entry) && !is_for_other_cpu(candidate->report) &&
	       tdxupd_version_compare(&entry->version, &facts->running.version) > 0 &&
	       !tdxupd_report_has(entry->report, TDXUPD_CHECK_BLOCKED) &&
	       !tdxupd_report_has(entry->report, TDXUPD_CHECK_MRSEAM_NOT_ALLOWED);
}

/* What it says of itself can be believed. */
static bool is_sound(const struct tdxupd_entry *entry)
{
	for (size_t i = 0; i < tdxupd_report_count(entry->report); i++) {
		const struct tdxupd_verdict *verdict =
			tdxupd_report_get(entry->report, i);

		if (verdict->severity != TDXUPD_SEVERITY_WARN &&
		    tdxupd_check_get_reason(verdict->check) == TDXUPD_REASON_UNTRUSTED)
			return false;
	}
	return entry->image;
}

/* An image for this host, of which it is known whether it is newer. */
static bool is_judged(const struct graph_facts *facts,
		      const struct tdxupd_candidate *candidate)
{
	return is_of_series(facts, candidate->entry) && is_sound(candidate->entry) &&
	       !tdxupd_report_has(candidate->report, TDXUPD_CHECK_CPU_UNSUPPORTED);
}

static bool is_copy_of_judged(const struct tdxupd_plan *plan,
			      const struct graph_facts *facts,
			      const struct tdxupd_entry *entry)
{
	for (size_t i = 0; i < plan->candidate_count; i++)
		if (is_judged(facts, &plan->candidates[i]) &&
		    tdxupd_digest_is_equal(&plan->candidates[i].entry->image->mrseam,
					   &entry->image->mrseam))
			return true;
	return false;
}

/* An image that might be for this host, and newer: nothing tells its version. */
static bool is_riddle(const struct tdxupd_plan *plan, const struct graph_facts *facts,
		      const struct tdxupd_candidate *candidate)
{
	const struct tdxupd_entry *entry = candidate->entry;

	return entry->image && !entry->has_version &&
	       compat_may_follow(facts->host, &facts->running, entry->image) &&
	       !is_copy_of_judged(plan, facts, entry);
}

/* ---- of several ---- */

/* Candidates are sorted, so the last one is the newest. NULL: there is none. */
static const struct tdxupd_candidate *find_progress(const struct tdxupd_plan *plan,
						    const struct graph_facts *facts,
						    bool must_be_taken)
{
	for (size_t i = plan->candidate_count; i-- > 0;)
		if (is_progress(facts, &plan->candidates[i]) &&
		    (!must_be_taken || can_be_taken(&plan->candidates[i])))
			return &plan->candidates[i];
	return NULL;
}

static const struct tdxupd_candidate *find_riddle(const struct tdxupd_plan *plan,
						  const struct graph_facts *facts)
{
	for (size_t i = 0; i < plan->candidate_count; i++)
		if (is_riddle(plan, facts, &plan->candidates[i]))
			return &plan->candidates[i];
	return NULL;
}

static bool has_judged(const struct tdxupd_plan *plan, const struct graph_facts *facts)
{
	for (size_t i = 0; i < plan->candidate_count; i++)
		if (is_judged(facts, &plan->candidates[i]))
			return true;
	return false;
}

/* Several files may hold the wanted version; the one that came closest speaks for all. */
static const struct tdxupd_candidate *find_closest(const struct tdxupd_plan *plan,
						   const struct tdxupd_version *version)
{
	const struct tdxupd_candidate *closest = NULL;

	for (size_t i = 0; i < plan->candidate_count; i++) {
		const struct tdxupd_candidate *c = &plan->candidates[i];

		if (!is_version(c, version))
			continue;
		if (can_be_taken(c))
			return c;
		if (!closest ||
		    tdxupd_report_count(c->report) < tdxupd_report_count(closest->report))
			closest = c;
	}
	return closest;
}

/* ---- the word ---- */

static void set_blocked(struct tdxupd_plan *plan, enum tdxupd_reason reason)
{
	plan->result = TDXUPD_PLAN_BLOCKED;
	plan->reason = reason;
}

/* The gravest of what stands against every image and of what stands against this one; of
 * equals the former. @ret: its verdict, NULL where only the graph knows; may be NULL. */
static enum tdxupd_reason find_reason(const struct tdxupd_plan *plan,
				      const struct tdxupd_report *report,
				      const struct tdxupd_verdict **ret)
{
	const struct tdxupd_verdict *of_host = NULL, *of_image = NULL;
	enum tdxupd_reason host = report_get_reason(plan->host_report, &of_host);
	enum tdxupd_reason image = report_get_reason(report, &of_image);
	bool is_host = host != TDXUPD_REASON_NONE &&
		       (image == TDXUPD_REASON_NONE || host <= image);

	if (ret)
		*ret = is_host ? of_host : of_image;
	if (!is_host && image == TDXUPD_REASON_NONE)
		return TDXUPD_REASON_REFUSED;
	return is_host ? host : image;
}

static void set_refused(struct tdxupd_plan *plan, const struct tdxupd_report *report)
{
	set_blocked(plan, find_reason(plan, report, NULL));
}

static void decide_nothing_newer(struct tdxupd_plan *plan,
				 const struct graph_facts *facts)
{
	const struct tdxupd_candidate *riddle = find_riddle(plan, facts);

	if (riddle)
		set_refused(plan, riddle->report);
	else if (has_judged(plan, facts))
		plan->result = TDXUPD_PLAN_CURRENT;
	else
		set_blocked(plan, TDXUPD_REASON_NO_IMAGE);
}

static void decide_newest(struct tdxupd_plan *plan, const struct graph_facts *facts)
{
	const struct tdxupd_candidate *newest = find_progress(plan, facts, true);

	if (newest)
		plan->result = TDXUPD_PLAN_UPDATE;
	else if ((newest = find_progress(plan, facts, false)))
		set_refused(plan, newest->report);
	else
		decide_nothing_newer(plan, facts);
	if (newest)
		plan->to = newest->entry->version;
}

static void decide_named(struct tdxupd_plan *plan, const struct graph_facts *facts,
			 const struct tdxupd_version *version)
{
	const struct tdxupd_candidate *closest = find_closest(plan, version);

	plan->to = *version;
	if (tdxupd_version_compare(version, &plan->from) == 0)
		plan->result = TDXUPD_PLAN_CURRENT;
	else if (policy_is_pinned_elsewhere(facts->policy, version))
		set_blocked(plan, TDXUPD_REASON_PINNED);
	else if (!closest)
		set_blocked(plan, TDXUPD_REASON_NO_IMAGE);
	else if (can_be_taken(closest))
		plan->result = TDXUPD_PLAN_UPDATE;
	else
		set_refused(plan, closest->report);
}

/* Nobody asked for the version that is pinned: where it runs, the pin may keep a newer
 * one away. */
static void decide_pinned(struct tdxupd_plan *plan, const struct graph_facts *facts)
{
	const struct tdxupd_version *pin = &facts->policy->pin;
	const struct tdxupd_candidate *newer;

	if (tdxupd_version_compare(pin, &plan->from) != 0) {
		decide_named(plan, facts, pin);
		return;
	}
	newer = find_progress(plan, facts, false);
	if (newer) {
		plan->to = newer->entry->version;
		set_blocked(plan, TDXUPD_REASON_PINNED);
	} else {
		decide_nothing_newer(plan, facts);
	}
}

void verdict_decide(struct tdxupd_plan *plan, const struct graph_facts *facts,
		    const struct tdxupd_version *named)
{
	plan->from = plan->to = facts->running.version;
	if (!is_live(facts)) {
		if (named || facts->policy->has_pin)
			plan->to = named ? *named : facts->policy->pin;
		set_refused(plan, NULL);
	} else if (named) {
		decide_named(plan, facts, named);
	} else if (facts->policy->has_pin) {
		decide_pinned(plan, facts);
	} else {
		decide_newest(plan, facts);
	}
}

/* ---- the sentence ---- */

static int print(char **ret, const char *format, ...) _printf_(2, 3);
static int print(char **ret, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(ret, format, args);
	va_end(args);
	if (n < 0)
		*ret = NULL;
	return n < 0 ? -ENOMEM : 0;
}

/* The holds that count for plan->to. */
struct holding {
	const struct tdxupd_hold *all;
	const struct tdxupd_hold *one;
};

static struct holding get_holding(const struct tdxupd_plan *plan,
				  const struct graph_facts *facts)
{
	return (struct holding){ .all = policy_find_hold_of_all(facts->policy),
				 .one = policy_find_hold(facts->policy, &plan->to) };
}

static int explain_held(struct tdxupd_plan *plan, const struct graph_facts *facts,
			const char *to)
{
	const struct holding holding = get_holding(plan, facts);
	const struct tdxupd_hold *hold = holding.all ? holding.all : holding.one;
	_cleanup_(cleanup_free)
	char *held = policy_describe(holding.all ? "and all updates are held" : "held",
				     hold->since_usec, hold->by, hold->reason);
	const char *all = holding.all ? "`tdxupdctl unhold all`" : "";
	const char *also = holding.all && holding.one ? " and " : "";
	char one[64] = "";
	int r;

	if (holding.one && holding.one->is_failed)
		snprintf(one, sizeof(one), "`tdxupdctl reset-failed`");
	else if (holding.one)
		snprintf(one, sizeof(one), "`tdxupdctl unhold %s`", to);
	r = held ? print(&plan->why, "%s is here, %s", to, held) : -ENOMEM;
	if (r < 0)
		return r;
	return print(&plan->advice, "%s%s%s: then it can be loaded again.", all, also,
		     one);
}

static int explain_pinned(struct tdxupd_plan *plan, const struct graph_facts *facts,
			  const char *to)
{
	const struct tdxupd_policy *policy = facts->policy;
	char pin[TDXUPD_VERSION_TEXT_BYTES], what[48];
	bool is_there = find_closest(plan, &plan->to);
	_cleanup_(cleanup_free)
	char *pinned = NULL;
	int r;

	snprintf(what, sizeof(what), "%s is pinned",
		 tdxupd_version_format(&policy->pin, pin));
	pinned = policy_describe(what, policy->pin_since_usec, policy->pin_by,
				 policy->pin_reason);
	r = !pinned ? -ENOMEM
		    : print(&plan->why, "%s is %s, and %s", to,
			    is_there ? "here" : "not here", pinned);
	if (r < 0)
		return r;
	return print(&plan->advice,
		     "`tdxupdctl unpin` lets updates go to any version again.");
}

/* Files that are none, by name and what they are; the first few. */
static int list_left_outs(const struct tdxupd_catalog *catalog, char **ret)
{
	char text[256];
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < catalog->left_out && i < 3; i++) {
		int n = snprintf(text + used, sizeof(text) - used, "%s%s (%s)",
				 i ? ", " : "", catalog->left_outs[i].name,
				 catalog->left_outs[i].why);

		if (n < 0 || (size_t)n >= sizeof(text) - used)
			break;
		used += (size_t)n;
	}
	if (catalog->left_out > 3 && used + 8 < sizeof(text))
		strcpy(text + used, ", ...");
	*ret = malloc(sizeof(text));
	if (!*ret)
		return -ENOMEM;
	text_make_printable(*ret, sizeof(text), text);
	return 0;
}

static int explain_none(struct tdxupd_plan *plan, const struct graph_facts *facts)
{
	const struct tdxupd_catalog *catalog = facts->catalog;
	const struct tdxupd_version *running = &facts->running.version;
	_cleanup_(cleanup_free)
	char *left_outs = NULL;
	int r;

	if (catalog->entry_count)
		return print(&plan->why,
			     "no compatible image: none of the %zu here is a sound image "
			     "of series %u.%u for this CPU",
			     catalog->entry_count, running->major, running->minor);
	if (!catalog->left_out)
		return print(&plan->why,
			     "no compatible image: the images directory is empty");
	r = list_left_outs(catalog, &left_outs);
	if (r < 0)
		return r;
	return print(&plan->why,
		     "no compatible image: none of the %zu file%s here is a TDX module "
		     "image: %s",
		     catalog->left_out, catalog->left_out == 1 ? "" : "s", left_outs);
}

static int explain_no_image(struct tdxupd_plan *plan, const struct graph_facts *facts,
			    const char *to)
{
	int r;

	if (tdxupd_version_compare(&plan->to, &plan->from) != 0) {
		r = print(&plan->why, "there is no image of %s here", to);
		return r < 0 ? r : plan_get_advice(plan, facts, &plan->advice);
	}
	r = explain_none(plan, facts);
	if (r < 0)
		return r;
	return print(&plan->advice,
		     "Put the module images for this host into the images directory; "
		     "`tdxupdctl catalog check` says what each file there is.");
}

/* What stands against every image, or else against this one. */
static int explain_refused(struct tdxupd_plan *plan, const struct graph_facts *facts,
			   const char *to)
{
	bool has_riddle = tdxupd_version_compare(&plan->to, &plan->from) == 0;
	const struct tdxupd_candidate *closest =
		has_riddle ? find_riddle(plan, facts) : find_closest(plan, &plan->to);
	const struct tdxupd_verdict *verdict = NULL;
	_cleanup_(cleanup_free)
	char *text = NULL;
	int r;

	(void)find_reason(plan, closest ? closest->report : NULL, &verdict);
	if (verdict && !(text = report_describe(verdict)))
		return -ENOMEM;
	if (!is_live(facts))
		r = print(&plan->why, "%s", text ? text : "no TDX module runs");
	else if (has_riddle && closest)
		r = print(&plan->why, "%s is here: %s", closest->entry->name,
			  text ? text : "nothing tells its version");
	else
		r = print(&plan->why, "%s is here: %s", to,
			  text ? text : "no path leads to it");
	return r < 0 ? r : plan_get_advice(plan, facts, &plan->advice);
}

int verdict_explain(struct tdxupd_plan *plan, const struct graph_facts *facts)
{
	char to[TDXUPD_VERSION_TEXT_BYTES];

	tdxupd_version_format(&plan->to, to);
	switch (plan->reason) {
	case TDXUPD_REASON_HELD:
	case TDXUPD_REASON_FAILED:
		return explain_held(plan, facts, to);
	case TDXUPD_REASON_PINNED:
		return explain_pinned(plan, facts, to);
	case TDXUPD_REASON_NO_IMAGE:
		return explain_no_image(plan, facts, to);
	default:
		return explain_refused(plan, facts, to);
	}
}
