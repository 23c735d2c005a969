/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef REFUSALS_H
#define REFUSALS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "util.h"

struct pollfd;

/*
 * Keys for TDs that a limit of the misc controller has refused, as `tdx.max` in the
 * `misc.events` of the cgroups right below the root says: each counts what happened
 * anywhere in it since it was made (kernel/cgroup/misc.c:misc_cg_event()).
 *
 * @has_any: it was more than none once; a cgroup that is gone takes its number along
 */
struct refusals {
	bool is_read;
	bool has_any;
	nlink_t links;
	struct pollfd *files;
	size_t count;
};

/* All zeroes is a new one. */
void refusals_done(struct refusals *refusals);

/*
 * Has any been refused? Files are read again where the kernel says that they have
 * changed; otherwise this takes two system calls. @cgroup_fd: the root cgroup's
 * directory. Return: 0, 1 or -errno; after an error it is not known.
 */
int refusals_have_any(struct refusals *refusals, int cgroup_fd);

#endif
