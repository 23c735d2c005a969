// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io.h"
#include "test-io.h"
#include "util.h"

#define NOBODY 65534

static void test_file_is_read_whole_or_not_at_all(void **state)
{
	static const size_t sizes[] = { 0, 1, 4095, 4096, 4097, 10000 };
	struct tree *dir = *state;
	uint8_t *bytes = malloc(10001);

	assert_non_null(bytes);
	for (size_t i = 0; i < 10001; i++)
		bytes[i] = (uint8_t)(i * 7);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		uint8_t *got = NULL;
		size_t count = 99;

		tree_put_bytes(dir, "a", bytes, sizes[i]);
		assert_int_equal(io_read_file(dir->fd, "a", 10000, &got, &count), 0);
		assert_int_equal(count, sizes[i]);
		assert_memory_equal(got, bytes, count);
		assert_int_equal(got[count], 0);
		free(got);
	}
	tree_put_bytes(dir, "a", bytes, 10001);
	{
		uint8_t *got = NULL;
		size_t count = 99;

		assert_int_equal(io_read_file(dir->fd, "a", 10000, &got, &count), -EFBIG);
		assert_null(got);
		assert_int_equal(count, 99);
	}
	free(bytes);
}

/* procfs files claim to be empty. */
static void test_size_zero_is_not_believed(void **state)
{
	_cleanup_(cleanup_close)
	int root = open("/", O_PATH | O_CLOEXEC);
	_cleanup_(cleanup_free)
	uint8_t *bytes = NULL;
	size_t count = 0;
	uint8_t *untouched = NULL;

	(void)state;
	assert_int_equal(io_read_file(root, "proc/self/maps", 1 << 20, &bytes, &count),
			 0);
	assert_true(count > 0);
	assert_int_equal(io_read_file(root, "proc/self/maps", 16, &untouched, &count),
			 -EFBIG);
	assert_null(untouched);
}

static void test_special_files_are_refused_without_blocking(void **state)
{
	struct tree *dir = *state;
	uint8_t *bytes = NULL;
	size_t count;

	assert_int_equal(mkfifoat(dir->fd, "fifo", 0644), 0);
	assert_int_equal(symlinkat("fifo", dir->fd, "to-fifo"), 0);
	assert_int_equal(symlinkat("/dev/zero", dir->fd, "to-zero"), 0);
	assert_int_equal(io_read_file(dir->fd, "fifo", 100, &bytes, &count), -EBADFD);
	for (unsigned flags = 0; flags <= IO_REQUIRE_SAFE; flags++) {
		assert_int_equal(
			io_read_file_in(dir->fd, "fifo", 100, flags, &bytes, &count),
			-EBADFD);
		assert_int_equal(
			io_read_file_in(dir->fd, "to-fifo", 100, flags, &bytes, &count),
			-EBADFD);
		assert_int_equal(
			io_read_file_in(dir->fd, "images", 100, flags, &bytes, &count),
			-EISDIR);
		assert_int_equal(
			io_read_file_in(dir->fd, "to-zero", 100, flags, &bytes, &count),
			flags ? -EXDEV : -EBADFD);
		assert_int_equal(
			io_read_file_in(dir->fd, "none", 100, flags, &bytes, &count),
			-ENODATA);
		assert_int_equal(
			io_read_file_in(dir->fd, "images/a", 100, flags, &bytes, &count),
			-EINVAL);
	}
	assert_null(bytes);
}

static void check_safe(int fd, const char *name, int expected)
{
	uint8_t *bytes = NULL;
	size_t count = 0;
	int rc = io_read_file_in(fd, name, 100, IO_REQUIRE_SAFE, &bytes, &count);

	if (rc != expected)
		fail_msg("%s: %d (%s) instead of %d", name, rc, io_strerror(rc),
			 expected);
	free(bytes);
	if (expected == -EPERM || expected == -EXDEV) {
		bytes = NULL;
		assert_int_equal(io_read_file_in(fd, name, 100, 0, &bytes, &count), 0);
		free(bytes);
	}
}

