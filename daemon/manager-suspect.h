/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MANAGER_SUSPECT_H
#define MANAGER_SUSPECT_H

#include "manager.h"

/*
 * @job's commit is through: name the builds that were open at any time in it. Where no
 * source has seen all of it, whatever opened the gate, say that none can be excluded.
 */
void manager_report_suspects(struct manager *manager, struct job *job);

/* Has one of these words seen all builds, or are there no TDs that could have been hit? A
 * lease that is held is exact about its VM and says nothing of others. Pure. */
bool suspect_is_excluded(const struct gate_source *words, size_t count,
			 bool has_module_guard);

#endif
