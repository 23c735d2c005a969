/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BUS_MANAGER_H
#define BUS_MANAGER_H

#include <json-c/json_object.h>

#include "bus.h"

#define BUS_MANAGER_INTERFACE "org.tdxupd1.Manager"

/* Answer a call with JSON. */
int bus_manager_reply_json(sd_bus_message *message, struct json_object *json);
/* Say that no plan could be made. @why is taken over, may be NULL. */
int bus_manager_fail_planning(const struct manager *manager, sd_bus_error *error, int r,
			      char *why);
int bus_manager_add(struct bus *bus);
/* PropertiesChanged of all that is shown. */
void bus_manager_tell(struct bus *bus);

#endif
