// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>

#include "test.h"
#include "facts.h"

struct scene {
	struct tdxupd_host *host;
	struct tdxupd_catalog *catalog;
	struct tdxupd_policy *policy;
};

static struct scene scene_new(void)
{
	struct scene scene = { .host = facts_host(), .catalog = facts_catalog(16) };

	assert_int_equal(tdxupd_policy_new(&scene.policy), 0);
	return scene;
}

static void scene_done(struct scene *scene)
{
	free(scene->host);
	facts_catalog_free(scene->catalog);
	tdxupd_policy_free(scene->policy);
}

static struct tdxupd_plan *make_plan(const struct scene *scene, const char *target)
{
	struct tdxupd_version version = {};
	struct tdxupd_plan *plan = NULL;

	if (target)
		version = facts_version(target);
	assert_int_equal(tdxupd_plan_new(scene->host, scene->catalog, scene->policy,
					 target ? &version : NULL, &plan),
			 0);
	return plan;
}

/* "1.5.06 1.5.08": the versions of the steps. */
static void assert_steps(const struct tdxupd_plan *plan, const char *expected)
{
	char text[256] = "", version[TDXUPD_VERSION_TEXT_BYTES];

	for (size_t i = 0; i < plan->step_count; i++) {
		const struct tdxupd_entry *entry = plan->candidates[plan->steps[i]].entry;

		if (i)
			strcat(text, " ");
		strcat(text, tdxupd_version_format(&entry->version, version));
	}
	assert_string_equal(text, expected);
}

static void assert_states(const struct tdxupd_plan *plan, const char *expected)
{
	char text[256] = "";

	for (size_t i = 0; i < plan->candidate_count; i++) {
		if (i)
			strcat(text, " ");
		strcat(text, tdxupd_candidate_state_to_string(plan->candidates[i].state));
	}
	assert_string_equal(text, expected);
}

static void test_takes_the_newest_that_passes(void **state)
{
	struct scene scene = scene_new();
	struct tdxupd_plan *plan;

	(void)state;
	facts_add(scene.catalog, "1.5.05")->image->svn = 0x0105;
	facts_add(scene.catalog, "1.5.06");
	facts_add(scene.catalog, "1.5.08");
	facts_add(scene.catalog, "1.5.16");
	facts_add(scene.catalog, "2.0.02");
	plan = make_plan(&scene, NULL);
	assert_int_equal(plan->result, TDXUPD_PLAN_UPDATE);
	assert_steps(plan, "1.5.16");
	assert_states(plan, "refused running offered offered refused");
	assert_int_equal(plan->from.update, 6);
	assert_int_equal(plan->to.update, 16);
	assert_null(plan->advice);
	assert_true(tdxupd_report_is_passed(plan->host_report));
	tdxupd_plan_free(plan);
	scene_done(&scene);
}

static void test_an_older_one_only_when_named(void **state)
{
	struct scene scene = scene_new();
	struct tdxupd_plan *plan;

	(void)state;
	facts_add(scene.catalog, "1.5.05");
	facts_add(scene.catalog, "1.5.06");
	plan = make_plan(&scene, NULL);
	assert_int_equal(plan->result, TDXUPD_PLAN_CURRENT);
	assert_states(plan, "older running");
	assert_int_equal(plan->step_count, 0);
	tdxupd_plan_free(plan);
	plan = make_plan(&scene, "1.5.05");
	assert_int_equal(plan->result, TDXUPD_PLAN_UPDATE);
	assert_steps(plan, "1.5.05");
	assert_states(plan, "offered running");
	tdxupd_plan_free(plan);
	scene_done(&scene);
}

