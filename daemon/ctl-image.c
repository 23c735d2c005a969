// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * tdxupdctl image show, verify: look at single image files, wherever they are. Needs
 * neither a daemon nor a host.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "ctl-facts.h"
#include "ctl-image.h"
#include "ctl-reasons.h"
#include "ctl-table.h"
#include "ctl.h"
#include "describe.h"
#include "form.h"
#include "io.h"
#include "json.h"
#include "known.h"

int ctl_image_read(struct ctl *ctl, const char *path, uint8_t **ret, size_t *ret_bytes)
{
	int r = ctl_read_file(path, TDXUPD_IMAGE_BYTES_MAX, ret, ret_bytes);

	if (r == -ENOMEM)
		return ctl_fail_memory(ctl);
	if (r < 0)
		return ctl_fail(ctl, CTL_EXIT_FAILURE, "file-unreadable",
				"can't read %s: %s", path, io_strerror(r));
	return CTL_EXIT_OK;
}

static int open_form(const char *path, struct form *ret)
{
	const char *slash = strrchr(path, '/');
	_cleanup_(cleanup_free)
	char *parent = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	_cleanup_(cleanup_close)
	int dir_fd = parent ? open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (!parent)
		return -ENOMEM;
	if (dir_fd < 0)
		return -errno;
	return form_open(dir_fd, slash ? slash + 1 : path, 0, ret);
}

int ctl_image_read_form(struct ctl *ctl, const char *path, uint8_t **ret,
			size_t *ret_bytes)
{
	_cleanup_(form_done)
	struct form form = { .fd = -1, .partner_fd = -1 };
	_cleanup_(cleanup_free)
	char *why = NULL;
	int r = open_form(path, &form);

	if (r == 0)
		r = form_read(&form, ret, ret_bytes, &why);
	if (r == -ENOMEM)
		return ctl_fail_memory(ctl);
	if (r < 0 && why)
		return ctl_fail(ctl, CTL_EXIT_UNTRUSTED, "image-malformed", "%s: %s",
				path, why);
	if (r < 0)
		return ctl_fail(ctl, CTL_EXIT_FAILURE, "file-unreadable",
				"can't read %s: %s", path, io_strerror(r));
	return CTL_EXIT_OK;
}

/* Parse and verify @path; @ret_image stays NULL where there is nothing to parse. */
static int inspect(struct ctl *ctl, struct ctl_facts *facts, const char *path,
		   struct tdxupd_report **ret_report, struct tdxupd_image **ret_image)
{
	_cleanup_(cleanup_free)
	uint8_t *bytes = NULL;
	_cleanup_(cleanup_report)
	struct tdxupd_report *report = NULL;
	_cleanup_(cleanup_image)
	struct tdxupd_image *image = NULL;
	size_t count;
	int r = ctl_facts_read_config(ctl, facts);

	if (r == CTL_EXIT_OK)
		r = ctl_image_read_form(ctl, path, &bytes, &count);
	if (r)
		return r;
	if (tdxupd_report_new(&report) < 0 ||
	    tdxupd_image_parse(bytes, count, report, &image) < 0)
		return ctl_fail_memory(ctl);
	if (image && tdxupd_image_verify(image, facts->config->policy, report) < 0)
		return ctl_fail_memory(ctl);
	*ret_report = TAKE_PTR(report);
	*ret_image = TAKE_PTR(image);
	return CTL_EXIT_OK;
}

/* {name, is_sound, version, image, verdicts}: as an entry of the catalog. */
/* By its measurement, as a name may say anything; nothing where it is not known. */
static int add_known_version(const struct ctl *ctl, struct json_object *object,
			     const struct tdxupd_image *image)
{
	_cleanup_(cleanup_free)
	struct tdxupd_known_module *known = NULL;
	size_t count = 0;
	const struct tdxupd_known_module *module;
	int r = known_read(ctl->root_fd, 0, NULL, &known, &count, NULL);

	if (r == -ENOMEM)
		return r;
	module = r == 0 ? known_find_mrseam(known, count, &image->mrseam) : NULL;
	return module ? describe_version(object, "version", &module->version) : 0;
}

static int describe_file(const struct ctl *ctl, const char *path,
			 const struct tdxupd_report *report,
			 const struct tdxupd_image *image, struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	struct json_object *part = NULL;
	int r;

	r = json_new_object(&object) ?: json_add_text(object, "name", path)
		?: json_add_bool(object, "is_sound", tdxupd_report_is_passed(report));
	if (r == 0 && image)
		r = add_known_version(ctl, object, image)
			    ?: describe_image(image, &part)
			    ?: json_add(object, "image", part);
	if (r == 0)
		r = describe_report(report, &part) ?: json_add(object, "verdicts", part);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(object);
	return 0;
}

static const struct ctl_column card_columns[] = {
	{ .name = "FACT" },
	{ .name = "VALUE", .is_wrapped = true },
};

static int add_fact(struct ctl_table *table, const char *name, const char *value)
{
	const char *cells[] = { name, value };

	return value && *value ? ctl_table_add(table, cells, NULL) : 0;
}

static int add_number(struct ctl_table *table, const char *name,
		      struct json_object *object, const char *key, const char *unit)
{
	char text[64];
	uint64_t number;

	if (!json_get_number(object, key, &number))
		return 0;
	snprintf(text, sizeof(text), "%ju%s", (uintmax_t)number, unit);
	return add_fact(table, name, text);
}

