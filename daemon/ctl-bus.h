/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CTL_BUS_H
#define CTL_BUS_H

#include <systemd/sd-bus.h>

#include "ctl.h"

#define BUS_NAME      "org.tdxupd1"
#define BUS_PATH      "/org/tdxupd1"
#define BUS_MANAGER   "org.tdxupd1.Manager"
#define BUS_JOB       "org.tdxupd1.Job"
#define BUS_JOB_PATHS "/org/tdxupd1/job"

DEFINE_CLEANUP(sd_bus, sd_bus, sd_bus_flush_close_unref)
DEFINE_CLEANUP(sd_bus_message, sd_bus_message, sd_bus_message_unref)

/* Is there a bus for the host that is looked at? Another root's has to be named. */
bool ctl_bus_is_ours(const struct ctl *ctl);
/* Return: an exit code, and has said why. */
int ctl_bus_open(const struct ctl *ctl, sd_bus **ret);

/*
 * Say what a call's error means. @error may be unset, then @rc is what sd-bus returned.
 * Returns the exit code.
 */
int ctl_bus_fail(const struct ctl *ctl, const sd_bus_error *error, int rc);
/* The exit code of an error by its name, "org.tdxupd1.Error.NoPath". */
enum ctl_exit ctl_bus_error_to_exit(const char *name);
/* "org.tdxupd1.Error.NoPath" as a reason: "no-path". @ret: any size. */
void ctl_bus_error_to_reason(const char *name, char *ret, size_t size);

/*
 * Merge properties (a{sv}, at the message's position) into @object: "StateSince" becomes
 * state_since, structures become objects with the names that the manual gives them, and
 * properties of types that we don't know are left out. Return: 0; a negative errno.
 */
int ctl_bus_read_properties(sd_bus_message *message, struct json_object *object);

/* Call Unhold, Unpin or ResetFailed. @ret_changed: whether anything was other than it is
 * to be. Return: an exit code, and has said why. */
int ctl_bus_permit(const struct ctl *ctl, const char *member, bool *ret_changed,
		   const char *types, ...);
/* The same of Hold and Pin. @ret_note: what one should know, or ""; free() it. */
int ctl_bus_forbid(const struct ctl *ctl, const char *member, char **ret_note,
		   const char *types, ...);
/* Appends the arguments of a call. Return: as sd_bus_message_append(). */
typedef int (*ctl_bus_append_fn)(sd_bus_message *call, const void *userdata);
/* Call a method of the manager's that returns JSON. Return: an exit code, and has said
 * why. */
int ctl_bus_ask(const struct ctl *ctl, const char *member, ctl_bus_append_fn append,
		const void *userdata, struct json_object **ret);

/* Ask the manager for one of its lists. Looking starts no daemon. Return: as below. */
int ctl_bus_ask_list(sd_bus *bus, const char *member, sd_bus_error *ret_error,
		     sd_bus_message **ret);
/* All properties of the manager. Return: 0; a negative errno, with @ret_error. */
int ctl_bus_get_manager(sd_bus *bus, struct json_object **ret, sd_bus_error *ret_error);
/* The same, and NULL where there is no daemon to ask. */
struct json_object *ctl_bus_ask_manager(const struct ctl *ctl);

#endif
