// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>

#include "test.h"
#include "fence.h"
#include "io.h"
#include "tree.h"
#include "util.h"

#define SLICE "sys/fs/cgroup/machine.slice/"

static void assert_text(struct tree *tree, const char *path, const char *wanted)
{
	char text[256];

	assert_int_equal(io_read_text(tree->fd, path, text, sizeof(text)), 0);
	/* a plain file keeps what was longer; the kernel's does not */
	assert_true(strncmp(text, wanted, strlen(wanted)) == 0);
}

static void set_up(struct tree *tree, const char *max)
{
	tree_new(tree);
	tree_put(tree, SLICE "misc.max", max);
	tree_put(tree, SLICE "misc.current", "sev 2\ntdx 7\n");
}

static void test_the_limit_comes_and_goes(void **state)
{
	struct tree tree;

	(void)state;
	set_up(&tree, "sev max\ntdx 20\n");
	assert_int_equal(fence_lower(tree.fd), 0); /* nothing to do */
	assert_int_equal(fence_raise(tree.fd, "machine.slice"), 0);
	assert_text(&tree, SLICE "misc.max", "tdx 7");
	assert_text(&tree, FENCE_PATH, "machine.slice 20 .");
	/* a second one must not take the fence for the old limit */
	tree_put(&tree, SLICE "misc.max", "tdx 7\n");
	assert_int_equal(fence_raise(tree.fd, "machine.slice"), -EALREADY);
	assert_text(&tree, FENCE_PATH, "machine.slice 20 .");
	assert_int_equal(fence_lower(tree.fd), 0);
	assert_text(&tree, SLICE "misc.max", "tdx 20");
	assert_false(io_is_present(tree.fd, FENCE_PATH));
	tree_remove(&tree);
}

static void test_what_a_crash_left(void **state)
{
	static const char *const torn[] = {
		"",
		"machine.sl",
		"machine.slice ",
		"machine.slice 2",
		"machine.slice . .",
		"machine.slice 1x .",
		"../../x max .",
	};
	struct tree tree;

	(void)state;
	set_up(&tree, "tdx 7\n");
	tree_put(&tree, FENCE_PATH, "machine.slice max .\n");
	assert_int_equal(fence_lower(tree.fd), 0);
	assert_text(&tree, SLICE "misc.max", "tdx max");
	/* torn, or not ours: nothing is written anywhere */
	tree_put(&tree, SLICE "misc.max", "tdx 9\n");
	for (size_t i = 0; i < ARRAY_SIZE(torn); i++) {
		tree_put(&tree, FENCE_PATH, torn[i]);
		assert_int_equal(fence_lower(tree.fd), 0);
		assert_text(&tree, SLICE "misc.max", "tdx 9");
		assert_false(io_is_present(tree.fd, FENCE_PATH));
	}
	/* the slice went with the crash */
	tree_put(&tree, FENCE_PATH, "gone.slice max .\n");
	assert_int_equal(fence_lower(tree.fd), 0);
	assert_false(io_is_present(tree.fd, FENCE_PATH));
	tree_remove(&tree);
}

static void test_what_can_not_be_fenced(void **state)
{
	struct tree tree;

	(void)state;
	set_up(&tree, "sev max\n");
	assert_int_equal(fence_raise(tree.fd, "machine.slice"), -ENODATA);
	assert_int_equal(fence_raise(tree.fd, "other.slice"), -ENODATA);
	assert_int_equal(fence_raise(tree.fd, "../machine.slice"), -EINVAL);
	assert_int_equal(fence_raise(tree.fd, "/machine.slice"), -EINVAL);
	assert_int_equal(fence_raise(tree.fd, "machine slice"), -EINVAL);
	assert_int_equal(fence_raise(tree.fd, ""), -EINVAL);
	tree_put(&tree, SLICE "misc.max", "tdx many\n");
	assert_int_equal(fence_raise(tree.fd, "machine.slice"), -EBADMSG);
	assert_false(io_is_present(tree.fd, FENCE_PATH));
	tree_remove(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_limit_comes_and_goes),
		cmocka_unit_test(test_what_a_crash_left),
		cmocka_unit_test(test_what_can_not_be_fenced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
