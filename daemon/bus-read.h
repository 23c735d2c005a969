/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BUS_READ_H
#define BUS_READ_H

#include "bus.h"
#include "history-read.h"

/*
 * Calls whose answers take reading: they get them when a worker has read.
 *
 * @reply: called with the message at its beginning; answers it, or fails as a handler
 *	does. @catalog: the images as they are now
 */
typedef int (*bus_catalog_fn)(struct bus *bus, sd_bus_message *message,
			      const struct tdxupd_catalog *catalog, sd_bus_error *error);

/* Return: 1, the answer follows; an errno with @error set. */
int bus_read_catalog(struct bus *bus, sd_bus_message *message, bus_catalog_fn reply,
		     sd_bus_error *error);
/* The history as JSON is the answer. */
int bus_read_history(struct bus *bus, sd_bus_message *message,
		     const struct history_query *query, sd_bus_error *error);

/* One who waits for that; in bus-read.c. */
struct bus_reading;
/* The connection goes away, and with it those who wait. */
void bus_read_done(struct bus *bus);

#endif
