// SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later
/*
 * What Linux's TDX core (arch/x86/virt/vmx/tdx) knows and does: bring the module up, call
 * it, replace it step by step, and turn status values into errno.
 */
#include "tdx-model-internal.h"

#define TDMRS_ADDRESS 0x1000
#define ENTROPY_TRIES 10 /* arch/x86/include/asm/tdx.h: RDRAND_RETRY_LOOPS */

static int to_errno(u64 status)
{
	switch (status) {
	case TDX_SUCCESS:
		return 0;
	case TDX_SEAMCALL_VMFAILINVALID:
		return -ENODEV;
	case TDX_SEAMCALL_GP:
		return -EOPNOTSUPP;
	case TDX_SEAMCALL_UD:
		return -EACCES;
	default:
		return -EIO;
	}
}

static void remember(struct tdx_model *model, u64 leaf, u64 status)
{
	model->host.has_last = true;
	model->host.last.leaf = leaf;
	model->host.last.status = status;
}

u64 tdx_model_host_call(struct tdx_model *model, unsigned int lp, u64 rax,
			struct tdx_model_regs *regs)
{
	unsigned int tries;
	u64 status = TDX_SUCCESS;

	for (tries = 0; tries < ENTROPY_TRIES; tries++) {
		status = tdx_model_seamcall(model, lp, rax, regs);
		if (status != TDX_RND_NO_ENTROPY)
			break;
	}
	if (TDX_STATUS_NAME(status) >> 63)
		remember(model, TDX_LEAF(rax), status);

	return status;
}

static int read_field(struct tdx_model *model, u64 field, u64 *ret)
{
	struct tdx_model_regs regs = { .rdx = field };
	u64 status = tdx_model_host_call(model, 0, TDH_SYS_RD, &regs);

	if (status)
		return to_errno(status);

	*ret = regs.r8;
	return 0;
}

static int read_version(struct tdx_model *model)
{
	u64 major, minor, update;
	int ret = read_field(model, TDX_FIELD_MAJOR_VERSION, &major);

	if (!ret)
		ret = read_field(model, TDX_FIELD_MINOR_VERSION, &minor);
	if (!ret)
		ret = read_field(model, TDX_FIELD_UPDATE_VERSION, &update);
	if (ret)
		return ret;

	model->host.version.major = (u16)major;
	model->host.version.minor = (u16)minor;
	model->host.version.update = (u16)update;
	return 0;
}

/* Firmware has put the module there; nothing of this is allowed to fail. */
void tdx_model_host_boot(struct tdx_model *model)
{
	struct tdx_model_host *host = &model->host;
	struct tdx_model_regs regs = { 0 };
	struct tdx_model_regs config = {
		.rcx = TDMRS_ADDRESS,
		.rdx = 1,
		.r8 = TDX_MODEL_HKID_FIRST,
	};
	unsigned int lp;

	tdx_model_host_call(model, 0, TDH_SYS_INIT, &regs);
	for (lp = 0; lp < model->lp_count; lp++)
		tdx_model_host_call(model, lp, TDH_SYS_LP_INIT, &regs);
	tdx_model_host_call(model, 0, TDH_SYS_CONFIG, &config);
	for (lp = 0; lp < model->lp_count; lp++)
		if (!lp || tdx_model_package_of(model, lp) !=
				   tdx_model_package_of(model, lp - 1))
			tdx_model_host_call(model, lp, TDH_SYS_KEY_CONFIG, &regs);

	host->has_last = false;
	read_version(model);
	read_field(model, TDX_FIELD_FEATURES0, &host->features0);
	host->is_live = true;
	host->can_update =
		host->features0 & TDX_FEATURES0_TD_PRESERVING && !host->has_cpu_bug;
}

int tdx_model_version(const struct tdx_model *model, struct tdx_model_version *ret)
{
	if (!model->host.is_live)
		return -ENXIO;

	*ret = model->host.version;
	return 0;
}

/* Our kernel piece reads it again after every update; mainline has no such file. */
int tdx_model_features0(const struct tdx_model *model, u64 *ret)
{
	if (!model->host.is_live)
		return -ENXIO;

	*ret = model->module.facts.features0;
	return 0;
}

