// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>

#include "image-format.h"
#include "test.h"
#include "testimage.h"
#include "util.h"

struct file {
	uint8_t *bytes;
	size_t count;
};

static struct file build(uint16_t container, uint32_t pages)
{
	struct testimage_spec spec = testimage_default_text("1.5.16");
	struct file file;

	spec.container = container;
	spec.module_pages = pages;
	assert_int_equal(testimage_build(&spec, &file.bytes, &file.count), 0);
	return file;
}

static struct tdxupd_report *parse(const uint8_t *bytes, size_t count,
				   struct tdxupd_image **ret)
{
	struct tdxupd_report *report = NULL;

	assert_int_equal(tdxupd_report_new(&report), 0);
	*ret = NULL;
	assert_int_equal(tdxupd_image_parse(bytes, count, report, ret), 0);
	return report;
}

/* Exactly one verdict, which refuses. */
static void check_only(const uint8_t *bytes, size_t count, enum tdxupd_check check)
{
	struct tdxupd_image *image;
	struct tdxupd_report *report = parse(bytes, count, &image);

	if (tdxupd_report_count(report) != 1 || !tdxupd_report_has(report, check))
		fail_msg("%zu verdicts, first %s, instead of %s",
			 tdxupd_report_count(report),
			 tdxupd_report_count(report)
				 ? tdxupd_check_to_string(
					   tdxupd_report_get(report, 0)->check)
				 : "-",
			 tdxupd_check_to_string(check));
	assert_false(tdxupd_report_is_passed(report));
	tdxupd_report_free(report);
	tdxupd_image_free(image);
}

static void check_fine(const uint8_t *bytes, size_t count, uint32_t pages)
{
	struct tdxupd_image *image;
	struct tdxupd_report *report = parse(bytes, count, &image);

	assert_int_equal(tdxupd_report_count(report), 0);
	assert_non_null(image);
	assert_int_equal(image->module_pages, pages);
	tdxupd_report_free(report);
	tdxupd_image_free(image);
}

static const uint16_t containers[] = { 0x100, 0x200 };

static void test_from_1_to_496_module_pages(void **state)
{
	static const uint32_t pages[] = { 1, 2, 495, 496 };

	(void)state;
	for (size_t c = 0; c < 2; c++) {
		for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
			struct file file = build(containers[c], pages[i]);

			check_fine(file.bytes, file.count, pages[i]);
			free(file.bytes);
		}
	}
}

static void test_size(void **state)
{
	static const size_t sizes[] = { 0, 1, 2, 20, 4096, 8192, 12287 };
	struct file file = build(0x200, 1);
	uint8_t *big = calloc(1, TDXUPD_IMAGE_BYTES_MAX + 4096);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		check_only(file.bytes, sizes[i], TDXUPD_CHECK_IMAGE_SIZE);
	memcpy(big, file.bytes, file.count);
	check_only(big, TDXUPD_IMAGE_BYTES_MAX + 1, TDXUPD_CHECK_IMAGE_SIZE);
	check_only(NULL, 0, TDXUPD_CHECK_IMAGE_SIZE);
	free(big);
	free(file.bytes);
}

/* Change @count bytes at @at, make the checksum fit, and put them back. */
static void check_changed(struct file *file, size_t at, const void *bytes, size_t count,
			  enum tdxupd_check check)
{
	uint8_t *changed = malloc(file->count);

	assert_non_null(changed);
	memcpy(changed, file->bytes, file->count);
	memcpy(changed + at, bytes, count);
	testimage_fix_checksum(changed, file->count);
	check_only(changed, file->count, check);
	free(changed);
}

static void test_version_and_magic(void **state)
{
	(void)state;
	for (size_t c = 0; c < 2; c++) {
		struct file file = build(containers[c], 2);
		size_t magic = c ? 4 : 8;

		check_changed(&file, 0, "\0\0", 2, TDXUPD_CHECK_IMAGE_VERSION);
		check_changed(&file, 0, "\0\3", 2, TDXUPD_CHECK_IMAGE_VERSION);
		check_changed(&file, 0, "\1\2", 2, TDXUPD_CHECK_IMAGE_VERSION);
		check_changed(&file, magic, "tdx-blob", 8, TDXUPD_CHECK_IMAGE_MAGIC);
		check_changed(&file, magic + 7, "\0", 1, TDXUPD_CHECK_IMAGE_MAGIC);
		/* One container's version with the other's layout. */
		check_changed(&file, 0, c ? "\0\1" : "\0\2", 2, TDXUPD_CHECK_IMAGE_MAGIC);
		free(file.bytes);
	}
}

