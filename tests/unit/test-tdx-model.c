// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A TD's life as the simulated module has it, against the tables of what the module
 * answers, and its measurement against digests that were worked out by hand.
 */
#include "test.h"

#include "tdx-model-internal.h"

#define GPA   0xFFC00000ULL
#define TDR   0x10000ULL
#define FREE  0x90000ULL /* pages from here on are nobody's */
#define TABLE 1

struct machine {
	struct tdx_model *model;
	struct tdx_model_regs regs;
};

static int set_up(void **state)
{
	struct machine *machine = calloc(1, sizeof(*machine));

	*state = machine;
	return tdx_model_new(4, NULL, NULL, &machine->model);
}

static int tear_down(void **state)
{
	struct machine *machine = *state;

	tdx_model_free(machine->model);
	free(machine);
	return 0;
}

static u64 call(struct machine *machine, unsigned leaf, u64 rcx, u64 rdx, u64 r8)
{
	static u8 zero[TDX_MODEL_PAGE_BYTES];
	const u8 *memory = machine->regs.memory ? machine->regs.memory : zero;

	machine->regs = (struct tdx_model_regs){
		.rcx = rcx, .rdx = rdx, .r8 = r8, .r9 = 0x5000, .memory = memory
	};
	return tdx_model_seamcall(machine->model, 0, leaf, &machine->regs);
}

/* A TD right before the call that a test is about. */
static void make_td(struct machine *machine, unsigned last)
{
	static const struct {
		unsigned leaf;
		u64 rcx, rdx, r8;
	} calls[] = {
		{ TDH_MNG_CREATE, TDR, 70, 0 },
		{ TDH_MNG_KEY_CONFIG, TDR, 0, 0 },
		{ TDH_MNG_ADDCX, 0x20000, TDR, 0 },
		{ TDH_MNG_ADDCX, 0x21000, TDR, 0 },
		{ TDH_MNG_ADDCX, 0x22000, TDR, 0 },
		{ TDH_MNG_ADDCX, 0x23000, TDR, 0 },
		{ TDH_MNG_INIT, TDR, 0x8000, 0 },
		{ TDH_VP_CREATE, 0x30000, TDR, 0 },
		{ TDH_VP_ADDCX, 0x31000, 0x30000, 0 },
		{ TDH_VP_INIT, 0x30000, 0, 0 },
		{ TDH_MEM_SEPT_ADD, GPA | TABLE, TDR, 0x40000 },
		{ TDH_MEM_SEPT_ADD, 0 | TABLE, TDR, 0x41000 },
		{ TDH_MEM_PAGE_ADD, GPA, TDR, 0x50000 },
		{ TDH_MR_EXTEND, GPA, TDR, 0 },
		{ TDH_MR_FINALIZE, TDR, 0, 0 },
		{ TDH_VP_FLUSH, 0x30000, 0, 0 },
		{ TDH_MNG_VPFLUSHDONE, TDR, 0, 0 },
		{ TDH_PHYMEM_CACHE_WB, 0, 0, 0 },
		{ TDH_MNG_KEY_FREEID, TDR, 0, 0 },
	};
	size_t i;

	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (calls[i].leaf == last)
			return;
		assert_int_equal(call(machine, calls[i].leaf, calls[i].rcx, calls[i].rdx,
				      calls[i].r8),
				 0);
	}
}