/* The same. Read once for each module by a kernel that shows it: no fault is met here. */
int tdx_model_identity(const struct tdx_model *model, struct tdx_model_identity *ret)
{
	u8 info[TDX_MODEL_INFO_BYTES];

	if (!model->host.is_live)
		return -ENXIO;

	tdx_model_seamldr_fill_info(model, info);
	memcpy(ret->tee_tcb_svn, info + TDX_MODEL_INFO_TEE_TCB_SVN,
	       sizeof(ret->tee_tcb_svn));
	memcpy(ret->mrseam, info + TDX_MODEL_INFO_MRSEAM, sizeof(ret->mrseam));
	return 0;
}

int tdx_model_seamldr(struct tdx_model *model, struct tdx_model_version *ret_version,
		      u32 *ret_remaining)
{
	u8 info[TDX_MODEL_INFO_BYTES];
	u64 status = tdx_model_seamldr_info(model, info);

	if (status) {
		remember(model, SEAMLDR_INFO, status);
		return to_errno(status);
	}

	ret_version->minor = (u16)(info[18] | info[19] << 8);
	ret_version->major = (u16)(info[20] | info[21] << 8);
	ret_version->update = (u16)(info[22] | info[23] << 8);
	*ret_remaining = info[28] | info[29] << 8 | info[30] << 16 | (u32)info[31] << 24;
	return 0;
}

static bool passes_flag(const struct tdx_model *model)
{
	switch (model->host.patch) {
	case TDX_MODEL_PATCH_BLIND:
		return true;
	case TDX_MODEL_PATCH_BIT:
		return model->host.features0 & TDX_FEATURES0_UPDATE_COMPATIBILITY;
	default:
		return false;
	}
}

enum tdx_model_guard tdx_model_guard(const struct tdx_model *model)
{
	if (passes_flag(model) &&
	    model->host.features0 & TDX_FEATURES0_UPDATE_COMPATIBILITY)
		return TDX_MODEL_GUARD_MODULE;

	return model->host.is_guarding ? TDX_MODEL_GUARD_KERNEL : TDX_MODEL_GUARD_NONE;
}

unsigned int tdx_model_building(const struct tdx_model *model)
{
	return model->host.building;
}

bool tdx_model_last_status(const struct tdx_model *model, struct tdx_model_status *ret)
{
	if (!model->host.has_last)
		return false;

	*ret = model->host.last;
	return true;
}

bool tdx_model_can_update(const struct tdx_model *model)
{
	return model->host.can_update;
}

int tdx_model_check_update(struct tdx_model *model)
{
	struct tdx_model_version version;
	unsigned int lp;
	u32 remaining;
	int ret;

	if (!model->host.is_live)
		return -ENXIO;

	ret = tdx_model_seamldr(model, &version, &remaining);
	if (ret)
		return ret;
	if (!remaining)
		return -ENOSPC;
	for (lp = 0; lp < model->lp_count; lp++)
		if (model->is_offline[lp])
			return -EAGAIN;

	return 0;
}

int tdx_model_check(struct tdx_model *model)
{
	int ret = tdx_model_check_update(model);

	if (!ret && model->host.is_guarding && model->host.building)
		return -EBUSY;

	return ret;
}

u64 tdx_model_take_step_fault(struct tdx_model *model, enum tdx_model_step step,
			      unsigned int lp)
{
	struct tdx_model_faults *faults = &model->faults;

	if (!faults->step_count || faults->step != step || faults->step_lp != lp)
		return 0;

	faults->step_count--;
	return faults->step_status;
}

static int step_shutdown(struct tdx_model *model)
{
	struct tdx_model_regs regs = { 0 };
	u64 hv, status;
	int ret = read_field(model, TDX_FIELD_MODULE_HV, &hv);

	if (ret)
		return ret;

	regs.rcx = hv;
	if (passes_flag(model))
		regs.rcx |= TDX_SHUTDOWN_AVOID_COMPAT_SENSITIVE;
	status = tdx_model_host_call(model, 0, TDH_SYS_SHUTDOWN, &regs);
	if (TDX_STATUS_NAME(status) == TDX_UPDATE_COMPAT_SENSITIVE)
		return -EBUSY;
	if (status)
		return to_errno(status);

	model->host.is_live = false;
	model->host.is_sysinit_done = false;
	return 0;
}

