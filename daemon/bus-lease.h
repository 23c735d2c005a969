/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BUS_LEASE_H
#define BUS_LEASE_H

#include "bus.h"

/* Methods of the manager's interface; userdata is a struct bus. */
int bus_lease_on_begin(sd_bus_message *message, void *userdata, sd_bus_error *error);
int bus_lease_on_list(sd_bus_message *message, void *userdata, sd_bus_error *error);

#endif
