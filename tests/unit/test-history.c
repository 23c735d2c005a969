// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"
#include "history-read.h"
#include "history.h"

static const struct history_limits roomy = { .file_bytes = 1 << 20, .files = 2 };

struct scene {
	char root[32];
	int root_fd;
};

static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	strcpy(scene->root, "/tmp/test-history-XXXXXX");
	if (!mkdtemp(scene->root))
		return -1;
	scene->root_fd = open(scene->root, O_PATH | O_CLOEXEC);
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;
	char command[64];
	int r;

	snprintf(command, sizeof(command), "rm -rf %s", scene->root);
	close(scene->root_fd);
	r = system(command);
	free(scene);
	return r;
}

static int open_at(struct scene *scene, const char *name, int flags)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), STATE_DIR "/%s", name);
	fd = openat(scene->root_fd, path, flags | O_CLOEXEC, 0600);
	return fd;
}

static int append(struct history *history, const char *phase)
{
	struct history_record record = {
		.boot_id = (char *)"boot",
		.phase = (char *)phase,
		.job = 1,
	};

	return history_append(history, &record, true);
}

static struct history *must_open(struct scene *scene, const struct history_limits *limits,
				 const char *note)
{
	struct history *history;
	char *found = NULL;

	assert_int_equal(history_open(scene->root_fd, limits, &history, &found), 0);
	if (!note)
		assert_null(found);
	else if (!found || !strstr(found, note))
		fail_msg("`%s' does not say `%s'", found ? found : "", note);
	free(found);
	return history;
}

/* All that is kept, as one. @first_break: NULL for none. */
static void must_read(struct scene *scene, const char *first_break)
{
	static const struct history_query query = { .count = 1, .bytes = UINT64_MAX };
	struct history_excerpt excerpt;

	assert_int_equal(history_read(scene->root_fd, &query, &excerpt), 0);
	assert_true(excerpt.is_whole);
	assert_true(excerpt.lines > 0);
	if (first_break)
		assert_string_equal(excerpt.first_break, first_break);
	else
		assert_null(excerpt.first_break);
	history_excerpt_done(&excerpt);
}

static void test_the_last_record_is_found_again(void **state)
{
	struct history *history = must_open(*state, &roomy, NULL);

	assert_null(history_get_last(history));
	assert_int_equal(append(history, "planning"), 0);
	assert_int_equal(append(history, "waiting"), 0);
	history_free(history);

	history = must_open(*state, &roomy, NULL);
	assert_string_equal(history_get_last(history)->phase, "waiting");
	assert_int_equal(history_get_last(history)->sequence, 2);
	assert_int_equal(append(history, "committing"), 0);
	history_free(history);

	history = must_open(*state, &roomy, NULL);
	assert_string_equal(history_get_last(history)->phase, "committing");
	assert_int_equal(history_get_last(history)->sequence, 3);
	history_free(history);
	must_read(*state, NULL);
}

static void put_line(struct scene *scene, const char *line)
{
	int fd = open_at(scene, HISTORY_FILE, O_WRONLY | O_APPEND);

	assert_int_equal(write(fd, line, strlen(line)), strlen(line));
	close(fd);
}

static void rename_at(struct scene *scene, const char *old, const char *new)
{
	char from[128], to[128];

	snprintf(from, sizeof(from), STATE_DIR "/%s", old);
	snprintf(to, sizeof(to), STATE_DIR "/%s", new);
	assert_int_equal(renameat(scene->root_fd, from, scene->root_fd, to), 0);
}

/* A whole file, free() it; NULL where there is none. */
static char *read_at(struct scene *scene, const char *name)
{
	int fd = open_at(scene, name, O_RDONLY);
	char *text = calloc(1, 1 << 16);
	ssize_t n = fd < 0 ? -1 : read(fd, text, (1 << 16) - 1);

	if (fd >= 0)
		close(fd);
	if (n >= 0)
		return text;
	free(text);
	return NULL;
}

