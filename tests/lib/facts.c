// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Facts as values: hosts that nobody has and catalogs that nobody wrote.
 */
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "facts.h"

#define FEATURES0 UINT64_C(0x2e1f0fbf)

static void *allocate(size_t count, size_t size)
{
	void *memory = calloc(count ? count : 1, size);

	if (!memory)
		err(1, "calloc");
	return memory;
}

struct tdxupd_version facts_version(const char *text)
{
	struct tdxupd_version version;

	if (tdxupd_version_parse(text, &version) < 0)
		errx(1, "%s is no version", text);
	return version;
}

struct tdxupd_host *facts_host(void)
{
	struct tdxupd_host *host = allocate(1, sizeof(*host));

	*host = (struct tdxupd_host){
		.state = TDXUPD_TDX_LIVE,
		.module_version = { 1, 5, 6 },
		.has_seamldr_version = true,
		.seamldr_version = { 1, 5, 0 },
		.has_remaining_updates = true,
		.remaining_updates = 12,
		.has_features0 = true,
		.features0 = FEATURES0,
		.has_fw_upload = true,
		.socket_count = 1,
		.sockets = { { 0, 0xc06f2 } },
		.has_cpu_bugs = true,
		.has_cpus = true,
	};
	tdxupd_cpuset_parse("0-3", &host->online);
	tdxupd_cpuset_parse("0-3", &host->present);
	tdxupd_cpuset_parse("0-3", &host->possible);
	strcpy(host->boot_id, "5f8b0a52-7a04-4f3c-9a53-27c3f0c9a1de");
	return host;
}

struct tdxupd_catalog *facts_catalog(size_t max)
{
	struct tdxupd_catalog *catalog = allocate(1, sizeof(*catalog));

	catalog->entries = allocate(max, sizeof(*catalog->entries));
	catalog->releases = allocate(max, sizeof(*catalog->releases));
	return catalog;
}

void facts_catalog_free(struct tdxupd_catalog *catalog)
{
	for (size_t i = 0; i < catalog->entry_count; i++) {
		free(catalog->entries[i].name);
		free(catalog->entries[i].image);
		tdxupd_report_free(catalog->entries[i].report);
	}
	for (size_t i = 0; i < catalog->release_count; i++)
		free(catalog->releases[i].min_seamldr_versions);
	free(catalog->entries);
	free(catalog->releases);
	free(catalog);
}

static struct tdxupd_image *make_image(const struct tdxupd_version *version)
{
	struct tdxupd_image *image = allocate(1, sizeof(*image));

	image->svn = 0x0106;
	image->cpu_count = 2;
	image->cpus[0] = 0x806f8;
	image->cpus[1] = 0xc06f0;
	memcpy(image->mrseam.bytes, version, sizeof(*version));
	image->file_digest = image->mrseam;
	return image;
}

struct tdxupd_entry *facts_add(struct tdxupd_catalog *catalog, const char *version)
{
	struct tdxupd_release *release = &catalog->releases[catalog->release_count++];
	struct tdxupd_entry *entry = &catalog->entries[catalog->entry_count++];

	release->version = facts_version(version);
	release->min_module_version = facts_version("1.5.01");
	release->min_seamldr_count = 2;
	release->min_seamldr_versions =
		allocate(2, sizeof(*release->min_seamldr_versions));
	release->min_seamldr_versions[0] = facts_version("1.5.00");
	release->min_seamldr_versions[1] = facts_version("2.0.00");
	release->has_features0 = true;
	release->features0 = FEATURES0;
	release->claimed_features0 = FEATURES0;
	entry->name = strdup(version);
	entry->has_version = true;
	entry->version = release->version;
	entry->image = make_image(&entry->version);
	entry->release = release;
	if (!entry->name || tdxupd_report_new(&entry->report) < 0)
		err(1, "%s", version);
	return entry;
}

struct tdxupd_release *facts_release(struct tdxupd_entry *entry)
{
	return (struct tdxupd_release *)(uintptr_t)entry->release;
}

void facts_unmap(struct tdxupd_entry *entry)
{
	entry->release = NULL;
}
