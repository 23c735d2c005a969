// SPDX-License-Identifier: LGPL-2.1-or-later
#include "test.h"
#include "ctl-progress.h"
#include "json.h"

#include <json-c/json.h>

#define JOB(state, more)                                                            \
	"{\"id\": 1, \"from\": \"1.5.06\", \"to\": \"1.5.16\", \"state\": \"" state \
	"\"" more "}"

#define BLOCKERS(text) ", \"blockers\": [" text "]"

/* Shows each of @jobs in turn, a second apart; @expected: all lines. */
static void assert_lines(const char *const *jobs, size_t count, const char *expected)
{
	struct ctl_progress progress = { 0 };
	char all[2048] = "";

	for (size_t i = 0; i < count; i++) {
		_cleanup_(cleanup_json)
		struct json_object *job = json_tokener_parse(jobs[i]);
		_cleanup_(cleanup_free)
		char *text = NULL;

		assert_non_null(job);
		text = ctl_progress_format(&progress, job, i * 1000000);
		assert_non_null(text);
		strcat(all, text);
	}
	ctl_progress_done(&progress);
	assert_string_equal(all, expected);
}

static void test_every_milestone_comes_once(void **state)
{
	static const char *const jobs[] = {
		"{\"state\": \"queued\"}",
		"{\"state\": \"planning\", \"from\": \"\", \"to\": \"\"}",
		JOB("staging", ""),
		JOB("staging", ""),
		JOB("waiting",
		    BLOCKERS("{\"source\": \"leases\", \"who\": \"vm1\", \"pid\": 47}")),
		JOB("waiting",
		    BLOCKERS("{\"source\": \"leases\", \"who\": \"vm1\", \"pid\": 47}")),
		JOB("waiting", BLOCKERS("{\"source\": \"kernel\", \"pid\": 0}")),
		JOB("committing", ""),
		JOB("confirming", ""),
		JOB("done", ""),
	};

	(void)state;
	assert_lines(
		jobs, ARRAY_SIZE(jobs),
		"   2.0 s  planned    from 1.5.06 to 1.5.16\n"
		"   4.0 s  staged     the image is verified and handed to the kernel\n"
		"   4.0 s  waiting    a TD is being built: vm1, pid 47\n"
		"   6.0 s  waiting    a TD is being built: kernel counts it\n"
		"   7.0 s  committed  the gate is open: this is the moment\n"
		"   9.0 s  confirmed  1.5.16 runs\n");
}

/* The daemon merges what changes in one turn of its loop. */
static void test_skipped_states_are_made_up_for(void **state)
{
	static const char *const jobs[] = { JOB("done", "") };

	(void)state;
	assert_lines(
		jobs, 1,
		"   0.0 s  planned    from 1.5.06 to 1.5.16\n"
		"   0.0 s  staged     the image is verified and handed to the kernel\n"
		"   0.0 s  committed  the gate is open: this is the moment\n"
		"   0.0 s  confirmed  1.5.16 runs\n");
}

static void test_a_refusal_is_followed_by_the_next_attempt(void **state)
{
	static const char *const jobs[] = {
		JOB("committing", ""), JOB("backoff", ", \"next_attempt\": 1200000"),
		JOB("waiting", ""), /* may be for a moment only */
		JOB("waiting", ""),    JOB("committing", ""),
	};

	(void)state;
	assert_lines(
		jobs, ARRAY_SIZE(jobs),
		"   0.0 s  planned    from 1.5.06 to 1.5.16\n"
		"   0.0 s  staged     the image is verified and handed to the kernel\n"
		"   0.0 s  committed  the gate is open: this is the moment\n"
		"   1.0 s  refused    a TD is being built; nothing is lost; again in 0.2 "
		"s\n"
		"   3.0 s  waiting    no source is sure that no TD is being built\n"
		"   4.0 s  committed  the gate is open: this is the moment\n");
}

static void test_nothing_to_do(void **state)
{
	static const char *const jobs[] = {
		"{\"state\": \"done\", \"from\": \"1.5.16\", \"to\": \"1.5.16\"}",
	};

	(void)state;
	assert_lines(jobs, 1,
		     "   0.0 s  done       nothing to do: nothing better than what runs "
		     "is here\n");
}

/* How it failed is said by whoever reports the end; here nothing is made up. */
static void test_a_failed_job_reached_nothing_more(void **state)
{
	static const char *const jobs[] = {
		JOB("staging", ""),          JOB("failed", ""), "{}",
		"{\"state\": \"no state\"}", "{\"state\": 7}",
	};

	(void)state;
	assert_lines(jobs, ARRAY_SIZE(jobs),
		     "   0.0 s  planned    from 1.5.06 to 1.5.16\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_milestone_comes_once),
		cmocka_unit_test(test_skipped_states_are_made_up_for),
		cmocka_unit_test(test_a_refusal_is_followed_by_the_next_attempt),
		cmocka_unit_test(test_nothing_to_do),
		cmocka_unit_test(test_a_failed_job_reached_nothing_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
