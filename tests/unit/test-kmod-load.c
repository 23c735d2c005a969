// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A directory of modules as depmod makes it, of files that no kernel would take: what is
 * decided before the kernel is asked. The rest is seen in a guest (tests/vm).
 */
#include <elf.h>
#include <errno.h>
#include <stdio.h>

#include "test.h"
#include "kmod-load.h"
#include "tree.h"
#include "util.h"

#define MODULES "lib/modules/1.0"

static struct tree tree;
static char modules[128];
static char modprobe_d[128];
static const char *const config[] = { modprobe_d, NULL };

static int make_modules(void **state)
{
	static const Elf64_Ehdr nothing = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			     EV_CURRENT },
		.e_type = ET_REL,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_ehsize = sizeof(Elf64_Ehdr),
	};
	char command[256];

	(void)state;
	tree_new(&tree);
	snprintf(modules, sizeof(modules), "%s/" MODULES, tree.path);
	snprintf(modprobe_d, sizeof(modprobe_d), "%s/modprobe.d", tree.path);
	tree_put_bytes(&tree, MODULES "/kernel/tdx-host.ko", &nothing, sizeof(nothing));
	tree_put(&tree, MODULES "/modules.builtin", "kernel/tdx-test-builtin.ko\n");
	tree_put(&tree, MODULES "/modules.builtin.modinfo", "");
	tree_put(&tree, MODULES "/modules.order", "");
	tree_put(&tree, "modprobe.d/README", "");
	/* It finds the module odd, and says so. */
	snprintf(command, sizeof(command), "depmod -b %s 1.0 2>/dev/null", tree.path);
	return system(command);
}

static int remove_modules(void **state)
{
	(void)state;
	tree_remove(&tree);
	return 0;
}

/* The kernel gets to see the file, and takes none like it. */
static void assert_kernel_is_asked(void)
{
	int r = kmod_load(modules, config, "tdx_host");

	assert_true(r == -ENOEXEC || r == -EPERM || r == -ENOSYS);
	assert_int_equal(kmod_load(modules, config, "tdx-host"), r);
}

static void test_a_module_that_is_there_goes_to_the_kernel(void **state)
{
	(void)state;
	assert_kernel_is_asked();
}

static void test_a_module_that_is_not_there(void **state)
{
	(void)state;
	assert_int_equal(kmod_load(modules, config, "tdx_host_sim"), -ENOENT);
	assert_int_equal(kmod_load("/nonexistent", config, "tdx_host"), -ENOENT);
}

static void test_one_that_is_built_in_needs_no_loading(void **state)
{
	(void)state;
	assert_int_equal(kmod_load(modules, config, "tdx_test_builtin"), 0);
}

static void test_what_modprobe_d_forbids(void **state)
{
	char blacklist[] = "blacklist tdx_host\n", dashes[] = "blacklist tdx-host\n";
	char install[] = "install tdx_host /bin/false\n";
	char touch[256], alias[] = "alias tdx_host tdx_test_builtin\n";
	char *const table[] = { blacklist, dashes, install, touch, alias };

	(void)state;
	snprintf(touch, sizeof(touch), "install tdx_host touch %s/command\n", tree.path);
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		tree_put(&tree, "modprobe.d/tdx.conf", table[i]);
		if (kmod_load(modules, config, "tdx_host") != -ECANCELED)
			fail_msg("it does not keep to: %s", table[i]);
	}
	tree_drop(&tree, "modprobe.d/tdx.conf");
	/* Nobody's command is run with what this program may do. */
	assert_int_not_equal(faccessat(tree.fd, "command", F_OK, 0), 0);
	assert_kernel_is_asked();
}

static void test_what_is_said_of_errors(void **state)
{
	static const struct {
		int error;
		const char *words;
	} table[] = {
		{ -ENOENT, "no such module" },  { -ECANCELED, "modprobe.d" },
		{ -ENODEV, "no TDX" },          { -EPERM, "lockdown" },
		{ -EKEYREJECTED, "signature" }, { -ENOKEY, "signature" },
		{ -ENOEXEC, "another kernel" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		assert_non_null(
			strstr(kmod_load_explain(table[i].error), table[i].words));
	assert_null(kmod_load_explain(-EIO));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_module_that_is_there_goes_to_the_kernel),
		cmocka_unit_test(test_a_module_that_is_not_there),
		cmocka_unit_test(test_one_that_is_built_in_needs_no_loading),
		cmocka_unit_test(test_what_modprobe_d_forbids),
		cmocka_unit_test(test_what_is_said_of_errors),
	};

	if (system("depmod --version >/dev/null 2>&1") != 0) {
		puts("depmod is not installed");
		return TEST_SKIPPED;
	}
	return cmocka_run_group_tests(tests, make_modules, remove_modules);
}
