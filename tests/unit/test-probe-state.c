// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>

#include "test.h"
#include "probe-state.h"
#include "util.h"

/* As Linux 6.12 shows them. */
#define COUNTS(init, init_misses)                                                        \
	"  tdxupd_canary                                            7               1\n" \
	"  tdxupd_canary_ret                                        7               2\n" \
	"  tdxupd_freeid                                            1               0\n" \
	"  tdxupd_vpflushdone                                       2               0\n" \
	"  tdxupd_finalize                                          3               5\n" \
	"  tdxupd_init_ret                                          4               0\n" \
	"  tdxupd_init                          " init "   " init_misses "\n"

static void test_counts(void **state)
{
	static const struct {
		const char *text;
		int r;
		uint64_t misses;
	} table[] = {
		{ COUNTS("5", "0"), 0, 5 },
		{ "  tdxupd_inits 9 9\n  other 1 1\n" COUNTS("5", "8"), 0, 13 },
		{ "", -ENODATA, 0 },
		{ "  tdxupd_init 5 0\n", -ENODATA, 0 },
		/* whose is it? */
		{ "  tdxupd_init 5 0\n" COUNTS("5", "8"), -EEXIST, 0 },
		/* cut short */
		{ "  tdxupd_canary 1 0\n  tdxupd_canary_ret 1 0\n  tdxupd_freeid 1 0\n"
		  "  tdxupd_vpflushdone 2 0\n  tdxupd_finalize 3 0\n"
		  "  tdxupd_init_ret 4 0\n  tdxupd_init 4 1",
		  -ENODATA, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct probe_counts counts = { .misses = 99 };

		assert_int_equal(probe_counts_parse(table[i].text, &counts), table[i].r);
		if (table[i].r < 0) {
			assert_int_equal(counts.misses, 99);
			continue;
		}
		assert_int_equal(counts.misses, table[i].misses);
		assert_int_equal(counts.hits[PROBE_FINALIZE], 3);
		assert_int_equal(counts.hits[PROBE_INIT_RETURN], 4);
		assert_int_equal(counts.hits[PROBE_INIT], 5);
	}
}

#define LINE(kind, symbol, flags) "ffffffff8600d4d4  " kind "  " symbol "  " flags "\n"
#define CANARY                                          \
	LINE("r", "kprobe_seq_start+0x4", "  [FTRACE]") \
	LINE("k", "kprobe_seq_start+0x4", "  [FTRACE]")
#define ENDS                                                          \
	LINE("r", "tdh_mng_key_freeid+0x4", "tdx_host_sim [FTRACE]")  \
	LINE("r", "tdh_mng_vpflushdone+0x4", "tdx_host_sim [FTRACE]") \
	LINE("r", "tdh_mr_finalize+0x4", "tdx_host_sim [FTRACE]")
#define BEGIN(kind, flags) LINE(kind, "tdh_mng_init+0x4", "tdx_host_sim " flags)
#define BEGINS             BEGIN("r", "[FTRACE]") BEGIN("k", "[FTRACE]")

static void test_lists(void **state)
{
	static const struct {
		const char *text;
		const char *why;
	} table[] = {
		{ CANARY ENDS BEGINS, NULL },
		{ BEGINS ENDS CANARY, NULL },
		/* without ftrace in the kernel none has it */
		{ LINE("r", "kprobe_seq_start+0x0",
		       "") LINE("k", "kprobe_seq_start+0x0",
				"") LINE("r", "tdh_mng_key_freeid+0x0",
					 "") LINE("r", "tdh_mng_vpflushdone+0x0", "")
			  LINE("r", "tdh_mr_finalize+0x0", "")
				  LINE("r", "tdh_mng_init+0x0", "")
					  LINE("k", "tdh_mng_init+0x0", "[OPTIMIZED]"),
		  NULL },
		/* others' */
		{ LINE("k", "vfs_read+0x4", "  [DISABLED][FTRACE]") CANARY ENDS BEGINS,
		  NULL },
		{ BEGIN("k", "[FTRACE]") CANARY ENDS BEGINS, NULL },
		{ "", "the probe on kprobe_seq_start is not there" },
		{ CANARY ENDS BEGIN("r", "[FTRACE]"),
		  "the probe on tdh_mng_init is not there" },
		{ CANARY ENDS BEGIN("r", "[FTRACE]") BEGIN("k", "[DISABLED][FTRACE]"),
		  "the probe on tdh_mng_init is switched off" },
		/* which of two is ours nobody can tell */
		{ CANARY ENDS BEGIN("k", "[DISABLED][FTRACE]") BEGINS,
		  "the probe on tdh_mng_init is switched off" },
		{ CANARY ENDS BEGIN("r", "[GONE]") BEGIN("k", "[GONE]"),
		  "the probe on tdh_mng_init is gone with its module" },
		{ CANARY ENDS BEGIN("r", "[FTRACE]") BEGIN("k", ""),
		  "the probe on tdh_mng_init is of another kind than the canary's" },
		/* cut short */
		{ CANARY ENDS BEGIN("r", "[FTRACE]") "ffff  k  tdh_mng_init+0x4 [FTRACE]",
		  "the probe on tdh_mng_init is not there" },
		{ "no list\nat all\n\n", "the probe on kprobe_seq_start is not there" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		char why[PROBE_STATE_WHY_BYTES] = "";

		assert_int_equal(probe_list_check(table[i].text, why),
				 table[i].why ? -ENODATA : 0);
		assert_string_equal(why, table[i].why ?: "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
