/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CTL_RECORD_H
#define CTL_RECORD_H

#include <json-c/json_object.h>

#include "ctl.h"

/* A line for each advisory of the running module, and one where a newer one is known.
 * @object: with {running, from} of a plan. */
void ctl_record_say_running(const struct ctl *ctl, struct json_object *object);
/* Whether a step or candidate is on Intel's list, in a sentence; "" where there is none.
 */
const char *ctl_record_explain_strict(struct json_object *object);
/* What each step of a plan does to a TD under build, a line each. */
void ctl_record_say_steps(const struct ctl *ctl, struct json_object *plan);
/* Remarks and at most @max left-out files of a list or catalog, a line each. */
void ctl_record_say_files(const struct ctl *ctl, struct json_object *object, size_t max);

#endif
