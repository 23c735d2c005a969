/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PROBE_READER_H
#define PROBE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "build-tracker.h"
#include "probe-canary.h"

/* Longer than any line of our probes. */
#define PROBE_LINE_BYTES 512

/*
 * Cuts what trace_pipe gives into lines; a read may end within one.
 * @seen: events read, by call
 * @has_lost: the kernel dropped some since the last time that this was cleared
 */
struct probe_reader {
	size_t used;
	bool is_overlong;
	bool has_lost;
	uint64_t seen[_PROBE_CALL_MAX];
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

#endif
