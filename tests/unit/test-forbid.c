// SPDX-License-Identifier: LGPL-2.1-or-later
#include "test.h"
#include "forbid.h"
#include "tree.h"

#define M13                                                \
	"131313131313131313131313131313131313131313131313" \
	"131313131313131313131313131313131313131313131313"
#define M16                                                \
	"161616161616161616161616161616161616161616161616" \
	"161616161616161616161616161616161616161616161616"
#define SIGNER                                             \
	"515151515151515151515151515151515151515151515151" \
	"515151515151515151515151515151515151515151515151"

/*
 * A job from 1.5.06 by 1.5.13 to 1.5.16 with three updates left, asked for under @before.
 * @after: the configuration now; @hold, @pin: NULL or a version
 * @target: what was asked for, NULL: no version
 * @is_planned: has it chosen its way?
 */
static const struct row {
	const char *before;
	const char *after;
	const char *hold;
	const char *pin;
	const char *target;
	bool is_planned;
	enum failure failure;
} table[] = {
	{ "", "", NULL, NULL, NULL, false, FAILURE_NONE },
	{ "", "", NULL, NULL, NULL, true, FAILURE_NONE },
	{ "", "", NULL, NULL, "1.5.16", true, FAILURE_NONE },
	/* holds: of all, of the end, of a step, and of another */
	{ "", "", "all", NULL, NULL, false, FAILURE_HELD },
	{ "", "", "all", NULL, NULL, true, FAILURE_HELD },
	{ "", "", "1.5.16", NULL, NULL, false, FAILURE_NONE },
	{ "", "", "1.5.16", NULL, "1.5.16", false, FAILURE_HELD },
	{ "", "", "1.5.16", NULL, NULL, true, FAILURE_HELD },
	{ "", "", "1.5.13", NULL, NULL, true, FAILURE_HELD },
	{ "", "", "1.5.13", NULL, "1.5.16", false, FAILURE_NONE },
	{ "", "", "1.5.18", NULL, NULL, true, FAILURE_NONE },
	/* the pin */
	{ "", "", NULL, "1.5.16", NULL, true, FAILURE_NONE },
	{ "", "", NULL, "1.5.13", NULL, true, FAILURE_PINNED },
	{ "", "", NULL, "1.5.13", "1.5.16", false, FAILURE_PINNED },
	{ "", "", NULL, "1.5.13", NULL, false, FAILURE_NONE },
	/* Blocked=, by version and by measurement */
	{ "", "Blocked=1.5.16\n", NULL, NULL, "1.5.16", false, FAILURE_FORBIDDEN },
	{ "", "Blocked=1.5.13\n", NULL, NULL, NULL, true, FAILURE_FORBIDDEN },
	{ "", "Blocked=" M16 "\n", NULL, NULL, NULL, true, FAILURE_FORBIDDEN },
	{ "Blocked=1.5.18\n", "", NULL, NULL, NULL, true, FAILURE_NONE },
	/* Target=: the newer word counts, and a pin more than it */
	{ "", "Target=1.5.16\n", NULL, NULL, NULL, true, FAILURE_NONE },
	{ "", "Target=1.5.13\n", NULL, NULL, NULL, true, FAILURE_FORBIDDEN },
	{ "", "Target=1.5.13\n", NULL, NULL, "1.5.16", false, FAILURE_FORBIDDEN },
	{ "Target=1.5.13\n", "Target=1.5.13\n", NULL, NULL, "1.5.16", true,
	  FAILURE_NONE },
	{ "Target=1.5.13\n", "Target=1.5.12\n", NULL, NULL, "1.5.16", true,
	  FAILURE_FORBIDDEN },
	{ "Target=1.5.16\n", "", NULL, NULL, NULL, true, FAILURE_NONE },
	{ "", "Target=1.5.13\n", NULL, "1.5.16", NULL, true, FAILURE_NONE },
	/* lists of what alone may be */
	{ "", "AllowedMrSeam=" M13 " " M16 "\n", NULL, NULL, NULL, true, FAILURE_NONE },
	{ "", "AllowedMrSeam=" M16 "\n", NULL, NULL, NULL, true, FAILURE_FORBIDDEN },
	{ "", "AllowedMrSeam=" M16 "\n", NULL, NULL, NULL, false, FAILURE_NONE },
	{ "", "TrustedSigner=" M13 "\n", NULL, NULL, NULL, true, FAILURE_UNTRUSTED },
	/* ReserveUpdates=: three are left, and two are needed */
	{ "", "ReserveUpdates=1\n", NULL, NULL, NULL, true, FAILURE_NONE },
	{ "", "ReserveUpdates=2\n", NULL, NULL, NULL, true, FAILURE_EXHAUSTED },
	{ "", "ReserveUpdates=4294967295\n", NULL, NULL, NULL, true, FAILURE_EXHAUSTED },
	/* what widens makes nothing of this good, and what lies in it forbids nothing */
	{ "", "Guard=off\nBlocked=1.5.16\n", NULL, NULL, NULL, true, FAILURE_FORBIDDEN },
	{ "Guard=off\n", "Guard=strict\n", NULL, NULL, NULL, true, FAILURE_NONE },
};