static int add_handoff(struct ctl_table *table, struct json_object *image)
{
	uint64_t high, low;
	char text[96];

	if (!json_get_number(image, "module_hv", &high) ||
	    !json_get_number(image, "min_update_hv", &low))
		return 0;
	snprintf(text, sizeof(text), "version %ju, takes over from %ju and later%s",
		 (uintmax_t)high, (uintmax_t)low,
		 json_get_bool(image, "no_downgrade") ? ", no downgrade" : "");
	return add_fact(table, "Handoff", text);
}

static int add_cpus(struct ctl_table *table, struct json_object *image)
{
	struct json_object *cpus = json_get(image, "cpus");
	char text[1024] = "";
	size_t used = 0;

	for (size_t i = 0; i < json_count(cpus) && used + 16 < sizeof(text); i++)
		used += (size_t)snprintf(
			text + used, sizeof(text) - used, "%s%s", i ? " " : "",
			json_object_get_string(json_object_array_get_idx(cpus, i)));
	return add_fact(table, "CPUs", text);
}

static int print_card(struct ctl *ctl, struct json_object *file)
{
	struct json_object *image = json_get(file, "image");
	_cleanup_(cleanup_ctl_table)
	struct ctl_table *table = NULL;
	_cleanup_(cleanup_free)
	char *reasons = ctl_reasons_join(json_get(file, "verdicts"), "");
	int r = ctl_table_new(ctl, card_columns, ARRAY_SIZE(card_columns), false, &table);

	if (!reasons)
		return ctl_fail_memory(ctl);
	if (r == 0)
		r = add_fact(table, "Image", json_get_text(file, "name"))
			?: add_fact(table, "Version", json_get_text(file, "version"))
			?: add_fact(table, "SVN", json_get_text(image, "svn"))
			?: add_fact(table, "Date", json_get_text(image, "date"))
			?: add_fact(table, "Debug",
				    json_get_bool(image, "is_debug") ? "yes" : NULL)
			?: add_cpus(table, image) ?: add_handoff(table, image)
			?: add_fact(table, "Container",
				    json_get_text(image, "container"))
			?: add_number(table, "Module", image, "module_pages", " pages")
			?: add_fact(table, "MRSEAM", json_get_text(image, "mrseam"))
			?: add_fact(table, "Signer", json_get_text(image, "signer"))
			?: add_fact(table, "Verdict",
				    *reasons ? reasons
					     : "genuine: container, SIGSTRUCT, signature "
					       "and hash are right");
	return r < 0 ? ctl_fail_memory(ctl) : ctl_table_print(table);
}

static int print_verdict(struct ctl *ctl, struct json_object *file)
{
	struct json_object *verdicts = json_get(file, "verdicts");
	const char *name = json_get_text(file, "name");
	_cleanup_(cleanup_free)
	char *reasons = ctl_reasons_join(verdicts, "  ");

	if (!reasons)
		return ctl_fail_memory(ctl);
	if (json_get_bool(file, "is_sound"))
		ctl_say(ctl, "%s: genuine%s%s", name, *reasons ? "\n" : "", reasons);
	else
		ctl_say(ctl, "%s: refused\n%s", name, reasons);
	return CTL_EXIT_OK;
}

typedef int (*print_fn)(struct ctl *ctl, struct json_object *file);

static int show_file(struct ctl *ctl, struct ctl_facts *facts, const char *path,
		     print_fn print, struct json_object *array, bool *ret_is_sound)
{
	_cleanup_(cleanup_report)
	struct tdxupd_report *report = NULL;
	_cleanup_(cleanup_image)
	struct tdxupd_image *image = NULL;
	struct json_object *file = NULL;
	int r = inspect(ctl, facts, path, &report, &image);

	if (r)
		return r;
	if (describe_file(ctl, path, report, image, &file) < 0)
		return ctl_fail_memory(ctl);
	*ret_is_sound = tdxupd_report_is_passed(report);
	r = ctl->json == CTL_JSON_OFF ? print(ctl, file) : CTL_EXIT_OK;
	return json_append(array, file) < 0 ? ctl_fail_memory(ctl) : r;
}

/* show says what is in a file and is content with that; verify fails where it is bad. */
static int look_at(struct ctl *ctl, int argc, char **argv, print_fn print,
		   bool is_verdict_wanted)
{
	struct ctl_facts facts = { 0 };
	_cleanup_(cleanup_json)
	struct json_object *array = NULL;
	bool is_refused = false;
	int r = json_new_array(&array) < 0 ? ctl_fail_memory(ctl) : CTL_EXIT_OK;

	for (int i = 1; r == CTL_EXIT_OK && i < argc; i++) {
		bool is_sound = false;

		if (i > 1 && print == print_card)
			ctl_say(ctl, "%s", "");
		r = show_file(ctl, &facts, argv[i], print, array, &is_sound);
		is_refused = is_refused || !is_sound;
	}
	if (r == CTL_EXIT_OK && ctl->json != CTL_JSON_OFF)
		r = ctl_print_json(ctl, array);
	ctl_facts_done(&facts);
	if (r == CTL_EXIT_OK && is_verdict_wanted && is_refused)
		return CTL_EXIT_UNTRUSTED;
	return r;
}

int ctl_image_show(struct ctl *ctl, int argc, char **argv)
{
	return look_at(ctl, argc, argv, print_card, false);
}

int ctl_image_verify(struct ctl *ctl, int argc, char **argv)
{
	return look_at(ctl, argc, argv, print_verdict, true);
}
