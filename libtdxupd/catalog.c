// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What could be loaded: every image of a directory, and what Intel's mapping says of it.
 * Whether one may follow the running module is decided in compat. What was left out is
 * counted and named: a file that is overlooked in silence is a file that somebody
 * installed in vain.
 */
#include <errno.h>
#include <string.h>

#include "catalog-cache.h"
#include "catalog-entry.h"
#include "catalog-files.h"
#include "catalog-mapping.h"
#include "catalog-release.h"
#include "io.h"
#include "known.h"
#include "util.h"

#define MAPPING_NAME "mapping_file.json"

/* More names than any directory of images has; what a wrong Images= may lead to. */
#define FILES_MAX 100000

DEFINE_CLEANUP(struct tdxupd_catalog, catalog, tdxupd_catalog_free)
DEFINE_CLEANUP(char *, names, io_free_names)
DEFINE_CLEANUP(struct cache, cache, cache_free)

_public_ struct tdxupd_catalog *tdxupd_catalog_free(struct tdxupd_catalog *catalog)
{
	if (!catalog)
		return NULL;
	for (size_t i = 0; i < catalog->entry_count; i++)
		entry_done(&catalog->entries[i]);
	for (size_t i = 0; i < catalog->left_out; i++) {
		free(catalog->left_outs[i].name);
		free(catalog->left_outs[i].why);
	}
	mapping_free(catalog->releases, catalog->release_count);
	free(catalog->known);
	free(catalog->entries);
	free(catalog->left_outs);
	for (size_t i = 0; i < catalog->note_count; i++)
		free(catalog->notes[i].text);
	free(catalog->notes);
	free(catalog);
	return NULL;
}

_public_ const struct tdxupd_release *
tdxupd_catalog_find_release(const struct tdxupd_catalog *catalog,
			    const struct tdxupd_version *version)
{
	return mapping_find(catalog->releases, catalog->release_count, version);
}

/* ---- mapping ---- */

static unsigned io_flags(unsigned flags)
{
	return flags & TDXUPD_CATALOG_REQUIRE_SAFE ? IO_REQUIRE_SAFE : 0;
}

/* The directory of @path and, in it, its last part. */
static int open_parent(int root_fd, const char *path, unsigned flags, int *ret_fd,
		       const char **ret_name)
{
	_cleanup_(cleanup_free)
	char *dir = NULL;
	const char *slash = strrchr(path, '/');
	int fd;

	dir = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	if (!dir)
		return -ENOMEM;
	fd = io_open_dir(root_fd, dir, io_flags(flags));
	if (fd < 0)
		return fd;
	*ret_fd = fd;
	*ret_name = slash ? slash + 1 : path;
	return 0;
}

static int read_mapping_text(int root_fd, int images_fd, const char *path, unsigned flags,
			     uint8_t **ret, size_t *ret_bytes)
{
	_cleanup_(cleanup_close)
	int fd = -1;
	const char *name;
	int r;

	if (!path)
		return io_read_file_in(images_fd, MAPPING_NAME, MAPPING_BYTES_MAX,
				       io_flags(flags), ret, ret_bytes);
	r = open_parent(root_fd, path, flags, &fd, &name);
	if (r < 0)
		return r;
	return io_read_file_in(fd, name, MAPPING_BYTES_MAX, io_flags(flags), ret,
			       ret_bytes);
}

/* @images_fd: -1 where the images are in the store alone */
static int read_mapping(int root_fd, int images_fd, const char *images, const char *path,
			unsigned flags, struct tdxupd_catalog *catalog, char **ret_why)
{
	_cleanup_(cleanup_free)
	uint8_t *text = NULL;
	_cleanup_(cleanup_free)
	char *why = NULL;
	size_t bytes = 0;
	int r;

	if (images_fd < 0 && !path)
		return 0;
	r = read_mapping_text(root_fd, images_fd, path, flags, &text, &bytes);
	/* Intel's newer releases come without one. */
	if (r == -ENODATA && !path)
		return 0;
	catalog->has_mapping = true;
	if (r < 0)
		why_set(&why, r, "%s", io_strerror(r));
	else
		r = mapping_parse((const char *)text, bytes, &catalog->releases,
				  &catalog->release_count, &why);
	if (r == 0)
		return 0;
	if (r == -ENODATA)
		r = -ENOENT;
	if (path)
		return why_set(ret_why, r, "%s: %s", path, why ? why : "no memory");
	return why_set(ret_why, r, "%s/" MAPPING_NAME ": %s", images,
		       why ? why : "no memory");
}

