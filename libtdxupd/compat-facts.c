// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What is known of the module that runs. The kernel shows its version, perhaps its
 * FEATURES0 and MRSEAM; all else must come from an image of it, if one is at hand, or
 * from the record of published modules. What nobody shows stays unknown, and what is
 * shown in two ways that differ is unknown, too.
 */
#include <stdio.h>
#include <string.h>

#include "compat.h"
#include "known.h"
#include "util.h"

static const char *const identities[] = {
	[TDXUPD_IDENTITY_NONE] = "none",         [TDXUPD_IDENTITY_RECORD] = "record",
	[TDXUPD_IDENTITY_IMAGE] = "image",       [TDXUPD_IDENTITY_MRSEAM] = "mrseam",
	[TDXUPD_IDENTITY_DISPUTED] = "disputed",
};
PUBLIC_STRING_TABLE_TO(tdxupd_identity, enum tdxupd_identity, identities)

static const char *const build_harms[] = {
	[TDXUPD_BUILD_HARM_UNKNOWN] = "unknown",
	[TDXUPD_BUILD_HARM_NONE] = "none",
	[TDXUPD_BUILD_HARM_CERTAIN] = "certain",
};
PUBLIC_STRING_TABLE_TO(tdxupd_build_harm, enum tdxupd_build_harm, build_harms)

_public_ enum tdxupd_build_harm
tdxupd_compat_build_harm(const struct tdxupd_module_facts *from,
			 const struct tdxupd_module_facts *to)
{
	if (!from->has_crypto_context || !to->has_crypto_context)
		return TDXUPD_BUILD_HARM_UNKNOWN;
	return from->crypto_context == to->crypto_context ? TDXUPD_BUILD_HARM_NONE
							  : TDXUPD_BUILD_HARM_CERTAIN;
}

static const char *const strict_compats[] = {
	[TDXUPD_STRICT_COMPAT_UNKNOWN] = "unknown",
	[TDXUPD_STRICT_COMPAT_UNLISTED] = "unlisted",
	[TDXUPD_STRICT_COMPAT_LISTED] = "listed",
};
PUBLIC_STRING_TABLE_TO(tdxupd_strict_compat, enum tdxupd_strict_compat, strict_compats)

/* Intel's list has the versions before one. */
_public_ enum tdxupd_strict_compat
tdxupd_release_strict(const struct tdxupd_release *release,
		      const struct tdxupd_version *from)
{
	if (!release || !release->has_strict_compat ||
	    tdxupd_version_compare(from, &release->version) >= 0)
		return TDXUPD_STRICT_COMPAT_UNKNOWN;
	for (size_t i = 0; i < release->strict_compat_count; i++)
		if (tdxupd_version_compare(&release->strict_compat_versions[i], from) ==
		    0)
			return TDXUPD_STRICT_COMPAT_LISTED;
	return TDXUPD_STRICT_COMPAT_UNLISTED;
}

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

/* ---- what a release and a record add ---- */

static void add_features(const struct tdxupd_release *release,
			 struct tdxupd_module_facts *facts)
{
	if (!release || !release->has_features0)
		return;
	facts->has_features0 = true;
	facts->features0 = release->features0;
	facts->offered_features0 = release->features0;
	facts->claimed_features0 = release->claimed_features0;
	facts->is_features0_disputed = release->is_features0_disputed;
	if (release->is_features0_disputed) {
		facts->features0 |= release->recorded_features0;
		facts->offered_features0 &= release->recorded_features0;
	}
}

static void add_context(const struct tdxupd_known_module *known,
			struct tdxupd_module_facts *facts)
{
	if (!known || !known->has_crypto_context)
		return;
	facts->has_crypto_context = true;
	facts->crypto_context = known->crypto_context;
}

static void add_record(const struct tdxupd_known_module *known,
		       struct tdxupd_module_facts *facts)
{
	facts->identity = TDXUPD_IDENTITY_RECORD;
	facts->has_svn = known->has_svn;
	facts->svn = known->svn;
	facts->has_handoff = known->has_handoff;
	facts->module_hv = known->module_hv;
	facts->no_downgrade = known->no_downgrade;
	facts->has_mrseam = known->has_mrseam;
	facts->mrseam = known->mrseam;
	add_context(known, facts);
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
		.has_mrseam = true,
		.mrseam = entry->image->mrseam,
		.identity = TDXUPD_IDENTITY_IMAGE,
	};
	add_features(entry->release, ret);
	if (entry->is_known)
		add_context(entry->known, ret);
}

/* ---- the running module ---- */

