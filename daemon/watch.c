// SPDX-License-Identifier: LGPL-2.1-or-later
/* What all gate sources share. What each one knows is in its watch-<name>.c. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "watch.h"

void watch_arm(struct watch *watch, sd_event *event)
{
	watch->why[0] = '\0';
	watch->arm_error = watch->ops->arm(watch, event);
}

int watch_fail(struct watch *watch, int error, const char *why)
{
	watch->arm_error = error;
	if (why != watch->why)
		snprintf(watch->why, sizeof(watch->why), "%s", why);
	return error;
}

void watch_read(struct watch *watch, struct gate_source *ret)
{
	*ret = (struct gate_source){ .state = GATE_UNKNOWN, .confidence = GATE_HINT };
	if (watch->arm_error < 0)
		watch_say_unknown(ret, "%s",
				  watch->why[0] ? watch->why
						: strerror(-watch->arm_error));
	else
		watch->ops->read(watch, ret);
	ret->name = watch->ops->name;
	ret->is_veto = watch->ops->is_veto;
}

void watch_attend(struct watch *watch, bool is_awaited)
{
	if (watch->ops->attend)
		watch->ops->attend(watch, is_awaited);
}

size_t watch_list_overlap(struct watch *watch, uint64_t from_usec, uint64_t to_usec,
			  const struct gate_blocker **ret)
{
	if (!watch->ops->list_overlap)
		return 0;
	return watch->ops->list_overlap(watch, from_usec, to_usec, ret);
}

void watch_notify(struct watch *watch)
{
	if (watch->changed)
		watch->changed(watch->userdata);
}

struct watch *watch_free(struct watch *watch)
{
	if (watch)
		watch->ops->free(watch);
	return NULL;
}

void watch_say_unknown(struct gate_source *ret, const char *format, ...)
{
	va_list args;

	*ret = (struct gate_source){ .state = GATE_UNKNOWN, .confidence = GATE_HINT };
	va_start(args, format);
	if (vsnprintf(ret->reason, sizeof(ret->reason), format, args) < 0)
		ret->reason[0] = 0;
	va_end(args);
}

int watch_set_alarm(sd_event *event, sd_event_source **timer, uint64_t at_usec,
		    sd_event_time_handler_t on_time, void *userdata)
{
	int r;

	if (at_usec == UINT64_MAX)
		return *timer ? sd_event_source_set_enabled(*timer, SD_EVENT_OFF) : 0;
	/* Accuracy 1: the default slack is a quarter of a second. */
	if (!*timer)
		return sd_event_add_time(event, timer, CLOCK_MONOTONIC, at_usec, 1,
					 on_time, userdata);
	r = sd_event_source_set_time(*timer, at_usec);
	return r < 0 ? r : sd_event_source_set_enabled(*timer, SD_EVENT_ONESHOT);
}

int watch_set_timer(sd_event *event, sd_event_source **timer, uint64_t usec,
		    sd_event_time_handler_t on_time, void *userdata)
{
	return watch_set_alarm(event, timer, clock_usec(CLOCK_MONOTONIC) + usec, on_time,
			       userdata);
}
