// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "test.h"
#include "host-cpu.h"
#include "tdxupd.h"
#include "tree.h"

#define DEVICE "sys/devices/faux/tdx_host/"

static struct tree tree;

static int setup(void **state)
{
	(void)state;
	tree_new(&tree);
	tree_put_host(&tree);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tree_remove(&tree);
	return 0;
}

static struct tdxupd_host *read_host(void)
{
	struct tdxupd_host *host = NULL;

	assert_int_equal(tdxupd_host_read(tree.fd, &host), 0);
	return host;
}

static void test_reads_everything_that_is_there(void **state)
{
	struct tdxupd_host *host = read_host();
	char mrseam[TDXUPD_DIGEST_TEXT_BYTES];

	(void)state;
	assert_int_equal(host->state, TDXUPD_TDX_LIVE);
	assert_int_equal(host->module_version.update, 6);
	assert_true(host->has_seamldr_version);
	assert_int_equal(host->seamldr_version.minor, 5);
	assert_true(host->has_remaining_updates);
	assert_int_equal(host->remaining_updates, 12);
	assert_true(host->has_features0);
	assert_int_equal(host->features0, 0x2e1f0fbf);
	assert_true(host->has_mrseam);
	assert_string_equal(tdxupd_digest_format(&host->mrseam, mrseam), TREE_MRSEAM);
	assert_true(host->has_tee_tcb_svn);
	assert_memory_equal(host->tee_tcb_svn, "\6\1\0", 3);
	assert_true(host->has_update_guard);
	assert_int_equal(host->update_guard, TDXUPD_GUARD_KERNEL);
	assert_true(host->has_tds_building);
	assert_int_equal(host->tds_building, 0);
	assert_true(host->has_td_count);
	assert_int_equal(host->td_count, 2);
	assert_true(host->has_fw_upload);
	assert_true(host->has_trigger);
	assert_int_equal(host->socket_count, 1);
	assert_int_equal(host->sockets[0].signature, 0xc06f2);
	assert_true(host->has_cpu_bugs);
	assert_false(host->has_cpu_bug);
	assert_true(host->has_cpus);
	assert_int_equal(tdxupd_cpuset_count(&host->online), 4);
	assert_string_equal(host->boot_id, "5f8b0a52-7a04-4f3c-9a53-27c3f0c9a1de");
	tdxupd_host_free(host);
}

/* A socket can be looked up and not be opened: ENXIO, what `version` of a lost module is.
 */
static void make_unreadable_with_enxio(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	tree_drop(&tree, path);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", tree.path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
}

static void test_enxio_means_that_tdx_is_lost(void **state)
{
	struct tdxupd_host *host;

	(void)state;
	make_unreadable_with_enxio(DEVICE "version");
	host = read_host();
	assert_int_equal(host->state, TDXUPD_TDX_LOST);
	assert_true(host->has_seamldr_version);
	tdxupd_host_free(host);
}

static void test_state_without_a_good_version(void **state)
{
	struct tdxupd_host *host;

	(void)state;
	tree_put(&tree, DEVICE "version", "1.5\n");
	host = read_host();
	assert_int_equal(host->state, TDXUPD_TDX_UNKNOWN);
	tdxupd_host_free(host);

	tree_drop(&tree, DEVICE "version");
	host = read_host();
	assert_int_equal(host->state, TDXUPD_TDX_UNKNOWN);
	tdxupd_host_free(host);
}

static void test_a_machine_without_tdx_is_no_error(void **state)
{
	struct tree empty;
	struct tdxupd_host *host;

	(void)state;
	tree_new(&empty);
	assert_int_equal(tdxupd_host_read(empty.fd, &host), 0);
	assert_int_equal(host->state, TDXUPD_TDX_ABSENT);
	assert_false(host->has_remaining_updates);
	assert_false(host->has_features0);
	assert_false(host->has_cpus);
	assert_false(host->has_cpu_bugs);
	assert_false(host->has_td_count);
	assert_int_equal(host->socket_count, 0);
	assert_int_equal(tdxupd_host_open_builds(empty.fd), -ENODATA);
	tdxupd_host_free(host);
	tree_remove(&empty);
}