/* Whatever was written of a line when the power went: the line before it counts. */
static void test_a_torn_line_is_kept_aside(void **state)
{
	struct history *history = must_open(*state, &roomy, NULL);
	char line[1024];
	ssize_t bytes;
	int fd;

	append(history, "planning");
	history_free(history);
	fd = open_at(*state, HISTORY_FILE, O_RDWR);
	bytes = read(fd, line, sizeof(line));
	assert_true(bytes > 0);
	for (ssize_t cut = 1; cut < bytes; cut += 7) {
		assert_int_equal(pwrite(fd, line, (size_t)cut, bytes), cut);
		history = must_open(*state, &roomy, "cut short");
		assert_string_equal(history_get_last(history)->phase, "planning");
		history_free(history);
		assert_int_equal(lseek(fd, 0, SEEK_END), bytes);
	}
	close(fd);
	must_read(*state, NULL);
}

/* One after the other, but not without an end. */
static void test_torn_lines_are_collected(void **state)
{
	char torn[3000] = "";
	struct stat st;
	char *all;

	history_free(must_open(*state, &roomy, NULL));
	put_line(*state, "the one");
	history_free(must_open(*state, &roomy, "cut short"));
	put_line(*state, "the other");
	history_free(must_open(*state, &roomy, "cut short"));
	all = read_at(*state, HISTORY_FILE ".torn");
	assert_string_equal(all, "the one\nthe other\n");
	free(all);
	memset(torn, 'x', sizeof(torn) - 1);
	for (unsigned i = 0; i < 100; i++) {
		put_line(*state, torn);
		history_free(must_open(*state, &roomy, "cut short"));
	}
	assert_int_equal(fstatat(((struct scene *)*state)->root_fd,
				 STATE_DIR "/" HISTORY_FILE ".torn", &st, 0),
			 0);
	assert_true(st.st_size < 100000);
}

static void test_nonsense_is_set_aside_whole(void **state)
{
	static const char *const nonsense[] = { "\n", "hello\n", "{}\n", "\n\n\n" };

	for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
		struct history *history = must_open(*state, &roomy, NULL);
		int fd;

		append(history, "planning");
		history_free(history);
		fd = open_at(*state, HISTORY_FILE, O_WRONLY | O_APPEND);
		assert_true(write(fd, nonsense[i], strlen(nonsense[i])) > 0);
		close(fd);
		history = must_open(*state, &roomy, "makes no sense");
		assert_null(history_get_last(history));
		history_free(history);
		fd = open_at(*state, HISTORY_FILE ".damaged", O_RDONLY);
		assert_true(fd >= 0);
		close(fd);
	}
}

/* Kept to the byte for the release that can read it, and what came before that, too. */
static void test_a_newer_release_wrote_it(void **state)
{
	static const char line[] =
		"{\"v\":2,\"phase\":\"teleporting\",\"chain\":\""
		"000000000000000000000000000000000000000000000000"
		"000000000000000000000000000000000000000000000000\"}\n";
	struct history *history;
	char *kept, *older;

	history_free(must_open(*state, &roomy, NULL));
	put_line(*state, "hello\n");
	history_free(must_open(*state, &roomy, "makes no sense"));
	put_line(*state, line);
	history = must_open(*state, &roomy, "of a newer release");
	assert_null(history_get_last(history));
	assert_true(history_is_end_lost(history));
	assert_int_equal(append(history, "planning"), 0);
	history_free(history);
	kept = read_at(*state, HISTORY_FILE ".damaged");
	older = read_at(*state, HISTORY_FILE ".damaged.1");
	assert_string_equal(kept, line);
	assert_string_equal(older, "hello\n");
	free(kept);
	free(older);
	history = must_open(*state, &roomy, NULL);
	assert_string_equal(history_get_last(history)->phase, "planning");
	assert_false(history_is_end_lost(history));
	history_free(history);
}

/* Somebody took a line out: what is last now is not what was last. */
static void test_an_end_that_does_not_follow(void **state)
{
	struct history *history = must_open(*state, &roomy, NULL);
	char *all, *second;

	append(history, "planning");
	append(history, "waiting");
	append(history, "committing");
	history_free(history);
	all = read_at(*state, HISTORY_FILE);
	second = strchr(all, '\n') + 1;
	memmove(second, strchr(second, '\n') + 1, strlen(strchr(second, '\n')));
	assert_int_equal(unlinkat(((struct scene *)*state)->root_fd,
				  STATE_DIR "/" HISTORY_FILE, 0),
			 0);
	close(open_at(*state, HISTORY_FILE, O_WRONLY | O_CREAT));
	put_line(*state, all);
	free(all);
	history = must_open(*state, &roomy, "does not follow");
	assert_null(history_get_last(history));
	assert_true(history_is_end_lost(history));
	history_free(history);
}

