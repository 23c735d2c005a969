// SPDX-License-Identifier: LGPL-2.1-or-later
#include "test.h"
#include "describe.h"
#include "json.h"

#include <json-c/json.h>

static void assert_gate(const struct gate_source *sources, size_t count,
			enum gate_decision decision, uint32_t blocking,
			const char *expected)
{
	struct gate_verdict verdict = { .decision = decision, .blocking = blocking };
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;

	assert_int_equal(describe_gate(sources, count, GATE_STRICT, &verdict, &object),
			 0);
	assert_string_equal(
		json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN), expected);
}

static void test_gate_names_whom_it_waits_for(void **state)
{
	const struct gate_blocker blockers[] = {
		{ .who = "vm\x1b]0;x", .pid = 4711, .since_usec = 12 },
		{ .who = "" },
	};
	const struct gate_source sources[] = {
		{ .name = "kernel",
		  .state = GATE_CLOSED,
		  .confidence = GATE_EXACT,
		  .count = 2,
		  .blockers = blockers,
		  .blocker_count = 2 },
		{ .name = "population",
		  .state = GATE_UNKNOWN,
		  .reason = "no misc cgroup" },
	};

	(void)state;
	assert_gate(sources, 2, GATE_WAIT, 1,
		    "{\"decision\":\"wait\",\"policy\":\"strict\",\"sources\":["
		    "{\"name\":\"kernel\",\"state\":\"closed\",\"confidence\":\"exact\","
		    "\"is_blocking\":true,\"count\":2,\"blockers\":["
		    "{\"who\":\"vm?]0;x\",\"pid\":4711,\"since_usec\":12},{}]},"
		    "{\"name\":\"population\",\"state\":\"unknown\",\"confidence\":"
		    "\"exact\",\"is_blocking\":false,\"reason\":\"no misc cgroup\"}]}");
}

static void test_gate_without_sources(void **state)
{
	(void)state;
	assert_gate(NULL, 0, GATE_UNDECIDED, 0,
		    "{\"decision\":\"unknown\",\"policy\":\"strict\",\"sources\":[]}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gate_names_whom_it_waits_for),
		cmocka_unit_test(test_gate_without_sources),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
