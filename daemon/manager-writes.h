/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MANAGER_WRITES_H
#define MANAGER_WRITES_H

#include "manager.h"

/* See others write to the kernel's files from now on; what is watched already stays. */
void manager_watch_writes(struct manager *manager);
/* Where the kernel is at work on somebody else's update, hold launches until it is not.
 */
void manager_attend_kernel(struct manager *manager);
void manager_writes_done(struct manager *manager);

#endif
