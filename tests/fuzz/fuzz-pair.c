// SPDX-License-Identifier: LGPL-2.1-or-later
/* Any bytes as a SIGSTRUCT and a module, joined and judged. */
#include "form.h"
#include "fuzz.h"
#include "tdxupd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t cut = size < TDXUPD_SIGSTRUCT_BYTES ? size : TDXUPD_SIGSTRUCT_BYTES;
	struct tdxupd_report *report = NULL;
	struct tdxupd_image *image = NULL;
	uint8_t *bytes = NULL;
	size_t count = 0;
	char *why = NULL;
	int rc = form_join(data + cut, size - cut, data, cut, &bytes, &count, &why);

	CHECK(rc == 0 ? !why : why && *why);
	if (rc == 0) {
		CHECK(count >= size && count % TDXUPD_PAGE_BYTES == 0);
		CHECK(tdxupd_report_new(&report) == 0);
		CHECK(tdxupd_image_parse(bytes, count, report, &image) == 0);
		/* A joined container is sound; SIGSTRUCT's faults are its own. */
		CHECK(!tdxupd_report_has(report, TDXUPD_CHECK_IMAGE_LENGTH));
		CHECK(!tdxupd_report_has(report, TDXUPD_CHECK_IMAGE_CHECKSUM));
	}
	tdxupd_image_free(image);
	tdxupd_report_free(report);
	free(bytes);
	free(why);
	return 0;
}
