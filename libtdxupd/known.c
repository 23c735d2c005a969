// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The record of published modules: which MRSEAM is which version. Nobody signs a file's
 * name and most SIGSTRUCTs hold no version, so this is what tells that an image is the
 * one that it claims to be.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "build-config.h"
#include "io.h"
#include "json-read.h"
#include "known.h"

#define KNOWN_DIR  TDXUPD_DATADIR
#define KNOWN_NAME "known-modules.json"

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

/* MRSEAM and date of one image: both or neither. */
static int read_image(struct json_object *item, struct tdxupd_known_module *module,
		      char **ret_why)
{
	const char *mrseam = NULL, *date = NULL;
	int has_mrseam = jread_text(item, "mrseam", &mrseam, ret_why);
	int has_date;

	if (has_mrseam < 0)
		return has_mrseam;
	has_date = jread_text(item, "date", &date, ret_why);
	if (has_date < 0)
		return has_date;
	if (has_mrseam != has_date)
		return missing(ret_why, has_mrseam ? "date" : "mrseam");
	if (!has_mrseam)
		return 0;
	if (tdxupd_digest_parse(mrseam, &module->mrseam) < 0)
		return why_set(ret_why, -EBADMSG, "\"mrseam\" is no 96 hex digits");
	if (parse_date(date, &module->date) < 0)
		return why_set(ret_why, -EBADMSG, "\"date\" is no YYYY-MM-DD");
	module->has_mrseam = true;
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

static int read_module(struct json_object *item, void *out, char **ret_why)
{
	struct tdxupd_known_module *module = out;
	uint64_t svn;
	int r = jread_version(item, "version", &module->version, ret_why);

	if (r <= 0)
		return r < 0 ? r : missing(ret_why, "version");
	r = jread_hex(item, "svn", UINT16_MAX, &svn, ret_why);
	if (r <= 0)
		return r < 0 ? r : missing(ret_why, "svn");
	module->svn = (uint16_t)svn;
	r = read_image(item, module, ret_why);
	if (r == 0)
		r = read_handoff(item, module, ret_why);
	return r;
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

int known_read(int root_fd, unsigned io_flags, struct tdxupd_known_module **ret,
	       size_t *ret_count, char **ret_why)
{
	_cleanup_(cleanup_close)
	int dir_fd = io_open_dir(root_fd, KNOWN_DIR, io_flags);
	_cleanup_(cleanup_free)
	uint8_t *bytes = NULL;
	_cleanup_(cleanup_free)
	char *why = NULL;
	size_t count;
	int r = dir_fd < 0 ? dir_fd
			   : io_read_file_in(dir_fd, KNOWN_NAME, KNOWN_BYTES_MAX,
					     io_flags, &bytes, &count);

	if (r == -ENODATA) {
		*ret = NULL;
		*ret_count = 0;
		return 0;
	}
	if (r == 0)
		r = known_parse((const char *)bytes, count, ret, ret_count, &why);
	if (r < 0)
		return why_set(ret_why, r, "%s/%s: %s", KNOWN_DIR, KNOWN_NAME,
			       why ? why : io_strerror(r));
	return 0;
}