static void test_refuses_what_the_module_refuses(void **state)
{
	static const struct {
		unsigned before; /* the launch was made up to this leaf */
		unsigned leaf;
		u64 rcx, rdx, r8;
		u64 status;
	} rows[] = {
		{ TDH_MNG_CREATE, TDH_MNG_CREATE, TDR, 64, 0, TDX_OPERAND_INVALID | 2 },
		{ TDH_MNG_CREATE, TDH_MNG_CREATE, TDR, 128, 0, TDX_OPERAND_INVALID | 2 },
		{ TDH_MNG_CREATE, TDH_MNG_CREATE, TDR + 1, 70, 0,
		  TDX_OPERAND_INVALID | 1 },
		{ TDH_MNG_CREATE, TDH_MNG_INIT, TDR, 0x8000, 0,
		  TDX_PAGE_METADATA_INCORRECT | 1 },
		{ TDH_MNG_CREATE, 9999, 0, 0, 0, TDX_OPERAND_INVALID },
		{ TDH_MNG_CREATE, 1U << 24 | TDH_SYS_RD, 0, 0, 0, TDX_OPERAND_INVALID },
		{ TDH_MNG_CREATE, 1U << 16 | TDH_SYS_RD, 0, 0, 0, TDX_OPERAND_INVALID },
		{ TDH_MNG_KEY_CONFIG, TDH_MNG_CREATE, FREE, 70, 0, TDX_HKID_NOT_FREE },
		{ TDH_MNG_KEY_CONFIG, TDH_MNG_CREATE, TDR, 71, 0,
		  TDX_PAGE_METADATA_INCORRECT | 1 },
		{ TDH_MNG_KEY_CONFIG, TDH_MNG_ADDCX, FREE, TDR, 0,
		  TDX_LIFECYCLE_STATE_INCORRECT },
		{ TDH_MNG_ADDCX, TDH_MNG_KEY_CONFIG, TDR, 0, 0,
		  TDX_LIFECYCLE_STATE_INCORRECT },
		{ TDH_MNG_ADDCX, TDH_MNG_INIT, TDR, 0x8000, 0, TDX_TDCS_NOT_ALLOCATED },
		{ TDH_MNG_INIT, TDH_MNG_ADDCX, FREE, TDR, 0, TDX_TDCX_NUM_INCORRECT },
		{ TDH_MNG_INIT, TDH_MNG_INIT, TDR, 0x8001, 0, TDX_OPERAND_INVALID | 2 },
		{ TDH_MNG_INIT, TDH_MR_FINALIZE, TDR, 0, 0, TDX_OP_STATE_INCORRECT },
		{ TDH_MNG_INIT, TDH_VP_CREATE, FREE, TDR, 0, TDX_OP_STATE_INCORRECT },
		{ TDH_VP_CREATE, TDH_MNG_INIT, TDR, 0x8000, 0, TDX_OP_STATE_INCORRECT },
		{ TDH_VP_CREATE, TDH_MR_FINALIZE, TDR, 0, 0, TDX_NO_VCPUS },
		{ TDH_VP_CREATE, TDH_MNG_ADDCX, FREE, TDR, 0, TDX_OP_STATE_INCORRECT },
		{ TDH_VP_ADDCX, TDH_VP_ADDCX, FREE, TDR, 0,
		  TDX_PAGE_METADATA_INCORRECT | 2 },
		{ TDH_VP_ADDCX, TDH_VP_ADDCX, TDR, 0x30000, 0,
		  TDX_PAGE_METADATA_INCORRECT | 1 },
		{ TDH_VP_ADDCX, TDH_VP_INIT, 0x30000, 0, 0, TDX_TDCX_NUM_INCORRECT },
		{ TDH_VP_INIT, TDH_VP_ADDCX, FREE, 0x30000, 0, TDX_TDCX_NUM_INCORRECT },
		{ TDH_VP_INIT, TDH_VP_INIT | 2 << 16, 0x30000, 0, 0,
		  TDX_OPERAND_INVALID },
		{ TDH_VP_INIT, TDH_VP_INIT | 1 << 16, 0x30000, 0, 1ULL << 32,
		  TDX_OPERAND_INVALID | 8 },
		{ TDH_MEM_SEPT_ADD, TDH_VP_INIT, 0x30000, 0, 0,
		  TDX_VCPU_STATE_INCORRECT },
		{ TDH_MEM_SEPT_ADD, TDH_VP_ADDCX, FREE, 0x30000, 0,
		  TDX_VCPU_STATE_INCORRECT },
		{ TDH_MEM_SEPT_ADD, TDH_VP_ENTER, 0x30000, 0, 0, TDX_OP_STATE_INCORRECT },
		{ TDH_MEM_SEPT_ADD, TDH_VP_ENTER, 0x31000, 0, 0,
		  TDX_PAGE_METADATA_INCORRECT | 1 },
		{ TDH_MEM_SEPT_ADD, TDH_MEM_SEPT_ADD, GPA, TDR, FREE,
		  TDX_OPERAND_INVALID | 1 },
		{ TDH_MEM_SEPT_ADD, TDH_MEM_PAGE_ADD, GPA, TDR, FREE,
		  TDX_EPT_WALK_FAILED | 1 },
		{ TDH_MEM_PAGE_ADD, TDH_MEM_SEPT_ADD, GPA | TABLE, TDR, FREE,
		  TDX_EPT_ENTRY_STATE_INCORRECT | 1 },
		{ TDH_MEM_PAGE_ADD, TDH_MEM_PAGE_ADD, GPA + 1, TDR, FREE,
		  TDX_OPERAND_INVALID | 1 },
		{ TDH_MEM_PAGE_ADD, TDH_MEM_PAGE_ADD, GPA, TDR, 0,
		  TDX_OPERAND_INVALID | 8 },
		{ TDH_MEM_PAGE_ADD, TDH_MEM_PAGE_ADD, GPA, TDR, TDR,
		  TDX_PAGE_METADATA_INCORRECT | 8 },
		{ TDH_MEM_PAGE_ADD, TDH_MR_EXTEND, GPA, TDR, 0,
		  TDX_EPT_ENTRY_NOT_PRESENT | 1 },
		{ TDH_MR_EXTEND, TDH_MEM_PAGE_ADD, GPA, TDR, FREE,
		  TDX_EPT_ENTRY_STATE_INCORRECT | 1 },
		{ TDH_MR_EXTEND, TDH_MR_EXTEND, GPA + 8, TDR, 0,
		  TDX_OPERAND_INVALID | 1 },
		{ TDH_MR_EXTEND, TDH_MEM_RANGE_BLOCK, GPA | 8, TDR, 0,
		  TDX_OPERAND_INVALID | 1 },
		{ TDH_MR_EXTEND, TDH_MEM_RANGE_BLOCK, GPA + 0x1000, TDR, 0,
		  TDX_EPT_ENTRY_STATE_INCORRECT | 1 },
		{ TDH_MR_EXTEND, TDH_MEM_PAGE_REMOVE, GPA + 0x40000000, TDR, 0,
		  TDX_EPT_WALK_FAILED | 1 },
		{ TDH_MR_EXTEND, TDH_MEM_PAGE_REMOVE, GPA, FREE, 0,
		  TDX_PAGE_METADATA_INCORRECT | 2 },
		{ TDH_MNG_INIT, TDH_MEM_TRACK, TDR, 0, 0, TDX_OP_STATE_INCORRECT },
		{ TDH_MNG_INIT, TDH_VP_RD, 0x30000, 0, 0,
		  TDX_PAGE_METADATA_INCORRECT | 1 },
		{ TDH_MNG_INIT, TDH_MNG_RD, FREE, 0, 0, TDX_PAGE_METADATA_INCORRECT | 1 },
		{ TDH_MNG_CREATE, TDH_SYS_TDMR_INIT, 1ULL << 29, 0, 0,
		  TDX_OPERAND_INVALID | 1 },
		{ TDH_MNG_CREATE, TDH_PHYMEM_PAGE_RDMD, 8, 0, 0,
		  TDX_OPERAND_INVALID | 1 },
		{ TDH_MNG_CREATE, TDH_PHYMEM_PAGE_WBINVD, 8, 0, 0,
		  TDX_OPERAND_INVALID | 1 },
		{ TDH_MNG_CREATE, TDH_SYS_CONFIG, 0x1000, 1, 64,
		  TDX_SYS_CONFIG_NOT_PENDING },
		{ TDH_MNG_CREATE, TDH_SYS_KEY_CONFIG, 0, 0, 0,
		  TDX_SYS_KEY_CONFIG_NOT_PENDING },
		{ TDH_MR_FINALIZE, TDH_MNG_VPFLUSHDONE, TDR, 0, 0, TDX_FLUSHVP_NOT_DONE },
		{ TDH_MR_FINALIZE, TDH_MNG_KEY_FREEID, TDR, 0, 0,
		  TDX_LIFECYCLE_STATE_INCORRECT },
		{ TDH_VP_FLUSH, TDH_MR_FINALIZE, TDR, 0, 0, TDX_OP_STATE_INCORRECT },
		{ TDH_VP_FLUSH, TDH_MEM_PAGE_ADD, GPA + 0x1000, TDR, FREE,
		  TDX_OP_STATE_INCORRECT },
		{ TDH_VP_FLUSH, TDH_PHYMEM_PAGE_RECLAIM, 0x50000, 0, 0,
		  TDX_LIFECYCLE_STATE_INCORRECT },
		{ TDH_PHYMEM_CACHE_WB, TDH_MNG_KEY_FREEID, TDR, 0, 0,
		  TDX_WBCACHE_NOT_COMPLETE },
		{ TDH_PHYMEM_CACHE_WB, TDH_MNG_VPFLUSHDONE, TDR, 0, 0,
		  TDX_LIFECYCLE_STATE_INCORRECT },
		{ 0xFFFF, TDH_PHYMEM_PAGE_RECLAIM, TDR, 0, 0,
		  TDX_TD_ASSOCIATED_PAGES_EXIST },
		{ 0xFFFF, TDH_PHYMEM_PAGE_RECLAIM, FREE, 0, 0,
		  TDX_PAGE_METADATA_INCORRECT | 1 },
	};
	struct machine *machine = *state;
	size_t i;
	u64 status;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		tdx_model_reboot(machine->model);
		make_td(machine, rows[i].before);
		status =
			call(machine, rows[i].leaf, rows[i].rcx, rows[i].rdx, rows[i].r8);
		if (status != rows[i].status)
			fail_msg("row %zu: 0x%016llx instead of 0x%016llx", i, status,
				 rows[i].status);
	}
}

