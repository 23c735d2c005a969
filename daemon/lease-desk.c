// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Leases on the event loop. What a lease is, is decided in lease.c; when launches wait,
 * in barrier.c; who may ask, on the bus.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "desk-bell.h"
#include "lease-desk.h"
#include "json.h"
#include "kept.h"
#include "lifeline.h"

#define KIND "lease"

struct holder {
	struct lease_desk *desk;
	struct lease *lease;
	struct lifeline lifeline; /* none while it waits */
	lease_granted_fn granted; /* NULL once it was called */
	void *userdata;
	char name[KEPT_NAME_BYTES]; /* with systemd; empty where it is not */
};

struct lease_desk {
	sd_event *event;
	struct lease_registry *registry;
	struct barrier barrier;
	struct barrier_config config; /* of the next update */
	bool is_told_shut;
	uint64_t held_usec; /* since when for an update of others, 0 for none */
	sd_event_source *timer;
	struct desk_bell bell;
	struct lease_desk_listener listener;
};

static uint64_t now(void)
{
	return clock_usec(CLOCK_MONOTONIC);
}

/* ---- one lease ---- */

static void drop(struct holder *holder)
{
	if (*holder->name)
		fdstore_remove(holder->name);
	lifeline_close(&holder->lifeline);
	lease_end(holder->desk->registry, holder->lease);
	free(holder);
}

static int on_closed(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct holder *holder = userdata;
	struct lease_desk *desk = holder->desk;

	(void)source;
	(void)fd;
	(void)events;
	drop(holder);
	desk_bell_ring(&desk->bell);
	return 0;
}

/* Where that fails its holder hears of the daemon's end. */
static void keep(struct holder *holder)
{
	const struct lease *lease = holder->lease;
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	int r = json_new_object(&object);

	if (r == 0)
		r = json_add_text(object, "vm", lease->vm)
			    ?: json_add_text(object, "sender", lease->sender)
			    ?: json_add_number(object, "uid", lease->uid)
			    ?: json_add_number(object, "pid", (uint64_t)lease->pid)
			    ?: json_add_number(object, "asked", lease->asked_usec)
			    ?: json_add_number(object, "held", lease->held_usec);
	if (r < 0 || kept_put(KIND, holder->lifeline.fd, object, holder->name) < 0)
		*holder->name = '\0';
}

static void grant(struct holder *holder)
{
	lease_granted_fn granted = TAKE_PTR(holder->granted);
	int fd = -1;
	int r = lifeline_open(&holder->lifeline, holder->desk->event, on_closed, holder,
			      &fd);

	if (r < 0) {
		granted(holder->userdata, holder->lease, r);
		drop(holder);
		return;
	}
	lease_grant(holder->lease, now());
	/* Answered first: a launch waits for it. */
	granted(holder->userdata, holder->lease, fd);
	close(fd);
	keep(holder);
}

/* @fd: taken over where it works. */
static int restore(struct lease_desk *desk, struct json_object *object, int fd,
		   const char *name)
{
	struct holder *holder = calloc(1, sizeof(*holder));
	const char *vm = json_get_text(object, "vm");
	const char *sender = json_get_text(object, "sender");
	uint64_t uid = 0, pid = 0, asked, held;
	int r = -ENOMEM;

	(void)json_get_number(object, "uid", &uid);
	(void)json_get_number(object, "pid", &pid);
	if (holder && (!vm || !json_get_number(object, "asked", &asked) ||
		       !json_get_number(object, "held", &held)))
		r = -EBADMSG;
	else if (holder)
		r = lease_ask(desk->registry, vm, sender ? sender : "", (uid_t)uid,
			      (pid_t)pid, asked, &holder->lease);
	if (r < 0) {
		free(holder);
		return r;
	}
	holder->desk = desk;
	holder->lease->userdata = holder;
	lease_grant(holder->lease, held);
	r = lifeline_adopt(&holder->lifeline, desk->event, fd, on_closed, holder);
	if (r < 0) {
		drop(holder);
		return r;
	}
	strcpy(holder->name, name);
	return 0;
}

