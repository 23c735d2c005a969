/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef HISTORY_H
#define HISTORY_H

#include "history-head.h"
#include "history-line.h"
#include "state-dir.h"

#define HISTORY_FILE "history.jsonl"

/*
 * @file_bytes: of one file; a few lines more where nobody waits for them to be on disk
 * @files: kept beside the one written to
 */
struct history_limits {
	uint64_t file_bytes;
	unsigned files;
};

struct history;

/*
 * Open the history below @root_fd, create it where there is none. Reads its end only, so
 * that a history of any size opens at once. A last line that is torn is added to
 * HISTORY_FILE.torn. A file whose last line makes no sense, comes from a newer release or
 * does not follow from the line before becomes HISTORY_FILE.damaged; as many as @limits
 * say are kept of those.
 *
 * @ret_note: what was found and done, for the journal; NULL where there was nothing to
 * say; free() it, also after an error
 *
 * Return: 0; -EPERM the directory or file belongs to somebody else, is writable by others
 * or is a symlink; another errno.
 */
int history_open(int root_fd, const struct history_limits *limits, struct history **ret,
		 char **ret_note);
struct history *history_free(struct history *history);
DEFINE_CLEANUP(struct history, history, history_free)

void history_set_limits(struct history *history, const struct history_limits *limits);
/* The last record as it was found; NULL where there was none that could be read. */
const struct history_record *history_get_last(const struct history *history);
/* The last line; @sequence is 0 where there is none. */
void history_get_head(const struct history *history, struct history_head *ret);
/* There was one, and nobody can tell what it said. */
bool history_is_end_lost(const struct history *history);

/*
 * Append. Its sequence is filled in here, its times are now. @is_durable: on disk when it
 * returns. Return: 0; -ENOSPC, -EROFS, -EIO ...: the file is as it was.
 */
int history_append(struct history *history, struct history_record *record,
		   bool is_durable);

/*
 * Make the next record ready, so that appending it is little more than a write. It is
 * void once anything else was appended. Return: 0 or an errno.
 */
int history_prepare(struct history *history, struct history_record *record);
/* Append what was made ready. Return: as history_append(); -ENODATA nothing is. */
int history_append_prepared(struct history *history);

#endif
