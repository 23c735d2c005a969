/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BUS_OPTIONS_H
#define BUS_OPTIONS_H

#include <systemd/sd-bus.h>

#include "job.h"

/*
 * Read (s target, a{sv} options) into a request that job_request_init() has filled. What
 * is not known is refused: a misspelt option that is skipped would do what nobody wanted.
 * Return: 0 or more; a negative errno with @error set.
 */
int bus_read_request(sd_bus_message *message, struct job_request *request,
		     sd_bus_error *error);
/* Read options of a method that knows none. */
int bus_read_no_options(sd_bus_message *message, sd_bus_error *error);

#endif
