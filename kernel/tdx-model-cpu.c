// SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later
/*
 * The SEAMCALL instruction of a machine that has memory and a host kernel of its own: bit
 * 63 of RAX says whether the module or P-SEAMLDR answers, and operands that are addresses
 * are read and written through the hooks. Which address is a page of whom is not looked
 * at here.
 */
#include "tdx-model-internal.h"

#define INFO_ALIGN 256

static bool read_page(struct tdx_model *model, u64 address, void *ret)
{
	return !(address % TDX_MODEL_PAGE_BYTES) && address < TDX_MODEL_ADDRESS_MAX &&
	       model->hooks.read_memory &&
	       model->hooks.read_memory(model->userdata, address, ret,
					TDX_MODEL_PAGE_BYTES);
}

static u64 info(struct tdx_model *model, u64 address)
{
	u8 bytes[TDX_MODEL_INFO_BYTES];
	u64 status;

	if (address % INFO_ALIGN || address >= TDX_MODEL_ADDRESS_MAX)
		return SEAMLDR_EBADPARAM;
	status = tdx_model_seamldr_info(model, bytes);
	if (status)
		return status;
	if (!model->hooks.write_memory ||
	    !model->hooks.write_memory(model->userdata, address, bytes, sizeof(bytes)))
		return SEAMLDR_EBADPARAM;

	return 0;
}

/* SIGSTRUCT and the module's pages, one after the other. */
static bool read_image(struct tdx_model *model, const struct tdx_model_params *params,
		       u8 *ret)
{
	u64 i;

	if (!read_page(model, params->sigstruct, ret))
		return false;
	for (i = 0; i < params->page_count; i++)
		if (!read_page(model, params->pages[i],
			       ret + (1 + i) * TDX_MODEL_PAGE_BYTES))
			return false;

	return true;
}

/* Simulation: what cannot be read is a bad parameter. NULL for that. */
static struct tdx_model_image *gather(struct tdx_model *model, u64 address)
{
	struct tdx_model_params *params = tdx_port_alloc(sizeof(*params));
	struct tdx_model_image *image = NULL;
	u8 *bytes = NULL;

	if (!params || !read_page(model, address, params) || !params->page_count ||
	    params->page_count > TDX_MODEL_MODULE_PAGES_MAX)
		goto out;
	bytes = tdx_port_alloc((1 + params->page_count) * TDX_MODEL_PAGE_BYTES);
	if (!bytes || !read_image(model, params, bytes))
		goto out;
	if (tdx_model_image_assemble(model, params, bytes, bytes + TDX_MODEL_PAGE_BYTES,
				     params->page_count * TDX_MODEL_PAGE_BYTES, &image))
		image = NULL;

out:
	tdx_port_free(bytes);
	tdx_port_free(params);
	return image;
}

/* Simulation: the parameters are those of the LP that comes last, who does the work. */
static u64 install(struct tdx_model *model, unsigned int lp, struct tdx_model_regs *regs)
{
	struct tdx_model_image *image = NULL;
	u64 status;

	if (tdx_model_seamldr_is_last(model, lp))
		image = gather(model, regs->rcx);
	status = tdx_model_seamldr_install(model, lp, image, &regs->rdx);
	tdx_model_image_free(image);

	return status;
}

static u64 call_loader(struct tdx_model *model, unsigned int lp, u64 rax,
		       struct tdx_model_regs *regs)
{
	switch (rax) {
	case SEAMLDR_INFO:
		return info(model, regs->rcx);
	case SEAMLDR_INSTALL:
		return install(model, lp, regs);
	default:
		return SEAMLDR_EBADCALL;
	}
}

static u64 call_module(struct tdx_model *model, unsigned int lp, u64 rax,
		       struct tdx_model_regs *regs)
{
	regs->memory = NULL;
	if (TDX_LEAF(rax) == TDH_MEM_PAGE_ADD &&
	    read_page(model, regs->r9, model->source_page))
		regs->memory = model->source_page;

	return tdx_model_seamcall(model, lp, rax, regs);
}

static enum tdx_model_step step_of(u64 rax)
{
	if (rax == SEAMLDR_INSTALL)
		return TDX_MODEL_STEP_CPU_INSTALL;
	if (rax & TDX_LEAF_OF_LOADER)
		return _TDX_MODEL_STEP_MAX;

	switch (TDX_LEAF(rax)) {
	case TDH_SYS_SHUTDOWN:
		return TDX_MODEL_STEP_SHUTDOWN;
	case TDH_SYS_LP_INIT:
		return TDX_MODEL_STEP_CPU_INIT;
	case TDH_SYS_UPDATE:
		return TDX_MODEL_STEP_RUN_UPDATE;
	default:
		return _TDX_MODEL_STEP_MAX;
	}
}

u64 tdx_model_cpu_seamcall(struct tdx_model *model, unsigned int lp, u64 rax,
			   struct tdx_model_regs *regs)
{
	u64 status;

	if (lp >= model->lp_count)
		return TDX_SEAMCALL_UD;

	status = tdx_model_take_step_fault(model, step_of(rax), lp);
	if (status)
		return status;

	return rax & TDX_LEAF_OF_LOADER ? call_loader(model, lp, rax, regs)
					: call_module(model, lp, rax, regs);
}
