// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * An update of the simulated module, call by call: what SYS.SHUTDOWN refuses and leaves
 * alone, what the host gets and has lost afterwards, and what becomes of TDs.
 */
#include "tdx-model-test.h"

#include <errno.h>

#include "util.h"

#define COMPAT    TDX_FEATURES0_UPDATE_COMPATIBILITY
#define FEATURES  (0x2E1F0FBFULL)
#define AVOID     TDX_SHUTDOWN_AVOID_COMPAT_SENSITIVE
#define SENSITIVE TDX_UPDATE_COMPAT_SENSITIVE

static void test_shutdown_refuses_and_stays_ready(void **state)
{
	static const struct {
		u64 features0;
		u16 hv, min_hv;
		bool no_downgrade;
		unsigned building, interrupted;
		u64 rcx, status;
	} rows[] = {
		/* Handoff versions. */
		{ FEATURES, 0, 0, false, 0, 0, 0, 0 },
		{ FEATURES, 0, 0, false, 0, 0, 1, TDX_OPERAND_INVALID | 1 },
		{ FEATURES, 3, 1, false, 0, 0, 0, TDX_OPERAND_INVALID | 1 },
		{ FEATURES, 3, 1, false, 0, 0, 1, 0 },
		{ FEATURES, 3, 1, false, 0, 0, 3, 0 },
		{ FEATURES, 3, 1, false, 0, 0, 4, TDX_OPERAND_INVALID | 1 },
		{ FEATURES, 3, 1, true, 0, 0, 2, TDX_OPERAND_INVALID | 1 },
		{ FEATURES, 3, 1, true, 0, 0, 3, 0 },
		/* Without the feature the flag is a number far too large. */
		{ FEATURES, 0, 0, false, 0, 0, AVOID, TDX_OPERAND_INVALID | 1 },
		{ FEATURES, 0xFFFF, 0, false, 0, 0, AVOID, TDX_OPERAND_INVALID | 1 },
		/* With it the bits above are reserved. */
		{ FEATURES | COMPAT, 1, 0, false, 0, 0, AVOID << 1,
		  TDX_OPERAND_INVALID | 1 },
		{ FEATURES | COMPAT, 1, 0, false, 0, 0, 1ULL << 63,
		  TDX_OPERAND_INVALID | 1 },
		{ FEATURES | COMPAT, 1, 0, false, 0, 0, AVOID | 2,
		  TDX_OPERAND_INVALID | 1 },
		{ FEATURES | COMPAT, 1, 0, false, 0, 0, AVOID | 1, 0 },
		{ FEATURES | COMPAT, 1, 0, false, 2, 0, AVOID | 1, SENSITIVE | 0x20000 },
		{ FEATURES | COMPAT, 1, 0, false, 2, 0, 1, 0 },
		{ FEATURES | COMPAT, 1, 0, false, 0, 1, AVOID | 1, SENSITIVE | 0x10001 },
		{ FEATURES | COMPAT, 1, 0, false, 1, 1, AVOID | 1, SENSITIVE | 0x10000 },
		/* A module without the feature has no counters to look at. */
		{ FEATURES, 1, 0, false, 2, 1, 1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct tdx_model *model = new_model();
		char line[160];
		u64 status;

		snprintf(line, sizeof(line),
			 "boot features0=0x%llx hv=%u min_hv=%u no_downgrade=%d",
			 rows[i].features0, rows[i].hv, rows[i].min_hv,
			 rows[i].no_downgrade);
		tell(model, line);
		for (unsigned td = 0; td < rows[i].building; td++) {
			snprintf(line, sizeof(line), "td build b%u 1m", td);
			tell(model, line);
		}
		if (rows[i].interrupted) {
			tell(model, "td build m 0s");
			tell(model, "td migrate m interrupt");
		}
		status = call(model, 0, TDH_SYS_SHUTDOWN, rows[i].rcx);
		if (status != rows[i].status)
			fail_msg("row %zu: 0x%016llx", i, status);
		assert_int_equal(model->module.state,
				 status ? TDX_MODEL_SYS_READY : TDX_MODEL_SYS_SHUTDOWN);
		assert_int_equal(model->handoff.is_valid, !status);
		tdx_model_free(model);
	}
}

static void test_busy_leaves_the_module_ready(void **state)
{
	struct tdx_model *model = new_model();

	(void)state;
	tell(model, "fail sys-busy=1");
	assert_int_equal(call(model, 0, TDH_SYS_SHUTDOWN, 0), TDX_SYS_BUSY);
	assert_int_equal(call(model, 0, TDH_SYS_SHUTDOWN, 0), 0);
	tdx_model_free(model);
}

/* Which leaf answers what, by the state that the module is in. */
static void test_dispatcher_by_state(void **state)
{
	static const struct {
		enum tdx_model_sys_state state;
		bool is_seam_ready, is_lp_init;
		unsigned leaf;
		u64 status;
	} rows[] = {
		{ TDX_MODEL_SYS_READY, false, true, TDH_SYS_RD,
		  TDX_SEAMCALL_VMFAILINVALID },
		{ TDX_MODEL_SYS_SHUTDOWN, true, true, TDH_SYS_RD, TDX_SYS_SHUTDOWN },
		{ TDX_MODEL_SYS_SHUTDOWN, true, true, TDH_VP_ENTER, TDX_SYS_SHUTDOWN },
		{ TDX_MODEL_SYS_SHUTDOWN, true, false, TDH_SYS_INIT, TDX_SYS_SHUTDOWN },
		{ TDX_MODEL_SYS_INIT_PENDING, true, true, TDH_MNG_CREATE,
		  TDX_SYS_NOT_READY },
		{ TDX_MODEL_SYS_INIT_DONE, true, true, TDH_MNG_CREATE,
		  TDX_SYS_NOT_READY },
		{ TDX_MODEL_SYS_CONFIG_DONE, true, true, TDH_SYS_SHUTDOWN,
		  TDX_SYS_NOT_READY },
		{ TDX_MODEL_SYS_INIT_DONE, true, false, TDH_SYS_RD,
		  TDX_SYS_LP_INIT_NOT_DONE },
		{ TDX_MODEL_SYS_INIT_PENDING, true, false, TDH_SYS_INIT, 0 },
		{ TDX_MODEL_SYS_INIT_DONE, true, false, TDH_SYS_INIT,
		  TDX_SYS_INIT_NOT_PENDING },
		{ TDX_MODEL_SYS_INIT_PENDING, true, false, TDH_SYS_LP_INIT,
		  TDX_SYS_LP_INIT_NOT_PENDING },
		{ TDX_MODEL_SYS_INIT_DONE, true, true, TDH_SYS_LP_INIT,
		  TDX_SYS_LP_INIT_DONE },
		{ TDX_MODEL_SYS_READY, true, true, TDH_SYS_UPDATE,
		  TDX_SYS_STATE_INCORRECT },
		{ TDX_MODEL_SYS_READY, true, true, TDH_SYS_CONFIG,
		  TDX_SYS_CONFIG_NOT_PENDING },
		{ TDX_MODEL_SYS_READY, true, true, TDH_SYS_KEY_CONFIG,
		  TDX_SYS_KEY_CONFIG_NOT_PENDING },
		{ TDX_MODEL_SYS_INIT_DONE, true, true, TDH_SYS_TDMR_INIT,
		  TDX_SYS_NOT_READY },
		{ TDX_MODEL_SYS_READY, true, true, 0x3FF, TDX_OPERAND_INVALID },
		{ TDX_MODEL_SYS_READY, true, true, TDH_SYS_RD | 1 << 16,
		  TDX_OPERAND_INVALID },
		{ TDX_MODEL_SYS_READY, true, true, TDH_SYS_RD,
		  TDX_METADATA_FIELD_NOT_READABLE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct tdx_model *model = new_model();
		u64 status;

		model->module.state = rows[i].state;
		model->loader.is_seam_ready = rows[i].is_seam_ready;
		model->module.is_lp_init[1] = rows[i].is_lp_init;
		status = call(model, 1, rows[i].leaf, 0);
		if (status != rows[i].status)
			fail_msg("row %zu: 0x%016llx", i, status);
		tdx_model_free(model);
	}
}

static void test_reads_metadata(void **state)
{
	static const struct {
		u64 field, value;
	} rows[] = {
		{ TDX_FIELD_MAJOR_VERSION, 1 },  { TDX_FIELD_MINOR_VERSION, 5 },
		{ TDX_FIELD_UPDATE_VERSION, 6 }, { TDX_FIELD_FEATURES0, FEATURES },
		{ TDX_FIELD_MODULE_HV, 0 },      { TDX_FIELD_MIN_UPDATE_HV, 0 },
		{ TDX_FIELD_NO_DOWNGRADE, 0 },   { TDX_FIELD_NUM_HANDOFF_PAGES, 13 },
	};
	struct tdx_model *model = new_model();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct tdx_model_regs regs = { .rdx = rows[i].field };

		assert_int_equal(tdx_model_seamcall(model, 0, TDH_SYS_RD, &regs), 0);
		assert_int_equal(regs.r8, rows[i].value);
	}
	tdx_model_free(model);
}

/* The host's errno, and whether it has a module afterwards. */
static void test_what_the_host_gets(void **state)
{
	static const struct {
		const char *before;
		int error;
		bool is_live;
		u64 leaf, status;
	} rows[] = {
		{ "status", 0, true, 0, 0 },
		{ "fail sys-busy=1", -EIO, true, TDH_SYS_SHUTDOWN, TDX_SYS_BUSY },
		{ "set patch=blind", -EIO, true, TDH_SYS_SHUTDOWN,
		  TDX_OPERAND_INVALID | 1 },
		{ "set patch=bit", 0, true, 0, 0 },
		{ "lp offline 3", -ENODEV, false, TDH_SYS_INIT,
		  TDX_SEAMCALL_VMFAILINVALID },
		{ "set remaining=0", -EIO, false, SEAMLDR_INSTALL, SEAMLDR_EBADCALL },
		{ "set cpu=0x206f8", -EIO, false, SEAMLDR_INSTALL, SEAMLDR_EUNSUPCPU },
		{ "trust none", -EIO, false, SEAMLDR_INSTALL, SEAMLDR_EBADSIG },
		{ "boot svn=0x010b", 0, true, 0, 0 },
		{ "boot svn=0x0110", -EIO, false, SEAMLDR_INSTALL, SEAMLDR_EBADSIG },
		{ "boot svn=0x0201", -EIO, false, SEAMLDR_INSTALL, SEAMLDR_EUNSUPPORTED },
		{ "boot hv=2 min_hv=2", -EIO, false, SEAMLDR_INSTALL,
		  SEAMLDR_EBADHANDOFF },
		{ "fail loader-entropy=1", -EIO, false, SEAMLDR_INSTALL,
		  SEAMLDR_ENOENTROPY },
		{ "fail module-entropy=9", 0, true, 0, 0 },
		{ "fail module-entropy=10", -EIO, false, TDH_SYS_INIT,
		  TDX_RND_NO_ENTROPY },
		{ "fail step=install lp=1", -EIO, false, SEAMLDR_INSTALL,
		  SEAMLDR_EUNSPECERR },
		{ "fail step=init lp=3 status=0x8000ff000000000d", -EOPNOTSUPP, false,
		  TDH_SYS_LP_INIT, TDX_SEAMCALL_GP },
		{ "fail step=update status=0x8000ff0000000006", -EACCES, false,
		  TDH_SYS_UPDATE, TDX_SEAMCALL_UD },
	};
	struct testimage_spec spec = spec_of("1.5.16", 1);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct tdx_model *model = new_model();
		struct tdx_model_status last = { 0 };
		struct tdx_model_version version;
		struct tdx_model_image *image;
		int error;

		tell(model, rows[i].before);
		image = new_image(model, &spec);
		error = tdx_model_update(model, image);
		if (error != rows[i].error ||
		    (tdx_model_version(model, &version) == 0) != rows[i].is_live)
			fail_msg("%s: %d", rows[i].before, error);
		if (rows[i].is_live)
			assert_int_equal(version.update, error ? 6 : 16);
		tdx_model_last_status(model, &last);
		if (last.leaf != rows[i].leaf || last.status != rows[i].status)
			fail_msg("%s: leaf %llx status %016llx", rows[i].before,
				 last.leaf, last.status);
		/* Lost is lost: nothing but a boot helps. */
		if (!rows[i].is_live) {
			tell(model, "lp online 3");
			tell(model, "fail none");
			assert_int_not_equal(tdx_model_update(model, image), 0);
			assert_int_equal(tdx_model_version(model, &version), -ENXIO);
			tell(model, "boot");
			assert_int_equal(tdx_model_version(model, &version), 0);
		}
		tdx_model_image_free(image);
		tdx_model_free(model);
	}
}

