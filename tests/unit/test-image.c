// SPDX-License-Identifier: LGPL-2.1-or-later
/* One flipped byte anywhere in an image, with the checksum made to fit, is refused. */
#include <errno.h>

#include "digest.h"
#include "image-format.h"
#include "test.h"
#include "testimage.h"
#include "util.h"

struct fixture {
	struct tdxupd_policy *policy;
	uint8_t *bytes;
	size_t count;
};

static struct fixture *new_fixture(uint16_t container)
{
	struct testimage_spec spec = testimage_default_text("1.5.16");
	struct tdxupd_digest signer = testimage_signer(TESTIMAGE_KEY_TRUSTED);
	struct fixture *f = calloc(1, sizeof(*f));

	spec.container = container;
	spec.module_pages = 2;
	assert_int_equal(tdxupd_policy_new(&f->policy), 0);
	assert_int_equal(tdxupd_policy_trust(f->policy, &signer), 0);
	assert_int_equal(testimage_build(&spec, &f->bytes, &f->count), 0);
	return f;
}

static int setup_published(void **state)
{
	*state = new_fixture(0x100);
	return 0;
}

static int setup_kernel(void **state)
{
	*state = new_fixture(0x200);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	tdxupd_policy_free(f->policy);
	free(f->bytes);
	free(f);
	return 0;
}

/* What a changed byte of SIGSTRUCT is refused for, at least. */
static enum tdxupd_check reason_in_sigstruct(size_t at)
{
	static const struct {
		size_t end;
		enum tdxupd_check check;
	} ranges[] = {
		{ 12, TDXUPD_CHECK_SIGSTRUCT_HEADER },
		{ 15, TDXUPD_CHECK_SIGSTRUCT_RESERVED }, /* type */
		{ 16, TDXUPD_CHECK_SIGNATURE_INVALID },  /* type, with debug in it */
		{ 20, TDXUPD_CHECK_SIGSTRUCT_VENDOR },
		{ 24, TDXUPD_CHECK_SIGNATURE_INVALID }, /* date */
		{ 40, TDXUPD_CHECK_SIGSTRUCT_SIZES },
		{ 128, TDXUPD_CHECK_SIGSTRUCT_RESERVED },
		{ 512, TDXUPD_CHECK_SIGNER_UNTRUSTED },
		{ 516, TDXUPD_CHECK_SIGSTRUCT_SIZES }, /* exponent */
		{ 900, TDXUPD_CHECK_SIGNATURE_INVALID },
		{ 948, TDXUPD_CHECK_HASH_MISMATCH },
		{ 950, TDXUPD_CHECK_SIGNATURE_INVALID }, /* SVN */
		{ 958, TDXUPD_CHECK_SIGSTRUCT_RESERVED },
		{ 978, TDXUPD_CHECK_SIGNATURE_INVALID },
		{ 984, TDXUPD_CHECK_SIGSTRUCT_RESERVED },
		{ 986, TDXUPD_CHECK_SIGNATURE_INVALID },
		{ 988, TDXUPD_CHECK_SIGSTRUCT_HANDOFF }, /* min_update_hv above */
		{ 989, TDXUPD_CHECK_SIGNATURE_INVALID }, /* no_downgrade may be 1 */
		{ 990, TDXUPD_CHECK_SIGSTRUCT_RESERVED },
		{ 2048, TDXUPD_CHECK_SIGNATURE_INVALID },
		{ 4096, TDXUPD_CHECK_IMAGE_RESERVED },
	};
	size_t i = 0;

	while (at >= ranges[i].end)
		i++;
	return ranges[i].check;
}

static enum tdxupd_check reason(uint16_t container, size_t at)
{
	if (at < 2)
		return TDXUPD_CHECK_IMAGE_VERSION;
	if (at < 4)
		return TDXUPD_CHECK_IMAGE_CHECKSUM;
	if (at < 20 && container == 0x100)
		return at < 8    ? TDXUPD_CHECK_IMAGE_PAGES
		       : at < 16 ? TDXUPD_CHECK_IMAGE_MAGIC
				 : TDXUPD_CHECK_IMAGE_LENGTH;
	if (at < 20)
		return at < 12   ? TDXUPD_CHECK_IMAGE_MAGIC
		       : at < 16 ? TDXUPD_CHECK_IMAGE_PAGES
				 : TDXUPD_CHECK_IMAGE_LENGTH;
	if (at < 4096)
		return TDXUPD_CHECK_IMAGE_RESERVED;
	if (at < 8192)
		return reason_in_sigstruct(at - 4096);
	return TDXUPD_CHECK_HASH_MISMATCH;
}

