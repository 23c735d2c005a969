// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * tdxupdctl image import: put images, in whatever form they come, into the store that is
 * read beside the images directory. Only what verifies gets in.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include <json-c/json.h>

#include "catalog-files.h"
#include "ctl-facts.h"
#include "ctl-image.h"
#include "ctl-reasons.h"
#include "ctl.h"
#include "describe.h"
#include "form.h"
#include "image-store.h"
#include "io.h"
#include "json.h"
#include "known.h"

#define FILES_MAX 10000

DEFINE_CLEANUP(char *, names, io_free_names)

struct import {
	struct ctl *ctl;
	struct ctl_facts facts;
	int store_fd;
	struct tdxupd_known_module *known;
	size_t known_count;
	struct json_object *images;
	size_t refused;
};

static int add_refusal(struct import *import, const char *path, const char *why)
{
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;

	import->refused++;
	ctl_say(import->ctl, "%s: left out: %s", path, why);
	if ((json_new_object(&object) ?: json_add_text(object, "name", path)
		     ?: json_add_bool(object, "is_stored", false)
			     ?: json_add_text(object, "why", why)
				     ?: json_append(import->images, json_object_get(object))) < 0)
		return ctl_fail_memory(import->ctl);
	return CTL_EXIT_OK;
}

static int add_stored(struct import *import, const char *path, const char *name,
		      const struct tdxupd_image *image, bool is_new)
{
	const struct tdxupd_known_module *known =
		known_find_mrseam(import->known, import->known_count, &image->mrseam);
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	char version[TDXUPD_VERSION_TEXT_BYTES];

	ctl_say(import->ctl, "%s: %s %s as " STORE_DIR "/%s", path,
		known ? tdxupd_version_format(&known->version, version)
		      : "a version that is not on record",
		is_new ? "stored" : "was there already", name);
	if (!known)
		ctl_say(import->ctl, "  It is offered once a record of its MRSEAM is in "
				     "/etc/tdxupd/known-modules.d.");
	if ((json_new_object(&object) ?: json_add_text(object, "name", path)
		     ?: json_add_bool(object, "is_stored", true)
			     ?: json_add_bool(object, "is_new", is_new)
				     ?: json_add_text(object, "stored_as", name)) < 0)
		return ctl_fail_memory(import->ctl);
	if (known && describe_version(object, "version", &known->version) < 0)
		return ctl_fail_memory(import->ctl);
	if (json_append(import->images, json_object_get(object)) < 0)
		return ctl_fail_memory(import->ctl);
	return CTL_EXIT_OK;
}

static int store(struct import *import, const char *path,
		 const struct tdxupd_image *image)
{
	char name[IMAGE_STORE_NAME_BYTES];
	int r = image_store_put(import->store_fd, image, name);

	if (r < 0)
		return ctl_fail(import->ctl, CTL_EXIT_FAILURE, "store-unwritable",
				"can't write to " STORE_DIR ": %s", strerror(-r));
	return add_stored(import, path, name, image, r > 0);
}

/* The first reason is enough: `image show` has them all. */
static int refuse(struct import *import, const char *path,
		  const struct tdxupd_report *report)
{
	_cleanup_(cleanup_json)
	struct json_object *verdicts = NULL;
	_cleanup_(cleanup_free)
	char *why = NULL;

	if (describe_report(report, &verdicts) < 0)
		return ctl_fail_memory(import->ctl);
	why = ctl_reasons_summarize(verdicts);
	return why ? add_refusal(import, path, why) : ctl_fail_memory(import->ctl);
}

static int import_bytes(struct import *import, const char *path, const uint8_t *bytes,
			size_t count)
{
	_cleanup_(cleanup_report)
	struct tdxupd_report *report = NULL;
	_cleanup_(cleanup_image)
	struct tdxupd_image *image = NULL;

	if (tdxupd_report_new(&report) < 0 ||
	    tdxupd_image_parse(bytes, count, report, &image) < 0)
		return ctl_fail_memory(import->ctl);
	if (image && tdxupd_image_verify(image, import->facts.config->policy, report) < 0)
		return ctl_fail_memory(import->ctl);
	if (!image || !tdxupd_report_is_passed(report))
		return refuse(import, path, report);
	return store(import, path, image);
}

/* @name in @dir_fd, which is called @path for people. */
static int import_file(struct import *import, int dir_fd, const char *name,
		       const char *path)
{
	_cleanup_(form_done)
	struct form form = { .fd = -1, .partner_fd = -1 };
	_cleanup_(cleanup_free)
	uint8_t *bytes = NULL;
	_cleanup_(cleanup_free)
	char *why = NULL;
	size_t count = 0;
	int r = form_open(dir_fd, name, 0, &form);

	if (r == 0 && form_is_bare(&form))
		return add_refusal(import, path, "a module without its SIGSTRUCT");
	if (r == 0)
		r = form_read(&form, &bytes, &count, &why);
	if (r == -ENOMEM)
		return ctl_fail_memory(import->ctl);
	if (r < 0)
		return add_refusal(import, path, why ? why : io_strerror(r));
	return import_bytes(import, path, bytes, count);
}

