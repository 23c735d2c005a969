// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Who may do what. Root may do all, with polkit or without. Everybody else is a question
 * to polkit, asked without keeping anybody waiting but the caller.
 */
#include <errno.h>
#include <string.h>

#include "bus-auth.h"
#include "bus.h"
#include "duration.h"
#include "quota.h"

/* As long as a person may look for a password. */
#define ANSWER_USEC (2 * 60 * USEC_PER_SEC)

/* Whoever asks with a password prompt can keep a place for that long. The trusted need
 * none. */
static const struct quota queries_quota = { .per_sender = 4, .per_user = 4, .all = 64 };

static const char *const actions[] = {
	[BUS_ACTION_INSPECT] = "org.tdxupd1.inspect",
	[BUS_ACTION_PLAN] = "org.tdxupd1.plan",
	[BUS_ACTION_UPDATE] = "org.tdxupd1.update",
	[BUS_ACTION_UPDATE_VERSION] = "org.tdxupd1.update-version",
	[BUS_ACTION_UPDATE_UNSAFE] = "org.tdxupd1.update-unsafe",
	[BUS_ACTION_INHIBIT] = "org.tdxupd1.inhibit",
	[BUS_ACTION_CANCEL] = "org.tdxupd1.cancel",
	[BUS_ACTION_BUILD_LEASE] = "org.tdxupd1.build-lease",
	[BUS_ACTION_POLICY] = "org.tdxupd1.policy",
};
STRING_TABLE_TO(bus_action, enum bus_action, actions)

enum answer {
	ANSWER_PENDING,
	ANSWER_YES,
	ANSWER_NO,
	ANSWER_CHALLENGE, /* yes, for somebody who may be asked for a password */
};

/* In a list of the bus. @slot: of the call to polkit; dropping it drops the answer. */
struct bus_query {
	struct bus *bus;
	struct bus_query *next;
	sd_bus_message *message;
	uid_t uid;
	sd_bus_slot *slot;
	enum bus_action action;
	enum answer answer;
	sd_bus_message_handler_t resume;
};

/* ---- the list ---- */

static void query_free(struct bus_query *query)
{
	struct bus_query **link = &query->bus->queries;

	while (*link && *link != query)
		link = &(*link)->next;
	if (*link)
		*link = query->next;
	sd_bus_slot_unref(query->slot);
	sd_bus_message_unref(query->message);
	free(query);
}

void bus_auth_done(struct bus *bus)
{
	while (bus->queries)
		query_free(bus->queries);
}

static const struct bus_query *
find_query(const struct bus *bus, const sd_bus_message *message, enum bus_action action)
{
	for (const struct bus_query *q = bus->queries; q; q = q->next)
		if (q->message == message && q->action == action)
			return q;
	return NULL;
}

static bool has_room(const struct bus *bus, const char *sender, uid_t uid)
{
	struct quota_use use = { 0 };

	for (const struct bus_query *q = bus->queries; q; q = q->next) {
		const char *other = sd_bus_message_get_sender(q->message);

		quota_count(&use, other && strcmp(other, sender) == 0, q->uid == uid);
	}
	return quota_check(&queries_quota, false, &use) == 0;
}

/* ---- polkit ---- */

static bool is_absent(sd_bus_message *answer)
{
	const sd_bus_error *error = sd_bus_message_get_error(answer);

	return sd_bus_error_has_name(error, SD_BUS_ERROR_SERVICE_UNKNOWN) ||
	       sd_bus_error_has_name(error, SD_BUS_ERROR_NAME_HAS_NO_OWNER);
}

static enum answer read_answer(sd_bus_message *answer, enum bus_action action)
{
	int is_authorized, is_challenge;

	if (is_absent(answer) && action == BUS_ACTION_PLAN)
		return ANSWER_YES;
	if (sd_bus_message_is_method_error(answer, NULL) ||
	    sd_bus_message_enter_container(answer, 'r', "bba{ss}") < 0 ||
	    sd_bus_message_read(answer, "bb", &is_authorized, &is_challenge) < 0)
		return ANSWER_NO;
	if (is_authorized)
		return ANSWER_YES;
	return is_challenge ? ANSWER_CHALLENGE : ANSWER_NO;
}

static int on_answer(sd_bus_message *answer, void *userdata, sd_bus_error *unused)
{
	struct bus_query *query = userdata;
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int r;

	(void)unused;
	query->answer = read_answer(answer, query->action);
	r = sd_bus_message_rewind(query->message, true);
	if (r >= 0)
		r = query->resume(query->message, query->bus, &error);
	if (r < 0 || sd_bus_error_is_set(&error))
		(void)sd_bus_reply_method_errno(query->message, r, &error);
	sd_bus_error_free(&error);
	query_free(query);
	return 0;
}

