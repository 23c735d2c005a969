// SPDX-License-Identifier: LGPL-2.1-or-later
/* A catalog as bytes and back. Parts of records are catalog-record.c's. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "catalog-files.h"
#include "catalog-record.h"
#include "catalog-wire.h"
#include "known-wire.h"
#include "notes.h"

#define WHY_BYTES 256

/* What each takes at least. */
#define NUMBER_BYTES   sizeof(uint64_t)
#define VERSION_BYTES  (3 * NUMBER_BYTES)
#define RELEASE_BYTES  (2 * VERSION_BYTES + 9 * NUMBER_BYTES)
#define ENTRY_BYTES    (VERSION_BYTES + 6 * NUMBER_BYTES)
#define LEFT_OUT_BYTES (2 * NUMBER_BYTES)
#define NOTE_BYTES     (2 * NUMBER_BYTES)

DEFINE_CLEANUP(struct tdxupd_catalog, catalog, tdxupd_catalog_free)

/* ---- writing ---- */

static void put_version(struct buffer *out, const struct tdxupd_version *version)
{
	record_put_number(out, version->major);
	record_put_number(out, version->minor);
	record_put_number(out, version->update);
}

static void put_versions(struct buffer *out, const struct tdxupd_version *versions,
			 size_t count)
{
	record_put_number(out, count);
	for (size_t i = 0; i < count; i++)
		put_version(out, &versions[i]);
}

static void put_release(struct buffer *out, const struct tdxupd_release *release)
{
	put_version(out, &release->version);
	put_version(out, &release->min_module_version);
	record_put_number(out, release->has_features0);
	record_put_number(out, release->features0);
	record_put_number(out, release->claimed_features0);
	record_put_number(out, release->is_features0_disputed);
	record_put_number(out, release->recorded_features0);
	record_put_number(out, release->is_from_record);
	put_versions(out, release->min_seamldr_versions, release->min_seamldr_count);
	record_put_number(out, release->has_strict_compat);
	put_versions(out, release->strict_compat_versions, release->strict_compat_count);
}

static void put_entry(struct buffer *out, const struct tdxupd_catalog *catalog,
		      const struct tdxupd_entry *entry)
{
	record_put_text(out, entry->name);
	record_put_number(out, entry->has_version);
	put_version(out, &entry->version);
	record_put_number(out, entry->is_known);
	record_put_number(
		out, entry->known ? (uint64_t)(entry->known - catalog->known) + 1 : 0);
	record_put_image(out, entry->image);
	record_put_report(out, entry->report);
}

void catalog_put(struct buffer *out, const struct tdxupd_catalog *catalog)
{
	record_put_number(out, catalog->release_count);
	for (size_t i = 0; i < catalog->release_count; i++)
		put_release(out, &catalog->releases[i]);
	record_put_number(out, catalog->known_count);
	for (size_t i = 0; i < catalog->known_count; i++)
		known_put(out, &catalog->known[i]);
	record_put_number(out, catalog->entry_count);
	for (size_t i = 0; i < catalog->entry_count; i++)
		put_entry(out, catalog, &catalog->entries[i]);
	record_put_number(out, catalog->left_out);
	for (size_t i = 0; i < catalog->left_out; i++) {
		record_put_text(out, catalog->left_outs[i].name);
		record_put_text(out, catalog->left_outs[i].why);
	}
	record_put_number(out, catalog->has_mapping);
	record_put_number(out, catalog->note_count);
	for (size_t i = 0; i < catalog->note_count; i++) {
		record_put_text(out, catalog->notes[i].code);
		record_put_text(out, catalog->notes[i].text);
	}
}

/* ---- reading ---- */

/* Each thing that is counted takes @bytes at least: no count makes us ask for more memory
 * than a few times what came. */
static size_t get_count(struct record_reader *reader, size_t bytes)
{
	return record_get_number(reader, reader->left / bytes);
}

static bool get_bool(struct record_reader *reader)
{
	return record_get_number(reader, 1);
}

static void get_version(struct record_reader *reader, struct tdxupd_version *ret)
{
	ret->major = (uint16_t)record_get_number(reader, UINT16_MAX);
	ret->minor = (uint16_t)record_get_number(reader, UINT16_MAX);
	ret->update = (uint16_t)record_get_number(reader, UINT16_MAX);
}

static int get_versions(struct record_reader *reader, struct tdxupd_version **ret,
			size_t *ret_count)
{
	size_t count = get_count(reader, VERSION_BYTES);

	*ret = calloc(count + 1, sizeof(**ret));
	if (!*ret)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		get_version(reader, &(*ret)[i]);
	*ret_count = count;
	return 0;
}

static int get_release(struct record_reader *reader, struct tdxupd_release *ret)
{
	int r;

	get_version(reader, &ret->version);
	get_version(reader, &ret->min_module_version);
	ret->has_features0 = get_bool(reader);
	ret->features0 = record_get_number(reader, UINT64_MAX);
	ret->claimed_features0 = record_get_number(reader, UINT64_MAX);
	ret->is_features0_disputed = get_bool(reader);
	ret->recorded_features0 = record_get_number(reader, UINT64_MAX);
	ret->is_from_record = get_bool(reader);
	r = get_versions(reader, &ret->min_seamldr_versions, &ret->min_seamldr_count);
	ret->has_strict_compat = get_bool(reader);
	if (r == 0)
		r = get_versions(reader, &ret->strict_compat_versions,
				 &ret->strict_compat_count);
	return r < 0 ? r : reader->is_bad ? -EBADMSG : 0;
}

