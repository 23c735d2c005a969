// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>

#include "test.h"
#include "testimage.h"
#include "util.h"

#define SIGSTRUCT 4096
#define MODULE    8192

struct fixture {
	struct tdxupd_policy *policy; /* trusts the test key alone */
	uint8_t *bytes;
	size_t count;
	struct tdxupd_digest mrseam;
};

static int setup(void **state)
{
	struct testimage_spec spec = testimage_default_text("1.5.16");
	struct tdxupd_digest signer = testimage_signer(TESTIMAGE_KEY_TRUSTED);
	struct fixture *f = calloc(1, sizeof(*f));

	assert_int_equal(tdxupd_policy_new(&f->policy), 0);
	tdxupd_policy_trust_nobody(f->policy);
	assert_int_equal(tdxupd_policy_trust(f->policy, &signer), 0);
	assert_int_equal(testimage_build(&spec, &f->bytes, &f->count), 0);
	memcpy(f->mrseam.bytes, f->bytes + SIGSTRUCT + 900, 48);
	*state = f;
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

static struct tdxupd_report *verify(const struct fixture *f)
{
	struct tdxupd_report *report = NULL;
	struct tdxupd_image *image = NULL;

	assert_int_equal(tdxupd_report_new(&report), 0);
	assert_int_equal(tdxupd_image_parse(f->bytes, f->count, report, &image), 0);
	assert_non_null(image);
	assert_int_equal(tdxupd_image_verify(image, f->policy, report), 0);
	tdxupd_image_free(image);
	return report;
}

/* Exactly the checks of the mask refuse. */
static void check_verdicts(const struct fixture *f, uint64_t checks)
{
	struct tdxupd_report *report = verify(f);

	for (int i = 0; i < _TDXUPD_CHECK_MAX; i++) {
		bool is_wanted = checks & UINT64_C(1) << i;

		if (tdxupd_report_has(report, (enum tdxupd_check)i) != is_wanted)
			fail_msg("%s is %s", tdxupd_check_to_string((enum tdxupd_check)i),
				 is_wanted ? "missing" : "there");
	}
	assert_int_equal(tdxupd_report_is_passed(report), checks == 0);
	tdxupd_report_free(report);
}

#define CHECK(name) (UINT64_C(1) << TDXUPD_CHECK_##name)

static void test_signed_image_passes(void **state)
{
	check_verdicts(*state, 0);
}

static void test_signer_has_to_be_trusted(void **state)
{
	struct fixture *f = *state;
	struct tdxupd_digest signer = testimage_signer(TESTIMAGE_KEY_FOREIGN);

	assert_int_equal(testimage_sign(f->bytes, f->count, TESTIMAGE_KEY_FOREIGN), 0);
	check_verdicts(f, CHECK(SIGNER_UNTRUSTED));
	assert_int_equal(tdxupd_policy_trust(f->policy, &signer), 0);
	check_verdicts(f, 0);
	tdxupd_policy_trust_nobody(f->policy);
	check_verdicts(f, CHECK(SIGNER_UNTRUSTED));
}

static void test_builtin_policy_does_not_trust_the_test_key(void **state)
{
	struct fixture *f = *state;

	tdxupd_policy_free(f->policy);
	assert_int_equal(tdxupd_policy_new(&f->policy), 0);
	check_verdicts(f, CHECK(SIGNER_UNTRUSTED));
}

/* A trusted key's name does not make another's signature good. */
static void test_modulus_alone_is_no_signature(void **state)
{
	struct fixture *f = *state;
	uint8_t modulus[384];

	memcpy(modulus, f->bytes + SIGSTRUCT + 128, sizeof(modulus));
	assert_int_equal(testimage_sign(f->bytes, f->count, TESTIMAGE_KEY_FOREIGN), 0);
	memcpy(f->bytes + SIGSTRUCT + 128, modulus, sizeof(modulus));
	testimage_fix_checksum(f->bytes, f->count);
	check_verdicts(f, CHECK(SIGNATURE_INVALID));
}

static void test_signature_covers_both_parts(void **state)
{
	static const size_t at[] = { 20, 948, 1000, 1028, 2047 };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(at); i++) {
		f->bytes[SIGSTRUCT + at[i]] ^= 0x10;
		testimage_fix_checksum(f->bytes, f->count);
		check_verdicts(f, CHECK(SIGNATURE_INVALID));
		f->bytes[SIGSTRUCT + at[i]] ^= 0x10;
	}
}

static void test_hash_covers_the_whole_module(void **state)
{
	struct fixture *f = *state;
	const size_t at[] = { MODULE, MODULE + 4096, f->count - 1 };

	for (size_t i = 0; i < ARRAY_SIZE(at); i++) {
		f->bytes[at[i]] ^= 1;
		testimage_fix_checksum(f->bytes, f->count);
		check_verdicts(f, CHECK(HASH_MISMATCH));
		f->bytes[at[i]] ^= 1;
	}
}

static void test_blocked_wins_over_allowed(void **state)
{
	struct fixture *f = *state;
	char text[TDXUPD_DIGEST_TEXT_BYTES];
	struct tdxupd_digest other = f->mrseam;

	other.bytes[47] ^= 1;
	assert_int_equal(tdxupd_policy_allow(f->policy, &other), 0);
	check_verdicts(f, CHECK(MRSEAM_NOT_ALLOWED));
	assert_int_equal(tdxupd_policy_allow(f->policy, &f->mrseam), 0);
	check_verdicts(f, 0);
	assert_int_equal(
		tdxupd_policy_block(f->policy, tdxupd_digest_format(&other, text)), 0);
	check_verdicts(f, 0);
	assert_int_equal(
		tdxupd_policy_block(f->policy, tdxupd_digest_format(&f->mrseam, text)),
		0);
	check_verdicts(f, CHECK(BLOCKED));
}

static void test_without_bytes_there_is_nothing_to_verify(void **state)
{
	struct fixture *f = *state;
	struct tdxupd_report *report = NULL;
	struct tdxupd_image *image = NULL;

	assert_int_equal(tdxupd_report_new(&report), 0);
	assert_int_equal(tdxupd_image_parse(f->bytes, f->count, report, &image), 0);
	assert_int_equal(tdxupd_image_verify(NULL, f->policy, report), -EINVAL);
	assert_int_equal(tdxupd_image_verify(image, NULL, report), -EINVAL);
	tdxupd_image_drop_bytes(image);
	assert_int_equal(tdxupd_image_verify(image, f->policy, report), -ENODATA);
	assert_int_equal(image->svn, 0x010b); /* the facts stay */
	tdxupd_image_free(image);
	tdxupd_report_free(report);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_signed_image_passes),
		TEST(test_signer_has_to_be_trusted),
		TEST(test_builtin_policy_does_not_trust_the_test_key),
		TEST(test_modulus_alone_is_no_signature),
		TEST(test_signature_covers_both_parts),
		TEST(test_hash_covers_the_whole_module),
		TEST(test_blocked_wins_over_allowed),
		TEST(test_without_bytes_there_is_nothing_to_verify),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
