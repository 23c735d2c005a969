/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TDX_CPU_IDENTITY_H
#define TDX_CPU_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

struct identity_cpuid {
	uint32_t leaf;
	uint32_t subleaf;
};

/* What a TDX host's CPU adds to the answer of QEMU's. */
void identity_cpuid_amend(const struct identity_cpuid *asked, uint64_t *ecx,
			  uint64_t *edx);
/* false: not one of those that a TDX host's CPU answers in its own way. */
bool identity_msr(uint32_t index, uint64_t *ret);

#endif
