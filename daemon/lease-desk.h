/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LEASE_DESK_H
#define LEASE_DESK_H

#include <systemd/sd-event.h>

#include "barrier.h"
#include "fdstore.h"
#include "job-state.h"
#include "lease.h"
#include "watch.h"

/*
 * Where VMMs announce their builds: gives leases out, at once or when the barrier opens,
 * and takes them back when their descriptor is closed, by a crash too.
 */
struct lease_desk;

/*
 * @shut: the barrier has shut or opened, for whoever makes launches wait in another way
 * @expired: this lease is held for longer than any build takes; it counts no more
 */
struct lease_desk_listener {
	void (*shut)(void *userdata, bool is_shut);
	void (*expired)(void *userdata, const struct lease *lease);
	void *userdata;
};

int lease_desk_new(sd_event *event, const struct lease_limits *limits,
		   const struct barrier_config *config, struct lease_desk **ret);
struct lease_desk *lease_desk_free(struct lease_desk *desk);
DEFINE_CLEANUP(struct lease_desk, lease_desk, lease_desk_free)
void lease_desk_set_listener(struct lease_desk *desk,
			     const struct lease_desk_listener *listener);
/* Other limits and times from the next lease and the next update on. */
void lease_desk_configure(struct lease_desk *desk, const struct lease_limits *limits,
			  const struct barrier_config *config);

/*
 * @fd: the lease, held until its last copy is closed; borrowed, keep a copy. Or a
 * negative errno: there is no lease after all; -EBUSY an update takes so long that none
 * can be waited for.
 */
typedef void (*lease_granted_fn)(void *userdata, const struct lease *lease, int fd);

/*
 * Ask for a lease; @granted is called once, before this returns where the barrier is not
 * shut. Return: as lease_ask(); then @granted is not called.
 */
int lease_desk_ask(struct lease_desk *desk, const char *vm, const char *sender, uid_t uid,
		   pid_t pid, lease_granted_fn granted, void *userdata);
/* Those of the daemon before this one that are still held, as systemd has kept them. */
void lease_desk_restore(struct lease_desk *desk, struct fdstore *store);
/* Whoever waits with that @userdata waits no more; @granted is not called. */
void lease_desk_withdraw(struct lease_desk *desk, void *userdata);

/* The update's job is in @state now; @is_urgent: it asked for a gap to be made at once.
 */
void lease_desk_follow(struct lease_desk *desk, enum job_state state, bool is_urgent);
/* It waits, and for no build: launches go. */
void lease_desk_rest(struct lease_desk *desk);

/* The kernel is at work on an update that is no job's, or no longer: launches wait for
 * its end as for that of a job's commit. */
void lease_desk_hold(struct lease_desk *desk, bool is_held);

const struct lease_registry *lease_desk_get_registry(const struct lease_desk *desk);

/* The desk as a source of the gate; borrows it. */
int watch_leases_new(struct lease_desk *desk, struct watch **ret);

#endif
