// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Compressed files and archives, by libarchive, in memory and bounded: what comes out is
 * counted, not what a header claims. Members are read, never skipped, so that no member
 * hides a bomb behind a name that nobody wants.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include <archive.h>
#include <archive_entry.h>

#include "pack.h"
#include "util.h"

#define BLOCK_BYTES 65536

static void archive_done(struct archive **archive)
{
	if (*archive)
		archive_read_free(*archive);
}

bool pack_is_supported(void)
{
	return true;
}

static int fail(struct archive *archive, char **ret_why)
{
	const char *text = archive_error_string(archive);
	char printable[128];

	if (archive_errno(archive) == ENOMEM)
		return -ENOMEM;
	text_make_printable(printable, sizeof(printable), text ? text : "damaged");
	return why_set(ret_why, -EBADMSG, "cannot be unpacked: %s", printable);
}

static int open_archive(const uint8_t *bytes, size_t count, bool is_tar,
			struct archive **ret, char **ret_why)
{
	_cleanup_(archive_done)
	struct archive *archive = archive_read_new();

	if (!archive)
		return -ENOMEM;
	archive_read_support_filter_gzip(archive);
	archive_read_support_filter_xz(archive);
	archive_read_support_filter_zstd(archive);
	if (is_tar)
		archive_read_support_format_tar(archive);
	else
		archive_read_support_format_raw(archive);
	if (archive_read_open_memory(archive, bytes, count) != ARCHIVE_OK)
		return fail(archive, ret_why);
	*ret = TAKE_PTR(archive);
	return 0;
}

/* All data of the current member. */
static int read_data(struct archive *archive, size_t max_bytes, uint8_t **ret,
		     size_t *ret_count, char **ret_why)
{
	_cleanup_(cleanup_free)
	uint8_t *bytes = NULL;
	size_t used = 0, size = 0;

	for (;;) {
		la_ssize_t n;

		if (size - used < BLOCK_BYTES) {
			uint8_t *more;

			size += BLOCK_BYTES + size / 2;
			more = realloc(bytes, size);
			if (!more)
				return -ENOMEM;
			bytes = more;
		}
		n = archive_read_data(archive, bytes + used, BLOCK_BYTES);
		if (n < 0)
			return fail(archive, ret_why);
		if (n == 0)
			break;
		used += (size_t)n;
		if (used > max_bytes)
			return why_set(ret_why, -EFBIG, "holds more than %zu bytes",
				       max_bytes);
	}
	*ret = TAKE_PTR(bytes);
	*ret_count = used;
	return 0;
}

int pack_read_file(const uint8_t *bytes, size_t count, size_t max_bytes, uint8_t **ret,
		   size_t *ret_count, char **ret_why)
{
	_cleanup_(archive_done)
	struct archive *archive = NULL;
	struct archive_entry *entry;
	int r = open_archive(bytes, count, false, &archive, ret_why);

	if (r < 0)
		return r;
	if (archive_read_next_header(archive, &entry) != ARCHIVE_OK)
		return fail(archive, ret_why);
	/* What is no compressed file at all passes as it is: no filter was needed. */
	if (archive_filter_count(archive) < 2)
		return why_set(ret_why, -EBADMSG, "is not compressed as its name says");
	return read_data(archive, max_bytes, ret, ret_count, ret_why);
}

/* ---- archives ---- */

static bool leads_out(const char *name)
{
	if (*name == '/')
		return true;
	for (const char *p = name; *p; p += strcspn(p, "/")) {
		p += strspn(p, "/");
		if (strncmp(p, "..", 2) == 0 && (p[2] == '/' || !p[2]))
			return true;
	}
	return false;
}

static int check_member(struct archive_entry *entry, const char *name, char **ret_why)
{
	mode_t type = archive_entry_filetype(entry);

	if (!name || !*name)
		return why_set(ret_why, -EBADMSG, "has a member without a name");
	if (leads_out(name))
		return why_set(ret_why, -EBADMSG, "has a member outside of itself");
	if (archive_entry_hardlink(entry) || archive_entry_symlink(entry) ||
	    type == AE_IFLNK)
		return why_set(ret_why, -EBADMSG, "has a link among its members");
	if (type != AE_IFREG && type != AE_IFDIR)
		return why_set(ret_why, -EBADMSG, "has a device among its members");
	return 0;
}

static int add_member(struct pack *pack, const char *name, uint8_t *bytes, size_t count)
{
	struct pack_member *more =
		reallocarray(pack->members, pack->count + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	pack->members = more;
	while (strncmp(name, "./", 2) == 0)
		name += 2;
	more[pack->count].name = strdup(name);
	if (!more[pack->count].name)
		return -ENOMEM;
	more[pack->count].bytes = bytes;
	more[pack->count++].count = count;
	return 0;
}

static int read_member(struct archive *archive, struct archive_entry *entry,
		       struct pack *pack, size_t *left, char **ret_why)
{
	const char *name = archive_entry_pathname(entry);
	_cleanup_(cleanup_free)
	uint8_t *bytes = NULL;
	size_t count = 0;
	int r = check_member(entry, name, ret_why);

	if (r < 0)
		return r;
	r = read_data(archive, *left, &bytes, &count, ret_why);
	if (r < 0)
		return r;
	*left -= count;
	if (archive_entry_filetype(entry) != AE_IFREG)
		return 0;
	r = add_member(pack, name, bytes, count);
	if (r == 0)
		bytes = NULL;
	return r;
}

int pack_read_archive(const uint8_t *bytes, size_t count, struct pack *ret,
		      char **ret_why)
{
	_cleanup_(archive_done)
	struct archive *archive = NULL;
	_cleanup_(pack_done)
	struct pack pack = {};
	struct archive_entry *entry;
	size_t left = PACK_BYTES_MAX;
	int r = open_archive(bytes, count, true, &archive, ret_why);

	for (unsigned members = 0; r == 0; members++) {
		int status = archive_read_next_header(archive, &entry);

		if (status == ARCHIVE_EOF)
			break;
		if (status != ARCHIVE_OK)
			return fail(archive, ret_why);
		if (members >= PACK_MEMBERS_MAX)
			return why_set(ret_why, -EBADMSG, "has more than %d members",
				       PACK_MEMBERS_MAX);
		r = read_member(archive, entry, &pack, &left, ret_why);
	}
	if (r < 0)
		return r;
	*ret = pack;
	pack = (struct pack){};
	return 0;
}
