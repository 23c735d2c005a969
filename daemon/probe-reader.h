/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PROBE_READER_H
#define PROBE_READER_H

#include <stdbool.h>
#include <stddef.h>

#include "build-tracker.h"

/* Longer than any line of our probes. */
#define PROBE_LINE_BYTES 512

/* Cuts what trace_pipe gives into lines; a read may end within one. */
struct probe_reader {
	size_t used;
	bool is_overlong;
	char line[PROBE_LINE_BYTES];
};

/*
 * Read all there is at @fd, which does not block, into @tracker. A line that can't be
 * read is a doubt. Return: whether there was any; -ENODATA the end of the file, which
 * trace_pipe has where tracing is off; another errno.
 */
int probe_reader_drain(struct probe_reader *reader, int fd,
		       struct build_tracker *tracker);

#endif