/* An update before call number @calls of a launch of @model's TD "a"; NULL at the end. */
static const char *update_before(struct tdx_model *model, unsigned calls, uint16_t ctx)
{
	struct testimage_spec spec = spec_of("1.5.16", ctx);
	struct tdx_model_image *image = new_image(model, &spec);
	struct tdx_model_td *td;
	const char *next;

	tell(model, "td build a manual pages=2");
	td = tdx_model_build_find(model, "a");
	while (calls-- && tdx_model_build_next(td) != _TDX_MODEL_CALL_MAX)
		assert_int_equal(tdx_model_build_step(td), 0);
	next = tdx_model_build_call_name(tdx_model_build_next(td));
	assert_int_equal(tdx_model_update(model, image), 0);
	tdx_model_image_free(image);

	return next;
}

static void test_mrtd_across_an_update(void **state)
{
	unsigned calls, wrong = 0, right = 0;
	bool is_measuring = false, is_done = false;

	(void)state;
	for (calls = 0; !is_done; calls++) {
		for (int same = 0; same < 2; same++) {
			struct tdx_model *model = new_model();
			const char *next = update_before(model, calls, same ? 262 : 263);
			struct tdx_model_td *td = tdx_model_build_find(model, "a");
			bool expect_wrong;

			/* Nothing measured yet, or all of it: nothing to lose. */
			is_done = strcmp(next, "none") == 0;
			expect_wrong = !same && is_measuring && !is_done;
			if (same && strcmp(next, "page-add") == 0)
				is_measuring = true;
			while (tdx_model_build_next(td) != _TDX_MODEL_CALL_MAX)
				assert_int_equal(tdx_model_build_step(td), 0);
			assert_int_equal(model->counts.wrong, expect_wrong);
			assert_int_equal(model->counts.right, !expect_wrong);
			assert_int_equal(tdx_model_build_enter(td), 0);
			wrong += expect_wrong;
			right += !expect_wrong;
			tdx_model_free(model);
		}
	}
	/* 2 pages with 16 chunks each, and before the finalise. */
	assert_int_equal(wrong, 2 * 17);
	assert_true(right > wrong);
}

