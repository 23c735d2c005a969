/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef HISTORY_READ_H
#define HISTORY_READ_H

#include "history-head.h"
#include "history-line.h"

#define HISTORY_COUNT_DEFAULT 100
#define HISTORY_COUNT_MAX     1000

/*
 * Which records.
 * @count: the last so many of those that fit, up to HISTORY_COUNT_MAX
 * @since_usec: CLOCK_REALTIME, 0 from the first
 * @job: 0 for any
 * @bytes: from the end that are looked at, UINT64_MAX for all
 * @head: the last line by another's word
 */
struct history_query {
	size_t count;
	uint64_t since_usec;
	uint64_t job;
	uint64_t bytes;
	struct history_head head;
};

/* What the head says of the end. */
enum history_end {
	HISTORY_END_UNKNOWN, /* there is no head, or its line is not among those read */
	HISTORY_END_AGREES,  /* the line that it is of is there */
	HISTORY_END_SHORT,   /* lines are missing */
	HISTORY_END_DIFFERS, /* another line is in its place */
	_HISTORY_END_MAX,
	_HISTORY_END_INVALID = -22,
};
const char *history_end_to_string(enum history_end end);

/*
 * What was found.
 * @records: oldest first
 * @left_out: older ones that fit, too
 * @lines: looked at
 * @is_whole: from the first line that is kept
 * @breaks: lines that can't be read or do not follow from the line before
 * @first_break: "history.jsonl.1:17", NULL without one
 * @first_sequence, @last_sequence: of the lines looked at that could be read; 0 for none
 */
struct history_excerpt {
	size_t count;
	struct history_record *records;
	uint64_t left_out;
	uint64_t lines;
	bool is_whole;
	uint64_t breaks;
	char *first_break;
	uint64_t first_sequence;
	uint64_t last_sequence;
	enum history_end end;
};

/*
 * Read the history below @root_fd, the files that were put aside by its size too, a
 * buffer at a time: what it takes does not depend on its size. No history is an empty
 * one. That each line follows from the one before says nothing of lines that are missing
 * at either end: @first_sequence and @end do. Return: 0; -EPERM it is not its reader's
 * alone; -EACCES; another errno.
 */
int history_read(int root_fd, const struct history_query *query,
		 struct history_excerpt *ret);
void history_excerpt_done(struct history_excerpt *excerpt);

#endif
