// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Who builds a TD, how sure that is and what follows from it, as JSON.
 */
#include <errno.h>

#include "describe.h"
#include "json.h"

static int describe_blockers(const struct gate_source *source, struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *array = NULL;
	int r = json_new_array(&array);

	for (size_t i = 0; r == 0 && i < source->blocker_count; i++) {
		const struct gate_blocker *blocker = &source->blockers[i];
		_cleanup_(cleanup_json)
		struct json_object *item = NULL;

		r = json_new_object(&item)
			    ?: json_add_text(item, "who",
					     blocker->who[0] ? blocker->who : NULL);
		if (r == 0 && blocker->pid > 0)
			r = json_add_number(item, "pid", (uint64_t)blocker->pid);
		if (r == 0 && blocker->since_usec)
			r = json_add_number(item, "since_usec", blocker->since_usec);
		if (r == 0)
			r = json_append(array, TAKE_PTR(item));
	}
	if (r < 0)
		return r;
	*ret = TAKE_PTR(array);
	return 0;
}

static int describe_source(const struct gate_source *source, bool is_blocking,
			   struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	struct json_object *blockers = NULL;
	int r;

	r = json_new_object(&object) ?: json_add_text(object, "name", source->name)
		?: json_add_text(object, "state", gate_state_to_string(source->state))
		?: json_add_text(object, "confidence",
				 gate_confidence_to_string(source->confidence))
		?: json_add_bool(object, "is_blocking", is_blocking);
	if (r == 0 && source->state == GATE_CLOSED)
		r = json_add_number(object, "count", source->count)
			?: describe_blockers(source, &blockers)
			?: json_add(object, "blockers", blockers);
	if (r == 0 && source->state == GATE_UNKNOWN && source->reason[0])
		r = json_add_text(object, "reason", source->reason);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(object);
	return 0;
}

int describe_gate(const struct gate_source *sources, size_t count,
		  enum gate_policy policy, const struct gate_verdict *verdict,
		  struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	_cleanup_(cleanup_json)
	struct json_object *array = NULL;
	int r;

	r = json_new_object(&object) ?: json_new_array(&array)
		?: json_add_text(object, "decision",
				 gate_decision_to_string(verdict->decision))
		?: json_add_text(object, "policy", gate_policy_to_string(policy));
	for (size_t i = 0; r == 0 && i < count; i++) {
		struct json_object *source = NULL;

		r = describe_source(&sources[i], verdict->blocking & UINT32_C(1) << i,
				    &source)
			    ?: json_append(array, source);
	}
	if (r == 0)
		r = json_add(object, "sources", TAKE_PTR(array));
	if (r < 0)
		return r;
	*ret = TAKE_PTR(object);
	return 0;
}
