// SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later
/*
 * A TD as the module sees it: creation, keys and control structures. Its vCPUs, its
 * memory, what measures and the way down have files of their own, tdx-model-td-*.c.
 *
 * Page addresses are names: nothing is stored there. One TD is never called twice at a
 * time, as the caller lets one thread in, so OPERAND_BUSY does not arise.
 */
#include "tdx-model-internal.h"

#define INVALID(op) (TDX_OPERAND_INVALID | TDX_OPERAND_##op)

struct tdx_model_tdr *tdx_model_td_find(struct tdx_model *model, u64 address)
{
	struct tdx_model_tdr *td;

	for (td = model->tdrs; td; td = td->next)
		if (td->address == address)
			return td;

	return NULL;
}

struct tdx_model_page *tdx_model_td_find_gpa(struct tdx_model_tdr *td, u64 gpa,
					     unsigned int level)
{
	struct tdx_model_page *page;

	for (page = td->pages; page; page = page->next)
		if (page->is_mapped && page->gpa == gpa && page->level == level)
			return page;

	return NULL;
}

static struct tdx_model_page *find_page(struct tdx_model_tdr *td, u64 address)
{
	struct tdx_model_page *page;

	for (page = td->pages; page; page = page->next)
		if (page->address == address)
			return page;

	return NULL;
}

bool tdx_model_page_is_used(struct tdx_model *model, u64 address)
{
	struct tdx_model_tdr *td;

	for (td = model->tdrs; td; td = td->next)
		if (td->address == address || find_page(td, address))
			return true;

	return false;
}

struct tdx_model_page *tdx_model_td_add_page(struct tdx_model_tdr *td,
					     enum tdx_model_page_kind kind, u64 address)
{
	struct tdx_model_page *page = tdx_port_alloc(sizeof(*page));

	if (!page)
		return NULL;

	page->kind = kind;
	page->address = address;
	page->next = td->pages;
	td->pages = page;

	return page;
}

void tdx_model_page_free(struct tdx_model_page *page)
{
	tdx_port_free(page->content);
	tdx_port_free(page);
}

struct tdx_model_tdr *tdx_model_td_free(struct tdx_model_tdr *td)
{
	struct tdx_model_page *page;

	if (!td)
		return NULL;

	while (td->pages) {
		page = td->pages;
		td->pages = page->next;
		tdx_model_page_free(page);
	}
	tdx_port_sha384_free(td->hash);
	tdx_port_sha384_free(td->whole);
	tdx_port_free(td);

	return NULL;
}

u64 tdx_model_check_new_page(struct tdx_model *model, u64 address, u64 operand)
{
	if (!address || address % TDX_MODEL_PAGE_BYTES ||
	    address >= TDX_MODEL_ADDRESS_MAX)
		return TDX_OPERAND_INVALID | operand;
	if (tdx_model_page_is_used(model, address))
		return TDX_PAGE_METADATA_INCORRECT | operand;

	return TDX_SUCCESS;
}

static u64 mng_create(struct tdx_model *model, const struct tdx_model_regs *regs)
{
	struct tdx_model_tdr *td;
	u64 status = tdx_model_check_new_page(model, regs->rcx, TDX_OPERAND_RCX);

	if (status)
		return status;
	if (regs->rdx <= TDX_MODEL_HKID_FIRST || regs->rdx >= TDX_MODEL_HKID_MAX)
		return INVALID(RDX);
	if (model->hkids[regs->rdx] != TDX_MODEL_HKID_FREE)
		return TDX_HKID_NOT_FREE;
	if (model->faults.module_entropy) {
		model->faults.module_entropy--;
		return TDX_RND_NO_ENTROPY;
	}

	/* The host's fault, not the module's; the nearest answer the module has. */
	td = tdx_port_alloc(sizeof(*td));
	if (!td)
		return TDX_SYS_BUSY;
	if (tdx_port_sha384_new(&td->hash) || tdx_port_sha384_new(&td->whole)) {
		tdx_model_td_free(td);
		return TDX_SYS_BUSY;
	}

	td->address = regs->rcx;
	td->hkid = (u16)regs->rdx;
	td->life_cycle = TDX_MODEL_HKID_IS_ASSIGNED;
	td->op_state = TDX_MODEL_OP_UNINITIALIZED;
	tdx_port_random(td->uuid, sizeof(td->uuid));
	td->next = model->tdrs;
	model->tdrs = td;
	model->hkids[td->hkid] = TDX_MODEL_HKID_ASSIGNED;

	return TDX_SUCCESS;
}

