// SPDX-License-Identifier: LGPL-2.1-or-later
#include <string.h>

#include "facts.h"
#include "image-need.h"
#include "test.h"
#include "util.h"

struct scene {
	struct tdxupd_host *host;
	struct tdxupd_catalog *catalog;
	struct tdxupd_policy *policy;
};

/* What runs is 1.5.08; an older and two newer ones, and one of another series. */
static struct scene scene_new(void)
{
	struct scene scene = { .host = facts_host(), .catalog = facts_catalog(16) };

	scene.host->module_version = facts_version("1.5.08");
	facts_add(scene.catalog, "1.5.06");
	facts_add(scene.catalog, "1.5.08");
	facts_add(scene.catalog, "1.5.13");
	facts_add(scene.catalog, "1.5.16");
	facts_add(scene.catalog, "2.0.08");
	assert_int_equal(tdxupd_policy_new(&scene.policy), 0);
	return scene;
}

/* The versions that are needed. */
static void assert_needed(struct scene *scene, const struct image_range *ranges,
			  size_t count, const char *expected)
{
	struct tdxupd_plan *plan = NULL;
	char text[256] = "", version[TDXUPD_VERSION_TEXT_BYTES];

	assert_int_equal(
		tdxupd_plan_new(scene->host, scene->catalog, scene->policy, NULL, &plan),
		0);
	for (size_t i = 0; i < plan->candidate_count; i++) {
		if (!image_is_needed(plan, i, scene->host, scene->policy, ranges, count))
			continue;
		if (*text)
			strcat(text, " ");
		strcat(text, tdxupd_version_format(&plan->candidates[i].entry->version,
						   version));
	}
	assert_string_equal(text, expected);
	tdxupd_plan_free(plan);
}

static void scene_done(struct scene *scene)
{
	free(scene->host);
	facts_catalog_free(scene->catalog);
	tdxupd_policy_free(scene->policy);
}

static void test_what_runs_and_what_is_newer_is_needed(void **state)
{
	struct scene scene = scene_new();

	(void)state;
	assert_needed(&scene, NULL, 0, "1.5.08 1.5.13 1.5.16");
	scene_done(&scene);
}

/* What is in the way today is gone tomorrow. */
static void test_what_cannot_be_loaded_today_is_needed(void **state)
{
	struct scene scene = scene_new();

	(void)state;
	scene.host->remaining_updates = 0;
	assert_needed(&scene, NULL, 0, "1.5.08 1.5.13 1.5.16");
	scene.host->remaining_updates = 12;
	assert_int_equal(tdxupd_policy_block(scene.policy, "1.5.16"), 0);
	assert_int_equal(tdxupd_report_add(scene.catalog->entries[3].report,
					   TDXUPD_CHECK_BLOCKED, TDXUPD_SEVERITY_REFUSE,
					   "1.5.16", NULL),
			 0);
	assert_needed(&scene, NULL, 0, "1.5.08 1.5.13 1.5.16");
	scene_done(&scene);
}

/* A damaged one, or one for another CPU, never is. */
static void test_what_can_never_be_loaded_is_not_needed(void **state)
{
	struct scene scene = scene_new();

	(void)state;
	assert_int_equal(tdxupd_report_add(scene.catalog->entries[2].report,
					   TDXUPD_CHECK_HASH_MISMATCH,
					   TDXUPD_SEVERITY_REFUSE, "x", NULL),
			 0);
	scene.catalog->entries[3].image->cpus[0] = 0xA06D0;
	scene.catalog->entries[3].image->cpu_count = 1;
	assert_needed(&scene, NULL, 0, "1.5.08");
	scene_done(&scene);
}

static void test_jobs_need_what_they_lead_through(void **state)
{
	struct scene scene = scene_new();
	const struct tdxupd_version from = facts_version("1.5.08"),
				    to = facts_version("1.5.06");
	struct image_range range = { 0 };

	(void)state;
	image_range_add(&range, &from);
	image_range_add(&range, &to);
	assert_needed(&scene, &range, 1, "1.5.06 1.5.08 1.5.13 1.5.16");
	scene_done(&scene);
}

static void test_a_pin_needs_its_image(void **state)
{
	struct scene scene = scene_new();

	(void)state;
	scene.policy->has_pin = true;
	scene.policy->pin = facts_version("1.5.06");
	assert_needed(&scene, NULL, 0, "1.5.06 1.5.08 1.5.13 1.5.16");
	scene_done(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_runs_and_what_is_newer_is_needed),
		cmocka_unit_test(test_what_cannot_be_loaded_today_is_needed),
		cmocka_unit_test(test_what_can_never_be_loaded_is_not_needed),
		cmocka_unit_test(test_jobs_need_what_they_lead_through),
		cmocka_unit_test(test_a_pin_needs_its_image),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
