// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the CPU says of itself where a TDX host's says more than QEMU's: CPUID bits and
 * MSRs.
 */
#include "identity.h"

#include <stddef.h>

#define CPUID_1_ECX_VMX         (1U << 5)
#define CPUID_1_EDX_SELF_SNOOP  (1U << 27)
#define CPUID_7_ECX_MOVDIR64B   (1U << 28)
#define VMX_BASIC_REVISION      0x11ULL
#define VMX_BASIC_VMCS_BYTES    (1024ULL << 32)
#define VMX_BASIC_WRITE_BACK    (6ULL << 50)
#define VMX_BASIC_INS_OUTS      (1ULL << 54)
#define VMX_BASIC_TRUE_CONTROLS (1ULL << 55)
#define VMX_BASIC_SEAMRET_KEEPS (1ULL << 60) /* NO_SEAMRET_INVD_VMCS */

void identity_cpuid_amend(const struct identity_cpuid *asked, uint64_t *ecx,
			  uint64_t *edx)
{
	if (asked->leaf == 1) {
		*ecx |= CPUID_1_ECX_VMX;
		*edx |= CPUID_1_EDX_SELF_SNOOP;
	} else if (asked->leaf == 7 && !asked->subleaf) {
		*ecx |= CPUID_7_ECX_MOVDIR64B;
	}
}

/*
 * The VMX capabilities are invented, of a shape that kvm-intel takes for a current
 * server's: EPT with five kinds of memory, secondary and true controls, APICv, posted
 * interrupts. Nothing but TDs can run on them, since there is no VMLAUNCH here.
 */
static const struct {
	uint32_t index;
	uint64_t value;
} msrs[] = {
	{ 0x03A, 0x5 },              /* FEAT_CTL: locked, VMX outside SMX */
	{ 0x087, 64ULL << 32 | 63 }, /* KeyIDs: 1 to 63 for MKTME, 64 to 127 for TDX */
	{ 0x480, VMX_BASIC_SEAMRET_KEEPS | VMX_BASIC_TRUE_CONTROLS | VMX_BASIC_INS_OUTS |
			 VMX_BASIC_WRITE_BACK | VMX_BASIC_VMCS_BYTES |
			 VMX_BASIC_REVISION },
	{ 0x481, 0x000000FF00000016 }, /* pin-based controls */
	{ 0x482, 0xFFFBFFFE0401E172 }, /* processor-based */
	{ 0x483, 0x03FFFFFF00036DFF }, /* exit */
	{ 0x484, 0x0007FFFF000011FF }, /* entry */
	{ 0x485, 0x000000007004C1E7 }, /* misc */
	{ 0x486, 0x0000000080000021 }, /* CR0 */
	{ 0x487, 0x00000000FFFFFFFF },
	{ 0x488, 0x0000000000002000 }, /* CR4 */
	{ 0x489, 0x0000000001FF6FFF },
	{ 0x48A, 0x000000000000002E },           /* VMCS fields */
	{ 0x48B, 0x06137BFF00000000 },           /* secondary processor-based */
	{ 0x48C, 0x00000F0106F34141 | 1 << 21 }, /* EPT and VPID */
	{ 0x48D, 0x000000FF00000016 },           /* the true ones of the above */
	{ 0x48E, 0xFFFBFFFE04006172 },
	{ 0x48F, 0x03FFFFFF00036DFB },
	{ 0x490, 0x0007FFFF000011FB },
	{ 0x491, 0x0000000000000001 }, /* VM functions */
	{ 0x492, 0 },                  /* tertiary processor-based */
};

bool identity_msr(uint32_t index, uint64_t *ret)
{
	size_t i;

	for (i = 0; i < sizeof(msrs) / sizeof(msrs[0]); i++)
		if (msrs[i].index == index) {
			*ret = msrs[i].value;
			return true;
		}

	return false;
}
