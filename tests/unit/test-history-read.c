// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"
#include "history-read.h"
#include "history.h"
#include "tree.h"

static const struct history_limits small = { .file_bytes = 1500, .files = 8 };

/* @count records of jobs 1, 2, 3, 1, 2 ... in several files. */
static void write_history(const struct tree *tree, unsigned count)
{
	struct history *history;
	char *note = NULL;

	assert_int_equal(history_open(tree->fd, &small, &history, &note), 0);
	assert_null(note);
	for (unsigned i = 0; i < count; i++) {
		struct history_record record = { .boot_id = (char[]){ "boot" },
						 .phase = (char[]){ "waiting" },
						 .job = i % 3 + 1 };

		assert_int_equal(history_append(history, &record, true), 0);
	}
	history_free(history);
}

static const struct history_limits large = { .file_bytes = 1 << 20, .files = 8 };

static void write_some(const struct tree *tree, unsigned count)
{
	struct history_record record = { .boot_id = (char[]){ "boot" },
					 .phase = (char[]){ "waiting" } };
	struct history *history;
	char *note = NULL;

	assert_int_equal(history_open(tree->fd, &large, &history, &note), 0);
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(history_append(history, &record, true), 0);
	history_free(history);
}

static void read_history(const struct tree *tree, const struct history_query *query,
			 struct history_excerpt *ret)
{
	assert_int_equal(history_read(tree->fd, query, ret), 0);
}

static int open_at(const struct tree *tree, const char *name, int flags)
{
	char path[128];

	snprintf(path, sizeof(path), STATE_DIR "/%s", name);
	return openat(tree->fd, path, flags | O_CLOEXEC, 0600);
}

static void test_the_last_records_of_all_files(void **state)
{
	const struct history_query query = { .count = 10, .bytes = UINT64_MAX };
	struct history_excerpt excerpt;
	struct tree tree;

	(void)state;
	tree_new(&tree);
	write_history(&tree, 25);
	assert_true(open_at(&tree, HISTORY_FILE ".4", O_RDONLY) >= 0);
	read_history(&tree, &query, &excerpt);
	assert_int_equal(excerpt.count, 10);
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(excerpt.records[i].sequence, 16 + i);
	assert_int_equal(excerpt.left_out, 15);
	assert_int_equal(excerpt.lines, 25);
	assert_true(excerpt.is_whole);
	assert_int_equal(excerpt.breaks, 0);
	history_excerpt_done(&excerpt);
	tree_remove(&tree);
}

static void test_filters(void **state)
{
	struct history_query query = { .count = 100, .bytes = UINT64_MAX, .job = 2 };
	struct history_excerpt excerpt;
	struct tree tree;
	uint64_t since;

	(void)state;
	tree_new(&tree);
	write_history(&tree, 12);
	read_history(&tree, &query, &excerpt);
	assert_int_equal(excerpt.count, 4);
	assert_int_equal(excerpt.records[3].sequence, 11);
	since = excerpt.records[2].realtime_usec;
	history_excerpt_done(&excerpt);

	query = (struct history_query){ .count = 100,
					.bytes = UINT64_MAX,
					.since_usec = since };
	read_history(&tree, &query, &excerpt);
	assert_int_equal(excerpt.count, 5);
	assert_int_equal(excerpt.records[0].sequence, 8);
	assert_int_equal(excerpt.lines, 12);
	history_excerpt_done(&excerpt);

	query.job = 77;
	read_history(&tree, &query, &excerpt);
	assert_int_equal(excerpt.count, 0);
	history_excerpt_done(&excerpt);

	query.count = 0;
	assert_int_equal(history_read(tree.fd, &query, &excerpt), -EINVAL);
	query.count = HISTORY_COUNT_MAX + 1;
	assert_int_equal(history_read(tree.fd, &query, &excerpt), -EINVAL);
	tree_remove(&tree);
}

/* Whoever may not take long looks at the end only, and says so. */
static void test_a_part_of_it(void **state)
{
	struct history_query query = { .count = 100 };
	struct history_excerpt excerpt;
	struct tree tree;

	(void)state;
	tree_new(&tree);
	write_history(&tree, 25);
	for (query.bytes = 0; query.bytes < 4000; query.bytes += 97) {
		read_history(&tree, &query, &excerpt);
		assert_false(excerpt.is_whole);
		assert_int_equal(excerpt.breaks, 0);
		assert_true(excerpt.lines * 200 < query.bytes + 200);
		if (excerpt.count)
			assert_int_equal(excerpt.records[excerpt.count - 1].sequence, 25);
		history_excerpt_done(&excerpt);
	}
	tree_remove(&tree);
}

static void test_none(void **state)
{
	const struct history_query query = { .count = 10, .bytes = UINT64_MAX };
	struct history_excerpt excerpt;
	struct tree tree;

	(void)state;
	tree_new(&tree);
	read_history(&tree, &query, &excerpt);
	assert_int_equal(excerpt.count, 0);
	assert_int_equal(excerpt.lines, 0);
	assert_true(excerpt.is_whole);
	history_excerpt_done(&excerpt);
	assert_int_equal(faccessat(tree.fd, "var", F_OK, 0), -1);
	tree_remove(&tree);
}

