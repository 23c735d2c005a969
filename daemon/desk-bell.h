/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DESK_BELL_H
#define DESK_BELL_H

#include "watch.h"

/*
 * How a desk of the daemon's own, where leases or inhibitors are held, is a source of the
 * gate: it rings when its word may have changed. All zero is one that nobody hears.
 */
struct desk_bell {
	struct watch *watch; /* NULL or borrowed */
	sd_event_source *later;
};

void desk_bell_ring(struct desk_bell *bell);
/* From the event loop, when the caller has returned. */
void desk_bell_ring_later(struct desk_bell *bell, sd_event *event);
void desk_bell_done(struct desk_bell *bell);

/*
 * The watch that hears it; @bell and @desk must outlive it. @ops: desk_watch_arm() and
 * desk_watch_free() among them. Return: 0; -ENOMEM.
 */
int desk_watch_new(const struct watch_ops *ops, struct desk_bell *bell, void *desk,
		   struct watch **ret);
void *desk_watch_get_desk(struct watch *watch);
int desk_watch_arm(struct watch *watch, sd_event *event);
void desk_watch_free(struct watch *watch);

#endif
