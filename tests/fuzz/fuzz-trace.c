// SPDX-License-Identifier: LGPL-2.1-or-later
/* Any text as a line of trace_pipe: its first part is whatever a task calls itself. */
#include <errno.h>
#include <string.h>

#include "fuzz.h"
#include "probe-line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct probe_event event = { 0 };
	char *line = malloc(size + 1);
	int rc;

	CHECK(line);
	if (size > 0)
		memcpy(line, data, size);
	line[size] = '\0';
	rc = probe_line_parse(line, &event);
	CHECK(rc == 0 || rc == -EBADMSG);
	if (rc == 0 && event.kind == PROBE_EVENT_CALL) {
		CHECK(probe_call_to_string(event.call));
		CHECK(memchr(event.task, '\0', sizeof(event.task)));
		for (const char *p = event.task; *p; p++)
			CHECK((unsigned char)*p >= 0x20 && *p != 0x7f);
	}
	free(line);
	return 0;
}
