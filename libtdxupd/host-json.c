// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A host as JSON, so that one can plan for a machine from somewhere else. Members are
 * those that `tdxupdctl status --json` shows; what is unknown is absent, both ways.
 */
#include <errno.h>
#include <string.h>

#include "json-read.h"
#include "tdxupd.h"
#include "util.h"

#define HOST_FILE_BYTES_MAX (1u << 20)

DEFINE_CLEANUP(struct tdxupd_host, host, tdxupd_host_free)

/* ---- writing ---- */

/* Takes the reference of @value, also when it fails. */
static int add(struct json_object *object, const char *key, struct json_object *value)
{
	if (!value)
		return -ENOMEM;
	if (json_object_object_add(object, key, value) < 0) {
		json_object_put(value);
		return -ENOMEM;
	}
	return 0;
}

static int add_text(struct json_object *object, const char *key, const char *text)
{
	return text ? add(object, key, json_object_new_string(text)) : -ENOMEM;
}

static int add_bool(struct json_object *object, const char *key, bool value)
{
	return add(object, key, json_object_new_boolean(value));
}

static int add_number(struct json_object *object, const char *key, uint64_t value)
{
	return add(object, key, json_object_new_uint64(value));
}

static int add_hex(struct json_object *object, const char *key, uint64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "0x%llx", (unsigned long long)value);
	return add_text(object, key, text);
}

static int add_bytes(struct json_object *object, const char *key, const uint8_t *bytes,
		     size_t count)
{
	char text[TDXUPD_DIGEST_TEXT_BYTES];

	return add_text(object, key, bytes_format(bytes, count, text));
}

static int add_version(struct json_object *object, const char *key,
		       const struct tdxupd_version *version)
{
	char text[TDXUPD_VERSION_TEXT_BYTES];

	return add_text(object, key, tdxupd_version_format(version, text));
}

static int add_cpuset(struct json_object *object, const char *key,
		      const struct tdxupd_cpuset *set)
{
	_cleanup_(cleanup_free)
	char *text = tdxupd_cpuset_format(set);

	return add_text(object, key, text);
}

static int add_sockets(struct json_object *object, const struct tdxupd_host *host)
{
	struct json_object *array = json_object_new_array();
	int r = add(object, "sockets", array);

	for (size_t i = 0; r == 0 && i < host->socket_count; i++) {
		struct json_object *item = json_object_new_object();

		if (!item || json_object_array_add(array, item) < 0) {
			json_object_put(item);
			return -ENOMEM;
		}
		r = add_number(item, "id", host->sockets[i].physical_id)
			    ?: add_hex(item, "signature", host->sockets[i].signature);
	}
	return r;
}

static int add_cpus(struct json_object *object, const struct tdxupd_host *host)
{
	struct json_object *cpus = json_object_new_object();

	return add(object, "cpus", cpus)
		       ?: add_cpuset(cpus, "online", &host->online)
		       ?: add_cpuset(cpus, "present", &host->present)
		       ?: add_cpuset(cpus, "possible", &host->possible);
}

static int add_module(struct json_object *object, const struct tdxupd_host *host)
{
	int r = add_text(object, "state", tdxupd_tdx_state_to_string(host->state));

	if (r == 0 && host->state == TDXUPD_TDX_LIVE)
		r = add_version(object, "module_version", &host->module_version);
	if (r == 0 && host->has_seamldr_version)
		r = add_version(object, "seamldr_version", &host->seamldr_version);
	if (r == 0 && host->has_remaining_updates)
		r = add_number(object, "remaining_updates", host->remaining_updates);
	if (r == 0 && host->has_features0)
		r = add_hex(object, "features0", host->features0);
	if (r == 0 && host->has_mrseam)
		r = add_bytes(object, "mrseam", host->mrseam.bytes,
			      sizeof(host->mrseam.bytes));
	if (r == 0 && host->has_tee_tcb_svn)
		r = add_bytes(object, "tee_tcb_svn", host->tee_tcb_svn,
			      sizeof(host->tee_tcb_svn));
	if (r == 0 && host->has_update_guard)
		r = add_text(object, "update_guard",
			     tdxupd_guard_to_string(host->update_guard));
	if (r == 0 && host->has_tds_building)
		r = add_number(object, "tds_building", host->tds_building);
	if (r == 0 && host->has_td_count)
		r = add_number(object, "tds", host->td_count);
	return r;
}

