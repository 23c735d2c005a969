/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef HISTORY_LINE_H
#define HISTORY_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tdxupd.h"
#include "util.h"

/* Far above what a record with every text at its longest needs. */
#define HISTORY_LINE_BYTES_MAX (16 * 1024)
#define HISTORY_TEXT_BYTES_MAX 1024

/*
 * One line of the history.
 * @sequence: counts all lines ever written; clocks may go back, this does not
 * @job: the one it belongs to, or the last before, so that no id is used twice
 * @phase: a job's state, or "started", "external", "recovered", "held", "unheld"
 * @module, @remaining: what ran and how many updates were left when this was written
 * @step_to: the hop under way; @to the job's aim
 * @path, @mrseam: of the image under way
 * All texts may be NULL and are owned by the record.
 */
struct history_record {
	uint64_t sequence;
	uint64_t monotonic_usec;
	uint64_t realtime_usec;
	uint64_t job;
	uint64_t attempt;
	bool has_remaining;
	uint64_t remaining;
	char *boot_id;
	char *phase;
	char *from;
	char *to;
	char *step_to;
	char *plan_id;
	char *module;
	char *path;
	char *mrseam;
	char *outcome;
	char *reason;
	char *detail;
	char *caller;
};

void history_record_done(struct history_record *record);

struct digest_state;

/*
 * All of a record's line but its times and its chain: the slow part, for whoever will be
 * in a hurry. Nothing of the record is borrowed.
 */
struct history_draft {
	uint64_t sequence;
	char *head;
	char *tail;
	struct digest_state *chain; /* of all before the times */
};

/* Return: 0; -ENOMEM; -EFBIG. */
int history_draft_make(const struct history_record *record,
		       const struct tdxupd_digest *previous, struct history_draft *ret);
void history_draft_done(struct history_draft *draft);
/* The line itself, as history_line_make() makes it; once. */
int history_draft_finish(struct history_draft *draft, uint64_t monotonic_usec,
			 uint64_t realtime_usec, char **ret,
			 struct tdxupd_digest *ret_chain);

/*
 * A record as one line of JSON that ends in a newline and in "chain": the SHA-384 of
 * @previous and of all that stands before it, so that a line that was changed, removed or
 * put in shows in every line after it.
 *
 * Return: 0; -ENOMEM; -EFBIG more than HISTORY_LINE_BYTES_MAX.
 */
int history_line_make(const struct history_record *record,
		      const struct tdxupd_digest *previous, char **ret,
		      struct tdxupd_digest *ret_chain);
/*
 * The reverse. @line: @bytes without the newline. @previous: NULL to believe the chain.
 * Return: 0; -EBADMSG no such line; -EBADE it does not follow @previous; -EPROTO written
 * by a newer release; -ENOMEM.
 */
int history_line_parse(const char *line, size_t bytes,
		       const struct tdxupd_digest *previous, struct history_record *ret,
		       struct tdxupd_digest *ret_chain);

#endif
