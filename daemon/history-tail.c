// SPDX-License-Identifier: LGPL-2.1-or-later
/* The last line of a history, from the bytes at its end. Pure: files are history.c's. */
#include <errno.h>
#include <string.h>

#include "history-tail.h"

/* Takes the last line off @tail, of which @bytes are left; NULL where there is none. */
static const char *cut_last_line(const char *tail, size_t *bytes, size_t *ret_bytes)
{
	const char *start;

	if (!*bytes)
		return NULL;
	start = memrchr(tail, '\n', *bytes - 1);
	start = start ? start + 1 : tail;
	*ret_bytes = *bytes - (size_t)(start - tail) - 1;
	*bytes = (size_t)(start - tail);
	return start;
}

/* The line before the last one; where it can't be read, the last one is believed. */
static const struct tdxupd_digest *read_previous(const char *tail, size_t bytes,
						 struct tdxupd_digest *ret)
{
	_cleanup_(history_record_done)
	struct history_record record = { 0 };
	size_t line_bytes;
	const char *line = cut_last_line(tail, &bytes, &line_bytes);

	if (!line || history_line_parse(line, line_bytes, NULL, &record, ret) < 0)
		return NULL;
	return ret;
}

int history_tail_parse(const char *tail, size_t bytes, struct history_record *ret,
		       struct tdxupd_digest *ret_chain)
{
	struct tdxupd_digest previous;
	size_t line_bytes;
	const char *line = cut_last_line(tail, &bytes, &line_bytes);
	int r;

	if (!line)
		return 0;
	r = history_line_parse(line, line_bytes, read_previous(tail, bytes, &previous),
			       ret, ret_chain);
	return r < 0 ? r : 1;
}

const char *history_tail_explain(int error)
{
	switch (error) {
	case -EBADMSG:
		return "that makes no sense";
	case -EPROTO:
		return "of a newer release";
	case -EBADE:
		return "that does not follow from the one before it";
	default:
		return NULL;
	}
}
