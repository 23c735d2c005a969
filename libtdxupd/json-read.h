/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef JSON_READ_H
#define JSON_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <json-c/json_object.h>

#include "tdxupd.h"
#include "util.h"

static inline void jread_free(struct json_object *object)
{
	json_object_put(object);
}
DEFINE_CLEANUP(struct json_object, jread, jread_free)

/*
 * Read JSON that others wrote. Its top must be an object; members that nobody asks for
 * are ignored; of two members of one name the later counts. A byte order mark in front is
 * skipped.
 *
 * Return: 0; -EBADMSG no such JSON, with @ret_why (may be NULL), one phrase, free() it;
 * -ENOMEM.
 */
int jread_parse(const char *text, size_t bytes, struct json_object **ret, char **ret_why);

/*
 * One member. Return: 1 and the value; 0 there is none; -EBADMSG it has another type or
 * does not fit, with @ret_why as above.
 */
int jread_text(struct json_object *object, const char *key, const char **ret,
	       char **ret_why);
int jread_bool(struct json_object *object, const char *key, bool *ret, char **ret_why);
int jread_number(struct json_object *object, const char *key, uint64_t max, uint64_t *ret,
		 char **ret_why);
/* Text of the form "0x2E1F0FBF". */
int jread_hex(struct json_object *object, const char *key, uint64_t max, uint64_t *ret,
	      char **ret_why);
int jread_version(struct json_object *object, const char *key, struct tdxupd_version *ret,
		  char **ret_why);
int jread_object(struct json_object *object, const char *key, struct json_object **ret,
		 char **ret_why);
int jread_array(struct json_object *object, const char *key, struct json_object **ret,
		char **ret_why);
/* Item @i of an array, as a member is read; @name is for the complaint. */
int jread_item_version(struct json_object *array, size_t i, const char *name,
		       struct tdxupd_version *ret, char **ret_why);
int jread_item_text(struct json_object *array, size_t i, const char *name,
		    const char **ret, char **ret_why);
int jread_item_hex(struct json_object *array, size_t i, const char *name, uint64_t max,
		   uint64_t *ret, char **ret_why);

/* Reads one object into one item of the caller's. Return: as jread_each(). */
typedef int (*jread_item_fn)(struct json_object *object, void *item, char **ret_why);
/*
 * Read an array of objects into @items, which has room for all of them, @item_bytes each.
 * @key is the array's name and @noun that of an item, for the complaint. Return: 0; what
 * @read returned first, with the number of that item in @ret_why; -EBADMSG an item is no
 * object. Items before it have been read.
 */
int jread_each(struct json_object *array, const char *key, const char *noun,
	       jread_item_fn read, void *items, size_t item_bytes, char **ret_why);

#endif
