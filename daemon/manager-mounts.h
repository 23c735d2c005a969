/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MANAGER_MOUNTS_H
#define MANAGER_MOUNTS_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

struct manager;

/* The images, the store, the mapping file and three directories of records. */
#define MOUNTS_PATHS 6

/*
 * @fd: the kernel's list of mounts, which tells by poll() that it has changed
 * @sums: of what is mounted over each path, as of the last look; 0: not read
 */
struct mounts {
	int fd;
	sd_event_source *source;
	sd_event_source *settler;
	uint64_t sums[MOUNTS_PATHS];
};

void manager_mounts_init(struct manager *manager);
/* From now on a mount over what is read has it read again; inotify would not see it. */
void manager_mounts_watch(struct manager *manager);
/* Whether mounts over what is read have changed since the last look; says which. */
bool manager_mounts_look(struct manager *manager);
void manager_mounts_done(struct manager *manager);

#endif