static u64 mng_key_config(struct tdx_model *model, unsigned int lp,
			  struct tdx_model_tdr *td)
{
	u32 package = 1U << tdx_model_package_of(model, lp);

	if (td->life_cycle != TDX_MODEL_HKID_IS_ASSIGNED)
		return TDX_LIFECYCLE_STATE_INCORRECT;
	if (td->packages & package)
		return TDX_KEY_CONFIGURED;

	td->packages |= package;
	if (td->packages == (1U << model->package_count) - 1)
		td->life_cycle = TDX_MODEL_KEYS_CONFIGURED;

	return TDX_SUCCESS;
}

static u64 mng_addcx(struct tdx_model *model, struct tdx_model_tdr *td,
		     const struct tdx_model_regs *regs)
{
	u64 status = tdx_model_check_new_page(model, regs->rcx, TDX_OPERAND_RCX);

	if (status)
		return status;
	if (td->life_cycle != TDX_MODEL_KEYS_CONFIGURED)
		return TDX_LIFECYCLE_STATE_INCORRECT;
	if (td->op_state != TDX_MODEL_OP_UNINITIALIZED)
		return TDX_OP_STATE_INCORRECT;
	if (td->tdcx_count == TDX_MODEL_TDCS_PAGES)
		return TDX_TDCX_NUM_INCORRECT;
	if (!tdx_model_td_add_page(td, TDX_MODEL_PAGE_TDCX, regs->rcx))
		return TDX_SYS_BUSY;

	td->tdcx_count++;
	return TDX_SUCCESS;
}

u64 tdx_model_check_td(const struct tdx_model_tdr *td, unsigned int op_states)
{
	if (td->life_cycle != TDX_MODEL_KEYS_CONFIGURED)
		return TDX_LIFECYCLE_STATE_INCORRECT;
	if (td->tdcx_count < TDX_MODEL_TDCS_PAGES)
		return TDX_TDCS_NOT_ALLOCATED;
	if (!(op_states & 1U << td->op_state))
		return TDX_OP_STATE_INCORRECT;

	return TDX_SUCCESS;
}

/* Simulation: the 1024 bytes of parameters are not looked at, only that there are some.
 */
static u64 mng_init(struct tdx_model *model, struct tdx_model_tdr *td,
		    const struct tdx_model_regs *regs)
{
	u64 status = tdx_model_check_td(td, 1U << TDX_MODEL_OP_UNINITIALIZED);

	if (status)
		return status;
	if (!regs->rdx || regs->rdx % 1024)
		return INVALID(RDX);

	tdx_port_sha384_start(td->hash);
	tdx_port_sha384_start(td->whole);
	td->mrtd_ctx = model->module.facts.ctx;
	td->op_state = TDX_MODEL_OP_INITIALIZED;
	if (tdx_model_counts_builds(model)) {
		model->module.td_build_count++;
		td->is_counted = true;
	}

	return TDX_SUCCESS;
}

void tdx_model_td_end_build(struct tdx_model *model, struct tdx_model_tdr *td)
{
	if (td->is_counted && model->module.td_build_count)
		model->module.td_build_count--;
	td->is_counted = false;
}

u64 tdx_model_td_migrate(struct tdx_model *model, struct tdx_model_tdr *td,
			 bool is_interrupted)
{
	if (!model->loader.is_seam_ready)
		return TDX_SEAMCALL_VMFAILINVALID;
	if (model->module.state != TDX_MODEL_SYS_READY)
		return TDX_SYS_SHUTDOWN;
	if (td->is_mig_interrupted == is_interrupted)
		return TDX_OP_STATE_INCORRECT;

	td->is_mig_interrupted = is_interrupted;
	if (!tdx_model_counts_builds(model))
		return TDX_SUCCESS;
	if (is_interrupted)
		model->module.mig_interrupted_count++;
	else if (model->module.mig_interrupted_count)
		model->module.mig_interrupted_count--;

	return TDX_SUCCESS;
}