static void test_key_of_every_package(void **state)
{
	struct machine *machine = *state;
	struct tdx_model_regs regs = { .rcx = TDR };

	machine->model->package_count = 2;
	make_td(machine, TDH_MNG_KEY_CONFIG);
	assert_int_equal(call(machine, TDH_MNG_KEY_CONFIG, TDR, 0, 0), 0);
	assert_int_equal(call(machine, TDH_MNG_ADDCX, FREE, TDR, 0),
			 TDX_LIFECYCLE_STATE_INCORRECT);
	assert_int_equal(call(machine, TDH_MNG_KEY_CONFIG, TDR, 0, 0),
			 TDX_KEY_CONFIGURED);
	/* LP 3 is on the other package. */
	assert_int_equal(tdx_model_seamcall(machine->model, 3, TDH_MNG_KEY_CONFIG, &regs),
			 0);
	assert_int_equal(call(machine, TDH_MNG_ADDCX, FREE, TDR, 0), 0);
}

/* As Linux asks: arch/x86/virt/vmx/tdx/tdx_global_metadata.c; all of it or no TDX. */
static void test_tells_what_linux_reads(void **state)
{
	static const struct {
		u64 field, value;
	} rows[] = {
		{ 0x0800000100000003, 5 },
		{ 0x0800000100000004, 1 },
		{ 0x0800000100000005, 6 },
		{ 0x0A00000300000008, 0x2E1F0FBF },
		{ 0x9100000100000008, 64 },
		{ 0x9100000100000009, 16 },
		{ 0x9100000100000010, 16 },
		{ 0x9100000100000011, 16 },
		{ 0x9100000100000012, 16 },
		{ 0x9800000100000000, 4096 },
		{ 0x9800000100000100, 4096 * TDX_MODEL_TDCS_PAGES },
		{ 0x9800000100000200, 4096 * TDX_MODEL_TDVPS_PAGES },
		{ 0x1900000300000000, 0xF000003F },
		{ 0x1900000300000001, 0 },
		{ 0x1900000300000002, 0x618E7 },
		{ 0x1900000300000003, 3 },
		{ 0x9900000100000004, 1 },
		{ 0x9900000100000008, 576 },
		{ 0x9900000300000400, 0xFFFFFFFF80000008 },
		{ 0x9900000300000500, 0xFF00FF },
		{ 0x9900000300000501, 0 },
		{ 0x8900000100000000, 0 },
	};
	struct machine *machine = *state;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(call(machine, TDH_SYS_RD, 0, rows[i].field, ~0ULL), 0);
		assert_int_equal(machine->regs.r8, rows[i].value);
	}
	assert_int_equal(call(machine, TDH_SYS_RD, 0, 0x9900000300000401, 0),
			 TDX_METADATA_FIELD_NOT_READABLE);
}

