/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BUS_MANAGER_H
#define BUS_MANAGER_H

#include <json-c/json_object.h>

#include "bus.h"

#define BUS_MANAGER_INTERFACE "org.tdxupd1.Manager"

/* Answer a call with JSON. */
int bus_manager_reply_json(sd_bus_message *message, struct json_object *json);
int bus_manager_add(struct bus *bus);
/* PropertiesChanged of all that is shown. */
void bus_manager_tell(struct bus *bus);

#endif
