// SPDX-License-Identifier: LGPL-2.1-or-later
#include "test.h"
#include "recovery.h"

#define CANCELLED   "org.tdxupd1.Error.Cancelled"
#define INTERRUPTED "org.tdxupd1.Error.Interrupted"
#define BOOT        "11111111-0000-4000-8000-000000000001"

/* The record says: 1.5.06 ran with 5 updates left, 1.5.16 was the step. */
static const struct {
	const char *phase;
	const char *boot;
	enum tdxupd_tdx_state state;
	unsigned update; /* of 1.5.xx that runs now */
	int remaining;   /* -1: unknown */
	enum recovery_staged staged;
	enum recovery result;
} table[] = {
#define NOW   BOOT, TDXUPD_TDX_LIVE
#define NO    RECOVERY_STAGED_NO
#define YES   RECOVERY_STAGED_YES
#define DUNNO RECOVERY_STAGED_UNKNOWN
	/* nothing under way */
	{ NULL, NOW, 6, 5, NO, RECOVERY_NOTHING },
	{ "done", NOW, 16, 4, NO, RECOVERY_NOTHING },
	{ "failed", NOW, 6, 5, NO, RECOVERY_NOTHING },
	{ "cancelled", NOW, 6, 5, NO, RECOVERY_NOTHING },
	{ "expired", NOW, 6, 5, NO, RECOVERY_NOTHING },
	{ "lost", BOOT, TDXUPD_TDX_LOST, 0, -1, NO, RECOVERY_NOTHING },
	{ "unknown", NOW, 6, 5, NO, RECOVERY_NOTHING },
	{ "started", NOW, 6, 5, NO, RECOVERY_NOTHING },
	{ "some new phase", NOW, 6, 5, NO, RECOVERY_NOTHING },
	/* before the commit */
	{ "queued", NOW, 6, 5, NO, RECOVERY_NEVER_COMMITTED },
	{ "planning", NOW, 6, 5, NO, RECOVERY_NEVER_COMMITTED },
	{ "staging", NOW, 6, 5, NO, RECOVERY_NEVER_COMMITTED },
	{ "staging", NOW, 6, 5, YES, RECOVERY_NEVER_COMMITTED },
	{ "waiting", NOW, 6, 5, YES, RECOVERY_NEVER_COMMITTED },
	{ "waiting", NOW, 6, -1, DUNNO, RECOVERY_NEVER_COMMITTED },
	{ "backoff", NOW, 6, 5, NO, RECOVERY_REFUSED },
	/* around it */
	{ "committing", NOW, 6, 5, YES, RECOVERY_NEVER_COMMITTED },
	{ "committing", NOW, 6, 5, NO, RECOVERY_REFUSED },
	{ "committing", NOW, 6, 5, DUNNO, RECOVERY_UNCHANGED },
	{ "committing", NOW, 16, 4, NO, RECOVERY_SUCCEEDED },
	{ "committing", NOW, 16, -1, NO, RECOVERY_SUCCEEDED },
	{ "committing", NOW, 16, 5, NO, RECOVERY_UNKNOWN },
	{ "committing", NOW, 16, 3, NO, RECOVERY_UNKNOWN },
	{ "committing", NOW, 6, 4, NO, RECOVERY_UNKNOWN },
	{ "committing", NOW, 8, 4, NO, RECOVERY_MISMATCH },
	{ "committing", BOOT, TDXUPD_TDX_LOST, 0, -1, NO, RECOVERY_LOST },
	{ "committing", BOOT, TDXUPD_TDX_UNKNOWN, 0, -1, NO, RECOVERY_UNKNOWN },
	{ "committing", BOOT, TDXUPD_TDX_ABSENT, 0, -1, NO, RECOVERY_UNKNOWN },
	{ "confirming", NOW, 6, 5, NO, RECOVERY_REFUSED },
	{ "confirming", NOW, 6, 5, DUNNO, RECOVERY_REFUSED },
	{ "confirming", NOW, 16, 4, NO, RECOVERY_SUCCEEDED },
	{ "confirming", BOOT, TDXUPD_TDX_LOST, 0, -1, NO, RECOVERY_LOST },
	/* somebody else was faster */
	{ "waiting", NOW, 16, 4, NO, RECOVERY_SUCCEEDED },
	{ "waiting", NOW, 8, 4, NO, RECOVERY_MISMATCH },
	{ "waiting", BOOT, TDXUPD_TDX_LOST, 0, -1, NO, RECOVERY_LOST },
	/* another boot, or nobody knows which */
	{ "committing", "another", TDXUPD_TDX_LIVE, 6, 5, NO, RECOVERY_REBOOTED },
	{ "waiting", "another", TDXUPD_TDX_LIVE, 6, 5, NO, RECOVERY_REBOOTED },
	{ "committing", "", TDXUPD_TDX_LIVE, 16, 4, NO, RECOVERY_UNKNOWN },
};

