// SPDX-License-Identifier: LGPL-2.1-or-later
#include "test.h"
#include "ctl-table.h"

#include <locale.h>

static const struct ctl_column columns[] = {
	{ .name = "VERSION" },
	{ .name = "LEFT", .is_right = true },
	{ .name = "WHY", .is_wrapped = true },
};

static char *format(const struct ctl *ctl, bool has_head)
{
	static const char *const rows[][3] = {
		{ "1.5.16", "7", "a reason that is longer than the room there is" },
		{ "2.0.05", "30", NULL },
	};
	_cleanup_(cleanup_ctl_table)
	struct ctl_table *table = NULL;

	assert_int_equal(ctl_table_new(ctl, columns, 3, has_head, &table), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(ctl_table_add(table, rows[i], NULL), 0);
	return ctl_table_format(table);
}

static void test_the_last_column_is_wrapped_at_words(void **state)
{
	struct ctl ctl = { .width = 40 };
	_cleanup_(cleanup_free)
	char *text = format(&ctl, true);

	(void)state;
	assert_string_equal(text, "VERSION  LEFT  WHY\n"
				  "1.5.16      7  a reason that is longer\n"
				  "               than the room there is\n"
				  "2.0.05     30  -");
}

static void test_no_legend(void **state)
{
	struct ctl ctl = { .width = 80, .has_no_legend = true };
	_cleanup_(cleanup_free)
	char *text = format(&ctl, true);

	(void)state;
	assert_string_equal(text,
			    "1.5.16   7  a reason that is longer than the room there is\n"
			    "2.0.05  30  -");
}

/* Widths 1 to 200: every line fits, or is as narrow as we go. */
static void test_every_width(void **state)
{
	(void)state;
	for (unsigned width = 1; width <= 200; width++) {
		struct ctl ctl = { .width = width };
		_cleanup_(cleanup_free)
		char *text = format(&ctl, true);
		char *save = NULL;
		size_t limit = width < 35 ? 35 : width;

		for (char *line = strtok_r(text, "\n", &save); line;
		     line = strtok_r(NULL, "\n", &save))
			assert_true(strlen(line) <= limit);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_last_column_is_wrapped_at_words),
		cmocka_unit_test(test_no_legend),
		cmocka_unit_test(test_every_width),
	};

	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