static struct tdxupd_version version(const char *text)
{
	struct tdxupd_version v;

	assert_int_equal(tdxupd_version_parse(text, &v), 0);
	return v;
}

static struct tdxupd_digest digest(const char *text)
{
	struct tdxupd_digest d;

	assert_int_equal(tdxupd_digest_parse(text, &d), 0);
	return d;
}

static struct config *configure(const char *text, bool has_signer)
{
	struct tree tree;
	struct config *config;
	char *why = NULL, *file = NULL;

	tree_new(&tree);
	assert_true(asprintf(&file, "[Update]\n%s%s",
			     has_signer ? "TrustedSigner=" SIGNER "\n" : "", text) > 0);
	tree_put(&tree, "etc/tdxupd/tdxupd.conf", file);
	if (config_load(tree.path, &config, &why) < 0)
		fail_msg("%s", why);
	tree_remove(&tree);
	free(file);
	return config;
}

static void forbid(const struct row *row, struct holds *holds)
{
	struct hold hold = { .what = (char *)row->hold,
			     .reason = (char *)"because",
			     .until_usec = UINT64_MAX };
	struct pin pin = { .reason = (char *)"because" };

	if (row->hold)
		assert_int_equal(holds_add(holds, &hold), 0);
	if (row->pin) {
		pin.version = version(row->pin);
		assert_int_equal(holds_pin(holds, &pin), 0);
	}
}

static void ask(const struct row *row, size_t i)
{
	struct config *before = configure(row->before, true);
	struct config *after =
		configure(row->after, !strstr(row->after, "TrustedSigner="));
	const struct job_step steps[] = {
		{ version("1.5.13"), digest(M13), digest(SIGNER) },
		{ version("1.5.16"), digest(M16), digest(SIGNER) },
	};
	struct tdxupd_host host = { .has_remaining_updates = true,
				    .remaining_updates = 3 };
	struct tdxupd_version to = version("1.5.16");
	struct forbid_question question = { 0 };
	struct job_request request;
	struct holds holds = { 0 };
	char *detail = NULL;
	enum failure failure;

	job_request_init(&request, before);
	question.request = &request;
	question.to = row->is_planned || row->target ? &to : NULL;
	if (row->is_planned) {
		question.steps = steps;
		question.step_count = ARRAY_SIZE(steps);
		question.host = &host;
	}
	forbid(row, &holds);
	failure = forbid_find(after, &holds, &question, &detail);
	if (failure != row->failure)
		fail_msg("row %zu: %s", i, failure_to_string(failure));
	assert_int_equal(failure == FAILURE_NONE, detail == NULL);
	/* Without a sentence the answer is the same. */
	assert_int_equal(forbid_find(after, &holds, &question, NULL), failure);
	free(detail);
	holds_done(&holds);
	job_request_done(&request);
	config_unref(before);
	config_unref(after);
}

