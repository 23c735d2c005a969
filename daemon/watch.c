// SPDX-License-Identifier: LGPL-2.1-or-later
/* What all gate sources share. What each one knows is in its watch-<name>.c. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "watch.h"

void watch_arm(struct watch *watch, sd_event *event)
{
	watch->arm_error = watch->ops->arm(watch, event);
}

void watch_read(struct watch *watch, struct gate_source *ret)
{
	*ret = (struct gate_source){ .state = GATE_UNKNOWN, .confidence = GATE_HINT };
	if (watch->arm_error < 0)
		watch_say_unknown(ret, "%s", strerror(-watch->arm_error));
	else
		watch->ops->read(watch, ret);
	ret->name = watch->ops->name;
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
