// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Whoever waits for a worker that reads. What the answer is, those who ask know; how it
 * is read, manager-read.c.
 */
#include <errno.h>
#include <string.h>

#include "bus-read.h"
#include "manager-read.h"
#include "quota.h"
#include "state-dir.h"
#include "text.h"

/* A worker serves many at a time, but each answer takes making. Root's programs may be
 * many: a fleet's agents ask all at once. */
static const struct quota readings_quota = {
	.per_sender = 8, .per_user = 8, .all = 1088, .reserve = 1024
};

struct bus_reading {
	struct bus *bus;
	struct bus_reading *next;
	sd_bus_message *message;
	uid_t uid;
	bus_catalog_fn reply;
};

/* ---- the list ---- */

static void reading_free(struct bus_reading *reading)
{
	struct bus_reading **link = &reading->bus->readings;

	while (*link && *link != reading)
		link = &(*link)->next;
	if (*link)
		*link = reading->next;
	sd_bus_message_unref(reading->message);
	free(reading);
}

static int check_room(const struct bus *bus, const char *sender, uid_t uid)
{
	struct quota_use use = { 0 };

	for (const struct bus_reading *reading = bus->readings; reading;
	     reading = reading->next) {
		const char *other = sd_bus_message_get_sender(reading->message);

		quota_count(&use, sender && other && strcmp(other, sender) == 0,
			    reading->uid == uid);
	}
	return quota_check(&readings_quota, quota_is_trusted(uid), &use);
}

static int reading_new(struct bus *bus, sd_bus_message *message, struct bus_reading **ret,
		       sd_bus_error *error)
{
	struct bus_reading *reading;
	struct bus_caller caller;

	bus_find_caller(message, &caller);
	if (check_room(bus, sd_bus_message_get_sender(message), caller.uid) < 0)
		return bus_fail(error, FAILURE_LIMIT,
				strdup("too many questions wait for files to be read"));
	reading = calloc(1, sizeof(*reading));
	if (!reading)
		return -ENOMEM;
	reading->bus = bus;
	reading->message = sd_bus_message_ref(message);
	reading->uid = caller.uid;
	reading->next = bus->readings;
	bus->readings = reading;
	*ret = reading;
	return 0;
}

void bus_read_done(struct bus *bus)
{
	while (bus->readings) {
		manager_drop_reading(bus->manager, bus->readings);
		reading_free(bus->readings);
	}
}

/* Takes it off the list, answered. */
static void finish(struct bus_reading *reading, int r, sd_bus_error *error)
{
	if (r < 0 || sd_bus_error_is_set(error))
		(void)sd_bus_reply_method_errno(reading->message, r, error);
	sd_bus_error_free(error);
	reading_free(reading);
}

static int begin(struct bus_reading *reading, int r)
{
	if (r < 0) {
		reading_free(reading);
		return r;
	}
	return 1;
}

/* ---- images ---- */

static void on_catalog(void *userdata, int r, struct tdxupd_catalog **catalog,
		       const char *why)
{
	struct bus_reading *reading = userdata;
	sd_bus_error error = SD_BUS_ERROR_NULL;

	if (r == 0)
		r = sd_bus_message_rewind(reading->message, true);
	else if (r != -ENOMEM)
		r = bus_fail(&error, FAILURE_CONFIG, strdup(why ? why : strerror(-r)));
	if (r >= 0)
		r = reading->reply(reading->bus, reading->message, *catalog, &error);
	finish(reading, r, &error);
}

int bus_read_catalog(struct bus *bus, sd_bus_message *message, bus_catalog_fn reply,
		     sd_bus_error *error)
{
	struct bus_reading *reading;
	int r = reading_new(bus, message, &reading, error);

	if (r < 0)
		return r;
	reading->reply = reply;
	return begin(reading, manager_read_catalog(bus->manager, bus->manager->config,
						   false, on_catalog, reading));
}

/* ---- the history ---- */

static void on_history(void *userdata, int r, const uint8_t *bytes, size_t count)
{
	struct bus_reading *reading = userdata;
	sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(cleanup_free)
	char *text = NULL;

	if (r == 0) {
		text = strndup((const char *)bytes, count);
		r = text ? sd_bus_reply_method_return(reading->message, "s", text)
			 : -ENOMEM;
	} else if (r != -ENOMEM) {
		r = bus_fail(&error, FAILURE_UNKNOWN,
			     text_new("/" STATE_DIR ": %s", strerror(-r)));
	}
	finish(reading, r, &error);
}

int bus_read_history(struct bus *bus, sd_bus_message *message,
		     const struct history_query *query, sd_bus_error *error)
{
	struct bus_reading *reading;
	int r = reading_new(bus, message, &reading, error);

	if (r < 0)
		return r;
	return begin(reading,
		     manager_read_history(bus->manager, query, on_history, reading));
}
