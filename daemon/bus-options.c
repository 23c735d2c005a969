// SPDX-License-Identifier: LGPL-2.1-or-later
/* Arguments of D-Bus methods, which anybody may send. */
#include <errno.h>
#include <string.h>

#include "bus-options.h"
#include "clock.h"
#include "duration.h"

int bus_refuse(sd_bus_error *error, const char *name, const char *trouble)
{
	return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS, "%s: %s", name,
				 trouble);
}

/* ---- of Plan and Update ---- */

static const char *take_plan_id(void *target, const union bus_value *value)
{
	struct job_request *request = target;

	if (strlen(value->text) != sizeof(request->plan_id) - 1)
		return "not the id of a plan";
	strcpy(request->plan_id, value->text);
	return NULL;
}

static const char *take_deadline(void *target, const union bus_value *value)
{
	struct job_request *request = target;
	uint64_t now = clock_usec(CLOCK_MONOTONIC);

	request->deadline_usec =
		value->number < USEC_INFINITY - now ? now + value->number : USEC_INFINITY;
	return NULL;
}

static const char *take_drain(void *target, const union bus_value *value)
{
	struct job_request *request = target;

	request->drain = value->boolean;
	return NULL;
}

static const char *take_guard(void *target, const union bus_value *value)
{
	struct job_request *request = target;
	enum gate_policy guard = gate_policy_from_string(value->text);

	if (guard < 0)
		return "neither `strict', `observed' nor `off'";
	request->guard = guard;
	return NULL;
}

static const char *take_strategy(void *target, const union bus_value *value)
{
	struct job_request *request = target;
	enum tdxupd_strategy strategy = tdxupd_strategy_from_string(value->text);

	if (strategy < 0)
		return "neither `fewest' nor `smallest'";
	request->has_strategy = true;
	request->strategy = strategy;
	return NULL;
}

static const char *take_reserve(void *target, const union bus_value *value)
{
	struct job_request *request = target;

	request->has_reserve = true;
	request->reserve_updates = value->number32;
	return NULL;
}

static const char *take_token(void *target, const union bus_value *value)
{
	struct job_request *request = target;

	if (!*value->text || strlen(value->text) >= sizeof(request->token))
		return "not of 1 to 64 bytes";
	strcpy(request->token, value->text);
	return NULL;
}

static const struct bus_option request_options[] = {
	{ "deadline_usec", 't', take_deadline },
	{ "drain", 'b', take_drain },
	{ "guard", 's', take_guard },
	{ "plan_id", 's', take_plan_id },
	{ "reserve", 'u', take_reserve },
	{ "strategy", 's', take_strategy },
	{ "token", 's', take_token },
};

/* ---- the dictionary ---- */

static const struct bus_option *find_option(const struct bus_options *options,
					    const char *name)
{
	for (size_t i = 0; i < options->count; i++)
		if (strcmp(options->items[i].name, name) == 0)
			return &options->items[i];
	return NULL;
}

static int read_option(sd_bus_message *message, const struct bus_options *options,
		       void *target, sd_bus_error *error)
{
	const struct bus_option *option;
	const char *name, *contents, *trouble;
	union bus_value value;
	char type;
	int r;

	r = sd_bus_message_read_basic(message, 's', &name);
	if (r < 0)
		return r;
	option = find_option(options, name);
	if (!option)
		return bus_refuse(error, name, "no such option");
	r = sd_bus_message_peek_type(message, &type, &contents);
	if (r < 0)
		return r;
	if (contents[0] != option->type || contents[1])
		return bus_refuse(error, name, "has a value of another type");
	r = sd_bus_message_enter_container(message, 'v', contents);
	if (r >= 0)
		r = sd_bus_message_read_basic(message, option->type, &value);
	if (r >= 0)
		r = sd_bus_message_exit_container(message);
	if (r < 0)
		return r;
	trouble = option->take(target, &value);
	return trouble ? bus_refuse(error, name, trouble) : 0;
}

int bus_read_options(sd_bus_message *message, const struct bus_options *options,
		     void *target, sd_bus_error *error)
{
	int r;

	r = sd_bus_message_enter_container(message, 'a', "{sv}");
	while (r >= 0) {
		r = sd_bus_message_enter_container(message, 'e', "sv");
		if (r == 0)
			return sd_bus_message_exit_container(message);
		if (r > 0)
			r = read_option(message, options, target, error);
		if (r >= 0)
			r = sd_bus_message_exit_container(message);
	}
	return r;
}

int bus_read_no_options(sd_bus_message *message, sd_bus_error *error)
{
	return bus_read_options(message, &(struct bus_options){ 0 }, NULL, error);
}

int bus_read_request(sd_bus_message *message, struct job_request *request,
		     sd_bus_error *error)
{
	const char *target;
	int r;

	r = sd_bus_message_read_basic(message, 's', &target);
	if (r < 0)
		return r;
	if (*target) {
		r = tdxupd_version_parse(target, &request->target);
		if (r < 0)
			return bus_refuse(error, "target",
					  "not a version such as 1.5.16");
		request->has_target = request->is_target_named = true;
	}
	return bus_read_options(
		message,
		&(struct bus_options){ request_options, ARRAY_SIZE(request_options) },
		request, error);
}
