/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SCHEMA_H
#define SCHEMA_H

#include <stdbool.h>

#include <json-c/json_object.h>

/*
 * Is, or else fail the running test, @value as daemon/schema/@name.json has it? Knows of
 * JSON Schema what those files use: type, properties, required, additionalProperties,
 * items, enum, anyOf and $ref; a schema that uses anything else fails the test, too.
 */
bool schema_matches(struct json_object *value, const char *name);
void schema_assert(struct json_object *value, const char *name);

#endif