/* ---- what was done to it ---- */

/* The 5th line of @name is replaced; NULL takes it out. */
static void edit(const struct tree *tree, const char *name, const char *line)
{
	_cleanup_(cleanup_free)
	char *bytes = calloc(1, 8192);
	int fd = open_at(tree, name, O_RDWR);
	char *begin, *end;
	ssize_t n = read(fd, bytes, 8191);

	assert_true(n > 0);
	begin = strchr(bytes, '\n') + 1;
	end = strchr(begin, '\n') + 1;
	assert_int_equal(ftruncate(fd, begin - bytes), 0);
	lseek(fd, 0, SEEK_END);
	if (line)
		assert_true(write(fd, line, strlen(line)) > 0);
	assert_true(write(fd, end, strlen(end)) > 0);
	close(fd);
}

static void assert_broken(const char *name, const char *line, uint64_t breaks,
			  const char *first)
{
	const struct history_query query = { .count = 100, .bytes = UINT64_MAX };
	struct history_excerpt excerpt;
	struct tree tree;

	tree_new(&tree);
	write_history(&tree, 20);
	edit(&tree, name, line);
	read_history(&tree, &query, &excerpt);
	assert_int_equal(excerpt.breaks, breaks);
	assert_string_equal(excerpt.first_break, first);
	/* The others are still worth reading. */
	assert_int_equal(excerpt.count, 19);
	history_excerpt_done(&excerpt);
	tree_remove(&tree);
}

static void test_edits_show(void **state)
{
	_cleanup_(cleanup_free)
	char *big = calloc(1, 200000);

	(void)state;
	assert_broken(HISTORY_FILE ".1", NULL, 1, "history.jsonl.1:2");
	assert_broken(HISTORY_FILE ".2", "\n", 1, "history.jsonl.2:2");
	assert_broken(HISTORY_FILE ".2", "{}\n", 1, "history.jsonl.2:2");
	assert_broken(HISTORY_FILE ".1", "one\ntwo\n", 2, "history.jsonl.1:2");
	memset(big, 'x', 199998);
	big[199998] = '\n';
	assert_broken(HISTORY_FILE ".1", big, 1, "history.jsonl.1:2");
}

/* A whole file that is gone shows where it was. */
static void test_a_file_that_is_gone(void **state)
{
	const struct history_query query = { .count = 100, .bytes = UINT64_MAX };
	struct history_excerpt excerpt;
	struct tree tree;

	(void)state;
	tree_new(&tree);
	write_history(&tree, 20);
	assert_int_equal(unlinkat(tree.fd, STATE_DIR "/" HISTORY_FILE ".1", 0), 0);
	read_history(&tree, &query, &excerpt);
	assert_int_equal(excerpt.breaks, 1);
	assert_string_equal(excerpt.first_break, "history.jsonl:1");
	history_excerpt_done(&excerpt);
	tree_remove(&tree);
}

/* The line that is being written, or was when the power went. */
static void test_a_torn_line_is_none(void **state)
{
	const struct history_query query = { .count = 100, .bytes = UINT64_MAX };
	struct history_excerpt excerpt;
	struct tree tree;
	int fd;

	(void)state;
	tree_new(&tree);
	write_history(&tree, 3);
	fd = open_at(&tree, HISTORY_FILE, O_WRONLY | O_APPEND);
	assert_int_equal(write(fd, "{\"v\":1,", 7), 7);
	close(fd);
	read_history(&tree, &query, &excerpt);
	assert_int_equal(excerpt.lines, 3);
	assert_int_equal(excerpt.breaks, 0);
	history_excerpt_done(&excerpt);
	tree_remove(&tree);
}

static void test_files_of_others(void **state)
{
	const struct history_query query = { .count = 100, .bytes = UINT64_MAX };
	struct history_excerpt excerpt;
	struct tree tree;

	(void)state;
	tree_new(&tree);
	write_history(&tree, 20);
	assert_int_equal(fchmodat(tree.fd, STATE_DIR "/" HISTORY_FILE ".2", 0666, 0), 0);
	assert_int_equal(history_read(tree.fd, &query, &excerpt), -EPERM);
	assert_int_equal(unlinkat(tree.fd, STATE_DIR "/" HISTORY_FILE ".2", 0), 0);
	assert_int_equal(
		symlinkat("/etc/passwd", tree.fd, STATE_DIR "/" HISTORY_FILE ".2"), 0);
	assert_int_equal(history_read(tree.fd, &query, &excerpt), -EPERM);
	tree_remove(&tree);
}

static long get_peak_kib(void)
{
	struct rusage usage;

	assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
	return usage.ru_maxrss;
}

