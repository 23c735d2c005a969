// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A host and the reasons against an update, as JSON. A host is what a host file holds, so
 * that one can be cut out of the other. Images are described in describe-image.c, plans
 * in describe-plan.c, the gate in describe-gate.c.
 */
#include <errno.h>
#include <stdlib.h>

#include <json-c/json_tokener.h>

#include "describe.h"
#include "holds.h"
#include "json.h"
#include "last-update.h"

int describe_version(struct json_object *object, const char *key,
		     const struct tdxupd_version *version)
{
	char text[TDXUPD_VERSION_TEXT_BYTES];

	return json_add_text(object, key, tdxupd_version_format(version, text));
}

int describe_host(const struct tdxupd_host *host, struct json_object **ret)
{
	_cleanup_(cleanup_free)
	char *text = NULL;
	int r = tdxupd_host_to_json(host, &text);

	if (r < 0)
		return r;
	*ret = json_tokener_parse(text);
	return *ret ? 0 : -ENOMEM;
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

int describe_pin(const struct pin *pin, struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	int r;

	*ret = NULL;
	if (!pin->is_set)
		return 0;
	r = json_new_object(&object) ?: describe_version(object, "version", &pin->version)
		?: json_add_text(object, "reason", pin->reason)
		?: json_add_number(object, "since_usec", pin->since_usec)
		?: json_add_text(object, "by", pin->by);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(object);
	return 0;
}

int describe_hold(const struct hold *hold, struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	int r;

	r = json_new_object(&object) ?: json_add_text(object, "what", hold->what)
		?: json_add_text(object, "reason", hold->reason)
		?: json_add_number(object, "since_usec", hold->since_usec)
		?: json_add_text(object, "by", hold->by)
		?: json_add_number(object, "until_usec", hold->until_usec)
		?: json_add_bool(object, "is_automatic", hold->is_automatic);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(object);
	return 0;
}

int describe_holds(const struct holds *holds, struct json_object *plan)
{
	const struct hold *all = holds_find(holds, NULL);
	struct json_object *pin = NULL, *held = NULL;
	int r = describe_pin(&holds->pin, &pin) ?: json_add(plan, "pin", pin);

	if (r == 0 && all)
		r = describe_hold(all, &held) ?: json_add(plan, "held", held);
	return r;
}

int describe_last_update(const struct last_update *last, struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	int r;

	*ret = NULL;
	if (last->id == 0)
		return 0;
	r = json_new_object(&object) ?: json_add_number(object, "id", last->id)
		?: json_add_text(object, "result", last_update_get_result(last))
		?: json_add_number(object, "ended_usec", last->ended_usec);
	if (r == 0 && last->has_versions)
		r = describe_version(object, "from", &last->from)
			    ?: describe_version(object, "to", &last->to);
	if (r == 0)
		r = json_add_text(object, "detail", last->detail);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(object);
	return 0;
}
