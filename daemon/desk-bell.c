// SPDX-License-Identifier: LGPL-2.1-or-later
/* What the desks have in common as sources of the gate. Their words are their own. */
#include <errno.h>

#include "desk-bell.h"

struct desk_watch {
	struct watch base;
	struct desk_bell *bell;
	void *desk;
};

void desk_bell_ring(struct desk_bell *bell)
{
	if (bell->watch)
		watch_notify(bell->watch);
}

static int on_later(sd_event_source *source, void *userdata)
{
	(void)source;
	desk_bell_ring(userdata);
	return 0;
}

void desk_bell_ring_later(struct desk_bell *bell, sd_event *event)
{
	if (!bell->later)
		(void)sd_event_add_defer(event, &bell->later, on_later, bell);
	else
		(void)sd_event_source_set_enabled(bell->later, SD_EVENT_ONESHOT);
}

void desk_bell_done(struct desk_bell *bell)
{
	sd_event_source_disable_unref(bell->later);
}

/* ---- the watch ---- */

static struct desk_watch *from_base(struct watch *watch)
{
	return (struct desk_watch *)watch; /* the head comes first */
}

int desk_watch_new(const struct watch_ops *ops, struct desk_bell *bell, void *desk,
		   struct watch **ret)
{
	struct desk_watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return -ENOMEM;
	watch->base.ops = ops;
	watch->base.arm_error = -ENODATA; /* until armed */
	watch->bell = bell;
	watch->desk = desk;
	*ret = &watch->base;
	return 0;
}

void *desk_watch_get_desk(struct watch *watch)
{
	return from_base(watch)->desk;
}

int desk_watch_arm(struct watch *watch, sd_event *event)
{
	(void)event;
	from_base(watch)->bell->watch = watch;
	return 0;
}

void desk_watch_free(struct watch *watch)
{
	from_base(watch)->bell->watch = NULL;
	free(watch);
}
