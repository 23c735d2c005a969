/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MANAGER_RECOVERY_H
#define MANAGER_RECOVERY_H

#include "manager.h"

/* The kernel is at work on an update, whoever started it. */
bool manager_is_kernel_updating(const struct manager *manager);
/*
 * Take the first snapshot, find out what became of the last daemon's job, write it down
 * and keep it as a job that has ended. Nothing is tried again; only what was handed over
 * at a restart, and has come back, goes on. Where an update has outlived its daemon, that
 * comes from the event loop when the kernel has ended it, or after @await_usec at the
 * latest: is_awaiting until then, and launches are held. Return: 0; an errno.
 */
int manager_begin(struct manager *manager, uint64_t await_usec);

#endif
