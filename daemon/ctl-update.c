// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * tdxupdctl update: asks the daemon for an update and follows it to its end.
 */
#include <errno.h>
#include <string.h>

#include "ctl-bus.h"
#include "ctl-direct.h"
#include "ctl-job.h"
#include "ctl.h"
#include "duration.h"
#include "json.h"
#include "tdxupd.h"

static int append_deadline(struct ctl *ctl, sd_bus_message *call)
{
	uint64_t usec;

	if (!ctl->deadline)
		return 0;
	if (duration_parse(ctl->deadline, &usec) < 0)
		return -EBADMSG;
	return sd_bus_message_append(call, "{sv}", "deadline_usec", "t", usec);
}

static int append_text(sd_bus_message *call, const char *name, const char *text)
{
	return text ? sd_bus_message_append(call, "{sv}", name, "s", text) : 0;
}

static int append_options(struct ctl *ctl, sd_bus_message *call)
{
	int r = append_deadline(ctl, call);

	if (r < 0 || (r = append_text(call, "strategy", ctl->strategy)) < 0 ||
	    (r = append_text(call, "guard", ctl->guard)) < 0 ||
	    (r = append_text(call, "plan_id", ctl->plan_id)) < 0)
		return r;
	return ctl->is_drain ? sd_bus_message_append(call, "{sv}", "drain", "b", true)
			     : 0;
}

static int make_call(struct ctl *ctl, sd_bus *bus, const char *target,
		     sd_bus_message **ret)
{
	_cleanup_(cleanup_sd_bus_message)
	sd_bus_message *call = NULL;
	int r = sd_bus_message_new_method_call(bus, &call, BUS_NAME, BUS_PATH,
					       BUS_MANAGER, "Update");

	if (r < 0 || (r = sd_bus_message_append(call, "s", target)) < 0 ||
	    (r = sd_bus_message_open_container(call, 'a', "{sv}")) < 0 ||
	    (r = append_options(ctl, call)) < 0 ||
	    (r = sd_bus_message_close_container(call)) < 0)
		return r;
	*ret = TAKE_PTR(call);
	return 0;
}

static int say_started(struct ctl *ctl, const char *path)
{
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;

	ctl_say(ctl, "Started as %s; `tdxupdctl update` comes back to it.", path);
	if (ctl->json == CTL_JSON_OFF)
		return CTL_EXIT_OK;
	if ((json_new_object(&object) ?: json_add_text(object, "job", path)) < 0)
		return ctl_fail_memory(ctl);
	return ctl_print_json(ctl, object);
}

static int update(struct ctl *ctl, sd_bus *bus, const char *target)
{
	_cleanup_(cleanup_ctl_job_watch)
	struct ctl_job_watch *watch = NULL;
	_cleanup_(cleanup_sd_bus_message)
	sd_bus_message *call = NULL;
	_cleanup_(cleanup_sd_bus_message)
	sd_bus_message *reply = NULL;
	sd_bus_error error = SD_BUS_ERROR_NULL;
	const char *path;
	uint64_t usec;
	int r = make_call(ctl, bus, target, &call);

	if (r == -EBADMSG)
		return ctl_fail(ctl, CTL_EXIT_USAGE, "usage",
				"--deadline is a time such as 90, 5min or 1h 30min, not "
				"\"%s\"",
				ctl->deadline);
	if (r < 0)
		return ctl_bus_fail(ctl, NULL, r);
	r = ctl->is_no_wait ? CTL_EXIT_OK : ctl_job_watch_new(ctl, bus, &watch);
	if (!r && watch && ctl->deadline && duration_parse(ctl->deadline, &usec) == 0)
		r = ctl_job_watch_set_deadline(watch, usec);
	if (r)
		return r;
	if (watch)
		return ctl_job_watch_call(watch, call);
	r = sd_bus_call(bus, call, USEC_INFINITY, &error, &reply);
	if (r < 0 || (r = sd_bus_message_read(reply, "o", &path)) < 0)
		r = ctl_bus_fail(ctl, &error, r);
	else
		r = say_started(ctl, path);
	sd_bus_error_free(&error);
	return r;
}

int ctl_update(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(cleanup_sd_bus)
	sd_bus *bus = NULL;
	struct tdxupd_version version;
	int r;

	if (argc > 1 && tdxupd_version_parse(argv[1], &version) < 0)
		return ctl_fail(ctl, CTL_EXIT_USAGE, "usage",
				"\"%s\" is no version such as 1.5.16", argv[1]);
	if (ctl->is_direct && ctl->remote)
		return ctl_fail(ctl, CTL_EXIT_USAGE, "usage",
				"--direct works on this host, not on --host");
	if (ctl->is_direct)
		return ctl_direct_update(ctl, argc > 1 ? argv[1] : "");
	r = ctl_bus_open(ctl, &bus);
	return r ? r : update(ctl, bus, argc > 1 ? argv[1] : "");
}
