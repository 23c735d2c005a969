// SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later
/*
 * P-SEAMLDR: what it tells, and the session in which every LP calls INSTALL once and the
 * last one does the work. It looks at an image only then, when the old module has already
 * been shut down.
 */
#include "tdx-model-internal.h"

static void store(u8 *at, u64 value, unsigned int bytes)
{
	unsigned int i;

	for (i = 0; i < bytes; i++)
		at[i] = (u8)(value >> (8 * i));
}

static bool is_zero(const u8 *bytes, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (bytes[i])
			return false;

	return true;
}

/*
 * P-SEAMLDR measures every module that it loads. Simulation: of one that firmware loaded
 * only the version may be known, and then it has the measurement that `known` has for it,
 * or one that is made up.
 */
static void store_mrseam(const struct tdx_model *model, u8 *at)
{
	const struct tdx_model_facts *facts = &model->module.facts;
	const struct tdx_model_known *known;

	memset(at, 0x5E, TDX_MODEL_DIGEST_BYTES);
	store(at, facts->version.major, 2);
	store(at + 2, facts->version.minor, 2);
	store(at + 4, facts->version.update, 2);
	store(at + 6, facts->svn, 2);

	for (known = model->known; known; known = known->next)
		if (!memcmp(&known->version, &facts->version, sizeof(facts->version))) {
			memcpy(at, known->mrseam, TDX_MODEL_DIGEST_BYTES);
			break;
		}
	if (!is_zero(facts->mrseam, sizeof(facts->mrseam)))
		memcpy(at, facts->mrseam, TDX_MODEL_DIGEST_BYTES);
}

void tdx_model_seamldr_fill_info(const struct tdx_model *model,
				 u8 ret[TDX_MODEL_INFO_BYTES])
{
	const struct tdx_model_loader *loader = &model->loader;

	memset(ret, 0, TDX_MODEL_INFO_BYTES);
	store(ret + 8, 0x8086, 4);
	store(ret + 18, loader->version.minor, 2);
	store(ret + 20, loader->version.major, 2);
	store(ret + 22, loader->version.update, 2);
	store(ret + 28, loader->remaining, 4);
	store(ret + TDX_MODEL_INFO_SEAM_VALID, loader->is_seam_ready, 8);
	store(ret + TDX_MODEL_INFO_TEE_TCB_SVN, model->module.facts.svn, 2);
	store_mrseam(model, ret + TDX_MODEL_INFO_MRSEAM);
	ret[160] = loader->is_seam_ready;
	ret[162] = 1;
}

u64 tdx_model_seamldr_info(struct tdx_model *model, u8 ret[TDX_MODEL_INFO_BYTES])
{
	if (model->faults.loader_info) {
		model->faults.loader_info--;
		return model->faults.loader_info_status;
	}

	tdx_model_seamldr_fill_info(model, ret);
	return 0;
}

static bool are_params_valid(const struct tdx_model *model,
			     const struct tdx_model_params *params)
{
	unsigned int i;

	if (params->version || params->scenario > TDX_MODEL_SCENARIO_UPDATE)
		return false;
	if (!is_zero(params->reserved, sizeof(params->reserved)))
		return false;
	if (!params->page_count || params->page_count > TDX_MODEL_MODULE_PAGES_MAX)
		return false;
	if (params->sigstruct % TDX_MODEL_PAGE_BYTES)
		return false;
	for (i = 0; i < params->page_count; i++)
		if (params->pages[i] % TDX_MODEL_PAGE_BYTES)
			return false;

	return params->scenario == TDX_MODEL_SCENARIO_LOAD ||
	       model->loader.has_old_module;
}

/* What an update needs beyond what a first load needs. */
static u64 check_update(const struct tdx_model *model,
			const struct tdx_model_image *image)
{
	const struct tdx_model_handoff *handoff = &model->handoff;

	if (image->params.scenario != TDX_MODEL_SCENARIO_UPDATE)
		return 0;
	if (!model->loader.remaining)
		return SEAMLDR_EBADCALL;
	if (!handoff->is_valid || handoff->hv < image->facts.min_update_hv ||
	    handoff->hv > image->facts.module_hv)
		return SEAMLDR_EBADHANDOFF;

	return 0;
}

static u64 do_install(struct tdx_model *model, const struct tdx_model_image *image,
		      u64 *ret_rdx)
{
	u64 status;

	*ret_rdx = 0;
	if (!image || !are_params_valid(model, &image->params))
		return SEAMLDR_EBADPARAM;
	status = tdx_model_sigstruct_check(model, image);
	if (status)
		return status;
	if (tdx_model_sigstruct_memory_pages(model, image) > model->loader.seam_pages)
		return SEAMLDR_ENOMEM;
	status = check_update(model, image);
	if (status)
		return status;

	/* From here on the old module is overwritten. */
	*ret_rdx = 1;
	if (!tdx_model_sigstruct_has_hash(image))
		return SEAMLDR_EBADHASH;
	if (model->faults.loader_entropy) {
		model->faults.loader_entropy--;
		return SEAMLDR_ENOENTROPY;
	}

	*ret_rdx = 0;
	if (model->loader.remaining)
		model->loader.remaining--;
	tdx_model_module_load(model, &image->facts);

	return 0;
}

static void open_session(struct tdx_model_loader *loader)
{
	loader->is_session_open = true;
	loader->called_count = 0;
	memset(loader->has_called, 0, sizeof(loader->has_called));
	loader->has_old_module = loader->is_seam_ready;
	loader->is_seam_ready = false;
}

bool tdx_model_seamldr_is_last(const struct tdx_model *model, unsigned int lp)
{
	const struct tdx_model_loader *loader = &model->loader;

	if (!loader->is_session_open)
		return model->lp_count == 1;

	return !loader->has_called[lp] && loader->called_count == model->lp_count - 1;
}

/* A failure that left the old module in place makes it reachable again, in SHUTDOWN. */
u64 tdx_model_seamldr_install(struct tdx_model *model, unsigned int lp,
			      const struct tdx_model_image *image, u64 *ret_rdx)
{
	struct tdx_model_loader *loader = &model->loader;
	u64 status;

	*ret_rdx = 0;
	if (!loader->is_session_open)
		open_session(loader);
	if (loader->has_called[lp])
		return SEAMLDR_EBADCALL;

	loader->has_called[lp] = true;
	if (++loader->called_count < model->lp_count)
		return 0;

	loader->is_session_open = false;
	status = do_install(model, image, ret_rdx);
	if (!status)
		loader->is_seam_ready = true;
	else if (!*ret_rdx)
		loader->is_seam_ready = loader->has_old_module;

	return status;
}
