// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The simulated P-SEAMLDR: what it finds wrong with an image and in which order, what
 * can be undone, and the session that takes every LP.
 */
#include "tdx-model-test.h"

#include <errno.h>

#include "util.h"

/* What can be wrong with an update, in the order in which the loader looks. */
enum defect {
	BAD_PARAMS,
	BAD_FIELDS,
	BAD_SIGNER,
	BAD_DEBUG,
	BAD_LOADER_AGE,
	BAD_SVN_MAJOR,
	BAD_SVN_MINOR,
	BAD_CPU,
	BAD_SIGNATURE,
	BAD_MEMORY,
	BAD_REMAINING,
	BAD_HANDOFF,
	BAD_HASH,
	BAD_ENTROPY,
	DEFECTS,
};

static const u64 defect_status[DEFECTS] = {
	[BAD_PARAMS] = SEAMLDR_EBADPARAM,        [BAD_FIELDS] = SEAMLDR_EBADSIG,
	[BAD_SIGNER] = SEAMLDR_EBADSIG,          [BAD_DEBUG] = SEAMLDR_EBADSIG,
	[BAD_LOADER_AGE] = SEAMLDR_EUNSUPPORTED, [BAD_SVN_MAJOR] = SEAMLDR_EUNSUPPORTED,
	[BAD_SVN_MINOR] = SEAMLDR_EBADSIG,       [BAD_CPU] = SEAMLDR_EUNSUPCPU,
	[BAD_SIGNATURE] = SEAMLDR_EBADSIG,       [BAD_MEMORY] = SEAMLDR_ENOMEM,
	[BAD_REMAINING] = SEAMLDR_EBADCALL,      [BAD_HANDOFF] = SEAMLDR_EBADHANDOFF,
	[BAD_HASH] = SEAMLDR_EBADHASH,           [BAD_ENTROPY] = SEAMLDR_ENOENTROPY,
};

static void spoil(struct tdx_model *model, struct tdx_model_image *image,
		  enum defect defect)
{
	switch (defect) {
	case BAD_PARAMS:
		image->params.version = 1;
		break;
	case BAD_FIELDS:
		image->sigstruct[0] = 7;
		break;
	case BAD_SIGNER:
		image->signer[0] ^= 1;
		break;
	case BAD_DEBUG:
		image->sigstruct[15] = 0x80;
		break;
	case BAD_LOADER_AGE:
		image->facts.min_seamldr = (struct tdx_model_version){ 1, 5, 1 };
		break;
	case BAD_SVN_MAJOR:
		image->facts.svn = 0x0206;
		break;
	case BAD_SVN_MINOR:
		image->facts.svn = 0x0105;
		break;
	case BAD_CPU:
		model->signatures[0] = 0xA06F2 + 0x100000;
		break;
	case BAD_SIGNATURE:
		image->is_signed = false;
		break;
	case BAD_MEMORY:
		model->loader.seam_pages = 1;
		break;
	case BAD_REMAINING:
		model->loader.remaining = 0;
		break;
	case BAD_HANDOFF:
		model->handoff.is_valid = false;
		break;
	case BAD_HASH:
		image->seamhash[0] ^= 1;
		break;
	default:
		model->faults.loader_entropy = 1;
	}
}

static void test_loader_looks_in_order(void **state)
{
	struct testimage_spec spec = spec_of("1.5.16", 1);

	(void)state;
	/* All defects from this one on: the first is what the loader must name. */
	for (int first = DEFECTS; first >= 0; first--) {
		struct tdx_model *model = new_model();
		struct tdx_model_image *image = new_image(model, &spec);
		u64 wanted = first < DEFECTS ? defect_status[first] : 0;
		u64 status, rdx;

		assert_int_equal(call(model, 0, TDH_SYS_SHUTDOWN, 0), 0);
		for (int defect = DEFECTS - 1; defect >= first; defect--)
			spoil(model, image, (enum defect)defect);
		status = install(model, image, &rdx);
		if (status != wanted)
			fail_msg("defect %d: 0x%016llx", first, status);
		/* From the hash on there is no way back. */
		assert_int_equal(rdx, first == BAD_HASH || first == BAD_ENTROPY);
		if (!status)
			assert_int_equal(model->module.state, TDX_MODEL_SYS_INIT_PENDING);
		assert_int_equal(call(model, 0, TDH_SYS_RD, 0),
				 rdx      ? TDX_SEAMCALL_VMFAILINVALID
				 : status ? TDX_SYS_SHUTDOWN
					  : TDX_SYS_LP_INIT_NOT_DONE);
		tdx_model_image_free(image);
		tdx_model_free(model);
	}
}

