// SPDX-License-Identifier: LGPL-2.1-or-later
/* Any bytes as a line of the history; what was understood is written the same again. */
#include <errno.h>
#include <string.h>

#include "fuzz.h"
#include "history-line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct tdxupd_digest previous;
	struct history_record record = { 0 }, again = { 0 };
	struct tdxupd_digest chain;
	char *line = NULL, *same = NULL;
	size_t length;

	if (history_line_parse((const char *)data, size, NULL, &record, &chain) == 0) {
		/* It may be longer written out than it was with other blanks. */
		int rc = history_line_make(&record, &previous, &line, &chain);

		CHECK(rc == 0 || rc == -EFBIG);
		if (rc == 0) {
			length = strlen(line) - 1;
			CHECK(line[length] == '\n');
			CHECK(history_line_parse(line, length, &previous, &again,
						 &chain) == 0);
			CHECK(history_line_make(&again, &previous, &same, &chain) == 0);
			CHECK(strcmp(line, same) == 0);
		}
	}
	history_record_done(&record);
	history_record_done(&again);
	free(line);
	free(same);
	return 0;
}
