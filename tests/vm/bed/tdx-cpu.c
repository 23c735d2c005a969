// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A command for the emulated CPU that this runs on (tests/vm/tdx-cpu/doorbell.h):
 * tdx-cpu WORD... prints its answer; 1: it was refused; 2: this CPU knows no commands.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define LEAF 0x74647875U

/* Touched before the CPU looks: it does not fault pages in. */
static char line[1024] = "x";
static char answer[65536] = "x";

int main(int argc, char **argv)
{
	uint64_t rax = LEAF, rbx = (uintptr_t)line, rcx = (uintptr_t)answer;
	uint64_t rdx = sizeof(answer);
	size_t used = 0;
	int i;

	for (i = 1; i < argc; i++) {
		if (used + strlen(argv[i]) + 2 > sizeof(line))
			return 2;
		used += (size_t)sprintf(line + used, "%s ", argv[i]);
	}
	memset(answer, 0, sizeof(answer));
	__asm__ volatile("cpuid"
			 : "+a"(rax), "+b"(rbx), "+c"(rcx), "+d"(rdx)
			 :
			 : "memory");
	if (!answer[0])
		return 2;
	fputs(answer, stdout);

	return rax ? 1 : 0;
}
