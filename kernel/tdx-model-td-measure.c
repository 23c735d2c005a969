// SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later
/*
 * The leaves that a launch measurement is made of, and what an update in the middle of
 * them does to it.
 */
#include "tdx-model-internal.h"

#define REGION_BYTES (512ULL * TDX_MODEL_PAGE_BYTES) /* what a level 1 table covers */
#define CHUNK_BYTES  256
#define GPA_MAX      (1ULL << 48)

/*
 * A hash in progress lives in TD memory in the layout of the module that began it. A
 * module with another layout that was told to look refuses for good; all others lose what
 * was hashed so far and nobody hears of it (simulation: the hash starts afresh).
 */
static u64 check_context(const struct tdx_model *model, struct tdx_model_tdr *td)
{
	if (td->mrtd_ctx == model->module.facts.ctx)
		return TDX_SUCCESS;
	if (model->module.is_detecting)
		return TDX_INCOMPATIBLE_MRTD_CONTEXT;

	tdx_port_sha384_start(td->hash);
	td->mrtd_ctx = model->module.facts.ctx;

	return TDX_SUCCESS;
}

static u64 page_add(struct tdx_model *model, struct tdx_model_tdr *td,
		    const struct tdx_model_regs *regs)
{
	u64 gpa = regs->rcx;
	struct tdx_model_page *page;
	u64 status;
	u8 *content;

	if (gpa % TDX_MODEL_PAGE_BYTES || gpa >= GPA_MAX)
		return TDX_OPERAND_INVALID | TDX_OPERAND_RCX;
	if (!regs->r8 || regs->r8 % TDX_MODEL_PAGE_BYTES)
		return TDX_OPERAND_INVALID | TDX_OPERAND_R8;
	if (tdx_model_page_is_used(model, regs->r8))
		return TDX_PAGE_METADATA_INCORRECT | TDX_OPERAND_R8;
	if (!regs->r9 || regs->r9 % TDX_MODEL_PAGE_BYTES || !regs->memory)
		return TDX_OPERAND_INVALID | TDX_OPERAND_R9;

	page = tdx_model_td_find_gpa(td, gpa - gpa % REGION_BYTES, 1);
	if (!page)
		return TDX_EPT_WALK_FAILED | TDX_OPERAND_RCX;
	if (tdx_model_td_find_gpa(td, gpa, 0))
		return TDX_EPT_ENTRY_STATE_INCORRECT | TDX_OPERAND_RCX;

	status = check_context(model, td);
	if (status)
		return status;

	content = tdx_port_alloc(TDX_MODEL_PAGE_BYTES);
	page = content ? tdx_model_td_add_page(td, TDX_MODEL_PAGE_PRIVATE, regs->r8)
		       : NULL;
	if (!page) {
		tdx_port_free(content);
		return TDX_SYS_BUSY;
	}
	memcpy(content, regs->memory, TDX_MODEL_PAGE_BYTES);
	page->content = content;
	page->is_mapped = true;
	page->gpa = gpa;
	tdx_model_mrtd_add_page(td->hash, gpa);
	tdx_model_mrtd_add_page(td->whole, gpa);

	return TDX_SUCCESS;
}

static u64 extend(struct tdx_model *model, struct tdx_model_tdr *td,
		  const struct tdx_model_regs *regs)
{
	u64 gpa = regs->rcx;
	u64 offset = gpa % TDX_MODEL_PAGE_BYTES;
	struct tdx_model_page *page;
	u64 status;

	if (gpa % CHUNK_BYTES || gpa >= GPA_MAX)
		return TDX_OPERAND_INVALID | TDX_OPERAND_RCX;

	page = tdx_model_td_find_gpa(td, gpa - offset, 0);
	if (!page)
		return TDX_EPT_ENTRY_NOT_PRESENT | TDX_OPERAND_RCX;

	status = check_context(model, td);
	if (status)
		return status;

	tdx_model_mrtd_extend(td->hash, gpa, page->content + offset);
	tdx_model_mrtd_extend(td->whole, gpa, page->content + offset);
	return TDX_SUCCESS;
}

static u64 finalize(struct tdx_model *model, struct tdx_model_tdr *td)
{
	u8 whole[TDX_MODEL_DIGEST_BYTES];
	u64 status;

	if (!td->vcpu_count)
		return TDX_NO_VCPUS;

	status = check_context(model, td);
	if (status)
		return status;

	tdx_port_sha384_finish(td->hash, td->mrtd);
	tdx_port_sha384_finish(td->whole, whole);
	td->is_mrtd_right = !memcmp(td->mrtd, whole, sizeof(whole));
	model->seen.finalized++;
	model->seen.wrong_mrtd += !td->is_mrtd_right;
	td->op_state = TDX_MODEL_OP_RUNNABLE;
	tdx_model_td_end_build(model, td);

	return TDX_SUCCESS;
}

u64 tdx_model_td_measure(struct tdx_model *model, struct tdx_model_tdr *td,
			 unsigned int leaf, struct tdx_model_regs *regs)
{
	switch (leaf) {
	case TDH_MEM_PAGE_ADD:
		return page_add(model, td, regs);
	case TDH_MR_EXTEND:
		return extend(model, td, regs);
	default:
		return finalize(model, td);
	}
}
