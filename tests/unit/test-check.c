// SPDX-License-Identifier: LGPL-2.1-or-later
#include <ctype.h>
#include <errno.h>

#include "test.h"
#include "tdxupd.h"

static bool is_sentence(const char *text)
{
	size_t length = strlen(text);

	return length > 10 && isupper((unsigned char)text[0]) && text[length - 1] == '.';
}

static void test_every_row_is_complete(void **state)
{
	(void)state;
	for (int i = 0; i < _TDXUPD_CHECK_MAX; i++) {
		const struct tdxupd_check_info *info =
			tdxupd_check_describe((enum tdxupd_check)i);

		assert_non_null(info);
		if (!info->code)
			fail_msg("row %d is missing", i);
		assert_non_null(info->title);
		assert_non_null(info->compares);
		assert_non_null(info->source);
		assert_non_null(info->advice);
		assert_true(is_sentence(info->advice));
		for (const char *p = info->code; *p; p++)
			assert_true(islower((unsigned char)*p) || *p == '-');
		if (info->override)
			assert_memory_equal(info->override, "Accept", 6);
	}
	assert_null(tdxupd_check_describe(_TDXUPD_CHECK_MAX));
	assert_null(tdxupd_check_describe(_TDXUPD_CHECK_INVALID));
}

static void test_codes_are_names(void **state)
{
	(void)state;
	for (int i = 0; i < _TDXUPD_CHECK_MAX; i++) {
		const char *code = tdxupd_check_to_string((enum tdxupd_check)i);

		/* Also shows that no code is there twice. */
		assert_int_equal(tdxupd_check_from_string(code), i);
	}
	assert_null(tdxupd_check_to_string(_TDXUPD_CHECK_MAX));
	assert_int_equal(tdxupd_check_from_string("no-such-check"),
			 _TDXUPD_CHECK_INVALID);
	assert_int_equal(tdxupd_check_from_string(""), _TDXUPD_CHECK_INVALID);
	assert_int_equal(tdxupd_check_from_string(NULL), _TDXUPD_CHECK_INVALID);
	assert_string_equal(tdxupd_severity_to_string(TDXUPD_SEVERITY_WARN), "warn");
	assert_string_equal(tdxupd_severity_to_string(TDXUPD_SEVERITY_UNKNOWN),
			    "unknown");
	assert_string_equal(tdxupd_severity_to_string(TDXUPD_SEVERITY_REFUSE), "refuse");
	assert_null(tdxupd_severity_to_string(_TDXUPD_SEVERITY_MAX));
}

/* tdxupd_upload_check() looks at these and at nothing else. */
static void test_last_moment_is_cheap(void **state)
{
	(void)state;
	for (int i = 0; i < _TDXUPD_CHECK_MAX; i++)
		assert_int_equal(
			tdxupd_check_describe((enum tdxupd_check)i)->is_last_moment,
			i == TDXUPD_CHECK_TDX_ABSENT || i == TDXUPD_CHECK_TDX_LOST ||
				i == TDXUPD_CHECK_CPU_OFFLINE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_row_is_complete),
		cmocka_unit_test(test_codes_are_names),
		cmocka_unit_test(test_last_moment_is_cheap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
