// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The history on disk: appended to, never rewritten. What a line says is in
 * history-line.c, what follows from the last one after a crash in recovery.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "clock.h"
#include "history-tail.h"
#include "history.h"
#include "state-dir.h"
#include "text.h"

#define NEW_FILE     HISTORY_FILE ".new"
#define TORN_FILE    HISTORY_FILE ".torn"
#define DAMAGED_FILE HISTORY_FILE ".damaged"

/* Of lines that were cut short; a power supply that keeps failing does not fill a disk.
 */
#define TORN_BYTES_MAX (4 * HISTORY_LINE_BYTES_MAX)

struct history {
	int dir_fd;
	int fd;
	uint64_t bytes;
	uint64_t sequence;
	struct tdxupd_digest chain;
	struct history_draft draft; /* of the next record, where its sequence is next */
	struct history_limits limits;
	bool is_end_lost;
	bool has_last;
	struct history_record last;
};

/* ---- the files ---- */

static int write_all(int fd, const char *bytes, size_t count)
{
	while (count) {
		ssize_t n = write(fd, bytes, count);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		bytes += n;
		count -= (size_t)n;
	}
	return 0;
}

static int rename_file(const struct history *history, const char *old, const char *new)
{
	if (renameat(history->dir_fd, old, history->dir_fd, new) < 0 && errno != ENOENT)
		return -errno;
	return 0;
}

/* @name becomes @name.1, that @name.2, and the last one goes. */
static int shift(const struct history *history, const char *name)
{
	char old[64], new[64];
	int r = 0;

	for (unsigned n = history->limits.files; r == 0 && n > 0; n--) {
		if (n > 1)
			snprintf(old, sizeof(old), "%s.%u", name, n - 1);
		else
			snprintf(old, sizeof(old), "%s", name);
		snprintf(new, sizeof(new), "%s.%u", name, n);
		r = rename_file(history, old, new);
	}
	return r;
}

