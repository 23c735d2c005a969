// SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later
/*
 * The TDX module's globals: who may call what in which state, start-up, shutdown with
 * handoff, and the restore after an update. TDs are tdx-model-td.c's.
 */
#include "tdx-model-internal.h"

static bool has_compat_bit(const struct tdx_model *model)
{
	return model->module.facts.features0 & TDX_FEATURES0_UPDATE_COMPATIBILITY;
}

/* A module without the feature keeps no counters. */
bool tdx_model_counts_builds(const struct tdx_model *model)
{
	return has_compat_bit(model);
}

void tdx_model_module_load(struct tdx_model *model, const struct tdx_model_facts *facts)
{
	memset(&model->module, 0, sizeof(model->module));
	model->module.facts = *facts;
	model->module.state = TDX_MODEL_SYS_INIT_PENDING;
}

static bool take_fault(unsigned int *fault)
{
	if (!*fault)
		return false;

	--*fault;
	return true;
}

static u64 sys_init(struct tdx_model *model)
{
	if (model->module.state != TDX_MODEL_SYS_INIT_PENDING)
		return TDX_SYS_INIT_NOT_PENDING;
	if (take_fault(&model->faults.module_entropy))
		return TDX_RND_NO_ENTROPY;

	model->module.state = TDX_MODEL_SYS_INIT_DONE;
	return TDX_SUCCESS;
}

static u64 sys_lp_init(struct tdx_model *model, unsigned int lp)
{
	if (model->module.state == TDX_MODEL_SYS_INIT_PENDING)
		return TDX_SYS_LP_INIT_NOT_PENDING;
	if (model->module.is_lp_init[lp])
		return TDX_SYS_LP_INIT_DONE;

	model->module.is_lp_init[lp] = true;
	return TDX_SUCCESS;
}

static u64 sys_config(struct tdx_model *model)
{
	if (model->module.state != TDX_MODEL_SYS_INIT_DONE)
		return TDX_SYS_STATE_INCORRECT;

	model->module.state = TDX_MODEL_SYS_CONFIG_DONE;
	return TDX_SUCCESS;
}

/* Simulation: the first package's call is enough. */
static u64 sys_key_config(struct tdx_model *model)
{
	if (model->module.state != TDX_MODEL_SYS_CONFIG_DONE)
		return TDX_SYS_STATE_INCORRECT;

	model->module.state = TDX_MODEL_SYS_READY;
	return TDX_SUCCESS;
}

static u64 sys_rd(const struct tdx_model *model, struct tdx_model_regs *regs)
{
	const struct tdx_model_facts *facts = &model->module.facts;

	switch (regs->rdx) {
	case TDX_FIELD_MINOR_VERSION:
		regs->r8 = facts->version.minor;
		break;
	case TDX_FIELD_MAJOR_VERSION:
		regs->r8 = facts->version.major;
		break;
	case TDX_FIELD_UPDATE_VERSION:
		regs->r8 = facts->version.update;
		break;
	case TDX_FIELD_FEATURES0:
		regs->r8 = facts->features0;
		break;
	case TDX_FIELD_MODULE_HV:
		regs->r8 = facts->module_hv;
		break;
	case TDX_FIELD_MIN_UPDATE_HV:
		regs->r8 = facts->min_update_hv;
		break;
	case TDX_FIELD_NO_DOWNGRADE:
		regs->r8 = facts->no_downgrade;
		break;
	case TDX_FIELD_NUM_HANDOFF_PAGES:
		regs->r8 = facts->handoff_pages;
		break;
	default:
		return TDX_METADATA_FIELD_NOT_READABLE;
	}

	return TDX_SUCCESS;
}

/*
 * A module that does not know the flag takes RCX as a plain number, which the flag makes
 * larger than any version; the result is the same refusal.
 */
static bool is_handoff_version_valid(const struct tdx_model *model, u64 rcx)
{
	const struct tdx_model_facts *facts = &model->module.facts;
	u64 hv = rcx;

	if (has_compat_bit(model)) {
		if (rcx >> 17)
			return false;
		hv = rcx & 0xFFFF;
	}

	return hv >= facts->min_update_hv && hv <= facts->module_hv &&
	       (!facts->no_downgrade || hv == facts->module_hv);
}

static u64 compat_sensitive(const struct tdx_model *model)
{
	const struct tdx_model_module *module = &model->module;

	if (module->td_build_count)
		return TDX_UPDATE_COMPAT_SENSITIVE | (u64)module->td_build_count << 16;
	if (module->mig_interrupted_count)
		return TDX_UPDATE_COMPAT_SENSITIVE |
		       (u64)module->mig_interrupted_count << 16 | 1;

	return TDX_SUCCESS;
}

