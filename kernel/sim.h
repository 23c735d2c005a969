/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of tdx-host-sim.ko have in common: sim*.c. */
#ifndef TDX_HOST_SIM_H
#define TDX_HOST_SIM_H

#include <linux/types.h>

/*
 * The SEAMCALLs that build a TD, under the names and with the arguments of the kernel's
 * own TDX core. KVM's struct tdx_td is an address here, and nothing more.
 */
struct tdx_td;

u64 tdh_mng_create(struct tdx_td *td, u16 hkid);
u64 tdh_mng_init(struct tdx_td *td, u64 td_params, u64 *extended_err);
u64 tdh_mr_finalize(struct tdx_td *td);
u64 tdh_mng_vpflushdone(struct tdx_td *td);
u64 tdh_mng_key_freeid(struct tdx_td *td);

struct tdx_model;

/*
 * Called with the model's lock held. Mainline looks at nothing before it shuts the old
 * module down.
 */
int sim_update_check(struct tdx_model *model);
int sim_update(struct tdx_model *model, const u8 *bytes, u32 size, bool is_mainline);

/* As tdx_model_command(), but every command has its answer. */
int sim_command(const char *line, char *ret, size_t size);

int sim_control_create(void);
void sim_control_remove(void);

#endif
