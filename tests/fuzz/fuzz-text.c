// SPDX-License-Identifier: LGPL-2.1-or-later
/* Any text as a version, a digest and a list of CPUs: what is read can be written so. */
#include <string.h>

#include "fuzz.h"
#include "tdxupd.h"

static void fuzz_version(const char *text)
{
	struct tdxupd_version version, again;
	char written[TDXUPD_VERSION_TEXT_BYTES];

	if (tdxupd_version_parse(text, &version) < 0)
		return;
	CHECK(tdxupd_version_parse(tdxupd_version_format(&version, written), &again) ==
	      0);
	CHECK(tdxupd_version_compare(&version, &again) == 0);
}

static void fuzz_digest(const char *text)
{
	struct tdxupd_digest digest, again;
	char written[TDXUPD_DIGEST_TEXT_BYTES];

	if (tdxupd_digest_parse(text, &digest) < 0)
		return;
	CHECK(tdxupd_digest_parse(tdxupd_digest_format(&digest, written), &again) == 0);
	CHECK(tdxupd_digest_is_equal(&digest, &again));
}

static void fuzz_cpuset(const char *text)
{
	struct tdxupd_cpuset set, again;
	char *written;

	if (tdxupd_cpuset_parse(text, &set) < 0)
		return;
	written = tdxupd_cpuset_format(&set);
	CHECK(written);
	CHECK(tdxupd_cpuset_parse(written, &again) == 0);
	CHECK(memcmp(&set, &again, sizeof(set)) == 0);
	free(written);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	CHECK(text);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	fuzz_version(text);
	fuzz_digest(text);
	fuzz_cpuset(text);
	free(text);
	return 0;
}
