/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TDX_CPU_DOORBELL_H
#define TDX_CPU_DOORBELL_H

/*
 * A guest's way to the machine's commands: CPUID with this leaf in EAX, from any
 * privilege level. RBX is the address of the command, a text that ends in NUL, RCX that
 * of a buffer for the answer, RDX its size; as CPUID does it leaves nothing in them. EAX
 * is 0 or a negative errno; -EFAULT: the memory is not there, which a guest that has
 * touched it avoids.
 */
#define DOORBELL_LEAF         0x74647875U /* "tdxu" */
#define DOORBELL_LINE_BYTES   1024
#define DOORBELL_ANSWER_BYTES 65536

/* Before the instruction: what EAX is to have after it. */
int doorbell_ring(void);

#endif