static int step_install(struct tdx_model *model, const struct tdx_model_image *image,
			unsigned int lp)
{
	u64 rdx;
	u64 status = tdx_model_seamldr_install(model, lp, image, &rdx);

	if (status)
		remember(model, SEAMLDR_INSTALL, status);

	return to_errno(status);
}

/* The first LP initialises the module, and what it got is the answer for all. */
static int step_init(struct tdx_model *model, unsigned int lp)
{
	struct tdx_model_host *host = &model->host;
	struct tdx_model_regs regs = { 0 };

	if (!host->is_sysinit_done) {
		host->is_sysinit_done = true;
		host->sysinit_result =
			to_errno(tdx_model_host_call(model, lp, TDH_SYS_INIT, &regs));
	}
	if (host->sysinit_result)
		return host->sysinit_result;

	return to_errno(tdx_model_host_call(model, lp, TDH_SYS_LP_INIT, &regs));
}

static int step_run(struct tdx_model *model)
{
	struct tdx_model_regs regs = { 0 };
	u64 rax = TDH_SYS_UPDATE;
	u64 status;
	int ret;

	if (model->host.is_detecting &&
	    model->module.facts.features0 & TDX_FEATURES0_UPDATE_COMPATIBILITY) {
		rax |= TDX_LEAF_V1;
		regs.r9 = TDX_FEATURES0_UPDATE_COMPATIBILITY;
	}
	status = tdx_model_host_call(model, 0, rax, &regs);
	if (status)
		return to_errno(status);

	ret = read_version(model);
	if (ret)
		return ret;
	/* Only our patches read the features again. */
	if (model->host.patch == TDX_MODEL_PATCH_BIT)
		read_field(model, TDX_FIELD_FEATURES0, &model->host.features0);
	model->host.is_live = true;
	model->host.updates++;

	return 0;
}

int tdx_model_update_step(struct tdx_model *model, const struct tdx_model_image *image,
			  enum tdx_model_step step, unsigned int lp)
{
	static const u64 leaves[_TDX_MODEL_STEP_MAX] = {
		[TDX_MODEL_STEP_SHUTDOWN] = TDH_SYS_SHUTDOWN,
		[TDX_MODEL_STEP_CPU_INSTALL] = SEAMLDR_INSTALL,
		[TDX_MODEL_STEP_CPU_INIT] = TDH_SYS_LP_INIT,
		[TDX_MODEL_STEP_RUN_UPDATE] = TDH_SYS_UPDATE,
	};
	u64 status;

	if (lp >= model->lp_count || model->is_offline[lp])
		return 0;

	status = tdx_model_take_step_fault(model, step, lp);
	if (status) {
		remember(model, leaves[step], status);
		return to_errno(status);
	}

	switch (step) {
	case TDX_MODEL_STEP_SHUTDOWN:
		return lp ? 0 : step_shutdown(model);
	case TDX_MODEL_STEP_CPU_INSTALL:
		return step_install(model, image, lp);
	case TDX_MODEL_STEP_CPU_INIT:
		return step_init(model, lp);
	default:
		return lp ? 0 : step_run(model);
	}
}

int tdx_model_update(struct tdx_model *model, const struct tdx_model_image *image)
{
	enum tdx_model_step step;
	unsigned int lp;
	int ret = 0, error;

	for (step = 0; !ret && step < _TDX_MODEL_STEP_MAX; step++)
		for (lp = 0; lp < model->lp_count; lp++) {
			error = tdx_model_update_step(model, image, step, lp);
			if (error)
				ret = error;
		}

	return ret;
}

bool tdx_model_lp_is_online(const struct tdx_model *model, unsigned int lp)
{
	return lp < model->lp_count && !model->is_offline[lp];
}

unsigned int tdx_model_lp_count(const struct tdx_model *model)
{
	return model->lp_count;
}

u64 tdx_model_install_nsec(const struct tdx_model *model)
{
	return model->host.install_nsec;
}
