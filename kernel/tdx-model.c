// SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later
/*
 * The machine as a whole: what it is made of, power on, power off.
 */
#include "tdx-model-internal.h"

#define CPU_EMERALD_RAPIDS 0xC06F2

/* SHA-384 of the modulus that all of Intel's published modules are signed with. */
static const char intel_signer[] =
	"c8572f548869a0beca19376b81c2dffc2a23b5a5f71da0b87579b43f408daa1a"
	"33bad9c149eb56c634f883737968a34c";

/* 1.5.06 as published. */
static const struct tdx_model_facts default_facts = {
	.version = { 1, 5, 6 },
	.features0 = 0x2E1F0FBF,
	.ctx = 0x0106,
	.svn = 0x0106,
	.handoff_pages = 13,
};

unsigned int tdx_model_package_of(const struct tdx_model *model, unsigned int lp)
{
	return lp * model->package_count / model->lp_count;
}

static void forget_tds(struct tdx_model *model)
{
	struct tdx_model_tdr *tdr;
	struct tdx_model_td *td;

	while (model->tds) {
		td = model->tds;
		model->tds = td->next;
		tdx_model_build_free(td);
	}
	while (model->tdrs) {
		tdr = model->tdrs;
		model->tdrs = tdr->next;
		tdx_model_td_free(tdr);
	}
}

void tdx_model_power_on(struct tdx_model *model)
{
	forget_tds(model);
	memset(model->hkids, 0, sizeof(model->hkids));
	memset(&model->faults, 0, sizeof(model->faults));
	memset(&model->handoff, 0, sizeof(model->handoff));
	memset(&model->seen, 0, sizeof(model->seen));
	tdx_model_module_load(model, &model->boot_facts);
	model->loader.is_session_open = false;
	model->loader.is_seam_ready = true;
	model->host.is_live = false;
	model->host.has_last = false;
	model->host.building = 0;
}

void tdx_model_reboot(struct tdx_model *model)
{
	tdx_model_power_on(model);
	tdx_model_host_boot(model);
}

int tdx_model_new(unsigned int lp_count, const struct tdx_model_hooks *hooks,
		  void *userdata, struct tdx_model **ret)
{
	struct tdx_model *model;

	if (!lp_count || lp_count > TDX_MODEL_LPS_MAX)
		return -EINVAL;

	model = tdx_port_alloc(sizeof(*model));
	if (!model)
		return -ENOMEM;

	if (hooks)
		model->hooks = *hooks;
	model->userdata = userdata;
	model->lp_count = lp_count;
	model->package_count = 1;
	model->signatures[0] = CPU_EMERALD_RAPIDS;
	model->boot_facts = default_facts;
	model->next_address = TDX_MODEL_PAGE_BYTES;
	model->loader.version.major = 1;
	model->loader.version.minor = 5;
	model->loader.remaining = 14;
	model->loader.seam_pages = 8192;
	model->loader.trust_count = 1;
	tdx_model_parse_digest(intel_signer, model->loader.trust[0]);
	model->host.is_guarding = true;
	tdx_model_reboot(model);

	*ret = model;
	return 0;
}

struct tdx_model *tdx_model_free(struct tdx_model *model)
{
	struct tdx_model_known *known;

	if (!model)
		return NULL;

	forget_tds(model);
	while (model->known) {
		known = model->known;
		model->known = known->next;
		tdx_port_free(known);
	}
	tdx_port_free(model);

	return NULL;
}
