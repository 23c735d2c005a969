// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The way to the daemon: the bus, and what its errors mean for a caller. How properties
 * become JSON is in ctl-properties.c.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json_tokener.h>

#include "config.h"
#include "ctl-bus.h"
#include "ctl-reasons.h"
#include "duration.h"
#include "failure.h"
#include "json.h"

/* A daemon that hangs must not hang those who only look. */
#define LOOK_USEC (5 * USEC_PER_SEC)

static int open_address(const char *address, sd_bus **ret)
{
	_cleanup_(cleanup_sd_bus)
	sd_bus *bus = NULL;
	int r = sd_bus_new(&bus);

	if (r < 0 || (r = sd_bus_set_address(bus, address)) < 0 ||
	    (r = sd_bus_set_bus_client(bus, true)) < 0 || (r = sd_bus_start(bus)) < 0)
		return r;
	*ret = TAKE_PTR(bus);
	return 0;
}

/* ssh and systemd-stdio-bridge, as systemctl does. */
static int open_bus(const struct ctl *ctl, sd_bus **ret)
{
	if (ctl->remote)
		return sd_bus_open_system_remote(ret, ctl->remote);
	if (ctl->bus_address)
		return open_address(ctl->bus_address, ret);
	return sd_bus_open_system(ret);
}

bool ctl_bus_is_ours(const struct ctl *ctl)
{
	return ctl->bus_address || ctl->remote || strcmp(ctl->root, "/") == 0;
}

int ctl_bus_open(const struct ctl *ctl, sd_bus **ret)
{
	int r;

	if (!ctl_bus_is_ours(ctl))
		return ctl_fail(ctl, CTL_EXIT_USAGE, "usage",
				"the daemon on the system bus updates this host, not %s; "
				"name its own bus with --bus-address",
				ctl->root);
	r = open_bus(ctl, ret);
	if (r < 0)
		return ctl_fail(ctl, CTL_EXIT_UNREACHABLE, "bus-absent",
				"can't reach the %s: %s; is dbus running?",
				ctl->remote        ? "bus of --host"
				: ctl->bus_address ? "bus at --bus-address"
						   : "system bus",
				strerror(-r));
	sd_bus_set_allow_interactive_authorization(*ret, ctl->is_terminal);
	return CTL_EXIT_OK;
}

enum ctl_exit ctl_bus_error_to_exit(const char *name)
{
	static const struct {
		const char *name;
		enum ctl_exit code;
	} others[] = {
		{ SD_BUS_ERROR_ACCESS_DENIED, CTL_EXIT_NOT_AUTHORISED },
		{ SD_BUS_ERROR_AUTH_FAILED, CTL_EXIT_NOT_AUTHORISED },
		{ SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
		  CTL_EXIT_NOT_AUTHORISED },
		{ SD_BUS_ERROR_DISCONNECTED, CTL_EXIT_UNREACHABLE },
		{ SD_BUS_ERROR_NAME_HAS_NO_OWNER, CTL_EXIT_UNREACHABLE },
		{ SD_BUS_ERROR_NO_REPLY, CTL_EXIT_UNREACHABLE },
		{ SD_BUS_ERROR_SERVICE_UNKNOWN, CTL_EXIT_UNREACHABLE },
		{ SD_BUS_ERROR_TIMEOUT, CTL_EXIT_UNREACHABLE },
		/* dbus-daemon's, of a service that it started and that did not come. */
		{ "org.freedesktop.DBus.Error.TimedOut", CTL_EXIT_UNREACHABLE },
		{ "org.freedesktop.systemd1.NoSuchUnit", CTL_EXIT_UNREACHABLE },
		{ SD_BUS_ERROR_INVALID_ARGS, CTL_EXIT_USAGE },
	};
	static const char *const families[] = {
		"org.freedesktop.DBus.Error.Spawn.",
		"System.Error.", /* sd-bus's own: the connection broke */
	};
	enum failure failure = failure_from_string(name);

	if (failure > 0)
		return ctl_exit_from_failure(failure);
	for (size_t i = 0; name && i < ARRAY_SIZE(others); i++)
		if (strcmp(others[i].name, name) == 0)
			return others[i].code;
	for (size_t i = 0; name && i < ARRAY_SIZE(families); i++)
		if (strncmp(families[i], name, strlen(families[i])) == 0)
			return CTL_EXIT_UNREACHABLE;
	return CTL_EXIT_FAILURE;
}

