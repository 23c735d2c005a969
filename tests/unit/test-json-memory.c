// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Each allocation of reading and writing the daemon's own JSON fails in its turn,
 * json-c's included, which says little of it: what comes out is whole, or an error that
 * says why.
 */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <json-c/json.h>

#include "test.h"
#include "failing.h"
#include "history-line.h"
#include "holds.h"
#include "json.h"
#include "last-update.h"
#include "state-dir.h"
#include "tree.h"
#include "util.h"

#define HOLDS 24

/* The @nth allocation of @code fails; 0 counts them. */
#define FAILING(nth, count, code)                    \
	do {                                         \
		failing_arm(FAILING_MEMORY, nth, 1); \
		code;                                \
		(count) = failing_disarm();          \
	} while (0)

/* Told by a child: it crashed in json-c. */
#define CRASHED_ELSEWHERE 77

/* The first frame that is not the C library's says whose crash it is. */
static void on_crash(int number)
{
	void *frames[32];
	int count = backtrace(frames, 32);
	Dl_info info = { 0 };

	failing_disarm();
	for (int i = 2; i < count; i++)
		if (dladdr(frames[i], &info) && info.dli_fname &&
		    !strstr(info.dli_fname, "/libc.so"))
			break;
	if (info.dli_fname && strstr(info.dli_fname, "libjson-c"))
		_exit(CRASHED_ELSEWHERE);
	backtrace_symbols_fd(frames, count, STDERR_FILENO);
	_exit(128 + number);
}

/*
 * @check(@nth) for each allocation, in a child: @nth fails, or none for 0. Returns how
 * many there were, or fails the test there.
 */
static void for_each(unsigned long (*check)(unsigned long nth, void *userdata),
		     void *userdata)
{
	unsigned long all = check(0, userdata), elsewhere = 0;

	(void)backtrace((void *[1]){ NULL }, 1);
	for (unsigned long nth = 1; nth <= all; nth++) {
		pid_t pid = fork();
		int status;

		assert_int_not_equal(pid, -1);
		if (pid == 0) {
			(void)signal(SIGSEGV, on_crash);
			(void)signal(SIGABRT, on_crash);
			check(nth, userdata);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status) && WEXITSTATUS(status) == CRASHED_ELSEWHERE)
			elsewhere++;
		else if (status)
			fail_msg("allocation %lu of %lu: see above", nth, all);
	}
	print_message("%lu allocations; json-c crashed at %lu\n", all, elsewhere);
}

static void must(bool is_true, unsigned long nth, int r, const char *what)
{
	if (is_true)
		return;
	failing_disarm();
	fprintf(stderr, "allocation %lu: %d, %s\n", nth, r, what);
	_exit(1);
}

static void make_holds(struct holds *holds)
{
	char what[32], reason[300];
	struct pin pin = { .version = { 1, 5, 6 },
			   .reason = reason,
			   .by = (char *)"alice (uid 1000)" };

	memset(reason, '"', sizeof(reason));
	reason[sizeof(reason) - 1] = '\0';
	for (unsigned i = 0; i < HOLDS; i++) {
		struct hold hold = { .what = what,
				     .reason = reason,
				     .by = (char *)"bob (uid 1001)",
				     .since_usec = 1700000000000000 + i,
				     .until_usec = UINT64_MAX };

		snprintf(what, sizeof(what), "1.5.%02u", i + 10);
		assert_int_equal(holds_add(holds, &hold), 0);
	}
	assert_int_equal(holds_pin(holds, &pin), 0);
}

static bool is_whole(const struct holds *holds, const struct holds *wanted)
{
	bool is_same = holds->count == wanted->count && holds->pin.is_set &&
		       strcmp(holds->pin.reason, wanted->pin.reason) == 0;

	for (size_t i = 0; is_same && i < wanted->count; i++)
		is_same = strcmp(holds->items[i].what, wanted->items[i].what) == 0 &&
			  strcmp(holds->items[i].reason, wanted->items[i].reason) == 0 &&
			  holds->items[i].since_usec == wanted->items[i].since_usec;
	return is_same;
}