static void test_a_detecting_module_refuses_the_build(void **state)
{
	struct testimage_spec spec = spec_of("1.5.16", 7);
	struct tdx_model *model = new_model();
	struct tdx_model_image *image;
	struct tdx_model_td *td;

	(void)state;
	spec.features0 = FEATURES | COMPAT;
	tell(model, "set detect=yes");
	tell(model, "td build a manual");
	tell(model, "td step a extend");
	image = new_image(model, &spec);
	assert_int_equal(tdx_model_update(model, image), 0);
	td = tdx_model_build_find(model, "a");
	assert_int_equal(tdx_model_build_step(td), -EIO);
	assert_int_equal(td->failed_status, 0xC000062200000000);
	/* Torn down and built again, it is right. */
	tell(model, "td abort a");
	assert_int_equal(tdx_model_td_count(model), 0);
	assert_int_equal(tdx_model_building(model), 0);
	tell(model, "td build a manual");
	tell(model, "td step a finalize");
	assert_int_equal(model->counts.right, 1);
	tdx_model_image_free(image);
	tdx_model_free(model);
}

/* Builds that a module without counters began are in no count. */
static void test_counters_travel_with_the_handoff(void **state)
{
	static const struct {
		const char *boot;
		bool has_bit;
		u16 hv;
		unsigned counted;
	} rows[] = {
		{ "boot features0=0x80002e1f0fbf hv=1", true, 1, 2 },
		{ "boot features0=0x80002e1f0fbf hv=0", true, 1, 0 },
		{ "boot features0=0x2e1f0fbf hv=1", true, 1, 0 },
		{ "boot features0=0x80002e1f0fbf hv=1", false, 1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct testimage_spec spec = spec_of("1.5.16", 262);
		struct tdx_model *model = new_model();
		struct tdx_model_image *image;

		spec.module_hv = rows[i].hv;
		spec.features0 = FEATURES | (rows[i].has_bit ? COMPAT : 0);
		tell(model, rows[i].boot);
		tell(model, "td build a manual");
		tell(model, "td step a init");
		tell(model, "td build b manual");
		tell(model, "td step b extend");
		image = new_image(model, &spec);
		assert_int_equal(tdx_model_update(model, image), 0);
		assert_int_equal(model->module.td_build_count, rows[i].counted);
		/* Ending them takes nothing from a build that is counted. */
		tell(model, "td build c manual");
		tell(model, "td step c init");
		tell(model, "td step a finalize");
		tell(model, "td abort b");
		assert_int_equal(model->module.td_build_count, rows[i].has_bit);
		/* The kernel has counted all the while. */
		assert_int_equal(tdx_model_building(model), 1);
		tdx_model_image_free(image);
		tdx_model_free(model);
	}
}

/* 7.3 reads the feature bits at boot and never again; our patches do, after an update. */
static void test_who_guards_after_an_update(void **state)
{
	static const struct {
		const char *patch;
		enum tdx_model_guard guard;
	} rows[] = {
		{ "set patch=none", TDX_MODEL_GUARD_KERNEL },
		{ "set patch=bit", TDX_MODEL_GUARD_MODULE },
	};
	struct testimage_spec spec = spec_of("1.5.16", 1);

	(void)state;
	spec.features0 = FEATURES | COMPAT;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct tdx_model *model = new_model();
		struct tdx_model_image *image = new_image(model, &spec);

		tell(model, rows[i].patch);
		assert_int_equal(tdx_model_guard(model), TDX_MODEL_GUARD_KERNEL);
		assert_int_equal(tdx_model_update(model, image), 0);
		tell(model, "set patch=bit");
		assert_int_equal(tdx_model_guard(model), rows[i].guard);
		tdx_model_image_free(image);
		tdx_model_free(model);
	}
}

