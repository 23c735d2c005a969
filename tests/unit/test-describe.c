// SPDX-License-Identifier: LGPL-2.1-or-later
#include "test.h"
#include "describe.h"
#include "json.h"

#include <json-c/json.h>

DEFINE_CLEANUP(struct tdxupd_report, report, tdxupd_report_free)

static const struct tdxupd_image image = {
	.bytes_count = 12288,
	.container = TDXUPD_CONTAINER_PUBLISHED,
	.module_pages = 1,
	.mrseam = { { 0xab } },
	.module_type = UINT32_C(1) << 31,
	.date = 0x20250219,
	.svn = 0x010b,
	.module_hv = 2,
	.min_update_hv = 1,
	.no_downgrade = true,
	.cpu_count = 2,
	.cpus = { 0x806f8, 0xc06f0 },
};

static void make_report(struct tdxupd_report **ret)
{
	assert_int_equal(tdxupd_report_new(ret), 0);
	assert_int_equal(tdxupd_report_add(*ret, TDXUPD_CHECK_SVN_LOWER,
					   TDXUPD_SEVERITY_REFUSE, "0x0105\x1b[0m",
					   "0x0106"),
			 0);
	assert_int_equal(tdxupd_report_add(*ret, TDXUPD_CHECK_FEATURES_LOST,
					   TDXUPD_SEVERITY_WARN, NULL, NULL),
			 0);
}

static void test_a_report_is_its_verdicts(void **state)
{
	_cleanup_(cleanup_report)
	struct tdxupd_report *report = NULL;
	_cleanup_(cleanup_json)
	struct json_object *array = NULL;
	struct json_object *first, *second;

	(void)state;
	make_report(&report);
	assert_int_equal(describe_report(report, &array), 0);
	assert_int_equal(json_count(array), 2);
	first = json_object_array_get_idx(array, 0);
	second = json_object_array_get_idx(array, 1);
	assert_string_equal(json_get_text(first, "code"), "svn-lower");
	assert_string_equal(json_get_text(first, "severity"), "refuse");
	assert_string_equal(json_get_text(first, "found"), "0x0105?[0m");
	assert_string_equal(json_get_text(first, "wanted"), "0x0106");
	assert_non_null(json_get_text(first, "advice"));
	assert_non_null(strstr(json_get_text(first, "text"), "0x0106"));
	assert_string_equal(json_get_text(second, "severity"), "warn");
	assert_null(json_get(second, "found"));
	assert_non_null(json_get_text(second, "override"));
}

static void test_a_verdict_of_no_check_is_refused(void **state)
{
	const struct tdxupd_verdict verdict = { .check = _TDXUPD_CHECK_MAX };
	struct json_object *object = NULL;

	(void)state;
	assert_true(describe_verdict(&verdict, &object) < 0);
	assert_null(object);
}

static void test_an_image(void **state)
{
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	struct json_object *cpus;
	uint64_t number;

	(void)state;
	assert_int_equal(describe_image(&image, &object), 0);
	assert_string_equal(json_get_text(object, "container"), "0x100");
	assert_string_equal(json_get_text(object, "svn"), "0x010b");
	assert_string_equal(json_get_text(object, "date"), "2025-02-19");
	assert_true(json_get_bool(object, "is_debug"));
	assert_true(json_get_bool(object, "no_downgrade"));
	assert_true(json_get_number(object, "module_hv", &number));
	assert_int_equal(number, 2);
	assert_int_equal(strlen(json_get_text(object, "mrseam")), 96);
	cpus = json_get(object, "cpus");
	assert_int_equal(json_count(cpus), 2);
	assert_string_equal(json_object_get_string(json_object_array_get_idx(cpus, 1)),
			    "0xc06f0");
}

static void test_an_entry_of_which_little_is_known(void **state)
{
	_cleanup_(cleanup_report)
	struct tdxupd_report *report = NULL;
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	struct tdxupd_entry entry = { .name = (char *)"a\nb\xff" };

	(void)state;
	make_report(&report);
	entry.report = report;
	assert_int_equal(describe_entry(&entry, &object), 0);
	assert_string_equal(json_get_text(object, "name"), "a?b?");
	assert_false(json_get_bool(object, "is_sound"));
	assert_null(json_get(object, "version"));
	assert_null(json_get(object, "image"));
	assert_null(json_get(object, "release"));
	assert_int_equal(json_count(json_get(object, "verdicts")), 2);
}

static void test_an_entry_with_all_there_is(void **state)
{
	struct tdxupd_version seamldrs[] = { { 1, 5, 0 }, { 2, 0, 0 } };
	const struct tdxupd_release release = {
		.version = { 1, 5, 16 },
		.min_module_version = { 1, 5, 1 },
		.min_seamldr_count = 2,
		.min_seamldr_versions = seamldrs,
		.has_features0 = true,
		.features0 = UINT64_C(0x226F3F0FBF),
	};
	_cleanup_(cleanup_report)
	struct tdxupd_report *report = NULL;
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	struct json_object *found;
	struct tdxupd_image copy = image;
	struct tdxupd_entry entry = { .name = (char *)"m.blob",
				      .has_version = true,
				      .is_known = true,
				      .version = { 1, 5, 16 },
				      .image = &copy,
				      .release = &release };

	(void)state;
	assert_int_equal(tdxupd_report_new(&report), 0);
	entry.report = report;
	assert_int_equal(describe_entry(&entry, &object), 0);
	assert_string_equal(json_get_text(object, "version"), "1.5.16");
	assert_true(json_get_bool(object, "is_known"));
	assert_true(json_get_bool(object, "is_sound"));
	found = json_get(object, "release");
	assert_string_equal(json_get_text(found, "features0"), "0x226f3f0fbf");
	assert_string_equal(json_get_text(found, "min_module_version"), "1.5.01");
	assert_int_equal(json_count(json_get(found, "min_seamldr_versions")), 2);
}

static void test_a_host_says_only_what_is_known(void **state)
{
	const struct tdxupd_host host = { .state = TDXUPD_TDX_LOST };
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;

	(void)state;
	assert_int_equal(describe_host(&host, &object), 0);
	assert_string_equal(json_get_text(object, "state"), "lost");
	assert_null(json_get(object, "module_version"));
	assert_null(json_get(object, "remaining_updates"));
	assert_null(json_get(object, "cpus"));
}

static void test_a_catalog_names_what_it_left_out(void **state)
{
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	struct tdxupd_left_out left = { .name = (char *)"READ\x1bME",
					.why = (char *)"no TDX module image" };
	const struct tdxupd_catalog catalog = { .left_out = 1, .left_outs = &left };
	struct json_object *array, *item;
	uint64_t count;

	(void)state;
	assert_int_equal(describe_catalog(&catalog, &object), 0);
	assert_true(json_get_number(object, "left_out", &count));
	assert_int_equal(count, 1);
	array = json_get(object, "left_outs");
	assert_int_equal(json_count(array), 1);
	item = json_object_array_get_idx(array, 0);
	assert_string_equal(json_get_text(item, "name"), "READ?ME");
	assert_string_equal(json_get_text(item, "why"), "no TDX module image");
	assert_int_equal(json_count(json_get(object, "entries")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_report_is_its_verdicts),
		cmocka_unit_test(test_a_verdict_of_no_check_is_refused),
		cmocka_unit_test(test_an_image),
		cmocka_unit_test(test_an_entry_of_which_little_is_known),
		cmocka_unit_test(test_an_entry_with_all_there_is),
		cmocka_unit_test(test_a_catalog_names_what_it_left_out),
		cmocka_unit_test(test_a_host_says_only_what_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