/* ---- records ---- */

static int read_records(int root_fd, const char *mapping, unsigned flags,
			struct tdxupd_catalog *catalog, char **ret_why)
{
	_cleanup_(notes_done)
	struct notes notes = {};
	int r = known_read(root_fd, io_flags(flags), &notes, &catalog->known,
			   &catalog->known_count, ret_why);

	if (r == 0)
		r = releases_add_records(&catalog->releases, &catalog->release_count,
					 catalog->known, catalog->known_count,
					 mapping ? mapping : MAPPING_NAME, &notes);
	catalog->note_count = notes.count;
	catalog->notes = TAKE_PTR(notes.items);
	notes.count = 0;
	return r;
}

/* ---- images ---- */

static int leave_out(struct tdxupd_catalog *catalog, const char *name, const char *why)
{
	struct tdxupd_left_out *left = &catalog->left_outs[catalog->left_out];

	left->name = strdup(name);
	left->why = strdup(why ? why : "");
	catalog->left_out++;
	return left->name && left->why ? 0 : -ENOMEM;
}

/* @prefix: what the names of entries begin with, before their path. */
static int read_file(int dir_fd, const char *prefix, const char *path,
		     const struct entry_rules *rules, struct tdxupd_catalog *catalog)
{
	_cleanup_(cleanup_free)
	char *why = NULL;
	_cleanup_(cleanup_free)
	char *name = NULL;
	struct tdxupd_entry *entry = &catalog->entries[catalog->entry_count];
	bool is_image = false;
	int r = entry_read(dir_fd, path, rules, entry, &is_image, &why);

	if (r < 0)
		return r;
	if (asprintf(&name, "%s%s", prefix, path) < 0) {
		name = NULL;
		if (is_image)
			entry_done(entry);
		return -ENOMEM;
	}
	if (!is_image)
		return why ? leave_out(catalog, name, why) : 0;
	catalog->entry_count++;
	free(entry->name);
	entry->name = TAKE_PTR(name);
	tdxupd_image_drop_bytes(entry->image);
	r = entry_find_version(entry, rules);
	if (r == 0)
		r = entry_check_blocked(entry, rules->policy, entry->report);
	if (entry->has_version)
		entry->release = tdxupd_catalog_find_release(catalog, &entry->version);
	return r;
}

static bool is_mapping(const char *path)
{
	const char *slash = strrchr(path, '/');

	return strcmp(slash ? slash + 1 : path, MAPPING_NAME) == 0;
}

/* Room for so many more of each kind; the rest of the new room is zero. */
static int make_room(struct tdxupd_catalog *catalog, size_t count)
{
	size_t entries = catalog->entry_count + count + 1;
	size_t left_outs = catalog->left_out + count + 1;
	struct tdxupd_entry *more =
		reallocarray(catalog->entries, entries, sizeof(*more));
	struct tdxupd_left_out *more_out;

	if (!more)
		return -ENOMEM;
	catalog->entries = more;
	memset(more + catalog->entry_count, 0, (count + 1) * sizeof(*more));
	more_out = reallocarray(catalog->left_outs, left_outs, sizeof(*more_out));
	if (!more_out)
		return -ENOMEM;
	catalog->left_outs = more_out;
	memset(more_out + catalog->left_out, 0, (count + 1) * sizeof(*more_out));
	return 0;
}

