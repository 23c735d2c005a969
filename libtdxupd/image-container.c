// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The container: one page in front of SIGSTRUCT and module, in the form that Intel
 * publishes (0x100) or the one that Linux takes (0x200). Checks it and writes it; never
 * looks at what it contains.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image-format.h"
#include "util.h"

struct container {
	const uint8_t *bytes;
	size_t count;
	uint16_t version;
	uint64_t sigstruct_pages;
	uint64_t module_pages;
	uint64_t length; /* as the header has it */
};

uint16_t image_sum(const uint8_t *bytes, size_t count)
{
	uint16_t sum = 0;

	for (size_t i = 0; i + 1 < count; i += 2)
		sum = (uint16_t)(sum + load_le16(bytes + i));
	if (count & 1)
		sum = (uint16_t)(sum + bytes[count - 1]);
	return sum;
}

static bool is_zero(const uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (bytes[i])
			return false;
	return true;
}

static int refuse(struct tdxupd_report *report, enum tdxupd_check check,
		  const char *found, const char *wanted)
{
	return tdxupd_report_add(report, check, TDXUPD_SEVERITY_REFUSE, found, wanted);
}

static int check_size(const struct container *c, struct tdxupd_report *report)
{
	char found[32];

	if (c->count >= IMAGE_MODULE + TDXUPD_PAGE_BYTES &&
	    c->count <= TDXUPD_IMAGE_BYTES_MAX)
		return 0;
	snprintf(found, sizeof(found), "%zu bytes", c->count);
	return refuse(report, TDXUPD_CHECK_IMAGE_SIZE, found, "12288 to 4194304 bytes");
}

static int check_version(const struct container *c, struct tdxupd_report *report)
{
	char found[16];

	if (c->version == TDXUPD_CONTAINER_PUBLISHED ||
	    c->version == TDXUPD_CONTAINER_KERNEL)
		return 0;
	snprintf(found, sizeof(found), "0x%x", c->version);
	return refuse(report, TDXUPD_CHECK_IMAGE_VERSION, found, "0x100 or 0x200");
}

static int check_magic(const struct container *c, struct tdxupd_report *report)
{
	size_t at =
		c->version == TDXUPD_CONTAINER_KERNEL ? IMAGE_V2_MAGIC : IMAGE_V1_MAGIC;
	char found[2 * IMAGE_MAGIC_BYTES + 1];

	if (memcmp(c->bytes + at, IMAGE_MAGIC, IMAGE_MAGIC_BYTES) == 0)
		return 0;
	for (size_t i = 0; i < IMAGE_MAGIC_BYTES; i++)
		snprintf(found + 2 * i, 3, "%02x", c->bytes[at + i]);
	return refuse(report, TDXUPD_CHECK_IMAGE_MAGIC, found, IMAGE_MAGIC);
}

static int check_reserved(const struct container *c, struct tdxupd_report *report)
{
	int rc = 0;

	if (!is_zero(c->bytes + IMAGE_RESERVED, TDXUPD_PAGE_BYTES - IMAGE_RESERVED))
		rc = refuse(report, TDXUPD_CHECK_IMAGE_RESERVED,
			    "other bytes in 20 to 4095", "zeros");
	if (rc == 0 && !is_zero(c->bytes + IMAGE_SIGSTRUCT + TDXUPD_SIGSTRUCT_BYTES,
				TDXUPD_PAGE_BYTES - TDXUPD_SIGSTRUCT_BYTES))
		rc = refuse(report, TDXUPD_CHECK_IMAGE_RESERVED,
			    "other bytes behind SIGSTRUCT", "zeros");
	return rc;
}

static int check_pages(const struct container *c, struct tdxupd_report *report)
{
	char found[80];

	if (c->sigstruct_pages == 1 && c->module_pages >= 1 &&
	    c->module_pages <= TDXUPD_MODULE_PAGES_MAX)
		return 0;
	snprintf(found, sizeof(found), "%" PRIu64 " of SIGSTRUCT, %" PRIu64 " of module",
		 c->sigstruct_pages, c->module_pages);
	return refuse(report, TDXUPD_CHECK_IMAGE_PAGES, found,
		      "1 of SIGSTRUCT, 1 to 496 of module");
}

static int check_length(const struct container *c, struct tdxupd_report *report)
{
	char found[32], wanted[80];

	if (c->length == c->count && c->count % TDXUPD_PAGE_BYTES == 0)
		return 0;
	snprintf(found, sizeof(found), "%zu bytes", c->count);
	if (c->length == c->count)
		return refuse(report, TDXUPD_CHECK_IMAGE_LENGTH, found, "whole pages");
	snprintf(wanted, sizeof(wanted), "%" PRIu64 " bytes", c->length);
	return refuse(report, TDXUPD_CHECK_IMAGE_LENGTH, found, wanted);
}

static int check_checksum(const struct container *c, struct tdxupd_report *report)
{
	uint16_t sum = image_sum(c->bytes, c->count);
	char found[16];

	if (sum == 0)
		return 0;
	snprintf(found, sizeof(found), "0x%04x", sum);
	return refuse(report, TDXUPD_CHECK_IMAGE_CHECKSUM, found, "0");
}

