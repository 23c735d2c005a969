// SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later
/*
 * The leaves that take a TD down: its HKID is blocked, every package's caches are written
 * back, the HKID is free again, the pages are given back one by one. And those that are
 * about any page, whoever's it is.
 */
#include "tdx-model-internal.h"

static bool has_associated_vcpu(const struct tdx_model_tdr *td)
{
	const struct tdx_model_page *page;

	for (page = td->pages; page; page = page->next)
		if (page->is_vcpu_associated)
			return true;

	return false;
}

/* Simulation: where exactly an abandoned build leaves the count is not public. */
static u64 vpflushdone(struct tdx_model *model, struct tdx_model_tdr *td)
{
	if (td->life_cycle > TDX_MODEL_KEYS_CONFIGURED)
		return TDX_LIFECYCLE_STATE_INCORRECT;
	if (has_associated_vcpu(td))
		return TDX_FLUSHVP_NOT_DONE;

	if (td->op_state == TDX_MODEL_OP_INITIALIZED)
		tdx_model_td_end_build(model, td);
	if (td->is_mig_interrupted)
		tdx_model_td_migrate(model, td, false);

	td->life_cycle = TDX_MODEL_BLOCKED;
	td->packages = (1U << model->package_count) - 1;
	model->hkids[td->hkid] = TDX_MODEL_HKID_FLUSHED;

	return TDX_SUCCESS;
}

static u64 cache_wb(struct tdx_model *model, unsigned int lp)
{
	u32 package = 1U << tdx_model_package_of(model, lp);
	struct tdx_model_tdr *td;

	for (td = model->tdrs; td; td = td->next)
		if (td->life_cycle == TDX_MODEL_BLOCKED)
			td->packages &= ~package;

	return TDX_SUCCESS;
}

static u64 key_freeid(struct tdx_model *model, struct tdx_model_tdr *td)
{
	if (td->life_cycle != TDX_MODEL_BLOCKED)
		return TDX_LIFECYCLE_STATE_INCORRECT;
	if (td->packages)
		return TDX_WBCACHE_NOT_COMPLETE;

	td->life_cycle = TDX_MODEL_TEARDOWN;
	model->hkids[td->hkid] = TDX_MODEL_HKID_FREE;

	return TDX_SUCCESS;
}

static u64 reclaim_tdr(struct tdx_model *model, struct tdx_model_tdr *td)
{
	struct tdx_model_tdr **link;

	if (td->life_cycle != TDX_MODEL_TEARDOWN)
		return TDX_LIFECYCLE_STATE_INCORRECT;
	if (td->pages)
		return TDX_TD_ASSOCIATED_PAGES_EXIST;

	for (link = &model->tdrs; *link != td; link = &(*link)->next)
		;
	*link = td->next;
	tdx_model_td_free(td);

	return TDX_SUCCESS;
}

static u64 page_reclaim(struct tdx_model *model, u64 address)
{
	struct tdx_model_page **link, *page;
	struct tdx_model_tdr *td;

	for (td = model->tdrs; td; td = td->next) {
		if (td->address == address)
			return reclaim_tdr(model, td);
		for (link = &td->pages; *link; link = &(*link)->next) {
			page = *link;
			if (page->address != address)
				continue;
			if (td->life_cycle != TDX_MODEL_TEARDOWN)
				return TDX_LIFECYCLE_STATE_INCORRECT;
			*link = page->next;
			tdx_model_page_free(page);
			return TDX_SUCCESS;
		}
	}

	return TDX_PAGE_METADATA_INCORRECT | TDX_OPERAND_RCX;
}

/* Simulation: the KeyID in the upper bits of the address is not looked at. */
static u64 page_wbinvd(u64 address)
{
	if (address % TDX_MODEL_PAGE_BYTES)
		return TDX_OPERAND_INVALID | TDX_OPERAND_RCX;

	return TDX_SUCCESS;
}

/* Page types are those of the module's pamt_manager.h. */
static u64 page_rdmd(struct tdx_model *model, struct tdx_model_regs *regs)
{
	static const u8 types[] = {
		[TDX_MODEL_PAGE_TDCX] = 5,       [TDX_MODEL_PAGE_VCPU] = 6,
		[TDX_MODEL_PAGE_VCPU_EXTRA] = 5, [TDX_MODEL_PAGE_SEPT] = 8,
		[TDX_MODEL_PAGE_PRIVATE] = 3,
	};
	u64 address = regs->rcx;
	const struct tdx_model_page *page;
	const struct tdx_model_tdr *td;

	if (address % TDX_MODEL_PAGE_BYTES || address >= TDX_MODEL_ADDRESS_MAX)
		return TDX_OPERAND_INVALID | TDX_OPERAND_RCX;

	regs->rcx = regs->rdx = regs->r8 = regs->r9 = regs->r10 = regs->r11 = 0;
	for (td = model->tdrs; td; td = td->next) {
		if (td->address == address)
			regs->rcx = 4;
		for (page = td->pages; page; page = page->next)
			if (page->address == address) {
				regs->rcx = types[page->kind];
				regs->rdx = td->address;
			}
	}

	return TDX_SUCCESS;
}

u64 tdx_model_td_teardown(struct tdx_model *model, unsigned int lp, unsigned int leaf,
			  struct tdx_model_regs *regs)
{
	struct tdx_model_tdr *td;

	if (leaf == TDH_PHYMEM_CACHE_WB)
		return cache_wb(model, lp);
	if (leaf == TDH_PHYMEM_PAGE_WBINVD)
		return page_wbinvd(regs->rcx);
	if (leaf == TDH_PHYMEM_PAGE_RDMD)
		return page_rdmd(model, regs);
	if (leaf == TDH_PHYMEM_PAGE_RECLAIM)
		return page_reclaim(model, regs->rcx);

	td = tdx_model_td_find(model, regs->rcx);
	if (!td)
		return TDX_PAGE_METADATA_INCORRECT | TDX_OPERAND_RCX;
	if (leaf == TDH_MNG_KEY_FREEID)
		return key_freeid(model, td);

	return vpflushdone(model, td);
}
