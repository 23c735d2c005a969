// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Any bytes as an archive and as a compressed file: the first one tells which. What comes
 * out is bounded, whatever goes in.
 */
#include "form.h"
#include "fuzz.h"
#include "tdxupd.h"

static void check_why(int rc, const char *why)
{
	CHECK(rc == 0 ? !why : why && *why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pack pack = { 0 };
	uint8_t *bytes = NULL;
	size_t count = 0;
	char *why = NULL;
	int rc;

	if (size < 1 || !pack_is_supported())
		return 0;
	if (data[0] & 1) {
		rc = pack_read_file(data + 1, size - 1, TDXUPD_IMAGE_BYTES_MAX, &bytes,
				    &count, &why);
		check_why(rc, why);
		CHECK(rc < 0 || count <= TDXUPD_IMAGE_BYTES_MAX);
	} else {
		rc = pack_read_archive(data + 1, size - 1, &pack, &why);
		check_why(rc, why);
		CHECK(pack.count <= PACK_MEMBERS_MAX);
		if (rc == 0) {
			rc = form_from_pack(&pack, &bytes, &count, &why);
			check_why(rc, why);
		}
		pack_done(&pack);
	}
	free(bytes);
	free(why);
	return 0;
}
