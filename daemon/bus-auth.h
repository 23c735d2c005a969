/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BUS_AUTH_H
#define BUS_AUTH_H

#include <stdbool.h>

#include <systemd/sd-bus.h>

#include "util.h"

struct bus;

/* What polkit is asked for: systemd/org.tdxupd1.policy has an action for each. */
enum bus_action {
	BUS_ACTION_INSPECT, /* what was done, and who did it */
	BUS_ACTION_PLAN,    /* what takes work and changes nothing: plans, images */
	BUS_ACTION_UPDATE,  /* to where the configuration says */
	BUS_ACTION_UPDATE_VERSION, /* to one that the caller chose */
	BUS_ACTION_UPDATE_UNSAFE,  /* with less of a guard than the configuration wants */
	BUS_ACTION_INHIBIT,        /* to forbid updates for a while */
	BUS_ACTION_CANCEL,         /* and other changes to somebody's job */
	BUS_ACTION_BUILD_LEASE,    /* to hold updates up */
	BUS_ACTION_POLICY,         /* what the daemon goes by */
	_BUS_ACTION_MAX,
	_BUS_ACTION_INVALID = -22,
};
/* "org.tdxupd1.update"; NULL outside the enum. */
const char *bus_action_to_string(enum bus_action action);

/* For the person who is asked, and for polkit's rules. @value: "" or NULL for unknown. */
struct bus_detail {
	const char *name;
	const char *value;
};

struct bus_question {
	enum bus_action action;
	const struct bus_detail *details;
	size_t detail_count;
};

/*
 * May the sender do this? Root may, and so may our own user, whether polkit runs or not.
 * Anybody else is polkit's to decide, and that may take a person who types a password;
 * where there is no polkit, everybody may plan.
 * @resume is called when the answer is there, with the message at its beginning and with
 * @bus. It asks again, and then gets it.
 *
 * Return: 1 yes; 0 not known yet: the handler returns 1 and leaves the reply to @resume;
 * a negative errno with @error set: no.
 */
int bus_authorize(struct bus *bus, sd_bus_message *message,
		  const struct bus_question *question, sd_bus_message_handler_t resume,
		  sd_bus_error *error);

/* Who sent it, as far as the bus can tell: no such user and 0 where it can't. */
struct bus_caller {
	uid_t uid;
	pid_t pid;
};
void bus_find_caller(sd_bus_message *message, struct bus_caller *ret);

/* One who waits for polkit; in bus-auth.c. */
struct bus_query;
/* The connection goes away, and with it those who wait. */
void bus_auth_done(struct bus *bus);

#endif
