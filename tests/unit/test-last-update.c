// SPDX-License-Identifier: LGPL-2.1-or-later
/* Which job was an update, and which only a request. */
#include "test.h"
#include "last-update.h"
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
		last_update_take(&last, &job, 99);
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
	last_update_take(&last, &update, 1);
	last_update_take(&last, &mistyped, 2);
	assert_int_equal(last.id, 1);
	assert_int_equal(last.failure, FAILURE_REFUSED);
	last_update_done(&last);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_an_update),
		cmocka_unit_test(test_a_request_replaces_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
