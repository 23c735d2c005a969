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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_characters_are_not_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
