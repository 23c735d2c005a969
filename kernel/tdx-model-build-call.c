// SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later
/*
 * The SEAMCALLs of KVM for one TD: each call of a launch, and the way down.
 *
 * A TD's pages lie one after the other: TDR, TDCX pages, two pages a vCPU, page tables,
 * private memory. Page n of the private memory has byte i = (i + n) mod 256.
 */
#include "tdx-model-internal.h"

#define GPA_BASE        0xFFC00000ULL /* two 2 MiB regions right below 4 GiB */
#define REGION_PAGES    512
#define CHUNKS          16
#define CHUNK_BYTES     256
#define SOURCE_ADDRESS  0x200000000ULL /* where the VM manager has the content */
#define PARAMS_ADDRESS  0x200001000ULL
#define PAGES_PER_VCPU  2
#define SEPT_LEVEL_LAST 1

unsigned int tdx_model_build_tables(const struct tdx_model_build_spec *spec)
{
	return (spec->page_count + REGION_PAGES - 1) / REGION_PAGES;
}

unsigned int tdx_model_build_pages(const struct tdx_model_build_spec *spec)
{
	return 1 + TDX_MODEL_TDCS_PAGES + PAGES_PER_VCPU * spec->vcpu_count +
	       tdx_model_build_tables(spec) + spec->page_count;
}

static u64 page_at(const struct tdx_model_td *td, unsigned int number)
{
	return td->address + (u64)number * TDX_MODEL_PAGE_BYTES;
}

static u64 vcpu_at(const struct tdx_model_td *td, unsigned int vcpu)
{
	return page_at(td, 1 + TDX_MODEL_TDCS_PAGES + PAGES_PER_VCPU * vcpu);
}

static u64 table_at(const struct tdx_model_td *td, unsigned int table)
{
	return vcpu_at(td, td->spec.vcpu_count) + (u64)table * TDX_MODEL_PAGE_BYTES;
}

static u64 private_at(const struct tdx_model_td *td, unsigned int number)
{
	return table_at(td, tdx_model_build_tables(&td->spec)) +
	       (u64)number * TDX_MODEL_PAGE_BYTES;
}

static unsigned int lp_of_package(const struct tdx_model *model, unsigned int package)
{
	unsigned int lp;

	for (lp = 0; lp < model->lp_count; lp++)
		if (tdx_model_package_of(model, lp) == package)
			return lp;

	return 0;
}

static const u8 *fill_source(struct tdx_model *model, unsigned int number)
{
	unsigned int i;

	for (i = 0; i < TDX_MODEL_PAGE_BYTES; i++)
		model->source_page[i] = (u8)(i + number);

	return model->source_page;
}

static void change_building(struct tdx_model_td *td, bool is_building)
{
	struct tdx_model *model = td->model;

	if (td->is_building == is_building)
		return;

	td->is_building = is_building;
	model->host.building += is_building ? 1 : -1;
	if (model->hooks.building_changed)
		model->hooks.building_changed(model->userdata);
}

/* What any observer of these calls can tell from a call and its result. */
static void observe(struct tdx_model_td *td, enum tdx_model_td_call call)
{
	struct tdx_model *model = td->model;

	switch (call) {
	case TDX_MODEL_MNG_INIT:
		change_building(td, true);
		break;
	case TDX_MODEL_MR_FINALIZE:
	case TDX_MODEL_MNG_VPFLUSHDONE:
		change_building(td, false);
		break;
	case TDX_MODEL_MNG_KEY_FREEID:
		td->holds_hkid = false;
		if (model->hooks.population_changed)
			model->hooks.population_changed(model->userdata);
		break;
	default:
		break;
	}
}

u64 tdx_model_td_call(struct tdx_model *model, enum tdx_model_td_call call,
		      struct tdx_model_td *td)
{
	static const unsigned int leaves[] = {
		[TDX_MODEL_MNG_CREATE] = TDH_MNG_CREATE,
		[TDX_MODEL_MNG_INIT] = TDH_MNG_INIT,
		[TDX_MODEL_MR_FINALIZE] = TDH_MR_FINALIZE,
		[TDX_MODEL_MNG_VPFLUSHDONE] = TDH_MNG_VPFLUSHDONE,
		[TDX_MODEL_MNG_KEY_FREEID] = TDH_MNG_KEY_FREEID,
	};
	struct tdx_model_regs regs = { .rcx = td->address };

	if (call == TDX_MODEL_MNG_CREATE)
		regs.rdx = td->hkid;
	if (call == TDX_MODEL_MNG_INIT)
		regs.rdx = PARAMS_ADDRESS;
	/* The VM manager asks for something that this module does not have. */
	if (call == TDX_MODEL_MNG_INIT && model->faults.td_init) {
		model->faults.td_init--;
		return TDX_OPERAND_INVALID | TDX_OPERAND_RDX;
	}

	return tdx_model_host_call(model, 0, leaves[call], &regs);
}

u16 tdx_model_td_hkid(const struct tdx_model_td *td)
{
	return td->hkid;
}

static u64 hooked_call(struct tdx_model_td *td, enum tdx_model_td_call call)
{
	struct tdx_model *model = td->model;
	u64 status = model->hooks.td_call
			     ? model->hooks.td_call(model->userdata, call, td)
			     : tdx_model_td_call(model, call, td);

	if (!status)
		observe(td, call);

	return status;
}

static u64 plain_call(struct tdx_model_td *td, unsigned int lp, unsigned int leaf,
		      u64 rcx, u64 rdx)
{
	struct tdx_model_regs regs = { .rcx = rcx, .rdx = rdx };

	return tdx_model_host_call(td->model, lp, leaf, &regs);
}

