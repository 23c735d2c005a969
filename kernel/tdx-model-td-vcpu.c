// SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later
/*
 * vCPUs. VP.CREATE names the TD; all other leaves name the vCPU by its first page, TDVPR,
 * which says whose it is.
 *
 * Simulation: a vCPU has no registers and no fields. A TD that is entered does nothing
 * but halt, and what is written into a vCPU is gone.
 */
#include "tdx-model-internal.h"

static struct tdx_model_page *find_vcpu(struct tdx_model *model, u64 address,
					struct tdx_model_tdr **ret_td)
{
	struct tdx_model_page *page;
	struct tdx_model_tdr *td;

	for (td = model->tdrs; td; td = td->next)
		for (page = td->pages; page; page = page->next)
			if (page->address == address &&
			    page->kind == TDX_MODEL_PAGE_VCPU) {
				*ret_td = td;
				return page;
			}

	return NULL;
}

u64 tdx_model_vp_create(struct tdx_model *model, struct tdx_model_tdr *td,
			const struct tdx_model_regs *regs)
{
	u64 status = tdx_model_check_new_page(model, regs->rcx, TDX_OPERAND_RCX);

	if (!status)
		status = tdx_model_check_td(td, 1U << TDX_MODEL_OP_INITIALIZED);
	if (status)
		return status;
	if (!tdx_model_td_add_page(td, TDX_MODEL_PAGE_VCPU, regs->rcx))
		return TDX_SYS_BUSY;

	return TDX_SUCCESS;
}

/* RCX is the new page, RDX the vCPU's (module: api_calls/tdh_vp_addcx.c). */
static u64 vp_addcx(struct tdx_model *model, struct tdx_model_tdr *td,
		    struct tdx_model_page *vcpu, u64 address)
{
	u64 status = tdx_model_check_td(td, 1U << TDX_MODEL_OP_INITIALIZED);

	if (status)
		return status;
	if (vcpu->is_vcpu_init)
		return TDX_VCPU_STATE_INCORRECT;
	if (vcpu->extra_count == TDX_MODEL_TDVPS_PAGES - 1)
		return TDX_TDCX_NUM_INCORRECT;
	status = tdx_model_check_new_page(model, address, TDX_OPERAND_RCX);
	if (status)
		return status;
	if (!tdx_model_td_add_page(td, TDX_MODEL_PAGE_VCPU_EXTRA, address))
		return TDX_SYS_BUSY;

	vcpu->extra_count++;
	return TDX_SUCCESS;
}

/* Version 1 has the x2APIC id in R8; Linux calls no other (tdx.c: tdh_vp_init()). */
static u64 vp_init(struct tdx_model_tdr *td, struct tdx_model_page *vcpu,
		   unsigned int version, const struct tdx_model_regs *regs)
{
	u64 status = tdx_model_check_td(td, 1U << TDX_MODEL_OP_INITIALIZED |
						    1U << TDX_MODEL_OP_STATE_IMPORT);

	if (status)
		return status;
	if (vcpu->extra_count < TDX_MODEL_TDVPS_PAGES - 1)
		return TDX_TDCX_NUM_INCORRECT;
	if (vcpu->is_vcpu_init)
		return TDX_VCPU_STATE_INCORRECT;
	if (version && regs->r8 >> 32)
		return TDX_OPERAND_INVALID | TDX_OPERAND_R8;

	vcpu->is_vcpu_init = true;
	vcpu->is_vcpu_associated = true;
	td->vcpu_count++;

	return TDX_SUCCESS;
}

/* Its first instruction asks to halt until the next interrupt. */
static u64 vp_enter(struct tdx_model_tdr *td, struct tdx_model_page *vcpu,
		    struct tdx_model_regs *regs)
{
	u64 status = tdx_model_check_td(td, 1U << TDX_MODEL_OP_RUNNABLE |
						    1U << TDX_MODEL_OP_LIVE_EXPORT |
						    1U << TDX_MODEL_OP_LIVE_IMPORT);

	if (status)
		return status;

	vcpu->is_vcpu_associated = true;
	regs->rcx = TDX_VMCALL_REGISTERS;
	regs->r10 = 0;
	regs->r11 = TDX_EXIT_HLT;
	regs->r12 = 0;
	return TDX_EXIT_TDCALL;
}

static u64 vp_flush(struct tdx_model_tdr *td, struct tdx_model_page *vcpu)
{
	if (td->life_cycle > TDX_MODEL_KEYS_CONFIGURED)
		return TDX_LIFECYCLE_STATE_INCORRECT;

	vcpu->is_vcpu_associated = false;
	return TDX_SUCCESS;
}

/* VP.RD and VP.WR: R8 is the value, on return that from before. */
static u64 vp_field(struct tdx_model_tdr *td, struct tdx_model_regs *regs)
{
	u64 status = tdx_model_check_td(td, ~(1U << TDX_MODEL_OP_UNINITIALIZED));

	if (!status)
		regs->r8 = 0;

	return status;
}

u64 tdx_model_vcpu_leaf(struct tdx_model *model, u64 rax, struct tdx_model_regs *regs)
{
	unsigned int leaf = TDX_LEAF(rax);
	bool is_second = leaf == TDH_VP_ADDCX;
	struct tdx_model_tdr *td;
	struct tdx_model_page *vcpu =
		find_vcpu(model, is_second ? regs->rdx : regs->rcx, &td);

	if (!vcpu)
		return TDX_PAGE_METADATA_INCORRECT |
		       (is_second ? TDX_OPERAND_RDX : TDX_OPERAND_RCX);

	switch (leaf) {
	case TDH_VP_ADDCX:
		return vp_addcx(model, td, vcpu, regs->rcx);
	case TDH_VP_INIT:
		return vp_init(td, vcpu, TDX_LEAF_VERSION(rax), regs);
	case TDH_VP_ENTER:
		return vp_enter(td, vcpu, regs);
	case TDH_VP_FLUSH:
		return vp_flush(td, vcpu);
	default:
		return vp_field(td, regs);
	}
}