static void test_loader_knows_each_field(void **state)
{
	static const struct {
		size_t offset;
		uint8_t value;
	} fields[] = {
		{ 0, 7 },     { 4, 0xE2 }, { 8, 1 },     { 12, 1 },
		{ 16, 0x87 }, { 24, 1 },   { 28, 0x61 }, { 32, 0x61 },
		{ 36, 2 },    { 40, 1 },   { 127, 1 },   { 512, 3 },
		{ 950, 1 },   { 957, 1 },  { 986, 1 },   { 1025, 1 },
	};
	struct testimage_spec spec = spec_of("1.5.16", 1);
	struct tdx_model *model = new_model();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		struct tdx_model_image *image = new_image(model, &spec);

		assert_int_equal(tdx_model_sigstruct_check(model, image), 0);
		image->sigstruct[fields[i].offset] = fields[i].value;
		if (tdx_model_sigstruct_check(model, image) != SEAMLDR_EBADSIG)
			fail_msg("offset %zu is not looked at", fields[i].offset);
		tdx_model_image_free(image);
	}
	tdx_model_free(model);
}

static void test_loader_wants_good_params(void **state)
{
	struct testimage_spec spec = spec_of("1.5.16", 1);
	struct tdx_model *model = new_model();

	(void)state;
	for (unsigned defect = 0; defect < 8; defect++) {
		struct tdx_model_image *image = new_image(model, &spec);
		struct tdx_model_params *params = &image->params;
		u64 rdx;

		switch (defect) {
		case 0:
			params->version = 1;
			break;
		case 1:
			params->scenario = 2;
			break;
		case 2:
			params->reserved[103] = 1;
			break;
		case 3:
			params->page_count = 0;
			break;
		case 4:
			params->page_count = 497;
			break;
		case 5:
			params->sigstruct++;
			break;
		case 6:
			params->pages[3]++;
			break;
		default:
			/* An update with nothing to update. */
			model->loader.is_seam_ready = false;
		}
		assert_int_equal(install(model, image, &rdx), SEAMLDR_EBADPARAM);
		assert_int_equal(rdx, 0);
		/* What there was is there again, and nothing more. */
		assert_int_equal(call(model, 0, TDH_SYS_RD, 0),
				 defect < 7 ? TDX_METADATA_FIELD_NOT_READABLE
					    : TDX_SEAMCALL_VMFAILINVALID);
		tdx_model_image_free(image);
	}
	tdx_model_free(model);
}

static void test_session_wants_every_lp_once(void **state)
{
	struct testimage_spec spec = spec_of("1.5.16", 1);
	struct tdx_model *model = new_model();
	struct tdx_model_image *image = new_image(model, &spec);
	u64 rdx;

	(void)state;
	assert_int_equal(call(model, 0, TDH_SYS_SHUTDOWN, 0), 0);
	assert_int_equal(tdx_model_seamldr_install(model, 2, image, &rdx), 0);
	/* The first call has made the module unreachable. */
	assert_int_equal(call(model, 0, TDH_SYS_RD, 0), TDX_SEAMCALL_VMFAILINVALID);
	assert_int_equal(tdx_model_seamldr_install(model, 2, image, &rdx),
			 SEAMLDR_EBADCALL);
	assert_int_equal(tdx_model_seamldr_install(model, 0, image, &rdx), 0);
	assert_int_equal(tdx_model_seamldr_install(model, 1, image, &rdx), 0);
	assert_int_equal(call(model, 0, TDH_SYS_RD, 0), TDX_SEAMCALL_VMFAILINVALID);
	assert_int_equal(tdx_model_seamldr_install(model, 3, image, &rdx), 0);
	assert_int_equal(model->module.facts.version.update, 16);
	assert_int_equal(model->loader.remaining, 13);
	tdx_model_image_free(image);
	tdx_model_free(model);
}

static void test_info_tells_of_loader_and_module(void **state)
{
	struct tdx_model *model = new_model();
	u8 info[TDX_MODEL_INFO_BYTES];

	(void)state;
	tell(model, "set seamldr=1.5.09 remaining=3");
	assert_int_equal(tdx_model_seamldr_info(model, info), 0);
	assert_int_equal(load_le32(info + 8), 0x8086);
	assert_int_equal(load_le16(info + 18), 5);
	assert_int_equal(load_le16(info + 20), 1);
	assert_int_equal(load_le16(info + 22), 9);
	assert_int_equal(load_le32(info + 28), 3);
	assert_int_equal(info[160], 1);
	assert_int_equal(info[162], 1);
	assert_int_equal(load_le64(info + 32), 1);
	assert_int_equal(load_le64(info + 40), 0x0106);
	assert_int_equal(load_le64(info + 48), 0);
	tdx_model_free(model);
}

