// SPDX-License-Identifier: LGPL-2.1-or-later
/* last-update.json: as describe_last_update(), and lost_boot_id. It is told, and nothing
 * is decided by it but whether a loss was told: one that is lost costs a line in the
 * journal. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "describe.h"
#include "json.h"
#include "last-update.h"
#include "state-dir.h"

#define FILE_BYTES_MAX (64 * 1024)

static bool read_version(struct json_object *object, const char *key,
			 struct tdxupd_version *ret)
{
	const char *text = json_get_text(object, key);

	return text && tdxupd_version_parse(text, ret) == 0;
}

static int take_result(struct json_object *object, struct last_update *last)
{
	const char *result = json_get_text(object, "result");
	uint64_t id = 0;

	if (!result)
		return 0;
	(void)json_get_number(object, "id", &id);
	if (id == 0 || id > UINT32_MAX)
		return -EBADMSG;
	last->failure =
		strcmp(result, "done") == 0 ? FAILURE_NONE : failure_from_string(result);
	if ((int)last->failure < 0)
		return -EBADMSG;
	last->id = (uint32_t)id;
	return 0;
}

static int take(struct json_object *object, struct last_update *last)
{
	const char *detail = json_get_text(object, "detail");
	const char *lost = json_get_text(object, "lost_boot_id");
	int r = take_result(object, last);

	if (lost)
		snprintf(last->lost_boot_id, sizeof(last->lost_boot_id), "%s", lost);
	if (r < 0 || last->id == 0)
		return r;
	(void)json_get_number(object, "ended_usec", &last->ended_usec);
	last->has_versions = read_version(object, "from", &last->from) &&
			     read_version(object, "to", &last->to);
	last->detail = detail ? strdup(detail) : NULL;
	return detail && !last->detail ? -ENOMEM : 0;
}

int last_update_load(int root_fd, struct last_update *ret)
{
	_cleanup_(cleanup_free)
	uint8_t *bytes = NULL;
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	size_t count;
	int r = state_dir_read(root_fd, LAST_UPDATE_FILE, FILE_BYTES_MAX, &bytes, &count);

	*ret = (struct last_update){ 0 };
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = json_parse((const char *)bytes, count, 4, &object);
	if (r == 0)
		r = take(object, ret);
	if (r < 0)
		last_update_done(ret);
	return r;
}

int last_update_save(int root_fd, const struct last_update *last)
{
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	const char *text;
	int r;

	if (last->id == 0 && !*last->lost_boot_id)
		return state_dir_drop(root_fd, LAST_UPDATE_FILE);
	r = describe_last_update(last, &object);
	if (r == 0 && !object)
		r = json_new_object(&object);
	if (r == 0 && *last->lost_boot_id)
		r = json_add_text(object, "lost_boot_id", last->lost_boot_id);
	if (r < 0)
		return r;
	text = json_print(object, JSON_C_TO_STRING_PRETTY);
	return text ? state_dir_write(root_fd, LAST_UPDATE_FILE, text) : -ENOMEM;
}
