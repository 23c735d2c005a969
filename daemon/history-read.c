// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The history for whoever wants to see it, and whether it is as it was written: each line
 * is held against the one before, through all files that are kept.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "history-read.h"
#include "history.h"
#include "text.h"

/* HistoryFiles= goes up to 99. */
#define FILES_MAX 100

#define BUFFER_BYTES (4 * HISTORY_LINE_BYTES_MAX)

/* @number: 0 for the one that is written to. @skip: bytes that are not looked at. */
struct file {
	int fd;
	unsigned number;
	uint64_t inode;
	uint64_t bytes;
	uint64_t skip;
};

/* @files: newest first. @oldest: where in @ret->records the ring begins. */
struct reading {
	const struct history_query *query;
	struct history_excerpt *ret;
	size_t file_count;
	struct file files[FILES_MAX];
	char *buffer;
	bool has_chain;
	struct tdxupd_digest chain;
	size_t oldest;
};

static void reading_done(struct reading *reading)
{
	for (size_t i = 0; i < reading->file_count; i++)
		close(reading->files[i].fd);
	free(reading->buffer);
}

static char *name_of(unsigned number, char *ret, size_t size)
{
	if (number)
		snprintf(ret, size, HISTORY_FILE ".%u", number);
	else
		snprintf(ret, size, HISTORY_FILE);
	return ret;
}

/* ---- the files ---- */

/* Put aside while we were on our way to it: we have it open by its name before. */
static bool is_open(const struct reading *reading, const struct stat *st)
{
	for (size_t i = 0; i < reading->file_count; i++)
		if (reading->files[i].inode == st->st_ino)
			return true;
	return false;
}

/* Return: 0, also where there is none of that number. */
static int open_file(struct reading *reading, int dir_fd, unsigned number)
{
	struct file *file = &reading->files[reading->file_count];
	char name[64];
	struct stat st;
	int r, fd = openat(dir_fd, name_of(number, name, sizeof(name)),
			   O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 0 : errno == ELOOP ? -EPERM : -errno;
	r = state_dir_check(fd, S_IFREG);
	if (r == 0 && fstat(fd, &st) < 0)
		r = -errno;
	if (r < 0 || is_open(reading, &st)) {
		close(fd);
		return r;
	}
	*file = (struct file){ .fd = fd,
			       .number = number,
			       .inode = st.st_ino,
			       .bytes = (uint64_t)st.st_size };
	reading->file_count++;
	return 0;
}

static int open_files(struct reading *reading, int root_fd)
{
	_cleanup_(cleanup_close)
	int dir_fd = -1;
	int r = state_dir_find(root_fd, &dir_fd);

	for (unsigned number = 0; r == 0 && number < FILES_MAX; number++)
		r = open_file(reading, dir_fd, number);
	return r == -ENOENT ? 0 : r;
}

/* As much of the end as the query wants. */
static void set_skips(struct reading *reading)
{
	uint64_t left = reading->query->bytes;

	reading->ret->is_whole = true;
	for (size_t i = 0; i < reading->file_count; i++) {
		struct file *file = &reading->files[i];

		file->skip = file->bytes > left ? file->bytes - left : 0;
		left -= file->bytes - file->skip;
		reading->ret->is_whole = reading->ret->is_whole && !file->skip;
	}
}

/* ---- records ---- */

static void put_record(struct reading *reading, struct history_record *record)
{
	struct history_excerpt *ret = reading->ret;
	size_t at = ret->count;

	if (at == reading->query->count) {
		at = reading->oldest;
		reading->oldest = (at + 1) % ret->count;
		history_record_done(&ret->records[at]);
		ret->left_out++;
	} else {
		ret->count++;
	}
	ret->records[at] = *record;
	*record = (struct history_record){ 0 };
}

static void take_record(struct reading *reading, struct history_record *record)
{
	const struct history_query *query = reading->query;

	if (record->realtime_usec >= query->since_usec &&
	    (!query->job || record->job == query->job))
		put_record(reading, record);
	history_record_done(record);
}

/* The ring becomes a list. */
static int straighten(struct reading *reading)
{
	struct history_excerpt *ret = reading->ret;
	size_t oldest = reading->oldest;
	struct history_record *list = calloc(ret->count + 1, sizeof(*list));

	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < ret->count; i++)
		list[i] = ret->records[(oldest + i) % ret->count];
	free(ret->records);
	ret->records = list;
	return 0;
}

/* ---- lines ---- */

static int note_break(struct reading *reading, const struct file *file, uint64_t line)
{
	char name[64];

	if (reading->ret->breaks++)
		return 0;
	reading->ret->first_break = text_new(
		"%s:%ju", name_of(file->number, name, sizeof(name)), (uintmax_t)line);
	return reading->ret->first_break ? 0 : -ENOMEM;
}