static void test_a_vcpu_is_entered_and_halts(void **state)
{
	struct machine *machine = *state;

	make_td(machine, TDH_VP_INIT);
	assert_int_equal(call(machine, TDH_VP_INIT | 1 << 16, 0x30000, 0, 7), 0);
	assert_int_equal(call(machine, TDH_VP_WR, 0x30000, 1, 5), 0);
	assert_int_equal(machine->regs.r8, 0);
	assert_int_equal(call(machine, TDH_VP_RD, 0x30000, 1, 5), 0);
	assert_int_equal(call(machine, TDH_MNG_RD, TDR, 1, 5), 0);
	assert_int_equal(call(machine, TDH_MR_FINALIZE, TDR, 0, 0), 0);
	/* A TDCALL: status 0 in the upper half, the exit reason in the lower. */
	assert_int_equal(call(machine, TDH_VP_ENTER, 0x30000, 0, 0), 77);
	assert_int_equal(machine->regs.rcx, 0xFC00);
	assert_int_equal(machine->regs.r10, 0);
	assert_int_equal(machine->regs.r11, 12);
}

static void test_a_running_td_forgets_a_page_first(void **state)
{
	struct machine *machine = *state;

	make_td(machine, TDH_VP_FLUSH);
	assert_int_equal(call(machine, TDH_MEM_PAGE_REMOVE, GPA, TDR, 0),
			 TDX_GPA_RANGE_NOT_BLOCKED | 1);
	assert_int_equal(call(machine, TDH_MEM_RANGE_BLOCK, GPA, TDR, 0), 0);
	assert_int_equal(call(machine, TDH_MEM_RANGE_BLOCK, GPA, TDR, 0),
			 TDX_GPA_RANGE_ALREADY_BLOCKED | 1);
	assert_int_equal(call(machine, TDH_MEM_PAGE_REMOVE, GPA, TDR, 0),
			 TDX_TLB_TRACKING_NOT_DONE | 1);
	assert_int_equal(call(machine, TDH_MEM_TRACK, TDR, 0, 0), 0);
	assert_int_equal(call(machine, TDH_PHYMEM_PAGE_RDMD, 0x50000, 0, 0), 0);
	assert_int_equal(machine->regs.rcx, 3);
	assert_int_equal(machine->regs.rdx, TDR);
	assert_int_equal(call(machine, TDH_MEM_PAGE_REMOVE, GPA, TDR, 0), 0);
	assert_int_equal(machine->regs.rcx, 0x50000);
	assert_int_equal(call(machine, TDH_PHYMEM_PAGE_RDMD, 0x50000, 0, 0), 0);
	assert_int_equal(machine->regs.rcx, 0);
	assert_int_equal(call(machine, TDH_MEM_PAGE_REMOVE, GPA, TDR, 0),
			 TDX_EPT_ENTRY_STATE_INCORRECT | 1);
}

