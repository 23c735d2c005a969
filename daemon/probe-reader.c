// SPDX-License-Identifier: LGPL-2.1-or-later
/* From the bytes of trace_pipe to the events of a build tracker and of the canary. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "probe-reader.h"

/* trace_pipe hands out a page's worth or two at most. It goes on until that is full or
 * there is no more (kernel/trace/trace.c:tracing_read_pipe), so where another line would
 * have had room there was none, and nobody has to ask again. */
#define READ_BYTES      8192
#define FULL_READ_BYTES (4096 - PROBE_LINE_BYTES)

static void take_event(struct probe_reader *reader, const struct probe_event *event,
		       struct build_tracker *tracker)
{
	if (event->kind == PROBE_EVENT_LOST) {
		reader->has_lost = true;
	} else {
		reader->seen[event->call]++;
		probe_canary_take(&reader->canary, event);
	}
	build_tracker_take(tracker, event);
}

static void take_line(struct probe_reader *reader, struct build_tracker *tracker)
{
	struct probe_event event;

	reader->line[reader->used] = '\0';
	if (reader->is_overlong || strlen(reader->line) != reader->used ||
	    probe_line_parse(reader->line, &event) < 0)
		build_tracker_doubt(tracker, "an event of the probes could not be read");
	else
		take_event(reader, &event, tracker);
	reader->used = 0;
	reader->is_overlong = false;
}

void probe_reader_take(struct probe_reader *reader, const char *bytes, size_t count,
		       struct build_tracker *tracker)
{
	for (size_t i = 0; i < count; i++) {
		if (bytes[i] == '\n')
			take_line(reader, tracker);
		else if (reader->used < sizeof(reader->line) - 1)
			reader->line[reader->used++] = bytes[i];
		else
			reader->is_overlong = true;
	}
}

int probe_reader_drain(struct probe_reader *reader, int fd, struct build_tracker *tracker)
{
	char bytes[READ_BYTES];
	int any = 0;

	for (;;) {
		ssize_t n = read(fd, bytes, sizeof(bytes));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? any : -errno;
		if (n == 0)
			return -ENODATA;
		probe_reader_take(reader, bytes, (size_t)n, tracker);
		any = 1;
		if (n < FULL_READ_BYTES)
			return any;
	}
}

enum probe_look probe_reader_judge(struct probe_reader *reader,
				   const struct probe_counts *counts)
{
	bool is_hidden = false, has_all = true;

	for (unsigned i = 0; i < _PROBE_CALL_MAX; i++) {
		if (i == PROBE_CANARY || i == PROBE_CANARY_RETURN)
			continue;
		is_hidden |= !reader->has_lost && reader->seen[i] < reader->due[i];
		if (reader->has_lost || reader->seen[i] > counts->hits[i])
			reader->seen[i] = counts->hits[i];
		has_all &= reader->seen[i] == counts->hits[i];
		reader->due[i] = counts->hits[i];
	}
	reader->has_lost = false;
	return is_hidden ? PROBE_LOOK_HIDDEN
	       : has_all ? PROBE_LOOK_ALL
			 : PROBE_LOOK_PENDING;
}
