/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DAEMON_JSON_H
#define DAEMON_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include <json-c/json_object.h>

#include "util.h"

static inline void json_free(struct json_object *object)
{
	json_object_put(object);
}
DEFINE_CLEANUP(struct json_object, json, json_free)

/*
 * A whole document, an object, @depth levels deep at the most, that we wrote ourselves:
 * members that are there twice make no sense. Return: 0; -EBADMSG; -ENOMEM.
 */
int json_parse(const char *text, size_t bytes, int depth, struct json_object **ret);
/* @flags: of json_object_to_json_string_ext(), whose text it is. NULL: no memory. */
const char *json_print(struct json_object *object, int flags);

/*
 * Building: each returns 0 or -ENOMEM, so that a description is one chain of
 * `json_add_x() ?: json_add_y()`. Text is made printable first: what is in our JSON can
 * be shown on a terminal and is valid UTF-8, wherever it came from. NULL text adds
 * nothing: unknown is absent.
 */
int json_new_object(struct json_object **ret);
int json_new_array(struct json_object **ret);
int json_new_text(const char *text, struct json_object **ret);
int json_add_text(struct json_object *object, const char *key, const char *text);
int json_add_bool(struct json_object *object, const char *key, bool value);
int json_add_number(struct json_object *object, const char *key, uint64_t value);
/* "0x2e1f0fbf": masks and codes, which a reader's floating point numbers would round */
int json_add_hex(struct json_object *object, const char *key, uint64_t value);
/* Both take the reference of @value, also when they fail. NULL adds nothing. */
int json_add(struct json_object *object, const char *key, struct json_object *value);
int json_append(struct json_object *array, struct json_object *value);
int json_append_text(struct json_object *array, const char *text);

/*
 * Reading back: NULL, 0 or false where the member is absent or of another type, so that a
 * table shows a gap instead of a lie.
 */
struct json_object *json_get(struct json_object *object, const char *key);
const char *json_get_text(struct json_object *object, const char *key);
bool json_get_bool(struct json_object *object, const char *key);
/* Returns whether there is such a number. */
bool json_get_number(struct json_object *object, const char *key, uint64_t *ret);
/* 0 for what is no array. */
size_t json_count(struct json_object *array);

#endif