static u64 vp_init(struct tdx_model_td *td, unsigned int vcpu)
{
	struct tdx_model_regs regs = { .rcx = vcpu_at(td, vcpu), .r8 = vcpu };

	return tdx_model_host_call(td->model, 0, TDH_VP_INIT | TDX_LEAF_V1, &regs);
}

static u64 sept_add(struct tdx_model_td *td, unsigned int table)
{
	struct tdx_model_regs regs = {
		.rcx = (GPA_BASE + (u64)table * REGION_PAGES * TDX_MODEL_PAGE_BYTES) |
		       SEPT_LEVEL_LAST,
		.rdx = td->address,
		.r8 = table_at(td, table),
	};

	return tdx_model_host_call(td->model, 0, TDH_MEM_SEPT_ADD, &regs);
}

static u64 page_add(struct tdx_model_td *td, unsigned int number)
{
	struct tdx_model_regs regs = {
		.rcx = GPA_BASE + (u64)number * TDX_MODEL_PAGE_BYTES,
		.rdx = td->address,
		.r8 = private_at(td, number),
		.r9 = SOURCE_ADDRESS,
		.memory = fill_source(td->model, number),
	};
	u64 status = tdx_model_host_call(td->model, 0, TDH_MEM_PAGE_ADD, &regs);

	if (!status)
		tdx_model_mrtd_add_page(td->hash, regs.rcx);

	return status;
}

static u64 extend(struct tdx_model_td *td, unsigned int chunk)
{
	u64 offset = (u64)(chunk % CHUNKS) * CHUNK_BYTES;
	u64 gpa = GPA_BASE + (u64)(chunk / CHUNKS) * TDX_MODEL_PAGE_BYTES + offset;
	u64 status = plain_call(td, 0, TDH_MR_EXTEND, gpa, td->address);

	if (!status)
		tdx_model_mrtd_extend(td->hash, gpa,
				      fill_source(td->model, chunk / CHUNKS) + offset);

	return status;
}

u64 tdx_model_build_make_call(struct tdx_model_td *td, enum tdx_model_build_call call,
			      unsigned int index)
{
	switch (call) {
	case TDX_MODEL_CALL_CREATE:
		return hooked_call(td, TDX_MODEL_MNG_CREATE);
	case TDX_MODEL_CALL_KEY_CONFIG:
		return plain_call(td, lp_of_package(td->model, index), TDH_MNG_KEY_CONFIG,
				  td->address, 0);
	case TDX_MODEL_CALL_ADDCX:
		return plain_call(td, 0, TDH_MNG_ADDCX, page_at(td, 1 + index),
				  td->address);
	case TDX_MODEL_CALL_INIT:
		return hooked_call(td, TDX_MODEL_MNG_INIT);
	case TDX_MODEL_CALL_VP_CREATE:
		return plain_call(td, 0, TDH_VP_CREATE, vcpu_at(td, index), td->address);
	case TDX_MODEL_CALL_VP_ADDCX:
		return plain_call(td, 0, TDH_VP_ADDCX,
				  vcpu_at(td, index) + TDX_MODEL_PAGE_BYTES,
				  vcpu_at(td, index));
	case TDX_MODEL_CALL_VP_INIT:
		return vp_init(td, index);
	case TDX_MODEL_CALL_SEPT_ADD:
		return sept_add(td, index);
	case TDX_MODEL_CALL_PAGE_ADD:
		return page_add(td, index);
	case TDX_MODEL_CALL_EXTEND:
		return extend(td, index);
	default:
		return hooked_call(td, TDX_MODEL_MR_FINALIZE);
	}
}

u64 tdx_model_build_enter(struct tdx_model_td *td)
{
	struct tdx_model_regs regs = { .rcx = vcpu_at(td, 0) };
	u64 status;

	status = tdx_model_seamcall(td->model, 0, TDH_VP_ENTER, &regs);
	/* The lower half is why it came back. */
	return TDX_STATUS_NAME(status) ? status : TDX_SUCCESS;
}

struct tdx_model_tdr *tdx_model_build_tdr(struct tdx_model_td *td)
{
	return td->done ? tdx_model_td_find(td->model, td->address) : NULL;
}

/* What was never given is not asked back: reclaiming it would fail, harmlessly. */
static u64 reclaim(struct tdx_model_td *td)
{
	unsigned int number = tdx_model_build_pages(&td->spec);
	struct tdx_model_regs regs = { 0 };

	while (--number) {
		regs.rcx = page_at(td, number);
		if (tdx_model_page_is_used(td->model, regs.rcx))
			tdx_model_host_call(td->model, 0, TDH_PHYMEM_PAGE_RECLAIM, &regs);
	}

	return plain_call(td, 0, TDH_PHYMEM_PAGE_RECLAIM, td->address, 0);
}

u64 tdx_model_build_teardown(struct tdx_model_td *td)
{
	struct tdx_model *model = td->model;
	unsigned int i;
	u64 status;

	for (i = 0; i < td->spec.vcpu_count; i++)
		if (tdx_model_page_is_used(model, vcpu_at(td, i)))
			plain_call(td, 0, TDH_VP_FLUSH, vcpu_at(td, i), 0);

	status = hooked_call(td, TDX_MODEL_MNG_VPFLUSHDONE);
	for (i = 0; !status && i < model->package_count; i++)
		status = plain_call(td, lp_of_package(model, i), TDH_PHYMEM_CACHE_WB, 0,
				    0);
	if (!status)
		status = hooked_call(td, TDX_MODEL_MNG_KEY_FREEID);
	if (!status)
		status = reclaim(td);

	return status;
}
