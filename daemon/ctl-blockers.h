/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CTL_BLOCKERS_H
#define CTL_BLOCKERS_H

#include <stdbool.h>

#include <json-c/json_object.h>

/*
 * Whom an update waits for, as part of a sentence: "a TD is being built: qemu, pid 4711
 * (for 2.1 s)", "updates are inhibited: backup, pid 12 (for 60.0 s)". @blockers:
 * [{source, who, pid, since_usec}]. Newly allocated, "" where there are none; NULL when
 * memory ran out.
 */
char *ctl_blockers_format(struct json_object *blockers);
/* The same without the times, to see whether it is still the same. */
char *ctl_blockers_get_key(struct json_object *blockers);

/* Whether an open gate means that no TD is being built, and not only that Guard= lets an
 * update go without knowing. @manager: its gate_sources and update_guard */
bool ctl_blockers_is_sure(struct json_object *manager);

/* Is one of them a TD that is being built? */
bool ctl_blockers_has_build(struct json_object *blockers);

#endif
