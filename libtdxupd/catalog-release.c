// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Mapping and records side by side. Intel corrected values in later mapping files, so
 * that one on disk can be outdated; of such values the record knows the old and the new
 * one. Any other difference is a dispute, and nobody here can settle it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "catalog-release.h"
#include "known.h"

static bool is_superseded(const struct tdxupd_known_module *known, uint64_t features0)
{
	for (size_t i = 0; i < known->superseded_count; i++)
		if (known->superseded_features0[i] == features0)
			return true;
	return false;
}

static int note_features(const char *file, const char *code, const char *what,
			 const struct tdxupd_release *release, uint64_t recorded,
			 struct notes *notes)
{
	char text[TDXUPD_VERSION_TEXT_BYTES];

	return notes_add(notes, code, "%s: FEATURES0 of %s is 0x%llx there, %s 0x%llx",
			 file, tdxupd_version_format(&release->version, text),
			 (unsigned long long)release->claimed_features0, what,
			 (unsigned long long)recorded);
}

static int compare_features(struct tdxupd_release *release,
			    const struct tdxupd_known_module *known, const char *file,
			    struct notes *notes)
{
	if (!known->has_features0)
		return 0;
	if (!release->has_features0) {
		release->has_features0 = true;
		release->features0 = known->features0;
		release->claimed_features0 = known->features0;
		return 0;
	}
	if (release->claimed_features0 == known->features0)
		return 0;
	if (is_superseded(known, release->claimed_features0)) {
		release->features0 = known->features0;
		return note_features(file, "mapping-outdated",
				     "and in a newer mapping file", release,
				     known->features0, notes);
	}
	release->is_features0_disputed = true;
	release->recorded_features0 = known->features0;
	return note_features(file, "mapping-differs", "on record", release,
			     known->features0, notes);
}

static bool has_same_seamldrs(const struct tdxupd_release *release,
			      const struct tdxupd_known_module *known)
{
	return release->min_seamldr_count == known->min_seamldr_count &&
	       memcmp(release->min_seamldr_versions, known->min_seamldr_versions,
		      known->min_seamldr_count * sizeof(*known->min_seamldr_versions)) ==
		       0;
}

/* What the file asks for counts: it is what the administrator put there. */
static int compare_needs(const struct tdxupd_release *release,
			 const struct tdxupd_known_module *known, const char *file,
			 struct notes *notes)
{
	char text[TDXUPD_VERSION_TEXT_BYTES];
	int r = 0;

	tdxupd_version_format(&release->version, text);
	if (known->min_seamldr_count && !has_same_seamldrs(release, known))
		r = notes_add(notes, "mapping-differs",
			      "%s: P-SEAMLDR for %s differs from the record", file, text);
	if (r == 0 && known->has_min_module_version &&
	    tdxupd_version_compare(&known->min_module_version,
				   &release->min_module_version) != 0)
		r = notes_add(notes, "mapping-differs",
			      "%s: least predecessor of %s differs from the record", file,
			      text);
	return r;
}

static bool can_stand_in(const struct tdxupd_known_module *known)
{
	return known->min_seamldr_count && known->has_min_module_version;
}

static int make_release(const struct tdxupd_known_module *known,
			struct tdxupd_release *ret)
{
	size_t bytes = known->min_seamldr_count * sizeof(*known->min_seamldr_versions);

	*ret = (struct tdxupd_release){
		.version = known->version,
		.min_module_version = known->min_module_version,
		.min_seamldr_count = known->min_seamldr_count,
		.min_seamldr_versions = malloc(bytes),
		.has_features0 = known->has_features0,
		.features0 = known->features0,
		.claimed_features0 = known->features0,
		.is_from_record = true,
	};
	if (!ret->min_seamldr_versions)
		return -ENOMEM;
	memcpy(ret->min_seamldr_versions, known->min_seamldr_versions, bytes);
	return 0;
}

static int compare_releases(const void *a, const void *b)
{
	const struct tdxupd_release *one = a, *other = b;

	return tdxupd_version_compare(&one->version, &other->version);
}

static struct tdxupd_release *find(struct tdxupd_release *releases, size_t count,
				   const struct tdxupd_version *version)
{
	const struct tdxupd_release key = { .version = *version };

	return count ? bsearch(&key, releases, count, sizeof(*releases), compare_releases)
		     : NULL;
}

int releases_add_records(struct tdxupd_release **releases, size_t *count,
			 const struct tdxupd_known_module *known, size_t known_count,
			 const char *file, struct notes *notes)
{
	size_t rows = *count;
	struct tdxupd_release *all =
		reallocarray(*releases, rows + known_count + 1, sizeof(*all));
	int r = 0;

	if (!all)
		return -ENOMEM;
	*releases = all;
	for (size_t i = 0; r == 0 && i < known_count; i++) {
		struct tdxupd_release *row = find(all, rows, &known[i].version);

		if (row)
			r = compare_features(row, &known[i], file, notes)
				    ?: compare_needs(row, &known[i], file, notes);
		else if (can_stand_in(&known[i]))
			r = make_release(&known[i], &all[(*count)++]);
	}
	qsort(all, *count, sizeof(*all), compare_releases);
	return r;
}
