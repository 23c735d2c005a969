// SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later
/*
 * SYS.RD: what the TDX module says of itself. The fields are those that Linux reads;
 * their numbers are in arch/x86/virt/vmx/tdx/tdx_global_metadata.c.
 */
#include "tdx-model-internal.h"

#define ATTRIBUTES 0x00000000F000003FULL
#define XFAM       0x00000000000618E7ULL

/*
 * Simulation: the same for every module. One CPUID leaf is for the host to configure,
 * 0x80000008 without subleaves: there KVM tells a TD how wide its addresses are, and it
 * refuses a module that leaves it out.
 */
static const struct {
	u64 field;
	u64 value;
} constants[] = {
	{ TDX_FIELD_ATTRIBUTES_FIXED0, ATTRIBUTES },
	{ TDX_FIELD_ATTRIBUTES_FIXED1, 0 },
	{ TDX_FIELD_XFAM_FIXED0, XFAM },
	{ TDX_FIELD_XFAM_FIXED1, 3 },
	{ TDX_FIELD_MAX_TDMRS, TDX_MODEL_TDMRS_MAX },
	{ TDX_FIELD_MAX_RESERVED_PER_TDMR, 16 },
	{ TDX_FIELD_PAMT_4K_ENTRY_SIZE, 16 },
	{ TDX_FIELD_PAMT_2M_ENTRY_SIZE, 16 },
	{ TDX_FIELD_PAMT_1G_ENTRY_SIZE, 16 },
	{ TDX_FIELD_TDR_BASE_SIZE, TDX_MODEL_PAGE_BYTES },
	{ TDX_FIELD_TDCS_BASE_SIZE, TDX_MODEL_TDCS_PAGES *TDX_MODEL_PAGE_BYTES },
	{ TDX_FIELD_TDVPS_BASE_SIZE, TDX_MODEL_TDVPS_PAGES *TDX_MODEL_PAGE_BYTES },
	{ TDX_FIELD_NUM_CPUID_CONFIG, 1 },
	{ TDX_FIELD_CPUID_CONFIG_LEAF, 0xFFFFFFFF80000008ULL },
	{ TDX_FIELD_CPUID_CONFIG_VALUE, 0x0000000000FF00FFULL },
	{ TDX_FIELD_CPUID_CONFIG_VALUE + 1, 0 },
	{ TDX_FIELD_MAX_VCPUS_PER_TD, 576 },
};

u64 tdx_model_sys_rd(const struct tdx_model *model, struct tdx_model_regs *regs)
{
	const struct tdx_model_facts *facts = &model->module.facts;
	const struct {
		u64 field;
		u64 value;
	} own[] = {
		{ TDX_FIELD_MINOR_VERSION, facts->version.minor },
		{ TDX_FIELD_MAJOR_VERSION, facts->version.major },
		{ TDX_FIELD_UPDATE_VERSION, facts->version.update },
		{ TDX_FIELD_FEATURES0, facts->features0 },
		{ TDX_FIELD_MODULE_HV, facts->module_hv },
		{ TDX_FIELD_MIN_UPDATE_HV, facts->min_update_hv },
		{ TDX_FIELD_NO_DOWNGRADE, facts->no_downgrade },
		{ TDX_FIELD_NUM_HANDOFF_PAGES, facts->handoff_pages },
	};
	size_t i;

	for (i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (own[i].field == regs->rdx) {
			regs->r8 = own[i].value;
			return TDX_SUCCESS;
		}
	for (i = 0; i < sizeof(constants) / sizeof(constants[0]); i++)
		if (constants[i].field == regs->rdx) {
			regs->r8 = constants[i].value;
			return TDX_SUCCESS;
		}

	return TDX_METADATA_FIELD_NOT_READABLE;
}
