// SPDX-License-Identifier: LGPL-2.1-or-later
/* tdxupdctl image import, remove, vacuum: what is stored, what is refused, and what is
 * left when it is killed before any of its system calls. */
#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <json-c/json.h>

#include "catalog-files.h"
#include "cli.h"
#include "io.h"
#include "json.h"
#include "test.h"
#include "testimage.h"
#include "tree.h"
#include "util.h"

#define STORE "var/lib/tdxupd/images"

static void put_config(struct tree *tree)
{
	const struct tdxupd_digest signer = testimage_signer(TESTIMAGE_KEY_TRUSTED);
	char digest[TDXUPD_DIGEST_TEXT_BYTES], config[256];

	snprintf(config, sizeof(config), "[Update]\nTrustedSigner=%s\n",
		 tdxupd_digest_format(&signer, digest));
	tree_put(tree, "etc/tdxupd/tdxupd.conf", config);
}

/* As a pair, and as a container of either kind. */
static void put_module(struct tree *tree, const char *folder, const char *version)
{
	struct testimage_spec spec = testimage_default_text(version);
	char path[128];
	uint8_t *bytes;
	size_t count;

	assert_int_equal(testimage_build(&spec, &bytes, &count), 0);
	snprintf(path, sizeof(path), "%s/x.blob", folder);
	tree_put_bytes(tree, path, bytes, count);
	snprintf(path, sizeof(path), "%s/x.so", folder);
	tree_put_bytes(tree, path, bytes + 8192, count - 8192);
	snprintf(path, sizeof(path), "%s/x.so.sigstruct", folder);
	tree_put_bytes(tree, path, bytes + 4096, TDXUPD_SIGSTRUCT_BYTES);
	free(bytes);
	spec.container = TDXUPD_CONTAINER_KERNEL;
	assert_int_equal(testimage_build(&spec, &bytes, &count), 0);
	snprintf(path, sizeof(path), "%s/kernel.blob", folder);
	tree_put_bytes(tree, path, bytes, count);
	free(bytes);
}

static size_t count_stored(const struct tree *tree)
{
	_cleanup_(cleanup_close)
	int fd = io_open_dir(tree->fd, STORE, 0);
	char **names = NULL;
	size_t count = 0, stored = 0;

	if (fd < 0)
		return 0;
	assert_int_equal(io_list(fd, &names, &count), 0);
	for (size_t i = 0; i < count; i++)
		stored += names[i][0] != '.';
	io_free_names(names);
	return stored;
}

static void clear_store(const struct tree *tree)
{
	_cleanup_(cleanup_close)
	int fd = io_open_dir(tree->fd, STORE, 0);
	char **names = NULL;
	size_t count = 0;

	if (fd < 0)
		return;
	assert_int_equal(io_list(fd, &names, &count), 0);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(unlinkat(fd, names[i], 0), 0);
	io_free_names(names);
	assert_int_equal(unlinkat(tree->fd, STORE, AT_REMOVEDIR), 0);
}

static void test_one_module_has_one_name(void **state)
{
	char path[256];
	struct tree tree;
	struct cli cli;

	(void)state;
	tree_new(&tree);
	put_config(&tree);
	put_module(&tree, "in", "1.5.34");
	tree_put(&tree, "in/README", "hello");
	tree_put(&tree, "in/alone.so.sigstruct", "x");
	snprintf(path, sizeof(path), "%s/in", tree.path);
	cli_run(&cli, tree.path, "image", "import", path, NULL);
	assert_int_equal(cli.code, 0);
	print_message("%s", cli.out);
	assert_non_null(strstr(cli.out, "stored as " STORE_DIR));
	assert_non_null(strstr(cli.out, "was there already"));
	assert_non_null(strstr(cli.out, "README: left out: "));
	cli_done(&cli);
	assert_int_equal(count_stored(&tree), 1);
	/* No container, no module, and an image of nobody whom we trust. */
	tree_put(&tree, "etc/tdxupd/tdxupd.conf", "");
	snprintf(path, sizeof(path), "%s/in/x.blob", tree.path);
	cli_run(&cli, tree.path, "image", "import", path, NULL);
	assert_int_not_equal(cli.code, 0);
	assert_non_null(strstr(cli.err, "nothing was imported"));
	cli_done(&cli);
	cli_run(&cli, tree.path, "image", "import", "/dev/null", NULL);
	assert_int_not_equal(cli.code, 0);
	cli_done(&cli);
	assert_int_equal(count_stored(&tree), 1);
	tree_remove(&tree);
}