/* In 0x100 the module reaches from its offset to the end, and SIGSTRUCT up to it. */
static void read_header(struct container *c)
{
	if (c->version == TDXUPD_CONTAINER_KERNEL) {
		c->sigstruct_pages = load_le32(c->bytes + IMAGE_V2_SIGSTRUCT_PAGES);
		c->module_pages = load_le32(c->bytes + IMAGE_V2_MODULE_PAGES);
		c->length =
			TDXUPD_PAGE_BYTES * (1 + c->sigstruct_pages + c->module_pages);
	} else {
		uint64_t offset = load_le32(c->bytes + IMAGE_V1_MODULE_OFFSET);

		c->length = load_le32(c->bytes + IMAGE_V1_LENGTH);
		if (offset >= TDXUPD_PAGE_BYTES && offset % TDXUPD_PAGE_BYTES == 0)
			c->sigstruct_pages = offset / TDXUPD_PAGE_BYTES - 1;
		if (c->length > offset)
			c->module_pages = (c->length - offset) / TDXUPD_PAGE_BYTES;
	}
}

int image_check_container(const uint8_t *bytes, size_t count,
			  struct tdxupd_report *report, bool *ret_has_layout)
{
	/* Each of the first needs what the ones before it found right. */
	static int (*const first[])(const struct container *,
				    struct tdxupd_report *) = { check_size, check_version,
								check_magic };
	static int (*const all[])(const struct container *, struct tdxupd_report *) = {
		check_reserved, check_pages, check_length, check_checksum
	};
	struct container c = { .bytes = bytes, .count = count };
	size_t verdicts = tdxupd_report_count(report);
	int rc;

	if (count >= sizeof(uint16_t))
		c.version = load_le16(bytes + IMAGE_VERSION);
	for (size_t i = 0; i < ARRAY_SIZE(first); i++) {
		rc = first[i](&c, report);
		if (rc < 0)
			return rc;
		if (tdxupd_report_count(report) > verdicts) {
			*ret_has_layout = false;
			return 0;
		}
	}
	read_header(&c);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		rc = all[i](&c, report);
		if (rc < 0)
			return rc;
	}
	*ret_has_layout = !tdxupd_report_has(report, TDXUPD_CHECK_IMAGE_PAGES) &&
			  !tdxupd_report_has(report, TDXUPD_CHECK_IMAGE_LENGTH);
	return 0;
}

/* Page 0 for what stands behind it in @bytes, checksum included. */
static void write_header(uint8_t *bytes, size_t count, uint16_t container)
{
	memset(bytes, 0, TDXUPD_PAGE_BYTES);
	store_le16(bytes + IMAGE_VERSION, container);
	if (container == TDXUPD_CONTAINER_KERNEL) {
		memcpy(bytes + IMAGE_V2_MAGIC, IMAGE_MAGIC, IMAGE_MAGIC_BYTES);
		store_le32(bytes + IMAGE_V2_SIGSTRUCT_PAGES, 1);
		store_le32(bytes + IMAGE_V2_MODULE_PAGES,
			   (uint32_t)((count - IMAGE_MODULE) / TDXUPD_PAGE_BYTES));
	} else {
		memcpy(bytes + IMAGE_V1_MAGIC, IMAGE_MAGIC, IMAGE_MAGIC_BYTES);
		store_le32(bytes + IMAGE_V1_MODULE_OFFSET, IMAGE_MODULE);
		store_le32(bytes + IMAGE_V1_LENGTH, (uint32_t)count);
	}
	store_le16(bytes + IMAGE_CHECKSUM, (uint16_t)-image_sum(bytes, count));
}

_public_ int tdxupd_image_convert(const struct tdxupd_image *image, uint16_t container,
				  uint8_t **ret)
{
	uint8_t *bytes;

	if (!image || !ret ||
	    (container != TDXUPD_CONTAINER_PUBLISHED &&
	     container != TDXUPD_CONTAINER_KERNEL))
		return -EINVAL;
	if (!image->bytes)
		return -ENODATA;
	bytes = malloc(image->bytes_count);
	if (!bytes)
		return -ENOMEM;
	memcpy(bytes, image->bytes, image->bytes_count);
	write_header(bytes, image->bytes_count, container);
	*ret = bytes;
	return 0;
}

_public_ int tdxupd_image_join(const void *module, size_t module_bytes,
			       const void *sigstruct, size_t sigstruct_bytes,
			       uint16_t container, uint8_t **ret, size_t *ret_bytes)
{
	size_t count = IMAGE_MODULE + module_bytes;
	uint8_t *bytes;

	if (!module || !sigstruct || !ret || !ret_bytes ||
	    (container != TDXUPD_CONTAINER_PUBLISHED &&
	     container != TDXUPD_CONTAINER_KERNEL))
		return -EINVAL;
	if (sigstruct_bytes != TDXUPD_SIGSTRUCT_BYTES || module_bytes == 0 ||
	    module_bytes % TDXUPD_PAGE_BYTES ||
	    module_bytes / TDXUPD_PAGE_BYTES > TDXUPD_MODULE_PAGES_MAX)
		return -EBADMSG;
	bytes = calloc(1, count);
	if (!bytes)
		return -ENOMEM;
	memcpy(bytes + IMAGE_SIGSTRUCT, sigstruct, sigstruct_bytes);
	memcpy(bytes + IMAGE_MODULE, module, module_bytes);
	write_header(bytes, count, container);
	*ret = bytes;
	*ret_bytes = count;
	return 0;
}