void ctl_bus_error_to_reason(const char *name, char *ret, size_t size)
{
	const char *dot = name ? strrchr(name, '.') : NULL;
	const char *p = dot ? dot + 1 : "failure";
	size_t used = 0;

	for (bool is_word_end = false; *p && used + 2 < size; p++) {
		if (isupper((unsigned char)*p) && is_word_end)
			ret[used++] = '-';
		is_word_end = islower((unsigned char)*p);
		ret[used++] = (char)tolower((unsigned char)*p);
	}
	if (size)
		ret[used] = '\0';
}

/* Why a daemon that is to be started would end at once; NULL: nothing is known. */
static char *find_config_trouble(const struct ctl *ctl)
{
	struct config *config = NULL;
	char *why = NULL;

	if (ctl->remote)
		return NULL;
	if (config_load(ctl->root, &config, &why) == 0) {
		config_unref(config);
		free(TAKE_PTR(why));
	}
	return why;
}

static int fail_absent(const struct ctl *ctl)
{
	_cleanup_(cleanup_free)
	char *why = find_config_trouble(ctl);

	if (why)
		return ctl_fail(ctl, CTL_EXIT_CONFIG, "config-invalid",
				"tdxupdd does not run, and does not start before this is "
				"right:\n%s",
				why);
	return ctl_fail(ctl, CTL_EXIT_UNREACHABLE, "daemon-absent",
			"tdxupdd does not run; start it with `systemctl start tdxupdd`");
}

static int fail_unreachable(const struct ctl *ctl, const char *name)
{
	bool is_silent = strcmp(name, SD_BUS_ERROR_NO_REPLY) == 0 ||
			 strcmp(name, SD_BUS_ERROR_TIMEOUT) == 0 ||
			 strcmp(name, SD_BUS_ERROR_DISCONNECTED) == 0 ||
			 strncmp(name, "System.Error.", 13) == 0;

	if (is_silent)
		return ctl_fail(ctl, CTL_EXIT_UNREACHABLE, "daemon-silent",
				"tdxupdd gave no answer; see `systemctl status tdxupdd`");
	return fail_absent(ctl);
}

int ctl_bus_fail(const struct ctl *ctl, const sd_bus_error *error, int rc)
{
	char reason[64];
	enum ctl_exit code;

	if (!error || !error->name)
		return rc == -ENOMEM ? ctl_fail_memory(ctl)
				     : ctl_fail(ctl, CTL_EXIT_UNREACHABLE, "bus-failed",
						"the bus failed: %s", strerror(-rc));
	code = ctl_bus_error_to_exit(error->name);
	if (code == CTL_EXIT_UNREACHABLE)
		return fail_unreachable(ctl, error->name);
	if (code == CTL_EXIT_NOT_AUTHORISED)
		return ctl_fail(ctl, code, "not-authorised",
				"not authorised; run it as root, or see polkit(8)");
	ctl_bus_error_to_reason(error->name, reason, sizeof(reason));
	return ctl_fail_text(ctl, code, reason,
			     error->message ? error->message : error->name);
}

/* @ret: takes the one basic value of @type that is the answer; valid as long as
 * @ret_reply.
 */
static int call_manager(const struct ctl *ctl, const char *member, char type, void *ret,
			sd_bus_message **ret_reply, const char *types, va_list args)
{
	_cleanup_(cleanup_sd_bus)
	sd_bus *bus = NULL;
	_cleanup_(cleanup_sd_bus_message)
	sd_bus_message *reply = NULL;
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = ctl_bus_open(ctl, &bus);

	if (r)
		return r;
	r = sd_bus_call_methodv(bus, BUS_NAME, BUS_PATH, BUS_MANAGER, member, &error,
				&reply, types, args);
	if (r >= 0 && (r = sd_bus_message_read_basic(reply, type, ret)) == 0)
		r = -EBADMSG;
	*ret_reply = TAKE_PTR(reply);
	r = r < 0 ? ctl_bus_fail(ctl, &error, r) : CTL_EXIT_OK;
	sd_bus_error_free(&error);
	return r;
}

int ctl_bus_permit(const struct ctl *ctl, const char *member, bool *ret_changed,
		   const char *types, ...)
{
	_cleanup_(cleanup_sd_bus_message)
	sd_bus_message *reply = NULL;
	int has_changed = 0, r;
	va_list args;

	va_start(args, types);
	r = call_manager(ctl, member, SD_BUS_TYPE_BOOLEAN, &has_changed, &reply, types,
			 args);
	va_end(args);
	*ret_changed = has_changed;
	return r;
}

