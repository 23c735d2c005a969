// SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later
/*
 * The TDX module's globals: who may call what in which state, start-up, shutdown with
 * handoff, and the restore after an update. TDs are tdx-model-td.c's.
 */
#include "tdx-model-internal.h"

#define TDMR_ALIGN       (1ULL << 30)
#define TDMR_ARRAY_ALIGN 512

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

/* Simulation: the TDMRs themselves are not looked at. */
static u64 sys_config(struct tdx_model *model, const struct tdx_model_regs *regs)
{
	if (!is_initialised_everywhere(model))
		return TDX_SYS_CONFIG_NOT_PENDING;
	if (!regs->rcx || regs->rcx % TDMR_ARRAY_ALIGN ||
	    regs->rcx >= TDX_MODEL_ADDRESS_MAX)
		return TDX_OPERAND_INVALID | TDX_OPERAND_RCX;
	if (!regs->rdx || regs->rdx > TDX_MODEL_TDMRS_MAX)
		return TDX_OPERAND_INVALID | TDX_OPERAND_RDX;
	if (regs->r8 < TDX_MODEL_HKID_FIRST || regs->r8 >= TDX_MODEL_HKID_MAX)
		return TDX_OPERAND_INVALID | TDX_OPERAND_R8;

	model->module.state = TDX_MODEL_SYS_CONFIG_DONE;
	return TDX_SUCCESS;
}

/* Once a package; the last one makes the module ready (module:
 * api_calls/tdh_sys_key_config.c). */
static u64 sys_key_config(struct tdx_model *model, unsigned int lp)
{
	u32 package = 1U << tdx_model_package_of(model, lp);

	if (model->module.state != TDX_MODEL_SYS_CONFIG_DONE)
		return TDX_SYS_KEY_CONFIG_NOT_PENDING;
	if (model->module.packages & package)
		return TDX_KEY_CONFIGURED;

	model->module.packages |= package;
	if (model->module.packages == (1U << model->package_count) - 1)
		model->module.state = TDX_MODEL_SYS_READY;

	return TDX_SUCCESS;
}

/* Simulation: all at once, whatever the TDMR; RDX is where the next call would begin. */
static u64 sys_tdmr_init(struct tdx_model_regs *regs)
{
	u64 address = regs->rcx;

	regs->rdx = 0;
	if (address % TDMR_ALIGN || address >= TDX_MODEL_ADDRESS_MAX)
		return TDX_OPERAND_INVALID | TDX_OPERAND_RCX;

	regs->rdx = ~(TDMR_ALIGN - 1);
	return TDX_SUCCESS;
}

/* Nothing can be called after it but P-SEAMLDR (tdx.c: tdx_sys_disable()). */
static u64 sys_disable(struct tdx_model *model)
{
	model->module.state = TDX_MODEL_SYS_SHUTDOWN;
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

static bool is_any_build_open(const struct tdx_model *model)
{
	const struct tdx_model_tdr *td;

	for (td = model->tdrs; td; td = td->next)
		if (td->life_cycle == TDX_MODEL_KEYS_CONFIGURED &&
		    td->op_state == TDX_MODEL_OP_INITIALIZED)
			return true;

	return false;
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
	model->seen.shutdowns++;
	model->seen.shutdowns_in_build += is_any_build_open(model);

	return TDX_SUCCESS;
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

static unsigned int last_version(unsigned int leaf)
{
	switch (leaf) {
	case TDH_MNG_RD:
	case TDH_VP_INIT:
	case TDH_VP_RD:
	case TDH_SYS_UPDATE:
		return 1;
	default:
		return 0;
	}
}

/* What holds for every leaf, in the order in which the dispatcher looks (module:
 * tdx_vmm_dispatcher.c). */
static u64 check_call(const struct tdx_model *model, unsigned int lp, u64 rax)
{
	unsigned int leaf = TDX_LEAF(rax);

	if (lp >= model->lp_count)
		return TDX_SEAMCALL_UD;
	if (!model->loader.is_seam_ready)
		return TDX_SEAMCALL_VMFAILINVALID;
	if (TDX_LEAF_RESERVED(rax) || TDX_LEAF_VERSION(rax) > last_version(leaf))
		return TDX_OPERAND_INVALID | TDX_OPERAND_RAX;
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
	u64 status = check_call(model, lp, rax);

	if (status)
		return status;

	switch (TDX_LEAF(rax)) {
	case TDH_SYS_INIT:
		return sys_init(model);
	case TDH_SYS_LP_INIT:
		return sys_lp_init(model, lp);
	case TDH_SYS_CONFIG:
		return sys_config(model, regs);
	case TDH_SYS_KEY_CONFIG:
		return sys_key_config(model, lp);
	case TDH_SYS_TDMR_INIT:
		return sys_tdmr_init(regs);
	case TDH_SYS_RD:
		return tdx_model_sys_rd(model, regs);
	case TDH_SYS_SHUTDOWN:
		return sys_shutdown(model, regs);
	case TDH_SYS_UPDATE:
		return sys_update(model, TDX_LEAF_VERSION(rax), regs);
	case TDH_SYS_DISABLE:
		return sys_disable(model);
	default:
		return tdx_model_td_leaf(model, lp, rax, regs);
	}
}
