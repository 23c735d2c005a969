// SPDX-License-Identifier: LGPL-2.1-or-later
/* Instead of pack.c, where this was built without libarchive. */
#include <errno.h>

#include "pack.h"
#include "util.h"

bool pack_is_supported(void)
{
	return false;
}

static int refuse(char **ret_why)
{
	return why_set(ret_why, -EOPNOTSUPP,
		       "is compressed, and this tdxupd was built without libarchive");
}

int pack_read_file(const uint8_t *bytes, size_t count, size_t max_bytes, uint8_t **ret,
		   size_t *ret_count, char **ret_why)
{
	(void)bytes;
	(void)count;
	(void)max_bytes;
	(void)ret;
	(void)ret_count;
	return refuse(ret_why);
}

int pack_read_archive(const uint8_t *bytes, size_t count, struct pack *ret,
		      char **ret_why)
{
	(void)bytes;
	(void)count;
	(void)ret;
	return refuse(ret_why);
}