/* ---- time ---- */

static int on_time(sd_event_source *timer, uint64_t usec, void *userdata);

static bool is_overdue(const struct lease_desk *desk)
{
	return barrier_is_overdue(&desk->barrier, now()) ||
	       (desk->held_usec && now() - desk->held_usec >= BARRIER_COMMIT_USEC);
}

static void set_timer(struct lease_desk *desk)
{
	uint64_t next = barrier_get_next(&desk->barrier);
	uint64_t expiry = lease_get_next_expiry(desk->registry);
	uint64_t held = desk->held_usec + BARRIER_COMMIT_USEC;

	if (desk->held_usec && held > now() && held < next)
		next = held;

	watch_set_alarm(desk->event, &desk->timer, expiry < next ? expiry : next, on_time,
			desk);
}

/* None that is given now would hold, and they have waited long enough. */
static void turn_away(struct lease_desk *desk)
{
	struct lease *lease;

	while ((lease = lease_get_first_waiting(desk->registry))) {
		struct holder *holder = lease->userdata;
		lease_granted_fn granted = TAKE_PTR(holder->granted);

		granted(holder->userdata, lease, -EBUSY);
		drop(holder);
	}
}

/* After anything that may have shut or opened the barrier. First come, first served. */
static void settle(struct lease_desk *desk)
{
	bool is_shut = barrier_is_shut(&desk->barrier, now()) || desk->held_usec;
	bool has_granted = false;
	struct lease *lease;

	if (is_overdue(desk))
		turn_away(desk);
	while (!is_shut && (lease = lease_get_first_waiting(desk->registry))) {
		grant(lease->userdata);
		has_granted = true;
	}
	set_timer(desk);
	if (is_shut != desk->is_told_shut) {
		desk->is_told_shut = is_shut;
		if (desk->listener.shut)
			desk->listener.shut(desk->listener.userdata, is_shut);
	}
	/* Whoever hears it may set the job going from within which this was called. */
	if (has_granted)
		desk_bell_ring_later(&desk->bell, desk->event);
}

static int on_time(sd_event_source *timer, uint64_t usec, void *userdata)
{
	struct lease_desk *desk = userdata;
	bool has_expired = false;
	struct lease *lease;

	(void)timer;
	(void)usec;
	while ((lease = lease_expire_next(desk->registry, now()))) {
		has_expired = true;
		if (desk->listener.expired)
			desk->listener.expired(desk->listener.userdata, lease);
	}
	barrier_tick(&desk->barrier, now());
	settle(desk);
	if (has_expired)
		desk_bell_ring(&desk->bell);
	return 0;
}

/* ---- the desk ---- */

int lease_desk_new(sd_event *event, const struct lease_limits *limits,
		   const struct barrier_config *config, struct lease_desk **ret)
{
	struct lease_desk *desk = calloc(1, sizeof(*desk));

	if (!desk)
		return -ENOMEM;
	if (lease_registry_new(limits, &desk->registry) < 0) {
		free(desk);
		return -ENOMEM;
	}
	desk->event = sd_event_ref(event);
	desk->config = *config;
	barrier_init(&desk->barrier, config);
	*ret = desk;
	return 0;
}

/* Those that wait are told; those that hold keep a descriptor that means nothing. */
struct lease_desk *lease_desk_free(struct lease_desk *desk)
{
	struct lease *lease;

	if (!desk)
		return NULL;
	while ((lease = lease_get(desk->registry, 0))) {
		struct holder *holder = lease->userdata;
		lease_granted_fn granted = TAKE_PTR(holder->granted);

		if (granted)
			granted(holder->userdata, lease, -ECANCELED);
		/* The daemon ends, they do not: what systemd keeps stays. */
		*holder->name = '\0';
		drop(holder);
	}
	lease_registry_free(desk->registry);
	sd_event_source_disable_unref(desk->timer);
	desk_bell_done(&desk->bell);
	sd_event_unref(desk->event);
	free(desk);
	return NULL;
}

