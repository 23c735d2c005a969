/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the tests of the simulated machine share. */
#ifndef TDX_MODEL_TEST_H
#define TDX_MODEL_TEST_H

#include "test.h"

#include "tdx-model-internal.h"
#include "testimage.h"

#define LPS 4

static inline struct tdx_model *new_model(void)
{
	struct tdxupd_digest signer = testimage_signer(TESTIMAGE_KEY_TRUSTED);
	char line[128] = "trust ", answer[256];
	struct tdx_model *model;

	assert_int_equal(tdx_model_new(LPS, NULL, NULL, &model), 0);
	tdxupd_digest_format(&signer, line + strlen(line));
	assert_int_equal(tdx_model_command(model, line, answer, sizeof(answer)), 0);

	return model;
}

static inline void tell(struct tdx_model *model, const char *line)
{
	char answer[1024];

	if (tdx_model_command(model, line, answer, sizeof(answer)))
		fail_msg("%s: %s", line, answer);
}

static inline struct tdx_model_image *new_image(struct tdx_model *model,
						const struct testimage_spec *spec)
{
	struct tdx_model_image *image;
	uint8_t *bytes;
	size_t count;

	assert_int_equal(testimage_build(spec, &bytes, &count), 0);
	assert_int_equal(tdx_model_image_new(model, bytes, count, &image), 0);
	free(bytes);

	return image;
}

static inline struct testimage_spec spec_of(const char *version, uint16_t ctx)
{
	struct testimage_spec spec = testimage_default_text(version);

	spec.container = 0x200;
	spec.ctx = ctx;
	return spec;
}

static inline u64 call(struct tdx_model *model, unsigned lp, u64 rax, u64 rcx)
{
	struct tdx_model_regs regs = { .rcx = rcx };

	return tdx_model_seamcall(model, lp, rax, &regs);
}

/* Every LP calls once; only the last one's answer says something. */
static inline u64 install(struct tdx_model *model, const struct tdx_model_image *image,
			  u64 *ret_rdx)
{
	for (unsigned lp = 0; lp < LPS - 1; lp++)
		assert_int_equal(tdx_model_seamldr_install(model, lp, image, ret_rdx), 0);

	return tdx_model_seamldr_install(model, LPS - 1, image, ret_rdx);
}

#endif