/* They are looked up by halves, so order is part of what must be right. */
static int get_releases(struct record_reader *reader, struct tdxupd_catalog *catalog)
{
	size_t count = get_count(reader, RELEASE_BYTES);
	int r = 0;

	catalog->releases = calloc(count + 1, sizeof(*catalog->releases));
	if (!catalog->releases)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < count; i++) {
		struct tdxupd_release *release = &catalog->releases[i];

		catalog->release_count++;
		r = get_release(reader, release);
		if (r == 0 && i > 0 &&
		    tdxupd_version_compare(&release[-1].version, &release->version) >= 0)
			r = -EBADMSG;
	}
	return r;
}

static int get_known(struct record_reader *reader, struct tdxupd_catalog *catalog)
{
	size_t count = get_count(reader, KNOWN_RECORD_BYTES);

	catalog->known = calloc(count + 1, sizeof(*catalog->known));
	if (!catalog->known)
		return -ENOMEM;
	for (; catalog->known_count < count; catalog->known_count++)
		known_get(reader, &catalog->known[catalog->known_count]);
	return reader->is_bad ? -EBADMSG : 0;
}

/* The name of a file of the images directory or the store, and of none elsewhere. */
static int get_name(struct record_reader *reader, char **ret)
{
	char name[FILES_PATH_MAX];

	record_get_text(reader, name, sizeof(name));
	if (reader->is_bad || !files_is_path(name))
		return -EBADMSG;
	*ret = strdup(name);
	return *ret ? 0 : -ENOMEM;
}

static int get_entry(struct record_reader *reader, const struct tdxupd_catalog *catalog,
		     struct tdxupd_entry *ret)
{
	size_t known;
	int r = get_name(reader, &ret->name);

	if (r < 0)
		return r;
	ret->has_version = get_bool(reader);
	get_version(reader, &ret->version);
	ret->is_known = get_bool(reader);
	known = record_get_number(reader, catalog->known_count);
	ret->known = known ? &catalog->known[known - 1] : NULL;
	r = record_get_image(reader, &ret->image)
		    ?: record_get_report(reader, &ret->report);
	if (r < 0)
		return r;
	if ((ret->is_known && (!ret->has_version || !ret->known)) ||
	    (!ret->image && tdxupd_report_is_passed(ret->report)))
		return -EBADMSG;
	if (ret->has_version)
		ret->release = tdxupd_catalog_find_release(catalog, &ret->version);
	return 0;
}

/* By version and name, those without a version last, no name twice. */
static bool is_in_order(const struct tdxupd_entry *a, const struct tdxupd_entry *b)
{
	int order = 0;

	if (a->has_version != b->has_version)
		return a->has_version;
	if (a->has_version)
		order = tdxupd_version_compare(&a->version, &b->version);
	return order ? order < 0 : strcmp(a->name, b->name) < 0;
}

static int get_entries(struct record_reader *reader, struct tdxupd_catalog *catalog)
{
	size_t count = get_count(reader, ENTRY_BYTES);
	int r = 0;

	catalog->entries = calloc(count + 1, sizeof(*catalog->entries));
	if (!catalog->entries)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < count; i++) {
		catalog->entry_count++;
		r = get_entry(reader, catalog, &catalog->entries[i]);
		if (r == 0 && i > 0 &&
		    !is_in_order(&catalog->entries[i - 1], &catalog->entries[i]))
			r = -EBADMSG;
	}
	return r;
}

static int get_left_outs(struct record_reader *reader, struct tdxupd_catalog *catalog)
{
	size_t count = get_count(reader, LEFT_OUT_BYTES);
	int r = 0;

	catalog->left_outs = calloc(count + 1, sizeof(*catalog->left_outs));
	if (!catalog->left_outs)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < count; i++) {
		struct tdxupd_left_out *left = &catalog->left_outs[i];
		char why[WHY_BYTES];

		catalog->left_out++;
		r = get_name(reader, &left->name);
		if (r < 0)
			return r;
		record_get_text(reader, why, sizeof(why));
		left->why = strdup(why);
		if (!left->why)
			r = -ENOMEM;
	}
	return r < 0 ? r : reader->is_bad ? -EBADMSG : 0;
}

static int get_notes(struct record_reader *reader, struct tdxupd_catalog *catalog)
{
	_cleanup_(notes_done)
	struct notes notes = {};
	size_t count;
	int r = 0;

	catalog->has_mapping = get_bool(reader);
	count = get_count(reader, NOTE_BYTES);
	for (size_t i = 0; r == 0 && i < count; i++) {
		char code[WHY_BYTES], text[NOTE_TEXT_BYTES];

		record_get_text(reader, code, sizeof(code));
		record_get_text(reader, text, sizeof(text));
		if (reader->is_bad || !notes_find_code(code))
			return -EBADMSG;
		r = notes_add(&notes, notes_find_code(code), "%s", text);
	}
	catalog->note_count = notes.count;
	catalog->notes = TAKE_PTR(notes.items);
	notes.count = 0;
	return r;
}

int catalog_get(const uint8_t *bytes, size_t count, struct tdxupd_catalog **ret)
{
	_cleanup_(cleanup_catalog)
	struct tdxupd_catalog *catalog = calloc(1, sizeof(*catalog));
	struct record_reader reader = { .bytes = bytes, .left = count };
	int r;

	if (!catalog)
		return -ENOMEM;
	r = get_releases(&reader, catalog) ?: get_known(&reader, catalog)
		?: get_entries(&reader, catalog) ?: get_left_outs(&reader, catalog)
		?: get_notes(&reader, catalog);
	if (r < 0)
		return r;
	if (reader.is_bad || reader.left)
		return -EBADMSG;
	*ret = TAKE_PTR(catalog);
	return 0;
}
