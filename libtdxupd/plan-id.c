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

#include "digest.h"
#include "plan-id.h"
#include "util.h"

static void put_number(FILE *file, const char *name, uint64_t value)
{
	fprintf(file, "%s=%llx\n", name, (unsigned long long)value);
}

/* Unknown differs from zero here, too. */
static void put_known(FILE *file, const char *name, bool is_known, uint64_t value)
{
	if (is_known)
		put_number(file, name, value);
}

static void put_text(FILE *file, const char *name, const char *text)
{
	fprintf(file, "%s=%zu:%s\n", name, strlen(text), text);
}

static void put_version(FILE *file, const char *name,
			const struct tdxupd_version *version)
{
	char text[TDXUPD_VERSION_TEXT_BYTES];

	put_text(file, name, tdxupd_version_format(version, text));
}

static void put_digest(FILE *file, const char *name, const struct tdxupd_digest *digest)
{
	char text[TDXUPD_DIGEST_TEXT_BYTES];

	put_text(file, name, tdxupd_digest_format(digest, text));
}

static void put_bytes(FILE *file, const char *name, const void *bytes, size_t count)
{
	fprintf(file, "%s=%zu:", name, count);
	fwrite(bytes, 1, count, file);
	fputc('\n', file);
}

static void put_host(FILE *file, const struct tdxupd_host *host)
{
	put_number(file, "state", host->state);
	if (host->state == TDXUPD_TDX_LIVE)
		put_version(file, "module", &host->module_version);
	if (host->has_seamldr_version)
		put_version(file, "seamldr", &host->seamldr_version);
	put_known(file, "remaining", host->has_remaining_updates,
		  host->remaining_updates);
	put_known(file, "features0", host->has_features0, host->features0);
	put_number(file, "fw_upload", host->has_fw_upload);
	put_number(file, "trigger", host->has_trigger);
	for (size_t i = 0; i < host->socket_count; i++) {
		put_number(file, "socket", host->sockets[i].physical_id);
		put_number(file, "signature", host->sockets[i].signature);
	}
	put_known(file, "cpu_bug", host->has_cpu_bugs, host->has_cpu_bug);
	if (host->has_cpus) {
		put_bytes(file, "online", &host->online, sizeof(host->online));
		put_bytes(file, "present", &host->present, sizeof(host->present));
		put_bytes(file, "possible", &host->possible, sizeof(host->possible));
	}
	put_text(file, "boot", host->boot_id);
}

static void put_policy(FILE *file, const struct tdxupd_policy *policy)
{
	for (size_t i = 0; i < policy->trusted_signer_count; i++)
		put_digest(file, "trusted", &policy->trusted_signers[i]);
	for (size_t i = 0; i < policy->allowed_mrseam_count; i++)
		put_digest(file, "allowed", &policy->allowed_mrseams[i]);
	for (size_t i = 0; i < policy->blocked_mrseam_count; i++)
		put_digest(file, "blocked", &policy->blocked_mrseams[i]);
	for (size_t i = 0; i < policy->blocked_version_count; i++)
		put_version(file, "blocked", &policy->blocked_versions[i]);
	put_number(file, "reserve", policy->reserve_updates);
	put_number(file, "strategy", policy->strategy);
	put_number(file, "accepted", policy->accepted);
	if (policy->has_pin)
		put_version(file, "pin", &policy->pin);
}

static void put_release(FILE *file, const struct tdxupd_release *release)
{
	put_version(file, "min_module", &release->min_module_version);
	for (size_t i = 0; i < release->min_seamldr_count; i++)
		put_version(file, "min_seamldr", &release->min_seamldr_versions[i]);
	put_known(file, "mapped_features0", release->has_features0, release->features0);
}

static void put_report(FILE *file, const struct tdxupd_report *report)
{
	for (size_t i = 0; i < tdxupd_report_count(report); i++) {
		const struct tdxupd_verdict *verdict = tdxupd_report_get(report, i);

		put_text(file, "verdict", tdxupd_check_to_string(verdict->check));
		put_number(file, "severity", verdict->severity);
		put_text(file, "found", verdict->found);
		put_text(file, "wanted", verdict->wanted);
	}
}

static void put_entry(FILE *file, const struct tdxupd_entry *entry)
{
	put_text(file, "file", entry->name);
	if (entry->has_version)
		put_version(file, "version", &entry->version);
	if (entry->image) {
		put_digest(file, "digest", &entry->image->file_digest);
		put_digest(file, "mrseam", &entry->image->mrseam);
		put_number(file, "svn", entry->image->svn);
	}
	if (entry->release)
		put_release(file, entry->release);
}

int plan_set_id(struct tdxupd_plan *plan, const struct tdxupd_host *host,
		const struct tdxupd_catalog *catalog, const struct tdxupd_policy *policy,
		const struct tdxupd_version *target)
{
	_cleanup_(cleanup_free)
	char *text = NULL;
	struct tdxupd_digest digest;
	size_t size;
	FILE *file = open_memstream(&text, &size);
	int failed, r;

	if (!file)
		return -ENOMEM;
	put_host(file, host);
	put_policy(file, policy);
	if (target)
		put_version(file, "target", target);
	for (size_t i = 0; i < catalog->entry_count; i++) {
		put_entry(file, &catalog->entries[i]);
		put_report(file, plan->candidates[i].report);
	}
	put_report(file, plan->host_report);
	failed = ferror(file);
	if (fclose(file) != 0 || failed)
		return -ENOMEM;
	r = digest_sha384(text, size, &digest);
	if (r < 0)
		return r;
	for (size_t i = 0; i < (TDXUPD_PLAN_ID_BYTES - 1) / 2; i++)
		snprintf(plan->id + 2 * i, 3, "%02x", digest.bytes[i]);
	return 0;
}
