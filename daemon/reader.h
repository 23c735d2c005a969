/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef READER_H
#define READER_H

#include "worker.h"

/*
 * Who reads files for the daemon, one after the other: what hangs or takes long is in a
 * worker, and the event loop goes on.
 */
struct reader;

/*
 * @run, @done: as a worker's; done() is called from the event loop, once
 * @share: of requests with the same one, all that wait when the first begins are served
 *	by it; NULL to be alone
 * @is_urgent: before all that are not
 * @fds: -1 for none
 */
struct reader_request {
	int (*run)(void *userdata, struct buffer *out);
	void (*done)(void *userdata, int r, const uint8_t *bytes, size_t count);
	void *userdata;
	const void *share;
	bool is_urgent;
	int fds[2];
};

/* done() gets this where as many workers hang in the kernel as there may be. */
#define READER_STUCK (-EBUSY)

/* A file system that has not answered for so long is said to hang. */
#define READER_PATIENCE_USEC (10 * 1000000ULL)

int reader_new(sd_event *event, struct reader **ret);
struct reader *reader_free(struct reader *reader);
/* Return: 0; -ENOMEM. */
int reader_add(struct reader *reader, const struct reader_request *request);
/* Forget all requests with @userdata: done() is not called any more. */
void reader_drop(struct reader *reader, const void *userdata);
/* Nothing is read from now on; what was being read begins again afterwards. */
void reader_pause(struct reader *reader, bool is_paused);

/* The same for whoever has nothing else to do meanwhile. */
int reader_run_alone(const struct reader_request *request);

#endif
