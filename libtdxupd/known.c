// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The text of a file of records: which MRSEAM is which version, and what else is known of
 * it. Nobody signs a file's name and most SIGSTRUCTs hold no version, so this is what
 * tells that an image is the one that it claims to be.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "json-read.h"
#include "known.h"

struct known {
	size_t count;
	struct tdxupd_known_module *modules;
};

static void known_done(struct known *known)
{
	free(known->modules);
}

static int missing(char **ret_why, const char *key)
{
	return why_set(ret_why, -EBADMSG, "lacks \"%s\"", key);
}

/* "2025-02-19" to the BCD of SIGSTRUCT; whether there is such a day does not matter. */
static int parse_date(const char *text, uint32_t *ret)
{
	static const char form[] = "dddd-dd-dd";
	uint32_t date = 0;

	for (size_t i = 0; i < sizeof(form); i++) {
		bool is_digit = text[i] >= '0' && text[i] <= '9';

		if (form[i] == 'd' ? !is_digit : text[i] != form[i])
			return -EBADMSG;
		if (is_digit)
			date = date << 4 | (uint32_t)(text[i] - '0');
	}
	*ret = date;
	return 0;
}

static int read_mrseam(struct json_object *item, struct tdxupd_known_module *module,
		       char **ret_why)
{
	const char *mrseam = NULL;
	int r = jread_text(item, "mrseam", &mrseam, ret_why);

	if (r <= 0)
		return r;
	if (tdxupd_digest_parse(mrseam, &module->mrseam) < 0)
		return why_set(ret_why, -EBADMSG, "\"mrseam\" is no 96 hex digits");
	module->has_mrseam = true;
	return 0;
}

/* That of SIGSTRUCT where it is known, else that of the release page. */
static int read_date(struct json_object *item, struct tdxupd_known_module *module,
		     char **ret_why)
{
	static const char *const keys[] = { "date", "published" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *text = NULL;
		uint32_t date;
		int r = jread_text(item, keys[i], &text, ret_why);

		if (r < 0)
			return r;
		if (r == 0)
			continue;
		if (parse_date(text, &date) < 0)
			return why_set(ret_why, -EBADMSG, "\"%s\" is no YYYY-MM-DD",
				       keys[i]);
		if (!module->has_date)
			module->date = date;
		module->has_date = true;
	}
	return 0;
}

/* Both or neither: half of it would be taken for the whole. */
static int read_handoff(struct json_object *item, struct tdxupd_known_module *module,
			char **ret_why)
{
	uint64_t module_hv;
	int has_hv = jread_number(item, "module_hv", UINT16_MAX, &module_hv, ret_why);
	int has_rule;

	if (has_hv < 0)
		return has_hv;
	has_rule = jread_bool(item, "no_downgrade", &module->no_downgrade, ret_why);
	if (has_rule < 0)
		return has_rule;
	if (has_hv != has_rule)
		return missing(ret_why, has_hv ? "no_downgrade" : "module_hv");
	if (has_hv)
		module->module_hv = (uint16_t)module_hv;
	module->has_handoff = has_hv;
	return 0;
}

static int read_u16(struct json_object *item, const char *key, bool is_hex, bool *ret_has,
		    uint16_t *ret, char **ret_why)
{
	uint64_t number = 0;
	int r = is_hex ? jread_hex(item, key, UINT16_MAX, &number, ret_why)
		       : jread_number(item, key, UINT16_MAX, &number, ret_why);

	if (r < 0)
		return r;
	*ret_has = r > 0;
	*ret = (uint16_t)number;
	return 0;
}

static int read_numbers(struct json_object *item, struct tdxupd_known_module *module,
			char **ret_why)
{
	int r = read_u16(item, "svn", true, &module->has_svn, &module->svn, ret_why)
			?: read_handoff(item, module, ret_why)
			?: read_u16(item, "min_update_hv", false,
				    &module->has_min_update_hv, &module->min_update_hv,
				    ret_why)
			?: read_u16(item, "crypto_context", false,
				    &module->has_crypto_context, &module->crypto_context,
				    ret_why);

	if (r < 0)
		return r;
	r = jread_hex(item, "features0", UINT64_MAX, &module->features0, ret_why);
	module->has_features0 = r > 0;
	if (r >= 0)
		r = jread_bool(item, "has_more_cpus", &module->has_more_cpus, ret_why);
	return r < 0 ? r : 0;
}

/* ---- lists ---- */

typedef int (*read_nth_fn)(struct json_object *array, size_t i, const char *key,
			   struct tdxupd_known_module *module, char **ret_why);

static int read_list(struct json_object *item, const char *key, size_t max,
		     read_nth_fn read, struct tdxupd_known_module *module,
		     size_t *ret_count, char **ret_why)
{
	struct json_object *array = NULL;
	size_t count;
	int r = jread_array(item, key, &array, ret_why);

	if (r <= 0)
		return r;
	count = json_object_array_length(array);
	if (count > max)
		return why_set(ret_why, -EBADMSG, "\"%s\" has more than %zu items", key,
			       max);
	for (size_t i = 0; i < count; i++) {
		r = read(array, i, key, module, ret_why);
		if (r < 0)
			return r;
	}
	*ret_count = count;
	return 1;
}

static int read_cpu(struct json_object *array, size_t i, const char *key,
		    struct tdxupd_known_module *module, char **ret_why)
{
	uint64_t cpu;
	int r = jread_item_hex(array, i, key, UINT32_MAX, &cpu, ret_why);

