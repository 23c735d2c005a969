// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * An event loop in simulated time, in the place of libsystemd's and of the clock: the
 * shipped sources are linked with it and do not know. It calls what is due and nothing
 * else, so what was to be told and is not is missed here as it would be there.
 */
#include <errno.h>
#include <poll.h>
#include <time.h>

#include "schedule.h"
#include "test.h"

#define SOURCES 12

struct world *schedule_world;

enum kind {
	UNUSED,
	TIMER,
	DEFERRED,
	PIPE,   /* of the probes */
	NUMBER, /* tds_building */
};

struct sd_event_source {
	enum kind kind;
	int enabled;
	int fd;
	uint64_t at;
	sd_event_time_handler_t on_time;
	sd_event_handler_t on_turn;
	sd_event_io_handler_t on_io;
	void *userdata;
};

static struct sd_event_source all[SOURCES];

/* ---- in the place of others ---- */

int clock_gettime(clockid_t clock, struct timespec *ret)
{
	uint64_t now = schedule_world ? schedule_world->now : 0;

	(void)clock;
	*ret = (struct timespec){ .tv_sec = (time_t)(now / SEC),
				  .tv_nsec = (long)(now % SEC) * 1000 };
	return 0;
}

sd_event *sd_event_ref(sd_event *event)
{
	return event;
}

sd_event *sd_event_unref(sd_event *event)
{
	(void)event;
	return NULL;
}

static sd_event_source *add(enum kind kind, void *userdata)
{
	for (size_t i = 0; i < SOURCES; i++)
		if (all[i].kind == UNUSED) {
			all[i] = (struct sd_event_source){ .kind = kind,
							   .enabled = SD_EVENT_ONESHOT,
							   .userdata = userdata };
			return &all[i];
		}
	fail_msg("no room for another event source");
	return NULL;
}

int sd_event_add_time(sd_event *event, sd_event_source **ret, clockid_t clock,
		      uint64_t usec, uint64_t accuracy, sd_event_time_handler_t callback,
		      void *userdata)
{
	(void)event;
	(void)clock;
	(void)accuracy;
	*ret = add(TIMER, userdata);
	(*ret)->at = usec;
	(*ret)->on_time = callback;
	return 0;
}

int sd_event_add_defer(sd_event *event, sd_event_source **ret,
		       sd_event_handler_t callback, void *userdata)
{
	(void)event;
	*ret = add(DEFERRED, userdata);
	(*ret)->on_turn = callback;
	return 0;
}

/* Who waits for EPOLLPRI waits for a file of sysfs. */
int sd_event_add_io(sd_event *event, sd_event_source **ret, int fd, uint32_t events,
		    sd_event_io_handler_t callback, void *userdata)
{
	(void)event;
	*ret = add(events & POLLPRI ? NUMBER : PIPE, userdata);
	(*ret)->enabled = SD_EVENT_ON;
	(*ret)->fd = fd;
	(*ret)->on_io = callback;
	return 0;
}

int sd_event_source_set_enabled(sd_event_source *source, int enabled)
{
	source->enabled = enabled;
	return 0;
}

int sd_event_source_set_time(sd_event_source *source, uint64_t usec)
{
	source->at = usec;
	return 0;
}

sd_event_source *sd_event_source_disable_unref(sd_event_source *source)
{
	if (source)
		source->kind = UNUSED;
	return NULL;
}

int poll(struct pollfd *fds, nfds_t count, int timeout)
{
	assert_int_equal(timeout, 0);
	if (count == 0)
		return 0;
	assert_int_equal(count, 1);
	fds->revents = schedule_world->has_kernel_news ? fds->events : 0;
	return fds->revents ? 1 : 0;
}

/* ---- a turn ---- */

static bool is_due(const struct world *world, const sd_event_source *source)
{
	if (source->kind == UNUSED || source->enabled == SD_EVENT_OFF)
		return false;
	switch (source->kind) {
	case TIMER:
		return source->at <= world->now;
	case PIPE:
		return world->line_count || world->has_lost_last;
	case NUMBER:
		return world->has_kernel_news;
	default:
		return true;
	}
}

static void call(sd_event_source *source)
{
	if (source->enabled == SD_EVENT_ONESHOT)
		source->enabled = SD_EVENT_OFF;
	if (source->kind == TIMER)
		source->on_time(source, source->at, source->userdata);
	else if (source->kind == DEFERRED)
		source->on_turn(source, source->userdata);
	else
		source->on_io(source, source->fd, POLLIN, source->userdata);
}

/* What is due all the time must not keep the clock from going on. */
void loop_run(struct world *world)
{
	for (unsigned turn = 0; turn < 4; turn++)
		for (size_t i = 0; i < SOURCES; i++)
			if (is_due(world, &all[i]))
				call(&all[i]);
}

uint64_t loop_get_next(const struct world *world)
{
	uint64_t next = NEVER;

	for (size_t i = 0; i < SOURCES; i++) {
		uint64_t at = all[i].kind == TIMER ? all[i].at : world->now;

		if (all[i].kind == TIMER && all[i].enabled != SD_EVENT_OFF && at < next)
			next = at;
		else if (all[i].kind != TIMER && is_due(world, &all[i]))
			next = at;
	}
	return next;
}

void loop_forget(void)
{
	for (size_t i = 0; i < SOURCES; i++)
		all[i].kind = UNUSED;
}
