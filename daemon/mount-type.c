// SPDX-License-Identifier: LGPL-2.1-or-later
/* On which kind of file system a path is, from the kernel's list of mounts
 * (Documentation/filesystems/proc.rst, mountinfo), without asking the file system. */
#include <stdio.h>
#include <string.h>

#include "mount-type.h"
#include "util.h"

#define PATH_BYTES 4096

/* "\040" is a space; anything else stands for itself. */
static void unescape(const char *field, size_t bytes, char *ret, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < bytes && used + 1 < size; i++) {
		unsigned code;

		if (field[i] == '\\' && bytes - i >= 4 &&
		    sscanf(field + i + 1, "%3o", &code) == 1) {
			ret[used++] = (char)code;
			i += 3;
		} else {
			ret[used++] = field[i];
		}
	}
	ret[used] = '\0';
}

static bool is_at_or_below(const char *path, const char *point)
{
	size_t length = strlen(point);

	if (strcmp(point, "/") == 0)
		return *path == '/';
	return strncmp(path, point, length) == 0 &&
	       (path[length] == '/' || path[length] == '\0');
}

/* 36 35 98:0 /root /mount/point options optional... - TYPE source options */
static bool parse_line(const char *line, size_t bytes, char *ret_point, char *ret_type)
{
	const char *end = line + bytes, *field = line, *dash;
	size_t length;

	for (int i = 0; i < 4; i++) {
		field = memchr(field, ' ', (size_t)(end - field));
		if (!field)
			return false;
		field++;
	}
	length = strcspn(field, " \n");
	dash = memmem(field, (size_t)(end - field), " - ", 3);
	if (!dash)
		return false;
	unescape(field, length, ret_point, PATH_BYTES);
	dash += 3;
	length = strcspn(dash, " \n");
	if (length == 0 || length >= MOUNT_TYPE_BYTES)
		return false;
	memcpy(ret_type, dash, length);
	ret_type[length] = '\0';
	return true;
}

/* The longest mount point; of those at one place, the last is on top. */
bool mount_type_find(const char *mounts, const char *path, char ret[MOUNT_TYPE_BYTES])
{
	char point[PATH_BYTES], type[MOUNT_TYPE_BYTES];
	size_t best = 0;
	bool is_found = false;

	for (const char *line = mounts, *end; *line; line = *end ? end + 1 : end) {
		end = strchrnul(line, '\n');
		if (!parse_line(line, (size_t)(end - line), point, type) ||
		    !is_at_or_below(path, point) || strlen(point) < best)
			continue;
		best = strlen(point);
		strcpy(ret, type);
		is_found = true;
	}
	return is_found;
}

uint64_t mount_type_sum(const char *mounts, const char *path)
{
	uint64_t sum = 0xcbf29ce484222325; /* FNV-1a */
	char point[PATH_BYTES], type[MOUNT_TYPE_BYTES];

	for (const char *line = mounts, *end; *line; line = *end ? end + 1 : end) {
		end = strchrnul(line, '\n');
		if (!parse_line(line, (size_t)(end - line), point, type) ||
		    (!is_at_or_below(path, point) && !is_at_or_below(point, path)))
			continue;
		for (const char *byte = line; byte <= end; byte++)
			sum = (sum ^ (byte < end ? (uint8_t)*byte : '\n')) *
			      0x100000001b3;
	}
	return sum;
}

bool mount_type_is_remote(const char *type)
{
	static const char *const types[] = {
		"nfs",    "nfs4",      "cifs",     "smb3",  "smbfs",
		"9p",     "afs",       "ceph",     "coda",  "fuse",
		"gfs2",   "glusterfs", "lustre",   "ocfs2", "orangefs",
		"beegfs", "fuseblk",   "virtiofs", "pvfs2", "autofs",
	};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (strcmp(type, types[i]) == 0)
			return true;
	return strncmp(type, "fuse.", 5) == 0;
}