/* Simulation: no field of a TD is kept. */
static u64 mng_rd(struct tdx_model_tdr *td, struct tdx_model_regs *regs)
{
	u64 status = tdx_model_check_td(td, ~0U);

	if (!status)
		regs->r8 = 0;

	return status;
}

static bool is_td_in_rcx(unsigned int leaf)
{
	switch (leaf) {
	case TDH_MNG_KEY_CONFIG:
	case TDH_MNG_INIT:
	case TDH_MNG_RD:
	case TDH_MR_FINALIZE:
	case TDH_MEM_TRACK:
		return true;
	default:
		return false;
	}
}

/* Leaves that name a TD, in RDX where RCX is something else. */
static u64 td_leaf(struct tdx_model *model, unsigned int lp, unsigned int leaf,
		   struct tdx_model_regs *regs)
{
	bool is_first = is_td_in_rcx(leaf);
	u64 address = is_first ? regs->rcx : regs->rdx;
	struct tdx_model_tdr *td = tdx_model_td_find(model, address);

	if (!td)
		return TDX_PAGE_METADATA_INCORRECT |
		       (is_first ? TDX_OPERAND_RCX : TDX_OPERAND_RDX);

	switch (leaf) {
	case TDH_MNG_KEY_CONFIG:
		return mng_key_config(model, lp, td);
	case TDH_MNG_ADDCX:
		return mng_addcx(model, td, regs);
	case TDH_MNG_INIT:
		return mng_init(model, td, regs);
	case TDH_MNG_RD:
		return mng_rd(td, regs);
	case TDH_VP_CREATE:
		return tdx_model_vp_create(model, td, regs);
	case TDH_MEM_SEPT_ADD:
		return tdx_model_sept_add(model, td, regs);
	case TDH_MEM_RANGE_BLOCK:
	case TDH_MEM_TRACK:
	case TDH_MEM_PAGE_REMOVE:
		return tdx_model_td_memory(td, leaf, regs);
	default:
		return tdx_model_check_td(td, 1U << TDX_MODEL_OP_INITIALIZED)
			       ?: tdx_model_td_measure(model, td, leaf, regs);
	}
}

u64 tdx_model_td_leaf(struct tdx_model *model, unsigned int lp, u64 rax,
		      struct tdx_model_regs *regs)
{
	unsigned int leaf = TDX_LEAF(rax);

	switch (leaf) {
	case TDH_MNG_CREATE:
		return mng_create(model, regs);
	case TDH_VP_ADDCX:
	case TDH_VP_INIT:
	case TDH_VP_ENTER:
	case TDH_VP_FLUSH:
	case TDH_VP_RD:
	case TDH_VP_WR:
		return tdx_model_vcpu_leaf(model, rax, regs);
	case TDH_MNG_KEY_CONFIG:
	case TDH_MNG_ADDCX:
	case TDH_MNG_INIT:
	case TDH_MNG_RD:
	case TDH_VP_CREATE:
	case TDH_MEM_SEPT_ADD:
	case TDH_MEM_PAGE_ADD:
	case TDH_MEM_RANGE_BLOCK:
	case TDH_MEM_TRACK:
	case TDH_MEM_PAGE_REMOVE:
	case TDH_MR_EXTEND:
	case TDH_MR_FINALIZE:
		return td_leaf(model, lp, leaf, regs);
	case TDH_MNG_VPFLUSHDONE:
	case TDH_PHYMEM_CACHE_WB:
	case TDH_PHYMEM_PAGE_WBINVD:
	case TDH_PHYMEM_PAGE_RDMD:
	case TDH_MNG_KEY_FREEID:
	case TDH_PHYMEM_PAGE_RECLAIM:
		return tdx_model_td_teardown(model, lp, leaf, regs);
	default:
		return TDX_OPERAND_INVALID | TDX_OPERAND_RAX;
	}
}
