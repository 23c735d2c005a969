// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * tdxupdctl version, log: which programs these are, and what they said.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "build-config.h"
#include "ctl-bus.h"
#include "ctl.h"
#include "json.h"

int ctl_version(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	_cleanup_(cleanup_json)
	struct json_object *daemon = ctl_bus_ask_manager(ctl);
	const char *version = json_get_text(daemon, "version");

	(void)argc;
	(void)argv;
	ctl_say(ctl, "tdxupdctl %s", TDXUPD_VERSION);
	ctl_say(ctl, "tdxupdd   %s", version ? version : "does not run");
	if (ctl->json == CTL_JSON_OFF)
		return CTL_EXIT_OK;
	if ((json_new_object(&object) ?: json_add_text(object, "tdxupdctl",
						       TDXUPD_VERSION)
		     ?: json_add_text(object, "tdxupdd", version)) < 0)
		return ctl_fail_memory(ctl);
	return ctl_print_json(ctl, object);
}

/* journalctl does all that there is to do; what follows `log` is for it. */
int ctl_log(struct ctl *ctl, int argc, char **argv)
{
	char **args = calloc((size_t)argc + 4, sizeof(*args));
	int count = 0, error;

	if (!args)
		return ctl_fail_memory(ctl);
	args[count++] = (char *)(uintptr_t) "journalctl";
	args[count++] = (char *)(uintptr_t) "--unit=tdxupdd.service";
	if (ctl->is_no_pager)
		args[count++] = (char *)(uintptr_t) "--no-pager";
	for (int i = 1; i < argc; i++)
		args[count++] = argv[i];
	execvp(args[0], args);
	error = errno;
	free(args);
	return ctl_fail(ctl, CTL_EXIT_FAILURE, "journal-absent",
			"can't run journalctl: %s", strerror(error));
}
