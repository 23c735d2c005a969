// SPDX-License-Identifier: LGPL-2.1-or-later
#include "test.h"
#include "ctl-bus.h"
#include "ctl-reasons.h"
#include "json.h"

#include <json-c/json.h>

#define VERDICT(code, severity)                                                       \
	"{\"code\": \"" code "\", \"severity\": \"" severity "\", \"title\": \"" code \
	" title\", \"text\": \"" code " text\"}"

static void assert_reasons(const char *verdicts, const char *summary, const char *joined)
{
	_cleanup_(cleanup_json)
	struct json_object *array = json_tokener_parse(verdicts);
	_cleanup_(cleanup_free)
	char *short_text = ctl_reasons_summarize(array);
	_cleanup_(cleanup_free)
	char *long_text = ctl_reasons_join(array, "  ");

	assert_string_equal(short_text, summary);
	assert_string_equal(long_text, joined);
}

static void test_the_gravest_reason_speaks_for_all(void **state)
{
	(void)state;
	assert_reasons("[]", "", "");
	assert_reasons("[" VERDICT("a", "warn") "]", "a title", "  warning: a text");
	assert_reasons("[" VERDICT("a", "warn") "," VERDICT("b", "refuse") "]",
		       "b title (and 1 more)", "  b text\n  warning: a text");
	assert_reasons("[" VERDICT("a", "unknown") "," VERDICT("b", "refuse") "," VERDICT(
			       "c", "refuse") "]",
		       "b title (and 2 more)", "  b text\n  c text\n  a text");
}

/* Another version of the daemon, or no daemon at all, may have sent it. */
static void test_verdicts_of_any_shape(void **state)
{
	(void)state;
	assert_reasons("{}", "", "");
	assert_reasons("[7, {}]", "? (and 1 more)", "  warning: ?\n  warning: ?");
}

static void test_errors_become_exit_codes_and_reasons(void **state)
{
	static const struct {
		const char *name;
		enum ctl_exit code;
		const char *reason;
	} table[] = {
		{ "org.tdxupd1.Error.NoPath", CTL_EXIT_REFUSED, "no-path" },
		{ "org.tdxupd1.Error.NoSuchVersion", CTL_EXIT_NO_IMAGE,
		  "no-such-version" },
		{ "org.tdxupd1.Error.Unsupported", CTL_EXIT_UNSUPPORTED, "unsupported" },
		{ "org.tdxupd1.Error.Lost", CTL_EXIT_LOST, "lost" },
		{ "org.tdxupd1.Error.Untrusted", CTL_EXIT_UNTRUSTED, "untrusted" },
		{ "org.tdxupd1.Error.Exhausted", CTL_EXIT_EXHAUSTED, "exhausted" },
		{ "org.tdxupd1.Error.Expired", CTL_EXIT_BLOCKED, "expired" },
		{ "org.tdxupd1.Error.Cancelled", CTL_EXIT_CANCELLED, "cancelled" },
		{ "org.tdxupd1.Error.Held", CTL_EXIT_HELD, "held" },
		{ "org.tdxupd1.Error.Failed", CTL_EXIT_FAILED, "failed" },
		{ "org.tdxupd1.Error.Pinned", CTL_EXIT_PINNED, "pinned" },
		{ "org.tdxupd1.Error.Forbidden", CTL_EXIT_FORBIDDEN, "forbidden" },
		{ "org.tdxupd1.Error.NoImage", CTL_EXIT_NO_IMAGE, "no-image" },
		{ "org.tdxupd1.Error.Config", CTL_EXIT_CONFIG, "config" },
		{ "org.tdxupd1.Error.Mismatch", CTL_EXIT_MISMATCH, "mismatch" },
		{ "org.tdxupd1.Error.Unknown", CTL_EXIT_MISMATCH, "unknown" },
		{ SD_BUS_ERROR_ACCESS_DENIED, CTL_EXIT_NOT_AUTHORISED, "access-denied" },
		{ SD_BUS_ERROR_SERVICE_UNKNOWN, CTL_EXIT_UNREACHABLE, "service-unknown" },
		{ "org.freedesktop.DBus.Error.TimedOut", CTL_EXIT_UNREACHABLE,
		  "timed-out" },
		{ "org.freedesktop.DBus.Error.Spawn.ChildExited", CTL_EXIT_UNREACHABLE,
		  "child-exited" },
		{ "System.Error.ENOTCONN", CTL_EXIT_UNREACHABLE, "enotconn" },
		{ "org.example.Other", CTL_EXIT_FAILURE, "other" },
		{ "", CTL_EXIT_FAILURE, "failure" },
		{ NULL, CTL_EXIT_FAILURE, "failure" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		char reason[32];

		assert_int_equal(ctl_bus_error_to_exit(table[i].name), table[i].code);
		ctl_bus_error_to_reason(table[i].name, reason, sizeof(reason));
		assert_string_equal(reason, table[i].reason);
	}
}

static void test_no_failure_passes_for_success(void **state)
{
	(void)state;
	for (int failure = FAILURE_NONE + 1; failure < _FAILURE_MAX; failure++)
		assert_int_not_equal(ctl_exit_from_failure((enum failure)failure),
				     CTL_EXIT_OK);
	assert_int_not_equal(ctl_exit_from_failure(_FAILURE_MAX), CTL_EXIT_OK);
	assert_int_not_equal(ctl_exit_from_failure(_FAILURE_INVALID), CTL_EXIT_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_gravest_reason_speaks_for_all),
		cmocka_unit_test(test_verdicts_of_any_shape),
		cmocka_unit_test(test_errors_become_exit_codes_and_reasons),
		cmocka_unit_test(test_no_failure_passes_for_success),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
