// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "test.h"
#include "population.h"
#include "tree.h"
#include "util.h"

static void test_the_line_of_tds(void **state)
{
	static const struct {
		const char *text;
		int r;
		uint64_t count;
	} table[] = {
		{ "tdx 0\n", 0, 0 },
		{ "tdx 0", 0, 0 },
		{ "sev 4\nsev_es 1\ntdx 12\n", 0, 12 },
		{ "tdx 12\nsev 4\n", 0, 12 },
		{ "", -ENODATA, 0 },
		{ "sev 4\n", -ENODATA, 0 },
		{ "xtdx 0\n", -ENODATA, 0 },
		{ "tdx\n", -ENODATA, 0 },
		{ "tdx_max 0\n", -ENODATA, 0 },
		{ "tdx \n", -EBADMSG, 0 },
		{ "tdx -1\n", -EBADMSG, 0 },
		{ "tdx max\n", -EBADMSG, 0 },
		{ "tdx 0 0\n", -EBADMSG, 0 },
		{ "tdx 0x10\n", -EBADMSG, 0 },
		{ "tdx 99999999999999999999\n", -EBADMSG, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		uint64_t count = 99;

		assert_int_equal(population_parse_line(table[i].text, "tdx ", &count),
				 table[i].r);
		assert_int_equal(count, table[i].r < 0 ? 99 : table[i].count);
	}
}

static void test_the_file(void **state)
{
	struct tree tree;
	uint64_t count;

	(void)state;
	tree_new(&tree);
	assert_int_equal(population_read(tree.fd, &count), -ENODATA);
	tree_put(&tree, "sys/fs/cgroup/misc/misc.current", "tdx 0\n"); /* cgroup v1 */
	assert_int_equal(population_read(tree.fd, &count), -ENODATA);
	/* that of a part of the machine */
	tree_put(&tree, POPULATION_PATH, "tdx 0\n");
	tree_put(&tree, "sys/fs/cgroup/misc.max", "tdx max\n");
	assert_int_equal(population_read(tree.fd, &count), -EXDEV);
	tree_put(&tree, "sys/fs/cgroup/misc.capacity", "");
	assert_int_equal(population_read(tree.fd, &count), -ENODATA);
	tree_put(&tree, "sys/fs/cgroup/misc.capacity", "sev 4\ntdx 63\n");
	assert_int_equal(population_read(tree.fd, &count), 0);
	assert_int_equal(count, 0);
	tree_put(&tree, POPULATION_PATH, "tdx 3\n");
	assert_int_equal(population_read(tree.fd, &count), 0);
	assert_int_equal(count, 3);
	tree_remove(&tree);
}

/* What KVM was refused it gives back: from the first refusal on the number is no proof.
 */
static void test_a_limit_that_refused(void **state)
{
	struct population population;
	struct tree tree;
	uint64_t count = 99;

	(void)state;
	tree_new(&tree);
	tree_put(&tree, POPULATION_PATH, "tdx 0\n");
	tree_put(&tree, "sys/fs/cgroup/misc.capacity", "tdx 63\n");
	tree_put(&tree, "sys/fs/cgroup/init.scope/cgroup.procs", "1\n");
	tree_put(&tree, "sys/fs/cgroup/system.slice/misc.events",
		 "sev.max 7\ntdx.max 0\n");
	population = POPULATION(tree.fd);
	assert_int_equal(population_read_again(&population, &count), 0);
	assert_int_equal(count, 0);
	assert_int_equal(population.refusals.count, 1);

	/* A slice that is made later counts as well, and what it said when it is gone. */
	tree_put(&tree, "sys/fs/cgroup/machine.slice/misc.events", "tdx.max 1\n");
	assert_int_equal(population_read_again(&population, &count), -ERANGE);
	assert_int_equal(unlinkat(tree.fd, "sys/fs/cgroup/machine.slice/misc.events", 0),
			 0);
	assert_int_equal(unlinkat(tree.fd, "sys/fs/cgroup/machine.slice", AT_REMOVEDIR),
			 0);
	assert_int_equal(population_read_again(&population, &count), -ERANGE);
	population_done(&population);

	/* What can't be read is no zero. */
	tree_put(&tree, "sys/fs/cgroup/system.slice/misc.events", "tdx.max many\n");
	assert_int_equal(population_read(tree.fd, &count), -EBADMSG);
	tree_remove(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_line_of_tds),
		cmocka_unit_test(test_the_file),
		cmocka_unit_test(test_a_limit_that_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
