/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PROBE_READER_H
#define PROBE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "build-tracker.h"
#include "probe-canary.h"
#include "probe-state.h"

/* Longer than any line of our probes. */
#define PROBE_LINE_BYTES 512

/*
 * Cuts what trace_pipe gives into lines; a read may end within one.
 * @seen: events read, by call
 * @due: events that had happened by the last look, all of which the next one must have
 * @has_lost: the kernel dropped some since the last time that this was cleared
 */
struct probe_reader {
	size_t used;
	bool is_overlong;
	bool has_lost;
	uint64_t seen[_PROBE_CALL_MAX];
	uint64_t due[_PROBE_CALL_MAX];
	struct probe_canary canary;
	char line[PROBE_LINE_BYTES];
};

/*
 * Read all there is at @fd, which does not block, into @tracker and the canary. A line
 * that can't be read is a doubt. Return: whether there was any; -ENODATA the end of the
 * file, which trace_pipe has where tracing is off; another errno.
 */
int probe_reader_drain(struct probe_reader *reader, int fd,
		       struct build_tracker *tracker);

/* The same of bytes that have been read already. */
void probe_reader_take(struct probe_reader *reader, const char *bytes, size_t count,
		       struct build_tracker *tracker);

enum probe_look {
	PROBE_LOOK_ALL,     /* each call that was counted has been read */
	PROBE_LOOK_PENDING, /* some are being written at this moment */
	PROBE_LOOK_HIDDEN,  /* some that were counted by the last look are not there */
};

/*
 * After all has been read: the kernel counts a call before anything may keep its event
 * from being written or read. What is counted and not yet written is of a function that
 * has not begun, and must be there at the next look.
 */
enum probe_look probe_reader_judge(struct probe_reader *reader,
				   const struct probe_counts *counts);

#endif
