/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef INHIBIT_H
#define INHIBIT_H

#include <systemd/sd-bus.h>

#include "job-state.h"

/* What systemd-logind is asked to keep from happening: sleep and shutdown. */
enum inhibit_mode {
	INHIBIT_NOTHING,
	INHIBIT_DELAY, /* hold it up until a waiting job has let go */
	INHIBIT_BLOCK, /* not between the last look and the verdict */
	_INHIBIT_MODE_MAX,
};

/* What a job in @state asks for. Pure. */
enum inhibit_mode inhibit_mode_of(enum job_state state);

/* The locks held or asked for; all zero is none. */
struct inhibit {
	enum inhibit_mode mode;
	struct inhibit_lock {
		sd_bus_slot *pending;
		int fd; /* one more than the descriptor: 0 is none */
	} locks[_INHIBIT_MODE_MAX];
};

/*
 * Ask without waiting for the answer: the lock counts from when logind has read the call,
 * and where there is no logind there is nothing to ask. @bus may be NULL.
 */
void inhibit_set(struct inhibit *inhibit, sd_bus *bus, enum inhibit_mode mode);

#endif
