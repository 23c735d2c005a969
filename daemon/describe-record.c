// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What is on record of modules, and remarks about the files that were read, as JSON.
 */
#include <errno.h>
#include <stdio.h>

#include "describe.h"
#include "json.h"

static int append_advisory(struct json_object *array, const char *advisory,
			   const struct tdxupd_known_module *fix)
{
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	int r = json_new_object(&object) ?: json_add_text(object, "id", advisory);

	if (r == 0 && fix)
		r = describe_version(object, "fixed_in", &fix->version);
	return r < 0 ? r : json_append(array, TAKE_PTR(object));
}

static int add_advisories(struct json_object *object, const struct tdxupd_plan *plan)
{
	const struct tdxupd_known_module *record = plan->running_record;
	_cleanup_(cleanup_json)
	struct json_object *array = NULL;
	int r;

	if (!record || !record->has_advisories)
		return 0;
	r = json_new_array(&array);
	for (size_t i = 0; r == 0 && i < record->advisory_count; i++)
		r = append_advisory(array, record->advisories[i], plan->fixes[i]);
	return r < 0 ? r : json_add(object, "advisories", TAKE_PTR(array));
}

int describe_running(const struct tdxupd_plan *plan, struct json_object **ret)
{
	const struct tdxupd_module_facts *running = &plan->running;
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	char text[TDXUPD_DIGEST_TEXT_BYTES];
	int r = json_new_object(&object)
			?: json_add_text(object, "identity",
					 tdxupd_identity_to_string(running->identity));

	if (r == 0 && *running->dispute)
		r = json_add_text(object, "dispute", running->dispute);
	if (r == 0 && running->has_mrseam)
		r = json_add_text(object, "mrseam",
				  tdxupd_digest_format(&running->mrseam, text));
	if (r == 0 && running->has_svn) {
		snprintf(text, sizeof(text), "0x%04x", running->svn);
		r = json_add_text(object, "svn", text);
	}
	if (r == 0 && running->has_handoff)
		r = json_add_number(object, "module_hv", running->module_hv);
	if (r == 0 && running->has_crypto_context)
		r = json_add_number(object, "crypto_context", running->crypto_context);
	if (r == 0)
		r = add_advisories(object, plan);
	if (r == 0 && plan->newest_record)
		r = describe_version(object, "newest_known",
				     &plan->newest_record->version);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(object);
	return 0;
}

int describe_advisories(const struct tdxupd_known_module *known, struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *array = NULL;
	int r = json_new_array(&array);

	for (size_t i = 0; r == 0 && i < known->advisory_count; i++)
		r = json_append_text(array, known->advisories[i]);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(array);
	return 0;
}

int describe_notes(const struct tdxupd_catalog *catalog, struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *array = NULL;
	int r = json_new_array(&array);

	for (size_t i = 0; r == 0 && i < catalog->note_count; i++) {
		struct json_object *object = NULL;

		r = json_new_object(&object)
			    ?: json_add_text(object, "code", catalog->notes[i].code)
			    ?: json_add_text(object, "text", catalog->notes[i].text)
			    ?: json_append(array, object);
	}
	if (r < 0)
		return r;
	*ret = TAKE_PTR(array);
	return 0;
}
