// SPDX-License-Identifier: LGPL-2.1-or-later
#include "test.h"
#include "ctl-text.h"
#include "util.h"

#include <locale.h>

static void test_wrap(void **state)
{
	static const struct {
		const char *text;
		size_t width;
		const char *wrapped;
	} table[] = {
		{ "", 10, "" },
		{ "short", 10, "short" },
		{ "two words", 9, "two words" },
		{ "two words", 8, "two\nwords" },
		{ "two  words", 4, "two\nword\ns" },
		{ "abcdefgh", 3, "abc\ndef\ngh" },
		{ "a\nb c d", 3, "a\nb c\nd" },
		{ "a\n\nb", 3, "a\n\nb" },
		{ "a b", 0, "a\nb" },
		{ "ends in space ", 20, "ends in space " },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		_cleanup_(cleanup_free)
		char *wrapped = text_wrap(table[i].text, table[i].width);

		assert_non_null(wrapped);
		assert_string_equal(wrapped, table[i].wrapped);
	}
}

static void test_wrap_below_the_text(void **state)
{
	static const struct {
		const char *text;
		size_t width;
		size_t indent;
		const char *wrapped;
	} table[] = {
		{ "", 10, 2, "" },
		{ "a  one two", 10, 3, "a  one two" },
		{ "a  one two", 9, 3, "a  one\n   two" },
		{ "a  one two\nb  x\n", 9, 3, "a  one\n   two\nb  x\n" },
		{ "one two", 5, 0, "one\ntwo" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		_cleanup_(cleanup_free)
		char *wrapped =
			text_wrap_lines(table[i].text, table[i].width, table[i].indent);

		assert_non_null(wrapped);
		assert_string_equal(wrapped, table[i].wrapped);
	}
}

static void test_characters_are_not_cut(void **state)
{
	_cleanup_(cleanup_free)
	char *wrapped = NULL;

	(void)state;
	if (!setlocale(LC_ALL, "C.UTF-8"))
		skip();
	assert_int_equal(text_get_width("äöü"), 3);
	assert_int_equal(text_get_width("漢字"), 4);
	wrapped = text_wrap("äöü漢字", 4);
	assert_string_equal(wrapped, "äöü\n漢字");
}

static void test_numbers(void **state)
{
	static const char *const bad[] = { "",    " 1",  "-1",
					   "+1",  "1 ",  "0x1",
					   "1.5", "101", "18446744073709551616" };
	uint64_t number = 7;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(text_parse_number(bad[i], 100, &number));
	assert_int_equal(number, 7);
	assert_true(text_parse_number("100", 100, &number));
	assert_int_equal(number, 100);
	assert_true(text_parse_number("18446744073709551615", UINT64_MAX, &number));
	assert_true(number == UINT64_MAX);
}

static void test_times(void **state)
{
	char text[TEXT_TIME_BYTES];

	(void)state;
	setenv("TZ", "UTC", 1);
	assert_string_equal(text_format_time(UINT64_C(1800000000000000), text),
			    "2027-01-15 08:00:00");
	assert_string_equal(text_format_time(0, text), "1970-01-01 00:00:00");
	/* Whatever somebody sends us. */
	assert_non_null(text_format_time(UINT64_MAX, text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_wrap_below_the_text),
		cmocka_unit_test(test_characters_are_not_cut),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