static void test_update_leaf_checks_operands(void **state)
{
	static const struct {
		u64 rax, r9, r10, status;
	} rows[] = {
		{ TDH_SYS_UPDATE | 2 << 16, 0, 0, TDX_OPERAND_INVALID },
		{ TDH_SYS_UPDATE | 1 << 16, 1ULL << 63, 0, TDX_OPERAND_INVALID | 9 },
		{ TDH_SYS_UPDATE | 1 << 16, 2, 1, TDX_OPERAND_INVALID | 10 },
		{ TDH_SYS_UPDATE | 1 << 16, 2, 0, 0 },
		{ TDH_SYS_UPDATE, 1ULL << 63, 1, 0 },
	};
	struct testimage_spec spec = spec_of("1.5.16", 1);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct tdx_model *model = new_model();
		struct tdx_model_image *image = new_image(model, &spec);
		struct tdx_model_regs regs = { .r9 = rows[i].r9, .r10 = rows[i].r10 };
		u64 rdx;

		assert_int_equal(call(model, 0, TDH_SYS_SHUTDOWN, 0), 0);
		assert_int_equal(install(model, image, &rdx), 0);
		assert_int_equal(call(model, 0, TDH_SYS_INIT, 0), 0);
		for (unsigned lp = 0; lp < LPS; lp++) {
			/* One LP short is not enough. */
			assert_int_equal(call(model, 0, TDH_SYS_UPDATE, 0),
					 lp ? TDX_SYS_STATE_INCORRECT
					    : TDX_SYS_LP_INIT_NOT_DONE);
			assert_int_equal(call(model, lp, TDH_SYS_LP_INIT, 0), 0);
		}
		assert_int_equal(tdx_model_seamcall(model, 0, rows[i].rax, &regs),
				 rows[i].status);
		/* Handoff data serves one module only. */
		assert_int_equal(model->handoff.is_valid, rows[i].status != 0);
		tdx_model_image_free(image);
		tdx_model_free(model);
	}
}

