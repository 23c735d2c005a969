// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Images, the files that hold them and what the mapping says of them, as JSON.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "describe.h"
#include "json.h"

#define MODULE_TYPE_DEBUG (UINT32_C(1) << 31)

static int add_digest(struct json_object *object, const char *key,
		      const struct tdxupd_digest *digest)
{
	char text[TDXUPD_DIGEST_TEXT_BYTES];

	return json_add_text(object, key, tdxupd_digest_format(digest, text));
}

/* BCD 0x20250219 as 2025-02-19; a date that is none shows as it is. */
static int add_date(struct json_object *object, uint32_t date)
{
	char text[16];

	snprintf(text, sizeof(text), "%04" PRIx32 "-%02" PRIx32 "-%02" PRIx32, date >> 16,
		 date >> 8 & 0xff, date & 0xff);
	return json_add_text(object, "date", text);
}

/* Four digits, as release notes and quotes write it: "0x010b". */
static int add_svn(struct json_object *object, uint16_t svn)
{
	char text[8];

	snprintf(text, sizeof(text), "0x%04x", svn);
	return json_add_text(object, "svn", text);
}

static int add_cpus(struct json_object *object, const struct tdxupd_image *image)
{
	_cleanup_(cleanup_json)
	struct json_object *cpus = NULL;
	int r = json_new_array(&cpus);

	for (size_t i = 0; r == 0 && i < image->cpu_count; i++) {
		char text[12];

		snprintf(text, sizeof(text), "0x%" PRIx32, image->cpus[i]);
		r = json_append_text(cpus, text);
	}
	return r < 0 ? r : json_add(object, "cpus", TAKE_PTR(cpus));
}

int describe_image(const struct tdxupd_image *image, struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	int r;

	r = json_new_object(&object) ?: json_add_hex(object, "container", image->container)
		?: json_add_number(object, "bytes", image->bytes_count)
		?: json_add_number(object, "module_pages", image->module_pages)
		?: add_digest(object, "mrseam", &image->mrseam)
		?: add_digest(object, "signer", &image->signer)
		?: add_digest(object, "file_digest", &image->file_digest)
		?: add_svn(object, image->svn) ?: add_date(object, image->date)
		?: json_add_bool(object, "is_debug",
				 image->module_type & MODULE_TYPE_DEBUG)
		?: json_add_hex(object, "attributes", image->attributes)
		?: json_add_number(object, "module_hv", image->module_hv)
		?: json_add_number(object, "min_update_hv", image->min_update_hv)
		?: json_add_bool(object, "no_downgrade", image->no_downgrade)
		?: add_cpus(object, image);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(object);
	return 0;
}

static int add_versions(struct json_object *object, const char *key,
			const struct tdxupd_version *versions, size_t count)
{
	_cleanup_(cleanup_json)
	struct json_object *array = NULL;
	int r = json_new_array(&array);

	for (size_t i = 0; r == 0 && i < count; i++) {
		char text[TDXUPD_VERSION_TEXT_BYTES];

		r = json_append_text(array, tdxupd_version_format(&versions[i], text));
	}
	return r < 0 ? r : json_add(object, key, TAKE_PTR(array));
}

static int add_features(struct json_object *object, const struct tdxupd_release *release)
{
	int r;

	if (!release->has_features0)
		return 0;
	r = json_add_hex(object, "features0", release->features0);
	if (r == 0 && release->claimed_features0 != release->features0)
		r = json_add_hex(object, "claimed_features0", release->claimed_features0);
	if (r == 0 && release->is_features0_disputed)
		r = json_add_hex(object, "recorded_features0",
				 release->recorded_features0);
	return r;
}

