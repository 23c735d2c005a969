// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What tdxupd.conf may say, and what it means. Which files there are is decided in
 * config-files.c.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config-files.h"
#include "config.h"
#include "duration.h"

#define GROUP "Update"

/* Returns NULL, or what is wrong with the value. */
typedef const char *(*apply_fn)(struct config *config, const char *value);

static const char no_memory[] = "out of memory";

/* ---- lists ---- */

/* Calls @each for every word of a list; stops at the first complaint. */
static const char *for_each_word(struct config *config, const char *value, apply_fn each)
{
	_cleanup_(cleanup_free)
	char *copy = strdup(value);
	char *save = NULL;

	if (!copy)
		return no_memory;
	for (char *word = strtok_r(copy, " \t\n", &save); word;
	     word = strtok_r(NULL, " \t\n", &save)) {
		const char *why = each(config, word);

		if (why)
			return why;
	}
	return NULL;
}

static const char *apply_one_signer(struct config *config, const char *word)
{
	struct tdxupd_digest digest;

	if (strcmp(word, "none") == 0) {
		tdxupd_policy_trust_nobody(config->policy);
		return NULL;
	}
	if (tdxupd_digest_parse(word, &digest) < 0)
		return "not a list of SHA-384 digests (96 hex digits) of RSA moduli";
	return tdxupd_policy_trust(config->policy, &digest) < 0 ? no_memory : NULL;
}

static const char *apply_one_mrseam(struct config *config, const char *word)
{
	struct tdxupd_digest digest;

	if (tdxupd_digest_parse(word, &digest) < 0)
		return "not a list of MRSEAM digests (96 hex digits)";
	return tdxupd_policy_allow(config->policy, &digest) < 0 ? no_memory : NULL;
}

static const char *apply_one_blocked(struct config *config, const char *word)
{
	int r = tdxupd_policy_block(config->policy, word);

	if (r == -ENOMEM)
		return no_memory;
	return r < 0 ? "not a list of versions and MRSEAM digests" : NULL;
}

static const char *apply_signers(struct config *config, const char *value)
{
	return for_each_word(config, value, apply_one_signer);
}

static const char *apply_mrseams(struct config *config, const char *value)
{
	return for_each_word(config, value, apply_one_mrseam);
}

static const char *apply_blocked(struct config *config, const char *value)
{
	return for_each_word(config, value, apply_one_blocked);
}

/* ---- single values ---- */

static const char *apply_path(char **ret, const char *value)
{
	if (value[0] != '/' || strchr(value, '\n') || strlen(value) >= PATH_MAX)
		return "not an absolute path";
	free(*ret);
	*ret = strdup(value);
	return *ret ? NULL : no_memory;
}

static const char *apply_images(struct config *config, const char *value)
{
	return apply_path(&config->images, value);
}

static const char *apply_mapping(struct config *config, const char *value)
{
	return *value ? apply_path(&config->mapping, value) : NULL;
}

static const char *apply_target(struct config *config, const char *value)
{
	if (!*value || strcmp(value, "newest") == 0)
		return NULL;
	if (tdxupd_version_parse(value, &config->target) < 0)
		return "neither a version such as 1.5.16 nor `newest`";
	config->has_target = true;
	return NULL;
}

static const char *apply_strategy(struct config *config, const char *value)
{
	enum tdxupd_strategy strategy = tdxupd_strategy_from_string(value);

	if (strategy < 0)
		return "neither `fewest` nor `smallest`";
	config->policy->strategy = strategy;
	return NULL;
}

static const char *apply_guard(struct config *config, const char *value)
{
	enum gate_policy guard = gate_policy_from_string(value);

	if (guard < 0)
		return "neither `strict`, `observed` nor `off`";
	config->guard = guard;
	return NULL;
}

static const char *apply_reserve(struct config *config, const char *value)
{
	unsigned long number;
	char *end;

	errno = 0;
	number = strtoul(value, &end, 10);
	if (value[0] < '0' || value[0] > '9' || *end || errno || number > UINT32_MAX)
		return "not a number of updates";
	config->policy->reserve_updates = (uint32_t)number;
	return NULL;
}

static const char *apply_deadline(struct config *config, const char *value)
{
	uint64_t usec;

	if (duration_parse(value, &usec) < 0 || usec == 0)
		return "not a span of time such as `30min`, nor `infinity`";
	config->deadline_usec = usec;
	return NULL;
}

/* ---- the keys ---- */

/* In the order in which tdxupd.conf(5) documents them. */
static const struct setting {
	const char *key;
	const char *fallback;
	apply_fn apply;
} settings[] = {
	{ "ImagesDirectory", "/usr/lib/firmware/intel/tdx-module", apply_images },
	{ "Mapping", "", apply_mapping },
	{ "Target", "newest", apply_target },
	{ "Strategy", "fewest", apply_strategy },
	{ "ReserveUpdates", "0", apply_reserve },
	{ "Guard", "strict", apply_guard },
	{ "DeadlineSec", "infinity", apply_deadline },
	{ "TrustedSigner", "", apply_signers },
	{ "AllowedMrSeam", "", apply_mrseams },
	{ "Blocked", "", apply_blocked },
};

static int parse_boolean(const char *value)
{
	static const char *const yes[] = { "yes", "true", "on", "1" };
	static const char *const no[] = { "no", "false", "off", "0" };

	if (string_table_find(yes, ARRAY_SIZE(yes), value) >= 0)
		return 1;
	if (string_table_find(no, ARRAY_SIZE(no), value) >= 0)
		return 0;
	return -EINVAL;
}

static bool is_override(const char *key, enum tdxupd_check check)
{
	const char *override = tdxupd_check_describe(check)->override;

	return override && strcmp(override, key) == 0;
}

/* The table of checks names the key that makes a warning of each refusal. */
static const char *apply_override(struct config *config, const char *key,
				  const char *value)
{
	int yes = parse_boolean(value);

	if (yes < 0)
		return "neither `yes` nor `no`";
	for (int check = 0; yes && check < _TDXUPD_CHECK_MAX; check++)
		if (is_override(key, (enum tdxupd_check)check))
			tdxupd_policy_accept(config->policy, (enum tdxupd_check)check);
	return NULL;
}

static const char *apply_value(struct config *config, const struct config_value *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		if (strcmp(settings[i].key, value->key) == 0)
			return settings[i].apply(config, value->value);
	return apply_override(config, value->key, value->value);
}

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
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		r = add_default(config, settings[i].key, settings[i].fallback);
		if (r < 0)
			return r;
	}
	for (int check = 0; check < _TDXUPD_CHECK_MAX; check++) {
		const char *key =
			tdxupd_check_describe((enum tdxupd_check)check)->override;

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

static int take_lines(struct config *config, const struct config_lines *lines,
		      char **ret_why)
{
	_cleanup_(cleanup_free)
	char *why = NULL;
	int r = 0;

	for (size_t i = 0; i < lines->count && r == 0; i++)
		r = take_line(config, &lines->items[i], &why);
	for (size_t i = 0; i < config->value_count && r == 0; i++) {
		const struct config_value *value = &config->values[i];
		const char *trouble = apply_value(config, value);

		if (trouble == no_memory)
			r = -ENOMEM;
		else if (trouble)
			r = complain(&why, value->file, value->key, trouble);
	}
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
	free(config);
	return NULL;
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

	config = calloc(1, sizeof(*config));
	if (!config)
		return -ENOMEM;
	config->refs = 1;
	config->deadline_usec = USEC_INFINITY;
	r = tdxupd_policy_new(&config->policy);
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