_public_ int tdxupd_host_to_json(const struct tdxupd_host *host, char **ret)
{
	_cleanup_(cleanup_jread)
	struct json_object *object = json_object_new_object();
	const char *text;
	int r;

	if (!host || !ret)
		return -EINVAL;
	if (!object)
		return -ENOMEM;
	r = add_module(object, host) ?: add_bool(object, "has_fw_upload", host->has_fw_upload)
		?: add_bool(object, "has_trigger", host->has_trigger)
		?: add_sockets(object, host);
	if (r == 0 && host->has_cpu_bugs)
		r = add_bool(object, "has_cpu_bug", host->has_cpu_bug);
	if (r == 0 && host->has_cpus)
		r = add_cpus(object, host);
	if (r == 0 && host->boot_id[0])
		r = add_text(object, "boot_id", host->boot_id);
	if (r < 0)
		return r;
	text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY |
							      JSON_C_TO_STRING_SPACED);
	if (!text || asprintf(ret, "%s\n", text) < 0)
		return -ENOMEM;
	return 0;
}

/* ---- reading ---- */

static int read_state(struct json_object *object, struct tdxupd_host *host, char **why)
{
	const char *text = NULL;
	int r = jread_text(object, "state", &text, why);

	host->state = TDXUPD_TDX_UNKNOWN;
	if (r < 0)
		return r;
	for (int state = 0; r > 0 && state < _TDXUPD_TDX_MAX; state++)
		if (strcmp(tdxupd_tdx_state_to_string((enum tdxupd_tdx_state)state),
			   text) == 0) {
			host->state = (enum tdxupd_tdx_state)state;
			r = 0;
		}
	if (r > 0)
		return why_set(why, -EBADMSG, "\"state\" is none of the states");
	if (host->state != TDXUPD_TDX_LIVE)
		return 0;
	r = jread_version(object, "module_version", &host->module_version, why);
	return r == 0 ? why_set(why, -EBADMSG, "a live module has a \"module_version\"")
		      : r;
}

static int read_u32(struct json_object *object, const char *key, bool *ret_has,
		    uint32_t *ret, char **why)
{
	uint64_t value = 0;
	int r = jread_number(object, key, UINT32_MAX, &value, why);

	if (r < 0)
		return r;
	*ret_has = r > 0;
	*ret = (uint32_t)value;
	return 0;
}

static int read_guard(struct json_object *object, struct tdxupd_host *host, char **why)
{
	const char *text;
	int r = jread_text(object, "update_guard", &text, why);

	if (r <= 0)
		return r;
	host->update_guard = tdxupd_guard_from_string(text);
	if (host->update_guard < 0)
		return why_set(why, -EBADMSG, "\"update_guard\" is none of the guards");
	host->has_update_guard = true;
	return 0;
}

/* Return: 1, 0 as jread_text(). */
static int read_bytes(struct json_object *object, const char *key, uint8_t *ret,
		      size_t count, char **why)
{
	const char *text;
	int r = jread_text(object, key, &text, why);

	if (r <= 0)
		return r;
	if (bytes_parse(text, ret, count) < 0)
		return why_set(why, -EBADMSG, "\"%s\" is not %zu hex digits", key,
			       2 * count);
	return 1;
}

static int read_identity(struct json_object *object, struct tdxupd_host *host, char **why)
{
	int r = read_bytes(object, "mrseam", host->mrseam.bytes,
			   sizeof(host->mrseam.bytes), why);

	if (r < 0)
		return r;
	host->has_mrseam = r > 0;
	r = read_bytes(object, "tee_tcb_svn", host->tee_tcb_svn,
		       sizeof(host->tee_tcb_svn), why);
	host->has_tee_tcb_svn = r > 0;
	return r < 0 ? r : 0;
}

static int read_module(struct json_object *object, struct tdxupd_host *host, char **why)
{
	int r = read_state(object, host, why);

	if (r < 0)
		return r;
	r = jread_version(object, "seamldr_version", &host->seamldr_version, why);
	if (r < 0)
		return r;
	host->has_seamldr_version = r > 0;
	r = jread_hex(object, "features0", UINT64_MAX, &host->features0, why);
	if (r < 0)
		return r;
	host->has_features0 = r > 0;
	r = read_identity(object, host, why);
	if (r < 0)
		return r;
	r = jread_number(object, "tds", UINT64_MAX - 1, &host->td_count, why);
	if (r < 0)
		return r;
	host->has_td_count = r > 0;
	r = read_u32(object, "remaining_updates", &host->has_remaining_updates,
		     &host->remaining_updates, why);
	if (r == 0)
		r = read_u32(object, "tds_building", &host->has_tds_building,
			     &host->tds_building, why);
	return r < 0 ? r : read_guard(object, host, why);
}

