/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TDX_CPU_MACHINE_H
#define TDX_CPU_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What SEAMCALL takes and gives in registers. */
struct machine_call {
	uint64_t rax;
	uint64_t rcx;
	uint64_t rdx;
	uint64_t r8;
	uint64_t r9;
	uint64_t r10;
	uint64_t r11;
	uint64_t r12;
};

/* As firmware leaves it. @trace: a line for each SEAMCALL, NULL for none; it stays open.
 */
int machine_power_on(unsigned int vcpu_count, FILE *trace);
/* Commands before the power comes, one a line; # begins a comment. -EINVAL with its text
 * on standard error. */
int machine_set_up(FILE *commands);

/*
 * One SEAMCALL, of any vCPU's thread, one at a time. false: VMfailInvalid, and nothing in
 * @call has changed.
 */
bool machine_seamcall(unsigned int vcpu, struct machine_call *call);

/* One command: the model's, or `stall LEAF DURATION`, a leaf that takes its time. 0 or
 * -errno; @ret always is text. */
int machine_command(const char *line, char *ret, size_t size);

#endif