static void test_builds_keep_time(void **state)
{
	struct tdx_model *model = new_model();
	const u64 second = 1000000000;

	(void)state;
	tdx_model_advance(model, 5 * second);
	tell(model, "td build a 3s lifetime=2s");
	assert_int_equal(tdx_model_building(model), 1);
	tdx_model_advance(model, 8 * second - 1);
	assert_int_equal(tdx_model_building(model), 1);
	assert_int_equal(tdx_model_next_nsec(model), 8 * second);
	tdx_model_advance(model, 8 * second);
	assert_int_equal(tdx_model_building(model), 0);
	assert_int_equal(model->counts.right, 1);
	assert_int_equal(tdx_model_td_count(model), 1);
	tdx_model_advance(model, 20 * second);
	assert_int_equal(tdx_model_td_count(model), 0);

	/* A pause moves the end by as much as it lasts. */
	tell(model, "td build b 1s");
	tell(model, "td pause b");
	assert_true(tdx_model_next_nsec(model) == TDX_MODEL_NEVER);
	tdx_model_advance(model, 30 * second);
	tell(model, "td resume b");
	tdx_model_advance(model, 31 * second - 1);
	assert_int_equal(tdx_model_building(model), 1);
	tdx_model_advance(model, 31 * second);
	assert_int_equal(tdx_model_building(model), 0);

	/* A hung one stays until its VM manager is gone. */
	tell(model, "td build c 1s hang-after=page-add");
	tdx_model_advance(model, 1000 * second);
	assert_int_equal(tdx_model_building(model), 1);
	tell(model, "td abort c");
	assert_int_equal(tdx_model_building(model), 0);
	assert_int_equal(model->counts.aborted, 1);
	tdx_model_free(model);
}

