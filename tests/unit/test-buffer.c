// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>

#include "buffer.h"
#include "test.h"

static void test_it_holds_what_was_put(void **state)
{
	struct buffer buffer = { 0 };
	char *text;
	size_t count;

	(void)state;
	for (unsigned i = 0; i < 10000; i++) {
		buffer_put(&buffer, "ab", 2);
		buffer_print(&buffer, "%04u", i);
	}
	assert_int_equal(buffer_take(&buffer, &text, &count), 0);
	assert_int_equal(count, 60000);
	assert_int_equal(strlen(text), count);
	for (unsigned i = 0; i < 10000; i++) {
		char wanted[16];

		snprintf(wanted, sizeof(wanted), "ab%04u", i);
		assert_memory_equal(text + (size_t)6 * i, wanted, 6);
	}
	free(text);
	assert_int_equal(buffer.count, 0);
}

static void test_nothing_is_an_empty_text(void **state)
{
	struct buffer buffer = { 0 };
	char *text;
	size_t count;

	(void)state;
	buffer_put(&buffer, NULL, 0);
	assert_int_equal(buffer_take(&buffer, &text, &count), 0);
	assert_int_equal(count, 0);
	assert_string_equal(text, "");
	free(text);
}

/* One part that is missing spoils all, whatever fits after it. */
static void test_what_is_missing_stays_missing(void **state)
{
	struct buffer buffer = { 0 };
	char *text = NULL;

	(void)state;
	buffer_put(&buffer, "a", 1);
	buffer_put(&buffer, "b", SIZE_MAX / 4);
	assert_true(buffer.is_short);
	buffer_put(&buffer, "c", 1);
	buffer_print(&buffer, "d");
	assert_int_equal(buffer.count, 1);
	assert_int_equal(buffer_take(&buffer, &text, NULL), -ENOMEM);
	assert_null(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_holds_what_was_put),
		cmocka_unit_test(test_nothing_is_an_empty_text),
		cmocka_unit_test(test_what_is_missing_stays_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