int describe_release(const struct tdxupd_release *release, struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	int r;

	r = json_new_object(&object) ?: describe_version(object, "version", &release->version)
		?: describe_version(object, "min_module_version", &release->min_module_version)
		?: add_versions(object, "min_seamldr_versions",
				release->min_seamldr_versions, release->min_seamldr_count)
		?: add_features(object, release);
	if (r == 0 && release->is_from_record)
		r = json_add_bool(object, "is_from_record", true);
	if (r == 0 && release->has_strict_compat)
		r = add_versions(object, "strict_compat_versions",
				 release->strict_compat_versions,
				 release->strict_compat_count);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(object);
	return 0;
}

int describe_entry(const struct tdxupd_entry *entry, struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	struct json_object *part = NULL;
	int r;

	r = json_new_object(&object) ?: json_add_text(object, "name", entry->name);
	if (r == 0 && entry->has_version)
		r = describe_version(object, "version", &entry->version)
			    ?: json_add_bool(object, "is_known", entry->is_known);
	if (r == 0)
		r = json_add_bool(object, "is_sound",
				  tdxupd_report_is_passed(entry->report));
	if (r == 0 && entry->image)
		r = describe_image(entry->image, &part)
			    ?: json_add(object, "image", part);
	if (r == 0 && entry->release)
		r = describe_release(entry->release, &part)
			    ?: json_add(object, "release", part);
	if (r == 0 && entry->known && entry->known->has_advisories)
		r = describe_advisories(entry->known, &part)
			    ?: json_add(object, "advisories", part);
	if (r == 0 && entry->is_known && entry->known && entry->known->has_crypto_context)
		r = json_add_number(object, "crypto_context",
				    entry->known->crypto_context);
	if (r == 0)
		r = describe_report(entry->report, &part)
			    ?: json_add(object, "verdicts", part);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(object);
	return 0;
}

static int describe_entries(const struct tdxupd_catalog *catalog,
			    struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *array = NULL;
	int r = json_new_array(&array);

	for (size_t i = 0; r == 0 && i < catalog->entry_count; i++) {
		struct json_object *entry = NULL;

		r = describe_entry(&catalog->entries[i], &entry)
			    ?: json_append(array, entry);
	}
	if (r < 0)
		return r;
	*ret = TAKE_PTR(array);
	return 0;
}

static int describe_releases(const struct tdxupd_catalog *catalog,
			     struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *array = NULL;
	int r = json_new_array(&array);

	for (size_t i = 0; r == 0 && i < catalog->release_count; i++) {
		struct json_object *release = NULL;

		r = describe_release(&catalog->releases[i], &release)
			    ?: json_append(array, release);
	}
	if (r < 0)
		return r;
	*ret = TAKE_PTR(array);
	return 0;
}

static int describe_left_out(const struct tdxupd_left_out *left, struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	int r = json_new_object(&object) ?: json_add_text(object, "name", left->name)
		?: json_add_text(object, "why", left->why);

	if (r < 0)
		return r;
	*ret = TAKE_PTR(object);
	return 0;
}

static int describe_left_outs(const struct tdxupd_catalog *catalog,
			      struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *array = NULL;
	int r = json_new_array(&array);

	for (size_t i = 0; r == 0 && i < catalog->left_out; i++) {
		struct json_object *left = NULL;

		r = describe_left_out(&catalog->left_outs[i], &left)
			    ?: json_append(array, left);
	}
	if (r < 0)
		return r;
	*ret = TAKE_PTR(array);
	return 0;
}

int describe_catalog(const struct tdxupd_catalog *catalog, struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	struct json_object *part = NULL;
	int r;

	r = json_new_object(&object)
		?: json_add_number(object, "left_out", catalog->left_out)
		?: describe_left_outs(catalog, &part)
		?: json_add(object, "left_outs", part)
		?: json_add_bool(object, "has_mapping", catalog->has_mapping)
		?: describe_notes(catalog, &part) ?: json_add(object, "notes", part)
		?: describe_entries(catalog, &part) ?: json_add(object, "entries", part)
		?: describe_releases(catalog, &part) ?: json_add(object, "releases", part);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(object);
	return 0;
}
