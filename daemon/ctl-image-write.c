// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * tdxupdctl image convert, join: write image files. Needs neither a daemon nor a host.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include <json-c/json.h>

#include "ctl-image.h"
#include "ctl-reasons.h"
#include "ctl.h"
#include "describe.h"
#include "io.h"
#include "json.h"

static int get_container(struct ctl *ctl, uint16_t *ret)
{
	const char *name = ctl->container ? ctl->container : "kernel";

	if (strcmp(name, "kernel") == 0 || strcmp(name, "0x200") == 0)
		*ret = TDXUPD_CONTAINER_KERNEL;
	else if (strcmp(name, "published") == 0 || strcmp(name, "0x100") == 0)
		*ret = TDXUPD_CONTAINER_PUBLISHED;
	else
		return ctl_fail(ctl, CTL_EXIT_USAGE, "usage",
				"--container is kernel (0x200) or published (0x100), not "
				"\"%s\"",
				name);
	return CTL_EXIT_OK;
}

static int write_file(struct ctl *ctl, const char *path, const uint8_t *bytes,
		      size_t count)
{
	int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY |
		    (ctl->is_force ? O_TRUNC : O_EXCL);
	_cleanup_(cleanup_close)
	int fd = open(path, flags, 0644);
	int r = fd < 0 ? -errno : io_write_all_fd(fd, bytes, count);

	if (r == -EEXIST)
		return ctl_fail(ctl, CTL_EXIT_FAILURE, "file-exists",
				"%s exists already; --force overwrites it", path);
	if (r < 0) {
		if (fd >= 0 && !ctl->is_force)
			unlink(path); /* half an image is worse than none */
		return ctl_fail(ctl, CTL_EXIT_FAILURE, "file-unwritable",
				"can't write %s: %s", path, strerror(-r));
	}
	return CTL_EXIT_OK;
}

static int say_written(struct ctl *ctl, const char *path, uint16_t container,
		       size_t bytes)
{
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;

	if (ctl->json == CTL_JSON_OFF) {
		ctl_say(ctl, "%s: container 0x%x, %zu bytes", path, container, bytes);
		return CTL_EXIT_OK;
	}
	if ((json_new_object(&object) ?: json_add_text(object, "name", path)
		     ?: json_add_hex(object, "container", container)
			     ?: json_add_number(object, "bytes", bytes)) < 0)
		return ctl_fail_memory(ctl);
	return ctl_print_json(ctl, object);
}

static int fail_no_image(struct ctl *ctl, const char *path,
			 const struct tdxupd_report *report)
{
	_cleanup_(cleanup_json)
	struct json_object *verdicts = NULL;
	_cleanup_(cleanup_free)
	char *reasons = NULL;
	struct json_object *first;

	if (describe_report(report, &verdicts) < 0)
		return ctl_fail_memory(ctl);
	first = json_object_array_get_idx(verdicts, 0);
	reasons = ctl_reasons_join(verdicts, "");
	return ctl_fail(ctl, CTL_EXIT_UNTRUSTED,
			first ? json_get_text(first, "code") : "image-malformed",
			"%s is no module image: %s", path, reasons ? reasons : "?");
}

int ctl_image_convert(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(cleanup_free)
	uint8_t *bytes = NULL;
	_cleanup_(cleanup_free)
	uint8_t *converted = NULL;
	_cleanup_(cleanup_report)
	struct tdxupd_report *report = NULL;
	_cleanup_(cleanup_image)
	struct tdxupd_image *image = NULL;
	uint16_t container;
	size_t count;
	int r = get_container(ctl, &container);

	(void)argc;
	if (r == CTL_EXIT_OK)
		r = ctl_image_read_form(ctl, argv[1], &bytes, &count);
	if (r)
		return r;
	if (tdxupd_report_new(&report) < 0 ||
	    tdxupd_image_parse(bytes, count, report, &image) < 0)
		return ctl_fail_memory(ctl);
	if (!image || !tdxupd_report_is_passed(report))
		return fail_no_image(ctl, argv[1], report);
	if (tdxupd_image_convert(image, container, &converted) < 0)
		return ctl_fail_memory(ctl);
	r = write_file(ctl, argv[2], converted, image->bytes_count);
	return r ? r : say_written(ctl, argv[2], container, image->bytes_count);
}

int ctl_image_join(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(cleanup_free)
	uint8_t *module = NULL;
	_cleanup_(cleanup_free)
	uint8_t *sigstruct = NULL;
	_cleanup_(cleanup_free)
	uint8_t *joined = NULL;
	size_t module_count, sigstruct_count, count;
	uint16_t container;
	int r = get_container(ctl, &container);

	(void)argc;
	if (r == CTL_EXIT_OK)
		r = ctl_image_read(ctl, argv[1], &module, &module_count);
	if (r == CTL_EXIT_OK)
		r = ctl_image_read(ctl, argv[2], &sigstruct, &sigstruct_count);
	if (r)
		return r;
	r = tdxupd_image_join(module, module_count, sigstruct, sigstruct_count, container,
			      &joined, &count);
	if (r == -EBADMSG)
		return ctl_fail(ctl, CTL_EXIT_UNTRUSTED, "image-size",
				"%s and %s make no image: a module is 1 to %u pages of "
				"4096 bytes, a SIGSTRUCT %u bytes",
				argv[1], argv[2], TDXUPD_MODULE_PAGES_MAX,
				TDXUPD_SIGSTRUCT_BYTES);
	if (r < 0)
		return ctl_fail_memory(ctl);
	r = write_file(ctl, argv[3], joined, count);
	return r ? r : say_written(ctl, argv[3], container, count);
}