static int read_socket(struct json_object *item, void *out, char **why)
{
	struct tdxupd_socket *ret = out;
	uint64_t id = 0, signature = 0;
	int r = jread_number(item, "id", UINT32_MAX, &id, why);

	if (r > 0)
		r = jread_hex(item, "signature", UINT32_MAX, &signature, why);
	if (r == 0)
		return why_set(why, -EBADMSG, "lacks \"id\" or \"signature\"");
	if (r < 0)
		return r;
	*ret = (struct tdxupd_socket){ (uint32_t)id, (uint32_t)signature };
	return 0;
}

static int read_sockets(struct json_object *object, struct tdxupd_host *host, char **why)
{
	struct json_object *array;
	int r = jread_array(object, "sockets", &array, why);
	size_t count;

	if (r <= 0)
		return r;
	count = json_object_array_length(array);
	if (count > TDXUPD_SOCKETS_MAX)
		return why_set(why, -EBADMSG, "more than %d sockets", TDXUPD_SOCKETS_MAX);
	r = jread_each(array, "sockets", "socket", read_socket, host->sockets,
		       sizeof(*host->sockets), why);
	if (r < 0)
		return r;
	host->socket_count = count;
	return 0;
}

/* Return: 1, 0 as jread_text(). */
static int read_cpuset(struct json_object *cpus, const char *key,
		       struct tdxupd_cpuset *ret, char **why)
{
	const char *text;
	int r = jread_text(cpus, key, &text, why);

	if (r <= 0)
		return r;
	if (tdxupd_cpuset_parse(text, ret) < 0)
		return why_set(why, -EBADMSG, "\"%s\" is no list of CPUs like 0-3,8",
			       key);
	return 1;
}

static int read_cpus(struct json_object *object, struct tdxupd_host *host, char **why)
{
	struct json_object *cpus;
	int r = jread_object(object, "cpus", &cpus, why);

	if (r <= 0)
		return r;
	r = read_cpuset(cpus, "online", &host->online, why);
	if (r > 0)
		r = read_cpuset(cpus, "present", &host->present, why);
	if (r > 0)
		r = read_cpuset(cpus, "possible", &host->possible, why);
	if (r < 0)
		return r;
	host->has_cpus = r > 0;
	return 0;
}

static int read_flags(struct json_object *object, struct tdxupd_host *host, char **why)
{
	const char *boot_id;
	int r = jread_bool(object, "has_fw_upload", &host->has_fw_upload, why);

	if (r >= 0)
		r = jread_bool(object, "has_trigger", &host->has_trigger, why);
	if (r >= 0)
		r = jread_bool(object, "has_cpu_bug", &host->has_cpu_bug, why);
	host->has_cpu_bugs = r > 0;
	if (r >= 0)
		r = jread_text(object, "boot_id", &boot_id, why);
	if (r <= 0)
		return r;
	if (strlen(boot_id) >= sizeof(host->boot_id))
		return why_set(why, -EBADMSG, "\"boot_id\" is too long");
	text_make_printable(host->boot_id, sizeof(host->boot_id), boot_id);
	return 0;
}

_public_ int tdxupd_host_from_json(const char *text, size_t bytes,
				   struct tdxupd_host **ret, char **ret_why)
{
	_cleanup_(cleanup_jread)
	struct json_object *object = NULL;
	_cleanup_(cleanup_host)
	struct tdxupd_host *host = NULL;
	_cleanup_(cleanup_free)
	char *why = NULL;
	int r;

	if (!text || !ret)
		return -EINVAL;
	host = calloc(1, sizeof(*host));
	if (!host)
		return -ENOMEM;
	if (bytes > HOST_FILE_BYTES_MAX)
		r = why_set(&why, -EBADMSG, "is larger than 1 MiB");
	else
		r = jread_parse(text, bytes, &object, &why);
	if (r == 0)
		r = read_module(object, host, &why);
	if (r == 0)
		r = read_sockets(object, host, &why);
	if (r == 0)
		r = read_cpus(object, host, &why);
	if (r == 0)
		r = read_flags(object, host, &why);
	if (r < 0) {
		if (ret_why && why)
			*ret_why = TAKE_PTR(why);
		return r;
	}
	*ret = TAKE_PTR(host);
	return 0;
}
