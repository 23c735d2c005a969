// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * tdxupd.conf as a whole: every key with the value that counts and who said so. Which
 * files there are is decided in config-files.c, what a value means in config-keys.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config-files.h"
#include "config-keys.h"
#include "config.h"
#include "duration.h"

#define GROUP "Update"

/* ---- values by key ---- */

static struct config_value *find_value(struct config *config, const char *key)
{
	for (size_t i = 0; i < config->value_count; i++)
		if (strcmp(config->values[i].key, key) == 0)
			return &config->values[i];
	return NULL;
}

static int add_default(struct config *config, const char *key, const char *fallback)
{
	struct config_value *values;
	struct config_value *value;

	if (find_value(config, key))
		return 0;
	values = reallocarray(config->values, config->value_count + 1, sizeof(*values));
	if (!values)
		return -ENOMEM;
	config->values = values;
	value = &values[config->value_count++];
	*value = (struct config_value){ .key = strdup(key), .value = strdup(fallback) };
	return value->key && value->value ? 0 : -ENOMEM;
}

static int add_defaults(struct config *config)
{
	const char *key, *fallback;
	int r;

	for (size_t i = 0; (key = config_key_name(i, &fallback)); i++) {
		r = add_default(config, key, fallback);
		if (r < 0)
			return r;
	}
	for (int check = 0; check < _TDXUPD_CHECK_MAX; check++) {
		key = tdxupd_check_describe((enum tdxupd_check)check)->override;
		r = key ? add_default(config, key, "no") : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- complaints ---- */

static int complain(char **why, const char *file, const char *key, const char *text)
{
	char *longer = NULL;

	if (asprintf(&longer, "%s%s%s: %s=: %s", *why ? *why : "", *why ? "\n" : "",
		     file ? file : "built-in", key, text) < 0)
		return -ENOMEM;
	free(*why);
	*why = longer;
	return 0;
}

static int take_line(struct config *config, const struct config_line *line, char **why)
{
	struct config_value *value = find_value(config, line->key);
	char *file, *text;

	if (!line->group || strcmp(line->group, GROUP) != 0)
		return complain(why, line->file, line->key,
				"stands outside of [" GROUP "]");
	if (!value)
		return complain(why, line->file, line->key, "no such key");
	file = strdup(line->file);
	text = strdup(line->value);
	if (!file || !text) {
		free(file);
		free(text);
		return -ENOMEM;
	}
	free(value->file);
	free(value->value);
	value->file = file;
	value->value = text;
	return 0;
}

static int apply_values(struct config *config, char **why)
{
	int r = 0;

	for (size_t i = 0; i < config->value_count && r == 0; i++) {
		const struct config_value *value = &config->values[i];
		const char *trouble;

		r = config_key_apply(config, value->key, value->value, &trouble);
		if (r == -EBADMSG)
			r = complain(why, value->file, value->key, trouble);
	}
	return r;
}

static int take_lines(struct config *config, const struct config_lines *lines,
		      char **ret_why)
{
	_cleanup_(cleanup_free)
	char *why = NULL;
	int r = 0;

	for (size_t i = 0; i < lines->count && r == 0; i++)
		r = take_line(config, &lines->items[i], &why);
	if (r == 0)
		r = apply_values(config, &why);
	if (r < 0 || !why)
		return r;
	*ret_why = TAKE_PTR(why);
	return -EBADMSG;
}

/* ---- the object ---- */

struct config *config_ref(struct config *config)
{
	config->refs++;
	return config;
}

struct config *config_unref(struct config *config)
{
	if (!config || --config->refs)
		return NULL;
	for (size_t i = 0; i < config->value_count; i++) {
		free(config->values[i].key);
		free(config->values[i].value);
		free(config->values[i].file);
	}
	free(config->values);
	tdxupd_policy_free(config->policy);
	free(config->images);
	free(config->mapping);
	free(config->drain_slice);
	free(config);
	return NULL;
}

static int new_empty(struct config **ret)
{
	_cleanup_(cleanup_config)
	struct config *config = calloc(1, sizeof(*config));
	int r;

	if (!config)
		return -ENOMEM;
	config->refs = 1;
	config->deadline_usec = USEC_INFINITY;
	r = tdxupd_policy_new(&config->policy);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(config);
	return 0;
}

static int copy_values(struct config *config, const struct config *from)
{
	config->values = calloc(from->value_count, sizeof(*config->values));
	if (!config->values)
		return -ENOMEM;
	for (size_t i = 0; i < from->value_count; i++) {
		const struct config_value *value = &from->values[i];
		struct config_value *copy = &config->values[config->value_count++];

		copy->key = strdup(value->key);
		copy->value = strdup(value->value);
		copy->file = value->file ? strdup(value->file) : NULL;
		if (!copy->key || !copy->value || (value->file && !copy->file))
			return -ENOMEM;
	}
	return 0;
}

int config_copy(const struct config *config, struct config **ret)
{
	_cleanup_(cleanup_config)
	struct config *copy = NULL;
	_cleanup_(cleanup_free)
	char *why = NULL;
	int r = new_empty(&copy);

	if (r == 0)
		r = copy_values(copy, config);
	if (r == 0)
		r = apply_values(copy, &why);
	if (r < 0)
		return r;
	/* They have made sense before. */
	if (why)
		return -ENOMEM;
	*ret = TAKE_PTR(copy);
	return 0;
}

bool config_is_same(const struct config *a, const struct config *b)
{
	if (a->value_count != b->value_count)
		return false;
	for (size_t i = 0; i < a->value_count; i++)
		if (strcmp(a->values[i].key, b->values[i].key) != 0 ||
		    strcmp(a->values[i].value, b->values[i].value) != 0)
			return false;
	return true;
}

int config_load(const char *root, struct config **ret, char **ret_why)
{
	_cleanup_(cleanup_config)
	struct config *config = NULL;
	_cleanup_(config_lines_done)
	struct config_lines lines = { 0 };
	_cleanup_(cleanup_free)
	char *why = NULL;
	int r;

	r = new_empty(&config);
	if (r == 0)
		r = add_defaults(config);
	if (r == 0)
		r = config_files_read(root, &lines, &why);
	if (r == 0)
		r = take_lines(config, &lines, &why);
	if (r < 0) {
		if (ret_why)
			*ret_why = TAKE_PTR(why);
		return r;
	}
	*ret = TAKE_PTR(config);
	return 0;
}
