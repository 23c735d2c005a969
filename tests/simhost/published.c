// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What Intel's published modules are, by their measurement: no image says which version
 * it holds, and the simulated machine has to show one.
 */
#include "published.h"

#include <stdio.h>

#include "util.h"

static const struct {
	const char *version;
	uint64_t features0;
	const char *mrseam;
} published[] = {
	{ "1.5.01", 0xF0FBF,
	  "9790d89a10210ec6968a773cee2ca05b5aa97309f36727a9"
	  "68527be4606fc19e6f73acce350946c9d46a9bf7a63f8430" },
	{ "1.5.05", 0x61F0FBF,
	  "1cc6a17ab799e9a693fac7536be61c12ee1e0fabada82d0c"
	  "999e08ccee2aa86de77b0870f558c570e7ffe55d6d47fa04" },
	{ "1.5.06", 0x2E1F0FBF,
	  "5b38e33a6487958b72c3c12a938eaa5e3fd4510c51aeeab5"
	  "8c7d5ecee41d7c436489d6c8e4f92f160b7cad34207b00c1" },
	{ "1.5.16", 0x226F3F0FBF,
	  "7bf063280e94fb051f5dd7b1fc59ce9aac42bb961df8d44b"
	  "709c9b0ff87a7b4df648657ba6d1189589feab1d5a3c9a9d" },
	{ "2.0.02", 0x22E1F0FBF,
	  "685f891ea5c20e8fa27b151bf34bf3b50fbaf7143cc53662"
	  "727cbdb167c0ad8385f1f6f3571539a91e104a1c96d75e04" },
	{ "2.0.05", 0x226F3F0FBF,
	  "6f65e570e3bc418d2576f31aada40f7f7ce1ea810f964aa9"
	  "bc70066a89ac1fc6e0d6b76d3f86a16405172b2c3e078528" },
};

int published_tell(struct tdx_model *model)
{
	char line[256], answer[256];
	int error = 0;

	for (size_t i = 0; !error && i < ARRAY_SIZE(published); i++) {
		snprintf(line, sizeof(line), "known %s version=%s features0=0x%llx",
			 published[i].mrseam, published[i].version,
			 (unsigned long long)published[i].features0);
		error = tdx_model_command(model, line, answer, sizeof(answer));
	}

	return error;
}
