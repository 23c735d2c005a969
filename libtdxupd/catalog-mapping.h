/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CATALOG_MAPPING_H
#define CATALOG_MAPPING_H

#include <stddef.h>

#include "tdxupd.h"

/* 20,000 releases as Intel describes them; there are 20. */
#define MAPPING_BYTES_MAX (4u << 20)

/*
 * Read the text of mapping_file.json.
 *
 * @ret: releases by rising version, mapping_free() them. Return: 0; -EBADMSG with
 * @ret_why (may be NULL), one phrase, free() it; -ENOMEM.
 */
int mapping_parse(const char *text, size_t bytes, struct tdxupd_release **ret,
		  size_t *ret_count, char **ret_why);
void mapping_free(struct tdxupd_release *releases, size_t count);
/* Return: NULL where there is none. */
const struct tdxupd_release *mapping_find(const struct tdxupd_release *releases,
					  size_t count,
					  const struct tdxupd_version *version);

#endif
