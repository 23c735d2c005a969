/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BUS_HISTORY_H
#define BUS_HISTORY_H

#include "bus.h"

int bus_history_on_get(sd_bus_message *message, void *userdata, sd_bus_error *error);

#endif
