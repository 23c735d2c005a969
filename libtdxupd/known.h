/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef KNOWN_H
#define KNOWN_H

#include <stddef.h>

#include "tdxupd.h"

/* Thousands of modules; six are known. */
#define KNOWN_BYTES_MAX (1u << 20)

/*
 * Read the text of known-modules.json.
 *
 * @ret: modules by rising version, free() them. Return: 0; -EBADMSG with @ret_why (may be
 * NULL), one phrase, free() it; -ENOMEM.
 */
int known_parse(const char *text, size_t bytes, struct tdxupd_known_module **ret,
		size_t *ret_count, char **ret_why);

/*
 * Read the file that came with this library, below @root_fd. Where it is missing, nothing
 * is known: that is no error.
 *
 * @io_flags: enum io_flags. Return: 0; -EBADMSG as above; an errno of the file.
 */
int known_read(int root_fd, unsigned io_flags, struct tdxupd_known_module **ret,
	       size_t *ret_count, char **ret_why);

#endif
