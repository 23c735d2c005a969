// SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later
/*
 * The leaves that take a TD down: its HKID is blocked, every package's caches are written
 * back, the HKID is free again, the pages are given back one by one.
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
			tdx_port_free(page->content);
			tdx_port_free(page);
			return TDX_SUCCESS;
		}
	}

	return TDX_PAGE_METADATA_INCORRECT | TDX_OPERAND_RCX;
}

u64 tdx_model_td_teardown(struct tdx_model *model, unsigned int lp, unsigned int leaf,
			  const struct tdx_model_regs *regs)
{
	struct tdx_model_tdr *td;

	if (leaf == TDH_PHYMEM_CACHE_WB)
		return cache_wb(model, lp);
	if (leaf == TDH_PHYMEM_PAGE_RECLAIM)
		return page_reclaim(model, regs->rcx);

	td = tdx_model_td_find(model, regs->rcx);
	if (!td)
		return TDX_PAGE_METADATA_INCORRECT | TDX_OPERAND_RCX;
	if (leaf == TDH_MNG_KEY_FREEID)
		return key_freeid(model, td);

	return vpflushdone(model, td);
}
