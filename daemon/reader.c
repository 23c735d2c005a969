// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which request is read next, and for whom: one worker at a time. How a worker works is
 * in worker.c; what is read and what follows, those who ask decide.
 */
#include <errno.h>
#include <stdbool.h>

#include "reader.h"

/* Each hangs for good in a file system that does not answer, killed or not; the next may
 * be asked to read from another one. */
#define WORKERS_MAX 4

struct waiting {
	struct waiting *next;
	struct reader_request request;
	bool is_running;
};

/* @starter: on the event loop, so that nobody is called back from within asking */
struct reader {
	sd_event *event;
	struct worker_count *count;
	struct waiting *waiting;
	struct worker *worker;
	sd_event_source *starter;
	bool is_paused;
};

static void start_later(struct reader *reader)
{
	(void)sd_event_source_set_enabled(reader->starter, SD_EVENT_ONESHOT);
}

/* ---- the queue ---- */

static struct waiting *find_first(struct reader *reader)
{
	for (struct waiting *w = reader->waiting; w; w = w->next)
		if (w->request.is_urgent)
			return w;
	return reader->waiting;
}

static void mark_running(struct reader *reader, struct waiting *first)
{
	const void *share = first->request.share;

	first->is_running = true;
	for (struct waiting *w = reader->waiting; share && w; w = w->next)
		if (w->request.share == share)
			w->is_running = true;
}

static struct waiting *take_running(struct reader *reader)
{
	for (struct waiting **link = &reader->waiting; *link; link = &(*link)->next) {
		struct waiting *found = *link;

		if (!found->is_running)
			continue;
		*link = found->next;
		return found;
	}
	return NULL;
}

static bool has_running(const struct reader *reader)
{
	for (const struct waiting *w = reader->waiting; w; w = w->next)
		if (w->is_running)
			return true;
	return false;
}

/* ---- reading ---- */

/* Whoever is called may ask for more, which is not for this answer, or forget others. */
static void finish(struct reader *reader, int r, const uint8_t *bytes, size_t count)
{
	struct waiting *waiting;

	while ((waiting = take_running(reader))) {
		struct reader_request request = waiting->request;

		free(waiting);
		request.done(request.userdata, r, bytes, count);
	}
}

static void on_done(void *userdata, int r, const uint8_t *bytes, size_t count)
{
	struct reader *reader = userdata;

	reader->worker = NULL;
	finish(reader, r, bytes, count);
	start_later(reader);
}

/* ---- starting ---- */

/* In the worker, where the reader's memory is as it was. */
static int run_first(void *userdata, struct buffer *out)
{
	const struct reader *reader = userdata;

	for (const struct waiting *w = reader->waiting; w; w = w->next)
		if (w->is_running)
			return w->request.run(w->request.userdata, out);
	return -EINVAL;
}

static int start(struct reader *reader, const struct reader_request *request)
{
	struct worker_task task = {
		.run = run_first,
		.done = on_done,
		.userdata = reader,
		.fds = request->fds,
		.patience_usec = READER_PATIENCE_USEC,
		.count = reader->count,
	};

	while (task.fd_count < 2 && request->fds[task.fd_count] >= 0)
		task.fd_count++;
	if (reader->count->running >= WORKERS_MAX)
		return READER_STUCK;
	return worker_start(reader->event, &task, &reader->worker);
}

static int on_start(sd_event_source *source, void *userdata)
{
	struct reader *reader = userdata;
	struct waiting *first;
	int r;

	(void)source;
	if (reader->is_paused || reader->worker || !reader->waiting)
		return 0;
	first = find_first(reader);
	mark_running(reader, first);
	r = start(reader, &first->request);
	if (r < 0) {
		finish(reader, r, NULL, 0);
		start_later(reader);
	}
	return 0;
}

/* ---- asking ---- */

int reader_add(struct reader *reader, const struct reader_request *request)
{
	struct waiting *waiting = calloc(1, sizeof(*waiting));
	struct waiting **link = &reader->waiting;

	if (!waiting)
		return -ENOMEM;
	waiting->request = *request;
	while (*link)
		link = &(*link)->next;
	*link = waiting;
	start_later(reader);
	return 0;
}

void reader_drop(struct reader *reader, const void *userdata)
{
	struct waiting **link = &reader->waiting;

	while (*link) {
		struct waiting *waiting = *link;

		if (waiting->request.userdata != userdata) {
			link = &waiting->next;
			continue;
		}
		*link = waiting->next;
		free(waiting);
	}
	if (reader->worker && !has_running(reader)) {
		reader->worker = worker_stop(reader->worker);
		start_later(reader);
	}
}

void reader_pause(struct reader *reader, bool is_paused)
{
	if (is_paused == reader->is_paused)
		return;
	reader->is_paused = is_paused;
	if (!is_paused)
		start_later(reader);
	if (!is_paused || !reader->worker)
		return;
	reader->worker = worker_stop(reader->worker);
	for (struct waiting *w = reader->waiting; w; w = w->next)
		w->is_running = false;
}

/* ---- the object ---- */

struct reader *reader_free(struct reader *reader)
{
	struct waiting *waiting;

	if (!reader)
		return NULL;
	worker_stop(reader->worker);
	while ((waiting = reader->waiting)) {
		reader->waiting = waiting->next;
		free(waiting);
	}
	sd_event_source_disable_unref(reader->starter);
	worker_count_unref(reader->count);
	sd_event_unref(reader->event);
	free(reader);
	return NULL;
}

int reader_new(sd_event *event, struct reader **ret)
{
	struct reader *reader = calloc(1, sizeof(*reader));
	int r;

	if (!reader)
		return -ENOMEM;
	reader->event = sd_event_ref(event);
	reader->count = worker_count_new();
	r = reader->count ? sd_event_add_defer(event, &reader->starter, on_start, reader)
			  : -ENOMEM;
	if (r >= 0)
		r = sd_event_source_set_enabled(reader->starter, SD_EVENT_OFF);
	if (r < 0) {
		reader_free(reader);
		return r;
	}
	*ret = reader;
	return 0;
}

/* ---- alone ---- */

struct alone {
	const struct reader_request *request;
	bool is_done;
};

static int run_alone(void *userdata, struct buffer *out)
{
	const struct alone *alone = userdata;

	return alone->request->run(alone->request->userdata, out);
}

static void on_alone_done(void *userdata, int r, const uint8_t *bytes, size_t count)
{
	struct alone *alone = userdata;

	alone->is_done = true;
	alone->request->done(alone->request->userdata, r, bytes, count);
}

int reader_run_alone(const struct reader_request *request)
{
	struct alone alone = { .request = request };
	struct reader_request inner = *request;
	struct reader *reader = NULL;
	sd_event *event = NULL;
	int r;

	inner.run = run_alone;
	inner.done = on_alone_done;
	inner.userdata = &alone;
	r = sd_event_new(&event);
	if (r >= 0)
		r = reader_new(event, &reader);
	if (r >= 0)
		r = reader_add(reader, &inner);
	while (r >= 0 && !alone.is_done)
		r = sd_event_run(event, UINT64_MAX);
	reader_free(reader);
	sd_event_unref(event);
	return r < 0 ? r : 0;
}
