// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>

#include "test.h"
#include "duration.h"
#include "util.h"

static void test_spans_are_read(void **state)
{
	static const struct {
		const char *text;
		int r;
		uint64_t usec;
	} table[] = {
		{ "90", 0, 90 * USEC_PER_SEC },
		{ "0", 0, 0 },
		{ "1h 30min", 0, 5400 * USEC_PER_SEC },
		{ "1h30min5s", 0, 5405 * USEC_PER_SEC },
		{ " 200ms ", 0, 200 * USEC_PER_MSEC },
		{ "5 min", 0, 300 * USEC_PER_SEC },
		{ "2d", 0, 172800 * USEC_PER_SEC },
		{ "7us", 0, 7 },
		{ "infinity", 0, USEC_INFINITY },
		{ "", -EBADMSG, 0 },
		{ "s", -EBADMSG, 0 },
		{ "-1", -EBADMSG, 0 },
		{ "5 minutes", -EBADMSG, 0 },
		{ "1.5h", -EBADMSG, 0 },
		{ "5min\n", -EBADMSG, 0 },
		{ "18446744073709551616", -ERANGE, 0 },
		{ "18446744073710", -ERANGE, 0 },
		{ "18446744073709551615us", -ERANGE, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		uint64_t usec = 0;

		assert_int_equal(duration_parse(table[i].text, &usec), table[i].r);
		assert_true(usec == table[i].usec);
	}
}

static void test_spans_are_written_for_people(void **state)
{
	static const struct {
		uint64_t usec;
		const char *text;
	} table[] = {
		{ 0, "0s" },
		{ 5400 * USEC_PER_SEC + 7, "1h 30min" },
		{ 61 * USEC_PER_SEC, "1min 1s" },
		{ 3600 * USEC_PER_SEC + 5 * USEC_PER_SEC, "1h" },
		{ 1500, "1ms 500us" },
		{ USEC_INFINITY, "infinity" },
		{ USEC_INFINITY - 1, "213503982d 8h" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		char text[DURATION_TEXT_BYTES];

		assert_string_equal(duration_format(table[i].usec, text), table[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spans_are_read),
		cmocka_unit_test(test_spans_are_written_for_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
