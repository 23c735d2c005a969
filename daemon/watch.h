/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef WATCH_H
#define WATCH_H

#include <systemd/sd-event.h>

#include "gate.h"
#include "util.h"

struct watch;

/*
 * One kind of evidence for TDs under build: watch-<name>.c.
 * @name: as the gate shows it, "kernel"
 * @is_fallback: never both exact and closed, so of no account where another source is
 *	exact, and not asked then
 * @is_veto: it knows nothing of TDs: see struct gate_source
 * @counts_tds: a fallback that counts all TDs of the machine: asked beside whoever says
 *	whence each of them comes
 * @arm: open what is to be watched and add it to @event. Return: 0, or a negative errno:
 *	the source then stays in the list and watch_read() says unknown and why
 * @read: its word at this moment, freshly read, never a cached one where a fresh one can
 *	be had: this is called once more right before the commit. Fills state, confidence,
 *	count, reason (where unknown) and blockers; name is filled by the caller. Blockers
 *	are owned by the watch and stay valid until its next call. Can't fail: what could
 *	not be read is GATE_UNKNOWN
 * @attend: somebody waits for it to open, or no longer does: what no event tells may be
 *	looked at by the clock meanwhile. May be NULL
 * @list_overlap: builds that may have been open at any time in that span of
 *	CLOCK_MONOTONIC, ended ones too, and where that cannot be told, that it cannot be;
 *	owned by the watch until its next call. May be NULL
 * @doubt: another source counts otherwise, and that lasts: what it knows has to be proven
 *	anew. May be NULL
 * @free: release everything; takes a watch that was never armed
 */
struct watch_ops {
	const char *name;
	bool is_fallback;
	bool is_veto;
	bool counts_tds;
	int (*arm)(struct watch *watch, sd_event *event);
	void (*read)(struct watch *watch, struct gate_source *ret);
	void (*attend)(struct watch *watch, bool is_awaited);
	size_t (*list_overlap)(struct watch *watch, uint64_t from_usec, uint64_t to_usec,
			       const struct gate_blocker **ret);
	void (*doubt)(struct watch *watch, const char *why);
	void (*free)(struct watch *watch);
};

#define WATCH_WHY_BYTES 160

/*
 * The head of each watch's own structure.
 * @arm_error: what arming ended with, 0 when armed
 * @why: the same in words, empty where the errno says enough
 * @is_relied_on: an update went by its word, the last time that one went
 * @changed: called from the event loop when the word may have changed; whoever is called
 *	reads again. Spurious calls cost a read and nothing else. Must not free the watch
 */
struct watch {
	const struct watch_ops *ops;
	int arm_error;
	char why[WATCH_WHY_BYTES];
	bool is_relied_on;
	void (*changed)(void *userdata);
	void *userdata;
};

/* Arm, or remember why not. Calling it again retries a watch that could not be armed. */
void watch_arm(struct watch *watch, sd_event *event);
/* The source's word, whatever state the watch is in. */
void watch_read(struct watch *watch, struct gate_source *ret);
void watch_attend(struct watch *watch, bool is_awaited);
size_t watch_list_overlap(struct watch *watch, uint64_t from_usec, uint64_t to_usec,
			  const struct gate_blocker **ret);
/* For the watches themselves: say that the word may have changed. */
void watch_notify(struct watch *watch);
struct watch *watch_free(struct watch *watch);
DEFINE_CLEANUP(struct watch, watch, watch_free)

/* For the watches themselves: not armed, or no longer. Return: @error. */
int watch_fail(struct watch *watch, int error, const char *why);
/* For the watches themselves: an unknown word with its reason. */
void watch_say_unknown(struct gate_source *ret, const char *format, ...) _printf_(2, 3);

/*
 * For the watches themselves: call @on_time once, at @at_usec of CLOCK_MONOTONIC or at
 * once where that is past, instead of when it was to be called. UINT64_MAX: never.
 */
int watch_set_alarm(sd_event *event, sd_event_source **timer, uint64_t at_usec,
		    sd_event_time_handler_t on_time, void *userdata);
/* The same, @usec from now. */
int watch_set_timer(sd_event *event, sd_event_source **timer, uint64_t usec,
		    sd_event_time_handler_t on_time, void *userdata);

/*
 * The watches. Each is new only when memory ran out; whatever else is missing shows when
 * it is armed. @root_fd is borrowed and must outlive the watch.
 */
int watch_kernel_new(int root_fd, struct watch **ret);
int watch_kvm_new(int root_fd, uint64_t settle_usec, struct watch **ret);
/* How long a new VM may be a TD under build, from now on. */
void watch_kvm_set_settle(struct watch *watch, uint64_t settle_usec);
int watch_population_new(int root_fd, struct watch **ret);
int watch_probes_new(int root_fd, struct watch **ret);

#endif
