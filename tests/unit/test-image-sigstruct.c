// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>

#include "image-format.h"
#include "test.h"
#include "testimage.h"
#include "util.h"

#define SIGSTRUCT 4096

static struct testimage_spec spec(void)
{
	return testimage_default_text("1.5.16");
}

static struct tdxupd_report *check_bytes(const uint8_t *bytes, size_t count,
					 struct tdxupd_image **ret)
{
	struct tdxupd_report *report = NULL;

	assert_int_equal(tdxupd_report_new(&report), 0);
	*ret = NULL;
	assert_int_equal(tdxupd_image_parse(bytes, count, report, ret), 0);
	return report;
}

struct change {
	size_t at;
	unsigned size;
	uint32_t value;
	enum tdxupd_check check;
};

/* Each is wrong in one way: the signer himself signed it so. */
static void test_one_wrong_field_is_one_verdict(void **state)
{
	static const struct change changes[] = {
		{ 0, 4, 5, TDXUPD_CHECK_SIGSTRUCT_HEADER },
		{ 4, 4, 0xe0, TDXUPD_CHECK_SIGSTRUCT_HEADER },
		{ 8, 4, 0x10001, TDXUPD_CHECK_SIGSTRUCT_HEADER },
		{ 12, 4, 1, TDXUPD_CHECK_SIGSTRUCT_RESERVED },
		{ 12, 4, 1u << 30, TDXUPD_CHECK_SIGSTRUCT_RESERVED },
		{ 12, 4, 1u << 31, TDXUPD_CHECK_MODULE_DEBUG },
		{ 16, 4, 0, TDXUPD_CHECK_SIGSTRUCT_VENDOR },
		{ 16, 4, 0x18086, TDXUPD_CHECK_SIGSTRUCT_VENDOR },
		{ 24, 4, 0x201, TDXUPD_CHECK_SIGSTRUCT_SIZES },
		{ 28, 4, 0x40, TDXUPD_CHECK_SIGSTRUCT_SIZES },
		{ 32, 4, 0x40, TDXUPD_CHECK_SIGSTRUCT_SIZES },
		{ 36, 4, 2, TDXUPD_CHECK_SIGSTRUCT_SIZES },
		{ 40, 1, 1, TDXUPD_CHECK_SIGSTRUCT_RESERVED },
		{ 127, 1, 1, TDXUPD_CHECK_SIGSTRUCT_RESERVED },
		{ 512, 4, 3, TDXUPD_CHECK_SIGSTRUCT_SIZES },
		{ 950, 1, 1, TDXUPD_CHECK_SIGSTRUCT_RESERVED },
		{ 957, 1, 0x80, TDXUPD_CHECK_SIGSTRUCT_RESERVED },
		{ 978, 1, 1, TDXUPD_CHECK_SIGSTRUCT_RESERVED },
		{ 983, 1, 1, TDXUPD_CHECK_SIGSTRUCT_RESERVED },
		{ 986, 2, 1, TDXUPD_CHECK_SIGSTRUCT_HANDOFF },
		{ 988, 1, 2, TDXUPD_CHECK_SIGSTRUCT_HANDOFF },
		{ 989, 1, 1, TDXUPD_CHECK_SIGSTRUCT_RESERVED },
		{ 1024, 4, 0, TDXUPD_CHECK_CPU_TABLE_EMPTY },
		{ 1024, 4, 256, TDXUPD_CHECK_SIGSTRUCT_SIZES },
		{ 1024, 4, 0xffffffff, TDXUPD_CHECK_SIGSTRUCT_SIZES },
	};
	struct testimage_spec s = spec();
	uint8_t *bytes, *changed;
	size_t count;

	(void)state;
	assert_int_equal(testimage_build(&s, &bytes, &count), 0);
	changed = malloc(count);
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		const struct change *c = &changes[i];
		struct tdxupd_report *report;
		struct tdxupd_image *image;

		memcpy(changed, bytes, count);
		for (unsigned b = 0; b < c->size; b++)
			changed[SIGSTRUCT + c->at + b] = (uint8_t)(c->value >> 8 * b);
		assert_int_equal(testimage_sign(changed, count, TESTIMAGE_KEY_TRUSTED),
				 0);
		report = check_bytes(changed, count, &image);
		if (tdxupd_report_count(report) != 1 ||
		    !tdxupd_report_has(report, c->check))
			fail_msg("%zu verdicts for 0x%x at %zu instead of %s",
				 tdxupd_report_count(report), c->value, c->at,
				 tdxupd_check_to_string(c->check));
		assert_false(tdxupd_report_is_passed(report));
		assert_non_null(image); /* `image show` can still say what it is */
		tdxupd_image_free(image);
		tdxupd_report_free(report);
	}
	free(changed);
	free(bytes);
}

