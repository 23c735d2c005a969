// SPDX-License-Identifier: LGPL-2.1-or-later
/* Any bytes as records of verified images; what is read can be written and read again. */
#include <string.h>

#include "catalog-record.h"
#include "fuzz.h"

static char *write_record(const struct record_key *key, const struct tdxupd_image *image,
			  const struct tdxupd_report *report, size_t *ret_size)
{
	struct buffer buffer = { 0 };
	char *bytes;

	record_put(&buffer, key, image, report);
	CHECK(buffer_take(&buffer, &bytes, ret_size) == 0);
	return bytes;
}

static void write_again(const struct record_key *key, const struct tdxupd_image *image,
			const struct tdxupd_report *report)
{
	struct tdxupd_image *image_again = NULL;
	struct tdxupd_report *report_again = NULL;
	struct record_reader reader = { 0 };
	struct record_key key_again;
	size_t size = 0, size_again = 0;
	char *bytes = write_record(key, image, report, &size), *same;

	reader.bytes = (const uint8_t *)bytes;
	reader.left = size;
	CHECK(record_get(&reader, &key_again, &image_again, &report_again) == 0);
	CHECK(reader.left == 0);
	same = write_record(&key_again, image_again, report_again, &size_again);
	CHECK(size == size_again && memcmp(bytes, same, size) == 0);
	free(same);
	free(bytes);
	tdxupd_image_free(image_again);
	tdxupd_report_free(report_again);
}

/* To load any other byte as a bool is undefined. */
static bool is_boolean(const bool *value)
{
	uint8_t byte;

	memcpy(&byte, value, 1);
	return byte <= 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct record_reader reader = { .bytes = data, .left = size };
	struct record_key key;

	while (reader.left > 0) {
		struct tdxupd_image *image = NULL;
		struct tdxupd_report *report = NULL;

		if (record_get(&reader, &key, &image, &report) < 0)
			break;
		CHECK(!image ||
		      (!image->bytes && image->cpu_count <= TDXUPD_SIGSTRUCT_CPUS_MAX &&
		       is_boolean(&image->no_downgrade)));
		write_again(&key, image, report);
		tdxupd_image_free(image);
		tdxupd_report_free(report);
	}
	return 0;
}