/* As far as it could be read in time: its end, which is a line. */
static void test_a_huge_history_opens_at_once(void **state)
{
	struct history *history = must_open(*state, &roomy, NULL);
	char *line;
	int fd;

	append(history, "waiting");
	history_free(history);
	line = read_at(*state, HISTORY_FILE);
	fd = open_at(*state, HISTORY_FILE, O_WRONLY);
	assert_int_equal(pwrite(fd, "\n", 1, (1 << 30) - 1), 1);
	assert_int_equal(pwrite(fd, line, strlen(line), 1 << 30), strlen(line));
	close(fd);
	free(line);
	history = must_open(*state, &roomy, NULL);
	assert_string_equal(history_get_last(history)->phase, "waiting");
	/* The next line that has to be on disk is the first of a new file. */
	assert_int_equal(append(history, "committing"), 0);
	history_free(history);
	line = read_at(*state, HISTORY_FILE);
	assert_non_null(strstr(line, "\"seq\":2,"));
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	free(line);
}

static void test_a_huge_file_opens_at_once(void **state)
{
	struct history *history = must_open(*state, &roomy, NULL);
	int fd;

	append(history, "planning");
	history_free(history);
	fd = open_at(*state, HISTORY_FILE, O_WRONLY);
	assert_int_equal(ftruncate(fd, 1 << 30), 0); /* zeros, which are no lines */
	close(fd);
	history = must_open(*state, &roomy, "makes no sense");
	assert_null(history_get_last(history));
	history_free(history);
}

static void test_rotation_keeps_the_chain(void **state)
{
	static const struct history_limits tight = { .file_bytes = 1000, .files = 2 };
	struct history *history = must_open(*state, &tight, NULL);
	struct stat st;

	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(append(history, "waiting"), 0);
	history_free(history);
	must_read(*state, NULL);
	assert_int_equal(open_at(*state, HISTORY_FILE ".3", O_RDONLY), -1);
	assert_int_equal(fstatat(((struct scene *)*state)->root_fd,
				 STATE_DIR "/" HISTORY_FILE, &st, 0),
			 0);
	assert_true(st.st_size <= 1000);
	history = must_open(*state, &tight, NULL);
	assert_int_equal(history_get_last(history)->sequence, 20);
	history_free(history);
}

/* Whoever can't wait for the disk writes on in the old file. */
static void test_only_durable_lines_rotate(void **state)
{
	static const struct history_limits tight = { .file_bytes = 400, .files = 2 };
	struct history_record record = { .boot_id = (char[]){ "boot" },
					 .phase = (char[]){ "committing" } };
	struct history *history = must_open(*state, &tight, NULL);

	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(history_append(history, &record, false), 0);
	assert_int_equal(open_at(*state, HISTORY_FILE ".1", O_RDONLY), -1);
	assert_int_equal(history_append(history, &record, true), 0);
	assert_int_equal(open_at(*state, HISTORY_FILE ".2", O_RDONLY), -1);
	history_free(history);
	must_read(*state, NULL);
}

/* Cut off at any moment: some file ends in the last line, and it is found. */
static void test_a_rotation_that_is_cut_off(void **state)
{
	static const struct history_limits tight = { .file_bytes = 400, .files = 2 };
	struct history *history = must_open(*state, &tight, NULL);

	append(history, "waiting");
	append(history, "committing");
	append(history, "confirming");
	history_free(history);
	/* Before the new file took its place. */
	rename_at(*state, HISTORY_FILE, HISTORY_FILE ".new");
	history = must_open(*state, &tight, NULL);
	assert_string_equal(history_get_last(history)->phase, "confirming");
	assert_int_equal(history_get_last(history)->sequence, 3);
	history_free(history);
	/* Before the old one made room. */
	rename_at(*state, HISTORY_FILE, HISTORY_FILE ".new");
	rename_at(*state, HISTORY_FILE ".1", HISTORY_FILE);
	history = must_open(*state, &tight, NULL);
	assert_string_equal(history_get_last(history)->phase, "committing");
	assert_int_equal(open_at(*state, HISTORY_FILE ".new", O_RDONLY), -1);
	append(history, "done");
	history_free(history);
	must_read(*state, NULL);
}

