/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BUS_OPTIONS_H
#define BUS_OPTIONS_H

#include <systemd/sd-bus.h>

#include "job.h"

union bus_value {
	const char *text;
	uint64_t number;
	uint32_t number32;
	int boolean;
};

/* @type: of D-Bus. @take: puts it into what is filled; returns what is wrong, or NULL. */
struct bus_option {
	const char *name;
	char type;
	const char *(*take)(void *target, const union bus_value *value);
};

struct bus_options {
	const struct bus_option *items;
	size_t count;
};

/* InvalidArgs: the argument or option @name, and its trouble. */
int bus_refuse(sd_bus_error *error, const char *name, const char *trouble);
/*
 * Read a{sv} into @target. What is not known is refused: a misspelt option that is
 * skipped would do what nobody wanted. Return: 0 or more; a negative errno with @error
 * set.
 */
int bus_read_options(sd_bus_message *message, const struct bus_options *options,
		     void *target, sd_bus_error *error);
/* Of a method that knows none. */
int bus_read_no_options(sd_bus_message *message, sd_bus_error *error);
/*
 * Read (s target, a{sv} options) into a request that job_request_init() has filled.
 * Return: as bus_read_options().
 */
int bus_read_request(sd_bus_message *message, struct job_request *request,
		     sd_bus_error *error);

#endif
