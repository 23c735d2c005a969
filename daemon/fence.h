/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FENCE_H
#define FENCE_H

#include <stdbool.h>

/*
 * For VMMs that take no leases: no new TD in a slice, by its `misc.max`. A launch then
 * fails instead of waiting, so it is off unless DrainMethod= asks for it.
 *
 * What the limit was is kept in FENCE_PATH until it is put back, by the next daemon if
 * this one dies.
 */
#define FENCE_PATH "run/tdxupd/fence"

bool fence_is_slice(const char *slice);
/* Set the slice's limit of TDs to their number now. Return: 0; -EALREADY it is up;
 * -ENODATA the slice has no such limit; another errno. */
int fence_raise(int root_fd, const char *slice);
/* Put the old limit back; 0 also where nothing is up. A slice that is gone is no error.
 */
int fence_lower(int root_fd);

#endif
