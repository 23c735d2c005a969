// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * SIGSTRUCT: what the signer says of a module, and whether P-SEAMLDR would take it as
 * one. Whether the signature fits is image-verify's question.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "digest.h"
#include "image-format.h"
#include "util.h"

struct field {
	const char *name;
	size_t at;
	uint32_t wanted;
};

/* One verdict for the first field that is not as it must be. */
static int check_fields(const uint8_t *s, const struct field *fields, size_t count,
			enum tdxupd_check check, struct tdxupd_report *report)
{
	for (size_t i = 0; i < count; i++) {
		uint32_t value = load_le32(s + fields[i].at);
		char found[48], wanted[48];

		if (value == fields[i].wanted)
			continue;
		snprintf(found, sizeof(found), "%s 0x%" PRIx32, fields[i].name, value);
		snprintf(wanted, sizeof(wanted), "0x%" PRIx32, fields[i].wanted);
		return tdxupd_report_add(report, check, TDXUPD_SEVERITY_REFUSE, found,
					 wanted);
	}
	return 0;
}

static int check_header(const uint8_t *s, struct tdxupd_report *report)
{
	static const struct field fields[] = {
		{ "type", SIGSTRUCT_HEADER_TYPE, SIGSTRUCT_HEADER_TYPE_SEAM },
		{ "length", SIGSTRUCT_HEADER_LENGTH, SIGSTRUCT_HEADER_LENGTH_VALUE },
		{ "version", SIGSTRUCT_HEADER_VERSION, SIGSTRUCT_HEADER_VERSION_1_0 },
	};

	return check_fields(s, fields, ARRAY_SIZE(fields), TDXUPD_CHECK_SIGSTRUCT_HEADER,
			    report);
}

static int check_sizes(const uint8_t *s, struct tdxupd_report *report)
{
	static const struct field fields[] = {
		{ "size", SIGSTRUCT_SIZE, SIGSTRUCT_SIZE_DWORDS },
		{ "key size", SIGSTRUCT_KEY_SIZE, SIGSTRUCT_RSA_DWORDS },
		{ "modulus size", SIGSTRUCT_MODULUS_SIZE, SIGSTRUCT_RSA_DWORDS },
		{ "exponent size", SIGSTRUCT_EXPONENT_SIZE, SIGSTRUCT_EXPONENT_DWORDS },
		{ "exponent", SIGSTRUCT_EXPONENT, SIGSTRUCT_EXPONENT_VALUE },
	};
	uint32_t cpu_count = load_le32(s + SIGSTRUCT_CPU_COUNT);
	char found[32];

	if (cpu_count > TDXUPD_SIGSTRUCT_CPUS_MAX) {
		snprintf(found, sizeof(found), "%" PRIu32 " CPUs", cpu_count);
		return tdxupd_report_add(report, TDXUPD_CHECK_SIGSTRUCT_SIZES,
					 TDXUPD_SEVERITY_REFUSE, found, "at most 255");
	}
	return check_fields(s, fields, ARRAY_SIZE(fields), TDXUPD_CHECK_SIGSTRUCT_SIZES,
			    report);
}

static int check_vendor(const uint8_t *s, struct tdxupd_report *report)
{
	static const struct field field = { "vendor", SIGSTRUCT_VENDOR,
					    SIGSTRUCT_VENDOR_INTEL };

	return check_fields(s, &field, 1, TDXUPD_CHECK_SIGSTRUCT_VENDOR, report);
}

/*
 * Bytes 1000 to 1023 are reserved in the loader's source too, and the published 2.0
 * modules have something there that looks like their version and build: not looked at.
 */
static int check_reserved(const uint8_t *s, struct tdxupd_report *report)
{
	static const struct {
		size_t at;
		size_t count;
	} ranges[] = {
		{ SIGSTRUCT_RESERVED_0, SIGSTRUCT_MODULUS - SIGSTRUCT_RESERVED_0 },
		{ SIGSTRUCT_ATTRIBUTES, sizeof(uint64_t) },
		{ SIGSTRUCT_RESERVED_1, SIGSTRUCT_MODULE_HV - SIGSTRUCT_RESERVED_1 },
		{ SIGSTRUCT_RESERVED_2, 1 },
	};
	uint32_t type = load_le32(s + SIGSTRUCT_MODULE_TYPE) & ~SIGSTRUCT_TYPE_DEBUG;
	char found[48];

	if (type) {
		snprintf(found, sizeof(found), "module type 0x%" PRIx32, type);
		return tdxupd_report_add(report, TDXUPD_CHECK_SIGSTRUCT_RESERVED,
					 TDXUPD_SEVERITY_REFUSE, found, "0");
	}
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		for (size_t j = 0; j < ranges[i].count; j++) {
			uint8_t byte = s[ranges[i].at + j];

			if (!byte)
				continue;
			snprintf(found, sizeof(found), "0x%02x at byte %zu", byte,
				 ranges[i].at + j);
			return tdxupd_report_add(report, TDXUPD_CHECK_SIGSTRUCT_RESERVED,
						 TDXUPD_SEVERITY_REFUSE, found, "0");
		}
	}
	return 0;
}

