/* SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later */
/*
 * A machine with TDX, in software: the TDX module, P-SEAMLDR, the TDs, and as much of the
 * host kernel as stands between them and its update files. What it decides follows the
 * public sources of module and loader and Linux 7.3; where those are silent the code says
 * "simulation".
 *
 * tdx-host-sim.ko and tests/simhost put their files on top of this. Neither locks nor
 * clocks are in here: the caller lets one thread in at a time (one mutex around
 * everything) and says what time it is.
 */
#ifndef TDX_MODEL_H
#define TDX_MODEL_H

#include "tdx-model-port.h"

#define TDX_MODEL_LPS_MAX          1024
#define TDX_MODEL_PAGE_BYTES       4096
#define TDX_MODEL_MODULE_PAGES_MAX 496
/* Header page, SIGSTRUCT page, module pages. */
#define TDX_MODEL_IMAGE_BYTES_MAX \
	((1 + 1 + TDX_MODEL_MODULE_PAGES_MAX) * TDX_MODEL_PAGE_BYTES)

struct tdx_model;
struct tdx_model_td;
struct tdx_model_image;

struct tdx_model_version {
	u16 major;
	u16 minor;
	u16 update;
};

struct tdx_model_status {
	u64 leaf;
	u64 status;
};

/* @tee_tcb_svn, @mrseam: as quotes have them */
struct tdx_model_identity {
	u8 tee_tcb_svn[16];
	u8 mrseam[TDX_PORT_SHA384_BYTES];
};

enum tdx_model_guard {
	TDX_MODEL_GUARD_NONE,
	TDX_MODEL_GUARD_KERNEL,
	TDX_MODEL_GUARD_MODULE,
};

/*
 * The SEAMCALLs that an observer of TD builds relies on. The host makes them through the
 * td_call hook, so that sim.c can make them real functions with probes on them.
 */
enum tdx_model_td_call {
	TDX_MODEL_MNG_CREATE,
	TDX_MODEL_MNG_INIT,
	TDX_MODEL_MR_FINALIZE,
	TDX_MODEL_MNG_VPFLUSHDONE,
	TDX_MODEL_MNG_KEY_FREEID,
};

/*
 * What the model calls back, with the caller's own lock held; any may be NULL.
 *
 * @td_call: ends in tdx_model_td_call() and returns what that returned. @td is the TD's
 *	identity from a good CREATE to a good KEY_FREEID.
 * @building_changed: tdx_model_building() has a new answer
 * @population_changed: tdx_model_td_count() has a new answer
 * @read_memory, @write_memory: @count bytes of the machine's physical memory, for the
 *	operands of tdx_model_cpu_seamcall() only; false where there is none
 */
struct tdx_model_hooks {
	u64 (*td_call)(void *userdata, enum tdx_model_td_call call,
		       struct tdx_model_td *td);
	void (*building_changed)(void *userdata);
	void (*population_changed)(void *userdata);
	bool (*read_memory)(void *userdata, u64 address, void *ret, size_t count);
	bool (*write_memory)(void *userdata, u64 address, const void *bytes,
			     size_t count);
};

/* ---- the machine ---- */

/*
 * A machine as booted with module 1.5.06 on @lp_count LPs of one 0xC06F2 socket; commands
 * change it. @lp_count is what the firmware enabled: P-SEAMLDR waits for every one of
 * them.
 */
int tdx_model_new(unsigned int lp_count, const struct tdx_model_hooks *hooks,
		  void *userdata, struct tdx_model **ret);
struct tdx_model *tdx_model_free(struct tdx_model *model);

/*
 * One command of the language that tdx-model-command.c documents, for TDs and faults.
 * @ret gets answer lines, each with its newline, the last one "ok" or "error NAME text";
 * it is cut to @size and always ends in NUL.
 *
 * Return: 0; -ENOENT not a command of the model (@ret is untouched, the caller may know
 * it); otherwise the errno whose name is in @ret.
 */
int tdx_model_command(struct tdx_model *model, const char *line, char *ret, size_t size);

/*
 * Let the TD builds make the calls that are due by @now_nsec, which never goes back.
 * tdx_model_next_nsec() is when the next one is, ~0ULL for never; it may come earlier
 * after any command.
 */