static struct tdxupd_host *host_of(size_t row)
{
	char json[256];
	struct tdxupd_host *host;
	int n = snprintf(json, sizeof(json), "{\"state\":\"%s\"",
			 tdxupd_tdx_state_to_string(table[row].state));

	if (table[row].state == TDXUPD_TDX_LIVE)
		n += snprintf(json + n, sizeof(json) - (size_t)n,
			      ",\"module_version\":\"1.5.%02u\"", table[row].update);
	if (table[row].remaining >= 0)
		n += snprintf(json + n, sizeof(json) - (size_t)n,
			      ",\"remaining_updates\":%d", table[row].remaining);
	n += snprintf(json + n, sizeof(json) - (size_t)n, "}");
	assert_int_equal(tdxupd_host_from_json(json, (size_t)n, &host, NULL), 0);
	snprintf(host->boot_id, sizeof(host->boot_id), "%s", table[row].boot);
	return host;
}

static void test_every_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct history_record last = {
			.boot_id = (char *)BOOT,
			.phase = (char *)table[i].phase,
			.module = (char *)"1.5.06",
			.step_to = (char *)"1.5.16",
			.has_remaining = true,
			.remaining = 5,
		};
		struct tdxupd_host *host = host_of(i);
		enum recovery recovery = recovery_decide(table[i].phase ? &last : NULL,
							 host, table[i].staged);

		if (recovery != table[i].result)
			fail_msg("row %zu (%s): %s, not %s", i, table[i].phase,
				 recovery_to_string(recovery),
				 recovery_to_string(table[i].result));
		tdxupd_host_free(host);
	}
}

/* A step to the version that runs: only the count tells. */
static void test_loading_again_what_runs(void **state)
{
	struct history_record last = {
		.boot_id = (char *)BOOT,
		.phase = (char *)"committing",
		.module = (char *)"1.5.06",
		.step_to = (char *)"1.5.06",
		.has_remaining = true,
		.remaining = 5,
	};
	struct tdxupd_host *host = host_of(0);

	(void)state;
	assert_int_equal(recovery_decide(&last, host, NO), RECOVERY_REFUSED);
	host->remaining_updates = 4;
	assert_int_equal(recovery_decide(&last, host, NO), RECOVERY_SUCCEEDED);
	tdxupd_host_free(host);
}

/* Killed between two steps of a path: the first was made, and that is not forgotten. */
static void test_between_two_steps(void **state)
{
	struct history_record last = {
		.boot_id = (char *)BOOT,
		.phase = (char *)"planning",
		.module = (char *)"1.5.06",
		.step_to = (char *)"1.5.08",
		.outcome = (char *)"succeeded",
		.has_remaining = true,
		.remaining = 5,
	};
	struct tdxupd_host *host = host_of(0);

	(void)state;
	assert_int_equal(recovery_decide(&last, host, NO), RECOVERY_SUCCEEDED);
	last.outcome = NULL;
	assert_int_equal(recovery_decide(&last, host, NO), RECOVERY_NEVER_COMMITTED);
	tdxupd_host_free(host);
}

