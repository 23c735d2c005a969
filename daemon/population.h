/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef POPULATION_H
#define POPULATION_H

#include <stdint.h>

#include "refusals.h"
#include "util.h"

#define POPULATION_PATH "sys/fs/cgroup/misc.current"

/*
 * TDs of the whole machine, as the misc cgroup counts them: each takes a key before its
 * TDH.MNG.INIT and gives it back with TDH.MNG.KEY.FREEID (arch/x86/kvm/vmx/tdx.c).
 *
 * The number is the root cgroup's: there only is misc.capacity beside it. In a cgroup
 * namespace the same path is of a part of the machine, and no evidence that another part
 * has no TD. And it counts only while no limit has refused a TD its key: Linux 7.3 then
 * takes back from the number what it never added (__tdx_td_init(), free_hkid).
 *
 * Descriptors are kept between reads: between an open gate and the commit each system
 * call counts.
 */
struct population {
	int root_fd;
	int cgroup_fd;
	int fd;
	struct refusals refusals;
};

#define POPULATION(root)                                     \
	(struct population)                                  \
	{                                                    \
		.root_fd = (root), .cgroup_fd = -1, .fd = -1 \
	}

void population_done(struct population *population);

/*
 * Return: 0; -ENODATA no cgroup v2, or no misc controller that counts TDs; -EXDEV not the
 * root cgroup; -ERANGE the number may be too low; -EBADMSG it can't be read; -errno.
 */
int population_read_again(struct population *population, uint64_t *ret);
/* The same in its two parts: at least so many, in one system call; and whether it is. */
int population_read_number(struct population *population, uint64_t *ret);
int population_check(struct population *population);
/* Both, once. */
int population_read(int root_fd, uint64_t *ret);

/*
 * The number in the line of @text that begins with @label, "tdx " of misc.current,
 * slices' as well. Return: 0; -ENODATA there is no such line; -EBADMSG it has no number.
 */
int population_parse_line(const char *text, const char *label, uint64_t *ret);

/* Static words for an errno of these. */
const char *population_strerror(int error);

#endif