static int open_file(struct history *history)
{
	int fd = openat(history->dir_fd, HISTORY_FILE,
			O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct stat st;
	int r;

	if (fd < 0)
		return errno == ELOOP ? -EPERM : -errno;
	r = state_dir_check(fd, S_IFREG);
	if (r == 0 && fstat(fd, &st) < 0)
		r = -errno;
	/* A new name in a directory is not on disk because its bytes are. */
	if (r == 0 && fsync(history->dir_fd) < 0 && errno != EROFS)
		r = -errno;
	if (r < 0) {
		close(fd);
		return r;
	}
	if (history->fd >= 0)
		close(history->fd);
	history->fd = fd;
	history->bytes = (uint64_t)st.st_size;
	return 0;
}

/* The other half of rotate(). */
static int finish_rotation(const struct history *history)
{
	if (faccessat(history->dir_fd, HISTORY_FILE, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return rename_file(history, NEW_FILE, HISTORY_FILE);
	(void)unlinkat(history->dir_fd, NEW_FILE, 0);
	return 0;
}

/*
 * The chain goes on in a new file, which has its first line before it takes the place of
 * the old one: whenever this is cut off, some file ends in the last line.
 */
static int rotate(struct history *history, const char *line)
{
	_cleanup_(cleanup_close)
	int fd = openat(history->dir_fd, NEW_FILE,
			O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return -errno;
	r = write_all(fd, line, strlen(line));
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r == 0)
		r = shift(history, HISTORY_FILE);
	if (r == 0)
		r = rename_file(history, NEW_FILE, HISTORY_FILE);
	return r < 0 ? r : open_file(history);
}

/* ---- the end of the file ---- */

/* Move what was half written out of the way: a crash is no reason to lose it. */
static int set_torn_aside(struct history *history, const char *torn, size_t bytes)
{
	_cleanup_(cleanup_close)
	int fd = openat(history->dir_fd, TORN_FILE,
			O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size > TORN_BYTES_MAX && ftruncate(fd, 0) < 0)
		return -errno;
	r = write_all(fd, torn, bytes);
	if (r == 0)
		r = write_all(fd, "\n", 1);
	if (r < 0)
		return r;
	if (ftruncate(history->fd, (off_t)(history->bytes - bytes)) < 0)
		return -errno;
	history->bytes -= bytes;
	return 0;
}

/* What was under way when it was written nobody can tell any more. */
static int set_file_aside(struct history *history)
{
	int r = shift(history, DAMAGED_FILE);

	if (r == 0)
		r = rename_file(history, HISTORY_FILE, DAMAGED_FILE);
	history->is_end_lost = true;
	return r < 0 ? r : open_file(history);
}

static int read_tail(const struct history *history, char **ret, size_t *ret_bytes)
{
	size_t bytes = history->bytes < HISTORY_TAIL_BYTES ? (size_t)history->bytes
							   : HISTORY_TAIL_BYTES;
	_cleanup_(cleanup_free)
	char *tail = malloc(bytes + 1);
	ssize_t n;

	if (!tail)
		return -ENOMEM;
	n = pread(history->fd, tail, bytes, (off_t)(history->bytes - bytes));
	if (n < 0)
		return -errno;
	if ((size_t)n != bytes)
		return -EIO;
	*ret = TAKE_PTR(tail);
	*ret_bytes = bytes;
	return 0;
}

static int take_last(struct history *history, const char *tail, size_t bytes)
{
	int r = history_tail_parse(tail, bytes, &history->last, &history->chain);

	if (r <= 0)
		return r;
	history->has_last = true;
	history->sequence = history->last.sequence;
	return 0;
}

static int read_end(struct history *history, char **ret_note)
{
	_cleanup_(cleanup_free)
	char *tail = NULL;
	const char *newline;
	size_t bytes = 0, whole;
	int r;

	r = read_tail(history, &tail, &bytes);
	if (r < 0)
		return r;
	newline = memrchr(tail, '\n', bytes);
	whole = newline ? (size_t)(newline - tail) + 1 : 0;
	if (whole < bytes && bytes - whole <= HISTORY_LINE_BYTES_MAX) {
		*ret_note = text_new("the last line of the history was cut short and is "
				     "now in /" STATE_DIR "/" TORN_FILE);
		r = set_torn_aside(history, tail + whole, bytes - whole);
		if (r < 0)
			return r;
		bytes = whole;
	}
	r = take_last(history, tail, bytes);
	if (!history_tail_explain(r))
		return r;
	free(*ret_note);
	*ret_note = text_new("the history ends in a line %s and is now in /" STATE_DIR
			     "/" DAMAGED_FILE,
			     history_tail_explain(r));
	return set_file_aside(history);
}

/* ---- appending ---- */

/* Written in one go or not at all, as far as that can be had. */
static int append_line(struct history *history, const char *line, bool is_durable)
{
	size_t bytes = strlen(line);
	int r;

	/* A rotation flushes; whoever can't wait for that may write beyond the limit. */
	if (is_durable && history->bytes &&
	    history->bytes + bytes > history->limits.file_bytes)
		return rotate(history, line);
	r = write_all(history->fd, line, bytes);
	if (r == 0 && is_durable && fdatasync(history->fd) < 0)
		r = -errno;
	if (r < 0) {
		(void)!ftruncate(history->fd, (off_t)history->bytes);
		return r;
	}
	history->bytes += bytes;
	return 0;
}

static int append_draft(struct history *history, struct history_draft *draft,
			bool is_durable)
{
	_cleanup_(cleanup_free)
	char *line = NULL;
	struct tdxupd_digest chain;
	int r;

	r = history_draft_finish(draft, clock_usec(CLOCK_MONOTONIC),
				 clock_usec(CLOCK_REALTIME), &line, &chain);
	if (r == 0)
		r = append_line(history, line, is_durable);
	if (r < 0)
		return r;
	history->sequence = draft->sequence;
	history->chain = chain;
	return 0;
}

int history_append(struct history *history, struct history_record *record,
		   bool is_durable)
{
	_cleanup_(history_draft_done)
	struct history_draft draft = { 0 };
	int r;

	record->sequence = history->sequence + 1;
	r = history_draft_make(record, &history->chain, &draft);
	return r < 0 ? r : append_draft(history, &draft, is_durable);
}

int history_prepare(struct history *history, struct history_record *record)
{
	history_draft_done(&history->draft);
	record->sequence = history->sequence + 1;
	return history_draft_make(record, &history->chain, &history->draft);
}

int history_append_prepared(struct history *history)
{
	_cleanup_(history_draft_done)
	struct history_draft draft = history->draft;

	history->draft = (struct history_draft){ 0 };
	if (draft.sequence != history->sequence + 1)
		return -ENODATA;
	return append_draft(history, &draft, false);
}

/* ---- the object ---- */

struct history *history_free(struct history *history)
{
	if (!history)
		return NULL;
	history_record_done(&history->last);
	history_draft_done(&history->draft);
	if (history->fd >= 0)
		close(history->fd);
	if (history->dir_fd >= 0)
		close(history->dir_fd);
	free(history);
	return NULL;
}

void history_set_limits(struct history *history, const struct history_limits *limits)
{
	history->limits = *limits;
}

const struct history_record *history_get_last(const struct history *history)
{
	return history->has_last ? &history->last : NULL;
}

void history_get_head(const struct history *history, struct history_head *ret)
{
	*ret = (struct history_head){ .sequence = history->sequence,
				      .chain = history->chain };
}

bool history_is_end_lost(const struct history *history)
{
	return history->is_end_lost;
}

int history_open(int root_fd, const struct history_limits *limits, struct history **ret,
		 char **ret_note)
{
	_cleanup_(cleanup_history)
	struct history *history = calloc(1, sizeof(*history));
	int r;

	if (!history)
		return -ENOMEM;
	history->fd = history->dir_fd = -1;
	history->limits = *limits;
	r = state_dir_open(root_fd, &history->dir_fd);
	if (r == 0)
		r = finish_rotation(history);
	if (r == 0)
		r = open_file(history);
	if (r == 0)
		r = read_end(history, ret_note);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(history);
	return 0;
}
