// SPDX-License-Identifier: LGPL-2.1-or-later
/* Which job was an update, and which only a request. */
#include "test.h"
#include <sys/stat.h>

#include "last-update.h"
#include "state-dir.h"
#include "tree.h"
#include "util.h"

static const struct {
	enum job_state state;
	enum failure failure;
	unsigned attempts;
	bool is_update;
} rows[] = {
	{ JOB_DONE, FAILURE_NONE, 1, true },
	/* Nothing was to be done. */
	{ JOB_DONE, FAILURE_NONE, 0, false },
	{ JOB_FAILED, FAILURE_REFUSED, 1, true },
	{ JOB_LOST, FAILURE_LOST, 1, true },
	{ JOB_UNKNOWN, FAILURE_UNKNOWN, 1, true },
	{ JOB_EXPIRED, FAILURE_EXPIRED, 0, true },
	{ JOB_CANCELLED, FAILURE_CANCELLED, 0, true },
	{ JOB_FAILED, FAILURE_NO_PATH, 0, true },
	{ JOB_FAILED, FAILURE_EXHAUSTED, 0, true },
	{ JOB_FAILED, FAILURE_CONFIG, 0, true },
	/* Mistyped, stale, forbidden, or long lost. */
	{ JOB_FAILED, FAILURE_NO_SUCH_VERSION, 0, false },
	{ JOB_FAILED, FAILURE_STALE, 0, false },
	{ JOB_FAILED, FAILURE_HELD, 0, false },
	{ JOB_FAILED, FAILURE_FAILED, 0, false },
	{ JOB_FAILED, FAILURE_PINNED, 0, false },
	{ JOB_FAILED, FAILURE_FORBIDDEN, 0, false },
	{ JOB_FAILED, FAILURE_LOST, 0, false },
	/* Forbidden between two steps: one was made. */
	{ JOB_FAILED, FAILURE_HELD, 1, true },
	/* It has not ended. */
	{ JOB_WAITING, FAILURE_NONE, 1, false },
};

static void test_what_is_an_update(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct last_update last = { 0 };
		const struct job job = { .id = 7,
					 .state = rows[i].state,
					 .failure = rows[i].failure,
					 .attempts = rows[i].attempts,
					 .detail = (char *)"why" };

		assert_string_equal(last_update_get_result(&last), "");
		assert_int_equal(last_update_take(&last, &job, "", 99),
				 rows[i].is_update);
		if ((last.id == 7) != rows[i].is_update)
			fail_msg("row %zu", i);
		if (last.id == 7) {
			assert_true(last.ended_usec == 99);
			assert_string_equal(last.detail, "why");
			assert_string_equal(last_update_get_result(&last),
					    rows[i].failure == FAILURE_NONE
						    ? "done"
						    : failure_to_string(rows[i].failure));
		}
		last_update_done(&last);
	}
}

/* The one before stays. */
static void test_a_request_replaces_nothing(void **state)
{
	struct last_update last = { 0 };
	const struct job update = {
		.id = 1, .state = JOB_FAILED, .failure = FAILURE_REFUSED, .attempts = 1
	};
	const struct job mistyped = { .id = 2,
				      .state = JOB_FAILED,
				      .failure = FAILURE_NO_SUCH_VERSION };

	(void)state;
	assert_true(last_update_take(&last, &update, "", 1));
	assert_false(last_update_take(&last, &mistyped, "", 2));
	assert_int_equal(last.id, 1);
	assert_int_equal(last.failure, FAILURE_REFUSED);
	last_update_done(&last);
}

#define BOOT "11111111-2222-3333-4444-555555555555"

/* Whoever asks for one on a host that is lost has no update, but the loss was told. */
static void test_a_loss_is_told_once_a_boot(void **state)
{
	struct last_update last = { 0 };
	const struct job lost = { .id = 3, .state = JOB_LOST, .failure = FAILURE_LOST };

	(void)state;
	assert_true(last_update_take(&last, &lost, BOOT, 1));
	assert_int_equal(last.id, 0);
	assert_string_equal(last.lost_boot_id, BOOT);
	assert_false(last_update_take(&last, &lost, BOOT, 2));
	last_update_done(&last);
}

static struct last_update reload(const struct tree *tree, const struct last_update *last)
{
	struct last_update back;

	assert_int_equal(last_update_save(tree->fd, last), 0);
	assert_int_equal(last_update_load(tree->fd, &back), 0);
	return back;
}

static void test_the_file_comes_back(void **state)
{
	struct last_update last = { 0 }, back;
	struct tree tree;
	const struct job job = { .id = 7,
				 .state = JOB_LOST,
				 .failure = FAILURE_LOST,
				 .attempts = 1,
				 .has_versions = true,
				 .from = { 1, 5, 6 },
				 .to = { 1, 5, 16 },
				 .detail = (char *)"the \"kernel\" says" };

	(void)state;
	tree_new(&tree);
	/* None, and none that is kept. */
	assert_int_equal(last_update_load(tree.fd, &back), 0);
	assert_int_equal(back.id, 0);
	assert_int_equal(last_update_save(tree.fd, &back), 0);
	assert_int_equal(faccessat(tree.fd, "var", F_OK, 0), -1);
	assert_true(last_update_take(&last, &job, BOOT, 1234));
	back = reload(&tree, &last);
	assert_int_equal(back.id, 7);
	assert_int_equal(back.failure, FAILURE_LOST);
	assert_int_equal(back.ended_usec, 1234);
	assert_true(back.has_versions);
	assert_int_equal(tdxupd_version_compare(&back.to, &job.to), 0);
	assert_string_equal(back.detail, job.detail);
	assert_string_equal(back.lost_boot_id, BOOT);
	last_update_done(&back);
	/* Forgiven, that it was told stays. */
	assert_true(last_update_forgive(&last));
	assert_false(last_update_forgive(&last));
	back = reload(&tree, &last);
	assert_int_equal(back.id, 0);
	assert_string_equal(back.lost_boot_id, BOOT);
	last_update_done(&back);
	last.lost_boot_id[0] = '\0';
	back = reload(&tree, &last);
	assert_int_equal(faccessat(tree.fd, STATE_DIR "/" LAST_UPDATE_FILE, F_OK, 0), -1);
	last_update_done(&last);
	tree_remove(&tree);
}

static void test_nonsense_is_none(void **state)
{
	static const char *const table[] = {
		"",
		"null",
		"[]",
		"{\"id\":1,\"result\":\"perhaps\"}",
		"{\"result\":\"done\"}",
		"{\"id\":99999999999,\"result\":\"done\"}",
		"{\"id\":1,\"result\":\"done\"",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct last_update back;
		struct tree tree;

		tree_new(&tree);
		tree_put(&tree, STATE_DIR "/" LAST_UPDATE_FILE, table[i]);
		assert_int_equal(fchmodat(tree.fd, STATE_DIR, 0755, 0), 0);
		assert_int_equal(
			fchmodat(tree.fd, STATE_DIR "/" LAST_UPDATE_FILE, 0600, 0), 0);
		assert_true(last_update_load(tree.fd, &back) < 0);
		assert_int_equal(back.id, 0);
		tree_remove(&tree);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_an_update),
		cmocka_unit_test(test_a_request_replaces_nothing),
		cmocka_unit_test(test_a_loss_is_told_once_a_boot),
		cmocka_unit_test(test_the_file_comes_back),
		cmocka_unit_test(test_nonsense_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
