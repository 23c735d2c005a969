/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef WORKER_H
#define WORKER_H

#include <systemd/sd-event.h>

#include "buffer.h"

/*
 * Work for another process: file systems hang, and what parses big files is no part of a
 * process that can update. A worker is a fork that keeps the descriptors it is given and
 * no other, so that nothing hangs on it but its own work: no lock, no lease, no upload.
 * It dies with the daemon, as soon as the kernel lets it.
 */

/* Processes that have not ended, also those that were killed and hang in the kernel. */
struct worker_count {
	unsigned refs;
	unsigned running;
};
struct worker_count *worker_count_new(void);
void worker_count_unref(struct worker_count *count);

/*
 * @run: in the worker: the answer into @out. Return: what done() gets
 * @done: the worker has ended, or came no further for @patience_usec; not called from
 *	within worker_start(). What is in @bytes was written by another process, and
 *nobody knows what it has become: believe nothing
 * @fds: what run() works with
 */
struct worker_task {
	int (*run)(void *userdata, struct buffer *out);
	void (*done)(void *userdata, int r, const uint8_t *bytes, size_t count);
	void *userdata;
	const int *fds;
	size_t fd_count;
	uint64_t patience_usec;
	struct worker_count *count;
};

/* What done() gets beside what run() returned. */
#define WORKER_HUNG    (-ETIMEDOUT)
#define WORKER_CRASHED (-EREMOTEIO)

struct worker;
/* Return: 0; an errno. */
int worker_start(sd_event *event, const struct worker_task *task, struct worker **ret);
/* End it; done() is not called any more. Takes NULL, returns NULL. */
struct worker *worker_stop(struct worker *worker);

#endif
