// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The published images on a machine as there are many: what is offered, and why the rest
 * is not.
 */
#include <errno.h>
#include <unistd.h>

#include "test.h"
#include "facts.h"
#include "realimage.h"

static int images_fd;

static struct tdxupd_plan *make_plan(struct tdxupd_host *host, const char *target,
				     struct tdxupd_catalog **ret_catalog)
{
	struct tdxupd_version version = {};
	struct tdxupd_policy *policy;
	struct tdxupd_plan *plan = NULL;

	if (target)
		version = facts_version(target);
	assert_int_equal(tdxupd_policy_new(&policy), 0);
	assert_int_equal(
		tdxupd_catalog_read(images_fd, ".", NULL, policy, 0, ret_catalog, NULL),
		0);
	assert_int_equal(tdxupd_plan_new(host, *ret_catalog, policy,
					 target ? &version : NULL, &plan),
			 0);
	tdxupd_policy_free(policy);
	return plan;
}

static const struct tdxupd_candidate *find(const struct tdxupd_plan *plan,
					   const char *version)
{
	const struct tdxupd_version wanted = facts_version(version);

	for (size_t i = 0; i < plan->candidate_count; i++)
		if (tdxupd_version_compare(&plan->candidates[i].entry->version,
					   &wanted) == 0)
			return &plan->candidates[i];
	fail_msg("no image of %s", version);
	return NULL;
}

static void test_one_is_offered_and_the_rest_has_reasons(void **state)
{
	static const struct {
		const char *version;
		enum tdxupd_candidate_state state;
		enum tdxupd_check checks[5]; /* up to a 0 */
	} cases[] = {
		{ "1.5.01",
		  TDXUPD_CANDIDATE_REFUSED,
		  { TDXUPD_CHECK_SVN_LOWER, TDXUPD_CHECK_FEATURES_LOST } },
		{ "1.5.05",
		  TDXUPD_CANDIDATE_REFUSED,
		  { TDXUPD_CHECK_SVN_LOWER, TDXUPD_CHECK_FEATURES_LOST } },
		{ "1.5.06", TDXUPD_CANDIDATE_RUNNING, { 0 } },
		{ "1.5.16", TDXUPD_CANDIDATE_OFFERED, { 0 } },
		{ "2.0.02",
		  TDXUPD_CANDIDATE_REFUSED,
		  { TDXUPD_CHECK_CPU_UNSUPPORTED, TDXUPD_CHECK_SVN_MAJOR,
		    TDXUPD_CHECK_SEAMLDR_TOO_OLD, TDXUPD_CHECK_MODULE_TOO_OLD,
		    TDXUPD_CHECK_SERIES_MISMATCH } },
		{ "2.0.05",
		  TDXUPD_CANDIDATE_REFUSED,
		  { TDXUPD_CHECK_CPU_UNSUPPORTED, TDXUPD_CHECK_SVN_MAJOR,
		    TDXUPD_CHECK_SEAMLDR_TOO_OLD, TDXUPD_CHECK_MODULE_TOO_OLD,
		    TDXUPD_CHECK_SERIES_MISMATCH } },
	};
	struct tdxupd_host *host = facts_host();
	struct tdxupd_catalog *catalog;
	struct tdxupd_plan *plan = make_plan(host, NULL, &catalog);
	size_t offered = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct tdxupd_candidate *candidate = find(plan, cases[i].version);

		assert_int_equal(candidate->state, cases[i].state);
		for (size_t j = 0; j < 5 && cases[i].checks[j]; j++)
			assert_true(
				tdxupd_report_has(candidate->report, cases[i].checks[j]));
	}
	for (size_t i = 0; i < plan->candidate_count; i++) {
		const struct tdxupd_candidate *candidate = &plan->candidates[i];

		offered += candidate->state == TDXUPD_CANDIDATE_OFFERED;
		if (candidate->state == TDXUPD_CANDIDATE_REFUSED)
			assert_false(tdxupd_report_is_passed(candidate->report));
	}
	assert_int_equal(offered, 1);
	assert_int_equal(plan->result, TDXUPD_PLAN_UPDATE);
	assert_int_equal(plan->to.update, 16);
	assert_int_equal(plan->step_count, 1);
	tdxupd_plan_free(plan);
	tdxupd_catalog_free(catalog);
	free(host);
}

/* A machine of the next series, with a loader of its own. */
static void test_the_other_series_is_served_too(void **state)
{
	struct tdxupd_host *host = facts_host();
	struct tdxupd_catalog *catalog;
	struct tdxupd_plan *plan;

	(void)state;
	host->module_version = facts_version("2.0.02");
	host->seamldr_version = facts_version("2.0.00");
	host->features0 = UINT64_C(0x22e1f0fbf);
	host->sockets[0].signature = 0xa06d1;
	/* Straight there is not allowed: its minimum is 2.0.04, of which there is no
	 * image here. */
	plan = make_plan(host, NULL, &catalog);
	assert_int_equal(find(plan, "2.0.05")->state, TDXUPD_CANDIDATE_REFUSED);
	assert_true(tdxupd_report_has(find(plan, "2.0.05")->report,
				      TDXUPD_CHECK_MODULE_TOO_OLD));
	assert_int_equal(plan->result, TDXUPD_PLAN_BLOCKED);
	tdxupd_plan_free(plan);
	tdxupd_catalog_free(catalog);
	free(host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_is_offered_and_the_rest_has_reasons),
		cmocka_unit_test(test_the_other_series_is_served_too),
	};

	images_fd = realimage_open_or_skip();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
