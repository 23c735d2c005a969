// SPDX-License-Identifier: LGPL-2.1-or-later
/* What needs no kernel; with one, tests/vm/probes. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "test.h"
#include "io.h"
#include "tracefs.h"
#include "tree.h"
#include "util.h"

static void test_what_keeps_probes_from_being_placed(void **state)
{
	char why[TRACEFS_WHY_BYTES];
	struct tracefs tracefs;
	struct tree tree;

	(void)state;
	tree_new(&tree);
	assert_int_equal(tracefs_open(tree.fd, &tracefs, why), -ENODATA);
	assert_string_equal(why, "there is no tracefs at /sys/kernel/tracing");
	tree_put(&tree, TRACEFS_DIR "/README", "");
	assert_int_equal(tracefs_open(tree.fd, &tracefs, why), -ENOENT);
	assert_string_equal(why,
			    "tracefs has no kprobe_events: No such file or directory");
	tree_drop(&tree, TRACEFS_DIR "/README");
	tree_put(&tree, TRACEFS_DIR "/kprobe_events/x", "");
	assert_int_equal(tracefs_open(tree.fd, &tracefs, why), -EISDIR);
	assert_string_equal(why, "no probe on kprobe_seq_start: Is a directory");
	tree_remove(&tree);
}

static void refuse_with(const char *errno_giver, int error, const char *expected)
{
	char why[TRACEFS_WHY_BYTES];
	struct tracefs tracefs;
	struct tree tree;

	tree_new(&tree);
	tree_put(&tree, TRACEFS_DIR "/README", "");
	assert_int_equal(symlinkat(errno_giver, tree.fd, TRACEFS_DIR "/kprobe_events"),
			 0);
	assert_int_equal(tracefs_open(tree.fd, &tracefs, why), error);
	assert_string_equal(why, expected);
	tree_remove(&tree);
}

/* Real errors of real files that take no probe. */
static void test_what_the_kernel_makes_nothing_of(void **state)
{
	(void)state;
	/* As before 6.9: no such syntax. */
	refuse_with("/proc/self/oom_score_adj", -EINVAL,
		    "no probe on kprobe_seq_start: Invalid argument (arguments in "
		    "return probes need Linux 6.9)");
	refuse_with("/dev/full", -ENOSPC,
		    "no probe on kprobe_seq_start: No space left on device");
}

static bool set_flags(int fd, int flags)
{
	return ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0;
}

/* A locked-down kernel lets nobody open it for writing, not even root. */
static void test_lockdown(void **state)
{
	char why[TRACEFS_WHY_BYTES];
	struct tracefs tracefs;
	struct tree tree;
	int fd;

	(void)state;
	tree_new(&tree);
	tree_put(&tree, TRACEFS_DIR "/kprobe_events", "");
	fd = openat(tree.fd, TRACEFS_DIR "/kprobe_events", O_RDONLY | O_CLOEXEC);
	if (!set_flags(fd, FS_IMMUTABLE_FL)) {
		print_message("no immutable files here: not tested\n");
		close(fd);
		tree_remove(&tree);
		skip();
	}
	assert_int_equal(tracefs_open(tree.fd, &tracefs, why), -EPERM);
	assert_string_equal(why, "no probe on kprobe_seq_start: Operation not "
				 "permitted");
	assert_true(set_flags(fd, 0));
	close(fd);
	tree_remove(&tree);
}

/* A plain directory is no tracefs: the instance has no files. It still shows what is
 * written, and that all of it is taken back. */
static void test_probes_of_others_stay(void **state)
{
	static const char theirs[] = "p:them/probe do_sys_open\n";
	char why[TRACEFS_WHY_BYTES], text[2048];
	struct tracefs tracefs;
	struct tree tree;

	(void)state;
	tree_new(&tree);
	tree_put(&tree, TRACEFS_DIR "/kprobe_events", theirs);
	tree_put(&tree, TRACEFS_DIR "/instances/theirs", "");
	assert_int_equal(tracefs_open(tree.fd, &tracefs, why), -ENOENT);
	assert_string_equal(why, "tracefs: instance: No such file or directory");
	assert_int_equal(
		io_read_text(tree.fd, TRACEFS_DIR "/kprobe_events", text, sizeof(text)),
		0);
	assert_memory_equal(text, theirs, strlen(theirs));
	assert_non_null(strstr(text, "p:tdxupd/tdxupd_init tdh_mng_init td=$arg1\n"));
	assert_non_null(strstr(text, "r128:tdxupd/tdxupd_init_ret tdh_mng_init td=$arg1 "
				     "ret=$retval\n"));
	assert_non_null(
		strstr(strstr(text, "p:tdxupd/tdxupd_init"), "-:tdxupd/tdxupd_init\n"));
	assert_false(io_is_present(tree.fd, TRACEFS_DIR "/instances/tdxupd"));
	assert_true(io_is_present(tree.fd, TRACEFS_DIR "/instances/theirs"));
	tree_remove(&tree);
}

static void test_closing_what_is_closed(void **state)
{
	struct tracefs tracefs = TRACEFS_CLOSED;

	(void)state;
	tracefs_close(&tracefs);
	tracefs_close(&tracefs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_keeps_probes_from_being_placed),
		cmocka_unit_test(test_what_the_kernel_makes_nothing_of),
		cmocka_unit_test(test_lockdown),
		cmocka_unit_test(test_probes_of_others_stay),
		cmocka_unit_test(test_closing_what_is_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
