/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LEASE_H
#define LEASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "gate.h"
#include "quota.h"
#include "util.h"

#define LEASE_VM_BYTES     48
#define LEASE_SENDER_BYTES 32

/*
 * A VMM's word that it builds a TD: held from before the build to its end.
 * @vm: what it calls the VM, printable
 * @sender, @uid: who asked, for the limit
 * @asked_usec, @held_usec: CLOCK_MONOTONIC; @held_usec is 0 while it waits
 * @has_expired: held for longer than any build takes, and told so
 */
struct lease {
	uint64_t id;
	char vm[LEASE_VM_BYTES];
	char sender[LEASE_SENDER_BYTES];
	uid_t uid;
	pid_t pid;
	uint64_t asked_usec;
	uint64_t held_usec;
	bool has_expired;
	void *userdata;
};

struct lease_limits {
	struct quota quota;
	uint64_t age_usec;
};

/* All leases, those that wait for the barrier too, in the order of asking. */
struct lease_registry;

int lease_registry_new(const struct lease_limits *limits, struct lease_registry **ret);
struct lease_registry *lease_registry_free(struct lease_registry *registry);
DEFINE_CLEANUP(struct lease_registry, lease_registry, lease_registry_free)

void lease_registry_set_age(struct lease_registry *registry, uint64_t age_usec);

/*
 * A new lease that waits. Return: 0; -EDQUOT @sender or @uid has as many as one may;
 * -ENOBUFS all together have; -EINVAL @vm is empty; -ENOMEM.
 */
int lease_ask(struct lease_registry *registry, const char *vm, const char *sender,
	      uid_t uid, pid_t pid, uint64_t now_usec, struct lease **ret);
/* It is held from now on. */
void lease_grant(struct lease *lease, uint64_t now_usec);
/* It is over, held or not, and freed. */
void lease_end(struct lease_registry *registry, struct lease *lease);

/* The one that has waited longest, NULL when none waits. */
struct lease *lease_get_first_waiting(const struct lease_registry *registry);
size_t lease_count(const struct lease_registry *registry);
struct lease *lease_get(const struct lease_registry *registry, size_t i);

/* Marks and returns a lease that has just become too old, NULL when there is none. */
struct lease *lease_expire_next(struct lease_registry *registry, uint64_t now_usec);
/* When the next one becomes too old; UINT64_MAX never. */
uint64_t lease_get_next_expiry(const struct lease_registry *registry);

/* Closed and exact while one is held and not too old; open is a hint, for VMMs that take
 * leases. */
void lease_registry_read(struct lease_registry *registry, uint64_t now_usec,
			 struct gate_source *ret);

#endif
