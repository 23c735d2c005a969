// SPDX-License-Identifier: LGPL-2.1-or-later
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include <archive.h>
#include <archive_entry.h>

#include "packer.h"

#define ROOM (8u << 20)

static struct archive *start(const char *filter, int is_raw, uint8_t *buffer,
			     size_t *used)
{
	struct archive *archive = archive_write_new();

	if (!archive || (strcmp(filter, "none") != 0 &&
			 archive_write_add_filter_by_name(archive, filter) != ARCHIVE_OK))
		errx(1, "no filter %s", filter);
	if (is_raw)
		archive_write_set_format_raw(archive);
	else
		archive_write_set_format_gnutar(archive);
	archive_write_set_bytes_in_last_block(archive, 1);
	if (archive_write_open_memory(archive, buffer, ROOM, used) != ARCHIVE_OK)
		errx(1, "%s", archive_error_string(archive));
	return archive;
}

static void add(struct archive *archive, const struct packer_member *member)
{
	static const unsigned types[] = {
		[PACKER_FILE] = AE_IFREG,     [PACKER_SYMLINK] = AE_IFLNK,
		[PACKER_HARDLINK] = AE_IFREG, [PACKER_FIFO] = AE_IFIFO,
		[PACKER_FOLDER] = AE_IFDIR,
	};
	struct archive_entry *entry = archive_entry_new();

	archive_entry_set_pathname(entry, member->name);
	archive_entry_set_filetype(entry, types[member->kind]);
	archive_entry_set_perm(entry, 0644);
	if (member->kind == PACKER_FILE)
		archive_entry_set_size(entry, (la_int64_t)member->count);
	if (member->kind == PACKER_SYMLINK)
		archive_entry_set_symlink(entry, "/etc/passwd");
	if (member->kind == PACKER_HARDLINK)
		archive_entry_set_hardlink(entry, "x");
	if (archive_write_header(archive, entry) != ARCHIVE_OK)
		errx(1, "%s", archive_error_string(archive));
	if (member->kind == PACKER_FILE && member->count)
		archive_write_data(archive, member->bytes, member->count);
	archive_entry_free(entry);
}

void packer_tar(const struct packer_member *members, size_t count, const char *filter,
		uint8_t **ret, size_t *ret_count)
{
	uint8_t *buffer = malloc(ROOM);
	size_t used = 0;
	struct archive *archive = start(filter, 0, buffer, &used);

	for (size_t i = 0; i < count; i++)
		add(archive, &members[i]);
	if (archive_write_close(archive) != ARCHIVE_OK)
		errx(1, "%s", archive_error_string(archive));
	archive_write_free(archive);
	*ret = buffer;
	*ret_count = used;
}

void packer_file(const void *bytes, size_t count, const char *filter, uint8_t **ret,
		 size_t *ret_count)
{
	const struct packer_member member = { "x", bytes, count, PACKER_FILE };
	uint8_t *buffer = malloc(ROOM);
	size_t used = 0;
	struct archive *archive = start(filter, 1, buffer, &used);

	add(archive, &member);
	if (archive_write_close(archive) != ARCHIVE_OK)
		errx(1, "%s", archive_error_string(archive));
	archive_write_free(archive);
	*ret = buffer;
	*ret_count = used;
}