/* What a machine without the vendor's directory is told to do is enough. */
static void test_the_store_suffices(void **state)
{
	char path[256];
	struct tree tree;
	struct cli cli;

	(void)state;
	tree_new(&tree);
	put_config(&tree);
	put_module(&tree, "in", "1.5.34");
	/* An import of nothing changes nothing. */
	cli_run(&cli, tree.path, "image", "import", "/dev/null", NULL);
	assert_int_not_equal(cli.code, 0);
	cli_done(&cli);
	cli_run(&cli, tree.path, "catalog", "check", NULL);
	assert_int_equal(cli.code, CTL_EXIT_NO_IMAGE);
	assert_non_null(strstr(cli.err, "no directory /usr/lib/firmware"));
	assert_non_null(strstr(cli.err, "`tdxupdctl image import FILE`"));
	cli_done(&cli);
	snprintf(path, sizeof(path), "%s/in/x.blob", tree.path);
	cli_run(&cli, tree.path, "image", "import", path, NULL);
	assert_int_equal(cli.code, 0);
	cli_done(&cli);
	cli_run(&cli, tree.path, "catalog", "check", NULL);
	print_message("%s%s", cli.out, cli.err);
	assert_null(strstr(cli.err, "no directory"));
	assert_non_null(strstr(cli.out, STORE_DIR));
	assert_non_null(strstr(cli.out, "1 image"));
	cli_done(&cli);
	tree_remove(&tree);
}

static void test_what_is_named_is_removed(void **state)
{
	char path[256], name[128];
	struct json_object *list;
	struct tree tree;
	struct cli cli;

	(void)state;
	tree_new(&tree);
	put_config(&tree);
	put_module(&tree, "in", "1.5.34");
	tree_put(&tree, "usr/lib/firmware/intel/tdx-module/README", "hello");
	snprintf(path, sizeof(path), "%s/in/x.so", tree.path);
	cli_run(&cli, tree.path, "--json", "image", "import", path, NULL);
	list = cli_parse(&cli);
	snprintf(name, sizeof(name), "%s",
		 json_get_text(json_object_array_get_idx(list, 0), "stored_as"));
	json_object_put(list);
	cli_done(&cli);
	cli_run(&cli, tree.path, "image", "remove", "1234567", NULL);
	assert_int_not_equal(cli.code, 0);
	cli_done(&cli);
	name[12] = '\0';
	cli_run(&cli, tree.path, "image", "remove", name, NULL);
	assert_int_equal(cli.code, 0);
	cli_done(&cli);
	assert_int_equal(count_stored(&tree), 0);
	tree_remove(&tree);
}

/* ---- killed ---- */

/* Return: whether it ended by itself before call @index. */
static bool import_until(const char *root, const char *path, unsigned index)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		execl(getenv("TDXUPD_CTL"), "tdxupdctl", "--root", root, "--quiet",
		      "image", "import", path, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_EXITKILL), 0);
	/* Entry and exit of a call each stop it once. */
	for (unsigned stops = 0;; stops++) {
		assert_int_equal(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status))
			return true;
		if (stops != 2 * index)
			continue;
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		return false;
	}
}

/* All of it or nothing, and the next import is as good as the first. */
static void test_killed_at_every_call(void **state)
{
	char path[256];
	unsigned index = 0, whole = 0;
	struct tree tree;
	struct cli cli;

	(void)state;
	tree_new(&tree);
	put_config(&tree);
	put_module(&tree, "in", "1.5.34");
	tree_put(&tree, "usr/lib/firmware/intel/tdx-module/README", "hello");
	snprintf(path, sizeof(path), "%s/in/x.so", tree.path);
	for (bool is_over = false; !is_over; index++) {
		size_t stored;

		is_over = import_until(tree.path, path, index);
		stored = count_stored(&tree);
		assert_in_range(stored, 0, 1);
		whole += stored;
		if (stored && index % 8 == 0) {
			cli_run(&cli, tree.path, "catalog", "check", "--json", NULL);
			assert_null(strstr(cli.out, "hash-mismatch"));
			assert_null(strstr(cli.out, "image-"));
			assert_non_null(strstr(cli.out, "version-unknown"));
			cli_done(&cli);
		}
		if (stored || index % 16 == 0) {
			cli_run(&cli, tree.path, "image", "import", path, NULL);
			assert_int_equal(cli.code, 0);
			cli_done(&cli);
			assert_int_equal(count_stored(&tree), 1);
			assert_false(io_is_present(tree.fd, STORE "/.draft") && stored);
		}
		/* As if nobody had ever imported anything. */
		clear_store(&tree);
	}
	print_message(
		"killed before each of %u calls, %u times after the image was there\n",
		index, whole);
	assert_true(whole > 0 && whole < index);
	tree_remove(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_module_has_one_name),
		cmocka_unit_test(test_the_store_suffices),
		cmocka_unit_test(test_what_is_named_is_removed),
		cmocka_unit_test(test_killed_at_every_call),
	};

	if (geteuid() != 0) {
		print_message("skipped: the store is root's\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
