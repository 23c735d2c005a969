// SPDX-License-Identifier: LGPL-2.1-or-later
/* The published images pass every check, convert and join. Skips where they are not. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "io.h"
#include "known.h"
#include "realimage.h"
#include "test.h"
#include "tdxupd.h"
#include "util.h"

static const struct published {
	const char *version;
	uint16_t svn;
	uint32_t date;
	size_t cpu_count;
	uint32_t cpus[3];
} published[] = {
	{ "1.5.01", 0x0104, 0x20231008, 2, { 0x806f8, 0xc06f0 } },
	{ "1.5.05", 0x0105, 0x20240129, 3, { 0x806f8, 0xc06f0, 0xa06f0 } },
	{ "1.5.06", 0x0106, 0x20240407, 3, { 0x806f8, 0xc06f0, 0xa06f0 } },
	{ "1.5.16", 0x010b, 0x20250219, 3, { 0x806f8, 0xc06f0, 0xa06f0 } },
	{ "2.0.02", 0x0303, 0x20240814, 1, { 0xa06d0 } },
	{ "2.0.05", 0x0304, 0x20250123, 2, { 0xa06d0, 0xa06e0 } },
};

static uint8_t *read_file(int dir_fd, const char *before, const char *version,
			  const char *after, size_t *ret_count)
{
	uint8_t *bytes = NULL;
	char name[64];
	int rc;

	snprintf(name, sizeof(name), "%s%s%s", before, version, after);
	rc = io_read_file(dir_fd, name, TDXUPD_IMAGE_BYTES_MAX, &bytes, ret_count);
	if (rc < 0)
		fail_msg("%s: %s", name, io_strerror(rc));
	return bytes;
}

static struct tdxupd_image *parse(const uint8_t *bytes, size_t count,
				  struct tdxupd_report *report)
{
	struct tdxupd_image *image = NULL;

	assert_int_equal(tdxupd_image_parse(bytes, count, report, &image), 0);
	assert_non_null(image);
	return image;
}

static void check_facts(const struct tdxupd_image *image, const struct published *p)
{
	assert_int_equal(image->container, 0x100);
	assert_int_equal(image->svn, p->svn);
	assert_int_equal(image->date, p->date);
	assert_int_equal(image->cpu_count, p->cpu_count);
	assert_memory_equal(image->cpus, p->cpus, p->cpu_count * sizeof(uint32_t));
	assert_int_equal(image->module_hv, 0);
	assert_int_equal(image->min_update_hv, 0);
	assert_false(image->no_downgrade);
	assert_int_equal(image->module_type, 0);
}

/* Trusted by the built-in policy: nothing is configured here. */
static void test_published_images_pass(void **state)
{
	struct tdxupd_policy *policy = NULL;

	assert_int_equal(tdxupd_policy_new(&policy), 0);
	for (size_t i = 0; i < ARRAY_SIZE(published); i++) {
		struct tdxupd_report *report = NULL;
		struct tdxupd_image *image;
		size_t count;
		uint8_t *bytes = read_file(*(int *)*state, "tdx_module_",
					   published[i].version, ".blob", &count);

		assert_int_equal(tdxupd_report_new(&report), 0);
		image = parse(bytes, count, report);
		assert_int_equal(tdxupd_image_verify(image, policy, report), 0);
		for (size_t v = 0; v < tdxupd_report_count(report); v++)
			print_error("%s: %s\n", published[i].version,
				    tdxupd_check_to_string(
					    tdxupd_report_get(report, v)->check));
		assert_int_equal(tdxupd_report_count(report), 0);
		check_facts(image, &published[i]);
		tdxupd_image_free(image);
		tdxupd_report_free(report);
		free(bytes);
	}
	tdxupd_policy_free(policy);
}

static void test_converting_twice_gives_the_published_bytes(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(published); i++) {
		struct tdxupd_report *report = NULL;
		struct tdxupd_image *image, *converted;
		uint8_t *kernel = NULL, *back = NULL;
		size_t count;
		uint8_t *bytes = read_file(*(int *)*state, "tdx_module_",
					   published[i].version, ".blob", &count);

		assert_int_equal(tdxupd_report_new(&report), 0);
		image = parse(bytes, count, report);
		assert_int_equal(tdxupd_image_convert(image, 0x200, &kernel), 0);
		assert_memory_equal(kernel + 4096, bytes + 4096, count - 4096);
		converted = parse(kernel, count, report);
		assert_int_equal(converted->container, 0x200);
		assert_int_equal(tdxupd_report_count(report), 0);
		assert_int_equal(tdxupd_image_convert(converted, 0x100, &back), 0);
		assert_memory_equal(back, bytes, count);
		tdxupd_image_free(converted);
		tdxupd_image_free(image);
		tdxupd_report_free(report);
		free(kernel);
		free(back);
		free(bytes);
	}
}

