// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Whole documents in and out. json-c (0.16 and before) says nothing of memory that ran
 * out: a list loses elements, a text its end, and that is a success. So what was read is
 * held against the text, value by value and character by character, and what was written
 * against errno, which only a failed allocation sets there. For the key of a member it
 * does not even look, and crashes: whether there is enough is asked first.
 */
#include <errno.h>
#include <string.h>

#include <json-c/json.h>

#include "json.h"

/* What json-c takes at the most for each byte of a document of ours, and for none. */
#define MEMORY_PER_BYTE 16
#define MEMORY_MIN      4096

/* What a document holds: how many values, and how many characters in texts and keys. */
struct shape {
	size_t values;
	size_t characters;
};

/* ---- of the text ---- */

static bool is_character(char byte)
{
	return ((unsigned char)byte & 0xC0) != 0x80;
}

/* \uDC00 to \uDFFF is the second half of a character. */
static bool is_second_half(const char *escape, const char *end)
{
	return end - escape >= 4 && escape[1] == 'u' &&
	       (escape[2] == 'd' || escape[2] == 'D') && strchr("cCdDeEfF", escape[3]);
}

/* @text: behind the quote. Return: the closing one, or @end. */
static const char *scan_text(const char *text, const char *end, struct shape *shape)
{
	for (; text < end && *text != '"'; text++) {
		bool is_escape = *text == '\\' && text + 1 < end;

		shape->characters +=
			is_escape ? !is_second_half(text, end) : is_character(*text);
		if (is_escape && text[1] == 'u')
			text += end - text > 5 ? 5 : end - text - 1;
		else if (is_escape)
			text++;
	}
	return text;
}

static bool is_empty(const char *opening, const char *end)
{
	for (opening++; opening < end && strchr(" \t\r\n", *opening); opening++)
		;
	return opening < end && (*opening == ']' || *opening == '}');
}

/* Of valid JSON; anything else has some shape as well. */
static struct shape scan(const char *text, size_t bytes)
{
	const char *end = text + bytes;
	struct shape shape = { .values = 1 };

	for (; text < end; text++) {
		if (*text == '"')
			text = scan_text(text + 1, end, &shape);
		else if (*text == ',')
			shape.values++;
		else if (*text == '{' || *text == '[')
			shape.values += !is_empty(text, end);
	}
	return shape;
}

/* ---- of what was read ---- */

static size_t count_characters(const char *text, size_t bytes)
{
	size_t count = 0;

	for (size_t i = 0; i < bytes; i++)
		count += is_character(text[i]);
	return count;
}

/* As deep as the parser lets it be. */
static void measure(struct json_object *value, struct shape *shape)
{
	shape->values++;
	if (json_object_is_type(value, json_type_string))
		shape->characters +=
			count_characters(json_object_get_string(value),
					 (size_t)json_object_get_string_len(value));
	for (size_t i = 0; i < json_count(value); i++)
		measure(json_object_array_get_idx(value, i), shape);
	if (!json_object_is_type(value, json_type_object))
		return;
	json_object_object_foreach(value, key, member) {
		shape->characters += count_characters(key, strlen(key));
		measure(member, shape);
	}
}

static int parse_once(const char *text, size_t bytes, int depth, struct json_object **ret)
{
	struct json_tokener *tokener = json_tokener_new_ex(depth);
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	struct shape found = { 0 }, wanted = scan(text, bytes);

	if (!tokener)
		return -ENOMEM;
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	object = json_tokener_parse_ex(tokener, text, (int)bytes);
	json_tokener_free(tokener);
	if (!json_object_is_type(object, json_type_object))
		return -EBADMSG;
	measure(object, &found);
	if (found.values != wanted.values || found.characters != wanted.characters)
		return -EBADMSG;
	*ret = TAKE_PTR(object);
	return 0;
}

static bool has_memory(size_t bytes)
{
	void *memory = malloc(bytes * MEMORY_PER_BYTE + MEMORY_MIN);

	free(memory);
	return memory;
}

int json_parse(const char *text, size_t bytes, int depth, struct json_object **ret)
{
	int r;

	if (bytes > INT32_MAX)
		return -EBADMSG;
	if (!has_memory(bytes))
		return -ENOMEM;
	r = parse_once(text, bytes, depth, ret);
	/* Nonsense is nonsense twice; what memory was wanting for may have it now. */
	return r == -EBADMSG ? parse_once(text, bytes, depth, ret) : r;
}

const char *json_print(struct json_object *object, int flags)
{
	const char *text;

	errno = 0;
	text = json_object_to_json_string_ext(object, flags);
	return errno == ENOMEM ? NULL : text;
}
