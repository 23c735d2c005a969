// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"
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

static void must_verify(struct scene *scene, const char *name, uint64_t bad_line)
{
	int fd = open_at(scene, name, O_RDONLY);
	uint64_t line;

	assert_true(fd >= 0);
	assert_int_equal(history_verify(fd, &line), 0);
	assert_int_equal(line, bad_line);
	close(fd);
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
	must_verify(*state, HISTORY_FILE, 0);
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
	fd = open_at(*state, HISTORY_FILE ".torn", O_RDONLY);
	assert_true(read(fd, line, sizeof(line)) > 0);
	close(fd);
	must_verify(*state, HISTORY_FILE, 0);
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
	must_verify(*state, HISTORY_FILE, 0);
	must_verify(*state, HISTORY_FILE ".1", 0);
	must_verify(*state, HISTORY_FILE ".2", 0);
	assert_int_equal(open_at(*state, HISTORY_FILE ".3", O_RDONLY), -1);
	assert_int_equal(fstatat(((struct scene *)*state)->root_fd,
				 STATE_DIR "/" HISTORY_FILE, &st, 0),
			 0);
	assert_true(st.st_size <= 1000);
	history = must_open(*state, &tight, NULL);
	assert_int_equal(history_get_last(history)->sequence, 20);
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
	must_verify(*state, HISTORY_FILE, 2);
}

static void test_a_directory_that_is_not_ours(void **state)
{
	struct scene *scene = *state;
	struct history *history;
	char *note = NULL;

	history_free(must_open(scene, &roomy, NULL));
	fchmodat(scene->root_fd, STATE_DIR, 0777, 0);
	assert_int_equal(history_open(scene->root_fd, &roomy, &history, &note), -EPERM);
	fchmodat(scene->root_fd, STATE_DIR, 0755, 0);
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
	symlinkat("/etc/passwd", scene->root_fd, STATE_DIR "/" HISTORY_FILE);
	assert_int_equal(history_open(scene->root_fd, &roomy, &history, &note), -EPERM);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_last_record_is_found_again),
		TEST(test_a_torn_line_is_kept_aside),
		TEST(test_nonsense_is_set_aside_whole),
		TEST(test_a_huge_file_opens_at_once),
		TEST(test_rotation_keeps_the_chain),
		TEST(test_an_edited_history_shows),
		TEST(test_a_directory_that_is_not_ours),
		TEST(test_a_file_that_is_a_symlink),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
