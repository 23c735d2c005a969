/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CATALOG_ENTRY_H
#define CATALOG_ENTRY_H

#include <stdbool.h>
#include <stddef.h>

#include "tdxupd.h"

struct cache;

/* What an entry is judged by. @cache: what is known from earlier runs, or NULL. */
struct entry_rules {
	const struct tdxupd_policy *policy;
	const struct tdxupd_known_module *known;
	size_t known_count;
	unsigned flags; /* enum tdxupd_catalog_flags */
	struct cache *cache;
};

/*
 * Read one file of the images directory: what it is and whether it may be trusted, not
 * yet which version. Its bytes stay in entry->image, unless the cache knows it.
 *
 * @ret_is_image: false where the file is none, by content and by name; @ret then is left
 * alone and @ret_why, free() it, says what it is instead; nothing where it is a part of
 * another one. @path: below @images_fd, as files_list() has it. Return: 0; -ENOMEM.
 */
int entry_read(int images_fd, const char *path, const struct entry_rules *rules,
	       struct tdxupd_entry *ret, bool *ret_is_image, char **ret_why);
/* Find out which version it is, with all verdicts on that. Return: 0; -ENOMEM. */
int entry_find_version(struct tdxupd_entry *entry, const struct entry_rules *rules);
int entry_check_blocked(const struct tdxupd_entry *entry,
			const struct tdxupd_policy *policy, struct tdxupd_report *report);
void entry_done(struct tdxupd_entry *entry);
/* "tdx_module_1.5.16.blob", as Intel names them. */
bool entry_parse_name(const char *name, struct tdxupd_version *ret);

#endif