void lease_desk_set_listener(struct lease_desk *desk,
			     const struct lease_desk_listener *listener)
{
	desk->listener = *listener;
}

void lease_desk_configure(struct lease_desk *desk, const struct lease_limits *limits,
			  const struct barrier_config *config)
{
	lease_registry_set_age(desk->registry, limits->age_usec);
	desk->config = *config;
	if (desk->barrier.state == BARRIER_IDLE)
		barrier_init(&desk->barrier, config);
	set_timer(desk);
}

int lease_desk_ask(struct lease_desk *desk, const char *vm, const char *sender, uid_t uid,
		   pid_t pid, lease_granted_fn granted, void *userdata)
{
	struct holder *holder = calloc(1, sizeof(*holder));
	int r;

	if (!holder)
		return -ENOMEM;
	*holder =
		(struct holder){ .desk = desk, .granted = granted, .userdata = userdata };
	r = lease_ask(desk->registry, vm, sender, uid, pid, now(), &holder->lease);
	if (r < 0) {
		free(holder);
		return r;
	}
	holder->lease->userdata = holder;
	settle(desk);
	return 0;
}

void lease_desk_restore(struct lease_desk *desk, struct fdstore *store)
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

void lease_desk_withdraw(struct lease_desk *desk, void *userdata)
{
	for (size_t i = lease_count(desk->registry); i-- > 0;) {
		struct holder *holder = lease_get(desk->registry, i)->userdata;

		if (holder->granted && holder->userdata == userdata)
			drop(holder);
	}
}

static void stand_down(struct lease_desk *desk)
{
	barrier_end(&desk->barrier);
	barrier_init(&desk->barrier, &desk->config);
}

void lease_desk_follow(struct lease_desk *desk, enum job_state state, bool is_urgent)
{
	if (state == JOB_WAITING || state == JOB_BACKOFF)
		barrier_want(&desk->barrier, now(), is_urgent);
	else if (job_state_is_critical(state))
		barrier_commit(&desk->barrier, now());
	else if (job_state_is_end(state))
		stand_down(desk);
	settle(desk);
}

void lease_desk_rest(struct lease_desk *desk)
{
	stand_down(desk);
	settle(desk);
}

void lease_desk_hold(struct lease_desk *desk, bool is_held)
{
	if (is_held == (desk->held_usec != 0))
		return;
	desk->held_usec = is_held ? now() : 0;
	settle(desk);
}

const struct lease_registry *lease_desk_get_registry(const struct lease_desk *desk)
{
	return desk->registry;
}

/* ---- as a source of the gate ---- */

static void leases_say(struct watch *watch, struct gate_source *ret)
{
	struct lease_desk *desk = desk_watch_get_desk(watch);

	lease_registry_read(desk->registry, now(), ret);
}

/* Those that are still held: an update goes with one held only where it was forced, and
 * those that have ended since are forgotten. */
static size_t leases_list_overlap(struct watch *watch, uint64_t from_usec,
				  uint64_t to_usec, const struct gate_blocker **ret)
{
	struct lease_desk *desk = desk_watch_get_desk(watch);
	struct gate_source source;
	size_t count = 0;

	(void)from_usec;
	lease_registry_read(desk->registry, now(), &source);
	/* In the order of asking, and nobody is granted before one who asked earlier. */
	while (count < source.blocker_count &&
	       source.blockers[count].since_usec <= to_usec)
		count++;
	*ret = source.blockers;
	return count;
}

static const struct watch_ops leases_ops = {
	.name = "leases",
	.arm = desk_watch_arm,
	.read = leases_say,
	.list_overlap = leases_list_overlap,
	.free = desk_watch_free,
};

int watch_leases_new(struct lease_desk *desk, struct watch **ret)
{
	return desk_watch_new(&leases_ops, &desk->bell, desk, ret);
}
