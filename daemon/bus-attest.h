/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BUS_ATTEST_H
#define BUS_ATTEST_H

#include "bus.h"

int bus_attest_on_get(sd_bus_message *message, void *userdata, sd_bus_error *error);

#endif
