// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What was done to a host, and whether its record is as it was written, as JSON.
 */
#include "describe.h"
#include "history-read.h"
#include "json.h"

static int describe_record(const struct history_record *record, struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	int r;

	r = json_new_object(&object)
		?: json_add_number(object, "sequence", record->sequence)
		?: json_add_number(object, "realtime_usec", record->realtime_usec)
		?: json_add_text(object, "boot_id", record->boot_id)
		?: json_add_number(object, "job", record->job)
		?: json_add_number(object, "attempt", record->attempt)
		?: json_add_text(object, "phase", record->phase)
		?: json_add_text(object, "module", record->module)
		?: json_add_text(object, "from", record->from)
		?: json_add_text(object, "to", record->to)
		?: json_add_text(object, "step_to", record->step_to)
		?: json_add_text(object, "plan_id", record->plan_id)
		?: json_add_text(object, "path", record->path)
		?: json_add_text(object, "mrseam", record->mrseam)
		?: json_add_text(object, "outcome", record->outcome)
		?: json_add_text(object, "reason", record->reason)
		?: json_add_text(object, "detail", record->detail)
		?: json_add_text(object, "caller", record->caller);
	if (r == 0 && record->has_remaining)
		r = json_add_number(object, "remaining_updates", record->remaining);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(object);
	return 0;
}

static int describe_records(const struct history_excerpt *excerpt,
			    struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *array = NULL;
	int r = json_new_array(&array);

	for (size_t i = 0; r == 0 && i < excerpt->count; i++) {
		struct json_object *record = NULL;

		r = describe_record(&excerpt->records[i], &record)
			    ?: json_append(array, record);
	}
	if (r < 0)
		return r;
	*ret = TAKE_PTR(array);
	return 0;
}

static int describe_chain(const struct history_excerpt *excerpt, struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	int r;

	r = json_new_object(&object) ?: json_add_number(object, "lines", excerpt->lines)
		?: json_add_bool(object, "is_whole", excerpt->is_whole)
		?: json_add_number(object, "breaks", excerpt->breaks)
		?: json_add_text(object, "first_break", excerpt->first_break)
		?: json_add_number(object, "first_sequence", excerpt->first_sequence)
		?: json_add_number(object, "last_sequence", excerpt->last_sequence)
		?: json_add_text(object, "end", history_end_to_string(excerpt->end));
	if (r < 0)
		return r;
	*ret = TAKE_PTR(object);
	return 0;
}

int describe_history(const struct history_excerpt *excerpt, struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	struct json_object *part = NULL;
	int r;

	r = json_new_object(&object) ?: describe_records(excerpt, &part)
		?: json_add(object, "records", part)
		?: json_add_number(object, "left_out", excerpt->left_out)
		?: describe_chain(excerpt, &part) ?: json_add(object, "chain", part);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(object);
	return 0;
}