/* A gibibyte without a newline. */
static void test_what_it_takes_does_not_grow(void **state)
{
	const struct history_query query = { .count = 100, .bytes = UINT64_MAX };
	struct history_excerpt excerpt;
	struct tree tree;
	long peak;
	int fd;

	(void)state;
	tree_new(&tree);
	write_history(&tree, 20);
	fd = open_at(&tree, HISTORY_FILE ".1", O_WRONLY);
	assert_int_equal(ftruncate(fd, 1 << 30), 0);
	close(fd);
	peak = get_peak_kib();
	read_history(&tree, &query, &excerpt);
	assert_true(get_peak_kib() - peak < 16 * 1024);
	assert_true(excerpt.breaks >= 1);
	assert_non_null(strstr(excerpt.first_break, "history.jsonl.1:"));
	history_excerpt_done(&excerpt);
	tree_remove(&tree);
}

/* What the chain can't tell: whether lines were taken off an end. */
static void test_what_another_knows_of_the_end(void **state)
{
	static const struct {
		uint64_t head;
		bool is_other;
		off_t cut; /* lines off the end */
		enum history_end end;
	} table[] = {
		{ 0, false, 0, HISTORY_END_UNKNOWN },
		{ 6, false, 0, HISTORY_END_AGREES },
		/* Told before the last one was written. */
		{ 5, false, 0, HISTORY_END_AGREES },
		{ 6, true, 0, HISTORY_END_DIFFERS },
		{ 6, false, 1, HISTORY_END_SHORT },
		{ 6, false, 6, HISTORY_END_SHORT },
		{ 5, false, 1, HISTORY_END_AGREES },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct history_query query = { .count = 10, .bytes = UINT64_MAX };
		struct history_excerpt excerpt;
		struct history *history;
		struct history_head heads[7] = { 0 };
		struct tree tree;
		char *note = NULL;
		off_t sizes[7] = { 0 };
		int fd;

		tree_new(&tree);
		for (unsigned line = 1; line <= 6; line++) {
			write_some(&tree, 1);
			assert_int_equal(history_open(tree.fd, &large, &history, &note),
					 0);
			history_get_head(history, &heads[line]);
			assert_int_equal(heads[line].sequence, line);
			history_free(history);
			fd = open_at(&tree, HISTORY_FILE, O_RDWR);
			sizes[line] = lseek(fd, 0, SEEK_END);
			close(fd);
		}
		fd = open_at(&tree, HISTORY_FILE, O_RDWR);
		assert_int_equal(ftruncate(fd, sizes[6 - table[i].cut]), 0);
		close(fd);
		query.head = heads[table[i].head];
		query.head.chain.bytes[0] ^= table[i].is_other;
		read_history(&tree, &query, &excerpt);
		assert_int_equal(excerpt.breaks, 0);
		assert_int_equal(excerpt.end, table[i].end);
		assert_int_equal(excerpt.last_sequence, 6 - table[i].cut);
		assert_int_equal(excerpt.first_sequence, table[i].cut < 6);
		history_excerpt_done(&excerpt);
		tree_remove(&tree);
	}
}

/* The oldest file is gone, by its age or by hand: it says from which line on. */
static void test_what_it_begins_with(void **state)
{
	const struct history_query query = { .count = 10, .bytes = UINT64_MAX };
	struct history_excerpt excerpt;
	struct tree tree;

	(void)state;
	tree_new(&tree);
	write_history(&tree, 25);
	for (unsigned number = 8; number > 0; number--) {
		char name[64];

		snprintf(name, sizeof(name), STATE_DIR "/" HISTORY_FILE ".%u", number);
		if (unlinkat(tree.fd, name, 0) == 0)
			break;
	}
	read_history(&tree, &query, &excerpt);
	assert_int_equal(excerpt.breaks, 0);
	assert_true(excerpt.first_sequence > 1);
	assert_int_equal(excerpt.last_sequence, 25);
	history_excerpt_done(&excerpt);
	tree_remove(&tree);
}

static void test_a_head_is_read_with_care(void **state)
{
	static const char *const sequences[] = {
		"", "0", "-1", "+1", " 1", "1 ", "1x", "18446744073709551616"
	};
	char chain[TDXUPD_DIGEST_TEXT_BYTES];
	struct history_head head;

	(void)state;
	memset(chain, 'a', sizeof(chain) - 1);
	chain[sizeof(chain) - 1] = '\0';
	for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++)
		assert_int_equal(history_head_parse(sequences[i], chain, &head),
				 -EBADMSG);
	assert_int_equal(history_head_parse("17", chain, &head), 0);
	assert_int_equal(head.sequence, 17);
	assert_int_equal(history_head_parse("17", chain + 1, &head), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_last_records_of_all_files),
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_a_part_of_it),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_edits_show),
		cmocka_unit_test(test_a_file_that_is_gone),
		cmocka_unit_test(test_a_torn_line_is_none),
		cmocka_unit_test(test_files_of_others),
		cmocka_unit_test(test_what_it_takes_does_not_grow),
		cmocka_unit_test(test_what_another_knows_of_the_end),
		cmocka_unit_test(test_what_it_begins_with),
		cmocka_unit_test(test_a_head_is_read_with_care),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