static u64 sys_shutdown(struct tdx_model *model, const struct tdx_model_regs *regs)
{
	struct tdx_model_module *module = &model->module;
	struct tdx_model_handoff *handoff = &model->handoff;
	u64 status;

	if (!is_handoff_version_valid(model, regs->rcx))
		return TDX_OPERAND_INVALID | TDX_OPERAND_RCX;
	if (take_fault(&model->faults.sys_busy))
		return TDX_SYS_BUSY;

	if (has_compat_bit(model) && regs->rcx & TDX_SHUTDOWN_AVOID_COMPAT_SENSITIVE) {
		status = compat_sensitive(model);
		if (status)
			return status;
	}

	memset(handoff, 0, sizeof(*handoff));
	handoff->is_valid = true;
	handoff->hv = regs->rcx & 0xFFFF;
	handoff->td_build_count = module->td_build_count;
	handoff->mig_interrupted_count = module->mig_interrupted_count;
	module->state = TDX_MODEL_SYS_SHUTDOWN;

	return TDX_SUCCESS;
}

static bool is_initialised_everywhere(const struct tdx_model *model)
{
	unsigned int lp;

	if (model->module.state != TDX_MODEL_SYS_INIT_DONE)
		return false;
	for (lp = 0; lp < model->lp_count; lp++)
		if (!model->module.is_lp_init[lp])
			return false;

	return true;
}

/*
 * Handoff data of version 0 has no room for counters, and builds that were begun before
 * are then in none. Simulation: they leave the count once and for all, so that ending one
 * of them later takes nothing from a build that is counted.
 */
static void restore_counters(struct tdx_model *model)
{
	struct tdx_model_module *module = &model->module;
	struct tdx_model_tdr *td;

	module->td_build_count = model->handoff.td_build_count;
	module->mig_interrupted_count = model->handoff.mig_interrupted_count;

	if (model->handoff.hv >= 1 && tdx_model_counts_builds(model))
		return;
	module->td_build_count = 0;
	module->mig_interrupted_count = 0;
	for (td = model->tdrs; td; td = td->next) {
		td->is_counted = false;
		td->is_mig_interrupted = false;
	}
}

static u64 sys_update(struct tdx_model *model, unsigned int version,
		      const struct tdx_model_regs *regs)
{
	struct tdx_model_module *module = &model->module;
	struct tdx_model_handoff *handoff = &model->handoff;

	if (version > 1)
		return TDX_OPERAND_INVALID | TDX_OPERAND_RAX;
	if (version == 1 && regs->r9 & ~module->facts.features0)
		return TDX_OPERAND_INVALID | TDX_OPERAND_R9;
	if (version == 1 && regs->r10)
		return TDX_OPERAND_INVALID | TDX_OPERAND_R10;
	if (!is_initialised_everywhere(model))
		return TDX_SYS_STATE_INCORRECT;
	if (!handoff->is_valid || handoff->hv < module->facts.min_update_hv ||
	    handoff->hv > module->facts.module_hv)
		return TDX_SYS_INVALID_HANDOFF;

	restore_counters(model);
	handoff->is_valid = false;
	module->is_detecting =
		version == 1 && regs->r9 & TDX_FEATURES0_UPDATE_COMPATIBILITY;
	module->state = TDX_MODEL_SYS_READY;

	return TDX_SUCCESS;
}

static bool is_leaf_of_start(unsigned int leaf)
{
	switch (leaf) {
	case TDH_SYS_INIT:
	case TDH_SYS_RD:
	case TDH_SYS_LP_INIT:
	case TDH_SYS_CONFIG:
	case TDH_SYS_KEY_CONFIG:
	case TDH_SYS_UPDATE:
		return true;
	default:
		return false;
	}
}

/* What holds for every leaf, in the order in which the dispatcher looks. */
static u64 check_call(const struct tdx_model *model, unsigned int lp, unsigned int leaf)
{
	if (lp >= model->lp_count)
		return TDX_SEAMCALL_UD;
	if (!model->loader.is_seam_ready)
		return TDX_SEAMCALL_VMFAILINVALID;
	if (model->module.state == TDX_MODEL_SYS_SHUTDOWN)
		return TDX_SYS_SHUTDOWN;
	if (model->module.state != TDX_MODEL_SYS_READY && !is_leaf_of_start(leaf))
		return TDX_SYS_NOT_READY;
	if (!model->module.is_lp_init[lp] && leaf != TDH_SYS_INIT &&
	    leaf != TDH_SYS_LP_INIT)
		return TDX_SYS_LP_INIT_NOT_DONE;

	return TDX_SUCCESS;
}

u64 tdx_model_seamcall(struct tdx_model *model, unsigned int lp, u64 rax,
		       struct tdx_model_regs *regs)
{
	unsigned int leaf = TDX_LEAF(rax);
	u64 status = check_call(model, lp, leaf);

	if (status)
		return status;
	if (leaf == TDH_SYS_UPDATE)
		return sys_update(model, TDX_LEAF_VERSION(rax), regs);
	if (TDX_LEAF_VERSION(rax))
		return TDX_OPERAND_INVALID | TDX_OPERAND_RAX;

	switch (leaf) {
	case TDH_SYS_INIT:
		return sys_init(model);
	case TDH_SYS_LP_INIT:
		return sys_lp_init(model, lp);
	case TDH_SYS_CONFIG:
		return sys_config(model);
	case TDH_SYS_KEY_CONFIG:
		return sys_key_config(model);
	case TDH_SYS_RD:
		return sys_rd(model, regs);
	case TDH_SYS_SHUTDOWN:
		return sys_shutdown(model, regs);
	default:
		return tdx_model_td_leaf(model, lp, leaf, regs);
	}
}
