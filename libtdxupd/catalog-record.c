// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * One verified image as bytes and back. Only this machine reads them, so numbers are as
 * it has them; what reads them trusts nothing all the same.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "catalog-record.h"
#include "util.h"

DEFINE_CLEANUP(struct tdxupd_image, image, tdxupd_image_free)
DEFINE_CLEANUP(struct tdxupd_report, report, tdxupd_report_free)

#define TEXT_BYTES   TDXUPD_VERDICT_TEXT_BYTES
#define VERDICTS_MAX (8 * _TDXUPD_CHECK_MAX) /* a report looks through all for each */

/* ---- writing ---- */

void record_put_number(struct buffer *out, uint64_t number)
{
	buffer_put(out, &number, sizeof(number));
}

void record_put_image(struct buffer *out, const struct tdxupd_image *image)
{
	struct tdxupd_image facts;

	record_put_number(out, image != NULL);
	if (!image)
		return;
	/* All but the pointer, and of the CPUs those that are there. */
	facts = *image;
	facts.bytes = NULL;
	record_put_number(out, image->cpu_count);
	buffer_put(out, &facts, offsetof(struct tdxupd_image, cpus));
	buffer_put(out, image->cpus, image->cpu_count * sizeof(*image->cpus));
}

void record_put_text(struct buffer *out, const char *text)
{
	record_put_number(out, strlen(text));
	buffer_put(out, text, strlen(text));
}

void record_put_report(struct buffer *out, const struct tdxupd_report *report)
{
	record_put_number(out, tdxupd_report_count(report));
	for (size_t i = 0; i < tdxupd_report_count(report); i++) {
		const struct tdxupd_verdict *verdict = tdxupd_report_get(report, i);

		record_put_number(out, verdict->check);
		record_put_number(out, verdict->severity);
		record_put_text(out, verdict->found);
		record_put_text(out, verdict->wanted);
	}
}

void record_put(struct buffer *out, const struct record_key *key,
		const struct tdxupd_image *image, const struct tdxupd_report *report)
{
	buffer_put(out, key, sizeof(*key));
	record_put_image(out, image);
	record_put_report(out, report);
}

/* ---- reading ---- */

void record_get_bytes(struct record_reader *reader, void *ret, size_t count)
{
	if (reader->is_bad || count > reader->left) {
		reader->is_bad = true;
		memset(ret, 0, count);
		return;
	}
	memcpy(ret, reader->bytes, count);
	reader->bytes += count;
	reader->left -= count;
}

uint64_t record_get_number(struct record_reader *reader, uint64_t max)
{
	uint64_t number;

	record_get_bytes(reader, &number, sizeof(number));
	if (number <= max)
		return number;
	reader->is_bad = true;
	return 0;
}

/* Any byte but 0 and 1 makes no bool: to load it as one is undefined. */
static bool is_boolean(const bool *value)
{
	uint8_t byte;

	memcpy(&byte, value, sizeof(byte));
	return byte <= 1;
}

int record_get_image(struct record_reader *reader, struct tdxupd_image **ret)
{
	_cleanup_(cleanup_image)
	struct tdxupd_image *image = NULL;
	size_t cpu_count;

	if (!record_get_number(reader, 1)) {
		*ret = NULL;
		return reader->is_bad ? -EBADMSG : 0;
	}
	image = calloc(1, sizeof(*image));
	if (!image)
		return -ENOMEM;
	cpu_count = record_get_number(reader, TDXUPD_SIGSTRUCT_CPUS_MAX);
	record_get_bytes(reader, image, offsetof(struct tdxupd_image, cpus));
	image->bytes = NULL;
	if (image->cpu_count != cpu_count || !is_boolean(&image->no_downgrade))
		reader->is_bad = true;
	record_get_bytes(reader, image->cpus, cpu_count * sizeof(*image->cpus));
	if (reader->is_bad)
		return -EBADMSG;
	*ret = TAKE_PTR(image);
	return 0;
}

void record_get_text(struct record_reader *reader, char *ret, size_t size)
{
	size_t length = record_get_number(reader, size - 1);

	record_get_bytes(reader, ret, length);
	ret[length] = '\0';
	if (strlen(ret) != length)
		reader->is_bad = true;
}

int record_get_report(struct record_reader *reader, struct tdxupd_report **ret)
{
	_cleanup_(cleanup_report)
	struct tdxupd_report *report = NULL;
	uint64_t count = record_get_number(reader, VERDICTS_MAX);
	int r = tdxupd_report_new(&report);

	for (uint64_t i = 0; r == 0 && i < count; i++) {
		uint64_t check = record_get_number(reader, _TDXUPD_CHECK_MAX - 1);
		uint64_t severity = record_get_number(reader, _TDXUPD_SEVERITY_MAX - 1);
		char found[TEXT_BYTES], wanted[TEXT_BYTES];

		record_get_text(reader, found, sizeof(found));
		record_get_text(reader, wanted, sizeof(wanted));
		if (reader->is_bad)
			break;
		r = tdxupd_report_add(report, (enum tdxupd_check)check,
				      (enum tdxupd_severity)severity, found, wanted);
	}
	if (r < 0 || reader->is_bad)
		return r < 0 ? r : -EBADMSG;
	*ret = TAKE_PTR(report);
	return 0;
}

int record_get(struct record_reader *reader, struct record_key *ret_key,
	       struct tdxupd_image **ret_image, struct tdxupd_report **ret_report)
{
	_cleanup_(cleanup_image)
	struct tdxupd_image *image = NULL;
	_cleanup_(cleanup_report)
	struct tdxupd_report *report = NULL;
	struct record_key key;
	int r;

	record_get_bytes(reader, &key, sizeof(key));
	r = record_get_image(reader, &image);
	if (r == 0)
		r = record_get_report(reader, &report);
	if (r < 0)
		return r;
	*ret_key = key;
	if (ret_image)
		*ret_image = TAKE_PTR(image);
	if (ret_report)
		*ret_report = TAKE_PTR(report);
	return 0;
}
