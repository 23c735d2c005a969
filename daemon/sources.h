/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SOURCES_H
#define SOURCES_H

#include "gate.h"
#include "watch.h"

/*
 * All gate sources of this host, and what they said last.
 * @changed: the word of one of them may have changed
 */
struct sources {
	size_t count;
	struct watch *watches[GATE_SOURCES_MAX];
	struct gate_source words[GATE_SOURCES_MAX];
	void (*changed)(void *userdata);
	void *userdata;
};

/* Takes the watch over, also when it fails. Return: 0; -ENOSPC. */
int sources_add(struct sources *sources, struct watch *watch);
/* Arm those that are not armed yet. */
void sources_arm(struct sources *sources, sd_event *event);
/* Ask every source anew and decide. */
struct gate_verdict sources_decide(struct sources *sources, enum gate_policy policy,
				   bool has_module_guard);
void sources_done(struct sources *sources);

#endif