static void test_the_whole_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		ask(&table[i], i);
}

/* More than is to be used only where that was agreed to. */
static void test_a_reserve_of_ones_own(void **state)
{
	static const struct {
		const char *before, *after;
		uint32_t wanted, counts;
	} rows[] = {
		{ "ReserveUpdates=2\n", "ReserveUpdates=2\n", 0, 0 },
		{ "ReserveUpdates=2\n", "ReserveUpdates=5\n", 0, 0 },
		{ "ReserveUpdates=2\n", "ReserveUpdates=2\n", 4, 4 },
		{ "ReserveUpdates=2\n", "ReserveUpdates=5\n", 4, 5 },
		{ "ReserveUpdates=2\n", "ReserveUpdates=1\n", 2, 2 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct config *before = configure(rows[i].before, true);
		struct config *after = configure(rows[i].after, true);
		struct job_request request;

		job_request_init(&request, before);
		request.has_reserve = true;
		request.reserve_updates = rows[i].wanted;
		assert_int_equal(job_request_policy(&request, after).reserve_updates,
				 rows[i].counts);
		config_unref(before);
		config_unref(after);
	}
}

/* What was accepted when it was asked for is, and no more than that. */
static void test_what_widens_stays(void **state)
{
	struct config *wide = configure("AcceptUnmapped=yes\n", true);
	struct config *strict = configure("", true);
	struct job_request request;

	(void)state;
	job_request_init(&request, wide);
	assert_true(job_request_policy(&request, strict).accepted);
	job_request_init(&request, strict);
	assert_false(job_request_policy(&request, wide).accepted);
	config_unref(wide);
	config_unref(strict);
}

/* Somebody's hold, and the daemon's own for what failed. */
static void test_what_failed_is_told_from_what_is_held(void **state)
{
	struct config *config = configure("", true);
	struct tdxupd_version to = version("1.5.16");
	struct job_request request;
	const struct forbid_question question = { .request = &request, .to = &to };
	struct hold hold = { .what = (char *)"1.5.16",
			     .reason = (char *)"job 3 failed",
			     .until_usec = UINT64_MAX,
			     .is_automatic = true };
	struct holds holds = { 0 };
	char *detail = NULL;

	(void)state;
	job_request_init(&request, config);
	assert_int_equal(holds_add(&holds, &hold), 0);
	assert_int_equal(forbid_find(config, &holds, &question, NULL), FAILURE_FAILED);
	hold.is_automatic = false;
	hold.reason = (char *)"the verifiers";
	hold.by = (char *)"alice (uid 1000)";
	hold.since_usec = UINT64_C(1800000000000000);
	assert_int_equal(holds_add(&holds, &hold), 0);
	assert_int_equal(forbid_find(config, &holds, &question, &detail), FAILURE_HELD);
	assert_string_equal(detail, "1.5.16 is held since 2027-01-15 08:00 UTC by alice "
				    "(uid 1000): the verifiers");
	free(detail);
	holds_done(&holds);
	config_unref(config);
}

/* A version that failed, and no room to list it. */
static void test_what_could_not_be_listed_holds_all(void **state)
{
	struct config *config = configure("", true);
	struct job_request request;
	const struct forbid_question question = { .request = &request };
	struct holds holds = { .has_unlisted = true };

	(void)state;
	job_request_init(&request, config);
	assert_int_equal(forbid_find(config, &holds, &question, NULL), FAILURE_HELD);
	assert_true(holds_forgive(&holds));
	assert_int_equal(forbid_find(config, &holds, &question, NULL), FAILURE_NONE);
	config_unref(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_whole_table),
		cmocka_unit_test(test_a_reserve_of_ones_own),
		cmocka_unit_test(test_what_widens_stays),
		cmocka_unit_test(test_what_failed_is_told_from_what_is_held),
		cmocka_unit_test(test_what_could_not_be_listed_holds_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