static void test_joined_parts_are_the_published_file(void **state)
{
	static const char version[] = "1.5.06";
	int fd = *(int *)*state;
	size_t module_count, sigstruct_count, count, joined_count = 0;
	uint8_t *module = read_file(fd, "separate_1.5.06/tdx_module_", version, ".bin",
				    &module_count);
	uint8_t *sigstruct = read_file(fd, "separate_1.5.06/tdx_module_", version,
				       ".sigstruct", &sigstruct_count);
	uint8_t *bytes = read_file(fd, "tdx_module_", version, ".blob", &count);
	uint8_t *joined = NULL;

	assert_int_equal(tdxupd_image_join(module, module_count, sigstruct,
					   sigstruct_count, 0x100, &joined,
					   &joined_count),
			 0);
	assert_int_equal(joined_count, count);
	assert_memory_equal(joined, bytes, count);
	free(joined);
	free(bytes);
	free(sigstruct);
	free(module);
}

/* What known-modules.json says is what the images hold. */
static void test_known_modules_are_these(void **state)
{
	_cleanup_(cleanup_close)
	int source_fd = open(getenv("TDXUPD_SOURCE"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct tdxupd_known_module *known = NULL;
	struct tdxupd_report *report = NULL;
	size_t count, known_count, measured = 0;
	uint8_t *text =
		read_file(source_fd, "libtdxupd/known-modules", "", ".json", &count);

	assert_int_equal(
		known_parse((const char *)text, count, &known, &known_count, NULL), 0);
	assert_int_equal(tdxupd_report_new(&report), 0);
	for (size_t i = 0; i < known_count; i++) {
		char version[TDXUPD_VERSION_TEXT_BYTES];
		struct tdxupd_image *image;
		uint8_t *bytes;
		char name[64];

		tdxupd_version_format(&known[i].version, version);
		snprintf(name, sizeof(name), "tdx_module_%s.blob", version);
		/* Of the others there are no images here. */
		if (!io_is_present(*(int *)*state, name))
			continue;
		bytes = read_file(*(int *)*state, "tdx_module_", version, ".blob",
				  &count);
		image = parse(bytes, count, report);
		assert_true(tdxupd_digest_is_equal(&known[i].mrseam, &image->mrseam));
		assert_int_equal(known[i].svn, image->svn);
		assert_int_equal(known[i].date, image->date);
		assert_int_equal(known[i].module_hv, image->module_hv);
		assert_int_equal(known[i].min_update_hv, image->min_update_hv);
		assert_int_equal(known[i].no_downgrade, image->no_downgrade);
		assert_int_equal(known[i].cpu_count, image->cpu_count);
		for (size_t cpu = 0; cpu < image->cpu_count; cpu++)
			assert_int_equal(known[i].cpus[cpu], image->cpus[cpu] & ~0xfu);
		tdxupd_image_free(image);
		free(bytes);
		measured++;
	}
	assert_in_range(measured, ARRAY_SIZE(published), known_count);
	tdxupd_report_free(report);
	free(known);
	free(text);
}

static void test_flipped_byte_is_found(void **state)
{
	struct tdxupd_policy *policy = NULL;
	size_t count;
	uint8_t *bytes =
		read_file(*(int *)*state, "tdx_module_", "1.5.16", ".blob", &count);

	assert_int_equal(tdxupd_policy_new(&policy), 0);
	for (size_t at = 0; at < count; at += 4093) {
		struct tdxupd_report *report = NULL;
		struct tdxupd_image *image = NULL;

		assert_int_equal(tdxupd_report_new(&report), 0);
		bytes[at] ^= 0x20;
		assert_int_equal(tdxupd_image_parse(bytes, count, report, &image), 0);
		if (image)
			assert_int_equal(tdxupd_image_verify(image, policy, report), 0);
		assert_false(tdxupd_report_is_passed(report));
		bytes[at] ^= 0x20;
		tdxupd_image_free(image);
		tdxupd_report_free(report);
	}
	tdxupd_policy_free(policy);
	free(bytes);
}

int main(void)
{
	int fd = realimage_open_or_skip();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(test_published_images_pass, &fd),
		cmocka_unit_test_prestate(test_converting_twice_gives_the_published_bytes,
					  &fd),
		cmocka_unit_test_prestate(test_joined_parts_are_the_published_file, &fd),
		cmocka_unit_test_prestate(test_known_modules_are_these, &fd),
		cmocka_unit_test_prestate(test_flipped_byte_is_found, &fd),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	close(fd);
	return failed;
}
