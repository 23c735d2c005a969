// SPDX-License-Identifier: LGPL-2.1-or-later
/* Any bytes as SIGSTRUCT of an image that is otherwise right, its signer trusted. */
#include <string.h>

#include "fuzz.h"
#include "tdxupd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t module[TDXUPD_PAGE_BYTES];
	uint8_t sigstruct[TDXUPD_SIGSTRUCT_BYTES] = { 0 };
	struct tdxupd_policy *policy = NULL;
	struct tdxupd_report *report = NULL;
	struct tdxupd_image *image = NULL;
	uint8_t *bytes = NULL;
	size_t count = 0;

	if (size > 0)
		memcpy(sigstruct, data,
		       size < sizeof(sigstruct) ? size : sizeof(sigstruct));
	CHECK(tdxupd_image_join(module, sizeof(module), sigstruct, sizeof(sigstruct),
				TDXUPD_CONTAINER_KERNEL, &bytes, &count) == 0);
	CHECK(tdxupd_report_new(&report) == 0);
	CHECK(tdxupd_image_parse(bytes, count, report, &image) == 0);
	CHECK(image && image->cpu_count <= TDXUPD_SIGSTRUCT_CPUS_MAX);
	for (int i = TDXUPD_CHECK_IMAGE_SIZE; i <= TDXUPD_CHECK_IMAGE_CHECKSUM; i++)
		CHECK(!tdxupd_report_has(report, (enum tdxupd_check)i));
	CHECK(tdxupd_policy_new(&policy) == 0);
	CHECK(tdxupd_policy_trust(policy, &image->signer) == 0);
	CHECK(tdxupd_image_verify(image, policy, report) == 0);
	CHECK(!tdxupd_report_has(report, TDXUPD_CHECK_SIGNER_UNTRUSTED));
	/* A page of zeros was never signed. */
	CHECK(!tdxupd_report_is_passed(report));
	tdxupd_image_free(image);
	tdxupd_report_free(report);
	tdxupd_policy_free(policy);
	free(bytes);
	return 0;
}
