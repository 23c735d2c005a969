// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Everything that a TDX CPU keeps for the kernel, from a program: each must end in a
 * signal. And the commands of the emulated one, with memory that is not there.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define LEAF   0x74647875U
#define EFAULT 14

static char buffer[4096];

static void seamcall(void)
{
	uint64_t rax;

	for (rax = 0; rax < 0x200; rax++)
		__asm__ volatile(".byte 0x66, 0x0f, 0x01, 0xcf"
				 : "+a"(rax)
				 : "c"(rax << 12));
}

static void seamldr(void)
{
	uint64_t rax = 1ULL << 63 | 1;

	__asm__ volatile(".byte 0x66, 0x0f, 0x01, 0xcf" : "+a"(rax) : "c"(0x1000));
}

static void vmxon(void)
{
	__asm__ volatile("vmxon %0" : : "m"(buffer));
}

static void vmxoff(void)
{
	__asm__ volatile("vmxoff");
}

static void rdmsr(void)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(0x480));
}

static void cr4(void)
{
	__asm__ volatile("mov %0, %%cr4" : : "r"(0x2000ULL));
}

static int ends_in_signal(void (*what)(void))
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		what();
		_exit(0);
	}
	waitpid(pid, &status, 0);

	return WIFSIGNALED(status);
}

static int ring(uint64_t line, uint64_t answer, uint64_t size)
{
	uint64_t rax = LEAF;

	__asm__ volatile("cpuid"
			 : "+a"(rax), "+b"(line), "+c"(answer), "+d"(size)
			 :
			 : "memory");
	return (int)rax;
}

int main(void)
{
	void (*const kernels[])(void) = { seamcall, seamldr, vmxon, vmxoff, rdmsr, cr4 };
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	unsigned int i;

	for (i = 0; i < sizeof(kernels) / sizeof(kernels[0]); i++)
		if (!ends_in_signal(kernels[i])) {
			printf("number %u ended in no signal\n", i);
			return 1;
		}

	/* A line that runs into a page that is not there; answers nowhere. */
	munmap(page + 4096, 4096);
	for (i = 0; i < 4096; i++)
		page[i] = 'x';
	if (ring((uintptr_t)page + 4000, (uintptr_t)buffer, sizeof(buffer)) != -EFAULT ||
	    ring(0, (uintptr_t)buffer, sizeof(buffer)) != -EFAULT ||
	    ring(~0ULL << 47, (uintptr_t)buffer, sizeof(buffer)) != -EFAULT) {
		printf("a line that is not there was read\n");
		return 1;
	}
	buffer[0] = 's';
	ring((uintptr_t)buffer, 0, sizeof(buffer));
	ring((uintptr_t)buffer, ~0ULL - 100, ~0ULL);
	ring((uintptr_t)buffer, (uintptr_t)page + 4000, 65536);

	return 0;
}
