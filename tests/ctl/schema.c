// SPDX-License-Identifier: LGPL-2.1-or-later
#include "schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "json.h"

#define REFERENCE "common.json#/$defs/"

/* @common: what references lead to; @why: what was wrong, for people */
struct check {
	struct json_object *common;
	char why[512];
};

static bool matches(struct check *check, struct json_object *value,
		    struct json_object *schema, const char *where);

static bool differ(struct check *check, const char *where, const char *what)
{
	snprintf(check->why, sizeof(check->why), "%s: %s", where, what);
	return false;
}

static bool matches_type(struct check *check, struct json_object *value, const char *type,
			 const char *where)
{
	static const struct {
		const char *name;
		enum json_type type;
	} types[] = {
		{ "object", json_type_object }, { "array", json_type_array },
		{ "string", json_type_string }, { "boolean", json_type_boolean },
		{ "integer", json_type_int },
	};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (strcmp(types[i].name, type) == 0)
			return json_object_is_type(value, types[i].type) ||
			       differ(check, where, type);
	return differ(check, where, "the schema has an unknown type");
}

static bool matches_required(struct check *check, struct json_object *value,
			     struct json_object *required, const char *where)
{
	for (size_t i = 0; i < json_count(required); i++) {
		const char *key =
			json_object_get_string(json_object_array_get_idx(required, i));

		if (!json_get(value, key))
			return differ(check, where, key);
	}
	return true;
}

static bool matches_properties(struct check *check, struct json_object *value,
			       struct json_object *schema, const char *where)
{
	struct json_object *properties = json_get(schema, "properties");
	struct json_object *additional = json_get(schema, "additionalProperties");

	json_object_object_foreach(value, key, member) {
		struct json_object *of_member = json_get(properties, key);
		char path[256];

		snprintf(path, sizeof(path), "%s.%s", where, key);
		if (!of_member) {
			if (additional)
				return differ(check, path, "is in no schema");
		} else if (!matches(check, member, of_member, path)) {
			return false;
		}
	}
	return matches_required(check, value, json_get(schema, "required"), where);
}

static bool matches_items(struct check *check, struct json_object *value,
			  struct json_object *items, const char *where)
{
	for (size_t i = 0; i < json_count(value); i++) {
		char path[256];

		snprintf(path, sizeof(path), "%s[%zu]", where, i);
		if (!matches(check, json_object_array_get_idx(value, i), items, path))
			return false;
	}
	return true;
}

static bool matches_enum(struct check *check, struct json_object *value,
			 struct json_object *names, const char *where)
{
	for (size_t i = 0; i < json_count(names); i++)
		if (json_object_equal(json_object_array_get_idx(names, i), value))
			return true;
	return differ(check, where, json_object_to_json_string(value));
}

static bool matches_any(struct check *check, struct json_object *value,
			struct json_object *schemas, const char *where)
{
	for (size_t i = 0; i < json_count(schemas); i++)
		if (matches(check, value, json_object_array_get_idx(schemas, i), where))
			return true;
	return false;
}

static bool matches_reference(struct check *check, struct json_object *value,
			      const char *reference, const char *where)
{
	struct json_object *schema;

	if (strncmp(reference, REFERENCE, strlen(REFERENCE)) != 0)
		return differ(check, where, "the schema has a reference to elsewhere");
	schema =
		json_get(json_get(check->common, "$defs"), reference + strlen(REFERENCE));
	return schema ? matches(check, value, schema, where)
		      : differ(check, where, "the schema has a reference to nothing");
}

/* One keyword; what only describes is always right. */
static bool matches_keyword(struct check *check, struct json_object *value,
			    struct json_object *schema, const char *keyword,
			    struct json_object *of, const char *where)
{
	static const char *const ignored[] = { "$schema",     "$comment",
					       "$id",         "title",
					       "$defs",       "required",
					       "description", "additionalProperties" };

	if (strcmp(keyword, "type") == 0)
		return matches_type(check, value, json_object_get_string(of), where);
	if (strcmp(keyword, "properties") == 0)
		return matches_properties(check, value, schema, where);
	if (strcmp(keyword, "items") == 0)
		return matches_items(check, value, of, where);
	if (strcmp(keyword, "enum") == 0)
		return matches_enum(check, value, of, where);
	if (strcmp(keyword, "anyOf") == 0)
		return matches_any(check, value, of, where);
	if (strcmp(keyword, "$ref") == 0)
		return matches_reference(check, value, json_object_get_string(of), where);
	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		if (strcmp(ignored[i], keyword) == 0)
			return true;
	return differ(check, where, "the schema has a keyword that the test lacks");
}

static bool matches(struct check *check, struct json_object *value,
		    struct json_object *schema, const char *where)
{
	json_object_object_foreach(schema, keyword, of) {
		if (!matches_keyword(check, value, schema, keyword, of, where))
			return false;
	}
	return true;
}

static struct json_object *load(const char *name)
{
	const char *source = getenv("TDXUPD_SOURCE");
	struct json_object *schema;
	char path[512];

	assert_non_null(source);
	snprintf(path, sizeof(path), "%s/daemon/schema/%s.json", source, name);
	schema = json_object_from_file(path);
	if (!schema)
		fail_msg("no schema %s: %s", path, json_util_get_last_err());
	return schema;
}

static bool look(struct json_object *value, const char *name, struct check *check)
{
	struct json_object *schema = load(name);
	bool is_right;

	check->common = load("common");
	is_right = matches(check, value, schema, name);
	json_object_put(schema);
	json_object_put(check->common);
	return is_right;
}

bool schema_matches(struct json_object *value, const char *name)
{
	struct check check;

	return look(value, name, &check);
}

void schema_assert(struct json_object *value, const char *name)
{
	struct check check;

	if (!look(value, name, &check))
		fail_msg("not as the schema %s has it: %s in %s", name, check.why,
			 json_object_to_json_string(value));
}