/* Made ready or not, a record is the same line but for its times. */
static void test_a_record_made_ready_is_appended_once(void **state)
{
	struct history *history = must_open(*state, &roomy, NULL);
	struct history_record record = { .boot_id = (char *)"boot",
					 .phase = (char *)"committing",
					 .detail = (char *)"\"monotonic_usec\":0",
					 .job = 1 };

	assert_int_equal(history_append_prepared(history), -ENODATA);
	assert_int_equal(append(history, "waiting"), 0);
	assert_int_equal(history_prepare(history, &record), 0);
	assert_int_equal(history_append_prepared(history), 0);
	assert_int_equal(history_append_prepared(history), -ENODATA);
	/* something else came in between: void */
	assert_int_equal(history_prepare(history, &record), 0);
	assert_int_equal(append(history, "external"), 0);
	assert_int_equal(history_append_prepared(history), -ENODATA);
	history_free(history);
	must_read(*state, NULL);
	history = must_open(*state, &roomy, NULL);
	assert_int_equal(history_get_last(history)->sequence, 3);
	assert_string_equal(history_get_last(history)->phase, "external");
	history_free(history);
}

static void test_an_edited_history_shows(void **state)
{
	struct history *history = must_open(*state, &roomy, NULL);
	char bytes[4096];
	char *phase;
	ssize_t n;
	int fd;

	append(history, "planning");
	append(history, "failed");
	append(history, "planning");
	history_free(history);
	fd = open_at(*state, HISTORY_FILE, O_RDWR);
	n = pread(fd, bytes, sizeof(bytes) - 1, 0);
	bytes[n > 0 ? n : 0] = '\0';
	phase = strstr(bytes, "failed");
	assert_non_null(phase);
	assert_int_equal(pwrite(fd, "done!!", 6, phase - bytes), 6);
	close(fd);
	must_read(*state, HISTORY_FILE ":2");
}

static void test_a_directory_that_is_not_ours(void **state)
{
	struct scene *scene = *state;
	struct history *history;
	char *note = NULL;

	history_free(must_open(scene, &roomy, NULL));
	assert_int_equal(fchmodat(scene->root_fd, STATE_DIR, 0777, 0), 0);
	assert_int_equal(history_open(scene->root_fd, &roomy, &history, &note), -EPERM);
	assert_int_equal(fchmodat(scene->root_fd, STATE_DIR, 0755, 0), 0);
	assert_int_equal(renameat(scene->root_fd, STATE_DIR, scene->root_fd, "var/real"),
			 0);
	assert_int_equal(symlinkat("../real", scene->root_fd, STATE_DIR), 0);
	assert_int_equal(history_open(scene->root_fd, &roomy, &history, &note), -EPERM);
	if (geteuid() == 0) {
		unlinkat(scene->root_fd, STATE_DIR, 0);
		mkdirat(scene->root_fd, STATE_DIR, 0755);
		assert_int_equal(fchownat(scene->root_fd, STATE_DIR, 1, 1, 0), 0);
		assert_int_equal(history_open(scene->root_fd, &roomy, &history, &note),
				 -EPERM);
	}
	assert_null(note);
}

static void test_a_file_that_is_a_symlink(void **state)
{
	struct scene *scene = *state;
	struct history *history;
	char *note = NULL;

	history_free(must_open(scene, &roomy, NULL));
	unlinkat(scene->root_fd, STATE_DIR "/" HISTORY_FILE, 0);
	assert_int_equal(
		symlinkat("/etc/passwd", scene->root_fd, STATE_DIR "/" HISTORY_FILE), 0);
	assert_int_equal(history_open(scene->root_fd, &roomy, &history, &note), -EPERM);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_last_record_is_found_again),
		TEST(test_a_torn_line_is_kept_aside),
		TEST(test_torn_lines_are_collected),
		TEST(test_nonsense_is_set_aside_whole),
		TEST(test_a_newer_release_wrote_it),
		TEST(test_an_end_that_does_not_follow),
		TEST(test_a_huge_history_opens_at_once),
		TEST(test_a_huge_file_opens_at_once),
		TEST(test_rotation_keeps_the_chain),
		TEST(test_only_durable_lines_rotate),
		TEST(test_a_rotation_that_is_cut_off),
		TEST(test_a_record_made_ready_is_appended_once),
		TEST(test_an_edited_history_shows),
		TEST(test_a_directory_that_is_not_ours),
		TEST(test_a_file_that_is_a_symlink),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