static void test_goes_by_versions_between(void **state)
{
	struct scene scene = scene_new();
	struct tdxupd_plan *plan;

	(void)state;
	facts_add(scene.catalog, "1.5.06");
	facts_add(scene.catalog, "1.5.08");
	facts_add(scene.catalog, "1.5.09");
	facts_release(facts_add(scene.catalog, "1.5.16"))->min_module_version =
		facts_version("1.5.08");
	plan = make_plan(&scene, NULL);
	assert_int_equal(plan->result, TDXUPD_PLAN_UPDATE);
	assert_steps(plan, "1.5.09 1.5.16");
	assert_states(plan, "running offered offered reachable");
	tdxupd_plan_free(plan);

	scene.policy->strategy = TDXUPD_STRATEGY_SMALLEST;
	plan = make_plan(&scene, NULL);
	assert_steps(plan, "1.5.08 1.5.09 1.5.16");
	tdxupd_plan_free(plan);

	/* Smallest steps, and no more of them than may be taken. */
	scene.host->remaining_updates = 2;
	plan = make_plan(&scene, NULL);
	assert_steps(plan, "1.5.08 1.5.16");
	tdxupd_plan_free(plan);
	scene_done(&scene);
}

static void test_a_path_down(void **state)
{
	struct scene scene = scene_new();
	struct tdxupd_plan *plan;

	(void)state;
	scene.host->module_version = facts_version("1.5.16");
	facts_add(scene.catalog, "1.5.06")->image->min_update_hv = 0;
	facts_add(scene.catalog, "1.5.08")->image->module_hv = 0;
	facts_add(scene.catalog, "1.5.16")->image->module_hv = 1;
	scene.catalog->entries[1].image->module_hv = 1;
	scene.catalog->entries[1].image->min_update_hv = 0;
	plan = make_plan(&scene, "1.5.06");
	assert_int_equal(plan->result, TDXUPD_PLAN_BLOCKED);
	tdxupd_plan_free(plan);
	plan = make_plan(&scene, "1.5.08");
	assert_steps(plan, "1.5.08");
	tdxupd_plan_free(plan);
	scene_done(&scene);
}

static void test_the_budget_binds(void **state)
{
	struct scene scene = scene_new();
	struct tdxupd_plan *plan;

	(void)state;
	facts_add(scene.catalog, "1.5.06");
	facts_add(scene.catalog, "1.5.08");
	facts_release(facts_add(scene.catalog, "1.5.16"))->min_module_version =
		facts_version("1.5.08");
	scene.host->remaining_updates = 3;
	scene.policy->reserve_updates = 2;
	plan = make_plan(&scene, NULL);
	assert_int_equal(plan->result, TDXUPD_PLAN_UPDATE);
	assert_steps(plan, "1.5.08");
	assert_true(tdxupd_report_has(plan->candidates[2].report,
				      TDXUPD_CHECK_UPDATES_EXHAUSTED));
	tdxupd_plan_free(plan);
	plan = make_plan(&scene, "1.5.16");
	assert_int_equal(plan->result, TDXUPD_PLAN_BLOCKED);
	assert_string_equal(plan->advice,
			    "2 updates would lead to 1.5.16 and 1 may be used up: "
			    "reboot, which empties the log of updates, or lower "
			    "ReserveUpdates=.");
	tdxupd_plan_free(plan);
	scene_done(&scene);
}

static void test_says_what_would_open_a_path(void **state)
{
	struct scene scene = scene_new();
	struct tdxupd_entry *entry;
	struct tdxupd_plan *plan;

	(void)state;
	facts_add(scene.catalog, "1.5.06");
	entry = facts_add(scene.catalog, "1.5.16");
	facts_release(entry)->min_seamldr_versions[0] = facts_version("1.5.04");
	plan = make_plan(&scene, NULL);
	assert_int_equal(plan->result, TDXUPD_PLAN_BLOCKED);
	assert_string_equal(plan->advice,
			    "With P-SEAMLDR 1.5.04 or newer, from a BIOS "
			    "or EFI loader, 1 update would lead to 1.5.16.");
	assert_int_equal(plan->to.update, 16);
	tdxupd_plan_free(plan);

	facts_release(entry)->min_seamldr_versions[0] = facts_version("1.5.00");
	entry->image->svn = 0x0206;
	plan = make_plan(&scene, NULL);
	assert_string_equal(plan->advice, "Load 1.5.16 at boot: install it where the "
					  "firmware finds it and reboot.");
	tdxupd_plan_free(plan);

	entry->image->svn = 0x0106;
	entry->image->cpus[1] = 0xa06d0;
	plan = make_plan(&scene, NULL);
	assert_int_equal(plan->result, TDXUPD_PLAN_CURRENT);
	tdxupd_plan_free(plan);
	plan = make_plan(&scene, "1.5.16");
	assert_string_equal(plan->advice,
			    tdxupd_check_describe(TDXUPD_CHECK_CPU_UNSUPPORTED)->advice);
	tdxupd_plan_free(plan);

	scene.host->state = TDXUPD_TDX_LOST;
	plan = make_plan(&scene, NULL);
	assert_int_equal(plan->result, TDXUPD_PLAN_BLOCKED);
	assert_string_equal(plan->advice,
			    tdxupd_check_describe(TDXUPD_CHECK_TDX_LOST)->advice);
	tdxupd_plan_free(plan);
	scene_done(&scene);
}

