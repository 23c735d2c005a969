// SPDX-License-Identifier: LGPL-2.1-or-later
/* Any bytes as mapping_file.json. */
#include "catalog-mapping.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tdxupd_release *releases = NULL;
	size_t count = 0;
	char *why = NULL;
	int rc = mapping_parse((const char *)data, size, &releases, &count, &why);

	CHECK(rc == 0 ? !why : why && *why);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		CHECK(mapping_find(releases, count, &releases[i].version) ==
		      &releases[i]);
		CHECK(i == 0 || tdxupd_version_compare(&releases[i - 1].version,
						       &releases[i].version) < 0);
	}
	if (rc == 0)
		mapping_free(releases, count);
	free(why);
	return 0;
}
