// SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later
/*
 * A TD's private memory while it lives: page tables come, pages are blocked, tracked and
 * taken away. Pages that are measured come in tdx-model-td-measure.c.
 *
 * RCX is a guest address with a level in bits 2:0: 0 a page, 1 a table of pages and so
 * on.
 */
#include "tdx-model-internal.h"

#define SEPT_LEVELS 4 /* simulation: levels 1 to 4, a 2 MiB region's table is level 1 */
#define LEVEL(rcx)  ((unsigned int)(rcx)&7)
#define GPA(rcx)    ((rcx) & ~0xFFFULL)

/* Bits 11:3 of the operand are reserved. */
static bool is_reserved_set(u64 rcx)
{
	return rcx & 0xFF8;
}

u64 tdx_model_sept_add(struct tdx_model *model, struct tdx_model_tdr *td,
		       const struct tdx_model_regs *regs)
{
	unsigned int level = LEVEL(regs->rcx);
	u64 gpa = GPA(regs->rcx);
	struct tdx_model_page *page;
	u64 status;

	if (!level || level > SEPT_LEVELS || is_reserved_set(regs->rcx) ||
	    gpa % (512ULL * TDX_MODEL_PAGE_BYTES))
		return TDX_OPERAND_INVALID | TDX_OPERAND_RCX;
	status = tdx_model_check_new_page(model, regs->r8, TDX_OPERAND_R8);
	if (!status)
		status = tdx_model_check_td(
			td, 1U << TDX_MODEL_OP_INITIALIZED | 1U << TDX_MODEL_OP_RUNNABLE |
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

/* What the operand names, which has to be a page; or the status that says why not. */
static u64 find_page(struct tdx_model_tdr *td, u64 rcx, struct tdx_model_page **ret)
{
	if (LEVEL(rcx) || is_reserved_set(rcx))
		return TDX_OPERAND_INVALID | TDX_OPERAND_RCX;

	*ret = tdx_model_td_find_gpa(td, GPA(rcx), 0);
	if (*ret)
		return TDX_SUCCESS;
	if (!tdx_model_td_find_gpa(td, GPA(rcx) & ~(512ULL * TDX_MODEL_PAGE_BYTES - 1),
				   1))
		return TDX_EPT_WALK_FAILED | TDX_OPERAND_RCX;

	return TDX_EPT_ENTRY_STATE_INCORRECT | TDX_OPERAND_RCX;
}

static u64 range_block(struct tdx_model_tdr *td, u64 rcx)
{
	struct tdx_model_page *page;
	u64 status = find_page(td, rcx, &page);

	if (status)
		return status;
	if (page->is_blocked)
		return TDX_GPA_RANGE_ALREADY_BLOCKED | TDX_OPERAND_RCX;

	page->is_blocked = true;
	page->blocked_epoch = td->epoch;
	return TDX_SUCCESS;
}

/* Only a TD that may be running has to have forgotten the page first (module:
 * api_calls/tdh_mem_page_remove.c). Simulation: no vCPU is ever inside. */
static u64 page_remove(struct tdx_model_tdr *td, struct tdx_model_regs *regs)
{
	struct tdx_model_page **link, *page;
	u64 status = find_page(td, regs->rcx, &page);

	if (status)
		return status;
	if (td->op_state >= TDX_MODEL_OP_RUNNABLE && !page->is_blocked)
		return TDX_GPA_RANGE_NOT_BLOCKED | TDX_OPERAND_RCX;
	if (td->op_state >= TDX_MODEL_OP_RUNNABLE && page->blocked_epoch == td->epoch)
		return TDX_TLB_TRACKING_NOT_DONE | TDX_OPERAND_RCX;

	for (link = &td->pages; *link != page; link = &(*link)->next)
		;
	*link = page->next;
	regs->rcx = page->address;
	tdx_model_page_free(page);

	return TDX_SUCCESS;
}

u64 tdx_model_td_memory(struct tdx_model_tdr *td, unsigned int leaf,
			struct tdx_model_regs *regs)
{
	u64 status = tdx_model_check_td(td, ~(1U << TDX_MODEL_OP_UNINITIALIZED));

	if (status)
		return status;

	switch (leaf) {
	case TDH_MEM_RANGE_BLOCK:
		return range_block(td, regs->rcx);
	case TDH_MEM_PAGE_REMOVE:
		return page_remove(td, regs);
	default: /* TDH_MEM_TRACK */
		td->epoch++;
		return TDX_SUCCESS;
	}
}