static void test_says_whose_image_is_missing(void **state)
{
	struct scene scene = scene_new();
	struct tdxupd_plan *plan;

	(void)state;
	facts_add(scene.catalog, "1.5.16");
	plan = make_plan(&scene, NULL);
	assert_int_equal(plan->result, TDXUPD_PLAN_BLOCKED);
	assert_string_equal(plan->advice,
			    "Nothing here tells enough of 1.5.06, which runs, to know "
			    "whether 1.5.16 may follow: put an image of it beside the "
			    "others, or a record of it into "
			    "/etc/tdxupd/known-modules.d.");
	tdxupd_plan_free(plan);
	scene_done(&scene);
}

static void test_a_host_that_refuses_offers_nothing(void **state)
{
	struct scene scene = scene_new();
	struct tdxupd_plan *plan;

	(void)state;
	facts_add(scene.catalog, "1.5.06");
	facts_add(scene.catalog, "1.5.16");
	tdxupd_cpuset_parse("0-2", &scene.host->online);
	plan = make_plan(&scene, NULL);
	assert_int_equal(plan->result, TDXUPD_PLAN_BLOCKED);
	assert_states(plan, "running refused");
	assert_true(tdxupd_report_has(plan->host_report, TDXUPD_CHECK_CPU_OFFLINE));
	tdxupd_plan_free(plan);
	/* Where nothing is to be done, nothing is in the way. */
	plan = make_plan(&scene, "1.5.06");
	assert_int_equal(plan->result, TDXUPD_PLAN_CURRENT);
	tdxupd_plan_free(plan);
	scene_done(&scene);
}

static void test_what_is_not_meant_for_this_host_is_no_news(void **state)
{
	struct scene scene = scene_new();
	struct tdxupd_plan *plan;

	(void)state;
	facts_add(scene.catalog, "1.5.06");
	assert_int_equal(tdxupd_report_add(facts_add(scene.catalog, "1.5.16")->report,
					   TDXUPD_CHECK_BLOCKED, TDXUPD_SEVERITY_REFUSE,
					   NULL, NULL),
			 0);
	facts_add(scene.catalog, "2.0.05");
	plan = make_plan(&scene, NULL);
	assert_int_equal(plan->result, TDXUPD_PLAN_CURRENT);
	tdxupd_plan_free(plan);
	plan = make_plan(&scene, "1.5.16");
	assert_int_equal(plan->result, TDXUPD_PLAN_BLOCKED);
	tdxupd_plan_free(plan);
	scene_done(&scene);
}

static void test_no_images_at_all(void **state)
{
	struct scene scene = scene_new();
	struct tdxupd_plan *plan;

	(void)state;
	plan = make_plan(&scene, NULL);
	assert_int_equal(plan->result, TDXUPD_PLAN_BLOCKED);
	assert_int_equal(plan->reason, TDXUPD_REASON_NO_IMAGE);
	tdxupd_plan_free(plan);
	plan = NULL;
	assert_int_equal(tdxupd_plan_new(NULL, scene.catalog, scene.policy, NULL, &plan),
			 -EINVAL);
	assert_null(plan);
	scene_done(&scene);
}

