// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>

#include "test.h"
#include "tdxupd.h"
#include "util.h"

static void test_printable_text_acts_on_no_terminal(void **state)
{
	static const struct {
		const char *text;
		size_t size;
		const char *expected;
	} table[] = {
		{ "plain", 32, "plain" },
		{ "a\nb\tc", 32, "a?b?c" },
		{ "\x1b[31mred", 32, "?[31mred" },
		{ "del\x7f", 32, "del?" },
		{ "c1\xc2\x9b", 32, "c1?" },
		{ "\xe2\x80\xaegp\xe2\x80\xac", 32, "?gp?" }, /* shown as "pg" */
		{ "\xe2\x80\xa8\xe2\x81\xa7\xe2\x80\xa7", 32, "??\xe2\x80\xa7" },
		{ "\xe2\x80\x8b\xe2\x80\x8f\xd8\x9c", 32, "???" }, /* zero width, bidi */
		{ "\xef\xbb\xbf\xc2\xad\xe2\x81\xa0", 32, "???" },
		{ "\xf3\xa0\x81\xa1\xef\xb8\x8f", 32, "??" }, /* a tag, a selector */
		{ "\xe3\x85\xa4", 32, "?" },                  /* a filler */
		{ "\xe2\x80\x90\xe2\x80\xaf", 32, "\xe2\x80\x90\xe2\x80\xaf" },
		{ "caf\xc3\xa9", 32, "caf\xc3\xa9" },
		{ "\xe2\x82\xac", 32, "\xe2\x82\xac" },
		{ "\xf0\x9f\x94\x92", 32, "\xf0\x9f\x94\x92" },
		{ "\xc0\xaf", 32, "??" },           /* overlong */
		{ "\xed\xa0\x80", 32, "???" },      /* surrogate */
		{ "\xf4\x90\x80\x80", 32, "????" }, /* above U+10FFFF */
		{ "cut\xc3", 32, "cut?" },
		{ "ab\xc3\xa9", 4, "ab" }, /* no half characters */
		{ "abc", 1, "" },
		{ NULL, 8, "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		char out[32];

		text_make_printable(out, table[i].size, table[i].text);
		assert_string_equal(out, table[i].expected);
	}
}

static void test_string_tables_know_their_bounds(void **state)
{
	static const char *const table[] = { "zero", NULL, "two" };

	(void)state;
	assert_string_equal(string_table_lookup(table, 3, 2), "two");
	assert_null(string_table_lookup(table, 3, 3));
	assert_null(string_table_lookup(table, 3, -22));
	assert_int_equal(string_table_find(table, 3, "two"), 2);
	assert_int_equal(string_table_find(table, 3, "three"), -EINVAL);
	assert_int_equal(string_table_find(table, 3, NULL), -EINVAL);
}

static void test_little_endian_loads_ignore_alignment(void **state)
{
	const uint8_t bytes[] = { 0xff, 1, 2, 3, 4, 5, 6, 7, 0x88 };
	uint8_t out[5] = { 0 };

	(void)state;
	assert_int_equal(load_le16(bytes + 1), 0x0201);
	assert_int_equal(load_le32(bytes + 1), 0x04030201);
	assert_true(load_le64(bytes + 1) == UINT64_C(0x8807060504030201));
	store_le32(out + 1, 0x89abcdef);
	assert_int_equal(load_le32(out + 1), 0x89abcdef);
}

static void count_lines(void *userdata, const char *message)
{
	assert_string_equal(message, "count 3");
	++*(int *)userdata;
}

static void test_log_goes_to_the_callback_or_nowhere(void **state)
{
	int lines = 0;

	(void)state;
	log_debug("count %d", 1);
	tdxupd_set_log(count_lines, &lines);
	log_debug("count %d", 3);
	tdxupd_set_log(NULL, NULL);
	log_debug("count %d", 4);
	assert_int_equal(lines, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_printable_text_acts_on_no_terminal),
		cmocka_unit_test(test_string_tables_know_their_bounds),
		cmocka_unit_test(test_little_endian_loads_ignore_alignment),
		cmocka_unit_test(test_log_goes_to_the_callback_or_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
