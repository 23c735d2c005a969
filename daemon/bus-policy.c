// SPDX-License-Identifier: LGPL-2.1-or-later
/* Hold(), Pin() and what belongs to them. What these are is decided in holds.c. */
#include <errno.h>
#include <string.h>

#include "bus-policy.h"
#include "manager-policy.h"
#include "user-name.h"

#define HOLD_TYPE "(sststb)"

static const struct bus_question about_policy = { .action = BUS_ACTION_POLICY };

static struct manager *manager_of(void *userdata)
{
	return ((struct bus *)userdata)->manager;
}

/* Who asks, for the record; free() it. Where it is not known nothing is said of it. */
static char *name_caller(sd_bus_message *message, void *userdata)
{
	struct bus_caller caller;

	bus_find_caller(message, &caller);
	return user_name_describe(manager_of(userdata)->root_fd, caller.uid);
}

/* ---- holds ---- */

/* Return: 0 there is something to answer; a negative errno, with @error set. */
static int explain(sd_bus_error *error, int r, char *why)
{
	if (r == -EINVAL)
		return bus_fail(error, FAILURE_NO_SUCH_VERSION,
				strdup("neither a version such as 1.5.16 nor `all'"));
	if (r == -EMSGSIZE)
		return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
					 "reason: of more than %d bytes",
					 HOLDS_REASON_BYTES_MAX);
	if (r == -ENOSPC)
		return bus_fail(error, FAILURE_LIMIT,
				strdup("too much is held; end some holds"));
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		r = sd_bus_error_set(error, SD_BUS_ERROR_IO_ERROR,
				     why ? why : strerror(-r));
	free(why);
	return r < 0 ? r : 0;
}

/* Of what permits: whether anything has changed. */
static int answer(sd_bus_message *message, sd_bus_error *error, int r, char *why)
{
	int failed = explain(error, r, why);

	return failed < 0 ? failed : sd_bus_reply_method_return(message, "b", r > 0);
}

/* Of what forbids: what the caller should know. */
static int answer_forbidden(sd_bus_message *message, sd_bus_error *error, int r,
			    char *text)
{
	if (r < 0)
		return explain(error, r, text);
	r = sd_bus_reply_method_return(message, "s", text ? text : "");
	free(text);
	return r;
}

/* @until_usec: CLOCK_REALTIME, 0 until somebody ends it. */
int bus_policy_on_hold(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	const char *what, *reason;
	_cleanup_(cleanup_free)
	char *by = NULL;
	struct hold hold;
	uint64_t until;
	char *text = NULL;
	int r;

	r = sd_bus_message_read(message, "sst", &what, &reason, &until);
	if (r >= 0)
		r = bus_authorize(userdata, message, &about_policy, bus_policy_on_hold,
				  error);
	if (r <= 0)
		return r < 0 ? r : 1;
	hold = (struct hold){
		.what = (char *)what,
		.reason = (char *)reason,
		.by = by = name_caller(message, userdata),
		.until_usec = until ? until : UINT64_MAX,
	};
	r = manager_hold(manager_of(userdata), &hold, &text);
	return answer_forbidden(message, error, r, text);
}

int bus_policy_on_unhold(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	const char *what;
	_cleanup_(cleanup_free)
	char *by = NULL;
	char *why = NULL;
	int r;

	r = sd_bus_message_read(message, "s", &what);
	if (r >= 0)
		r = bus_authorize(userdata, message, &about_policy, bus_policy_on_unhold,
				  error);
	if (r <= 0)
		return r < 0 ? r : 1;
	by = name_caller(message, userdata);
	r = manager_unhold(manager_of(userdata), what, by, &why);
	return answer(message, error, r, why);
}

static int append_holds(sd_bus_message *reply, void *userdata)
{
	const struct holds *holds = &manager_of(userdata)->holds;
	int r = 0;

	const struct hold *hold;

	for (size_t i = 0; r >= 0 && (hold = holds_get(holds, i)); i++)
		r = sd_bus_message_append(reply, HOLD_TYPE, hold->what, hold->reason,
					  hold->since_usec, hold->by, hold->until_usec,
					  (int)hold->is_automatic);
	return r;
}

int bus_policy_on_list_holds(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	(void)error;
	return bus_reply_array(message, HOLD_TYPE, append_holds, userdata);
}

int bus_policy_get_holds(sd_bus *bus, const char *path, const char *interface,
			 const char *property, sd_bus_message *reply, void *userdata,
			 sd_bus_error *error)
{
	int r;

	(void)bus, (void)path, (void)interface, (void)property, (void)error;
	r = sd_bus_message_open_container(reply, 'a', HOLD_TYPE);
	if (r >= 0)
		r = append_holds(reply, userdata);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

int bus_policy_on_reset_failed(sd_bus_message *message, void *userdata,
			       sd_bus_error *error)
{
	_cleanup_(cleanup_free)
	char *by = NULL;
	char *why = NULL;
	int r = bus_authorize(userdata, message, &about_policy,
			      bus_policy_on_reset_failed, error);

	if (r <= 0)
		return r < 0 ? r : 1;
	by = name_caller(message, userdata);
	r = manager_reset_failed(manager_of(userdata), by, &why);
	return answer(message, error, r, why);
}

/* ---- the pin ---- */

int bus_policy_on_pin(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	const char *text, *reason;
	_cleanup_(cleanup_free)
	char *by = NULL;
	struct pin pin;
	char *note = NULL;
	int r;

	r = sd_bus_message_read(message, "ss", &text, &reason);
	if (r >= 0)
		r = bus_authorize(userdata, message, &about_policy, bus_policy_on_pin,
				  error);
	if (r <= 0)
		return r < 0 ? r : 1;
	pin = (struct pin){ .reason = (char *)reason,
			    .by = by = name_caller(message, userdata) };
	if (tdxupd_version_parse(text, &pin.version) < 0)
		return bus_fail(error, FAILURE_NO_SUCH_VERSION,
				strdup("not a version such as 1.5.16"));
	r = manager_pin(manager_of(userdata), &pin, &note);
	return answer_forbidden(message, error, r, note);
}

int bus_policy_on_unpin(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	_cleanup_(cleanup_free)
	char *by = NULL;
	char *why = NULL;
	int r = bus_authorize(userdata, message, &about_policy, bus_policy_on_unpin,
			      error);

	if (r <= 0)
		return r < 0 ? r : 1;
	by = name_caller(message, userdata);
	r = manager_unpin(manager_of(userdata), by, &why);
	return answer(message, error, r, why);
}

int bus_policy_get_pin(sd_bus *bus, const char *path, const char *interface,
		       const char *property, sd_bus_message *reply, void *userdata,
		       sd_bus_error *error)
{
	const struct pin *pin = &manager_of(userdata)->holds.pin;
	char text[TDXUPD_VERSION_TEXT_BYTES] = "";

	(void)bus, (void)path, (void)interface, (void)property, (void)error;
	if (pin->is_set)
		tdxupd_version_format(&pin->version, text);
	return sd_bus_message_append(reply, "(ssts)", text,
				     pin->is_set ? pin->reason : "", pin->since_usec,
				     pin->is_set ? pin->by : "");
}
