// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>

#include "test.h"
#include "probe-line.h"
#include "util.h"

#define REST                                                                  \
	" [001] d..1.   812.345678: tdxupd_init_ret: (tdx_init+0x12/0x40 <- " \
	"tdh_mng_init)"

static void test_lines_of_our_probes(void **state)
{
	static const struct {
		const char *line;
		struct probe_event event;
	} table[] = {
		{ "        qemu-kvm-4242   " REST " td=0xff11000102030000 ret=0x0",
		  { PROBE_EVENT_CALL, PROBE_INIT_RETURN, 0xff11000102030000, 0, 812345678,
		    4242, "qemu-kvm" } },
		/* the kernel names the caller's module */
		{ "           vmm-7       [000] .....     0.000001: tdxupd_finalize: "
		  "(tdx_td_finalize+0x55/0x1b0 [kvm_intel] <- tdh_mr_finalize) "
		  "td=0x1 ret=0x8000020000000080",
		  { PROBE_EVENT_CALL, PROBE_FINALIZE, 1, 0x8000020000000080, 1, 7,
		    "vmm" } },
		{ "           vmm-7       [255] ..... 99999.999999: tdxupd_vpflushdone: "
		  "(a <- "
		  "b) "
		  "td=0xffffffffffffffff ret=0x0",
		  { PROBE_EVENT_CALL, PROBE_VPFLUSHDONE, UINT64_MAX, 0, 99999999999, 7,
		    "vmm" } },
		{ "           vmm-7       [000] .....     1.000000: tdxupd_freeid: (a <- "
		  "b) "
		  "td=0x2 "
		  "ret=0x0",
		  { PROBE_EVENT_CALL, PROBE_FREEID, 2, 0, 1000000, 7, "vmm" } },
		/* a task may call itself anything */
		{ " CPU 0/KVM-1-4242  " REST " td=0x1 ret=0x0",
		  { PROBE_EVENT_CALL, PROBE_INIT_RETURN, 1, 0, 812345678, 4242,
		    "CPU 0/KVM-1" } },
		{ " [9] freeid: (a) -4242  " REST " td=0x1 ret=0x0",
		  { PROBE_EVENT_CALL, PROBE_INIT_RETURN, 1, 0, 812345678, 4242,
		    "[9] freeid: (a) " } },
		{ "CPU:1 [LOST 1 E-4242  " REST " td=0x1 ret=0x0",
		  { PROBE_EVENT_CALL, PROBE_INIT_RETURN, 1, 0, 812345678, 4242,
		    "CPU:1 [LOST 1 E" } },
		{ "        a\x1b[31mb-4242  " REST " td=0x1 ret=0x0",
		  { PROBE_EVENT_CALL, PROBE_INIT_RETURN, 1, 0, 812345678, 4242,
		    "a?[31mb" } },
		{ "-4242  " REST " td=0x1 ret=0x0",
		  { PROBE_EVENT_CALL, PROBE_INIT_RETURN, 1, 0, 812345678, 4242, "" } },
		/* entries have no result */
		{ "           vmm-7       [000] ...1.     1.000000: tdxupd_init: "
		  "(tdh_mng_init+0x4/0x20 [tdx_host_sim]) td=0x2",
		  { PROBE_EVENT_CALL, PROBE_INIT, 2, 0, 1000000, 7, "vmm" } },
		{ " a ret=0x5 b-7       [000] ...1.     1.000000: tdxupd_canary: "
		  "(kprobe_seq_start+0x4/0x20) td=0x2",
		  { PROBE_EVENT_CALL, PROBE_CANARY, 2, 0, 1000000, 7, "a ret=0x5 b" } },
		{ "CPU:3 [LOST 12 EVENTS]", { .kind = PROBE_EVENT_LOST } },
		{ "CPU:127 [LOST EVENTS]", { .kind = PROBE_EVENT_LOST } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		const struct probe_event *wanted = &table[i].event;
		struct probe_event event;

		assert_int_equal(probe_line_parse(table[i].line, &event), 0);
		assert_int_equal(event.kind, wanted->kind);
		assert_int_equal(event.call, wanted->call);
		assert_true(event.td == wanted->td && event.result == wanted->result);
		assert_true(event.usec == wanted->usec);
		assert_int_equal(event.pid, wanted->pid);
		assert_string_equal(event.task, wanted->task);
	}
}

static void test_everything_else_is_bad(void **state)
{
	static const char *const table[] = {
		"",
		" ",
		"ret=0x0",
		" td=0x1 ret=0x0",
		"##### CPU 2 buffer started ####",
		"LOST EVENTS]",
		"CPU:3 [LOST 12 EVENTS] ",
		" vmm-1 " REST,
		" vmm-1 " REST " td=0x1",
		" vmm-1 " REST " td=0x1 ret=0x",
		" vmm-1 [001] d..1. 1.000000: tdxupd_init: (a+0x4/0x20) td=0x1 ret=0x0",
		" vmm-1 [001] d..1. 1.000000: init: (a+0x4/0x20) td=0x1",
		" vmm-1 " REST " td=0x1 ret=0",
		" vmm-1 " REST " td=0x1 ret=0xg",
		" vmm-1 " REST " td=0x1 ret=0x0 ",
		" vmm-1 " REST " td=0x1 ret=0x00000000000000000",
		" vmm-1 " REST " td=(fault) ret=0x0",
		" vmm-1 [001] d..1. 1.000000: tdxupd_init_rets: (a <- b) td=0x1 ret=0x0",
		" vmm-1 [001] d..1. 1.000000: tdxupd_init_ret (a <- b) td=0x1 ret=0x0",
		" vmm-1 [001] d..1. 1.00000: tdxupd_init_ret: (a <- b) td=0x1 ret=0x0",
		" vmm-1 [001] d..1. x.000000: tdxupd_init_ret: (a <- b) td=0x1 ret=0x0",
		" vmm-1 [001] d..1. 9999999999999.000000: tdxupd_init_ret: (a <- b) "
		"td=0x1 ret=0x0",
		" vmm-1 [] d..1. 1.000000: tdxupd_init_ret: (a <- b) td=0x1 ret=0x0",
		" vmm-1 [001 d..1. 1.000000: tdxupd_init_ret: (a <- b) td=0x1 ret=0x0",
		" vmm-x [001] d..1. 1.000000: tdxupd_init_ret: (a <- b) td=0x1 ret=0x0",
		" vmm-99999999999 [001] d..1. 1.000000: tdxupd_init_ret: (a <- b) td=0x1 "
		"ret=0x0",
		" vmm [001] d..1. 1.000000: tdxupd_init_ret: (a <- b) td=0x1 ret=0x0",
		" a name that is longer than any task's-1 " REST " td=0x1 ret=0x0",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct probe_event event = { .pid = 42 };

		assert_int_equal(probe_line_parse(table[i], &event), -EBADMSG);
		assert_int_equal(event.pid, 42);
	}
}

/* Cut anywhere, a line never reads as another call. */
static void test_a_cut_line_is_bad(void **state)
{
	static const char line[] = "  qemu-kvm-4242  " REST " td=0xff11 ret=0x80";

	(void)state;
	for (size_t i = 0; i < strlen(line); i++) {
		struct probe_event event;
		char cut[sizeof(line)];

		snprintf(cut, sizeof(cut), "%.*s", (int)i, line);
		if (i == strlen(line) - 1) /* a digit less is still a number */
			continue;
		assert_int_equal(probe_line_parse(cut, &event), -EBADMSG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_of_our_probes),
		cmocka_unit_test(test_everything_else_is_bad),
		cmocka_unit_test(test_a_cut_line_is_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
