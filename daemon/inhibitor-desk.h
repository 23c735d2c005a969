/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef INHIBITOR_DESK_H
#define INHIBITOR_DESK_H

#include <systemd/sd-event.h>

#include "fdstore.h"
#include "inhibitor.h"
#include "watch.h"

/*
 * Where updates are forbidden for a while: each inhibitor lasts until its descriptor is
 * closed, which the end of its holder does too, or its time is over.
 */
struct inhibitor_desk;

int inhibitor_desk_new(sd_event *event, const struct inhibitor_limits *limits,
		       struct inhibitor_desk **ret);
struct inhibitor_desk *inhibitor_desk_free(struct inhibitor_desk *desk);
DEFINE_CLEANUP(struct inhibitor_desk, inhibitor_desk, inhibitor_desk_free)

/*
 * @wanted: mode, sender, uid, pid and until_usec; the rest is filled in
 * @ret_fd: what it hangs on: send it, then close it
 * Return: as inhibitor_add(), or an errno: no descriptor could be made.
 */
int inhibitor_desk_take(struct inhibitor_desk *desk, const struct inhibitor *wanted,
			const char *who, const char *why, int *ret_fd);
/* Those of the daemon before this one that are still held, as systemd has kept them. */
void inhibitor_desk_restore(struct inhibitor_desk *desk, struct fdstore *store);
/* An update is ready: those that delay it have @delay_usec from now, once. Return:
 * whether this is news. */
bool inhibitor_desk_prepare(struct inhibitor_desk *desk, uint64_t delay_usec);
/* It is over. Return: whether this is news. */
bool inhibitor_desk_rest(struct inhibitor_desk *desk);
/* Does one of them hold updates up at this moment? */
bool inhibitor_desk_is_closed(struct inhibitor_desk *desk);
const struct inhibitor_registry *
inhibitor_desk_get_registry(const struct inhibitor_desk *desk);

/* The desk as a source of the gate; borrows it. */
int watch_inhibitors_new(struct inhibitor_desk *desk, struct watch **ret);

#endif
