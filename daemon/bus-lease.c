// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * BeginBuild() and ListBuilds(): a call is answered when its lease is granted, which
 * while launches are held is later. What a lease is, is decided in lease.c.
 */
#include <errno.h>
#include <string.h>

#include "bus-lease.h"
#include "bus-options.h"
#include "lease-desk.h"

/* A call that has no answer yet. @track: whoever called; gone, nobody wants one. */
struct pending {
	struct lease_desk *desk;
	sd_bus_message *message;
	sd_bus_track *track;
};

static void pending_free(struct pending *pending)
{
	sd_bus_track_unref(pending->track);
	sd_bus_message_unref(pending->message);
	free(pending);
}

static void on_granted(void *userdata, const struct lease *lease, int fd)
{
	struct pending *pending = userdata;
	int r = fd;

	(void)lease;
	/* The message has a descriptor of its own, for which there may be no room. */
	if (r >= 0)
		r = sd_bus_reply_method_return(pending->message, "h", fd);
	if (r == -EBUSY)
		(void)sd_bus_reply_method_errorf(
			pending->message, failure_to_string(FAILURE_BUSY),
			"an update has been under way for over a minute, and no lease "
			"holds against it");
	else if (r < 0)
		(void)sd_bus_reply_method_errnof(pending->message, r,
						 "no lease could be given");
	pending_free(pending);
}

static int on_gone(sd_bus_track *track, void *userdata)
{
	struct pending *pending = userdata;

	(void)track;
	lease_desk_withdraw(pending->desk, pending);
	pending_free(pending);
	return 0;
}

static int pending_new(struct lease_desk *desk, sd_bus_message *message,
		       struct pending **ret)
{
	struct pending *pending = calloc(1, sizeof(*pending));
	int r;

	if (!pending)
		return -ENOMEM;
	pending->desk = desk;
	pending->message = sd_bus_message_ref(message);
	r = bus_track_sender(message, on_gone, pending, &pending->track);
	if (r < 0) {
		pending_free(pending);
		return r;
	}
	*ret = pending;
	return 0;
}

static int refuse(sd_bus_error *error, int r)
{
	switch (r) {
	case -EDQUOT:
		return bus_fail(
			error, FAILURE_LIMIT,
			strdup("this client holds as many build leases as one may"));
	case -ENOBUFS:
		return bus_fail(error, FAILURE_LIMIT,
				strdup("too many build leases are held"));
	case -EINVAL:
		return bus_refuse(error, "vm", "needs a name");
	default:
		return r;
	}
}

static const struct bus_question about_builds = { .action = BUS_ACTION_BUILD_LEASE };

int bus_lease_on_begin(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct lease_desk *desk = ((struct bus *)userdata)->manager->desk;
	const char *sender = sd_bus_message_get_sender(message), *vm;
	struct bus_caller caller;
	struct pending *pending;
	int r;

	r = sd_bus_message_read_basic(message, 's', &vm);
	if (r >= 0)
		r = bus_read_no_options(message, error);
	if (r >= 0)
		r = bus_authorize(userdata, message, &about_builds, bus_lease_on_begin,
				  error);
	if (r == 0)
		return 1;
	if (r > 0)
		r = pending_new(desk, message, &pending);
	if (r < 0)
		return r;
	bus_find_caller(message, &caller);
	r = lease_desk_ask(desk, vm, sender ? sender : "", caller.uid, caller.pid,
			   on_granted, pending);
	if (r < 0) {
		pending_free(pending);
		return refuse(error, r);
	}
	return 1; /* answered, or to be answered */
}

static int append_lease(sd_bus_message *reply, const struct lease *lease)
{
	return sd_bus_message_append(reply, "(ssuttb)", lease->vm, lease->sender,
				     (uint32_t)lease->pid, lease->asked_usec,
				     lease->held_usec, lease->has_expired);
}

static int append_leases(sd_bus_message *reply, void *userdata)
{
	const struct lease_registry *registry =
		lease_desk_get_registry(((struct bus *)userdata)->manager->desk);
	int r = 0;

	for (size_t i = 0; r >= 0 && i < lease_count(registry); i++)
		r = append_lease(reply, lease_get(registry, i));
	return r;
}

int bus_lease_on_list(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	(void)error;
	return bus_reply_array(message, "(ssuttb)", append_leases, userdata);
}