static void test_safe_files_are_roots_alone(void **state)
{
	struct tree *dir = *state;

	if (geteuid() != 0)
		skip(); /* only root can make files that are and are not root's */
	tree_put(dir, "images/good", "x");
	tree_put(dir, "images/group", "x");
	tree_put(dir, "images/others", "x");
	tree_put(dir, "images/nobodys", "x");
	tree_put(dir, "outside", "x");
	assert_int_equal(fchmodat(dir->fd, "images/group", 0664, 0), 0);
	assert_int_equal(fchmodat(dir->fd, "images/others", 0646, 0), 0);
	assert_int_equal(fchownat(dir->fd, "images/nobodys", NOBODY, NOBODY, 0), 0);
	assert_int_equal(symlinkat("good", dir->fd, "images/to-good"), 0);
	assert_int_equal(symlinkat("to-good", dir->fd, "images/to-to-good"), 0);
	assert_int_equal(symlinkat("others", dir->fd, "images/to-others"), 0);
	assert_int_equal(symlinkat("../outside", dir->fd, "images/leaves"), 0);
	assert_int_equal(symlinkat("../images/good", dir->fd, "images/comes-back"), 0);
	assert_int_equal(symlinkat("loop", dir->fd, "images/loop"), 0);
	assert_int_equal(symlinkat("..", dir->fd, "images/above"), 0);
	assert_int_equal(symlinkat("gone", dir->fd, "images/dangling"), 0);

	int fd = io_open_dir(dir->fd, "images", IO_REQUIRE_SAFE);

	assert_true(fd >= 0);
	check_safe(fd, "good", 0);
	check_safe(fd, "to-good", 0);
	check_safe(fd, "to-to-good", 0);
	check_safe(fd, "group", -EPERM);
	check_safe(fd, "others", -EPERM);
	check_safe(fd, "nobodys", -EPERM);
	check_safe(fd, "to-others", -EPERM);
	check_safe(fd, "leaves", -EXDEV);
	check_safe(fd, "comes-back", -EXDEV);
	check_safe(fd, "loop", -ELOOP);
	check_safe(fd, "dangling", -ENODATA);
	close(fd);
}

static void test_safe_directories_are_roots_alone_all_the_way_up(void **state)
{
	struct tree *dir = *state;
	int fd;

	if (geteuid() != 0)
		skip();
	assert_int_equal(mkdirat(dir->fd, "a", 0755), 0);
	assert_int_equal(mkdirat(dir->fd, "a/b", 0755), 0);
	assert_int_equal(symlinkat("a", dir->fd, "link"), 0);
	fd = io_open_dir(dir->fd, "link/b", IO_REQUIRE_SAFE);
	assert_true(fd >= 0);
	close(fd);

	assert_int_equal(fchmodat(dir->fd, "a", 01777, 0), 0);
	assert_int_equal(io_open_dir(dir->fd, "a/b", IO_REQUIRE_SAFE), -EPERM);
	fd = io_open_dir(dir->fd, "a/b", 0);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(fchmodat(dir->fd, "a", 0755, 0), 0);
	assert_int_equal(fchownat(dir->fd, "a/b", NOBODY, 0, 0), 0);
	assert_int_equal(io_open_dir(dir->fd, "a/b", IO_REQUIRE_SAFE), -EPERM);
	assert_int_equal(io_open_dir(dir->fd, "a/none", IO_REQUIRE_SAFE), -ENODATA);
	/* The machine's own root ends the way up too. */
	fd = open("/", O_PATH | O_CLOEXEC);
	assert_int_equal(io_open_dir(fd, dir->path, IO_REQUIRE_SAFE), -EPERM); /* /tmp */
	close(fd);
}

static void test_list_is_sorted(void **state)
{
	struct tree *dir = *state;
	char **names = NULL;
	size_t count = 0;

	for (unsigned i = 0; i < 200; i++) {
		char name[16];

		snprintf(name, sizeof(name), "images/%03u", (i * 37) % 200);
		tree_put(dir, name, "");
	}

	int fd = io_open_dir(dir->fd, "images", 0);

	for (unsigned twice = 0; twice < 2; twice++) {
		assert_int_equal(io_list(fd, &names, &count), 0);
		assert_int_equal(count, 200);
		assert_string_equal(names[0], "000");
		assert_string_equal(names[199], "199");
		assert_null(names[200]);
		names = io_free_names(names);
	}
	close(fd);
}

static void test_a_file_is_replaced_in_one_step(void **state)
{
	struct tree *dir = *state;
	char **names = NULL;
	uint8_t *got = NULL;
	size_t count = 0;
	struct stat st;
	int reader = -1;

	tree_put(dir, "a", "old");
	reader = openat(dir->fd, "a", O_RDONLY | O_CLOEXEC);
	umask(077);
	assert_int_equal(io_replace_file_in(dir->fd, "a", "newer", 5), 0);
	umask(022);
	assert_int_equal(io_read_file_in(dir->fd, "a", 100, 0, &got, &count), 0);
	assert_string_equal((char *)got, "newer");
	free(TAKE_PTR(got));
	/* Who has it open keeps what was there. */
	assert_int_equal(io_read_file_fd(reader, 100, &got, &count), 0);
	assert_string_equal((char *)got, "old");
	free(got);
	close(reader);
	assert_int_equal(fstatat(dir->fd, "a", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	/* No draft is left behind, not by a failure either. */
	assert_int_equal(io_replace_file_in(dir->fd, "images", "x", 1), -EISDIR);
	assert_int_equal(io_list(dir->fd, &names, &count), 0);
	assert_int_equal(count, 2);
	io_free_names(names);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_io, tear_down_io)
	const struct CMUnitTest tests[] = {
		TEST(test_file_is_read_whole_or_not_at_all),
		TEST(test_size_zero_is_not_believed),
		TEST(test_special_files_are_refused_without_blocking),
		TEST(test_safe_files_are_roots_alone),
		TEST(test_safe_directories_are_roots_alone_all_the_way_up),
		TEST(test_list_is_sorted),
		TEST(test_a_file_is_replaced_in_one_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
