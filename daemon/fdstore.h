/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FDSTORE_H
#define FDSTORE_H

#include <stdbool.h>
#include <stddef.h>

#include "util.h"

/*
 * Descriptors that systemd keeps while this service is restarted (FileDescriptorStoreMax=
 * of the unit). They come back after `systemctl restart` and after a crash, and are
 * dropped by `systemctl stop` and by a boot: v252 drops them when the unit is inactive
 * and no job is queued for it, later ones by FileDescriptorStorePreserve=restart, their
 * default. Whether there is such a store nobody tells before it has given one back.
 */
struct fdstore_item {
	char *name;
	int fd;
};

struct fdstore {
	size_t count;
	struct fdstore_item *items;
};

/* What has come back; the environment says so once. Return: 0; -ENOMEM or another errno,
 * and nothing has. */
int fdstore_take(struct fdstore *ret);
/* Closes what nobody has taken out. */
void fdstore_done(struct fdstore *store);
/* Take the first of that name out: -1 where there is none. The caller's to close. */
int fdstore_get(struct fdstore *store, const char *name);

/* Is this a service of systemd, which may have a store? */
bool fdstore_is_possible(void);
/* Have a copy of @fd kept under @name. Return: 0; -ENODATA nobody keeps any; an errno. */
int fdstore_put(const char *name, int fd);
/* Have all of that name dropped. */
void fdstore_remove(const char *name);

#endif
