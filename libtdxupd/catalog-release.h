/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CATALOG_RELEASE_H
#define CATALOG_RELEASE_H

#include <stddef.h>

#include "notes.h"
#include "tdxupd.h"

/*
 * Hold the rows of a mapping against the records: correct what is known to be superseded,
 * mark what is disputed, and add a row for each record that can stand in for one. @file:
 * the mapping's name, for the notes. Return: 0, -ENOMEM.
 */
int releases_add_records(struct tdxupd_release **releases, size_t *count,
			 const struct tdxupd_known_module *known, size_t known_count,
			 const char *file, struct notes *notes);

#endif
