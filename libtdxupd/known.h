/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef KNOWN_H
#define KNOWN_H

#include <stdbool.h>
#include <stddef.h>

#include "notes.h"
#include "tdxupd.h"

/* Where records are added, by falling rank. */
#define KNOWN_DIR_ETC "/etc/tdxupd/known-modules.d"
#define KNOWN_DIR_RUN "/run/tdxupd/known-modules.d"
#define KNOWN_DIR_USR "/usr/lib/tdxupd/known-modules.d"

/* Thousands of modules; 21 are known. */
#define KNOWN_BYTES_MAX (1u << 20)

/*
 * Read the text of known-modules.json or of a file of known-modules.d.
 *
 * @ret: records by rising version, free() them. Return: 0; -EBADMSG with @ret_why (may be
 * NULL), one phrase, free() it; -ENOMEM.
 */
int known_parse(const char *text, size_t bytes, struct tdxupd_known_module **ret,
		size_t *ret_count, char **ret_why);

/*
 * Read the file that came with this library, below @root_fd, and the records that the
 * administrator and the distribution add to it. Missing files are no error. A file of
 * known-modules.d that cannot be used is left out with a note.
 *
 * @io_flags: enum io_flags. @notes: may be NULL. Return: 0; -EBADMSG as above, for the
 * built-in file; an errno of it.
 */
int known_read(int root_fd, unsigned io_flags, struct notes *notes,
	       struct tdxupd_known_module **ret, size_t *ret_count, char **ret_why);

/*
 * Add @more to @known. Where both know something and differ, @known wins, and a note
 * names
 * @origin. Return: 0, -ENOMEM.
 */
int known_merge(struct tdxupd_known_module **known, size_t *count,
		const struct tdxupd_known_module *more, size_t more_count,
		const char *origin, struct notes *notes);

const struct tdxupd_known_module *known_find(const struct tdxupd_known_module *known,
					     size_t count,
					     const struct tdxupd_version *version);
const struct tdxupd_known_module *
known_find_mrseam(const struct tdxupd_known_module *known, size_t count,
		  const struct tdxupd_digest *mrseam);

#endif