/* One file replaced, or gone where text is NULL, leaves one fact unknown. */
static void test_unknown_is_flagged(void **state)
{
	static const struct {
		const char *path, *text;
		size_t flag;
	} cases[] = {
#define FLAG(member) offsetof(struct tdxupd_host, member)
		{ DEVICE "seamldr_version", NULL, FLAG(has_seamldr_version) },
		{ DEVICE "seamldr_version", "1.5.999999999999\n",
		  FLAG(has_seamldr_version) },
		{ DEVICE "num_remaining_updates", NULL, FLAG(has_remaining_updates) },
		{ DEVICE "num_remaining_updates", "-1\n", FLAG(has_remaining_updates) },
		{ DEVICE "num_remaining_updates", "\n", FLAG(has_remaining_updates) },
		{ DEVICE "num_remaining_updates", "4294967296\n",
		  FLAG(has_remaining_updates) },
		{ DEVICE "num_remaining_updates", "12 \n", FLAG(has_remaining_updates) },
		{ DEVICE "features0", NULL, FLAG(has_features0) },
		{ DEVICE "features0", "0x\n", FLAG(has_features0) },
		{ DEVICE "features0", "0x10000000000000000\n", FLAG(has_features0) },
		{ DEVICE "mrseam", NULL, FLAG(has_mrseam) },
		{ DEVICE "mrseam", "\n", FLAG(has_mrseam) },
		{ DEVICE "mrseam", TREE_MRSEAM "0\n", FLAG(has_mrseam) },
		{ DEVICE "tee_tcb_svn", NULL, FLAG(has_tee_tcb_svn) },
		{ DEVICE "tee_tcb_svn", "0601000000000000000000000000000\n",
		  FLAG(has_tee_tcb_svn) },
		{ DEVICE "tee_tcb_svn", "0x010000000000000000000000000000\n",
		  FLAG(has_tee_tcb_svn) },
		{ DEVICE "update_guard", NULL, FLAG(has_update_guard) },
		{ DEVICE "update_guard", "somebody\n", FLAG(has_update_guard) },
		{ DEVICE "tds_building", NULL, FLAG(has_tds_building) },
		{ DEVICE "update", NULL, FLAG(has_trigger) },
		{ "sys/fs/cgroup/misc.current", NULL, FLAG(has_td_count) },
		{ "sys/fs/cgroup/misc.current", "sev 3\n", FLAG(has_td_count) },
		{ "sys/fs/cgroup/misc.current", "tdx -1\n", FLAG(has_td_count) },
		{ "sys/devices/system/cpu/online", NULL, FLAG(has_cpus) },
		{ "sys/devices/system/cpu/possible", "0-9999\n", FLAG(has_cpus) },
		{ "proc/cpuinfo", "", FLAG(has_cpu_bugs) },
		{ "proc/cpuinfo", NULL, FLAG(has_cpu_bugs) },
#undef FLAG
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tdxupd_host *before, *after;

		tree_put_host(&tree);
		before = read_host();
		if (cases[i].text)
			tree_put(&tree, cases[i].path, cases[i].text);
		else
			tree_drop(&tree, cases[i].path);
		after = read_host();
		assert_true(*((bool *)before + cases[i].flag));
		assert_false(*((bool *)after + cases[i].flag));
		tdxupd_host_free(before);
		tdxupd_host_free(after);
	}
}

static void test_boot_id_is_one_or_empty(void **state)
{
	struct tdxupd_host *host;

	(void)state;
	tree_put(&tree, "proc/sys/kernel/random/boot_id", "../../../etc/passwd\n");
	host = read_host();
	assert_string_equal(host->boot_id, "");
	tdxupd_host_free(host);
}

static void test_builds_can_be_read_again(void **state)
{
	uint32_t count = 42;
	int fd = tdxupd_host_open_builds(tree.fd);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(tdxupd_host_read_builds(fd, &count), 0);
	assert_int_equal(count, 0);
	tree_put(&tree, DEVICE "tds_building", "3\n");
	assert_int_equal(tdxupd_host_read_builds(fd, &count), 0);
	assert_int_equal(count, 3);
	tree_put(&tree, DEVICE "tds_building", "many\n");
	assert_int_equal(tdxupd_host_read_builds(fd, &count), -EBADMSG);
	assert_int_equal(count, 3);
	close(fd);
}

static void test_bad_arguments(void **state)
{
	struct tdxupd_host *host = NULL;
	int fd = openat(tree.fd, DEVICE "version", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(tdxupd_host_read(AT_FDCWD, &host), -EINVAL);
	assert_int_equal(tdxupd_host_read(tree.fd, NULL), -EINVAL);
	assert_int_equal(tdxupd_host_read(fd, &host), -ENOTDIR);
	assert_int_equal(tdxupd_host_open_builds(AT_FDCWD), -EINVAL);
	assert_null(host);
	close(fd);
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(tdxupd_tdx_state_to_string(TDXUPD_TDX_LOST), "lost");
	assert_null(tdxupd_tdx_state_to_string(_TDXUPD_TDX_MAX));
	assert_int_equal(tdxupd_guard_from_string("module"), TDXUPD_GUARD_MODULE);
	assert_int_equal(tdxupd_guard_from_string("kernel\n"), -EINVAL);
	assert_string_equal(tdxupd_feature_to_string(1), "TD_PRESERVING");
	assert_null(tdxupd_feature_to_string(63));
	assert_null(tdxupd_feature_to_string(64));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_reads_everything_that_is_there,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_enxio_means_that_tdx_is_lost, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_state_without_a_good_version, setup,
						teardown),
		cmocka_unit_test(test_a_machine_without_tdx_is_no_error),
		cmocka_unit_test_setup_teardown(test_unknown_is_flagged, setup, teardown),
		cmocka_unit_test_setup_teardown(test_boot_id_is_one_or_empty, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_builds_can_be_read_again, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_bad_arguments, setup, teardown),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
