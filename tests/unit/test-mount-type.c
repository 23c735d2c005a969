// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdio.h>

#include "mount-type.h"
#include "test.h"

static const char mounts[] =
	"22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n"
	"23 22 0:21 / /proc rw,nosuid shared:12 - proc proc rw\n"
	"30 22 0:40 / /srv rw - nfs4 server:/export rw,vers=4.2\n"
	"31 30 254:2 / /srv/local rw master:3 propagate_from:2 - xfs /dev/vdb rw\n"
	"32 22 0:41 / /with\\040space rw - fuse.sshfs host: rw\n"
	"33 22 0:42 / /twice rw - tmpfs tmpfs rw\n"
	"34 33 0:43 / /twice rw - 9p share rw\n"
	"no line of the kernel's\n";

static void test_the_type_below_a_path(void **state)
{
	static const struct {
		const char *path, *type;
		bool is_remote;
	} table[] = {
		{ "/", "ext4", false },
		{ "/usr/lib/firmware", "ext4", false },
		{ "/srv", "nfs4", true },
		{ "/srv/images", "nfs4", true },
		{ "/srv/local/images", "xfs", false },
		{ "/srvr", "ext4", false },
		{ "/with space/images", "fuse.sshfs", true },
		/* What was mounted last is on top. */
		{ "/twice/images", "9p", true },
	};
	char type[MOUNT_TYPE_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_true(mount_type_find(mounts, table[i].path, type));
		assert_string_equal(type, table[i].type);
		assert_int_equal(mount_type_is_remote(type), table[i].is_remote);
	}
}

static void test_no_list_tells_nothing(void **state)
{
	static const char *const texts[] = { "", "\n", "1 2 3", "1 2 3 4 / -",
					     "1 2 3 4 / - " };
	char type[MOUNT_TYPE_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_false(mount_type_find(texts[i], "/", type));
}

/* @line goes through a list of mounts: does the sum for @path know? */
static bool is_concerned(const char *path, const char *line)
{
	char text[1024];

	snprintf(text, sizeof(text), "%s%s", mounts, line);
	return mount_type_sum(text, path) != mount_type_sum(mounts, path);
}

static void test_what_concerns_a_path(void **state)
{
	static const struct {
		const char *path, *line;
		bool is_concerned;
	} table[] = {
		{ "/usr/lib/images", "40 22 0:50 / /usr ro - overlay sysext ro\n", true },
		{ "/usr/lib/images", "40 22 0:50 / /usr/lib/images rw - tmpfs t rw\n",
		  true },
		{ "/usr/lib/images", "40 22 0:50 / /usr/lib/images/a/b rw - tmpfs t rw\n",
		  true },
		{ "/usr/lib/images", "40 22 0:50 / / rw - tmpfs t rw\n", true },
		{ "/with space/images",
		  "40 22 0:50 / /with\\040space/images rw - xfs x\n", true },
		{ "/usr/lib/images", "40 22 0:50 / /usr/lib/image rw - tmpfs t rw\n",
		  false },
		{ "/usr/lib/images", "40 22 0:50 / /usr/lib/images2 rw - tmpfs t rw\n",
		  false },
		{ "/usr/lib/images", "40 22 0:50 / /run/user/0 rw - tmpfs t rw\n",
		  false },
		{ "/usr/lib/images", "no line of the kernel's, again\n", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		assert_int_equal(is_concerned(table[i].path, table[i].line),
				 table[i].is_concerned);
	/* Another number, or another device, is another mount. */
	assert_int_not_equal(mount_type_sum("40 22 0:50 / /usr rw - xfs x\n", "/usr"),
			     mount_type_sum("41 22 0:50 / /usr rw - xfs x\n", "/usr"));
	assert_int_not_equal(mount_type_sum("40 22 0:50 / /usr rw - xfs x\n", "/usr"),
			     mount_type_sum("40 22 0:51 / /usr rw - xfs x\n", "/usr"));
	assert_int_equal(mount_type_sum("", "/usr"), mount_type_sum("", "/"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_concerns_a_path),
		cmocka_unit_test(test_the_type_below_a_path),
		cmocka_unit_test(test_no_list_tells_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
