// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * D-Bus properties as JSON, by their types; a table names the fields of those that are
 * arrays of structures. Whatever sits on the bus may answer, so the type comes from the
 * message and is never assumed.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl-bus.h"
#include "json.h"

#define FIELDS_MAX 8

static const struct {
	const char *property;
	const char *fields[FIELDS_MAX];
} structures[] = {
	{ "Blockers", { "source", "who", "pid", "since_usec" } },
	{ "Holds",
	  { "what", "reason", "since_usec", "by", "until_usec", "is_automatic" } },
	{ "Pin", { "version", "reason", "since_usec", "by" } },
	{ "GateSources", { "name", "state", "confidence", "count", "reason" } },
};

static const char *field_of(const char *property, size_t index)
{
	for (size_t i = 0; i < ARRAY_SIZE(structures); i++)
		if (strcmp(structures[i].property, property) == 0)
			return index < FIELDS_MAX ? structures[i].fields[index] : NULL;
	return NULL;
}

/*
 * Points in time are of CLOCK_MONOTONIC, which another machine's says nothing about here:
 * unknown, then.
 */
static bool is_foreign_time(sd_bus_message *message, const char *property,
			    const char *field)
{
	static const char *const times[][2] = {
		{ "NextAttempt", "" },
		{ "StateSince", "" },
		{ "Blockers", "since_usec" },
	};
	const char *address = NULL;
	bool is_time = false;

	for (size_t i = 0; i < ARRAY_SIZE(times); i++)
		is_time = is_time || (strcmp(times[i][0], property) == 0 &&
				      strcmp(times[i][1], field) == 0);
	return is_time &&
	       sd_bus_get_address(sd_bus_message_get_bus(message), &address) >= 0 &&
	       strncmp(address, "unixexec:", strlen("unixexec:")) == 0;
}

/* "StateSince" as "state_since", "Features0" as "features0". */
static void to_snake_case(const char *name, char *ret, size_t size)
{
	size_t used = 0;

	for (const char *p = name; *p && used + 2 < size; p++) {
		if (isupper((unsigned char)*p) && p != name)
			ret[used++] = '_';
		ret[used++] = (char)tolower((unsigned char)*p);
	}
	ret[used] = '\0';
}

/* The basic type at the message's position; NULL in @ret for one that JSON has no use
 * for, such as a descriptor. */
static int read_basic(sd_bus_message *message, char type, struct json_object **ret)
{
	union {
		const char *text;
		int boolean;
		uint8_t byte;
		int16_t i16;
		uint16_t u16;
		int32_t i32;
		uint32_t u32;
		int64_t i64;
		uint64_t u64;
		double real;
	} value;
	int r = sd_bus_message_read_basic(message, type, &value);

	if (r < 0)
		return r;
	*ret = NULL;
	switch (type) {
	case SD_BUS_TYPE_STRING:
	case SD_BUS_TYPE_OBJECT_PATH:
		return json_new_text(value.text, ret);
	case SD_BUS_TYPE_BOOLEAN:
		*ret = json_object_new_boolean(value.boolean);
		break;
	case SD_BUS_TYPE_INT32:
		*ret = json_object_new_int(value.i32);
		break;
	case SD_BUS_TYPE_UINT32:
		*ret = json_object_new_int64(value.u32);
		break;
	case SD_BUS_TYPE_INT64:
		*ret = json_object_new_int64(value.i64);
		break;
	case SD_BUS_TYPE_UINT64:
		*ret = json_object_new_uint64(value.u64);
		break;
	default:
		return 0;
	}
	return *ret ? 0 : -ENOMEM;
}

static int read_value(sd_bus_message *message, const char *property,
		      struct json_object **ret);

