/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CATALOG_CACHE_H
#define CATALOG_CACHE_H

#include <stdbool.h>
#include <sys/stat.h>
#include <time.h>

#include "tdxupd.h"

/*
 * What earlier runs found out of images by reading and verifying them, by device, inode,
 * size, mtime and ctime of the file. Only ever good for a listing: what is about to be
 * staged is read and verified again (tdxupd_catalog_load()).
 *
 * It is a convenience: whatever is wrong with its file, it is just empty, and where it
 * can't be written, the next run takes as long as this one.
 */
struct cache;

/*
 * Open what was kept below @root_fd for just this policy, as verdicts depend on it.
 * @now: CLOCK_REALTIME. Return: 0; -ENOMEM.
 */
int cache_new(int root_fd, const struct tdxupd_policy *policy, time_t now,
	      struct cache **ret);
struct cache *cache_free(struct cache *cache);
/* @partner: of the second file of an image that is made of two, or NULL. */
/* Fill in @image and @report of @entry. Return: 1 found, 0 not, -ENOMEM. */
int cache_find(struct cache *cache, const struct stat *st, const struct stat *partner,
	       struct tdxupd_entry *entry);
/* Keep @image and @report of @entry for a next run. Return: 0; -ENOMEM. */
int cache_add(struct cache *cache, const struct stat *st, const struct stat *partner,
	      const struct tdxupd_entry *entry);
/* Write what was found and added, if that is not what the file holds. */
void cache_save(struct cache *cache, int root_fd);

#endif
