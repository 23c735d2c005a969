/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BUS_UPDATE_H
#define BUS_UPDATE_H

#include "bus.h"

/* Update(), of the manager's interface; userdata is a struct bus. */
int bus_update_on_update(sd_bus_message *message, void *userdata, sd_bus_error *error);

#endif
