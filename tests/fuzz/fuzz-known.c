// SPDX-License-Identifier: LGPL-2.1-or-later
/* Any bytes as known-modules.json. */
#include "fuzz.h"
#include "known.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tdxupd_known_module *known = NULL;
	size_t count = 0;
	char *why = NULL;
	int rc = known_parse((const char *)data, size, &known, &count, &why);

	CHECK(rc == 0 ? !why : why && *why);
	for (size_t i = 1; rc == 0 && i < count; i++)
		CHECK(tdxupd_version_compare(&known[i - 1].version, &known[i].version) <
		      0);
	free(known);
	free(why);
	return 0;
}
