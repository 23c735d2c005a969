// SPDX-License-Identifier: LGPL-2.1-or-later
#include "test.h"
#include "facts.h"

#define NONE    TDXUPD_UPLOAD_ERROR_NONE
#define BUSY    TDXUPD_UPLOAD_ERROR_BUSY
#define INVALID TDXUPD_UPLOAD_ERROR_INVALID
#define SLOTS   TDXUPD_UPLOAD_ERROR_NO_SLOTS
#define OFFLINE TDXUPD_UPLOAD_ERROR_CPU_OFFLINE
#define LOST    TDXUPD_UPLOAD_ERROR_LOST
#define ALREADY TDXUPD_UPLOAD_ERROR_ALREADY
#define OTHER   TDXUPD_UPLOAD_ERROR_OTHER
#define UNSEEN  _TDXUPD_UPLOAD_ERROR_MAX

/* From 1.5.06 with 12 updates left to 1.5.16; @remaining -1: can't be read. */
static void test_outcomes(void **state)
{
	static const struct {
		const char *version;
		int remaining;
		enum tdxupd_upload_error error;
		const char *outcome;
	} cases[] = {
		{ "1.5.16", 11, NONE, "succeeded" },
		{ "1.5.16", 11, UNSEEN, "succeeded" },
		{ "1.5.16", 12, NONE, "unknown" },
		{ "1.5.16", 10, NONE, "unknown" },
		{ "1.5.16", 13, NONE, "unknown" },
		{ "1.5.16", -1, NONE, "unknown" },
		{ "1.5.16", -1, UNSEEN, "unknown" },
		{ "1.5.16", 11, INVALID, "unknown" },
		{ "1.5.16", 11, BUSY, "unknown" },
		{ "1.5.06", 12, NONE, "not-started" },
		{ "1.5.06", 12, UNSEEN, "not-started" },
		{ "1.5.06", 12, ALREADY, "not-started" },
		{ "1.5.06", 12, BUSY, "busy" },
		{ "1.5.06", 12, INVALID, "refused" },
		{ "1.5.06", 12, SLOTS, "refused" },
		{ "1.5.06", 12, OFFLINE, "refused" },
		{ "1.5.06", 12, OTHER, "refused" },
		{ "1.5.06", 12, LOST, "unknown" },
		{ "1.5.06", 11, NONE, "mismatch" },
		{ "1.5.06", 11, UNSEEN, "mismatch" },
		{ "1.5.06", 11, INVALID, "unknown" },
		{ "1.5.06", -1, BUSY, "busy" },
		{ "1.5.06", -1, INVALID, "refused" },
		{ "1.5.06", -1, NONE, "unknown" },
		{ "1.5.06", -1, UNSEEN, "unknown" },
		{ "1.5.08", 11, NONE, "mismatch" },
		{ "1.5.08", 11, UNSEEN, "mismatch" },
		{ "1.5.08", 12, NONE, "unknown" },
		{ "1.5.08", 11, INVALID, "unknown" },
	};
	const struct tdxupd_version target = facts_version("1.5.16");

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tdxupd_host *before = facts_host(), *after = facts_host();
		const struct tdxupd_upload_result result = {
			.state = TDXUPD_UPLOAD_ENDED,
			.error = cases[i].error,
		};
		enum tdxupd_outcome outcome;

		after->module_version = facts_version(cases[i].version);
		after->has_remaining_updates = cases[i].remaining >= 0;
		after->remaining_updates = (uint32_t)cases[i].remaining;
		outcome = tdxupd_confirm(before, after, &target,
					 cases[i].error == UNSEEN ? NULL : &result);
		if (strcmp(tdxupd_outcome_to_string(outcome), cases[i].outcome) != 0)
			fail_msg("case %zu: %s, not %s", i,
				 tdxupd_outcome_to_string(outcome), cases[i].outcome);
		free(before);
		free(after);
	}
}

static void test_states_of_the_host(void **state)
{
	const struct tdxupd_version target = facts_version("1.5.16");
	struct tdxupd_host *before = facts_host(), *after = facts_host();
	struct tdxupd_upload_result result = { .state = TDXUPD_UPLOAD_ENDED };

	(void)state;
	after->state = TDXUPD_TDX_LOST;
	assert_int_equal(tdxupd_confirm(before, after, &target, NULL),
			 TDXUPD_OUTCOME_LOST);
	assert_int_equal(tdxupd_confirm(before, after, &target, &result),
			 TDXUPD_OUTCOME_LOST);
	after->state = TDXUPD_TDX_UNKNOWN;
	assert_int_equal(tdxupd_confirm(before, after, &target, &result),
			 TDXUPD_OUTCOME_UNKNOWN);
	after->state = TDXUPD_TDX_ABSENT;
	assert_int_equal(tdxupd_confirm(before, after, &target, &result),
			 TDXUPD_OUTCOME_UNKNOWN);
	after->state = TDXUPD_TDX_LIVE;
	after->module_version = target;
	after->remaining_updates = 11;
	assert_int_equal(tdxupd_confirm(before, after, &target, &result),
			 TDXUPD_OUTCOME_SUCCEEDED);
	/* The kernel has not finished. */
	result.state = TDXUPD_UPLOAD_RUNNING;
	assert_int_equal(tdxupd_confirm(before, after, &target, &result),
			 TDXUPD_OUTCOME_UNKNOWN);
	/* Another boot: what it loaded says nothing of this update. */
	after->boot_id[0] ^= 1;
	assert_int_equal(tdxupd_confirm(before, after, &target, NULL),
			 TDXUPD_OUTCOME_UNKNOWN);
	free(before);
	free(after);
}

/* Loading the running version again shows in the slots alone. */
static void test_the_same_version_again(void **state)
{
	const struct tdxupd_version target = facts_version("1.5.06");
	struct tdxupd_host *before = facts_host(), *after = facts_host();

	(void)state;
	assert_int_equal(tdxupd_confirm(before, after, &target, NULL),
			 TDXUPD_OUTCOME_NOT_STARTED);
	after->remaining_updates = 11;
	assert_int_equal(tdxupd_confirm(before, after, &target, NULL),
			 TDXUPD_OUTCOME_SUCCEEDED);
	before->remaining_updates = 0;
	after->remaining_updates = UINT32_MAX;
	assert_int_equal(tdxupd_confirm(before, after, &target, NULL),
			 TDXUPD_OUTCOME_UNKNOWN);
	free(before);
	free(after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_outcomes),
		cmocka_unit_test(test_states_of_the_host),
		cmocka_unit_test(test_the_same_version_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
