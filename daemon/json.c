// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The few shapes of JSON that we make and read, over json-c. What goes into it is decided
 * in describe*.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "json.h"

int json_new_object(struct json_object **ret)
{
	struct json_object *object = json_object_new_object();

	if (!object)
		return -ENOMEM;
	*ret = object;
	return 0;
}

int json_new_array(struct json_object **ret)
{
	struct json_object *array = json_object_new_array();

	if (!array)
		return -ENOMEM;
	*ret = array;
	return 0;
}

int json_new_text(const char *text, struct json_object **ret)
{
	/* Every byte becomes at most one byte. */
	size_t size = strlen(text) + 1;
	_cleanup_(cleanup_free)
	char *printable = malloc(size);
	struct json_object *value;

	if (!printable)
		return -ENOMEM;
	text_make_printable(printable, size, text);
	value = json_object_new_string(printable);
	if (!value)
		return -ENOMEM;
	*ret = value;
	return 0;
}

int json_add(struct json_object *object, const char *key, struct json_object *value)
{
	if (!value)
		return 0;
	if (json_object_object_add(object, key, value) < 0) {
		json_object_put(value);
		return -ENOMEM;
	}
	return 0;
}

/* For a value that was made just now: no value means that memory ran out. */
static int add_new(struct json_object *object, const char *key, struct json_object *value)
{
	return value ? json_add(object, key, value) : -ENOMEM;
}

int json_add_text(struct json_object *object, const char *key, const char *text)
{
	struct json_object *value;
	int r;

	if (!text)
		return 0;
	r = json_new_text(text, &value);
	return r < 0 ? r : json_add(object, key, value);
}

int json_add_bool(struct json_object *object, const char *key, bool value)
{
	return add_new(object, key, json_object_new_boolean(value));
}

int json_add_number(struct json_object *object, const char *key, uint64_t value)
{
	return add_new(object, key, json_object_new_uint64(value));
}

int json_add_hex(struct json_object *object, const char *key, uint64_t value)
{
	char text[20];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	return json_add_text(object, key, text);
}

int json_append(struct json_object *array, struct json_object *value)
{
	if (!value)
		return 0;
	if (json_object_array_add(array, value) < 0) {
		json_object_put(value);
		return -ENOMEM;
	}
	return 0;
}

int json_append_text(struct json_object *array, const char *text)
{
	struct json_object *value;
	int r = json_new_text(text, &value);

	return r < 0 ? r : json_append(array, value);
}

struct json_object *json_get(struct json_object *object, const char *key)
{
	struct json_object *value;

	if (!json_object_is_type(object, json_type_object) ||
	    !json_object_object_get_ex(object, key, &value))
		return NULL;
	return value;
}

const char *json_get_text(struct json_object *object, const char *key)
{
	struct json_object *value = json_get(object, key);

	return json_object_is_type(value, json_type_string)
		       ? json_object_get_string(value)
		       : NULL;
}

bool json_get_bool(struct json_object *object, const char *key)
{
	struct json_object *value = json_get(object, key);

	return json_object_is_type(value, json_type_boolean) &&
	       json_object_get_boolean(value);
}

bool json_get_number(struct json_object *object, const char *key, uint64_t *ret)
{
	struct json_object *value = json_get(object, key);

	if (!json_object_is_type(value, json_type_int))
		return false;
	*ret = json_object_get_uint64(value);
	return true;
}

size_t json_count(struct json_object *array)
{
	return json_object_is_type(array, json_type_array)
		       ? json_object_array_length(array)
		       : 0;
}
