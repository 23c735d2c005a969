// SPDX-License-Identifier: LGPL-2.1-or-later
/* GetHistory(): the end of the history, for those who may not read the file. */
#include "bus-history.h"
#include "bus-options.h"
#include "bus-read.h"
#include "history-read.h"

/* Of the end of the history. */
#define LOOK_BYTES (1u << 20)

static const char *take_count(void *target, const union bus_value *value)
{
	struct history_query *query = target;

	if (value->number32 < 1 || value->number32 > HISTORY_COUNT_MAX)
		return "not from 1 to 1000";
	query->count = value->number32;
	return NULL;
}

static const char *take_job(void *target, const union bus_value *value)
{
	struct history_query *query = target;

	query->job = value->number32;
	return value->number32 ? NULL : "no number of a job";
}

static const char *take_since(void *target, const union bus_value *value)
{
	struct history_query *query = target;

	query->since_usec = value->number;
	return NULL;
}

static const struct bus_option options[] = {
	{ "count", 'u', take_count },
	{ "job", 'u', take_job },
	{ "since_usec", 't', take_since },
};

int bus_history_on_get(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	static const struct bus_question question = { .action = BUS_ACTION_INSPECT };
	struct bus *bus = userdata;
	struct history_query query = { .count = HISTORY_COUNT_DEFAULT,
				       .bytes = LOOK_BYTES };
	int r;

	r = bus_read_options(message,
			     &(struct bus_options){ options, ARRAY_SIZE(options) },
			     &query, error);
	if (r >= 0)
		r = bus_authorize(bus, message, &question, bus_history_on_get, error);
	if (r <= 0)
		return r < 0 ? r : 1;
	return bus_read_history(bus, message, &query, error);
}