/* One that cannot run yet needs none of it. */
static void test_a_page_of_a_build_is_just_removed(void **state)
{
	struct machine *machine = *state;

	make_td(machine, TDH_MR_FINALIZE);
	assert_int_equal(call(machine, TDH_MEM_PAGE_REMOVE, GPA, TDR, 0), 0);
}

static void test_gives_everything_back(void **state)
{
	static const u64 pages[] = { 0x20000, 0x21000, 0x22000, 0x23000, 0x30000,
				     0x31000, 0x40000, 0x41000, 0x50000, TDR };
	struct machine *machine = *state;
	size_t i;

	make_td(machine, 0xFFFF);
	for (i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
		assert_int_equal(call(machine, TDH_PHYMEM_PAGE_RECLAIM, pages[i], 0, 0),
				 0);
	assert_null(machine->model->tdrs);
	/* The same HKID and the same pages do for the next one. */
	make_td(machine, TDH_MR_FINALIZE);
}

static void check_mrtd(struct machine *machine, const char *hex)
{
	struct tdx_model_tdr *td = tdx_model_td_find(machine->model, TDR);
	u8 wanted[TDX_MODEL_DIGEST_BYTES];

	assert_int_equal(call(machine, TDH_MR_FINALIZE, TDR, 0, 0), 0);
	assert_int_equal(tdx_model_parse_digest(hex, wanted), 0);
	assert_memory_equal(td->mrtd, wanted, sizeof(wanted));
}

static void test_measures_nothing(void **state)
{
	make_td(*state, TDH_MEM_PAGE_ADD);
	check_mrtd(*state,
		   "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da"
		   "274edebfe76f65fbd51ad2f14898b95b");
}

static void test_measures_an_added_page(void **state)
{
	struct machine *machine = *state;

	make_td(machine, TDH_MEM_PAGE_ADD);
	assert_int_equal(call(machine, TDH_MEM_PAGE_ADD, GPA, TDR, FREE), 0);
	check_mrtd(machine,
		   "c1d69262bf2469a95b95bb4e99984e026cbfe659a7170f6444f496a210a036b9"
		   "2c37abc9197dd6081af4a5fa35adb42f");
}

static void test_measures_content(void **state)
{
	struct machine *machine = *state;
	u8 page[TDX_MODEL_PAGE_BYTES];
	unsigned i;

	for (i = 0; i < sizeof(page); i++)
		page[i] = (u8)i;
	make_td(machine, TDH_MEM_PAGE_ADD);
	machine->regs.memory = page;
	assert_int_equal(call(machine, TDH_MEM_PAGE_ADD, GPA, TDR, FREE), 0);
	memset(page, 0xEE, sizeof(page)); /* the module has its own copy */
	for (i = 0; i < 16; i++)
		assert_int_equal(call(machine, TDH_MR_EXTEND, GPA + 256 * i, TDR, 0), 0);
	check_mrtd(machine,
		   "cccf160c02f34cb9106cda9b14fd9e3a5159d23b21a41ba43827385be809068d"
		   "6b6011aa1d21b28951b0ee6b6e5d8d6c");
}

static void test_measures_in_order_of_calls(void **state)
{
	struct machine *machine = *state;
	unsigned i;

	make_td(machine, TDH_MEM_PAGE_ADD);
	assert_int_equal(call(machine, TDH_MEM_PAGE_ADD, 0x100000, TDR, FREE), 0);
	assert_int_equal(call(machine, TDH_MEM_PAGE_ADD, 0x101000, TDR, FREE + 0x1000),
			 0);
	for (i = 0; i < 32; i++)
		assert_int_equal(call(machine, TDH_MR_EXTEND, 0x100000 + 256 * i, TDR, 0),
				 0);
	check_mrtd(machine,
		   "401f64b91937fb717d636c3b1d65c39a9c8153da3125526c4092525dad8d8426"
		   "09d78196345f2f7f3d86f3bfe9dfc4f9");
}

static void test_tries_again_for_entropy(void **state)
{
	struct machine *machine = *state;
	char answer[512];

	assert_int_equal(tdx_model_command(machine->model, "fail module-entropy=9",
					   answer, sizeof(answer)),
			 0);
	assert_int_equal(tdx_model_command(machine->model, "td build a 1s", answer,
					   sizeof(answer)),
			 0);
	assert_int_equal(tdx_model_building(machine->model), 1);

	tdx_model_command(machine->model, "fail module-entropy=10", answer,
			  sizeof(answer));
	tdx_model_command(machine->model, "td build b 1s", answer, sizeof(answer));
	assert_int_equal(tdx_model_building(machine->model), 1);
	tdx_model_command(machine->model, "td list", answer, sizeof(answer));
	assert_non_null(strstr(answer, "b dead next=create hkid=66 "
				       "status=0x8000020300000000\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_refuses_what_the_module_refuses,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_key_of_every_package, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_tells_what_linux_reads, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_a_vcpu_is_entered_and_halts, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_a_running_td_forgets_a_page_first,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_page_of_a_build_is_just_removed,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_gives_everything_back, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_measures_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_measures_an_added_page, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_measures_content, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_measures_in_order_of_calls, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_tries_again_for_entropy, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