void tdx_model_advance(struct tdx_model *model, u64 now_nsec);
u64 tdx_model_next_nsec(const struct tdx_model *model);

/* ---- what the host kernel knows ---- */

/* -ENXIO: no live TDX module (any more). */
int tdx_model_version(const struct tdx_model *model, struct tdx_model_version *ret);
int tdx_model_features0(const struct tdx_model *model, u64 *ret);
/* Through SEAMLDR.INFO: -EIO or -ENODEV when the call fails. */
int tdx_model_seamldr(struct tdx_model *model, struct tdx_model_version *ret_version,
		      u32 *ret_remaining);
/* Which module runs, from SEAMLDR.INFO; -ENXIO: none. */
int tdx_model_identity(const struct tdx_model *model, struct tdx_model_identity *ret);
enum tdx_model_guard tdx_model_guard(const struct tdx_model *model);
/* TDs between MNG.INIT and MR.FINALIZE, as the host counts calls and their results. */
unsigned int tdx_model_building(const struct tdx_model *model);
/* HKIDs in use: what the misc cgroup `tdx` shows. */
unsigned int tdx_model_td_count(const struct tdx_model *model);
/* The last SEAMCALL that failed; false when none has. */
bool tdx_model_last_status(const struct tdx_model *model, struct tdx_model_status *ret);
/* Runtime update exists: FEATURES0 has TD_PRESERVING and the CPU lacks the bug. */
bool tdx_model_can_update(const struct tdx_model *model);

/* ---- TDs: for the td_call hook ---- */

u64 tdx_model_td_call(struct tdx_model *model, enum tdx_model_td_call call,
		      struct tdx_model_td *td);
u16 tdx_model_td_hkid(const struct tdx_model_td *td);

/* ---- updating the module ---- */

/*
 * What our kernel piece refuses beforehand: 0, -ENXIO, -ENOSPC no slot, -EAGAIN an LP is
 * offline. Mainline looks at none of it.
 */
int tdx_model_check_update(struct tdx_model *model);
/* The same for a kernel that sees each build: -EBUSY, one is under way. */
int tdx_model_check(struct tdx_model *model);

/*
 * Take an image as Linux's seamldr.c does: its header checks in their order, and all the
 * hashing that the loader will want later, since that may not sleep.
 * Return: 0, -EINVAL, -ENOMEM.
 */
int tdx_model_image_new(struct tdx_model *model, const u8 *bytes, size_t size,
			struct tdx_model_image **ret);
struct tdx_model_image *tdx_model_image_free(struct tdx_model_image *image);

/*
 * The steps inside stop_machine(), in order. Every online LP makes every step; the next
 * one begins when all have made this one and none failed. The first and the last do
 * something on LP 0 only.
 */
enum tdx_model_step {
	TDX_MODEL_STEP_SHUTDOWN,
	TDX_MODEL_STEP_CPU_INSTALL,
	TDX_MODEL_STEP_CPU_INIT,
	TDX_MODEL_STEP_RUN_UPDATE,
	_TDX_MODEL_STEP_MAX,
};

/*
 * One LP's part of a step: one LP at a time (a spinlock of the caller's), on LP's own CPU
 * or on any. Neither sleeps nor allocates nor takes a lock. Return: 0 or the errno of
 * Linux for the status; -EBUSY only from STEP_SHUTDOWN and with nothing lost.
 */
int tdx_model_update_step(struct tdx_model *model, const struct tdx_model_image *image,
			  enum tdx_model_step step, unsigned int lp);

/* All steps on all LPs that `lp offline` has not taken away, for callers without
 * stop_machine(). */
int tdx_model_update(struct tdx_model *model, const struct tdx_model_image *image);

/* Whether LP @lp is one that the simulation took offline; false beyond lp_count. */
bool tdx_model_lp_is_online(const struct tdx_model *model, unsigned int lp);
unsigned int tdx_model_lp_count(const struct tdx_model *model);
/* How long INSTALL takes on each LP (simulation): the caller spends the time. */
u64 tdx_model_install_nsec(const struct tdx_model *model);

#endif