/* Fields without a name are left out. */
static int read_structure(sd_bus_message *message, const char *contents,
			  const char *property, struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	int r = json_new_object(&object)
			?: sd_bus_message_enter_container(message, SD_BUS_TYPE_STRUCT,
							  contents);

	if (r < 0)
		return r;
	for (size_t i = 0; (r = sd_bus_message_at_end(message, false)) == 0; i++) {
		const char *field = field_of(property, i);
		struct json_object *value;

		r = read_value(message, property, &value);
		if (r < 0)
			return r;
		if (!field || is_foreign_time(message, property, field))
			json_object_put(value);
		else if (json_add(object, field, value) < 0)
			return -ENOMEM;
	}
	if (r < 0 || (r = sd_bus_message_exit_container(message)) < 0)
		return r;
	*ret = TAKE_PTR(object);
	return 0;
}

static int read_array(sd_bus_message *message, const char *contents, const char *property,
		      struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *array = NULL;
	int r = json_new_array(&array);

	if (r < 0 || (r = sd_bus_message_enter_container(message, SD_BUS_TYPE_ARRAY,
							 contents)) < 0)
		return r;
	while ((r = sd_bus_message_at_end(message, false)) == 0) {
		struct json_object *value;

		r = read_value(message, property, &value);
		if (r < 0)
			return r;
		if (json_append(array, value) < 0)
			return -ENOMEM;
	}
	if (r < 0 || (r = sd_bus_message_exit_container(message)) < 0)
		return r;
	*ret = TAKE_PTR(array);
	return 0;
}

static int read_dictionary(sd_bus_message *message, struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	int r = json_new_object(&object) ?: ctl_bus_read_properties(message, object);

	if (r < 0)
		return r;
	*ret = TAKE_PTR(object);
	return 0;
}

/* The value at the message's position; NULL for what has no place in our JSON. */
static int read_value(sd_bus_message *message, const char *property,
		      struct json_object **ret)
{
	const char *contents;
	char type;
	int r = sd_bus_message_peek_type(message, &type, &contents);

	if (r <= 0)
		return r < 0 ? r : -EBADMSG;
	if (type == SD_BUS_TYPE_STRUCT)
		return read_structure(message, contents, property, ret);
	if (type == SD_BUS_TYPE_ARRAY && contents[0] != SD_BUS_TYPE_DICT_ENTRY_BEGIN)
		return read_array(message, contents, property, ret);
	if (type == SD_BUS_TYPE_ARRAY && strcmp(contents, "{sv}") == 0)
		return read_dictionary(message, ret);
	if (type != SD_BUS_TYPE_ARRAY && type != SD_BUS_TYPE_VARIANT)
		return read_basic(message, type, ret);
	*ret = NULL;
	return sd_bus_message_skip(message, NULL);
}

static int read_property(sd_bus_message *message, struct json_object *object)
{
	struct json_object *value;
	const char *name, *contents;
	char key[64];
	int r = sd_bus_message_read_basic(message, SD_BUS_TYPE_STRING, &name);

	if (r < 0 || (r = sd_bus_message_peek_type(message, NULL, &contents)) < 0 ||
	    (r = sd_bus_message_enter_container(message, SD_BUS_TYPE_VARIANT, contents)) <
		    0 ||
	    (r = read_value(message, name, &value)) < 0)
		return r;
	to_snake_case(name, key, sizeof(key));
	if (is_foreign_time(message, name, ""))
		json_object_put(TAKE_PTR(value));
	r = json_add(object, key, value);
	return r < 0 ? r : sd_bus_message_exit_container(message);
}

int ctl_bus_read_properties(sd_bus_message *message, struct json_object *object)
{
	int r = sd_bus_message_enter_container(message, SD_BUS_TYPE_ARRAY, "{sv}");

	while (r >= 0) {
		r = sd_bus_message_enter_container(message, SD_BUS_TYPE_DICT_ENTRY, "sv");
		if (r <= 0)
			break;
		r = read_property(message, object);
		if (r >= 0)
			r = sd_bus_message_exit_container(message);
	}
	return r < 0 ? r : sd_bus_message_exit_container(message);
}
