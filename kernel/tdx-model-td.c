// SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later
/*
 * A TD as the module sees it: creation, keys, control structures, vCPUs and private page
 * tables. What measures is in tdx-model-td-measure.c, the way down in
 * tdx-model-td-teardown.c.
 *
 * Page addresses are names: nothing is stored there. One TD is never called twice at a
 * time, as the caller lets one thread in, so OPERAND_BUSY does not arise.
 */
#include "tdx-model-internal.h"

#define ADDRESS_MAX (1ULL << 46)
#define SEPT_LEVELS 4 /* simulation: levels 1 to 4, a 2 MiB region's table is level 1 */
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

struct tdx_model_tdr *tdx_model_td_free(struct tdx_model_tdr *td)
{
	struct tdx_model_page *page;

	if (!td)
		return NULL;

	while (td->pages) {
		page = td->pages;
		td->pages = page->next;
		tdx_port_free(page->content);
		tdx_port_free(page);
	}
	tdx_port_sha384_free(td->hash);
	tdx_port_free(td);

	return NULL;
}

static bool is_page_address(u64 address)
{
	return address && !(address % TDX_MODEL_PAGE_BYTES) && address < ADDRESS_MAX;
}

/* 0 when @address can become a page of some TD; else the status for operand @operand. */
static u64 check_new_page(struct tdx_model *model, u64 address, u64 operand)
{
	if (!is_page_address(address))
		return TDX_OPERAND_INVALID | operand;
	if (tdx_model_page_is_used(model, address))
		return TDX_PAGE_METADATA_INCORRECT | operand;

	return TDX_SUCCESS;
}

