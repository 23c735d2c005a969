// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>

#include "policy.h"
#include "test.h"

#define INTELS_SIGNER                                      \
	"c8572f548869a0beca19376b81c2dffc2a23b5a5f71da0b8" \
	"7579b43f408daa1a33bad9c149eb56c634f883737968a34c"

static const struct tdxupd_digest one = { { 1 } }, two = { { 2 } };

static int setup(void **state)
{
	struct tdxupd_policy *policy = NULL;

	assert_int_equal(tdxupd_policy_new(&policy), 0);
	*state = policy;
	return 0;
}

static int teardown(void **state)
{
	assert_null(tdxupd_policy_free(*state));
	return 0;
}

static void test_intel_is_trusted_until_nobody_is(void **state)
{
	struct tdxupd_policy *policy = *state;
	struct tdxupd_digest intel;

	assert_int_equal(tdxupd_digest_parse(INTELS_SIGNER, &intel), 0);
	assert_true(tdxupd_policy_is_trusted(policy, &intel));
	assert_false(tdxupd_policy_is_trusted(policy, &one));
	assert_int_equal(tdxupd_policy_trust(policy, &one), 0);
	assert_int_equal(tdxupd_policy_trust(policy, &one), 0);
	assert_int_equal(policy->trusted_signer_count, 2);
	assert_true(tdxupd_policy_is_trusted(policy, &intel));
	assert_true(tdxupd_policy_is_trusted(policy, &one));
	tdxupd_policy_trust_nobody(policy);
	assert_false(tdxupd_policy_is_trusted(policy, &intel));
	assert_false(tdxupd_policy_is_trusted(policy, &one));
	assert_int_equal(tdxupd_policy_trust(policy, &two), 0);
	assert_true(tdxupd_policy_is_trusted(policy, &two));
}

static void test_lists(void **state)
{
	struct tdxupd_policy *policy = *state;
	char text[TDXUPD_DIGEST_TEXT_BYTES];

	assert_true(policy_is_mrseam_allowed(policy, &one));
	assert_int_equal(tdxupd_policy_allow(policy, &two), 0);
	assert_false(policy_is_mrseam_allowed(policy, &one));
	assert_true(policy_is_mrseam_allowed(policy, &two));

	assert_int_equal(tdxupd_policy_block(policy, tdxupd_digest_format(&two, text)),
			 0);
	assert_int_equal(tdxupd_policy_block(policy, "1.5.06"), 0);
	assert_int_equal(tdxupd_policy_block(policy, "1.5.6"), 0);
	assert_int_equal(policy->blocked_version_count, 1);
	assert_true(policy_is_mrseam_blocked(policy, &two));
	assert_false(policy_is_mrseam_blocked(policy, &one));
	assert_true(
		policy_is_version_blocked(policy, &(struct tdxupd_version){ 1, 5, 6 }));
	assert_false(
		policy_is_version_blocked(policy, &(struct tdxupd_version){ 1, 5, 16 }));
	assert_int_equal(tdxupd_policy_block(policy, "1.5"), -EBADMSG);
	assert_int_equal(tdxupd_policy_block(policy, ""), -EBADMSG);
	assert_int_equal(tdxupd_policy_block(policy, NULL), -EINVAL);
}

static void test_a_pin(void **state)
{
	const struct tdxupd_version pin = { 1, 5, 6 }, other = { 1, 5, 16 };
	struct tdxupd_policy *policy = *state;

	assert_false(policy_is_pinned_elsewhere(policy, &pin));
	tdxupd_policy_pin(policy, &pin);
	assert_false(policy_is_pinned_elsewhere(policy, &pin));
	assert_true(policy_is_pinned_elsewhere(policy, &other));
	tdxupd_policy_pin(policy, NULL);
	assert_false(policy_is_pinned_elsewhere(policy, &other));
}

static void test_only_overridable_checks_are_accepted(void **state)
{
	struct tdxupd_policy *policy = *state;

	for (int i = 0; i < _TDXUPD_CHECK_MAX; i++) {
		enum tdxupd_check check = (enum tdxupd_check)i;
		bool can = tdxupd_check_describe(check)->override;

		assert_int_equal(policy_weigh(policy, check, TDXUPD_SEVERITY_REFUSE),
				 TDXUPD_SEVERITY_REFUSE);
		assert_int_equal(tdxupd_policy_accept(policy, check), can ? 0 : -EPERM);
		assert_int_equal(policy_weigh(policy, check, TDXUPD_SEVERITY_REFUSE),
				 can ? TDXUPD_SEVERITY_WARN : TDXUPD_SEVERITY_REFUSE);
		assert_int_equal(policy_weigh(policy, check, TDXUPD_SEVERITY_UNKNOWN),
				 can ? TDXUPD_SEVERITY_WARN : TDXUPD_SEVERITY_UNKNOWN);
	}
	assert_int_equal(tdxupd_policy_accept(policy, _TDXUPD_CHECK_MAX), -EINVAL);
}

static void test_strategies_have_names(void **state)
{
	struct tdxupd_policy *policy = *state;

	assert_int_equal(policy->strategy, TDXUPD_STRATEGY_FEWEST);
	assert_string_equal(tdxupd_strategy_to_string(TDXUPD_STRATEGY_SMALLEST),
			    "smallest");
	assert_int_equal(tdxupd_strategy_from_string("fewest"), TDXUPD_STRATEGY_FEWEST);
	assert_int_equal(tdxupd_strategy_from_string("most"), _TDXUPD_STRATEGY_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_intel_is_trusted_until_nobody_is,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_lists, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_pin, setup, teardown),
		cmocka_unit_test_setup_teardown(test_only_overridable_checks_are_accepted,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_strategies_have_names, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
