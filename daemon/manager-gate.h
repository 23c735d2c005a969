/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MANAGER_GATE_H
#define MANAGER_GATE_H

#include "manager.h"

/* Open the lease desk and add all sources; they are armed by manager_refresh(). */
int manager_gate_init(struct manager *manager);
void manager_gate_done(struct manager *manager);
/* What a reloaded configuration says counts from the next update on. */
void manager_gate_configure(struct manager *manager);
/*
 * Forbid updates, or delay them. Return: as inhibitor_desk_take(); -EBUSY one is being
 * committed, or @wanted would only delay it and it is ready already: too late to be
 * heard.
 */
int manager_inhibit(struct manager *manager, const struct inhibitor *wanted,
		    const char *who, const char *why, int *ret_fd);
/* Ask all sources anew, let the job go if it may, and tell. */
void manager_gate_changed(struct manager *manager);
/* Somebody is about to be shown it: what is known must not be old. */
void manager_gate_look(struct manager *manager);
/* @job has changed: who attends to the gate, and whether launches wait, follows. */
void manager_gate_follow(struct manager *manager, const struct job *job);
/* Limit the slice, where that is wanted and not done yet. Return: whether that was done.
 */
bool manager_gate_shut(struct manager *manager);
/* Lift the limit again: there is no commit after all. */
void manager_gate_reopen(struct manager *manager);

#endif
