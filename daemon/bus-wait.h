/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BUS_WAIT_H
#define BUS_WAIT_H

#include "bus.h"

/* One who waits for a job to end; in a list of the bus. */
struct bus_waiter;

/*
 * Answer @message with how @job came out: at once, or when it ends. Whoever has gone by
 * then is forgotten. Return: as a handler; -EDQUOT, -ENOBUFS too many wait.
 */
int bus_wait_for(struct bus *bus, sd_bus_message *message, const struct job *job);
/* @job has ended: answer those who wait for it. */
void bus_wait_tell(struct bus *bus, const struct job *job);
/* The connection goes away, and with it those who wait. */
void bus_wait_done(struct bus *bus);

#endif