/* What a hold forbade is never forgotten, and no memory is no damaged file. */
static unsigned long read_holds(unsigned long nth, void *userdata)
{
	const struct tree *tree = userdata;
	struct holds holds = { 0 }, wanted = { 0 };
	unsigned long seen;
	char *note = NULL;
	int r;

	make_holds(&wanted);
	FAILING(nth, seen, r = holds_load(tree->fd, &holds, &note));
	must(r == -ENOMEM || (r == 0 && !note && is_whole(&holds, &wanted)), nth, r,
	     note ? note : "something is missing");
	free(note);
	holds_done(&holds);
	holds_done(&wanted);
	return seen;
}

static void test_holds_are_read(void **state)
{
	struct holds holds = { 0 };
	struct tree tree;

	(void)state;
	tree_new(&tree);
	make_holds(&holds);
	assert_int_equal(holds_save(tree.fd, &holds), 0);
	for_each(read_holds, &tree);
	holds_done(&holds);
	tree_remove(&tree);
}

/* All of it or the file as it was, which is none. */
static unsigned long write_holds(unsigned long nth, void *userdata)
{
	struct tree *tree = userdata;
	struct holds holds = { 0 }, wanted = { 0 };
	unsigned long seen;
	char *note = NULL;
	int r;

	make_holds(&wanted);
	FAILING(nth, seen, r = holds_save(tree->fd, &wanted));
	must(holds_load(tree->fd, &holds, &note) == 0 && !note, nth, r, "can't be read");
	must(r == 0 ? is_whole(&holds, &wanted) : holds.count == 0, nth, r, "in part");
	(void)unlinkat(tree->fd, STATE_DIR "/" HOLDS_FILE, 0);
	holds_done(&holds);
	holds_done(&wanted);
	return seen;
}

static void test_holds_are_written(void **state)
{
	struct tree tree;

	(void)state;
	tree_new(&tree);
	for_each(write_holds, &tree);
	tree_remove(&tree);
}

/* A line that can't be read for want of memory is none that makes no sense. */
static unsigned long read_line(unsigned long nth, void *userdata)
{
	const struct history_record *record = userdata;
	struct tdxupd_digest first = { { 0 } }, chain;
	struct history_record back = { 0 };
	unsigned long seen;
	char *line;
	int r;

	assert_int_equal(history_line_make(record, &first, &line, &chain), 0);
	FAILING(nth, seen,
		r = history_line_parse(line, strlen(line) - 1, &first, &back, &chain));
	must(r == -ENOMEM || (r == 0 && back.detail && back.boot_id && back.to &&
			      strcmp(back.detail, record->detail) == 0),
	     nth, r, "a line");
	if (r == 0)
		history_record_done(&back);
	free(line);
	return seen;
}

static void test_a_line_of_the_history(void **state)
{
	char detail[900];
	struct history_record record = { .sequence = 7,
					 .realtime_usec = 1,
					 .boot_id = (char *)"boot",
					 .phase = (char *)"failed",
					 .to = (char *)"1.5.16",
					 .detail = detail };

	(void)state;
	memset(detail, 'x', sizeof(detail));
	detail[sizeof(detail) - 1] = '\0';
	for_each(read_line, &record);
}

static const struct last_update last = {
	.id = 3,
	.failure = FAILURE_REFUSED,
	.detail = (char *)"a sentence that is longer than what a buffer begins with",
};

static unsigned long read_last(unsigned long nth, void *userdata)
{
	const struct tree *tree = userdata;
	struct last_update back;
	unsigned long seen;
	int r;

	FAILING(nth, seen, r = last_update_load(tree->fd, &back));
	must(r == -ENOMEM ||
		     (r == 0 && back.detail && strcmp(back.detail, last.detail) == 0),
	     nth, r, "the last update");
	last_update_done(&back);
	return seen;
}

static void test_the_last_update(void **state)
{
	struct tree tree;

	(void)state;
	tree_new(&tree);
	assert_int_equal(last_update_save(tree.fd, &last), 0);
	for_each(read_last, &tree);
	tree_remove(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_holds_are_read),
		cmocka_unit_test(test_holds_are_written),
		cmocka_unit_test(test_a_line_of_the_history),
		cmocka_unit_test(test_the_last_update),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
