/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SOURCES_H
#define SOURCES_H

#include "contradiction.h"
#include "gate.h"
#include "watch.h"

/*
 * All gate sources of this host, and what they said last.
 * @fallback: index of the first that is one, @count where none is
 * @told: the state of each when somebody was last told to decide, or decided
 * @changed: the word of one of them may have changed
 */
struct sources {
	size_t count;
	size_t fallback;
	bool is_awaited;
	struct watch *watches[GATE_SOURCES_MAX];
	struct gate_source words[GATE_SOURCES_MAX];
	uint64_t told[GATE_SOURCES_MAX];
	struct contradiction contradiction;
	sd_event *event;
	sd_event_source *looker;
	sd_event_source *bell;
	uint64_t arm_at_usec;
	void (*changed)(void *userdata);
	void *userdata;
};

/* Takes the watch over, also when it fails; fallbacks come last. Return: 0; -ENOSPC. */
int sources_add(struct sources *sources, struct watch *watch);
/* Arm those that are not armed, or no longer. */
void sources_arm(struct sources *sources, sd_event *event);
/*
 * Ask every source anew, for whoever shows their words, and arm again what is not armed,
 * once a second at the most. What it finds out is lost to nobody: where a word is not
 * what it was when last decided, and somebody waits, @changed is called from the event
 * loop.
 */
void sources_read(struct sources *sources);
/*
 * Ask those anew that can matter, and decide: fallbacks only where the others leave it
 * undecided. Between an open gate and the commit each question is a system call.
 */
struct gate_verdict sources_decide(struct sources *sources, enum gate_policy policy,
				   bool has_module_guard);
/* Of all their words as they were last read: another number is other words. */
uint64_t sources_sum_up(const struct sources *sources);
/* Somebody waits for the gate to open, or nobody does any more. Meanwhile all are asked a
 * few times a second for what no event tells of. */
void sources_attend(struct sources *sources, bool is_awaited);
void sources_done(struct sources *sources);

#endif