static const char *const ends[] = {
	[HISTORY_END_UNKNOWN] = "unknown",
	[HISTORY_END_AGREES] = "agrees",
	[HISTORY_END_SHORT] = "short",
	[HISTORY_END_DIFFERS] = "differs",
};
STRING_TABLE_TO(history_end, enum history_end, ends)

static void note_sequence(struct reading *reading, const struct history_record *record)
{
	const struct history_head *head = &reading->query->head;
	struct history_excerpt *ret = reading->ret;

	if (!ret->first_sequence)
		ret->first_sequence = record->sequence;
	ret->last_sequence = record->sequence;
	if (head->sequence && record->sequence == head->sequence)
		ret->end = tdxupd_digest_is_equal(&reading->chain, &head->chain)
				   ? HISTORY_END_AGREES
				   : HISTORY_END_DIFFERS;
}

static void judge_end(const struct history_query *query, struct history_excerpt *ret)
{
	if (ret->end == HISTORY_END_UNKNOWN && query->head.sequence > ret->last_sequence)
		ret->end = HISTORY_END_SHORT;
}

/* A line that does not follow is a break, and the next is held against it. */
static int take_line(struct reading *reading, const struct file *file, uint64_t number,
		     const char *line, size_t bytes)
{
	struct history_record record = { 0 };
	struct tdxupd_digest *previous = reading->has_chain ? &reading->chain : NULL;
	int r, broken = 0;

	reading->ret->lines++;
	r = history_line_parse(line, bytes, previous, &record, &reading->chain);
	if (r == -EBADE) {
		broken = note_break(reading, file, number);
		r = history_line_parse(line, bytes, NULL, &record, &reading->chain);
	}
	reading->has_chain = r == 0;
	if (r == 0) {
		note_sequence(reading, &record);
		take_record(reading, &record);
	} else if (r != -ENOMEM)
		r = note_break(reading, file, number);
	return r < 0 ? r : broken;
}

/*
 * Read @file to its end. What is longer than a line may be is one line that makes no
 * sense; what has no newline is not written yet, or was cut short by a crash.
 */
static int take_file(struct reading *reading, const struct file *file)
{
	bool is_inside = file->skip; /* of a line whose beginning is not seen */
	uint64_t number = 0;
	off_t offset = (off_t)file->skip;
	size_t used = 0;
	ssize_t n;
	int r = 0;

	while (r == 0 && (n = pread(file->fd, reading->buffer + used, BUFFER_BYTES - used,
				    offset)) > 0) {
		char *line = reading->buffer, *end;

		offset += n;
		used += (size_t)n;
		while (r == 0 && (end = memchr(line, '\n', used))) {
			number++;
			if (!is_inside)
				r = take_line(reading, file, number, line,
					      (size_t)(end - line));
			is_inside = false;
			used -= (size_t)(end + 1 - line);
			line = end + 1;
		}
		if (r == 0 && used > HISTORY_LINE_BYTES_MAX && !is_inside) {
			is_inside = true;
			reading->has_chain = false;
			reading->ret->lines++;
			r = note_break(reading, file, number + 1);
		}
		used = is_inside ? 0 : used;
		memmove(reading->buffer, line, used);
	}
	return r == 0 && n < 0 ? -errno : r;
}

/* ---- the whole ---- */

void history_excerpt_done(struct history_excerpt *excerpt)
{
	for (size_t i = 0; i < excerpt->count; i++)
		history_record_done(&excerpt->records[i]);
	free(excerpt->records);
	free(excerpt->first_break);
	*excerpt = (struct history_excerpt){ 0 };
}

static int read_all(struct reading *reading, int root_fd)
{
	int r;

	reading->buffer = malloc(BUFFER_BYTES);
	reading->ret->records =
		calloc(reading->query->count, sizeof(*reading->ret->records));
	if (!reading->buffer || !reading->ret->records)
		return -ENOMEM;
	r = open_files(reading, root_fd);
	if (r < 0)
		return r;
	set_skips(reading);
	for (size_t i = reading->file_count; r == 0 && i-- > 0;)
		r = take_file(reading, &reading->files[i]);
	judge_end(reading->query, reading->ret);
	return r < 0 ? r : straighten(reading);
}

int history_read(int root_fd, const struct history_query *query,
		 struct history_excerpt *ret)
{
	_cleanup_(history_excerpt_done)
	struct history_excerpt excerpt = { 0 };
	_cleanup_(reading_done)
	struct reading reading = { .query = query, .ret = &excerpt };
	int r;

	if (query->count < 1 || query->count > HISTORY_COUNT_MAX)
		return -EINVAL;
	r = read_all(&reading, root_fd);
	if (r < 0)
		return r;
	*ret = excerpt;
	excerpt = (struct history_excerpt){ 0 };
	return 0;
}
