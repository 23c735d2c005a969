// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io.h"
#include "test-io.h"
#include "util.h"

static void test_text_is_bounded(void **state)
{
	struct tree *dir = *state;
	char text[8] = "before";

	tree_put(dir, "a", "1.5.06\n");
	assert_int_equal(io_read_text(dir->fd, "a", text, sizeof(text)), 0);
	assert_string_equal(text, "1.5.06");
	tree_put(dir, "a", "1234567");
	assert_int_equal(io_read_text(dir->fd, "/a", text, sizeof(text)), 0);
	assert_string_equal(text, "1234567");
	tree_put(dir, "a", "");
	assert_int_equal(io_read_text(dir->fd, "a", text, sizeof(text)), 0);
	assert_string_equal(text, "");

	strcpy(text, "before");
	tree_put(dir, "a", "12345678");
	assert_int_equal(io_read_text(dir->fd, "a", text, sizeof(text)), -EBADMSG);
	tree_put_bytes(dir, "a", "1\0002", 3);
	assert_int_equal(io_read_text(dir->fd, "a", text, sizeof(text)), -EBADMSG);
	assert_int_equal(io_read_text(dir->fd, "none", text, sizeof(text)), -ENODATA);
	assert_int_equal(io_read_text(dir->fd, "a/none", text, sizeof(text)), -ENODATA);
	assert_int_equal(io_read_text(dir->fd, "images", text, sizeof(text)), -EISDIR);
	assert_int_equal(io_read_text(-1, "a", text, sizeof(text)), -EINVAL);
	assert_string_equal(text, "before");
}

static void test_kept_descriptor_reads_afresh(void **state)
{
	struct tree *dir = *state;
	char text[16];
	int fd;

	tree_put(dir, "a", "1\n");
	fd = io_open(dir->fd, "a", O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(io_read_text_fd(fd, text, sizeof(text)), 0);
	tree_put(dir, "a", "22\n");
	assert_int_equal(io_read_text_fd(fd, text, sizeof(text)), 0);
	assert_string_equal(text, "22");
	close(fd);
}

/* As attributes of debugfs are (fs/libfs.c:simple_attr_open()). */
static int read_unseekable(const char *content, char *ret, size_t size)
{
	int fds[2], r;

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], content, strlen(content)), strlen(content));
	close(fds[1]);
	r = io_read_text_fd(fds[0], ret, size);
	close(fds[0]);
	return r;
}

static void test_what_cannot_be_sought_in(void **state)
{
	char text[4];

	(void)state;
	assert_int_equal(read_unseekable("12\n", text, sizeof(text)), 0);
	assert_string_equal(text, "12");
	assert_int_equal(read_unseekable("123\n", text, sizeof(text)), -EBADMSG);
}

static void test_nothing_leads_out_of_the_root(void **state)
{
	struct tree *dir = *state;
	char text[16];

	tree_put(dir, "outside", "outside");
	tree_put(dir, "images/inside", "inside");
	assert_int_equal(symlinkat("/inside", dir->fd, "images/absolute"), 0);
	assert_int_equal(symlinkat("../../../outside", dir->fd, "images/up"), 0);

	int fd = io_open_dir(dir->fd, "images", 0);

	assert_true(fd >= 0);
	assert_int_equal(io_read_text(fd, "absolute", text, sizeof(text)), 0);
	assert_string_equal(text, "inside");
	assert_int_equal(io_read_text(fd, "../outside", text, sizeof(text)), -ENODATA);
	assert_int_equal(io_read_text(fd, "up", text, sizeof(text)), -ENODATA);
	close(fd);
	assert_true(io_is_present(dir->fd, "images/inside"));
	assert_false(io_is_present(dir->fd, "images/missing"));
}

static void test_write_starts_at_the_front(void **state)
{
	struct tree *dir = *state;
	char text[16];

	tree_put(dir, "a", "xxx");
	assert_int_equal(io_write_text(dir->fd, "a", "1"), 0);
	assert_int_equal(io_read_text(dir->fd, "a", text, sizeof(text)), 0);
	assert_string_equal(text, "1xx");
	assert_int_equal(io_write_text(dir->fd, "none", "1"), -ENODATA);

	int fd = io_open(dir->fd, "a", O_WRONLY);

	assert_int_equal(io_write_all_fd(fd, "abcd", 4), 0);
	assert_int_equal(io_write_text_fd(fd, "A"), 0);
	assert_int_equal(io_read_text(dir->fd, "a", text, sizeof(text)), 0);
	assert_string_equal(text, "Abcd");
	close(fd);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_io, tear_down_io)
	const struct CMUnitTest tests[] = {
		TEST(test_text_is_bounded),
		TEST(test_kept_descriptor_reads_afresh),
		TEST(test_what_cannot_be_sought_in),
		TEST(test_nothing_leads_out_of_the_root),
		TEST(test_write_starts_at_the_front),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
