// SPDX-License-Identifier: LGPL-2.1-or-later
#include "test.h"
#include "json.h"

#include <json-c/json.h>

static void test_what_is_built_reads_back(void **state)
{
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	_cleanup_(cleanup_json)
	struct json_object *array = NULL;
	uint64_t number;

	(void)state;
	assert_int_equal(json_new_object(&object), 0);
	assert_int_equal(json_new_array(&array), 0);
	assert_int_equal(json_append_text(array, "a"), 0);
	assert_int_equal(json_add_text(object, "text", "1.5.16"), 0);
	assert_int_equal(json_add_bool(object, "bool", true), 0);
	assert_int_equal(json_add_number(object, "number", UINT64_MAX), 0);
	assert_int_equal(json_add_hex(object, "hex", UINT64_MAX), 0);
	assert_int_equal(json_add(object, "array", TAKE_PTR(array)), 0);

	assert_string_equal(json_get_text(object, "text"), "1.5.16");
	assert_true(json_get_bool(object, "bool"));
	assert_true(json_get_number(object, "number", &number));
	assert_true(number == UINT64_MAX);
	assert_string_equal(json_get_text(object, "hex"), "0xffffffffffffffff");
	assert_int_equal(json_count(json_get(object, "array")), 1);
}

static void test_the_unknown_is_absent(void **state)
{
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;

	(void)state;
	assert_int_equal(json_new_object(&object), 0);
	assert_int_equal(json_add_text(object, "text", NULL), 0);
	assert_int_equal(json_add(object, "object", NULL), 0);
	assert_int_equal(json_object_object_length(object), 0);
	assert_null(json_get_text(object, "text"));
	assert_false(json_get_bool(object, "text"));
	assert_null(json_get(NULL, "text"));
	assert_int_equal(json_count(object), 0);
}

/* An answer from a bus may have any shape. */
static void test_other_types_read_as_absent(void **state)
{
	_cleanup_(cleanup_json)
	struct json_object *object =
		json_tokener_parse("{\"t\": 1, \"n\": \"1\", \"b\": 1, \"a\": {}}");
	uint64_t number = 7;

	(void)state;
	assert_non_null(object);
	assert_null(json_get_text(object, "t"));
	assert_false(json_get_number(object, "n", &number));
	assert_int_equal(number, 7);
	assert_false(json_get_bool(object, "b"));
	assert_int_equal(json_count(json_get(object, "a")), 0);
}

static void test_hostile_text_is_made_printable(void **state)
{
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;

	(void)state;
	assert_int_equal(json_new_object(&object), 0);
	assert_int_equal(json_add_text(object, "text", "a\x1b[31m\n\xff"), 0);
	assert_string_equal(json_get_text(object, "text"), "a?[31m??");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_built_reads_back),
		cmocka_unit_test(test_the_unknown_is_absent),
		cmocka_unit_test(test_other_types_read_as_absent),
		cmocka_unit_test(test_hostile_text_is_made_printable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
