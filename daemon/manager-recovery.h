/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MANAGER_RECOVERY_H
#define MANAGER_RECOVERY_H

#include "manager.h"

/* The kernel is at work on an update, whoever started it. */
bool manager_is_kernel_updating(const struct manager *manager);
/* Before the first snapshot: let an update that outlived its daemon end. Blocks, as the
 * host's files say nothing true until then, but no longer than @usec. */
void manager_await_kernel(struct manager *manager, uint64_t usec);
/* After the first snapshot: find out what became of the last daemon's job, write it down
 * and keep it as a job that has ended. Nothing is tried again. */
void manager_recover(struct manager *manager);

#endif
