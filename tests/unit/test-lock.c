// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "test.h"
#include "lock.h"
#include "util.h"

static int open_root(char *path)
{
	assert_non_null(mkdtemp(path));
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void remove_root(int root, const char *path)
{
	unlinkat(root, LOCK_PATH, 0);
	unlinkat(root, "run/tdxupd", AT_REMOVEDIR);
	unlinkat(root, "run", AT_REMOVEDIR);
	close(root);
	assert_int_equal(rmdir(path), 0);
}

static void test_there_is_one_writer(void **state)
{
	char path[] = "/tmp/tdxupd-test.XXXXXX";
	int root = open_root(path);
	int one = -1, other = -1;

	(void)state;
	assert_int_equal(lock_take(root, &one), 0);
	assert_int_equal(lock_take(root, &other), -EWOULDBLOCK);
	assert_int_equal(other, -1);
	close(one);
	assert_int_equal(lock_take(root, &other), 0);
	close(other);
	remove_root(root, path);
}

static void test_a_symlink_is_not_followed(void **state)
{
	char path[] = "/tmp/tdxupd-test.XXXXXX";
	int root = open_root(path);
	int fd = -1;

	(void)state;
	assert_int_equal(mkdirat(root, "run", 0755), 0);
	assert_int_equal(mkdirat(root, "run/tdxupd", 0755), 0);
	assert_int_equal(symlinkat("elsewhere", root, LOCK_PATH), 0);
	assert_int_equal(lock_take(root, &fd), -ELOOP);
	remove_root(root, path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_is_one_writer),
		cmocka_unit_test(test_a_symlink_is_not_followed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