int ctl_bus_forbid(const struct ctl *ctl, const char *member, char **ret_note,
		   const char *types, ...)
{
	_cleanup_(cleanup_sd_bus_message)
	sd_bus_message *reply = NULL;
	const char *note = "";
	va_list args;
	int r;

	va_start(args, types);
	r = call_manager(ctl, member, SD_BUS_TYPE_STRING, &note, &reply, types, args);
	va_end(args);
	*ret_note = strdup(note);
	return *ret_note ? r : ctl_fail_memory(ctl);
}

/* Whatever sits on the bus may answer. */
static int read_json(sd_bus_message *reply, struct json_object **ret)
{
	struct json_tokener *tokener = json_tokener_new();
	const char *text;
	int r = sd_bus_message_read(reply, "s", &text);

	if (tokener && r >= 0)
		*ret = json_tokener_parse_ex(tokener, text, (int)strlen(text) + 1);
	json_tokener_free(tokener);
	if (r < 0 || !tokener)
		return r < 0 ? r : -ENOMEM;
	return json_object_is_type(*ret, json_type_object) ? 0 : -EBADMSG;
}

static int ask(sd_bus *bus, bool is_no_start, const char *member,
	       ctl_bus_append_fn append, const void *userdata, struct json_object **ret,
	       sd_bus_error *error)
{
	_cleanup_(cleanup_sd_bus_message)
	sd_bus_message *call = NULL;
	_cleanup_(cleanup_sd_bus_message)
	sd_bus_message *reply = NULL;
	_cleanup_(cleanup_json)
	struct json_object *json = NULL;
	int r = sd_bus_message_new_method_call(bus, &call, BUS_NAME, BUS_PATH,
					       BUS_MANAGER, member);

	if (r < 0 || (r = append(call, userdata)) < 0 ||
	    (r = sd_bus_message_set_auto_start(call, !is_no_start)) < 0 ||
	    (r = sd_bus_call(bus, call, 0, error, &reply)) < 0 ||
	    (r = read_json(reply, &json)) < 0)
		return r;
	*ret = TAKE_PTR(json);
	return 0;
}

int ctl_bus_ask(const struct ctl *ctl, const char *member, ctl_bus_append_fn append,
		const void *userdata, struct json_object **ret)
{
	_cleanup_(cleanup_sd_bus)
	sd_bus *bus = NULL;
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = ctl_bus_open(ctl, &bus);

	if (r)
		return r;
	r = ask(bus, ctl->is_no_start, member, append, userdata, ret, &error);
	r = r < 0 ? ctl_bus_fail(ctl, &error, r) : CTL_EXIT_OK;
	sd_bus_error_free(&error);
	return r;
}

int ctl_bus_ask_list(sd_bus *bus, const char *member, sd_bus_error *ret_error,
		     sd_bus_message **ret)
{
	_cleanup_(cleanup_sd_bus_message)
	sd_bus_message *call = NULL;
	int r = sd_bus_message_new_method_call(bus, &call, BUS_NAME, BUS_PATH,
					       BUS_MANAGER, member);

	if (r < 0 || (r = sd_bus_message_set_auto_start(call, false)) < 0)
		return r;
	return sd_bus_call(bus, call, LOOK_USEC, ret_error, ret);
}

int ctl_bus_get_manager(sd_bus *bus, struct json_object **ret, sd_bus_error *ret_error)
{
	_cleanup_(cleanup_sd_bus_message)
	sd_bus_message *call = NULL;
	_cleanup_(cleanup_sd_bus_message)
	sd_bus_message *reply = NULL;
	_cleanup_(cleanup_json)
	struct json_object *object = NULL;
	int r = sd_bus_message_new_method_call(bus, &call, BUS_NAME, BUS_PATH,
					       "org.freedesktop.DBus.Properties",
					       "GetAll");

	/* Looking does not start anything. */
	if (r < 0 || (r = sd_bus_message_set_auto_start(call, false)) < 0 ||
	    (r = sd_bus_message_append(call, "s", BUS_MANAGER)) < 0 ||
	    (r = sd_bus_call(bus, call, LOOK_USEC, ret_error, &reply)) < 0 ||
	    (r = json_new_object(&object)) < 0 ||
	    (r = ctl_bus_read_properties(reply, object)) < 0)
		return r;
	*ret = TAKE_PTR(object);
	return 0;
}

struct json_object *ctl_bus_ask_manager(const struct ctl *ctl)
{
	struct ctl silent = *ctl;
	_cleanup_(cleanup_sd_bus)
	sd_bus *bus = NULL;
	struct json_object *manager = NULL;

	silent.is_silent = true;
	if (ctl_bus_open(&silent, &bus) != CTL_EXIT_OK)
		return NULL;
	return ctl_bus_get_manager(bus, &manager, NULL) < 0 ? NULL : manager;
}