static int read_files(int dir_fd, const char *prefix, const struct entry_rules *rules,
		      struct tdxupd_catalog *catalog, char **ret_why)
{
	_cleanup_(cleanup_names)
	char **paths = NULL;
	size_t count = 0;
	int r = files_list(dir_fd, io_flags(rules->flags), FILES_MAX, &paths, &count);

	if (r == -EFBIG)
		return why_set(ret_why, r, "more than %d files", FILES_MAX);
	if (r == 0)
		r = make_room(catalog, count);
	for (size_t i = 0; r == 0 && i < count; i++)
		if (!is_mapping(paths[i]))
			r = read_file(dir_fd, prefix, paths[i], rules, catalog);
	return r;
}

/* What `image import` has put there, beside the images of the vendor. */
static int read_store(int root_fd, const struct entry_rules *rules,
		      struct tdxupd_catalog *catalog, char **ret_why)
{
	_cleanup_(cleanup_close)
	int dir_fd = -1;

	if (!(rules->flags & TDXUPD_CATALOG_WITH_STORE))
		return 0;
	dir_fd = io_open_dir(root_fd, STORE_DIR, io_flags(rules->flags));
	if (dir_fd == -ENODATA)
		return 0;
	/* Root's alone: others see what the daemon says of it. */
	if (dir_fd == -EACCES)
		return 0;
	if (dir_fd < 0)
		return why_set(ret_why, dir_fd, STORE_DIR ": %s", io_strerror(dir_fd));
	return read_files(dir_fd, STORE_DIR "/", rules, catalog, ret_why);
}

static int compare_entries(const void *a, const void *b)
{
	const struct tdxupd_entry *one = a, *other = b;
	int order;

	if (one->has_version != other->has_version)
		return one->has_version ? -1 : 1;
	order = tdxupd_version_compare(&one->version, &other->version);
	return order ? order : strcmp(one->name, other->name);
}

/* ---- one version, several modules ---- */

static bool is_sound(const struct tdxupd_entry *entry)
{
	return entry->image && tdxupd_report_is_passed(entry->report);
}

static bool has_other_module(const struct tdxupd_entry *entries, size_t count,
			     const struct tdxupd_entry *entry, bool among_known)
{
	for (size_t i = 0; i < count; i++)
		if (is_sound(&entries[i]) && (entries[i].is_known || !among_known) &&
		    !tdxupd_digest_is_equal(&entries[i].image->mrseam,
					    &entry->image->mrseam))
			return true;
	return false;
}

/*
 * Copies of one module are harmless. Of different ones, a name's claim is no match for
 * a known measurement; among equals nobody can tell which is the true one.
 */
static int check_run(struct tdxupd_entry *entries, size_t count)
{
	bool *is_ambiguous = calloc(count, sizeof(*is_ambiguous));
	int r = 0;

	if (!is_ambiguous)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		is_ambiguous[i] = is_sound(&entries[i]) &&
				  has_other_module(entries, count, &entries[i],
						   entries[i].is_known);
	for (size_t i = 0; r == 0 && i < count; i++)
		if (is_ambiguous[i])
			r = tdxupd_report_add(
				entries[i].report, TDXUPD_CHECK_VERSION_AMBIGUOUS,
				TDXUPD_SEVERITY_REFUSE, "another file claims it too",
				"one module a version");
	free(is_ambiguous);
	return r;
}

static int check_ambiguous(struct tdxupd_catalog *catalog)
{
	struct tdxupd_entry *entries = catalog->entries;
	size_t end;
	int r = 0;

	for (size_t start = 0; r == 0 && start < catalog->entry_count; start = end) {
		for (end = start + 1; end < catalog->entry_count; end++)
			if (entries[end].has_version != entries[start].has_version ||
			    tdxupd_version_compare(&entries[end].version,
						   &entries[start].version) != 0)
				break;
		if (entries[start].has_version && end - start > 1)
			r = check_run(entries + start, end - start);
	}
	return r;
}

/* ---- catalog ---- */

