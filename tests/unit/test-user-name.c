// SPDX-License-Identifier: LGPL-2.1-or-later
/* Who asked: what etc/passwd says, whatever it is like, and never nobody. */
#include <fcntl.h>
#include <sys/stat.h>

#include "test.h"
#include "tree.h"
#include "user-name.h"
#include "util.h"

static void assert_name(const struct tree *tree, uid_t uid, const char *expected)
{
	_cleanup_(cleanup_free)
	char *name = user_name_describe(tree->fd, uid);

	assert_string_equal(name, expected);
}

static void test_who_it_is(void **state)
{
	struct tree tree;

	(void)state;
	tree_new(&tree);
	/* Where there is no file, root is root. */
	assert_name(&tree, 0, "root (uid 0)");
	assert_name(&tree, 1000, "uid 1000");
	assert_null(user_name_describe(tree.fd, (uid_t)-1));
	tree_put(&tree, "etc/passwd",
		 "toor:x:0:0::/root:/bin/sh\n"
		 "no line\n"
		 "alice:x:1000:1000::/home/alice:/bin/sh\n"
		 "b\x1b[31mob:x:1001:1001::/:/bin/sh\n"
		 "alias:x:1000:1000::/:/bin/sh\n");
	assert_name(&tree, 0, "toor (uid 0)");
	assert_name(&tree, 1000, "alice (uid 1000)");
	assert_name(&tree, 1001, "b?[31mob (uid 1001)");
	assert_name(&tree, 1002, "uid 1002");
	tree_remove(&tree);
}

/* No file that is read waits for a writer. */
static void test_a_file_that_is_none(void **state)
{
	struct tree tree;

	(void)state;
	tree_new(&tree);
	assert_int_equal(mkdirat(tree.fd, "etc", 0755), 0);
	assert_int_equal(mkfifoat(tree.fd, "etc/passwd", 0644), 0);
	assert_name(&tree, 1000, "uid 1000");
	tree_remove(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_it_is),
		cmocka_unit_test(test_a_file_that_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
