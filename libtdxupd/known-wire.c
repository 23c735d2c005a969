// SPDX-License-Identifier: LGPL-2.1-or-later
/* A record of a module as bytes and back. Who reads believes no byte. */
#include <string.h>

#include "known-wire.h"

/* ---- writing ---- */

static void put_version(struct buffer *out, const struct tdxupd_version *version)
{
	record_put_number(out, version->major);
	record_put_number(out, version->minor);
	record_put_number(out, version->update);
}

static void put_lists(struct buffer *out, const struct tdxupd_known_module *known)
{
	record_put_number(out, known->superseded_count);
	for (size_t i = 0; i < known->superseded_count; i++)
		record_put_number(out, known->superseded_features0[i]);
	record_put_number(out, known->cpu_count);
	for (size_t i = 0; i < known->cpu_count; i++)
		record_put_number(out, known->cpus[i]);
	record_put_number(out, known->min_seamldr_count);
	for (size_t i = 0; i < known->min_seamldr_count; i++)
		put_version(out, &known->min_seamldr_versions[i]);
	record_put_number(out, known->advisory_count);
	for (size_t i = 0; i < known->advisory_count; i++)
		record_put_text(out, known->advisories[i]);
}

void known_put(struct buffer *out, const struct tdxupd_known_module *known)
{
	put_version(out, &known->version);
	put_version(out, &known->min_module_version);
	buffer_put(out, &known->mrseam, sizeof(known->mrseam));
	record_put_number(out, known->has_mrseam);
	record_put_number(out, known->has_svn);
	record_put_number(out, known->svn);
	record_put_number(out, known->has_date);
	record_put_number(out, known->date);
	record_put_number(out, known->has_handoff);
	record_put_number(out, known->module_hv);
	record_put_number(out, known->no_downgrade);
	record_put_number(out, known->has_min_update_hv);
	record_put_number(out, known->min_update_hv);
	record_put_number(out, known->has_crypto_context);
	record_put_number(out, known->crypto_context);
	record_put_number(out, known->has_features0);
	record_put_number(out, known->features0);
	record_put_number(out, known->has_more_cpus);
	record_put_number(out, known->has_min_module_version);
	record_put_number(out, known->has_advisories);
	put_lists(out, known);
}

/* ---- reading ---- */

static void get_version(struct record_reader *reader, struct tdxupd_version *ret)
{
	ret->major = (uint16_t)record_get_number(reader, UINT16_MAX);
	ret->minor = (uint16_t)record_get_number(reader, UINT16_MAX);
	ret->update = (uint16_t)record_get_number(reader, UINT16_MAX);
}

static void get_lists(struct record_reader *reader, struct tdxupd_known_module *ret)
{
	ret->superseded_count = record_get_number(reader, TDXUPD_KNOWN_SUPERSEDED_MAX);
	for (size_t i = 0; i < ret->superseded_count; i++)
		ret->superseded_features0[i] = record_get_number(reader, UINT64_MAX);
	ret->cpu_count = record_get_number(reader, TDXUPD_KNOWN_CPUS_MAX);
	for (size_t i = 0; i < ret->cpu_count; i++)
		ret->cpus[i] = (uint32_t)record_get_number(reader, UINT32_MAX);
	ret->min_seamldr_count = record_get_number(reader, TDXUPD_KNOWN_SEAMLDRS_MAX);
	for (size_t i = 0; i < ret->min_seamldr_count; i++)
		get_version(reader, &ret->min_seamldr_versions[i]);
	ret->advisory_count = record_get_number(reader, TDXUPD_KNOWN_ADVISORIES_MAX);
	for (size_t i = 0; i < ret->advisory_count; i++)
		record_get_text(reader, ret->advisories[i], sizeof(ret->advisories[i]));
}

void known_get(struct record_reader *reader, struct tdxupd_known_module *ret)
{
	get_version(reader, &ret->version);
	get_version(reader, &ret->min_module_version);
	record_get_bytes(reader, &ret->mrseam, sizeof(ret->mrseam));
	ret->has_mrseam = record_get_number(reader, 1);
	ret->has_svn = record_get_number(reader, 1);
	ret->svn = (uint16_t)record_get_number(reader, UINT16_MAX);
	ret->has_date = record_get_number(reader, 1);
	ret->date = (uint32_t)record_get_number(reader, UINT32_MAX);
	ret->has_handoff = record_get_number(reader, 1);
	ret->module_hv = (uint16_t)record_get_number(reader, UINT16_MAX);
	ret->no_downgrade = record_get_number(reader, 1);
	ret->has_min_update_hv = record_get_number(reader, 1);
	ret->min_update_hv = (uint16_t)record_get_number(reader, UINT16_MAX);
	ret->has_crypto_context = record_get_number(reader, 1);
	ret->crypto_context = (uint16_t)record_get_number(reader, UINT16_MAX);
	ret->has_features0 = record_get_number(reader, 1);
	ret->features0 = record_get_number(reader, UINT64_MAX);
	ret->has_more_cpus = record_get_number(reader, 1);
	ret->has_min_module_version = record_get_number(reader, 1);
	ret->has_advisories = record_get_number(reader, 1);
	get_lists(reader, ret);
}