static void dispute(struct tdxupd_module_facts *facts, const char *what)
{
	/* Nothing of it can be relied on, whoever said it. */
	facts->has_svn = false;
	facts->has_handoff = false;
	facts->has_crypto_context = false;
	facts->identity = TDXUPD_IDENTITY_DISPUTED;
	snprintf(facts->dispute, sizeof(facts->dispute), "%s", what);
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

/* Neither MRSEAM nor anything else but the version is shown. */
static void identify_by_version(const struct tdxupd_catalog *catalog,
				struct tdxupd_module_facts *facts)
{
	const struct tdxupd_version version = facts->version;
	const struct tdxupd_entry *entry = find_image(catalog, &version);
	const struct tdxupd_known_module *known =
		known_find(catalog->known, catalog->known_count, &version);

	if (entry)
		compat_get_facts(entry, facts);
	else if (known)
		add_record(known, facts);
	if (entry && known && known->has_svn && known->svn != entry->image->svn)
		dispute(facts, "an image of this version and its record have other SVNs");
}

static const struct tdxupd_entry *find_measured(const struct tdxupd_catalog *catalog,
						const struct tdxupd_digest *mrseam)
{
	for (size_t i = 0; i < catalog->entry_count; i++) {
		const struct tdxupd_entry *entry = &catalog->entries[i];

		/* Its own bytes prove it, whatever its name claims. */
		if (entry->image &&
		    tdxupd_digest_is_equal(&entry->image->mrseam, mrseam) &&
		    !tdxupd_report_has(entry->report, TDXUPD_CHECK_SIGNATURE_INVALID) &&
		    !tdxupd_report_has(entry->report, TDXUPD_CHECK_SIGNER_UNTRUSTED))
			return entry;
	}
	return NULL;
}

static void identify_by_mrseam(const struct tdxupd_host *host,
			       const struct tdxupd_catalog *catalog,
			       struct tdxupd_module_facts *facts)
{
	const struct tdxupd_version version = facts->version;
	const struct tdxupd_known_module *claimed =
		known_find(catalog->known, catalog->known_count, &version);
	const struct tdxupd_known_module *known =
		known_find_mrseam(catalog->known, catalog->known_count, &host->mrseam);
	const struct tdxupd_entry *entry = find_measured(catalog, &host->mrseam);

	if (entry)
		compat_get_facts(entry, facts);
	else if (known)
		add_record(known, facts);
	facts->version = version;
	facts->identity = TDXUPD_IDENTITY_MRSEAM;
	facts->has_mrseam = true;
	facts->mrseam = host->mrseam;
	if (known)
		add_context(known, facts);
	if (known && tdxupd_version_compare(&known->version, &version) != 0)
		dispute(facts, "its MRSEAM is on record for another version");
	else if (!known && claimed && claimed->has_mrseam)
		dispute(facts, "its MRSEAM is not the one on record for this version");
}

/* TEE_TCB_SVN begins with the minor and the major SVN of the module. */
static void add_tcb_svn(const struct tdxupd_host *host, struct tdxupd_module_facts *facts)
{
	uint16_t svn = load_le16(host->tee_tcb_svn);

	if (facts->identity == TDXUPD_IDENTITY_DISPUTED)
		return;
	if (facts->has_svn && facts->svn != svn) {
		dispute(facts, "TEE_TCB_SVN of the kernel has another SVN than its image "
			       "or record");
		return;
	}
	facts->has_svn = true;
	facts->svn = svn;
}

_public_ void tdxupd_compat_running(const struct tdxupd_host *host,
				    const struct tdxupd_catalog *catalog,
				    struct tdxupd_module_facts *ret)
{
	struct tdxupd_module_facts facts = {};

	if (host->state == TDXUPD_TDX_LIVE) {
		facts.version = host->module_version;
		if (host->has_mrseam)
			identify_by_mrseam(host, catalog, &facts);
		else
			identify_by_version(catalog, &facts);
		if (host->has_tee_tcb_svn)
			add_tcb_svn(host, &facts);
		facts.version = host->module_version;
		add_features(tdxupd_catalog_find_release(catalog, &facts.version),
			     &facts);
	}
	if (host->has_features0) {
		facts.has_features0 = true;
		facts.features0 = host->features0;
		facts.offered_features0 = host->features0;
		facts.claimed_features0 = host->features0;
		facts.is_features0_disputed = false;
	}
	*ret = facts;
}

int compat_check_running(const struct tdxupd_module_facts *running,
			 struct tdxupd_report *report)
{
	if (running->identity != TDXUPD_IDENTITY_DISPUTED)
		return 0;
	return tdxupd_report_add(report, TDXUPD_CHECK_RUNNING_DISPUTED,
				 TDXUPD_SEVERITY_UNKNOWN, running->dispute, NULL);
}
