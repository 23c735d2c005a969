// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A host and the reasons against an update, as JSON. Images are described in
 * describe-image.c, plans in describe-plan.c, the gate in describe-gate.c.
 */
#include <errno.h>
#include <stdlib.h>

#include "describe.h"
#include "json.h"

int describe_version(struct json_object *object, const char *key,
		     const struct tdxupd_version *version)
{
	char text[TDXUPD_VERSION_TEXT_BYTES];

	return json_add_text(object, key, tdxupd_version_format(version, text));
}

static int add_cpuset(struct json_object *object, const char *key,
		      const struct tdxupd_cpuset *set)
{
	_cleanup_(cleanup_free)
	char *text = tdxupd_cpuset_format(set);

	return text ? json_add_text(object, key, text) : -ENOMEM;
}

static int add_cpus(struct json_object *object, const struct tdxupd_host *host)
{
	_cleanup_(cleanup_json)
	struct json_object *cpus = NULL;
	int r;

	r = json_new_object(&cpus) ?: add_cpuset(cpus, "online", &host->online)
		?: add_cpuset(cpus, "present", &host->present)
		?: add_cpuset(cpus, "possible", &host->possible);
	return r < 0 ? r : json_add(object, "cpus", TAKE_PTR(cpus));
}

static int add_sockets(struct json_object *object, const struct tdxupd_host *host)
{
	_cleanup_(cleanup_json)
	struct json_object *sockets = NULL;
	int r = json_new_array(&sockets);

	for (size_t i = 0; r == 0 && i < host->socket_count; i++) {
		const struct tdxupd_socket *socket = &host->sockets[i];
		_cleanup_(cleanup_json)
		struct json_object *item = NULL;

		r = json_new_object(&item)
			?: json_add_number(item, "id", socket->physical_id)
			?: json_add_hex(item, "signature", socket->signature);
		if (r == 0)
			r = json_append(sockets, TAKE_PTR(item));
	}
	return r < 0 ? r : json_add(object, "sockets", TAKE_PTR(sockets));
}

static int add_module(struct json_object *object, const struct tdxupd_host *host)
{
	int r = 0;

	if (host->state == TDXUPD_TDX_LIVE)
		r = describe_version(object, "module_version", &host->module_version);
	if (r == 0 && host->has_seamldr_version)
		r = describe_version(object, "seamldr_version", &host->seamldr_version);
	if (r == 0 && host->has_remaining_updates)
		r = json_add_number(object, "remaining_updates", host->remaining_updates);
	if (r == 0 && host->has_features0)
		r = json_add_hex(object, "features0", host->features0);
	if (r == 0 && host->has_update_guard)
		r = json_add_text(object, "update_guard",
				  tdxupd_guard_to_string(host->update_guard));
	if (r == 0 && host->has_tds_building)
		r = json_add_number(object, "tds_building", host->tds_building);
	if (r == 0 && host->has_td_count)
		r = json_add_number(object, "tds", host->td_count);
	return r;
}

int describe_host(const struct tdxupd_host *host, struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	int r;

	r = json_new_object(&object)
		?: json_add_text(object, "state", tdxupd_tdx_state_to_string(host->state))
		?: add_module(object, host)
		?: json_add_bool(object, "has_fw_upload", host->has_fw_upload)
		?: json_add_bool(object, "has_trigger", host->has_trigger)
		?: add_sockets(object, host);
	if (r == 0 && host->has_cpu_bugs)
		r = json_add_bool(object, "has_cpu_bug", host->has_cpu_bug);
	if (r == 0 && host->has_cpus)
		r = add_cpus(object, host);
	if (r == 0 && host->boot_id[0])
		r = json_add_text(object, "boot_id", host->boot_id);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(object);
	return 0;
}

static const char *text_or_null(const char *text)
{
	return text[0] ? text : NULL;
}

int describe_verdict(const struct tdxupd_verdict *verdict, struct json_object **ret)
{
	const struct tdxupd_check_info *info = tdxupd_check_describe(verdict->check);
	_cleanup_(cleanup_free)
	char *text = tdxupd_verdict_format(verdict);
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	int r;

	if (!info)
		return -EINVAL;
	if (!text)
		return -ENOMEM;
	r = json_new_object(&object) ?: json_add_text(object, "code", info->code)
		?: json_add_text(object, "severity",
				 tdxupd_severity_to_string(verdict->severity))
		?: json_add_text(object, "title", info->title)
		?: json_add_text(object, "found", text_or_null(verdict->found))
		?: json_add_text(object, "wanted", text_or_null(verdict->wanted))
		?: json_add_text(object, "advice", info->advice)
		?: json_add_text(object, "override", info->override)
		?: json_add_text(object, "text", text);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(object);
	return 0;
}

int describe_report(const struct tdxupd_report *report, struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *array = NULL;
	int r = json_new_array(&array);

	for (size_t i = 0; r == 0 && i < tdxupd_report_count(report); i++) {
		struct json_object *verdict = NULL;

		r = describe_verdict(tdxupd_report_get(report, i), &verdict)
			    ?: json_append(array, verdict);
	}
	if (r < 0)
		return r;
	*ret = TAKE_PTR(array);
	return 0;
}
