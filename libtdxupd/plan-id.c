// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A plan's id: a digest of every fact that it rests on, so that a plan that somebody
 * approved can be told from one that is made anew on other facts. What changes from one
 * moment to the next and is the gate's matter, TDs and their builds, is no part of it.
 *
 * Every fact is written with its name, and text with its length, so that two lists of
 * facts never give the same bytes.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "buffer.h"
#include "digest.h"
#include "plan-id.h"
#include "util.h"

static void put_number(struct buffer *out, const char *name, uint64_t value)
{
	buffer_print(out, "%s=%llx\n", name, (unsigned long long)value);
}

/* Unknown differs from zero here, too. */
static void put_known(struct buffer *out, const char *name, bool is_known, uint64_t value)
{
	if (is_known)
		put_number(out, name, value);
}

static void put_text(struct buffer *out, const char *name, const char *text)
{
	buffer_print(out, "%s=%zu:%s\n", name, strlen(text), text);
}

static void put_version(struct buffer *out, const char *name,
			const struct tdxupd_version *version)
{
	char text[TDXUPD_VERSION_TEXT_BYTES];

	put_text(out, name, tdxupd_version_format(version, text));
}

static void put_digest(struct buffer *out, const char *name,
		       const struct tdxupd_digest *digest)
{
	char text[TDXUPD_DIGEST_TEXT_BYTES];

	put_text(out, name, tdxupd_digest_format(digest, text));
}

static void put_bytes(struct buffer *out, const char *name, const void *bytes,
		      size_t count)
{
	buffer_print(out, "%s=%zu:", name, count);
	buffer_put(out, bytes, count);
	buffer_put(out, "\n", 1);
}

static void put_host(struct buffer *out, const struct tdxupd_host *host)
{
	put_number(out, "state", host->state);
	if (host->state == TDXUPD_TDX_LIVE)
		put_version(out, "module", &host->module_version);
	if (host->has_mrseam)
		put_digest(out, "module_mrseam", &host->mrseam);
	if (host->has_tee_tcb_svn)
		put_bytes(out, "module_tcb_svn", host->tee_tcb_svn,
			  sizeof(host->tee_tcb_svn));
	if (host->has_seamldr_version)
		put_version(out, "seamldr", &host->seamldr_version);
	put_known(out, "remaining", host->has_remaining_updates, host->remaining_updates);
	put_known(out, "features0", host->has_features0, host->features0);
	put_number(out, "fw_upload", host->has_fw_upload);
	put_number(out, "trigger", host->has_trigger);
	for (size_t i = 0; i < host->socket_count; i++) {
		put_number(out, "socket", host->sockets[i].physical_id);
		put_number(out, "signature", host->sockets[i].signature);
	}
	put_known(out, "cpu_bug", host->has_cpu_bugs, host->has_cpu_bug);
	if (host->has_cpus) {
		put_bytes(out, "online", &host->online, sizeof(host->online));
		put_bytes(out, "present", &host->present, sizeof(host->present));
		put_bytes(out, "possible", &host->possible, sizeof(host->possible));
	}
	put_text(out, "boot", host->boot_id);
}

/* Why and since when is no fact that a plan rests on; verdicts have it. */
static void put_hold(struct buffer *out, const struct tdxupd_hold *hold)
{
	if (hold->is_all)
		put_number(out, "held_all", 1);
	else
		put_version(out, "held", &hold->version);
	put_number(out, "failed", hold->is_failed);
}

static void put_policy(struct buffer *out, const struct tdxupd_policy *policy)
{
	for (size_t i = 0; i < policy->trusted_signer_count; i++)
		put_digest(out, "trusted", &policy->trusted_signers[i]);
	for (size_t i = 0; i < policy->allowed_mrseam_count; i++)
		put_digest(out, "allowed", &policy->allowed_mrseams[i]);
	for (size_t i = 0; i < policy->blocked_mrseam_count; i++)
		put_digest(out, "blocked", &policy->blocked_mrseams[i]);
	for (size_t i = 0; i < policy->blocked_version_count; i++)
		put_version(out, "blocked", &policy->blocked_versions[i]);
	put_number(out, "reserve", policy->reserve_updates);
	put_number(out, "strategy", policy->strategy);
	put_number(out, "accepted", policy->accepted);
	if (policy->has_pin)
		put_version(out, "pin", &policy->pin);
	for (size_t i = 0; i < policy->hold_count; i++)
		put_hold(out, &policy->holds[i]);
}

static void put_release(struct buffer *out, const struct tdxupd_release *release)
{
	put_version(out, "min_module", &release->min_module_version);
	for (size_t i = 0; i < release->min_seamldr_count; i++)
		put_version(out, "min_seamldr", &release->min_seamldr_versions[i]);
	put_known(out, "mapped_features0", release->has_features0, release->features0);
	put_known(out, "recorded_features0", release->is_features0_disputed,
		  release->recorded_features0);
}

static void put_report(struct buffer *out, const struct tdxupd_report *report)
{
	for (size_t i = 0; i < tdxupd_report_count(report); i++) {
		const struct tdxupd_verdict *verdict = tdxupd_report_get(report, i);

		put_text(out, "verdict", tdxupd_check_to_string(verdict->check));
		put_number(out, "severity", verdict->severity);
		put_text(out, "found", verdict->found);
		put_text(out, "wanted", verdict->wanted);
	}
}

static void put_entry(struct buffer *out, const struct tdxupd_entry *entry)
{
	put_text(out, "file", entry->name);
	if (entry->has_version)
		put_version(out, "version", &entry->version);
	if (entry->image) {
		put_digest(out, "digest", &entry->image->file_digest);
		put_digest(out, "mrseam", &entry->image->mrseam);
		put_number(out, "svn", entry->image->svn);
	}
	if (entry->release)
		put_release(out, entry->release);
}

int plan_set_id(struct tdxupd_plan *plan, const struct tdxupd_host *host,
		const struct tdxupd_catalog *catalog, const struct tdxupd_policy *policy,
		const struct tdxupd_version *target)
{
	_cleanup_(buffer_done)
	struct buffer facts = { 0 };
	struct tdxupd_digest digest;
	int r;

	put_host(&facts, host);
	put_policy(&facts, policy);
	if (target)
		put_version(&facts, "target", target);
	for (size_t i = 0; i < catalog->entry_count; i++) {
		put_entry(&facts, &catalog->entries[i]);
		put_report(&facts, plan->candidates[i].report);
	}
	put_report(&facts, plan->host_report);
	if (facts.is_short)
		return -ENOMEM;
	r = digest_sha384(facts.bytes, facts.count, &digest);
	if (r < 0)
		return r;
	for (size_t i = 0; i < (TDXUPD_PLAN_ID_BYTES - 1) / 2; i++)
		snprintf(plan->id + 2 * i, 3, "%02x", digest.bytes[i]);
	return 0;
}
