// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What is known of the module that runs. The kernel tells its version and perhaps its
 * FEATURES0; all else must come from the very image it was made of, if that is at hand,
 * or from the record of published modules. What nobody tells stays unknown.
 */
#include "compat.h"
#include "util.h"

/*
 * An image is evidence of what runs when it is proven to be that version. That it may not
 * be loaded again does not make it less true.
 */
static bool is_evidence(const struct tdxupd_entry *entry)
{
	const uint64_t harmless = CHECK_BIT(TDXUPD_CHECK_BLOCKED) |
				  CHECK_BIT(TDXUPD_CHECK_MRSEAM_NOT_ALLOWED);

	if (!entry->image || !entry->has_version)
		return false;
	for (size_t i = 0; i < tdxupd_report_count(entry->report); i++) {
		const struct tdxupd_verdict *verdict =
			tdxupd_report_get(entry->report, i);

		if (verdict->severity != TDXUPD_SEVERITY_WARN &&
		    !(harmless & CHECK_BIT(verdict->check)))
			return false;
	}
	return true;
}

void compat_get_facts(const struct tdxupd_entry *entry, struct tdxupd_module_facts *ret)
{
	*ret = (struct tdxupd_module_facts){
		.version = entry->version,
		.has_svn = true,
		.svn = entry->image->svn,
		.has_handoff = true,
		.module_hv = entry->image->module_hv,
		.no_downgrade = entry->image->no_downgrade,
		.has_features0 = entry->release && entry->release->has_features0,
		.features0 = entry->release ? entry->release->features0 : 0,
	};
}

static const struct tdxupd_entry *find_image(const struct tdxupd_catalog *catalog,
					     const struct tdxupd_version *version)
{
	for (size_t i = 0; i < catalog->entry_count; i++)
		if (tdxupd_version_compare(&catalog->entries[i].version, version) == 0 &&
		    is_evidence(&catalog->entries[i]))
			return &catalog->entries[i];
	return NULL;
}

static void add_known(const struct tdxupd_catalog *catalog,
		      struct tdxupd_module_facts *facts)
{
	for (size_t i = 0; i < catalog->known_count; i++) {
		const struct tdxupd_known_module *known = &catalog->known[i];

		if (tdxupd_version_compare(&known->version, &facts->version) != 0)
			continue;
		facts->has_svn = true;
		facts->svn = known->svn;
		facts->has_handoff = known->has_handoff;
		facts->module_hv = known->module_hv;
		facts->no_downgrade = known->no_downgrade;
		return;
	}
}

_public_ void tdxupd_compat_running(const struct tdxupd_host *host,
				    const struct tdxupd_catalog *catalog,
				    struct tdxupd_module_facts *ret)
{
	struct tdxupd_module_facts facts = {};
	const struct tdxupd_release *release;
	const struct tdxupd_entry *entry;

	if (host->state == TDXUPD_TDX_LIVE) {
		facts.version = host->module_version;
		entry = find_image(catalog, &facts.version);
		release = tdxupd_catalog_find_release(catalog, &facts.version);
		if (entry)
			compat_get_facts(entry, &facts);
		else
			add_known(catalog, &facts);
		if (release && release->has_features0) {
			facts.has_features0 = true;
			facts.features0 = release->features0;
		}
	}
	if (host->has_features0) {
		facts.has_features0 = true;
		facts.features0 = host->features0;
	}
	*ret = facts;
}
