// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * JSON of unknown origin, member by member and type by type, so that nothing is guessed:
 * a number that is text, a version of two parts or a NUL inside a string is an error with
 * the member's name. What the members mean is for the caller.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json_tokener.h>
#include <json-c/json_util.h>

#include "json-read.h"

/* Far above what any of our formats nests, far below what the stack holds. */
#define DEPTH_MAX 32

/* What editors of another system put in front of UTF-8. */
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

DEFINE_CLEANUP(struct json_tokener, tokener, json_tokener_free)

int jread_parse(const char *text, size_t bytes, struct json_object **ret, char **ret_why)
{
	_cleanup_(cleanup_tokener)
	struct json_tokener *tokener = NULL;
	_cleanup_(cleanup_jread)
	struct json_object *object = NULL;
	enum json_tokener_error error;

	if (bytes >= strlen(BYTE_ORDER_MARK) &&
	    memcmp(text, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0) {
		text += strlen(BYTE_ORDER_MARK);
		bytes -= strlen(BYTE_ORDER_MARK);
	}
	if (bytes > INT32_MAX - 1)
		return why_set(ret_why, -EBADMSG, "is too long");
	if (memchr(text, '\0', bytes))
		return why_set(ret_why, -EBADMSG, "holds a NUL byte");
	tokener = json_tokener_new_ex(DEPTH_MAX);
	if (!tokener)
		return -ENOMEM;
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	object = json_tokener_parse_ex(tokener, text, (int)bytes);
	error = json_tokener_get_error(tokener);
	if (error == json_tokener_continue)
		return why_set(ret_why, -EBADMSG, "ends too early to be JSON");
	if (error != json_tokener_success)
		return why_set(ret_why, -EBADMSG, "is no JSON: %s at byte %zu",
			       json_tokener_error_desc(error),
			       json_tokener_get_parse_end(tokener));
	if (!json_object_is_type(object, json_type_object))
		return why_set(ret_why, -EBADMSG, "is JSON but no object");
	*ret = TAKE_PTR(object);
	return 0;
}

static int complain(char **ret_why, const char *key, const char *wanted)
{
	return why_set(ret_why, -EBADMSG, "\"%s\" is no %s", key, wanted);
}

/* Return: 1 there is one of this type, 0 none, -EBADMSG one of another type. */
static int get_member(struct json_object *object, const char *key, enum json_type type,
		      struct json_object **ret, char **ret_why)
{
	struct json_object *value = NULL;

	if (!json_object_object_get_ex(object, key, &value))
		return 0;
	if (!json_object_is_type(value, type))
		return complain(ret_why, key, json_type_to_name(type));
	*ret = value;
	return 1;
}

static int get_text(struct json_object *value, const char *name, const char **ret,
		    char **ret_why)
{
	const char *text = json_object_get_string(value);

	if (strlen(text) != (size_t)json_object_get_string_len(value))
		return complain(ret_why, name, "text: it holds a NUL");
	*ret = text;
	return 1;
}

int jread_text(struct json_object *object, const char *key, const char **ret,
	       char **ret_why)
{
	struct json_object *value = NULL;
	int r = get_member(object, key, json_type_string, &value, ret_why);

	return r <= 0 ? r : get_text(value, key, ret, ret_why);
}

int jread_bool(struct json_object *object, const char *key, bool *ret, char **ret_why)
{
	struct json_object *value = NULL;
	int r = get_member(object, key, json_type_boolean, &value, ret_why);

	if (r > 0)
		*ret = json_object_get_boolean(value);
	return r;
}

int jread_number(struct json_object *object, const char *key, uint64_t max, uint64_t *ret,
		 char **ret_why)
{
	struct json_object *value = NULL;
	uint64_t number;
	int r = get_member(object, key, json_type_int, &value, ret_why);

	if (r <= 0)
		return r;
	/* json-c cuts what does not fit into 64 bits to the nearest that does. */
	number = json_object_get_uint64(value);
	if (json_object_get_int64(value) < 0 || number > max || number == UINT64_MAX)
		return complain(ret_why, key, "number of this range");
	*ret = number;
	return 1;
}

static int parse_hex(const char *text, uint64_t max, uint64_t *ret)
{
	unsigned long long value;
	char *end;

	if (text[0] != '0' || (text[1] | 0x20) != 'x')
		return -EBADMSG;
	if (!text[2] || strspn(text + 2, "0123456789abcdefABCDEF") != strlen(text + 2))
		return -EBADMSG;
	errno = 0;
	value = strtoull(text, &end, 16);
	if (errno != 0 || *end || value > max)
		return -EBADMSG;
	*ret = value;
	return 0;
}

int jread_hex(struct json_object *object, const char *key, uint64_t max, uint64_t *ret,
	      char **ret_why)
{
	const char *text = NULL;
	int r = jread_text(object, key, &text, ret_why);

	if (r <= 0)
		return r;
	return parse_hex(text, max, ret) < 0 ? complain(ret_why, key, "number like 0x1f")
					     : 1;
}

/* The kernel's form allows one newline at the end, JSON has none. */
static int get_version(struct json_object *value, const char *name,
		       struct tdxupd_version *ret, char **ret_why)
{
	const char *text = NULL;
	int r = get_text(value, name, &text, ret_why);

	if (r < 0)
		return r;
	if (strchr(text, '\n') || tdxupd_version_parse(text, ret) < 0)
		return complain(ret_why, name, "version like 1.5.06");
	return 1;
}

int jread_version(struct json_object *object, const char *key, struct tdxupd_version *ret,
		  char **ret_why)
{
	struct json_object *value = NULL;
	int r = get_member(object, key, json_type_string, &value, ret_why);

	return r <= 0 ? r : get_version(value, key, ret, ret_why);
}

int jread_object(struct json_object *object, const char *key, struct json_object **ret,
		 char **ret_why)
{
	return get_member(object, key, json_type_object, ret, ret_why);
}

int jread_array(struct json_object *object, const char *key, struct json_object **ret,
		char **ret_why)
{
	return get_member(object, key, json_type_array, ret, ret_why);
}

static int get_item(struct json_object *array, size_t i, const char *name,
		    enum json_type type, struct json_object **ret, char **ret_why)
{
	struct json_object *value = json_object_array_get_idx(array, i);

	if (!json_object_is_type(value, type))
		return why_set(ret_why, -EBADMSG, "item %zu of \"%s\" is no %s", i, name,
			       json_type_to_name(type));
	*ret = value;
	return 1;
}

int jread_item_version(struct json_object *array, size_t i, const char *name,
		       struct tdxupd_version *ret, char **ret_why)
{
	struct json_object *value = NULL;
	int r = get_item(array, i, name, json_type_string, &value, ret_why);

	return r <= 0 ? r : get_version(value, name, ret, ret_why);
}

int jread_item_text(struct json_object *array, size_t i, const char *name,
		    const char **ret, char **ret_why)
{
	struct json_object *value = NULL;
	int r = get_item(array, i, name, json_type_string, &value, ret_why);

	return r <= 0 ? r : get_text(value, name, ret, ret_why);
}

int jread_item_hex(struct json_object *array, size_t i, const char *name, uint64_t max,
		   uint64_t *ret, char **ret_why)
{
	const char *text = NULL;
	int r = jread_item_text(array, i, name, &text, ret_why);

	if (r <= 0)
		return r;
	return parse_hex(text, max, ret) < 0 ? complain(ret_why, name, "number like 0x1f")
					     : 1;
}

int jread_each(struct json_object *array, const char *key, const char *noun,
	       jread_item_fn read, void *items, size_t item_bytes, char **ret_why)
{
	for (size_t i = 0; i < json_object_array_length(array); i++) {
		_cleanup_(cleanup_free)
		char *why = NULL;
		struct json_object *object = NULL;
		int r = get_item(array, i, key, json_type_object, &object, &why);

		if (r > 0)
			r = read(object, (char *)items + i * item_bytes, &why);
		if (r < 0)
			return why_set(ret_why, r, "%s %zu: %s", noun, i,
				       why ? why : "no memory");
	}
	return 0;
}
