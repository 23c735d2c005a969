// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What is to be done, and why nothing else, as JSON.
 */
#include <errno.h>

#include "describe.h"
#include "failure.h"
#include "json.h"

static bool is_version_set(const struct tdxupd_version *version)
{
	return version->major || version->minor || version->update;
}

/* Whether Intel lists the pair; nothing where there is no list. */
static int add_strict_compat(struct json_object *object,
			     enum tdxupd_strict_compat listing)
{
	if (listing == TDXUPD_STRICT_COMPAT_UNKNOWN)
		return 0;
	return json_add_bool(object, "is_strict_compat",
			     listing == TDXUPD_STRICT_COMPAT_LISTED);
}

/* describe_entry() with all verdicts of the candidate, its {state}, and
 * {is_strict_compat} of going there from what runs. */
static int describe_candidate(const struct tdxupd_plan *plan,
			      const struct tdxupd_candidate *candidate,
			      struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	struct json_object *verdicts = NULL;
	int r;

	r = describe_entry(candidate->entry, &object)
		?: json_add_text(object, "state",
				 tdxupd_candidate_state_to_string(candidate->state))
		?: describe_report(candidate->report, &verdicts)
		?: json_add(object, "verdicts", verdicts);
	if (r == 0 && is_version_set(&plan->from))
		r = add_strict_compat(
			object,
			tdxupd_release_strict(candidate->entry->release, &plan->from));
	if (r < 0)
		return r;
	*ret = TAKE_PTR(object);
	return 0;
}

/* The few members of a candidate that tell which bytes a step loads. */
static int describe_step(const struct tdxupd_plan *plan, size_t step,
			 struct json_object **ret)
{
	const struct tdxupd_entry *entry = plan->candidates[plan->steps[step]].entry;
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	_cleanup_(cleanup_json)
	struct json_object *image = NULL;
	int r;

	r = json_new_object(&object) ?: json_add_text(object, "name", entry->name)
		?: describe_version(object, "version", &entry->version);
	if (r == 0 && entry->image)
		r = describe_image(entry->image, &image)
			?: json_add_text(object, "svn", json_get_text(image, "svn"))
			?: json_add_text(object, "mrseam",
					 json_get_text(image, "mrseam"))
			?: json_add_text(object, "build_harm",
					 tdxupd_build_harm_to_string(
						 tdxupd_plan_build_harm(plan, step)));
	if (r == 0)
		r = add_strict_compat(object, tdxupd_plan_strict_compat(plan, step));
	if (r < 0)
		return r;
	*ret = TAKE_PTR(object);
	return 0;
}

static int describe_steps(const struct tdxupd_plan *plan, struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *array = NULL;
	int r = json_new_array(&array);

	for (size_t i = 0; r == 0 && i < plan->step_count; i++) {
		struct json_object *step = NULL;

		r = describe_step(plan, i, &step) ?: json_append(array, step);
	}
	if (r < 0)
		return r;
	*ret = TAKE_PTR(array);
	return 0;
}

static int describe_candidates(const struct tdxupd_plan *plan, struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *array = NULL;
	int r = json_new_array(&array);

	for (size_t i = 0; r == 0 && i < plan->candidate_count; i++) {
		struct json_object *candidate = NULL;

		r = describe_candidate(plan, &plan->candidates[i], &candidate)
			    ?: json_append(array, candidate);
	}
	if (r < 0)
		return r;
	*ret = TAKE_PTR(array);
	return 0;
}

static int add_failure(struct json_object *object, const struct tdxupd_plan *plan)
{
	if (plan->result != TDXUPD_PLAN_BLOCKED)
		return 0;
	return json_add_text(object, "reason", tdxupd_reason_to_string(plan->reason))
		       ?: json_add_text(object, "why", plan->why)
		       ?: json_add_text(object, "failure",
					failure_to_string(failure_from_plan(plan, NULL)));
}

int describe_plan(const struct tdxupd_plan *plan, struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	struct json_object *part = NULL;
	int r;

	r = json_new_object(&object) ?: json_add_text(object, "id", plan->id)
		?: json_add_text(object, "result",
				 tdxupd_plan_result_to_string(plan->result));
	if (r == 0 && is_version_set(&plan->from))
		r = describe_version(object, "from", &plan->from);
	if (r == 0 && is_version_set(&plan->to))
		r = describe_version(object, "to", &plan->to);
	if (r == 0 && is_version_set(&plan->from))
		r = describe_running(plan, &part) ?: json_add(object, "running", part);
	if (r == 0)
		r = describe_steps(plan, &part) ?: json_add(object, "steps", part)
			?: describe_candidates(plan, &part)
			?: json_add(object, "candidates", part)
			?: describe_report(plan->host_report, &part)
			?: json_add(object, "verdicts", part)
			?: json_add_text(object, "advice", plan->advice)
		?: add_failure(object, plan);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(object);
	return 0;
}
