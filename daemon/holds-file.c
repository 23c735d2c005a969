// SPDX-License-Identifier: LGPL-2.1-or-later
/* holds.json: {holds [{what, reason, since_usec, by, until_usec, is_automatic}],
 * pin {version, reason, since_usec, by}, has_unlisted}. Releases before had no `by`. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "describe.h"
#include "holds.h"
#include "json.h"
#include "state-dir.h"
#include "text.h"

#define FILE_BYTES_MAX (256 * 1024)

/* ---- reading ---- */

static int take(struct json_object *object, struct holds *holds)
{
	const char *what = json_get_text(object, "what");
	const char *reason = json_get_text(object, "reason");
	struct hold hold = {
		.what = (char *)what,
		.reason = (char *)reason,
		.by = (char *)json_get_text(object, "by"),
		.until_usec = UINT64_MAX,
		.is_automatic = json_get_bool(object, "is_automatic"),
	};

	if (!what)
		return -EBADMSG;
	(void)json_get_number(object, "since_usec", &hold.since_usec);
	(void)json_get_number(object, "until_usec", &hold.until_usec);
	return holds_add(holds, &hold);
}

/* None is one that was not set; one that makes no sense may have been any. */
static int take_pin(struct json_object *pin, struct holds *holds)
{
	const char *text = json_get_text(pin, "version");
	struct pin read = {
		.reason = (char *)json_get_text(pin, "reason"),
		.by = (char *)json_get_text(pin, "by"),
	};

	if (!pin)
		return 0;
	if (!text || tdxupd_version_parse(text, &read.version) < 0)
		return -EBADMSG;
	(void)json_get_number(pin, "since_usec", &read.since_usec);
	return holds_pin(holds, &read);
}

static int parse(const char *bytes, size_t count, struct holds *holds)
{
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	struct json_object *list;
	int r = json_parse(bytes, count, 4, &object);

	if (r < 0)
		return r;
	list = json_get(object, "holds");
	if (!list || !json_object_is_type(list, json_type_array))
		return -EBADMSG;
	for (size_t i = 0; r == 0 && i < json_count(list); i++)
		r = take(json_object_array_get_idx(list, i), holds);
	holds->has_unlisted = json_get_bool(object, "has_unlisted");
	return r < 0 ? r : take_pin(json_get(object, "pin"), holds);
}

static int read_file(int root_fd, struct holds *holds)
{
	_cleanup_(cleanup_free)
	uint8_t *bytes = NULL;
	size_t count;
	int r = state_dir_read(root_fd, HOLDS_FILE, FILE_BYTES_MAX, &bytes, &count);

	if (r == -ENOENT)
		return 0;
	return r < 0 ? r : parse((const char *)bytes, count, holds);
}

int holds_load(int root_fd, struct holds *ret, char **ret_note)
{
	_cleanup_(holds_done)
	struct holds holds = { 0 };
	_cleanup_(cleanup_free)
	char *note = NULL;
	int r;

	r = read_file(root_fd, &holds);
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		struct hold all = { .what = (char *)HOLDS_ALL,
				    .until_usec = UINT64_MAX,
				    .is_automatic = true };

		note = text_new("/" STATE_DIR "/" HOLDS_FILE
				" can't be used (%s): all updates are held until it is "
				"put right or removed",
				strerror(-r));
		all.reason = note;
		holds_done(&holds);
		r = note ? holds_add(&holds, &all) : -ENOMEM;
		if (r < 0)
			return r;
	}
	*ret = holds;
	holds = (struct holds){ 0 };
	*ret_note = TAKE_PTR(note);
	return 0;
}

/* ---- writing ---- */

static int describe(const struct hold *hold, struct json_object *list)
{
	struct json_object *object;
	int r;

	r = json_new_object(&object);
	if (r < 0)
		return r;
	r = json_add_text(object, "what", hold->what);
	if (r == 0)
		r = json_add_text(object, "reason", hold->reason);
	if (r == 0)
		r = json_add_number(object, "since_usec", hold->since_usec);
	if (r == 0)
		r = json_add_text(object, "by", hold->by);
	if (r == 0 && hold->until_usec != UINT64_MAX)
		r = json_add_number(object, "until_usec", hold->until_usec);
	if (r == 0)
		r = json_add_bool(object, "is_automatic", hold->is_automatic);
	if (r < 0) {
		json_object_put(object);
		return r;
	}
	return json_append(list, object);
}

static int make(const struct holds *holds, struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	struct json_object *list = NULL, *pin = NULL;
	int r;

	r = json_new_object(&object);
	if (r == 0)
		r = json_new_array(&list);
	if (r == 0)
		r = json_add(object, "holds", list);
	for (size_t i = 0; r == 0 && i < holds->count; i++)
		r = describe(&holds->items[i], list);
	if (r == 0)
		r = describe_pin(&holds->pin, &pin) ?: json_add(object, "pin", pin);
	if (r == 0 && holds->has_unlisted)
		r = json_add_bool(object, "has_unlisted", true);
	if (r == 0)
		*ret = TAKE_PTR(object);
	return r;
}

int holds_save(int root_fd, const struct holds *holds)
{
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	const char *text;
	int r = make(holds, &object);

	if (r < 0)
		return r;
	text = json_print(object, JSON_C_TO_STRING_PRETTY);
	return text ? state_dir_write(root_fd, HOLDS_FILE, text) : -ENOMEM;
}
