/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef POPULATION_H
#define POPULATION_H

#include <stdint.h>

/*
 * TDs of the whole machine, as the misc cgroup counts them: each takes a key before its
 * TDH.MNG.INIT and gives it back with TDH.MNG.KEY.FREEID (arch/x86/kvm/vmx/tdx.c).
 * Return: 0; -ENODATA the text has no line for TDs; -EBADMSG it can't be read.
 */
int population_parse(const char *text, uint64_t *ret);

/*
 * The file itself, of the root cgroup: there only is misc.capacity beside it. In a cgroup
 * namespace the same path is of a part of the machine, and no evidence that another part
 * has no TD. Return: 0; -ENODATA no cgroup v2, or no misc controller that counts TDs;
 * -EXDEV not the root cgroup.
 */
#define POPULATION_PATH "sys/fs/cgroup/misc.current"
int population_read(int root_fd, uint64_t *ret);
/* The same for whoever reads it often: a descriptor, each read of which is fresh. */
int population_open(int root_fd);
int population_read_fd(int fd, uint64_t *ret);
/* Static words for an errno of these. */
const char *population_strerror(int error);

#endif
