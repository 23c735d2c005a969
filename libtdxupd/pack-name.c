// SPDX-License-Identifier: LGPL-2.1-or-later
/* Which files are packed, by their names: a name is all that a list has. */
#include <string.h>

#include "pack.h"
#include "util.h"

static bool ends_with(const char *name, const char *suffix, size_t *ret_length)
{
	size_t length = strlen(name), tail = strlen(suffix);

	if (length <= tail || strcmp(name + length - tail, suffix) != 0)
		return false;
	*ret_length = length - tail;
	return true;
}

bool pack_is_archive(const char *name)
{
	static const char *const suffixes[] = { ".tar.gz", ".tgz", ".tar.xz", ".tar.zst",
						".tar" };
	size_t length;

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
		if (ends_with(name, suffixes[i], &length))
			return true;
	return false;
}

bool pack_is_compressed(const char *name, size_t *ret_length)
{
	static const char *const suffixes[] = { ".zst", ".xz", ".gz" };

	if (pack_is_archive(name))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
		if (ends_with(name, suffixes[i], ret_length))
			return true;
	return false;
}

void pack_done(struct pack *pack)
{
	for (size_t i = 0; i < pack->count; i++) {
		free(pack->members[i].name);
		free(pack->members[i].bytes);
	}
	free(pack->members);
	*pack = (struct pack){};
}