static u64 mng_create(struct tdx_model *model, const struct tdx_model_regs *regs)
{
	struct tdx_model_tdr *td;
	u64 status = check_new_page(model, regs->rcx, TDX_OPERAND_RCX);

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
	if (tdx_port_sha384_new(&td->hash)) {
		tdx_port_free(td);
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
	u64 status = check_new_page(model, regs->rcx, TDX_OPERAND_RCX);

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

/* Keys are there, the control structure is complete, the state is one of @op_states (a
 * bit mask of enum tdx_model_op_state). */
static u64 check_td(const struct tdx_model_tdr *td, unsigned int op_states)
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
	u64 status = check_td(td, 1U << TDX_MODEL_OP_UNINITIALIZED);

	if (status)
		return status;
	if (!regs->rdx || regs->rdx % 1024)
		return INVALID(RDX);

	tdx_port_sha384_start(td->hash);
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

static u64 vp_create(struct tdx_model *model, struct tdx_model_tdr *td, unsigned int leaf,
		     const struct tdx_model_regs *regs)
{
	enum tdx_model_page_kind kind =
		leaf == TDH_VP_CREATE ? TDX_MODEL_PAGE_VCPU : TDX_MODEL_PAGE_VCPU_EXTRA;
	u64 status = check_new_page(model, regs->rcx, TDX_OPERAND_RCX);

	if (!status)
		status = check_td(td, 1U << TDX_MODEL_OP_INITIALIZED);
	if (status)
		return status;
	if (!tdx_model_td_add_page(td, kind, regs->rcx))
		return TDX_SYS_BUSY;

	return TDX_SUCCESS;
}

static u64 vp_init(struct tdx_model_tdr *td, struct tdx_model_page *vcpu)
{
	u64 status = check_td(td, 1U << TDX_MODEL_OP_INITIALIZED |
					  1U << TDX_MODEL_OP_STATE_IMPORT);

	if (status)
		return status;
	if (vcpu->is_vcpu_init)
		return TDX_OP_STATE_INCORRECT;

	vcpu->is_vcpu_init = true;
	vcpu->is_vcpu_associated = true;
	td->vcpu_count++;

	return TDX_SUCCESS;
}

static u64 vp_enter(struct tdx_model_tdr *td, struct tdx_model_page *vcpu)
{
	u64 status = check_td(td, 1U << TDX_MODEL_OP_RUNNABLE |
					  1U << TDX_MODEL_OP_LIVE_EXPORT |
					  1U << TDX_MODEL_OP_LIVE_IMPORT);

	if (!status)
		vcpu->is_vcpu_associated = true;

	return status;
}

/* RCX: guest address, level in bits 2:0. */
static u64 mem_sept_add(struct tdx_model *model, struct tdx_model_tdr *td,
			const struct tdx_model_regs *regs)
{
	unsigned int level = regs->rcx & 7;
	u64 gpa = regs->rcx & ~7ULL;
	struct tdx_model_page *page;
	u64 status;

	if (!level || level > SEPT_LEVELS || gpa % (512ULL * TDX_MODEL_PAGE_BYTES))
		return INVALID(RCX);
	status = check_new_page(model, regs->r8, TDX_OPERAND_R8);
	if (!status)
		status = check_td(td, 1U << TDX_MODEL_OP_INITIALIZED |
					      1U << TDX_MODEL_OP_RUNNABLE |
					      1U << TDX_MODEL_OP_LIVE_EXPORT |
					      0xFU << TDX_MODEL_OP_MEMORY_IMPORT);
	if (status)
		return status;

	if (tdx_model_td_find_gpa(td, gpa, level))
		return TDX_EPT_ENTRY_STATE_INCORRECT | TDX_OPERAND_RCX;

	page = tdx_model_td_add_page(td, TDX_MODEL_PAGE_SEPT, regs->r8);
	if (!page)
		return TDX_SYS_BUSY;
	page->is_mapped = true;
	page->gpa = gpa;
	page->level = level;

	return TDX_SUCCESS;
}

/* Leaves that name a vCPU: its page says whose it is. */
static u64 vcpu_leaf(struct tdx_model *model, unsigned int leaf,
		     const struct tdx_model_regs *regs)
{
	struct tdx_model_page *vcpu = NULL;
	struct tdx_model_tdr *td;

	for (td = model->tdrs; td; td = td->next) {
		vcpu = find_page(td, regs->rcx);
		if (vcpu)
			break;
	}
	if (!vcpu || vcpu->kind != TDX_MODEL_PAGE_VCPU)
		return TDX_PAGE_METADATA_INCORRECT | TDX_OPERAND_RCX;

	switch (leaf) {
	case TDH_VP_INIT:
		return vp_init(td, vcpu);
	case TDH_VP_ENTER:
		return vp_enter(td, vcpu);
	default: /* TDH_VP_FLUSH */
		if (td->life_cycle > TDX_MODEL_KEYS_CONFIGURED)
			return TDX_LIFECYCLE_STATE_INCORRECT;
		vcpu->is_vcpu_associated = false;
		return TDX_SUCCESS;
	}
}

/* Leaves that name a TD, in RDX where RCX is something else. */
static u64 td_leaf(struct tdx_model *model, unsigned int lp, unsigned int leaf,
		   struct tdx_model_regs *regs)
{
	bool is_first = leaf == TDH_MNG_KEY_CONFIG || leaf == TDH_MNG_INIT ||
			leaf == TDH_MR_FINALIZE;
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
	case TDH_VP_CREATE:
	case TDH_VP_ADDCX:
		return vp_create(model, td, leaf, regs);
	case TDH_MEM_SEPT_ADD:
		return mem_sept_add(model, td, regs);
	default:
		return check_td(td, 1U << TDX_MODEL_OP_INITIALIZED)
			       ?: tdx_model_td_measure(model, td, leaf, regs);
	}
}

u64 tdx_model_td_leaf(struct tdx_model *model, unsigned int lp, unsigned int leaf,
		      struct tdx_model_regs *regs)
{
	switch (leaf) {
	case TDH_MNG_CREATE:
		return mng_create(model, regs);
	case TDH_VP_INIT:
	case TDH_VP_ENTER:
	case TDH_VP_FLUSH:
		return vcpu_leaf(model, leaf, regs);
	case TDH_MNG_KEY_CONFIG:
	case TDH_MNG_ADDCX:
	case TDH_MNG_INIT:
	case TDH_VP_CREATE:
	case TDH_VP_ADDCX:
	case TDH_MEM_SEPT_ADD:
	case TDH_MEM_PAGE_ADD:
	case TDH_MR_EXTEND:
	case TDH_MR_FINALIZE:
		return td_leaf(model, lp, leaf, regs);
	case TDH_MNG_VPFLUSHDONE:
	case TDH_PHYMEM_CACHE_WB:
	case TDH_MNG_KEY_FREEID:
	case TDH_PHYMEM_PAGE_RECLAIM:
		return tdx_model_td_teardown(model, lp, leaf, regs);
	default:
		return TDX_OPERAND_INVALID | TDX_OPERAND_RAX;
	}
}
