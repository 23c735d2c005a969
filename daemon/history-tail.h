/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef HISTORY_TAIL_H
#define HISTORY_TAIL_H

#include "history-line.h"

/* Enough for the last two lines at their longest. */
#define HISTORY_TAIL_BYTES (3 * HISTORY_LINE_BYTES_MAX)

/*
 * The last line of @tail, which ends in a newline or is empty, checked against the line
 * before where that is in there and can be read. Pure.
 * Return: 1; 0 there is no line; as history_line_parse().
 */
int history_tail_parse(const char *tail, size_t bytes, struct history_record *ret,
		       struct tdxupd_digest *ret_chain);
/* What such a line is, "that makes no sense"; NULL where @error is not about the line. */
const char *history_tail_explain(int error);

#endif
