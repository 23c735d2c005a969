// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * tdxupdctl config show: every key of tdxupd.conf, its value, and which file says so.
 */
#include <json-c/json.h>

#include "ctl-facts.h"
#include "ctl-table.h"
#include "ctl.h"
#include "json.h"

static const struct ctl_column columns[] = {
	{ .name = "KEY" },
	{ .name = "FROM" },
	{ .name = "VALUE", .is_wrapped = true },
};

static int describe_value(const struct config_value *value, struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	int r;

	r = json_new_object(&object) ?: json_add_text(object, "key", value->key)
		?: json_add_text(object, "value", value->value)
		?: json_add_text(object, "file", value->file);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(object);
	return 0;
}

static int describe_values(const struct config *config, struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *array = NULL;
	int r = json_new_array(&array);

	for (size_t i = 0; r == 0 && i < config->value_count; i++) {
		struct json_object *value = NULL;

		r = describe_value(&config->values[i], &value)
			    ?: json_append(array, value);
	}
	if (r < 0)
		return r;
	*ret = TAKE_PTR(array);
	return 0;
}

static int print_table(struct ctl *ctl, struct json_object *values)
{
	_cleanup_(cleanup_ctl_table)
	struct ctl_table *table = NULL;
	int r = ctl_table_new(ctl, columns, ARRAY_SIZE(columns), true, &table);

	for (size_t i = 0; r == 0 && i < json_count(values); i++) {
		struct json_object *value = json_object_array_get_idx(values, i);
		const char *file = json_get_text(value, "file");
		const char *cells[] = {
			json_get_text(value, "key"),
			file ? file : "default",
			json_get_text(value, "value"),
		};

		r = ctl_table_add(table, cells, NULL);
	}
	return r < 0 ? ctl_fail_memory(ctl) : ctl_table_print(table);
}

int ctl_config_show(struct ctl *ctl, int argc, char **argv)
{
	struct ctl_facts facts = { 0 };
	_cleanup_(cleanup_json)
	struct json_object *values = NULL;
	int r = ctl_facts_read_config(ctl, &facts);

	(void)argc;
	(void)argv;
	if (r == CTL_EXIT_OK) {
		if (describe_values(facts.config, &values) < 0)
			r = ctl_fail_memory(ctl);
		else if (ctl->json == CTL_JSON_OFF)
			r = print_table(ctl, values);
		else
			r = ctl_print_json(ctl, values);
	}
	ctl_facts_done(&facts);
	return r;
}
