// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>

#include "test.h"
#include "driver.h"
#include "tree.h"

#define CPU(flags)                                                        \
	"processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: fpu" flags \
	"\nbugs\t\t: tdx_host_platform\n"
#define WITHOUT CPU(" vmx tdx tdx_host_platform_x xtdx_host_platform")
#define WITH    CPU(" vmx tdx_host_platform")

static void test_tdx_is_a_flag_and_nothing_else(void **state)
{
	struct tree tree;

	(void)state;
	tree_new(&tree);
	assert_int_equal(driver_is_tdx_offered(tree.fd), -ENODATA);
	tree_put(&tree, "proc/cpuinfo", "processor\t: 0\n");
	assert_int_equal(driver_is_tdx_offered(tree.fd), -ENODATA);
	tree_put(&tree, "proc/cpuinfo", WITHOUT);
	assert_int_equal(driver_is_tdx_offered(tree.fd), 0);
	tree_put(&tree, "proc/cpuinfo", WITH);
	assert_int_equal(driver_is_tdx_offered(tree.fd), 1);
	tree_put(&tree, "proc/cpuinfo", CPU(" tdx_host_platform vmx"));
	assert_int_equal(driver_is_tdx_offered(tree.fd), 1);
	tree_remove(&tree);
}

static void test_what_each_policy_loads(void **state)
{
	static const struct {
		enum load_driver policy;
		const char *cpuinfo;
		int r;
		const char *module;
	} table[] = {
		{ LOAD_DRIVER_NO, WITH, 0, NULL },
		{ LOAD_DRIVER_NO, WITHOUT, 0, NULL },
		{ LOAD_DRIVER_NO, NULL, 0, NULL },
		{ LOAD_DRIVER_AUTO, WITH, 0, "tdx_host" },
		{ LOAD_DRIVER_AUTO, WITHOUT, 0, NULL },
		{ LOAD_DRIVER_AUTO, NULL, -ENODATA, NULL },
		/* Where TDX is, or may be, there is no place for its simulation. */
		{ LOAD_DRIVER_SIMULATION, WITH, -EPERM, NULL },
		{ LOAD_DRIVER_SIMULATION, WITHOUT, 0, "tdx_host_sim" },
		{ LOAD_DRIVER_SIMULATION, NULL, -ENODATA, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		const char *module = "unset", *why = NULL;
		struct tree tree;

		tree_new(&tree);
		if (table[i].cpuinfo)
			tree_put(&tree, "proc/cpuinfo", table[i].cpuinfo);
		assert_int_equal(driver_choose(tree.fd, table[i].policy, &module, &why),
				 table[i].r);
		if (table[i].module)
			assert_string_equal(module, table[i].module);
		else
			assert_null(module);
		assert_true(table[i].r < 0 || module || why);
		tree_remove(&tree);
	}
}

static void test_a_device_that_is_there_is_left_alone(void **state)
{
	(void)state;
	for (int policy = 0; policy < _LOAD_DRIVER_MAX; policy++) {
		const char *module, *why;
		struct tree tree;

		tree_new(&tree);
		tree_put(&tree, "proc/cpuinfo",
			 policy == LOAD_DRIVER_AUTO ? WITH : WITHOUT);
		tree_put(&tree, "sys/devices/faux/tdx_host/version", "1.5.06\n");
		assert_int_equal(
			driver_choose(tree.fd, (enum load_driver)policy, &module, &why),
			0);
		assert_null(module);
		assert_string_equal(why, "it is there");
		tree_remove(&tree);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tdx_is_a_flag_and_nothing_else),
		cmocka_unit_test(test_what_each_policy_loads),
		cmocka_unit_test(test_a_device_that_is_there_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
