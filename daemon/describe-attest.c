// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What quotes of a host carry now and what they will carry after an update, as JSON, so
 * that verifiers can be told first. Decides nothing for a verifier.
 *
 * A TD keeps the MRSEAM and TEE_TCB_SVN of its launch; TEE_TCB_SVN_2 of all TDs follows
 * the module that runs (TDX module specification, TDREPORT).
 */
#include <stdio.h>
#include <string.h>

#include "describe.h"
#include "json.h"

/* In TDX 1.5: MRSIGNERSEAM is zero for a module that Intel signed. */
#define NO_SIGNER                                          \
	"000000000000000000000000000000000000000000000000" \
	"000000000000000000000000000000000000000000000000"

DEFINE_CLEANUP(struct tdxupd_policy, policy, tdxupd_policy_free)

/* ---- values ---- */

/* Bytes 0 and 1 of TEE_TCB_SVN: minor and major SVN of the module. */
static int add_svn(struct json_object *object, uint16_t svn)
{
	char text[8];

	snprintf(text, sizeof(text), "%02x%02x", svn & 0xff, svn >> 8);
	return json_add_text(object, "tee_tcb_svn_begins", text);
}

static int add_signer(struct json_object *object, const struct tdxupd_image *image)
{
	_cleanup_(cleanup_policy)
	struct tdxupd_policy *intel = NULL;
	char text[TDXUPD_DIGEST_TEXT_BYTES];
	int r = tdxupd_policy_new(&intel);

	if (r < 0)
		return r;
	tdxupd_digest_format(&image->signer, text);
	return json_add_text(object, "signer", text)
		       ?: json_add_text(object, "mrsigner_seam",
					tdxupd_policy_is_trusted(intel, &image->signer)
						? NO_SIGNER
						: text);
}

static bool is_allowed(const struct tdxupd_policy *policy,
		       const struct tdxupd_digest *mrseam)
{
	for (size_t i = 0; i < policy->allowed_mrseam_count; i++)
		if (tdxupd_digest_is_equal(&policy->allowed_mrseams[i], mrseam))
			return true;
	return policy->allowed_mrseam_count == 0;
}

static int describe_values(const struct tdxupd_entry *entry,
			   const struct tdxupd_policy *policy, struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	_cleanup_(cleanup_json)
	struct json_object *image = NULL;
	int r;

	r = describe_image(entry->image, &image) ?: json_new_object(&object)
		?: describe_version(object, "version", &entry->version)
		?: json_add_text(object, "mrseam", json_get_text(image, "mrseam"))
		?: json_add_text(object, "svn", json_get_text(image, "svn"))
		?: add_svn(object, entry->image->svn) ?: add_signer(object, entry->image)
		?: json_add_text(object, "attributes", json_get_text(image, "attributes"))
		?: json_add_bool(object, "is_allowed",
				 is_allowed(policy, &entry->image->mrseam));
	if (r < 0)
		return r;
	*ret = TAKE_PTR(object);
	return 0;
}

/* ---- which images ---- */

/*
 * Is this what it claims to be? That the administrator does not let it be loaded, yet, is
 * no reason to keep its values from verifiers: they may be what he waits for.
 */
static bool is_genuine(const struct tdxupd_entry *entry)
{
	if (!entry->has_version || !entry->image)
		return false;
	for (size_t i = 0; i < tdxupd_report_count(entry->report); i++) {
		const struct tdxupd_verdict *v = tdxupd_report_get(entry->report, i);

		if (v->severity != TDXUPD_SEVERITY_WARN &&
		    v->check != TDXUPD_CHECK_MRSEAM_NOT_ALLOWED &&
		    v->check != TDXUPD_CHECK_BLOCKED)
			return false;
	}
	return true;
}

static const struct tdxupd_entry *find_entry(const struct tdxupd_catalog *catalog,
					     const struct tdxupd_version *version)
{
	for (size_t i = 0; i < catalog->entry_count; i++) {
		const struct tdxupd_entry *entry = &catalog->entries[i];

		if (is_genuine(entry) &&
		    tdxupd_version_compare(&entry->version, version) == 0)
			return entry;
	}
	return NULL;
}

int describe_attest(const struct tdxupd_plan *plan, const struct tdxupd_catalog *catalog,
		    const struct tdxupd_policy *policy, struct json_object **ret)
{
	const struct tdxupd_entry *running = find_entry(catalog, &plan->from);
	const struct tdxupd_entry *next = find_entry(catalog, &plan->to);
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	struct json_object *values = NULL;
	int r = json_new_object(&object);

	if (r == 0 && running)
		r = describe_values(running, policy, &values)
			    ?: json_add(object, "now", values);
	if (r == 0 && next && tdxupd_version_compare(&plan->to, &plan->from) != 0)
		r = describe_values(next, policy, &values)
			    ?: json_add(object, "next", values);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(object);
	return 0;
}
