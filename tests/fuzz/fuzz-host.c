// SPDX-License-Identifier: LGPL-2.1-or-later
/* Any bytes as a host file; what was understood is written and understood again. */
#include <string.h>

#include "fuzz.h"
#include "tdxupd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tdxupd_host *host = NULL, *again = NULL;
	char *why = NULL, *text = NULL, *same = NULL;
	int rc = tdxupd_host_from_json((const char *)data, size, &host, &why);

	CHECK(rc == 0 ? !why : why && *why);
	if (rc == 0) {
		CHECK(tdxupd_host_to_json(host, &text) == 0);
		CHECK(tdxupd_host_from_json(text, strlen(text), &again, &why) == 0);
		CHECK(tdxupd_host_to_json(again, &same) == 0);
		CHECK(strcmp(text, same) == 0);
	}
	tdxupd_host_free(host);
	tdxupd_host_free(again);
	free(text);
	free(same);
	free(why);
	return 0;
}
