// SPDX-License-Identifier: LGPL-2.1-or-later
#include "test.h"
#include "job-state.h"
#include "util.h"

/* Every transition that exists; what is not listed can't happen. */
static const struct {
	enum job_state state;
	const char *moves; /* "event>state ..." */
} table[] = {
	{ JOB_QUEUED, "start>planning refused>failed cancel>cancelled expire>expired" },
	{ JOB_PLANNING, "planned>staging current>done refused>failed cancel>cancelled "
			"expire>expired lose>lost" },
	{ JOB_STAGING, "staged>waiting dropped>staging void>planning busy>backoff "
		       "refused>failed cancel>cancelled expire>expired lose>lost" },
	{ JOB_WAITING, "dropped>staging void>planning opened>committing refused>failed "
		       "cancel>cancelled expire>expired lose>lost" },
	{ JOB_COMMITTING, "committed>confirming" },
	{ JOB_CONFIRMING, "dropped>staging busy>backoff stepped>planning succeeded>done "
			  "refused>failed lose>lost obscure>unknown" },
	{ JOB_BACKOFF, "retry>staging refused>failed cancel>cancelled expire>expired "
		       "lose>lost" },
	{ JOB_DONE, "" },
	{ JOB_FAILED, "" },
	{ JOB_CANCELLED, "" },
	{ JOB_EXPIRED, "" },
	{ JOB_LOST, "" },
	{ JOB_UNKNOWN, "" },
};

static void test_the_whole_table(void **state)
{
	(void)state;
	assert_int_equal(ARRAY_SIZE(table), _JOB_STATE_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		char moves[512] = "";

		for (int e = 0; e < _JOB_EVENT_MAX; e++) {
			enum job_state after =
				job_next(table[i].state, (enum job_event)e);
			size_t used = strlen(moves);

			if (after != _JOB_STATE_INVALID)
				snprintf(moves + used, sizeof(moves) - used, "%s%s>%s",
					 used ? " " : "",
					 job_event_to_string((enum job_event)e),
					 job_state_to_string(after));
		}
		assert_string_equal(moves, table[i].moves);
		assert_int_equal(job_state_is_end(table[i].state), !moves[0]);
	}
}

/* The promise: once the write may have been made, only evidence ends the job. */
static void test_nothing_interrupts_the_point_of_no_return(void **state)
{
	static const enum job_state critical[] = { JOB_COMMITTING, JOB_CONFIRMING };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(critical); i++) {
		assert_true(job_state_is_critical(critical[i]));
		assert_int_equal(job_next(critical[i], JOB_EVENT_CANCEL),
				 _JOB_STATE_INVALID);
		assert_int_equal(job_next(critical[i], JOB_EVENT_EXPIRE),
				 _JOB_STATE_INVALID);
	}
}

/* Is there a way from @state to @wanted without the event loop? */
static bool leads_to(enum job_state state, enum job_state wanted, unsigned depth)
{
	assert_true(depth <= _JOB_STATE_MAX);
	for (int e = 0; e < _JOB_EVENT_MAX; e++) {
		enum job_state after = job_next(state, (enum job_event)e);

		if (after < 0 || job_event_is_back((enum job_event)e) ||
		    e == JOB_EVENT_RETRY)
			continue;
		if (after == wanted || leads_to(after, wanted, depth + 1))
			return true;
	}
	return false;
}

/* Whatever the host does, nothing keeps the daemon from its bus and its signals. */
static void test_no_state_comes_again_without_the_event_loop(void **state)
{
	(void)state;
	for (int s = 0; s < _JOB_STATE_MAX; s++)
		assert_false(leads_to((enum job_state)s, (enum job_state)s, 0));
}

static void test_out_of_range_is_invalid(void **state)
{
	(void)state;
	assert_int_equal(job_next(_JOB_STATE_MAX, JOB_EVENT_START), _JOB_STATE_INVALID);
	assert_int_equal(job_next(_JOB_STATE_INVALID, JOB_EVENT_START),
			 _JOB_STATE_INVALID);
	assert_int_equal(job_next(JOB_QUEUED, _JOB_EVENT_MAX), _JOB_STATE_INVALID);
	assert_int_equal(job_next(JOB_QUEUED, _JOB_EVENT_INVALID), _JOB_STATE_INVALID);
}

static void test_every_state_and_event_has_a_name(void **state)
{
	(void)state;
	for (int s = 0; s < _JOB_STATE_MAX; s++) {
		const char *name = job_state_to_string((enum job_state)s);

		assert_non_null(name);
		assert_int_equal(job_state_from_string(name), s);
	}
	for (int e = 0; e < _JOB_EVENT_MAX; e++)
		assert_non_null(job_event_to_string((enum job_event)e));
	assert_int_equal(job_state_from_string("finished"), _JOB_STATE_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_whole_table),
		cmocka_unit_test(test_nothing_interrupts_the_point_of_no_return),
		cmocka_unit_test(test_no_state_comes_again_without_the_event_loop),
		cmocka_unit_test(test_out_of_range_is_invalid),
		cmocka_unit_test(test_every_state_and_event_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
