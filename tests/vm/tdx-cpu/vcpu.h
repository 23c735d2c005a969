/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TDX_CPU_VCPU_H
#define TDX_CPU_VCPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In the order in which instructions encode them, and the code segment. */
enum vcpu_register {
	RAX,
	RCX,
	RDX,
	RBX,
	RSP,
	RBP,
	RSI,
	RDI,
	R8,
	R9,
	R10,
	R11,
	R12,
	R13,
	R14,
	R15,
	CS,
	_VCPU_REGISTER_MAX,
};

/* Once for each vCPU, in its own context, before any of the rest. */
void vcpu_find_registers(void);

/* Of the vCPU whose callback asks; NO_REGS callbacks may not. */
uint64_t vcpu_get(enum vcpu_register which);
void vcpu_set(enum vcpu_register which, uint64_t value);
bool vcpu_is_kernel(void);

/* Guest memory, at addresses as the vCPU has them and as its bus has them. */
bool vcpu_read(uint64_t address, void *ret, size_t count);
bool vcpu_write(uint64_t address, const void *bytes, size_t count);
bool bus_read(uint64_t address, void *ret, size_t count);
bool bus_write(uint64_t address, const void *bytes, size_t count);

#endif
