// SPDX-License-Identifier: LGPL-2.1-or-later
/* Any bytes as an image file: parsed, verified, converted and taken apart. */
#include <string.h>

#include "fuzz.h"
#include "tdxupd.h"

static struct tdxupd_image *parse(const uint8_t *data, size_t size,
				  struct tdxupd_report **ret_report)
{
	struct tdxupd_image *image = NULL;

	CHECK(tdxupd_report_new(ret_report) == 0);
	CHECK(tdxupd_image_parse(data, size, *ret_report, &image) == 0);
	/* What has no image has a reason. */
	CHECK(image || !tdxupd_report_is_passed(*ret_report));
	for (size_t i = 0; i < tdxupd_report_count(*ret_report); i++) {
		char *text = tdxupd_verdict_format(tdxupd_report_get(*ret_report, i));

		CHECK(text && *text);
		free(text);
	}
	return image;
}

/* The other container holds the same module, and its page 0 speaks against nothing. */
static void convert(const struct tdxupd_image *image, uint16_t container)
{
	struct tdxupd_report *report = NULL;
	struct tdxupd_image *other;
	uint8_t *bytes = NULL, *again = NULL;

	CHECK(tdxupd_image_convert(image, container, &bytes) == 0);
	other = parse(bytes, image->bytes_count, &report);
	CHECK(other);
	CHECK(other->container == container);
	CHECK(!tdxupd_report_has(report, TDXUPD_CHECK_IMAGE_CHECKSUM));
	CHECK(tdxupd_digest_is_equal(&image->mrseam, &other->mrseam));
	CHECK(memcmp(bytes + 4096, image->bytes + 4096, image->bytes_count - 4096) == 0);
	CHECK(tdxupd_image_convert(other, container, &again) == 0);
	CHECK(memcmp(bytes, again, image->bytes_count) == 0);
	tdxupd_image_free(other);
	tdxupd_report_free(report);
	free(bytes);
	free(again);
}

static void join(const struct tdxupd_image *image)
{
	uint8_t *bytes = NULL;
	size_t count = 0;

	CHECK(tdxupd_image_join(image->bytes + 8192, image->bytes_count - 8192,
				image->bytes + 4096, 2048, image->container, &bytes,
				&count) == 0);
	CHECK(count == image->bytes_count);
	free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tdxupd_policy *policy = NULL;
	struct tdxupd_report *report = NULL;
	struct tdxupd_image *image = parse(data, size, &report);

	if (image) {
		CHECK(image->bytes_count == size);
		CHECK(8192 + (size_t)image->module_pages * 4096 == size);
		CHECK(image->cpu_count <= TDXUPD_SIGSTRUCT_CPUS_MAX);
		CHECK(tdxupd_policy_new(&policy) == 0);
		CHECK(tdxupd_image_verify(image, policy, report) == 0);
		/* Nobody finds Intel's key by chance. */
		CHECK(!tdxupd_report_is_passed(report));
		convert(image, TDXUPD_CONTAINER_PUBLISHED);
		convert(image, TDXUPD_CONTAINER_KERNEL);
		join(image);
		tdxupd_policy_free(policy);
	}
	tdxupd_image_free(image);
	tdxupd_report_free(report);
	return 0;
}
