// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
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
	struct lock one, other;

	(void)state;
	lock_init(&other);
	assert_int_equal(lock_take(root, &one), 0);
	assert_int_equal(lock_take(root, &other), -EWOULDBLOCK);
	assert_non_null(lock_explain(-EWOULDBLOCK));
	assert_int_equal(other.fd, -1);
	lock_release(&one);
	assert_int_equal(lock_take(root, &other), 0);
	lock_release(&other);
	lock_release(&other);
	remove_root(root, path);
}

/* A clean-up tool: the holder makes the file anew before somebody else does. */
static void test_the_name_is_kept(void **state)
{
	char path[] = "/tmp/tdxupd-test.XXXXXX";
	int root = open_root(path);
	struct lock one, other;

	(void)state;
	assert_int_equal(lock_take(root, &one), 0);
	assert_int_equal(unlinkat(root, LOCK_PATH, 0), 0);
	assert_int_equal(lock_keep(root, &one), 0);
	assert_int_equal(lock_take(root, &other), -EWOULDBLOCK);
	assert_int_equal(lock_keep(root, &one), 0);
	/* or too late: then it is another's */
	assert_int_equal(unlinkat(root, LOCK_PATH, 0), 0);
	assert_int_equal(lock_take(root, &other), 0);
	assert_int_equal(lock_keep(root, &one), -EWOULDBLOCK);
	lock_release(&one);
	assert_int_equal(lock_keep(root, &other), 0);
	lock_release(&other);
	remove_root(root, path);
}

/* In a container with a /run of its own, or after the file was removed. */
static void test_a_run_of_ones_own_is_no_lock(void **state)
{
	char path[] = "/tmp/tdxupd-test.XXXXXX", command[64];
	int root = open_root(path);
	struct lock one, other;

	(void)state;
	assert_int_equal(mkdirat(root, "sys", 0755), 0);
	assert_int_equal(mkdirat(root, "sys/kernel", 0755), 0);
	assert_int_equal(mkdirat(root, "sys/kernel/tracing", 0700), 0);
	assert_int_equal(mkdirat(root, "sys/kernel/debug", 0700), 0);
	/* the same by another path: it is not in its own way */
	assert_int_equal(symlinkat("../tracing", root, "sys/kernel/debug/tracing"), 0);
	assert_int_equal(lock_take(root, &one), 0);
	assert_int_equal(renameat(root, "run", root, "run.other"), 0);
	assert_int_equal(lock_take(root, &other), -EWOULDBLOCK);
	lock_release(&one);
	assert_int_equal(lock_take(root, &other), 0);
	lock_release(&other);
	close(root);
	snprintf(command, sizeof(command), "rm -r %s", path);
	assert_int_equal(system(command), 0);
}

/* Where nothing tells that one is alone, nobody is: sysfs, and none of the others. */
static void test_what_may_be_a_container_is_refused(void **state)
{
	char path[] = "/tmp/tdxupd-test.XXXXXX";
	int root = open_root(path);
	struct lock lock;
	int r;

	(void)state;
	assert_int_equal(mkdirat(root, "sys", 0755), 0);
	if (unshare(CLONE_NEWNS) < 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL)) {
		unlinkat(root, "sys", AT_REMOVEDIR);
		remove_root(root, path);
		skip();
	}
	/* Anew: what was opened before is in the namespace of before. */
	close(root);
	root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(chdir(path), 0);
	assert_int_equal(mount("/sys", "sys", NULL, MS_BIND, NULL), 0);
	r = lock_take(root, &lock);
	assert_int_equal(umount2("sys", MNT_DETACH), 0);
	assert_int_equal(chdir("/"), 0);
	unlinkat(root, "sys", AT_REMOVEDIR);
	remove_root(root, path);
	assert_int_equal(r, -ENOLCK);
	assert_non_null(strstr(lock_explain(r), "mount tracefs"));
}

static void test_a_symlink_is_not_followed(void **state)
{
	char path[] = "/tmp/tdxupd-test.XXXXXX";
	int root = open_root(path);
	struct lock lock;

	(void)state;
	assert_int_equal(mkdirat(root, "run", 0755), 0);
	assert_int_equal(mkdirat(root, "run/tdxupd", 0755), 0);
	assert_int_equal(symlinkat("elsewhere", root, LOCK_PATH), 0);
	assert_int_equal(lock_take(root, &lock), -ELOOP);
	remove_root(root, path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_is_one_writer),
		cmocka_unit_test(test_the_name_is_kept),
		cmocka_unit_test(test_a_run_of_ones_own_is_no_lock),
		cmocka_unit_test(test_what_may_be_a_container_is_refused),
		cmocka_unit_test(test_a_symlink_is_not_followed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