static void test_runs_out_of_hkids(void **state)
{
	struct tdx_model *model = new_model();
	char line[64], answer[16384];

	(void)state;
	for (unsigned i = 0; i < 63; i++) {
		snprintf(line, sizeof(line), "td build t%u 1s", i);
		tell(model, line);
	}
	assert_int_equal(tdx_model_command(model, "td build more 1s", answer, 1024),
			 -ENOSPC);
	assert_string_equal(answer, "error ENOSPC no such TD can be built\n");
	/* An answer that does not fit loses lines, not its verdict. */
	assert_int_equal(tdx_model_command(model, "td list", answer, 1024), 0);
	assert_string_equal(answer + strlen(answer) - 3, "ok\n");
	tell(model, "td abort t5");
	tell(model, "td build more 1s");
	tdx_model_free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shutdown_refuses_and_stays_ready),
		cmocka_unit_test(test_busy_leaves_the_module_ready),
		cmocka_unit_test(test_dispatcher_by_state),
		cmocka_unit_test(test_reads_metadata),
		cmocka_unit_test(test_what_the_host_gets),
		cmocka_unit_test(test_mrtd_across_an_update),
		cmocka_unit_test(test_a_detecting_module_refuses_the_build),
		cmocka_unit_test(test_counters_travel_with_the_handoff),
		cmocka_unit_test(test_who_guards_after_an_update),
		cmocka_unit_test(test_update_leaf_checks_operands),
		cmocka_unit_test(test_builds_keep_time),
		cmocka_unit_test(test_runs_out_of_hkids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