static int append_details(sd_bus_message *call, const struct bus_question *question)
{
	int r = sd_bus_message_open_container(call, 'a', "{ss}");

	for (size_t i = 0; r >= 0 && i < question->detail_count; i++) {
		const struct bus_detail *detail = &question->details[i];

		if (detail->value && *detail->value)
			r = sd_bus_message_append(call, "{ss}", detail->name,
						  detail->value);
	}
	return r < 0 ? r : sd_bus_message_close_container(call);
}

static int append_question(sd_bus_message *call, sd_bus_message *message,
			   const struct bus_question *question)
{
	int may_ask = sd_bus_message_get_allow_interactive_authorization(message);
	int r;

	r = sd_bus_message_append(call, "(sa{sv})s", "system-bus-name", 1, "name", "s",
				  sd_bus_message_get_sender(message),
				  bus_action_to_string(question->action));
	if (r >= 0)
		r = append_details(call, question);
	if (r >= 0) /* AllowUserInteraction; no id to cancel it by */
		r = sd_bus_message_append(call, "us", may_ask > 0 ? 1 : 0, "");
	return r;
}

static int send_question(struct bus_query *query, const struct bus_question *question)
{
	sd_bus_message *call = NULL;
	int r;

	r = sd_bus_message_new_method_call(
		query->bus->bus, &call, "org.freedesktop.PolicyKit1",
		"/org/freedesktop/PolicyKit1/Authority",
		"org.freedesktop.PolicyKit1.Authority", "CheckAuthorization");
	if (r >= 0)
		r = append_question(call, query->message, question);
	if (r >= 0)
		r = sd_bus_call_async(query->bus->bus, &query->slot, call, on_answer,
				      query, ANSWER_USEC);
	sd_bus_message_unref(call);
	return r;
}

static int ask(struct bus *bus, sd_bus_message *message,
	       const struct bus_question *question, sd_bus_message_handler_t resume,
	       sd_bus_error *error)
{
	const char *sender = sd_bus_message_get_sender(message);
	struct bus_query *query;
	struct bus_caller caller;
	int r;

	bus_find_caller(message, &caller);
	if (!sender)
		return sd_bus_error_set(error, SD_BUS_ERROR_ACCESS_DENIED,
					"nobody is known to have sent this");
	if (!has_room(bus, sender, caller.uid))
		return bus_fail(error, FAILURE_LIMIT,
				strdup("too many wait for polkit; try again later"));
	query = calloc(1, sizeof(*query));
	if (!query)
		return -ENOMEM;
	query->bus = bus;
	query->message = sd_bus_message_ref(message);
	query->uid = caller.uid;
	query->action = question->action;
	query->resume = resume;
	query->next = bus->queries;
	bus->queries = query;
	r = send_question(query, question);
	if (r < 0)
		query_free(query);
	return r < 0 ? r : 0;
}

/* ---- the answer ---- */

void bus_find_caller(sd_bus_message *message, struct bus_caller *ret)
{
	sd_bus_creds *creds = NULL;

	*ret = (struct bus_caller){ .uid = (uid_t)-1 };
	if (sd_bus_query_sender_creds(message, SD_BUS_CREDS_EUID | SD_BUS_CREDS_PID,
				      &creds) < 0)
		return;
	(void)sd_bus_creds_get_euid(creds, &ret->uid);
	(void)sd_bus_creds_get_pid(creds, &ret->pid);
	sd_bus_creds_unref(creds);
}

/* Our own user: a daemon that is run by hand on a bus of one's own. */
static bool is_trusted(sd_bus_message *message)
{
	struct bus_caller caller;

	bus_find_caller(message, &caller);
	return quota_is_trusted(caller.uid);
}

static int tell(const struct bus_query *query, sd_bus_error *error)
{
	switch (query->answer) {
	case ANSWER_PENDING:
		return 0;
	case ANSWER_YES:
		return 1;
	case ANSWER_CHALLENGE:
		return sd_bus_error_setf(
			error, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
			"%s takes a password", bus_action_to_string(query->action));
	default:
		return sd_bus_error_setf(error, SD_BUS_ERROR_ACCESS_DENIED,
					 "%s is for root, and for whom polkit allows it",
					 bus_action_to_string(query->action));
	}
}

int bus_authorize(struct bus *bus, sd_bus_message *message,
		  const struct bus_question *question, sd_bus_message_handler_t resume,
		  sd_bus_error *error)
{
	const struct bus_query *query = find_query(bus, message, question->action);

	if (query)
		return tell(query, error);
	if (is_trusted(message))
		return 1;
	return ask(bus, message, question, resume, error);
}
