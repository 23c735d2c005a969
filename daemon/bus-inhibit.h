/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BUS_INHIBIT_H
#define BUS_INHIBIT_H

#include "bus.h"

/* Methods and properties of the manager's interface; userdata is a struct bus. */
int bus_inhibit_on_inhibit(sd_bus_message *message, void *userdata, sd_bus_error *error);
int bus_inhibit_on_list(sd_bus_message *message, void *userdata, sd_bus_error *error);
int bus_inhibit_get_preparing(sd_bus *bus, const char *path, const char *interface,
			      const char *property, sd_bus_message *reply, void *userdata,
			      sd_bus_error *error);

#endif
