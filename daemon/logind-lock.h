/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LOGIND_LOCK_H
#define LOGIND_LOCK_H

#include <systemd/sd-bus.h>

#include "job-state.h"

/* What systemd-logind is asked to keep from happening: sleep and shutdown. */
enum logind_lock_mode {
	LOGIND_LOCK_NOTHING,
	LOGIND_LOCK_DELAY, /* hold it up until a waiting job has let go */
	LOGIND_LOCK_BLOCK, /* not between the commit and the verdict */
	_LOGIND_LOCK_MODE_MAX,
};

/* What a job in @state asks for. Pure. */
enum logind_lock_mode logind_lock_mode_of(enum job_state state);

/* The locks held or asked for; all zero is none. */
struct logind_locks {
	enum logind_lock_mode mode;
	struct logind_lock {
		sd_bus_slot *pending;
		int fd; /* one more than the descriptor: 0 is none */
	} locks[_LOGIND_LOCK_MODE_MAX];
};

/*
 * Ask without waiting for the answer: the lock counts from when logind has read the call,
 * and where there is no logind there is nothing to ask. @bus may be NULL.
 */
void logind_locks_set(struct logind_locks *locks, sd_bus *bus,
		      enum logind_lock_mode mode);

#endif
