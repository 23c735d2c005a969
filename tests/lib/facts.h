/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FACTS_H
#define FACTS_H

#include "tdxupd.h"

/*
 * Hosts and catalogs made of values, for the stages that are pure. All functions abort
 * the program when out of memory.
 */

/* Lives, runs 1.5.06 under P-SEAMLDR 1.5.00 on a 0xC06F2, 12 updates left, all fine. */
struct tdxupd_host *facts_host(void);

/* An empty catalog with room for @max entries and releases; facts_catalog_free() it. */
struct tdxupd_catalog *facts_catalog(size_t max);
void facts_catalog_free(struct tdxupd_catalog *catalog);
/*
 * Add an image and its release: SVN 1.6, handoff 0, for the CPUs of 1.5, FEATURES0 as of
 * 1.5.06, on a loader 1.5.00 or 2.0.00, after any 1.5.01. In rising order of version
 * only: entries of a catalog are sorted.
 */
struct tdxupd_entry *facts_add(struct tdxupd_catalog *catalog, const char *version);
/* The release of an entry of such a catalog, to be changed. */
struct tdxupd_release *facts_release(struct tdxupd_entry *entry);
/* Let the mapping be silent on it. */
void facts_unmap(struct tdxupd_entry *entry);

struct tdxupd_version facts_version(const char *text);

#endif
