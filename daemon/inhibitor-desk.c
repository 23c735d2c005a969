// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Inhibitors on the event loop. What one is, is decided in inhibitor.c; who may have one,
 * on the bus.
 */
#include <errno.h>

#include "clock.h"
#include "inhibitor-desk.h"
#include "lifeline.h"

struct holder {
	struct inhibitor_desk *desk;
	struct inhibitor *inhibitor;
	struct lifeline lifeline;
};

struct inhibitor_desk {
	sd_event *event;
	struct inhibitor_registry *registry;
	sd_event_source *timer;
	sd_event_source *teller;
	struct watch *watch; /* NULL or borrowed */
};

static uint64_t now(void)
{
	return clock_usec(CLOCK_MONOTONIC);
}

static int on_tell(sd_event_source *source, void *userdata)
{
	struct inhibitor_desk *desk = userdata;

	(void)source;
	if (desk->watch)
		watch_notify(desk->watch);
	return 0;
}

/* Whoever asked is answered first. */
static void tell_later(struct inhibitor_desk *desk)
{
	if (!desk->teller)
		(void)sd_event_add_defer(desk->event, &desk->teller, on_tell, desk);
	else
		(void)sd_event_source_set_enabled(desk->teller, SD_EVENT_ONESHOT);
}

/* ---- one of them ---- */

static void drop(struct holder *holder)
{
	lifeline_close(&holder->lifeline);
	inhibitor_end(holder->desk->registry, holder->inhibitor);
	free(holder);
}

static int on_time(sd_event_source *timer, uint64_t usec, void *userdata);

static void set_timer(struct inhibitor_desk *desk)
{
	uint64_t usec = now(), next = inhibitor_get_next(desk->registry, usec);

	if (next != UINT64_MAX)
		watch_set_timer(desk->event, &desk->timer, next > usec ? next - usec : 0,
				on_time, desk);
	else if (desk->timer)
		sd_event_source_set_enabled(desk->timer, SD_EVENT_OFF);
}

static int on_time(sd_event_source *timer, uint64_t usec, void *userdata)
{
	struct inhibitor_desk *desk = userdata;
	struct inhibitor *inhibitor;

	(void)timer;
	(void)usec;
	while ((inhibitor = inhibitor_get_expired(desk->registry, now())))
		drop(inhibitor->userdata);
	set_timer(desk);
	return on_tell(NULL, desk);
}

static int on_closed(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct holder *holder = userdata;
	struct inhibitor_desk *desk = holder->desk;

	(void)source, (void)fd, (void)events;
	drop(holder);
	set_timer(desk);
	return on_tell(NULL, desk);
}

int inhibitor_desk_take(struct inhibitor_desk *desk, const struct inhibitor *wanted,
			const char *who, const char *why, int *ret_fd)
{
	struct holder *holder = calloc(1, sizeof(*holder));
	int r;

	if (!holder)
		return -ENOMEM;
	holder->desk = desk;
	r = inhibitor_add(desk->registry, wanted, who, why, &holder->inhibitor);
	if (r < 0) {
		free(holder);
		return r;
	}
	holder->inhibitor->userdata = holder;
	holder->inhibitor->since_usec = now();
	r = lifeline_open(&holder->lifeline, desk->event, on_closed, holder, ret_fd);
	if (r < 0) {
		drop(holder);
		return r;
	}
	set_timer(desk);
	tell_later(desk);
	return 0;
}

/* ---- updates ---- */

bool inhibitor_desk_prepare(struct inhibitor_desk *desk, uint64_t delay_usec)
{
	uint64_t usec = now();

	if (inhibitor_is_preparing(desk->registry))
		return false;
	inhibitor_prepare(desk->registry, delay_usec < UINT64_MAX - usec
						  ? usec + delay_usec
						  : UINT64_MAX);
	set_timer(desk);
	return true;
}

bool inhibitor_desk_rest(struct inhibitor_desk *desk)
{
	if (!inhibitor_is_preparing(desk->registry))
		return false;
	inhibitor_rest(desk->registry);
	set_timer(desk);
	return true;
}

bool inhibitor_desk_is_closed(struct inhibitor_desk *desk)
{
	struct gate_source word;

	inhibitor_registry_read(desk->registry, now(), &word);
	return word.state == GATE_CLOSED;
}

const struct inhibitor_registry *
inhibitor_desk_get_registry(const struct inhibitor_desk *desk)
{
	return desk->registry;
}

/* ---- the desk ---- */

int inhibitor_desk_new(sd_event *event, const struct inhibitor_limits *limits,
		       struct inhibitor_desk **ret)
{
	struct inhibitor_desk *desk = calloc(1, sizeof(*desk));

	if (!desk)
		return -ENOMEM;
	if (inhibitor_registry_new(limits, &desk->registry) < 0) {
		free(desk);
		return -ENOMEM;
	}
	desk->event = sd_event_ref(event);
	*ret = desk;
	return 0;
}

struct inhibitor_desk *inhibitor_desk_free(struct inhibitor_desk *desk)
{
	struct inhibitor *inhibitor;

	if (!desk)
		return NULL;
	while ((inhibitor = inhibitor_get(desk->registry, 0)))
		drop(inhibitor->userdata);
	inhibitor_registry_free(desk->registry);
	sd_event_source_disable_unref(desk->timer);
	sd_event_source_disable_unref(desk->teller);
	sd_event_unref(desk->event);
	free(desk);
	return NULL;
}

/* ---- as a source of the gate ---- */

struct watch_inhibitors {
	struct watch base;
	struct inhibitor_desk *desk;
};

static struct watch_inhibitors *from_base(struct watch *watch)
{
	return (struct watch_inhibitors *)watch; /* the head comes first */
}

static int inhibitors_arm(struct watch *watch, sd_event *event)
{
	(void)event;
	from_base(watch)->desk->watch = watch;
	return 0;
}

static void inhibitors_say(struct watch *watch, struct gate_source *ret)
{
	inhibitor_registry_read(from_base(watch)->desk->registry, now(), ret);
}

static void inhibitors_free(struct watch *watch)
{
	from_base(watch)->desk->watch = NULL;
	free(watch);
}

static const struct watch_ops inhibitors_ops = {
	.name = "inhibitors",
	.is_veto = true,
	.arm = inhibitors_arm,
	.read = inhibitors_say,
	.free = inhibitors_free,
};

int watch_inhibitors_new(struct inhibitor_desk *desk, struct watch **ret)
{
	struct watch_inhibitors *inhibitors = calloc(1, sizeof(*inhibitors));

	if (!inhibitors)
		return -ENOMEM;
	inhibitors->base.ops = &inhibitors_ops;
	inhibitors->base.arm_error = -ENODATA; /* until armed */
	inhibitors->desk = desk;
	*ret = &inhibitors->base;
	return 0;
}