static void test_reserved(void **state)
{
	static const size_t at[] = { 20, 21, 4095, 4096 + 2048, 8191 };

	(void)state;
	for (size_t c = 0; c < 2; c++) {
		struct file file = build(containers[c], 2);

		for (size_t i = 0; i < ARRAY_SIZE(at); i++)
			check_changed(&file, at[i], "\1", 1, TDXUPD_CHECK_IMAGE_RESERVED);
		free(file.bytes);
	}
}

static void test_pages_of_the_kernels_container(void **state)
{
	struct file file = build(0x200, 2), big;
	struct tdxupd_report *report;
	struct tdxupd_image *image;

	(void)state;
	/* The sum stays what the file has: only the counts are wrong. */
	check_changed(&file, 12, "\2\0\0\0\1\0\0\0", 8, TDXUPD_CHECK_IMAGE_PAGES);
	check_changed(&file, 12, "\0\0\0\0\3\0\0\0", 8, TDXUPD_CHECK_IMAGE_PAGES);
	check_changed(&file, 12, "\3\0\0\0\0\0\0\0", 8, TDXUPD_CHECK_IMAGE_PAGES);
	/* Counts whose bytes wrap around in 32 bits to what the file has. */
	store_le32(file.bytes + 16, 2 + (1u << 20));
	testimage_fix_checksum(file.bytes, file.count);
	report = parse(file.bytes, file.count, &image);
	assert_true(tdxupd_report_has(report, TDXUPD_CHECK_IMAGE_PAGES));
	assert_true(tdxupd_report_has(report, TDXUPD_CHECK_IMAGE_LENGTH));
	assert_null(image);
	tdxupd_report_free(report);
	free(file.bytes);

	big.count = (2 + 497) * 4096;
	big.bytes = calloc(1, big.count);
	file = build(0x200, 2);
	memcpy(big.bytes, file.bytes, file.count);
	check_changed(&big, 16, "\xf1\1\0\0", 4, TDXUPD_CHECK_IMAGE_PAGES);
	free(big.bytes);
	free(file.bytes);
}

static void test_pages_of_the_published_container(void **state)
{
	struct file file = build(0x100, 2);

	(void)state;
	check_changed(&file, 4, "\0\x30\0\0", 4, TDXUPD_CHECK_IMAGE_PAGES); /* 12288 */
	check_changed(&file, 4, "\0\x10\0\0", 4, TDXUPD_CHECK_IMAGE_PAGES); /* 4096 */
	check_changed(&file, 4, "\0\x20\0\x10", 4, TDXUPD_CHECK_IMAGE_PAGES);
	check_changed(&file, 4, "\1\x20\0\0", 4, TDXUPD_CHECK_IMAGE_PAGES);
	check_changed(&file, 4, "\0\0\0\0", 4, TDXUPD_CHECK_IMAGE_PAGES);
	free(file.bytes);
}

static void test_length(void **state)
{
	(void)state;
	for (size_t c = 0; c < 2; c++) {
		struct file file = build(containers[c], 3);
		uint8_t *longer = calloc(1, file.count + 4096);

		memcpy(longer, file.bytes, file.count);
		check_only(longer, file.count + 4096, TDXUPD_CHECK_IMAGE_LENGTH);
		longer[1] = file.bytes[1];
		for (size_t cut = 1; cut <= 4096; cut += 1365) {
			testimage_fix_checksum(longer, file.count - cut);
			check_only(longer, file.count - cut, TDXUPD_CHECK_IMAGE_LENGTH);
		}
		free(longer);
		free(file.bytes);
	}
}

/* 0x100 has the length as a number of bytes, which need not be whole pages. */
static void test_length_in_whole_pages(void **state)
{
	struct file file = build(0x100, 2);

	(void)state;
	file.count -= 4;
	store_le32(file.bytes + 16, (uint32_t)file.count);
	testimage_fix_checksum(file.bytes, file.count);
	check_only(file.bytes, file.count, TDXUPD_CHECK_IMAGE_LENGTH);
	free(file.bytes);
}