/* Whoever may not look into it takes it for none, as it has nothing for him. */
static bool has_store(int root_fd, unsigned flags)
{
	_cleanup_(cleanup_close)
	int fd = -1;

	if (flags & TDXUPD_CATALOG_WITH_STORE)
		fd = io_open_dir(root_fd, STORE_DIR, io_flags(flags));
	return fd >= 0;
}

/* @ret_fd: -1 where there is none, and the store is enough. */
static int open_images(int root_fd, const char *images, unsigned flags, int *ret_fd,
		       char **ret_why)
{
	int fd = io_open_dir(root_fd, images, io_flags(flags));

	if (fd == -ENODATA && has_store(root_fd, flags)) {
		*ret_fd = -1;
		return 0;
	}
	if (fd == -ENODATA)
		fd = -ENOENT;
	if (fd < 0)
		return why_set(ret_why, fd, "%s: %s", images,
			       fd == -ENOENT ? "no such directory" : io_strerror(fd));
	*ret_fd = fd;
	return 0;
}

static int fill(struct tdxupd_catalog *catalog, int root_fd, int dir_fd,
		const char *images, const struct tdxupd_policy *policy, unsigned flags,
		struct cache *cache, char **ret_why)
{
	_cleanup_(cleanup_free)
	char *why = NULL;
	const struct entry_rules rules = {
		.policy = policy,
		.known = catalog->known,
		.known_count = catalog->known_count,
		.flags = flags,
		.cache = cache,
	};
	int r = 0;

	if (dir_fd >= 0)
		r = read_files(dir_fd, "", &rules, catalog, &why);
	if (r == 0)
		r = read_store(root_fd, &rules, catalog, &why);
	if (r < 0)
		return why_set(ret_why, r, "%s: %s", images, why ? why : io_strerror(r));
	qsort(catalog->entries, catalog->entry_count, sizeof(*catalog->entries),
	      compare_entries);
	return check_ambiguous(catalog);
}

static int fill_with_cache(struct tdxupd_catalog *catalog, int root_fd, int dir_fd,
			   const char *images, const struct tdxupd_policy *policy,
			   unsigned flags, char **ret_why)
{
	_cleanup_(cleanup_cache)
	struct cache *cache = NULL;
	int r = 0;

	if (flags & TDXUPD_CATALOG_USE_CACHE)
		r = cache_new(root_fd, policy, time(NULL), &cache);
	if (r == 0)
		r = fill(catalog, root_fd, dir_fd, images, policy, flags, cache, ret_why);
	if (r == 0 && cache)
		cache_save(cache, root_fd);
	return r;
}

_public_ int tdxupd_catalog_read(int root_fd, const char *images, const char *mapping,
				 const struct tdxupd_policy *policy, unsigned flags,
				 struct tdxupd_catalog **ret, char **ret_why)
{
	_cleanup_(cleanup_catalog)
	struct tdxupd_catalog *catalog = NULL;
	_cleanup_(cleanup_free)
	char *why = NULL;
	_cleanup_(cleanup_close)
	int dir_fd = -1;
	int r;

	if (root_fd < 0 || !images || !policy || !ret)
		return -EINVAL;
	catalog = calloc(1, sizeof(*catalog));
	if (!catalog)
		return -ENOMEM;
	r = open_images(root_fd, images, flags, &dir_fd, &why);
	if (r >= 0)
		r = read_mapping(root_fd, dir_fd, images, mapping, flags, catalog, &why);
	if (r >= 0)
		r = read_records(root_fd, mapping, flags, catalog, &why);
	if (r >= 0)
		r = fill_with_cache(catalog, root_fd, dir_fd, images, policy, flags,
				    &why);
	/* A store without an image is nothing to go by. */
	if (r == 0 && dir_fd < 0 && !catalog->entry_count)
		r = why_set(&why, -ENOENT, "%s: no such directory", images);
	if (r < 0) {
		if (ret_why && why)
			*ret_why = TAKE_PTR(why);
		return r;
	}
	*ret = TAKE_PTR(catalog);
	return 0;
}
