/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BUS_H
#define BUS_H

#include <systemd/sd-bus.h>

#include "bus-auth.h"
#include "logind-lock.h"
#include "manager.h"

#define BUS_NAME "org.tdxupd1"
#define BUS_PATH "/org/tdxupd1"

/*
 * The manager's face on a bus.
 * @address: of a private bus; NULL for the system bus
 * @bus: NULL while there is no connection; jobs go on without
 * @logind_locks: follow the current job
 * @queries: callers whom polkit has not answered yet
 * @waiters: callers who wait for a job to end
 * @readings: callers whose answers take reading files
 * @is_dirty, @dirty_job: whose properties are to be told at the end of this turn
 */
struct bus {
	struct manager *manager;
	const char *address;
	sd_bus *bus;
	sd_event_source *teller;
	sd_event_source *retry;
	struct logind_locks logind_locks;
	struct bus_query *queries;
	struct bus_waiter *waiters;
	struct bus_reading *readings;
	bool is_dirty;
	uint32_t dirty_job;
	uint64_t told_usec;
};

/* Connect and take the name. Return: 0; -EEXIST somebody else has the name; another
 * errno: there is no bus to be reached. */
int bus_new(struct manager *manager, const char *address, struct bus **ret);
struct bus *bus_free(struct bus *bus);
DEFINE_CLEANUP(struct bus, bus, bus_free)

/* Answer with one of the project's errors. @detail is taken over, may be NULL. */
int bus_fail(sd_bus_error *error, enum failure failure, char *detail);
/* Answer with an array of @type, whose elements @append adds. */
int bus_reply_array(sd_bus_message *message, const char *type,
		    int (*append)(sd_bus_message *reply, void *userdata), void *userdata);
/* @on_gone: called when whoever sent @message is no longer on the bus. */
int bus_track_sender(sd_bus_message *message, sd_bus_track_handler_t on_gone,
		     void *userdata, sd_bus_track **ret);
/* Blockers of the sources in @mask, a(ssut). */
int bus_append_blockers(sd_bus_message *reply, const struct sources *sources,
			uint32_t mask);

#endif