#define DIGEST_11                                          \
	"111111111111111111111111111111111111111111111111" \
	"111111111111111111111111111111111111111111111111"
#define DIGEST_22                                          \
	"222222222222222222222222222222222222222222222222" \
	"222222222222222222222222222222222222222222222222"

static void assert_mrseam(struct tdx_model *model, const char *text)
{
	u8 info[TDX_MODEL_INFO_BYTES], wanted[TDX_MODEL_DIGEST_BYTES];
	struct tdx_model_identity identity;

	assert_int_equal(tdx_model_parse_digest(text, wanted), 0);
	assert_int_equal(tdx_model_seamldr_info(model, info), 0);
	assert_memory_equal(info + 56, wanted, sizeof(wanted));
	assert_int_equal(tdx_model_identity(model, &identity), 0);
	assert_memory_equal(identity.mrseam, wanted, sizeof(wanted));
	assert_memory_equal(identity.tee_tcb_svn, info + 40, 16);
}

static void test_info_measures_the_module_that_runs(void **state)
{
	struct testimage_spec spec = spec_of("1.5.16", 1);
	struct tdx_model *model = new_model();
	struct tdx_model_identity before, after;
	struct tdx_model_image *image;
	char seamhash[2 * TDX_MODEL_DIGEST_BYTES + 1];

	(void)state;
	/* One that nobody has described has a measurement, too, and no two the same. */
	assert_int_equal(tdx_model_identity(model, &before), 0);
	tell(model, "boot version=1.5.08 svn=0x0107");
	assert_int_equal(tdx_model_identity(model, &after), 0);
	assert_memory_not_equal(before.mrseam, after.mrseam, sizeof(before.mrseam));
	assert_int_equal(after.tee_tcb_svn[0], 7);
	assert_int_equal(after.tee_tcb_svn[1], 1);

	tell(model, "known " DIGEST_11 " version=1.5.08");
	assert_mrseam(model, DIGEST_11);
	tell(model, "known " DIGEST_22 " version=1.5.08");
	assert_mrseam(model, DIGEST_22);
	tell(model, "boot version=1.5.08 mrseam=" DIGEST_11);
	assert_mrseam(model, DIGEST_11);
	tell(model, "boot version=1.5.08");
	assert_mrseam(model, DIGEST_22);

	image = new_image(model, &spec);
	for (size_t i = 0; i < sizeof(image->seamhash); i++)
		snprintf(seamhash + 2 * i, 3, "%02x", image->seamhash[i]);
	assert_int_equal(tdx_model_update(model, image), 0);
	assert_mrseam(model, seamhash);
	tdx_model_image_free(image);

	assert_int_equal(call(model, 0, TDH_SYS_SHUTDOWN, 0), 0);
	model->host.is_live = false;
	assert_int_equal(tdx_model_identity(model, &after), -ENXIO);
	tdx_model_free(model);
}

static void test_header_checks_of_linux(void **state)
{
	static const struct {
		size_t offset;
		uint8_t value;
	} fields[] = {
		{ 0, 1 },  { 1, 1 },  { 4, 'X' }, { 12, 2 },
		{ 12, 0 }, { 16, 9 }, { 20, 1 },  { 4095, 1 },
	};
	struct testimage_spec spec = spec_of("1.5.16", 1);
	struct tdx_model *model = new_model();
	struct tdx_model_image *image;
	uint8_t *bytes, kept;
	size_t count;

	(void)state;
	assert_int_equal(testimage_build(&spec, &bytes, &count), 0);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		kept = bytes[fields[i].offset];
		bytes[fields[i].offset] = fields[i].value;
		if (tdx_model_image_new(model, bytes, count, &image) != -EINVAL)
			fail_msg("offset %zu is not looked at", fields[i].offset);
		bytes[fields[i].offset] = kept;
	}
	assert_int_equal(tdx_model_image_new(model, bytes, 4095, &image), -EINVAL);
	assert_int_equal(tdx_model_image_new(model, bytes, count - 1, &image), -EINVAL);
	/* The checksum is nobody's business. */
	bytes[2] ^= 0xFF;
	assert_int_equal(tdx_model_image_new(model, bytes, count, &image), 0);
	tdx_model_image_free(image);
	free(bytes);
	tdx_model_free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_loader_looks_in_order),
		cmocka_unit_test(test_loader_knows_each_field),
		cmocka_unit_test(test_loader_wants_good_params),
		cmocka_unit_test(test_session_wants_every_lp_once),
		cmocka_unit_test(test_info_tells_of_loader_and_module),
		cmocka_unit_test(test_info_measures_the_module_that_runs),
		cmocka_unit_test(test_header_checks_of_linux),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