static int check_handoff(const uint8_t *s, struct tdxupd_report *report)
{
	uint16_t module_hv = load_le16(s + SIGSTRUCT_MODULE_HV);
	uint16_t min_update_hv = load_le16(s + SIGSTRUCT_MIN_UPDATE_HV);
	uint8_t no_downgrade = s[SIGSTRUCT_NO_DOWNGRADE];
	char found[48], wanted[48];

	if (min_update_hv <= module_hv && no_downgrade <= 1)
		return 0;
	if (no_downgrade > 1) {
		snprintf(found, sizeof(found), "no_downgrade %u", no_downgrade);
		snprintf(wanted, sizeof(wanted), "0 or 1");
	} else {
		snprintf(found, sizeof(found), "min_update_hv %u", min_update_hv);
		snprintf(wanted, sizeof(wanted), "at most module_hv %u", module_hv);
	}
	return tdxupd_report_add(report, TDXUPD_CHECK_SIGSTRUCT_HANDOFF,
				 TDXUPD_SEVERITY_REFUSE, found, wanted);
}

static bool is_debug(const uint8_t *s)
{
	return load_le32(s + SIGSTRUCT_MODULE_TYPE) & SIGSTRUCT_TYPE_DEBUG;
}

static int check_debug(const uint8_t *s, struct tdxupd_report *report)
{
	if (!is_debug(s))
		return 0;
	return tdxupd_report_add(report, TDXUPD_CHECK_MODULE_DEBUG,
				 TDXUPD_SEVERITY_REFUSE, "debug", "production");
}

/* The loader takes an empty table of a debug module as "any CPU". */
static int check_cpu_table(const uint8_t *s, struct tdxupd_report *report)
{
	if (is_debug(s) || load_le32(s + SIGSTRUCT_CPU_COUNT) > 0)
		return 0;
	return tdxupd_report_add(report, TDXUPD_CHECK_CPU_TABLE_EMPTY,
				 TDXUPD_SEVERITY_REFUSE, "0 CPUs", "at least 1");
}

int image_check_sigstruct(const uint8_t *sigstruct, struct tdxupd_report *report)
{
	static int (*const all[])(const uint8_t *, struct tdxupd_report *) = {
		check_header,  check_sizes, check_vendor,    check_reserved,
		check_handoff, check_debug, check_cpu_table,
	};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		int rc = all[i](sigstruct, report);

		if (rc < 0)
			return rc;
	}
	return 0;
}

int image_read_sigstruct(const uint8_t *s, struct tdxupd_image *image)
{
	uint32_t cpu_count = load_le32(s + SIGSTRUCT_CPU_COUNT);
	int rc =
		digest_sha384(s + SIGSTRUCT_MODULUS, SIGSTRUCT_RSA_BYTES, &image->signer);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < sizeof(image->mrseam.bytes); i++)
		image->mrseam.bytes[i] = s[SIGSTRUCT_SEAMHASH + i];
	image->module_type = load_le32(s + SIGSTRUCT_MODULE_TYPE);
	image->date = load_le32(s + SIGSTRUCT_DATE);
	image->attributes = load_le64(s + SIGSTRUCT_ATTRIBUTES);
	image->svn = load_le16(s + SIGSTRUCT_SVN);
	image->module_hv = load_le16(s + SIGSTRUCT_MODULE_HV);
	image->min_update_hv = load_le16(s + SIGSTRUCT_MIN_UPDATE_HV);
	image->no_downgrade = s[SIGSTRUCT_NO_DOWNGRADE] != 0;
	/* A count that cannot be is refused as such; there is no table to believe then.
	 */
	image->cpu_count = cpu_count <= TDXUPD_SIGSTRUCT_CPUS_MAX ? cpu_count : 0;
	for (size_t i = 0; i < image->cpu_count; i++)
		image->cpus[i] = load_le32(s + SIGSTRUCT_CPUS + 4 * i);
	return 0;
}
