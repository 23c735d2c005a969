// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Where records come from: the file of this library, then what the administrator, the
 * running system and the distribution add. A file in /etc hides one of the same name in
 * /run, and that one in /usr/lib, as everywhere; an empty one hides it without a
 * replacement.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "build-config.h"
#include "io.h"
#include "known.h"

#define KNOWN_NAME "known-modules.json"
#define KNOWN_PATH TDXUPD_DATADIR "/" KNOWN_NAME
#define FILES_MAX  1000
#define PATH_BYTES 512

DEFINE_CLEANUP(char *, names, io_free_names)

static const char *const add_on_dirs[] = { KNOWN_DIR_ETC, KNOWN_DIR_RUN, KNOWN_DIR_USR };

struct reading {
	int root_fd;
	unsigned io_flags;
	struct notes *notes;
	size_t count;
	struct tdxupd_known_module *known;
};

static bool is_record_file(const char *name)
{
	size_t length = strlen(name);

	return name[0] != '.' && length > strlen(".json") &&
	       strcmp(name + length - strlen(".json"), ".json") == 0;
}

static bool is_hidden(const struct reading *reading, size_t rank, const char *name)
{
	for (size_t i = 0; i < rank; i++) {
		char path[PATH_BYTES];

		snprintf(path, sizeof(path), "%s/%s", add_on_dirs[i], name);
		if (io_is_present(reading->root_fd, path))
			return true;
	}
	return false;
}

static int merge_text(struct reading *reading, const char *origin, const uint8_t *text,
		      size_t bytes)
{
	_cleanup_(cleanup_free)
	struct tdxupd_known_module *more = NULL;
	_cleanup_(cleanup_free)
	char *why = NULL;
	size_t count = 0;
	int r;

	if (bytes == 0)
		return 0;
	r = known_parse((const char *)text, bytes, &more, &count, &why);
	if (r == -EBADMSG)
		return notes_add(reading->notes, "record-malformed", "%s: left out: %s",
				 origin, why ? why : "malformed");
	if (r < 0)
		return r;
	return known_merge(&reading->known, &reading->count, more, count, origin,
			   reading->notes);
}

static int read_add_on(struct reading *reading, int dir_fd, const char *dir,
		       const char *name)
{
	_cleanup_(cleanup_free)
	uint8_t *text = NULL;
	char origin[PATH_BYTES];
	size_t bytes = 0;
	int r = io_read_file_in(dir_fd, name, KNOWN_BYTES_MAX, reading->io_flags, &text,
				&bytes);

	snprintf(origin, sizeof(origin), "%s/%s", dir, name);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return notes_add(reading->notes, "record-unusable", "%s: left out: %s",
				 origin, io_strerror(r));
	return merge_text(reading, origin, text, bytes);
}

static int read_add_ons(struct reading *reading, size_t rank)
{
	const char *dir = add_on_dirs[rank];
	_cleanup_(cleanup_close)
	int dir_fd = io_open_dir(reading->root_fd, dir, reading->io_flags);
	_cleanup_(cleanup_names)
	char **names = NULL;
	size_t count = 0, used = 0;
	int r;

	if (dir_fd == -ENODATA || dir_fd == -ENOENT)
		return 0;
	if (dir_fd < 0)
		return notes_add(reading->notes, "record-unusable", "%s: left out: %s",
				 dir, io_strerror(dir_fd));
	r = io_list(dir_fd, &names, &count);
	for (size_t i = 0; r == 0 && i < count; i++) {
		if (!is_record_file(names[i]) || is_hidden(reading, rank, names[i]))
			continue;
		if (++used > FILES_MAX)
			return notes_add(reading->notes, "record-unusable",
					 "%s: more than %d files; the rest is left out",
					 dir, FILES_MAX);
		r = read_add_on(reading, dir_fd, dir, names[i]);
	}
	return r;
}

static int read_built_in(struct reading *reading, char **ret_why)
{
	_cleanup_(cleanup_close)
	int dir_fd = io_open_dir(reading->root_fd, TDXUPD_DATADIR, reading->io_flags);
	_cleanup_(cleanup_free)
	uint8_t *text = NULL;
	_cleanup_(cleanup_free)
	char *why = NULL;
	size_t bytes = 0;
	int r = dir_fd < 0 ? dir_fd
			   : io_read_file_in(dir_fd, KNOWN_NAME, KNOWN_BYTES_MAX,
					     reading->io_flags, &text, &bytes);

	if (r == -ENODATA)
		return 0;
	if (r == 0)
		r = known_parse((const char *)text, bytes, &reading->known,
				&reading->count, &why);
	if (r < 0)
		return why_set(ret_why, r, KNOWN_PATH ": %s", why ? why : io_strerror(r));
	return 0;
}

int known_read(int root_fd, unsigned io_flags, struct notes *notes,
	       struct tdxupd_known_module **ret, size_t *ret_count, char **ret_why)
{
	struct reading reading = {
		.root_fd = root_fd,
		.io_flags = io_flags,
		.notes = notes,
	};
	int r = read_built_in(&reading, ret_why);

	for (size_t rank = 0; r == 0 && rank < ARRAY_SIZE(add_on_dirs); rank++)
		r = read_add_ons(&reading, rank);
	if (r < 0) {
		free(reading.known);
		return r;
	}
	*ret = reading.known;
	*ret_count = reading.count;
	return 0;
}
