// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What is on record, in words for people, beside a plan or a list.
 */
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "ctl-record.h"
#include "ctl-text.h"
#include "json.h"

static void say(const struct ctl *ctl, const char *text)
{
	_cleanup_(cleanup_free)
	char *wrapped = text_wrap(text, ctl->width);

	if (wrapped)
		ctl_say(ctl, "%s", wrapped);
}

static void say_advisory(const struct ctl *ctl, const char *version,
			 struct json_object *advisory)
{
	const char *fix = json_get_text(advisory, "fixed_in");
	char text[256];

	snprintf(text, sizeof(text), "%s, which runs, is affected by %s; %s%s.",
		 version ? version : "The module", json_get_text(advisory, "id"),
		 fix ? "fixed in " : "no later version on record is known to fix it",
		 fix ? fix : "");
	say(ctl, text);
}

void ctl_record_say_running(const struct ctl *ctl, struct json_object *object)
{
	struct json_object *running = json_get(object, "running");
	struct json_object *advisories = json_get(running, "advisories");
	const char *version = json_get_text(object, "from");
	const char *newest = json_get_text(running, "newest_known");

	if (ctl->has_no_legend || !running)
		return;
	for (size_t i = 0; i < json_count(advisories); i++)
		say_advisory(ctl, version, json_object_array_get_idx(advisories, i));
	if (newest && (!version || strcmp(newest, version) != 0))
		ctl_say(ctl, "The newest version on record for this CPU is %s.", newest);
}

static const char *explain_harm(const char *harm)
{
	if (strcmp(harm, "certain") == 0)
		return "changes the crypto context: the measurement of a TD that is "
		       "being "
		       "built meanwhile is wrong for certain";
	if (strcmp(harm, "none") == 0)
		return "keeps the crypto context: a TD that is being built meanwhile is "
		       "not hurt";
	return "can change the crypto context, which is not on record for both modules: "
	       "a TD that is being built meanwhile can get a wrong measurement";
}

const char *ctl_record_explain_strict(struct json_object *object)
{
	struct json_object *strict = json_get(object, "is_strict_compat");

	if (!strict)
		return "";
	return json_object_get_boolean(strict)
		       ? "This pair is on Intel's list strict_compat_versions; what that "
			 "promises is not published."
		       : "This pair is not on Intel's list strict_compat_versions; what "
			 "that means is not published.";
}

void ctl_record_say_steps(const struct ctl *ctl, struct json_object *plan)
{
	struct json_object *steps = json_get(plan, "steps");

	for (size_t i = 0; !ctl->has_no_legend && i < json_count(steps); i++) {
		struct json_object *step = json_object_array_get_idx(steps, i);
		const char *harm = json_get_text(step, "build_harm");
		const char *strict = ctl_record_explain_strict(step);
		char text[512];

		if (!harm)
			continue;
		snprintf(text, sizeof(text), "Step %zu %s.%s%s", i + 1,
			 explain_harm(harm), *strict ? " " : "", strict);
		say(ctl, text);
	}
}

void ctl_record_say_files(const struct ctl *ctl, struct json_object *object, size_t max)
{
	struct json_object *left_outs = json_get(object, "left_outs");
	struct json_object *notes = json_get(object, "notes");

	if (ctl->has_no_legend)
		return;
	for (size_t i = 0; i < json_count(left_outs) && i < max; i++) {
		struct json_object *left = json_object_array_get_idx(left_outs, i);

		ctl_say(ctl, "%sleft out %s: %s", i ? "" : "\n",
			json_get_text(left, "name"), json_get_text(left, "why"));
	}
	if (json_count(left_outs) > max)
		ctl_say(ctl, "left out %zu more; `tdxupdctl catalog check` names them",
			json_count(left_outs) - max);
	if (json_count(notes) > max)
		ctl_say(ctl,
			"There are %zu remarks on mapping and records; `tdxupdctl "
			"catalog "
			"check` has them.",
			json_count(notes));
	for (size_t i = 0; json_count(notes) <= max && i < json_count(notes); i++)
		say(ctl, json_get_text(json_object_array_get_idx(notes, i), "text"));
}
