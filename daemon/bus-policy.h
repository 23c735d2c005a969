/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BUS_POLICY_H
#define BUS_POLICY_H

#include "bus.h"

/* Methods and properties of org.tdxupd1.Manager: what the administrator forbids. */
int bus_policy_on_hold(sd_bus_message *message, void *userdata, sd_bus_error *error);
int bus_policy_on_unhold(sd_bus_message *message, void *userdata, sd_bus_error *error);
int bus_policy_on_pin(sd_bus_message *message, void *userdata, sd_bus_error *error);
int bus_policy_on_reset_failed(sd_bus_message *message, void *userdata,
			       sd_bus_error *error);
int bus_policy_on_unpin(sd_bus_message *message, void *userdata, sd_bus_error *error);
int bus_policy_get_pin(sd_bus *bus, const char *path, const char *interface,
		       const char *property, sd_bus_message *reply, void *userdata,
		       sd_bus_error *error);
int bus_policy_on_list_holds(sd_bus_message *message, void *userdata,
			     sd_bus_error *error);
int bus_policy_get_holds(sd_bus *bus, const char *path, const char *interface,
			 const char *property, sd_bus_message *reply, void *userdata,
			 sd_bus_error *error);

#endif
