// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>

#include "test.h"
#include "tdxupd.h"

static void test_parse_takes_only_versions(void **state)
{
	static const struct {
		const char *text;
		int rc;
		struct tdxupd_version version;
	} table[] = {
		{ "1.5.06", 0, { 1, 5, 6 } },
		{ "1.5.06\n", 0, { 1, 5, 6 } },
		{ "1.5.6", 0, { 1, 5, 6 } },
		{ "0.0.00", 0, { 0, 0, 0 } },
		{ "65535.65535.65535", 0, { 65535, 65535, 65535 } },
		{ "65536.0.0", -EBADMSG, { 0 } },
		{ "1.5.999999999999", -EBADMSG, { 0 } },
		{ "1.5", -EBADMSG, { 0 } },
		{ "1.5.", -EBADMSG, { 0 } },
		{ ".5.06", -EBADMSG, { 0 } },
		{ "1..06", -EBADMSG, { 0 } },
		{ "1.5.06.1", -EBADMSG, { 0 } },
		{ "1.5.06 ", -EBADMSG, { 0 } },
		{ " 1.5.06", -EBADMSG, { 0 } },
		{ "1.5.06\n\n", -EBADMSG, { 0 } },
		{ "-1.5.06", -EBADMSG, { 0 } },
		{ "+1.5.06", -EBADMSG, { 0 } },
		{ "1.5.0x6", -EBADMSG, { 0 } },
		{ "", -EBADMSG, { 0 } },
		{ NULL, -EINVAL, { 0 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct tdxupd_version v = { 7, 7, 7 };
		struct tdxupd_version untouched = { 7, 7, 7 };

		assert_int_equal(tdxupd_version_parse(table[i].text, &v), table[i].rc);
		assert_int_equal(tdxupd_version_compare(&v, table[i].rc
								    ? &untouched
								    : &table[i].version),
				 0);
	}
	assert_int_equal(tdxupd_version_parse("1.5.06", NULL), -EINVAL);
}

static void test_compare_orders_numerically(void **state)
{
	static const char *const rising[] = { "0.9.99", "1.4.00",  "1.5.01",  "1.5.06",
					      "1.5.16", "1.5.100", "1.10.00", "2.0.02" };

	(void)state;
	for (size_t i = 0; i < sizeof(rising) / sizeof(rising[0]); i++) {
		for (size_t j = 0; j < sizeof(rising) / sizeof(rising[0]); j++) {
			struct tdxupd_version a, b;
			int sign;

			assert_int_equal(tdxupd_version_parse(rising[i], &a), 0);
			assert_int_equal(tdxupd_version_parse(rising[j], &b), 0);
			sign = tdxupd_version_compare(&a, &b);
			assert_int_equal((sign > 0) - (sign < 0), (i > j) - (i < j));
		}
	}
}

static void test_format_pads_as_the_kernel_does(void **state)
{
	char text[TDXUPD_VERSION_TEXT_BYTES];

	(void)state;
	assert_string_equal(
		tdxupd_version_format(&(struct tdxupd_version){ 1, 5, 6 }, text),
		"1.5.06");
	assert_string_equal(
		tdxupd_version_format(&(struct tdxupd_version){ 1, 5, 116 }, text),
		"1.5.116");
	assert_string_equal(
		tdxupd_version_format(&(struct tdxupd_version){ 65535, 65535, 65535 },
				      text),
		"65535.65535.65535");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_takes_only_versions),
		cmocka_unit_test(test_compare_orders_numerically),
		cmocka_unit_test(test_format_pads_as_the_kernel_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
