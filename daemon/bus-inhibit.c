// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Inhibit() and ListInhibitors(). What an inhibitor is, is decided in inhibitor.c;
 * whether it comes too late, by the manager.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "bus-inhibit.h"
#include "bus-options.h"
#include "clock.h"
#include "manager-gate.h"

/* ---- Inhibit ---- */

static const char *take_timeout(void *target, const union bus_value *value)
{
	struct inhibitor *wanted = target;
	uint64_t now = clock_usec(CLOCK_MONOTONIC);

	if (value->number == 0)
		return "no time at all";
	wanted->until_usec =
		value->number < UINT64_MAX - now ? now + value->number : UINT64_MAX;
	return NULL;
}

static const struct bus_option options[] = {
	{ "timeout_usec", 't', take_timeout },
};

static int read_inhibitor(sd_bus_message *message, struct inhibitor *wanted,
			  const char **ret_who, const char **ret_why, sd_bus_error *error)
{
	const char *mode;
	int r;

	r = sd_bus_message_read(message, "sss", ret_who, ret_why, &mode);
	if (r < 0)
		return r;
	wanted->mode = inhibitor_mode_from_string(mode);
	if ((int)wanted->mode < 0)
		return bus_refuse(error, "mode", "neither `block' nor `delay'");
	return bus_read_options(message,
				&(struct bus_options){ options, ARRAY_SIZE(options) },
				wanted, error);
}

static void name_holder(sd_bus_message *message, struct inhibitor *wanted)
{
	const char *sender = sd_bus_message_get_sender(message);
	struct bus_caller caller;

	bus_find_caller(message, &caller);
	wanted->uid = caller.uid;
	wanted->pid = caller.pid;
	if (sender)
		strncpy(wanted->sender, sender, sizeof(wanted->sender) - 1);
}

static int refuse(sd_bus_error *error, int r)
{
	switch (r) {
	case -EINVAL:
		return bus_refuse(error, "who", "needs a name");
	case -EBUSY:
		return bus_fail(error, FAILURE_BUSY,
				strdup("an update is under way already; too late to be "
				       "heard"));
	case -EDQUOT:
		return bus_fail(error, FAILURE_LIMIT,
				strdup("this client holds as many inhibitors as one "
				       "may"));
	case -ENOBUFS:
		return bus_fail(error, FAILURE_LIMIT,
				strdup("too many inhibitors are held"));
	default:
		return r;
	}
}

static const struct bus_question about_inhibitors = { .action = BUS_ACTION_INHIBIT };

int bus_inhibit_on_inhibit(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct bus *bus = userdata;
	struct inhibitor wanted = { .until_usec = UINT64_MAX };
	const char *who, *why;
	int fd, r;

	r = read_inhibitor(message, &wanted, &who, &why, error);
	if (r >= 0)
		r = bus_authorize(bus, message, &about_inhibitors, bus_inhibit_on_inhibit,
				  error);
	if (r <= 0)
		return r < 0 ? r : 1;
	name_holder(message, &wanted);
	r = manager_inhibit(bus->manager, &wanted, who, why, &fd);
	if (r < 0)
		return refuse(error, r);
	r = sd_bus_reply_method_return(message, "h", fd);
	close(fd);
	return r;
}

/* ---- what is held ---- */

static const struct inhibitor_registry *registry_of(void *userdata)
{
	return inhibitor_desk_get_registry(((struct bus *)userdata)->manager->inhibitors);
}

static int append_inhibitor(sd_bus_message *reply, const struct inhibitor *inhibitor)
{
	return sd_bus_message_append(reply, "(sssuutt)", inhibitor->who, inhibitor->why,
				     inhibitor_mode_to_string(inhibitor->mode),
				     (uint32_t)inhibitor->uid, (uint32_t)inhibitor->pid,
				     inhibitor->since_usec, inhibitor->until_usec);
}

static int append_inhibitors(sd_bus_message *reply, void *userdata)
{
	const struct inhibitor_registry *registry = registry_of(userdata);
	int r = 0;

	for (size_t i = 0; r >= 0 && i < inhibitor_count(registry); i++)
		r = append_inhibitor(reply, inhibitor_get(registry, i));
	return r;
}

int bus_inhibit_on_list(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	(void)error;
	return bus_reply_array(message, "(sssuutt)", append_inhibitors, userdata);
}

int bus_inhibit_get_preparing(sd_bus *bus, const char *path, const char *interface,
			      const char *property, sd_bus_message *reply, void *userdata,
			      sd_bus_error *error)
{
	(void)bus, (void)path, (void)interface, (void)property, (void)error;
	return sd_bus_message_append(reply, "b",
				     (int)inhibitor_is_preparing(registry_of(userdata)));
}