static void check_flipped(const struct fixture *f, uint16_t container, size_t at)
{
	struct tdxupd_report *report = NULL;
	struct tdxupd_image *image = NULL;
	enum tdxupd_check check = reason(container, at);

	if (at < 2 || at > 3)
		testimage_fix_checksum(f->bytes, f->count);
	assert_int_equal(tdxupd_report_new(&report), 0);
	assert_int_equal(tdxupd_image_parse(f->bytes, f->count, report, &image), 0);
	if (image)
		assert_int_equal(tdxupd_image_verify(image, f->policy, report), 0);
	if (tdxupd_report_is_passed(report) || !tdxupd_report_has(report, check))
		fail_msg("0x%x: byte %zu changed to 0x%02x is not refused as %s",
			 container, at, f->bytes[at], tdxupd_check_to_string(check));
	tdxupd_image_free(image);
	tdxupd_report_free(report);
}

/*
 * Every byte that means something, and samples of those that must be zero and of the
 * module: 61 shares no factor with 4096.
 */
static size_t stride(size_t at)
{
	bool is_header = at < IMAGE_RESERVED;
	bool is_sigstruct = at >= IMAGE_SIGSTRUCT - 61 &&
			    at < IMAGE_SIGSTRUCT + TDXUPD_SIGSTRUCT_BYTES;

	return is_header || is_sigstruct ? 1 : 61;
}

static void flip_all(const struct fixture *f, uint16_t container, uint8_t mask)
{
	uint8_t *original = malloc(f->count);

	memcpy(original, f->bytes, f->count);
	for (size_t at = 0; at < f->count; at += stride(at)) {
		f->bytes[at] ^= mask;
		check_flipped(f, container, at);
		memcpy(f->bytes, original, f->count);
	}
	f->bytes[f->count - 1] ^= mask;
	check_flipped(f, container, f->count - 1);
	free(original);
}

static void test_flipped_byte_of_a_published_image(void **state)
{
	flip_all(*state, 0x100, 0xff);
}

static void test_flipped_bit_of_a_kernels_image(void **state)
{
	flip_all(*state, 0x200, 0x04);
}

/* A page moved, a page doubled: no byte is new, the checksum fits, the hash does not. */
static void test_pages_keep_their_order(void **state)
{
	struct fixture *f = *state;
	struct tdxupd_report *report = NULL;
	struct tdxupd_image *image = NULL;
	uint8_t page[4096];

	memcpy(page, f->bytes + 8192, 4096);
	memcpy(f->bytes + 8192, f->bytes + 12288, 4096);
	memcpy(f->bytes + 12288, page, 4096);
	assert_int_equal(tdxupd_report_new(&report), 0);
	assert_int_equal(tdxupd_image_parse(f->bytes, f->count, report, &image), 0);
	assert_int_equal(tdxupd_report_count(report), 0);
	assert_int_equal(tdxupd_image_verify(image, f->policy, report), 0);
	assert_int_equal(tdxupd_report_count(report), 1);
	assert_true(tdxupd_report_has(report, TDXUPD_CHECK_HASH_MISMATCH));
	tdxupd_image_free(image);
	tdxupd_report_free(report);
}

static void test_image_is_a_copy(void **state)
{
	struct fixture *f = *state;
	struct tdxupd_report *report = NULL;
	struct tdxupd_image *image = NULL;
	struct tdxupd_digest digest;

	assert_int_equal(digest_sha384(f->bytes, f->count, &digest), 0);
	assert_int_equal(tdxupd_report_new(&report), 0);
	assert_int_equal(tdxupd_report_add(report, TDXUPD_CHECK_FILE_UNSAFE,
					   TDXUPD_SEVERITY_WARN, "", ""),
			 0);
	assert_int_equal(tdxupd_image_parse(f->bytes, f->count, report, &image), 0);
	assert_int_equal(tdxupd_report_count(report), 1); /* what was there stays */
	assert_true(tdxupd_digest_is_equal(&image->file_digest, &digest));
	memset(f->bytes, 0, f->count); /* whoever owns these may do so */
	assert_int_equal(tdxupd_image_verify(image, f->policy, report), 0);
	assert_int_equal(tdxupd_report_count(report), 1);
	tdxupd_image_free(image);
	tdxupd_report_free(report);
}

static void test_callers_mistakes(void **state)
{
	struct fixture *f = *state;
	struct tdxupd_report *report = NULL;
	struct tdxupd_image *image = NULL;

	assert_int_equal(tdxupd_report_new(&report), 0);
	assert_int_equal(tdxupd_image_parse(NULL, 1, report, &image), -EINVAL);
	assert_int_equal(tdxupd_image_parse(f->bytes, f->count, NULL, &image), -EINVAL);
	assert_int_equal(tdxupd_image_parse(f->bytes, f->count, report, NULL), -EINVAL);
	assert_null(image);
	assert_null(tdxupd_image_free(NULL));
	tdxupd_image_drop_bytes(NULL);
	tdxupd_report_free(report);
}

int main(void)
{
#define TEST(name, setup) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_flipped_byte_of_a_published_image, setup_published),
		TEST(test_flipped_bit_of_a_kernels_image, setup_kernel),
		TEST(test_pages_keep_their_order, setup_published),
		TEST(test_image_is_a_copy, setup_kernel),
		TEST(test_callers_mistakes, setup_published),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