/* An answer like any other, so that the rest is told as well. */
static void test_a_target_that_is_not_there(void **state)
{
	struct scene scene = scene_new();
	struct tdxupd_plan *plan;

	(void)state;
	facts_add(scene.catalog, "1.5.06");
	facts_add(scene.catalog, "1.5.16");
	plan = make_plan(&scene, "1.5.08");
	assert_int_equal(plan->result, TDXUPD_PLAN_BLOCKED);
	assert_int_equal(plan->to.update, 8);
	assert_states(plan, "running offered");
	assert_non_null(strstr(plan->advice, "no image of 1.5.08"));
	tdxupd_plan_free(plan);
	/* What runs need not be there to be current. */
	facts_add(scene.catalog, "1.5.05");
	scene.host->module_version = facts_version("1.5.07");
	plan = make_plan(&scene, "1.5.07");
	assert_int_equal(plan->result, TDXUPD_PLAN_CURRENT);
	assert_null(plan->advice);
	tdxupd_plan_free(plan);
	scene_done(&scene);
}

/* ---- pins ---- */

static struct scene pinned_scene(const char *pin)
{
	struct scene scene = scene_new();
	struct tdxupd_version version = facts_version(pin);

	facts_add(scene.catalog, "1.5.05");
	facts_add(scene.catalog, "1.5.06");
	facts_add(scene.catalog, "1.5.08");
	facts_release(facts_add(scene.catalog, "1.5.09"))->min_module_version =
		facts_version("1.5.08");
	facts_add(scene.catalog, "1.5.16");
	tdxupd_policy_pin(scene.policy, &version);
	return scene;
}

static void assert_pinned(const char *pin, const char *target,
			  enum tdxupd_plan_result result, const char *steps,
			  const char *states, const char *advice)
{
	struct scene scene = pinned_scene(pin);
	struct tdxupd_plan *plan = make_plan(&scene, target);

	assert_int_equal(plan->result, result);
	assert_steps(plan, steps);
	assert_states(plan, states);
	if (advice)
		assert_non_null(strstr(plan->advice, advice));
	else
		assert_null(plan->advice);
	for (size_t i = 0; i < plan->candidate_count; i++) {
		const struct tdxupd_candidate *candidate = &plan->candidates[i];
		char version[TDXUPD_VERSION_TEXT_BYTES];
		bool is_pin =
			strcmp(tdxupd_version_format(&candidate->entry->version, version),
			       pin) == 0;

		assert_int_equal(
			tdxupd_report_has(candidate->report, TDXUPD_CHECK_PINNED),
			!is_pin && candidate->state == TDXUPD_CANDIDATE_REFUSED);
	}
	tdxupd_plan_free(plan);
	scene_done(&scene);
}

static void test_a_pin(void **state)
{
	(void)state;
	/* Not the newest, and what lies on the way may be loaded. */
	assert_pinned("1.5.09", NULL, TDXUPD_PLAN_UPDATE, "1.5.08 1.5.09",
		      "refused running offered reachable refused", NULL);
	assert_pinned("1.5.09", "1.5.09", TDXUPD_PLAN_UPDATE, "1.5.08 1.5.09",
		      "refused running offered reachable refused", NULL);
	/* It stays there, and goes back there. */
	assert_pinned("1.5.06", NULL, TDXUPD_PLAN_BLOCKED, "",
		      "refused running refused refused refused", "unpin");
	assert_pinned("1.5.05", NULL, TDXUPD_PLAN_UPDATE, "1.5.05",
		      "offered running refused refused refused", NULL);
	/* Nowhere else, and not where there is nothing. */
	assert_pinned("1.5.08", "1.5.16", TDXUPD_PLAN_BLOCKED, "",
		      "refused running offered refused refused", "unpin");
	assert_pinned("1.5.77", NULL, TDXUPD_PLAN_BLOCKED, "",
		      "refused running refused refused refused", "no image of 1.5.77");
}