static void test_facts(void **state)
{
	struct testimage_spec s = spec();
	struct tdxupd_digest signer = testimage_signer(TESTIMAGE_KEY_TRUSTED);
	struct tdxupd_report *report;
	struct tdxupd_image *image;
	uint8_t *bytes;
	size_t count;

	(void)state;
	s.svn = 0x0203;
	s.date = 0x20260102;
	s.module_hv = 7;
	s.min_update_hv = 5;
	s.no_downgrade = true;
	s.cpu_count = 2;
	s.cpus[0] = 0xc06f2;
	s.cpus[1] = 0xa06f0;
	s.module_pages = 3;
	assert_int_equal(testimage_build(&s, &bytes, &count), 0);
	report = check_bytes(bytes, count, &image);
	assert_int_equal(tdxupd_report_count(report), 0);
	assert_int_equal(image->svn, 0x0203);
	assert_int_equal(image->date, 0x20260102);
	assert_int_equal(image->module_hv, 7);
	assert_int_equal(image->min_update_hv, 5);
	assert_true(image->no_downgrade);
	assert_int_equal(image->cpu_count, 2);
	assert_int_equal(image->cpus[0], 0xc06f2);
	assert_int_equal(image->cpus[1], 0xa06f0);
	assert_int_equal(image->module_pages, 3);
	assert_int_equal(image->module_type, 0);
	assert_int_equal(image->attributes, 0);
	assert_int_equal(image->container, 0x100);
	assert_true(tdxupd_digest_is_equal(&image->signer, &signer));
	assert_memory_equal(image->mrseam.bytes, bytes + SIGSTRUCT + 900, 48);
	tdxupd_image_free(image);
	tdxupd_report_free(report);
	free(bytes);
}

/* A debug module needs no CPU table; 255 CPUs are the most. */
static void test_borders_of_the_cpu_table(void **state)
{
	struct testimage_spec s = spec();
	struct tdxupd_report *report;
	struct tdxupd_image *image;
	uint8_t *bytes;
	size_t count;

	(void)state;
	s.cpu_count = 0;
	s.module_type = TESTIMAGE_DEBUG;
	assert_int_equal(testimage_build(&s, &bytes, &count), 0);
	report = check_bytes(bytes, count, &image);
	assert_true(tdxupd_report_has(report, TDXUPD_CHECK_MODULE_DEBUG));
	assert_false(tdxupd_report_has(report, TDXUPD_CHECK_CPU_TABLE_EMPTY));
	tdxupd_report_free(report);
	tdxupd_image_free(image);

	store_le32(bytes + SIGSTRUCT + SIGSTRUCT_MODULE_TYPE, 0);
	store_le32(bytes + SIGSTRUCT + SIGSTRUCT_CPU_COUNT, 255);
	store_le32(bytes + SIGSTRUCT + 2044, 0x806f8);
	assert_int_equal(testimage_sign(bytes, count, TESTIMAGE_KEY_TRUSTED), 0);
	report = check_bytes(bytes, count, &image);
	assert_int_equal(tdxupd_report_count(report), 0);
	assert_int_equal(image->cpu_count, 255);
	assert_int_equal(image->cpus[254], 0x806f8);
	tdxupd_report_free(report);
	tdxupd_image_free(image);
	free(bytes);
}

/* What the published 2.0 modules have in bytes 1000 to 1023 speaks against nothing. */
static void test_bytes_of_unknown_meaning_pass(void **state)
{
	struct testimage_spec s = spec();
	struct tdxupd_report *report;
	struct tdxupd_image *image;
	uint8_t *bytes;
	size_t count;

	(void)state;
	assert_int_equal(testimage_build(&s, &bytes, &count), 0);
	memcpy(bytes + SIGSTRUCT + 1000, "\5\0\0\2\x5f\3", 6);
	assert_int_equal(testimage_sign(bytes, count, TESTIMAGE_KEY_TRUSTED), 0);
	report = check_bytes(bytes, count, &image);
	assert_int_equal(tdxupd_report_count(report), 0);
	tdxupd_report_free(report);
	tdxupd_image_free(image);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_wrong_field_is_one_verdict),
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_borders_of_the_cpu_table),
		cmocka_unit_test(test_bytes_of_unknown_meaning_pass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
