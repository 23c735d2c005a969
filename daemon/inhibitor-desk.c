// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Inhibitors on the event loop. What one is, is decided in inhibitor.c; who may have one,
 * on the bus.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "desk-bell.h"
#include "inhibitor-desk.h"
#include "json.h"
#include "kept.h"
#include "lifeline.h"

#define KIND "inhibitor"

/* @name: under which systemd keeps it; empty where it does not */
struct holder {
	struct inhibitor_desk *desk;
	struct inhibitor *inhibitor;
	struct lifeline lifeline;
	char name[KEPT_NAME_BYTES];
};

struct inhibitor_desk {
	sd_event *event;
	struct inhibitor_registry *registry;
	sd_event_source *timer;
	struct desk_bell bell;
};

static uint64_t now(void)
{
	return clock_usec(CLOCK_MONOTONIC);
}

/* ---- one of them ---- */

static void drop(struct holder *holder)
{
	if (*holder->name)
		fdstore_remove(holder->name);
	lifeline_close(&holder->lifeline);
	inhibitor_end(holder->desk->registry, holder->inhibitor);
	free(holder);
}

static int on_time(sd_event_source *timer, uint64_t usec, void *userdata);

static void set_timer(struct inhibitor_desk *desk)
{
	watch_set_alarm(desk->event, &desk->timer,
			inhibitor_get_next(desk->registry, now()), on_time, desk);
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
	desk_bell_ring(&desk->bell);
	return 0;
}

static int on_closed(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct holder *holder = userdata;
	struct inhibitor_desk *desk = holder->desk;

	(void)source, (void)fd, (void)events;
	drop(holder);
	set_timer(desk);
	desk_bell_ring(&desk->bell);
	return 0;
}

/* ---- over a restart ---- */

/* Where that fails its holder hears of the daemon's end. */
static void keep(struct holder *holder)
{
	const struct inhibitor *inhibitor = holder->inhibitor;
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	int r = json_new_object(&object);

	if (r == 0)
		r = json_add_text(object, "mode",
				  inhibitor_mode_to_string(inhibitor->mode))
			    ?: json_add_text(object, "who", inhibitor->who)
			    ?: json_add_text(object, "why", inhibitor->why)
			    ?: json_add_text(object, "sender", inhibitor->sender)
			    ?: json_add_number(object, "uid", inhibitor->uid)
			    ?: json_add_number(object, "pid", (uint64_t)inhibitor->pid)
			    ?: json_add_number(object, "since", inhibitor->since_usec)
			    ?: json_add_number(object, "until", inhibitor->until_usec);
	if (r < 0 || kept_put(KIND, holder->lifeline.fd, object, holder->name) < 0)
		*holder->name = '\0';
}

static int read_kept(struct json_object *object, struct inhibitor *ret)
{
	const char *mode = json_get_text(object, "mode");
	const char *sender = json_get_text(object, "sender");
	uint64_t uid = 0, pid = 0;

	ret->mode = inhibitor_mode_from_string(mode ? mode : "");
	if ((int)ret->mode < 0 || !json_get_number(object, "since", &ret->since_usec) ||
	    !json_get_number(object, "until", &ret->until_usec))
		return -EBADMSG;
	(void)json_get_number(object, "uid", &uid);
	(void)json_get_number(object, "pid", &pid);
	ret->uid = (uid_t)uid;
	ret->pid = (pid_t)pid;
	snprintf(ret->sender, sizeof(ret->sender), "%s", sender ? sender : "");
	return 0;
}

/* @fd: taken over where it works. */
static int restore(struct inhibitor_desk *desk, struct json_object *object, int fd,
		   const char *name)
{
	struct holder *holder = calloc(1, sizeof(*holder));
	struct inhibitor kept = { 0 };
	const char *who = json_get_text(object, "who");
	const char *why = json_get_text(object, "why");
	int r = holder ? read_kept(object, &kept) : -ENOMEM;

	if (r == 0)
		r = inhibitor_add(desk->registry, &kept, who ? who : "", why ? why : "",
				  &holder->inhibitor);
	if (r < 0) {
		free(holder);
		return r;
	}
	holder->desk = desk;
	holder->inhibitor->userdata = holder;
	holder->inhibitor->since_usec = kept.since_usec;
	r = lifeline_adopt(&holder->lifeline, desk->event, fd, on_closed, holder);
	if (r < 0) {
		drop(holder);
		return r;
	}
	strcpy(holder->name, name);
	return 0;
}

void inhibitor_desk_restore(struct inhibitor_desk *desk, struct fdstore *store)
{
	char name[KEPT_NAME_BYTES];
	struct json_object *object;
	int fd;

	while (kept_take(store, KIND, name, &fd, &object) > 0) {
		if (restore(desk, object, fd, name) < 0) {
			close(fd);
			fdstore_remove(name);
		}
		json_object_put(object);
	}
	set_timer(desk);
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
	keep(holder);
	set_timer(desk);
	/* Whoever asked is answered first. */
	desk_bell_ring_later(&desk->bell, desk->event);
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
	/* The daemon ends, they do not: what systemd keeps stays. */
	while ((inhibitor = inhibitor_get(desk->registry, 0))) {
		*((struct holder *)inhibitor->userdata)->name = '\0';
		drop(inhibitor->userdata);
	}
	inhibitor_registry_free(desk->registry);
	sd_event_source_disable_unref(desk->timer);
	desk_bell_done(&desk->bell);
	sd_event_unref(desk->event);
	free(desk);
	return NULL;
}

/* ---- as a source of the gate ---- */

static void inhibitors_say(struct watch *watch, struct gate_source *ret)
{
	struct inhibitor_desk *desk = desk_watch_get_desk(watch);

	inhibitor_registry_read(desk->registry, now(), ret);
}

static const struct watch_ops inhibitors_ops = {
	.name = "inhibitors",
	.is_veto = true,
	.arm = desk_watch_arm,
	.read = inhibitors_say,
	.free = desk_watch_free,
};

int watch_inhibitors_new(struct inhibitor_desk *desk, struct watch **ret)
{
	return desk_watch_new(&inhibitors_ops, &desk->bell, desk, ret);
}