/* ---- what is named ---- */

static int import_folder(struct import *import, int dir_fd, const char *folder)
{
	_cleanup_(cleanup_names)
	char **paths = NULL;
	size_t count = 0;
	int r = files_list(dir_fd, 0, FILES_MAX, &paths, &count);

	if (r < 0)
		return ctl_fail(import->ctl, CTL_EXIT_FAILURE, "file-unreadable",
				"can't read %s: %s", folder, strerror(-r));
	r = CTL_EXIT_OK;
	for (size_t i = 0; r == CTL_EXIT_OK && i < count; i++) {
		_cleanup_(cleanup_free)
		char *path = NULL;
		const char *name;
		_cleanup_(cleanup_close)
		int parent_fd = files_open_parent(dir_fd, paths[i], 0, &name);

		if (asprintf(&path, "%s/%s", folder, paths[i]) < 0) {
			path = NULL;
			return ctl_fail_memory(import->ctl);
		}
		if (parent_fd < 0)
			r = add_refusal(import, path, io_strerror(parent_fd));
		else if (!form_is_sigstruct(name) && strcmp(name, "mapping_file.json"))
			r = import_file(import, parent_fd, name, path);
	}
	return r;
}

static int import_input(struct import *import)
{
	_cleanup_(cleanup_free)
	uint8_t *packed = NULL;
	_cleanup_(cleanup_free)
	uint8_t *bytes = NULL;
	_cleanup_(cleanup_free)
	char *why = NULL;
	size_t packed_count, count = 0;
	int r = ctl_read_input(PACK_BYTES_MAX, &packed, &packed_count);

	if (r == 0)
		r = form_from_bytes(packed, packed_count, &bytes, &count, &why);
	if (r == -ENOMEM)
		return ctl_fail_memory(import->ctl);
	if (r < 0)
		return add_refusal(import, "-", why ? why : io_strerror(r));
	return import_bytes(import, "-", bytes, count);
}

static int import_path(struct import *import, const char *path)
{
	const char *slash = strrchr(path, '/');
	_cleanup_(cleanup_free)
	char *parent = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	_cleanup_(cleanup_close)
	int dir_fd = -1;

	if (!parent)
		return ctl_fail_memory(import->ctl);
	if (strcmp(path, "-") == 0)
		return import_input(import);
	dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd >= 0)
		return import_folder(import, dir_fd, path);
	dir_fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return add_refusal(import, path, strerror(errno));
	return import_file(import, dir_fd, slash ? slash + 1 : path, path);
}

static int prepare(struct import *import)
{
	int r = ctl_facts_read_config(import->ctl, &import->facts);

	if (r)
		return r;
	if (json_new_array(&import->images) < 0)
		return ctl_fail_memory(import->ctl);
	if (known_read(import->ctl->root_fd, 0, NULL, &import->known,
		       &import->known_count, NULL) == -ENOMEM)
		return ctl_fail_memory(import->ctl);
	r = image_store_open(import->ctl->root_fd, &import->store_fd);
	if (r == -EACCES)
		return ctl_fail(import->ctl, CTL_EXIT_NOT_AUTHORISED, "store-unwritable",
				STORE_DIR " is root's: run this as root");
	if (r < 0)
		return ctl_fail(import->ctl, CTL_EXIT_FAILURE, "store-unwritable",
				"can't open " STORE_DIR ": %s", strerror(-r));
	return CTL_EXIT_OK;
}

int ctl_image_import(struct ctl *ctl, int argc, char **argv)
{
	struct import import = { .ctl = ctl, .store_fd = -1 };
	size_t stored;
	int r = prepare(&import);

	for (int i = 1; r == CTL_EXIT_OK && i < argc; i++)
		r = import_path(&import, argv[i]);
	stored = json_count(import.images) - import.refused;
	if (r == CTL_EXIT_OK && ctl->json != CTL_JSON_OFF)
		r = ctl_print_json(ctl, import.images);
	if (r == CTL_EXIT_OK && stored == 0)
		r = ctl->json != CTL_JSON_OFF
			    ? CTL_EXIT_UNTRUSTED
			    : ctl_fail(ctl, CTL_EXIT_UNTRUSTED, "nothing-imported",
				       "nothing was imported: no sound module image "
				       "there");
	json_object_put(import.images);
	free(import.known);
	if (import.store_fd >= 0)
		close(import.store_fd);
	ctl_facts_done(&import.facts);
	return r;
}
