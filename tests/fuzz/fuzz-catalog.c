// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Any bytes as what a worker answers: a catalog of images. What is believed is in order,
 * as look-ups and the plan rely on, and can be written and read again as the same.
 */
#include <errno.h>
#include <string.h>

#include "catalog-wire.h"
#include "fuzz.h"

static char *write_catalog(const struct tdxupd_catalog *catalog, size_t *ret_size)
{
	struct buffer buffer = { 0 };
	char *bytes;

	catalog_put(&buffer, catalog);
	CHECK(buffer_take(&buffer, &bytes, ret_size) == 0);
	return bytes;
}

/* Whatever is known of an entry can be asked for. */
static void look_at(const struct tdxupd_catalog *catalog)
{
	for (size_t i = 0; i < catalog->entry_count; i++) {
		const struct tdxupd_entry *entry = &catalog->entries[i];

		CHECK(entry->name && entry->report);
		CHECK(!entry->image || !entry->image->bytes);
		CHECK(strchr(entry->name, '/') == NULL);
		for (size_t v = 0; v < tdxupd_report_count(entry->report); v++)
			CHECK(tdxupd_check_describe(
				tdxupd_report_get(entry->report, v)->check));
	}
	for (size_t i = 0; i < catalog->left_out && i < 1; i++)
		CHECK(catalog->left_outs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tdxupd_catalog *catalog = NULL, *again = NULL;
	size_t written = 0, rewritten = 0;
	char *bytes, *same;
	int r = catalog_get(data, size, &catalog);

	CHECK(r == 0 || r == -EBADMSG || r == -ENOMEM);
	if (r < 0)
		return 0;
	look_at(catalog);
	bytes = write_catalog(catalog, &written);
	CHECK(catalog_get((const uint8_t *)bytes, written, &again) == 0);
	same = write_catalog(again, &rewritten);
	CHECK(written == rewritten && memcmp(bytes, same, written) == 0);
	free(same);
	free(bytes);
	tdxupd_catalog_free(again);
	tdxupd_catalog_free(catalog);
	return 0;
}
