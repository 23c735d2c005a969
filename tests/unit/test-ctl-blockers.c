// SPDX-License-Identifier: LGPL-2.1-or-later
#include "test.h"
#include "ctl-blockers.h"
#include "json.h"

#include <json-c/json.h>

static void test_whom_an_update_waits_for(void **state)
{
	static const struct {
		const char *blockers;
		const char *expected;
	} table[] = {
		{ "[]", "" },
		{ "{}", "" },
		{ "[{\"source\": \"kernel\", \"who\": \"\", \"pid\": 0}]",
		  "a TD is being built: kernel counts it" },
		{ "[{\"source\": \"leases\", \"who\": \"vm1\", \"pid\": 12}]",
		  "a TD is being built: vm1, pid 12" },
		{ "[{\"source\": \"probes\", \"pid\": 12}]",
		  "a TD is being built: pid 12" },
		/* the same TD twice, once with a name */
		{ "[{\"source\": \"kernel\"}, {\"source\": \"leases\", \"who\": "
		  "\"vm1\"}]",
		  "a TD is being built: vm1" },
		{ "[{\"who\": \"a\"}, {\"who\": \"b\"}]", "2 TDs are being built: a; b" },
		{ "[{\"who\": \"a\"}, {\"who\": \"b\"}, {\"who\": \"c\"}, {\"who\": "
		  "\"d\"}, {\"who\": \"e\"}]",
		  "5 TDs are being built: a; b; c; and 2 more" },
		/* who forbids updates builds nothing */
		{ "[{\"source\": \"inhibitors\", \"who\": \"backup\", \"pid\": 12}]",
		  "updates are inhibited: backup, pid 12" },
		{ "[{\"source\": \"kernel\"}, {\"source\": \"inhibitors\", \"who\": "
		  "\"a\"}, {\"source\": \"inhibitors\", \"who\": \"b\"}]",
		  "a TD is being built: kernel counts it; and updates are inhibited: a; "
		  "b" },
		{ "[7]", "a TD is being built: ? counts it" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		_cleanup_(cleanup_json)
		struct json_object *blockers = json_tokener_parse(table[i].blockers);
		_cleanup_(cleanup_free)
		char *text = ctl_blockers_format(blockers);
		_cleanup_(cleanup_free)
		char *key = ctl_blockers_get_key(blockers);

		assert_string_equal(text, table[i].expected);
		assert_string_equal(key, table[i].expected);
	}
}

/* Time passes; that is no news. */
static void test_the_age_is_shown_and_no_part_of_the_key(void **state)
{
	_cleanup_(cleanup_json)
	struct json_object *blockers =
		json_tokener_parse("[{\"who\": \"a\", \"since_usec\": 1}]");
	_cleanup_(cleanup_free)
	char *text = ctl_blockers_format(blockers);
	_cleanup_(cleanup_free)
	char *key = ctl_blockers_get_key(blockers);

	(void)state;
	assert_non_null(strstr(text, " (for "));
	assert_string_equal(key, "a TD is being built: a");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whom_an_update_waits_for),
		cmocka_unit_test(test_the_age_is_shown_and_no_part_of_the_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