/* What is to be held; a restart in between must not make it forgotten. */
static void test_what_has_failed(void **state)
{
	static const struct {
		const char *phase;
		const char *outcome;
		const char *reason;
		enum recovery recovery;
		bool has_failed;
	} rows[] = {
		{ "failed", "refused", "x", RECOVERY_NOTHING, true },
		{ "lost", "lost", "x", RECOVERY_NOTHING, true },
		{ "unknown", "mismatch", "x", RECOVERY_NOTHING, true },
		{ "unknown", "unknown", "x", RECOVERY_NOTHING, false },
		{ "failed", "busy", "x", RECOVERY_NOTHING, false },
		{ "failed", NULL, "x", RECOVERY_NOTHING, false },
		{ "cancelled", NULL, "x", RECOVERY_NOTHING, false },
		{ "done", "succeeded", NULL, RECOVERY_NOTHING, false },
		{ "started", NULL, NULL, RECOVERY_NOTHING, false },
		{ "held", NULL, NULL, RECOVERY_NOTHING, false },
		{ "recovered", "refused", "x", RECOVERY_NOTHING, true },
		{ "recovered", "refused", NULL, RECOVERY_NOTHING, false },
		{ "committing", NULL, NULL, RECOVERY_REFUSED, true },
		{ "confirming", NULL, NULL, RECOVERY_REFUSED, true },
		{ "confirming", NULL, NULL, RECOVERY_LOST, true },
		{ "confirming", NULL, NULL, RECOVERY_MISMATCH, true },
		{ "confirming", NULL, NULL, RECOVERY_SUCCEEDED, false },
		{ "committing", NULL, NULL, RECOVERY_UNCHANGED, false },
		{ "committing", NULL, NULL, RECOVERY_NEVER_COMMITTED, false },
		{ "backoff", "busy", NULL, RECOVERY_REFUSED, false },
		{ "waiting", NULL, NULL, RECOVERY_LOST, false },
		{ "waiting", NULL, NULL, RECOVERY_MISMATCH, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct history_record last = {
			.phase = (char *)rows[i].phase,
			.outcome = (char *)rows[i].outcome,
			.reason = (char *)rows[i].reason,
		};

		if (recovery_has_failed(&last, rows[i].recovery) != rows[i].has_failed)
			fail_msg("row %zu (%s)", i, rows[i].phase);
	}
}

/* What is left to others, and what ends that. */
static void test_what_is_unsettled(void **state)
{
	static const struct {
		const char *phase;
		const char *boot;
		const char *reason;
		enum recovery recovery;
		bool is_unsettled;
	} rows[] = {
		/* it was cut off just now, by whatever */
		{ "waiting", BOOT, NULL, RECOVERY_NEVER_COMMITTED, true },
		{ "committing", BOOT, NULL, RECOVERY_UNCHANGED, true },
		{ "committing", BOOT, NULL, RECOVERY_UNKNOWN, true },
		{ "waiting", "another", NULL, RECOVERY_REBOOTED, true },
		/* since then daemons have started, to the end or not quite */
		{ "recovered", BOOT, NULL, RECOVERY_NOTHING, true },
		{ "recovered", BOOT, "x", RECOVERY_NOTHING, true },
		{ "started", BOOT, "x", RECOVERY_NOTHING, true },
		/* it was given up */
		{ "cancelled", BOOT, CANCELLED, RECOVERY_NOTHING, true },
		{ "cancelled", BOOT, NULL, RECOVERY_NOTHING, true },
		{ "expired", BOOT, "x", RECOVERY_NOTHING, true },
		{ "unknown", BOOT, "x", RECOVERY_NOTHING, true },
		{ "cancelled", "another", CANCELLED, RECOVERY_NOTHING, false },
		/* by nobody: the daemon had to stop */
		{ "cancelled", BOOT, INTERRUPTED, RECOVERY_NOTHING, false },
		/* the host was booted since */
		{ "recovered", "another", NULL, RECOVERY_NOTHING, false },
		{ "started", "another", "x", RECOVERY_NOTHING, false },
		/* something else has happened since */
		{ "done", BOOT, NULL, RECOVERY_NOTHING, false },
		{ "failed", BOOT, "x", RECOVERY_NOTHING, false },
		{ "held", BOOT, NULL, RECOVERY_NOTHING, false },
		{ "unheld", BOOT, NULL, RECOVERY_NOTHING, false },
		{ "pinned", BOOT, NULL, RECOVERY_NOTHING, false },
		{ "external", BOOT, NULL, RECOVERY_NOTHING, false },
		/* nothing was ever cut off */
		{ "started", BOOT, NULL, RECOVERY_NOTHING, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct history_record last = {
			.boot_id = (char *)rows[i].boot,
			.phase = (char *)rows[i].phase,
			.reason = (char *)rows[i].reason,
		};

		if (recovery_is_unsettled(&last, rows[i].recovery, BOOT) !=
		    rows[i].is_unsettled)
			fail_msg("row %zu (%s)", i, rows[i].phase);
	}
	assert_false(recovery_is_unsettled(NULL, RECOVERY_NOTHING, BOOT));
}

static void test_what_was_aimed_at(void **state)
{
	const struct tdxupd_version next = { 1, 5, 16 }, other = { 1, 5, 18 };
	struct history_record last = { .to = (char *)"1.5.16",
				       .step_to = (char *)"1.5.08" };

	(void)state;
	assert_true(recovery_is_same_aim(&last, &next));
	assert_false(recovery_is_same_aim(&last, &other));
	/* Killed before there was a plan: it may have been anything. */
	last.to = NULL;
	assert_true(recovery_is_same_aim(&last, &other));
}

static void test_each_has_a_name_and_a_sentence(void **state)
{
	(void)state;
	for (int i = 0; i < _RECOVERY_MAX; i++) {
		assert_non_null(recovery_to_string((enum recovery)i));
		assert_non_null(recovery_explain((enum recovery)i));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_row),
		cmocka_unit_test(test_loading_again_what_runs),
		cmocka_unit_test(test_between_two_steps),
		cmocka_unit_test(test_what_has_failed),
		cmocka_unit_test(test_what_is_unsettled),
		cmocka_unit_test(test_what_was_aimed_at),
		cmocka_unit_test(test_each_has_a_name_and_a_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
