/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TDX_CPU_DECODE_H
#define TDX_CPU_DECODE_H

#include <stddef.h>
#include <stdint.h>

#define INSTRUCTION_BYTES_MAX 15

/* The instructions of a TDX host that QEMU's CPU does not have, and those in which the
 * CPU says what it is. */
enum instruction_kind {
	INSTRUCTION_OTHER,
	INSTRUCTION_SEAMCALL,
	INSTRUCTION_VMXON,
	INSTRUCTION_VMXOFF,
	INSTRUCTION_INVALIDATE, /* INVEPT, INVVPID */
	INSTRUCTION_MOVDIR64B,
	INSTRUCTION_MOV_TO_CR4,
	INSTRUCTION_CPUID,
	INSTRUCTION_RDMSR,
};

/*
 * @length: bytes
 * @reg: MOV_TO_CR4, the register, MOVDIR64B, that with the destination; in the order of
 *the encoding: RAX RCX RDX RBX ...
 * @base: MOVDIR64B, the register with the source
 */
struct instruction {
	enum instruction_kind kind;
	unsigned int length;
	unsigned int reg;
	unsigned int base;
};

/* 64-bit code. What is cut off, or has operands in a form that no kernel uses, is OTHER.
 */
struct instruction instruction_decode(const uint8_t *bytes, size_t count);

/* Where the `jc` at @bytes goes, seen from its own first byte, and its length; 0: no jc.
 */
unsigned int instruction_jc(const uint8_t *bytes, size_t count, int64_t *ret_target);

#endif