	if (r >= 0)
		module->cpus[i] = (uint32_t)cpu;
	return r;
}

static int read_superseded(struct json_object *array, size_t i, const char *key,
			   struct tdxupd_known_module *module, char **ret_why)
{
	return jread_item_hex(array, i, key, UINT64_MAX, &module->superseded_features0[i],
			      ret_why);
}

static int read_seamldr(struct json_object *array, size_t i, const char *key,
			struct tdxupd_known_module *module, char **ret_why)
{
	return jread_item_version(array, i, key, &module->min_seamldr_versions[i],
				  ret_why);
}

/* Names go to terminals and into sentences: letters, digits and '-'. */
static int read_advisory(struct json_object *array, size_t i, const char *key,
			 struct tdxupd_known_module *module, char **ret_why)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
	const char *text = NULL;
	int r = jread_item_text(array, i, key, &text, ret_why);
	size_t length;

	if (r < 0)
		return r;
	length = strlen(text);
	if (!length || length >= TDXUPD_ADVISORY_BYTES || strspn(text, allowed) != length)
		return why_set(ret_why, -EBADMSG,
			       "\"%s\" has an item that is no name such as "
			       "INTEL-SA-01397",
			       key);
	memcpy(module->advisories[i], text, length + 1);
	return 0;
}

static int read_lists(struct json_object *item, struct tdxupd_known_module *module,
		      char **ret_why)
{
	int r = read_list(item, "cpus", TDXUPD_KNOWN_CPUS_MAX, read_cpu, module,
			  &module->cpu_count, ret_why);

	if (r >= 0)
		r = read_list(item, "superseded_features0", TDXUPD_KNOWN_SUPERSEDED_MAX,
			      read_superseded, module, &module->superseded_count,
			      ret_why);
	if (r >= 0)
		r = read_list(item, "min_seamldr_versions", TDXUPD_KNOWN_SEAMLDRS_MAX,
			      read_seamldr, module, &module->min_seamldr_count, ret_why);
	if (r >= 0)
		r = read_list(item, "advisories", TDXUPD_KNOWN_ADVISORIES_MAX,
			      read_advisory, module, &module->advisory_count, ret_why);
	module->has_advisories = r > 0;
	if (r >= 0)
		r = jread_version(item, "min_module_version", &module->min_module_version,
				  ret_why);
	module->has_min_module_version = r > 0;
	return r < 0 ? r : 0;
}

/* ---- records ---- */

static int read_module(struct json_object *item, void *out, char **ret_why)
{
	struct tdxupd_known_module *module = out;
	int r = jread_version(item, "version", &module->version, ret_why);

	if (r <= 0)
		return r < 0 ? r : missing(ret_why, "version");
	return read_mrseam(item, module, ret_why) ?: read_date(item, module, ret_why)
		?: read_numbers(item, module, ret_why)
		?: read_lists(item, module, ret_why);
}

static int compare_mrseams(const void *a, const void *b)
{
	const struct tdxupd_known_module *one = a, *other = b;

	return memcmp(one->mrseam.bytes, other->mrseam.bytes, sizeof(one->mrseam.bytes));
}

static int compare_versions(const void *a, const void *b)
{
	const struct tdxupd_known_module *one = a, *other = b;

	return tdxupd_version_compare(&one->version, &other->version);
}

/* One MRSEAM of two versions, or one version with two: who should be believed? */
static int sort(struct known *known, char **ret_why)
{
	static int (*const orders[])(const void *, const void *) = { compare_mrseams,
								     compare_versions };

	for (size_t o = 0; o < ARRAY_SIZE(orders); o++) {
		qsort(known->modules, known->count, sizeof(*known->modules), orders[o]);
		for (size_t i = 1; i < known->count; i++) {
			char text[TDXUPD_VERSION_TEXT_BYTES];

			if (orders[o](&known->modules[i - 1], &known->modules[i]) != 0)
				continue;
			/* Not to be known is common to many. */
			if (!o && !known->modules[i].has_mrseam)
				continue;
			return why_set(
				ret_why, -EBADMSG, "has the %s of %s twice",
				o ? "version" : "MRSEAM",
				tdxupd_version_format(&known->modules[i].version, text));
		}
	}
	return 0;
}

static int read_modules(struct json_object *array, struct known *known, char **ret_why)
{
	size_t count = json_object_array_length(array);
	int r;

	known->modules = calloc(count ? count : 1, sizeof(*known->modules));
	if (!known->modules)
		return -ENOMEM;
	known->count = count;
	r = jread_each(array, "known_modules", "module", read_module, known->modules,
		       sizeof(*known->modules), ret_why);
	return r < 0 ? r : sort(known, ret_why);
}

int known_parse(const char *text, size_t bytes, struct tdxupd_known_module **ret,
		size_t *ret_count, char **ret_why)
{
	_cleanup_(cleanup_jread)
	struct json_object *object = NULL;
	_cleanup_(known_done)
	struct known known = {};
	struct json_object *array = NULL;
	int r = jread_parse(text, bytes, &object, ret_why);

	if (r < 0)
		return r;
	r = jread_array(object, "known_modules", &array, ret_why);
	if (r <= 0)
		return r < 0 ? r : missing(ret_why, "known_modules");
	r = read_modules(array, &known, ret_why);
	if (r < 0)
		return r;
	*ret_count = known.count;
	*ret = TAKE_PTR(known.modules);
	return 0;
}