static void test_checksum(void **state)
{
	(void)state;
	for (size_t c = 0; c < 2; c++) {
		struct file file = build(containers[c], 1);

		assert_int_equal(image_sum(file.bytes, file.count), 0);
		file.bytes[2] ^= 1;
		check_only(file.bytes, file.count, TDXUPD_CHECK_IMAGE_CHECKSUM);
		free(file.bytes);
	}
}

static void test_convert_changes_page_0_only(void **state)
{
	(void)state;
	for (size_t from = 0; from < 2; from++) {
		struct file file = build(containers[from], 5);
		struct tdxupd_image *image, *converted;
		uint8_t *other = NULL, *back = NULL, *same = NULL;

		tdxupd_report_free(parse(file.bytes, file.count, &image));
		assert_int_equal(
			tdxupd_image_convert(image, containers[1 - from], &other), 0);
		assert_memory_not_equal(other, file.bytes, 20);
		assert_memory_equal(other + 4096, file.bytes + 4096, file.count - 4096);
		check_fine(other, file.count, 5);
		tdxupd_report_free(parse(other, file.count, &converted));
		assert_int_equal(tdxupd_image_convert(converted, containers[from], &back),
				 0);
		assert_memory_equal(back, file.bytes, file.count);
		assert_int_equal(tdxupd_image_convert(image, containers[from], &same), 0);
		assert_memory_equal(same, file.bytes, file.count);

		tdxupd_image_free(converted);
		tdxupd_image_free(image);
		free(other);
		free(back);
		free(same);
		free(file.bytes);
	}
}

static void test_convert_refuses_what_it_cannot(void **state)
{
	struct file file = build(0x100, 1);
	struct tdxupd_image *image;
	uint8_t *bytes = NULL;

	(void)state;
	tdxupd_report_free(parse(file.bytes, file.count, &image));
	assert_int_equal(tdxupd_image_convert(image, 0x300, &bytes), -EINVAL);
	assert_int_equal(tdxupd_image_convert(NULL, 0x200, &bytes), -EINVAL);
	tdxupd_image_drop_bytes(image);
	assert_int_equal(tdxupd_image_convert(image, 0x200, &bytes), -ENODATA);
	assert_null(bytes);
	tdxupd_image_free(image);
	free(file.bytes);
}

static void test_join_makes_the_same_file(void **state)
{
	(void)state;
	for (size_t c = 0; c < 2; c++) {
		struct file file = build(containers[c], 3);
		uint8_t *bytes = NULL;
		size_t count = 0;

		assert_int_equal(tdxupd_image_join(file.bytes + 8192, file.count - 8192,
						   file.bytes + 4096, 2048, containers[c],
						   &bytes, &count),
				 0);
		assert_int_equal(count, file.count);
		assert_memory_equal(bytes, file.bytes, count);
		free(bytes);
		free(file.bytes);
	}
}

static void test_join_refuses_what_no_container_holds(void **state)
{
	static uint8_t bytes[497 * 4096];
	static const size_t sizes[] = { 0, 1, 4095, 4097, 497 * 4096 };
	uint8_t *ret = NULL;
	size_t count;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		assert_int_equal(tdxupd_image_join(bytes, sizes[i], bytes, 2048, 0x200,
						   &ret, &count),
				 -EBADMSG);
	assert_int_equal(tdxupd_image_join(bytes, 4096, bytes, 2047, 0x200, &ret, &count),
			 -EBADMSG);
	assert_int_equal(tdxupd_image_join(bytes, 4096, bytes, 4096, 0x200, &ret, &count),
			 -EBADMSG);
	assert_int_equal(tdxupd_image_join(bytes, 4096, bytes, 2048, 0x300, &ret, &count),
			 -EINVAL);
	assert_int_equal(tdxupd_image_join(NULL, 4096, bytes, 2048, 0x200, &ret, &count),
			 -EINVAL);
	assert_null(ret);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_from_1_to_496_module_pages),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_version_and_magic),
		cmocka_unit_test(test_reserved),
		cmocka_unit_test(test_pages_of_the_kernels_container),
		cmocka_unit_test(test_pages_of_the_published_container),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_length_in_whole_pages),
		cmocka_unit_test(test_checksum),
		cmocka_unit_test(test_convert_changes_page_0_only),
		cmocka_unit_test(test_convert_refuses_what_it_cannot),
		cmocka_unit_test(test_join_makes_the_same_file),
		cmocka_unit_test(test_join_refuses_what_no_container_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
