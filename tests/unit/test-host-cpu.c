// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>

#include "test.h"
#include "host-cpu.h"

#define CPU(physical_id, model, stepping)                                             \
	"processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\n"                \
	"model\t\t: " model "\nstepping\t: " stepping "\nphysical id\t: " physical_id \
	"\nbugs\t\t: spectre_v1 swapgs\n\n"

static int read_text(const char *text, struct tdxupd_host *ret)
{
	FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	int r;

	*ret = (struct tdxupd_host){};
	assert_non_null(file);
	r = host_cpu_read(file, ret);
	fclose(file);
	return r;
}

/* The CPUs of the published images, and one of each way in which the kernel adds up. */
static void test_signatures(void **state)
{
	(void)state;
	assert_int_equal(host_cpu_signature(6, 0xcf, 2), 0xc06f2);
	assert_int_equal(host_cpu_signature(6, 0x8f, 8), 0x806f8);
	assert_int_equal(host_cpu_signature(6, 0xaf, 0), 0xa06f0);
	assert_int_equal(host_cpu_signature(6, 0xad, 1), 0xa06d1);
	assert_int_equal(host_cpu_signature(19, 1, 0), 0x00400f10);
	assert_int_equal(host_cpu_signature(23, 1, 2), 0x00800f12);
	assert_int_equal(host_cpu_signature(15, 4, 1), 0x00000f41);
}

static void test_sockets_are_told_apart(void **state)
{
	struct tdxupd_host host;

	(void)state;
	assert_int_equal(read_text(CPU("0", "207", "2") CPU("0", "207", "2")
					   CPU("1", "207", "2"),
				   &host),
			 0);
	assert_int_equal(host.socket_count, 2);
	assert_int_equal(host.sockets[0].signature, 0xc06f2);
	assert_int_equal(host.sockets[1].physical_id, 1);
	/* Two kinds of CPU in one package: both count. */
	assert_int_equal(read_text(CPU("0", "207", "2") CPU("0", "143", "8"), &host), 0);
	assert_int_equal(host.socket_count, 2);
	assert_int_equal(host.sockets[1].signature, 0x806f8);
}

static void test_the_bug_is_a_word(void **state)
{
	static const struct {
		const char *bugs;
		bool has;
	} cases[] = {
		{ "bugs\t\t:\n", false },
		{ "bugs\t\t: seamret_invd_vmcs\n", true },
		{ "bugs\t\t: swapgs seamret_invd_vmcs mmio\n", true },
		{ "bugs\t\t: no_seamret_invd_vmcs\n", false },
		{ "bugs\t\t: seamret_invd_vmcs_not\n", false },
		{ "bugs\t\t: seamret_invd_vmcs_not seamret_invd_vmcs\n", true },
		{ "flags\t\t: seamret_invd_vmcs\nbugs\t: swapgs\n", false },
	};
	struct tdxupd_host host;
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text),
			 "processor\t: 0\ncpu family\t: 6\nmodel\t\t: 207\n"
			 "stepping\t: 2\n%s",
			 cases[i].bugs);
		assert_int_equal(read_text(text, &host), 0);
		assert_true(host.has_cpu_bugs);
		assert_int_equal(host.has_cpu_bug, cases[i].has);
	}
	/* One of many is enough. */
	assert_int_equal(read_text(CPU("0", "207",
				       "2") "processor : 1\ncpu family : 6\nmodel : 207\n"
					    "stepping : 2\nbugs : seamret_invd_vmcs\n",
				   &host),
			 0);
	assert_true(host.has_cpu_bug);
}

static void test_half_a_list_is_no_list(void **state)
{
	static const char *const cases[] = {
		"x\n",
		CPU("0", "207", "2") "processor\t: 1\ncpu family\t: 6\n",
		CPU("0", "256", "2"),
		CPU("0", "207", "16"),
		CPU("0", "207", ""),
		CPU("0", "-1", "0"),
		CPU("-1", "207", "2"),
		CPU("0", "99999999999999999999999999", "0"),
		CPU("0", "unknown", "0"),
	};
	struct tdxupd_host host;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(read_text(cases[i], &host), -EBADMSG);
		assert_int_equal(host.socket_count, 0);
		assert_false(host.has_cpu_bugs);
	}
}

static void test_too_many_sockets_are_unknown(void **state)
{
	struct tdxupd_host host;
	char *text;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	(void)state;
	for (unsigned i = 0; i <= TDXUPD_SOCKETS_MAX; i++)
		fprintf(file,
			"processor : %u\ncpu family : 6\nmodel : 207\nstepping : 2\n"
			"physical id : %u\nbugs :\n",
			i, i);
	fclose(file);
	assert_int_equal(read_text(text, &host), -EBADMSG);
	assert_int_equal(host.socket_count, 0);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signatures),
		cmocka_unit_test(test_sockets_are_told_apart),
		cmocka_unit_test(test_the_bug_is_a_word),
		cmocka_unit_test(test_half_a_list_is_no_list),
		cmocka_unit_test(test_too_many_sockets_are_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