static void test_a_pin_that_cannot_be_reached(void **state)
{
	struct scene scene = pinned_scene("1.5.05");
	struct tdxupd_plan *plan;

	(void)state;
	scene.catalog->entries[0].image->svn = 0x0105;
	plan = make_plan(&scene, NULL);
	assert_int_equal(plan->result, TDXUPD_PLAN_BLOCKED);
	assert_states(plan, "refused running refused refused refused");
	assert_true(
		tdxupd_report_has(plan->candidates[0].report, TDXUPD_CHECK_SVN_LOWER));
	assert_false(tdxupd_report_has(plan->candidates[0].report, TDXUPD_CHECK_PINNED));
	assert_non_null(plan->advice);
	tdxupd_plan_free(plan);
	scene_done(&scene);
}

/* ---- id ---- */

static void assert_id_changes(struct scene *scene, const char *before, bool changes)
{
	struct tdxupd_plan *plan = make_plan(scene, NULL);

	assert_int_equal(strlen(plan->id), TDXUPD_PLAN_ID_BYTES - 1);
	assert_int_equal(strcmp(plan->id, before) != 0, changes);
	tdxupd_plan_free(plan);
}

static void test_the_id_is_of_the_facts(void **state)
{
	struct scene scene = scene_new();
	struct tdxupd_plan *plan;
	char id[TDXUPD_PLAN_ID_BYTES];

	(void)state;
	facts_add(scene.catalog, "1.5.06");
	facts_add(scene.catalog, "1.5.16");
	plan = make_plan(&scene, NULL);
	strcpy(id, plan->id);
	tdxupd_plan_free(plan);
	assert_id_changes(&scene, id, false);
	/* What is the gate's matter is not the plan's. */
	scene.host->has_td_count = true;
	scene.host->td_count = 3;
	scene.host->has_tds_building = true;
	assert_id_changes(&scene, id, false);

	scene.host->remaining_updates--;
	assert_id_changes(&scene, id, true);
	scene.host->remaining_updates++;
	scene.host->has_features0 = false;
	assert_id_changes(&scene, id, true);
	scene.host->has_features0 = true;
	scene.host->boot_id[0] ^= 1;
	assert_id_changes(&scene, id, true);
	scene.host->boot_id[0] ^= 1;
	scene.policy->reserve_updates++;
	assert_id_changes(&scene, id, true);
	scene.policy->reserve_updates--;
	tdxupd_policy_pin(scene.policy, &scene.catalog->entries[1].version);
	assert_id_changes(&scene, id, true);
	tdxupd_policy_pin(scene.policy, NULL);
	scene.catalog->entries[1].image->file_digest.bytes[40] ^= 1;
	assert_id_changes(&scene, id, true);
	scene.catalog->entries[1].image->file_digest.bytes[40] ^= 1;
	facts_release(&scene.catalog->entries[1])->min_seamldr_versions[1].update++;
	assert_id_changes(&scene, id, true);
	facts_release(&scene.catalog->entries[1])->min_seamldr_versions[1].update--;
	assert_id_changes(&scene, id, false);
	plan = make_plan(&scene, "1.5.16");
	assert_string_not_equal(plan->id, id);
	tdxupd_plan_free(plan);
	scene_done(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_takes_the_newest_that_passes),
		cmocka_unit_test(test_an_older_one_only_when_named),
		cmocka_unit_test(test_goes_by_versions_between),
		cmocka_unit_test(test_a_path_down),
		cmocka_unit_test(test_the_budget_binds),
		cmocka_unit_test(test_says_what_would_open_a_path),
		cmocka_unit_test(test_says_whose_image_is_missing),
		cmocka_unit_test(test_a_host_that_refuses_offers_nothing),
		cmocka_unit_test(test_what_is_not_meant_for_this_host_is_no_news),
		cmocka_unit_test(test_no_images_at_all),
		cmocka_unit_test(test_a_target_that_is_not_there),
		cmocka_unit_test(test_a_pin),
		cmocka_unit_test(test_a_pin_that_cannot_be_reached),
		cmocka_unit_test(test_the_id_is_of_the_facts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
