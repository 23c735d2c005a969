// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>

#include "test.h"
#include "catalog-mapping.h"

#define ROW(version)                                             \
	"{\"version\": \"" version "\", "                        \
	"\"min_module_version_for_td_preserving\": \"1.5.01\", " \
	"\"min_seamldr_versions\": [\"1.5.00\", \"2.0.00\"], "   \
	"\"tdx_feature0\": \"0x2E1F0FBF\"}"
#define FILE_OF(rows) "{\"tdx_module_releases\": [" rows "]}"

static void test_reads_what_intel_writes(void **state)
{
	static const char text[] =
		"{\"Header\": {\"Copyright\": \"(c)\", \"Version\": \"1.0\"},\n"
		"\"tdx_module_releases\": [" ROW("1.5.16") ",\n" ROW("1.5.06") "]}";
	const struct tdxupd_version wanted = { 1, 5, 16 }, absent = { 1, 5, 13 };
	const struct tdxupd_release *found;
	struct tdxupd_release *releases;
	size_t count;

	(void)state;
	assert_int_equal(mapping_parse(text, strlen(text), &releases, &count, NULL), 0);
	assert_int_equal(count, 2);
	assert_int_equal(releases[0].version.update, 6);
	found = mapping_find(releases, count, &wanted);
	assert_ptr_equal(found, &releases[1]);
	assert_int_equal(found->min_module_version.update, 1);
	assert_int_equal(found->min_seamldr_count, 2);
	assert_int_equal(found->min_seamldr_versions[1].major, 2);
	assert_true(found->has_features0);
	assert_int_equal(found->features0, 0x2e1f0fbf);
	assert_null(mapping_find(releases, count, &absent));
	assert_null(mapping_find(NULL, 0, &absent));
	mapping_free(releases, count);
}

static void test_what_is_optional_or_new(void **state)
{
	static const char *const cases[] = {
		FILE_OF(""),
		FILE_OF("{\"version\": \"1.5.06\", \"colour\": {\"a\": [null]}, "
			"\"min_module_version_for_td_preserving\": \"1.5.01\", "
			"\"min_seamldr_versions\": []}"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tdxupd_release *releases;
		size_t count;

		assert_int_equal(mapping_parse(cases[i], strlen(cases[i]), &releases,
					       &count, NULL),
				 0);
		assert_int_equal(count, i);
		if (count)
			assert_false(releases[0].has_features0);
		mapping_free(releases, count);
	}
}

static void test_one_bad_row_spoils_the_file(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "", "ends too early" },
		{ "{}", "lacks \"tdx_module_releases\"" },
		{ "{\"tdx_module_releases\": {}}", "is no array" },
		{ "{\"tdx_module_releases\": [1]}", "release 0" },
		{ "{\"Header\": 1, \"tdx_module_releases\": []}", "\"Header\"" },
		{ "{\"Header\": {\"Version\": \"2.0\"}, \"tdx_module_releases\": []}",
		  "1.x" },
		{ FILE_OF(ROW("1.5.06") ", " ROW("1.5.16") ", " ROW("1.5.06")),
		  "version 1.5.06 twice" },
		{ FILE_OF(ROW("1.5.06") ", " ROW("1.5")), "release 1: \"version\"" },
		{ FILE_OF(ROW("1.5.999999999999")), "release 0: \"version\"" },
		{ FILE_OF(ROW("1.5.06\\u0000")), "NUL" },
		{ FILE_OF("{\"version\": 1}"), "\"version\"" },
		{ FILE_OF("{}"), "lacks \"version\"" },
		{ FILE_OF("{\"version\": \"1.5.06\"}"), "lacks \"min_module_version" },
		{ FILE_OF("{\"version\": \"1.5.06\", "
			  "\"min_module_version_for_td_preserving\": \"1.5.01\"}"),
		  "lacks \"min_seamldr_versions\"" },
		{ FILE_OF("{\"version\": \"1.5.06\", "
			  "\"min_module_version_for_td_preserving\": \"1.5.01\", "
			  "\"min_seamldr_versions\": [1.5]}"),
		  "item 0 of \"min_seamldr_versions\"" },
		{ FILE_OF("{\"version\": \"1.5.06\", "
			  "\"min_module_version_for_td_preserving\": \"1.5.01\", "
			  "\"min_seamldr_versions\": \"1.5.00\"}"),
		  "\"min_seamldr_versions\" is no array" },
		{ FILE_OF("{\"version\": \"1.5.06\", "
			  "\"min_module_version_for_td_preserving\": \"1.5.01\", "
			  "\"min_seamldr_versions\": [], \"tdx_feature0\": "
			  "\"2E1F0FBF\"}"),
		  "\"tdx_feature0\"" },
		{ FILE_OF("\"\xff\xfe\""), "no JSON" },
		{ FILE_OF("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["), "no JSON" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tdxupd_release *releases = NULL;
		size_t count = 42;
		char *why = NULL;

		assert_int_equal(mapping_parse(cases[i].text, strlen(cases[i].text),
					       &releases, &count, &why),
				 -EBADMSG);
		assert_null(releases);
		assert_int_equal(count, 42);
		assert_non_null(why);
		if (!strstr(why, cases[i].why))
			fail_msg("%s: %s", cases[i].text, why);
		free(why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_what_intel_writes),
		cmocka_unit_test(test_what_is_optional_or_new),
		cmocka_unit_test(test_one_bad_row_spoils_the_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
