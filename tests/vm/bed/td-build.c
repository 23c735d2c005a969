// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A VM manager as small as can be: one TD by KVM's own ioctls, in the order in which QEMU
 * makes them. td-build PAGES [WORD...], each WORD at its place:
 *
 *	hold	before MR.FINALIZE, until SIGUSR1
 *	abort	instead of MR.FINALIZE: end, with the TD half built
 *	run	enter its vCPU for a while
 *	stay	live on, until killed
 *
 * It tells of each stage on standard output as it is reached: "initialized", "added",
 * "finalized". 0; 1: a call failed, which it names with its errno; 2: it was used
 *wrongly.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE_BYTES    4096
#define MEMORY_BYTES  (2UL << 20)
#define MEMORY_GPA    0xFFC00000UL /* right below 4 GiB, where firmware sits */
#define CPUID_ENTRIES 256
#define XFAM_X87_SSE  3

struct td {
	int kvm;
	int vm;
	int vcpu;
	struct kvm_tdx_capabilities *capabilities;
};

static void check(int result, const char *call)
{
	if (result >= 0)
		return;
	printf("%s: %s\n", call, strerror(errno));
	exit(1);
}

static void *must(void *memory)
{
	if (!memory || memory == MAP_FAILED) {
		printf("no memory\n");
		exit(1);
	}

	return memory;
}

/* KVM_MEMORY_ENCRYPT_OP; -EINTR and -EAGAIN mean that it goes on where it was. */
static void tdx(int fd, unsigned int id, unsigned int flags, void *data, const char *call)
{
	struct kvm_tdx_cmd command;
	int ret;

	do {
		command = (struct kvm_tdx_cmd){ .id = id,
						.flags = flags,
						.data = (uintptr_t)data };
		ret = ioctl(fd, KVM_MEMORY_ENCRYPT_OP, &command);
	} while (ret < 0 && (errno == EINTR || errno == EAGAIN));
	if (ret < 0 && command.hw_error)
		printf("status 0x%llx ", (unsigned long long)command.hw_error);
	check(ret, call);
}

static void create(struct td *td)
{
	struct kvm_enable_cap irqchip = { .cap = KVM_CAP_SPLIT_IRQCHIP, .args = { 24 } };
	struct kvm_enable_cap x2apic = { .cap = KVM_CAP_X2APIC_API, .args = { 3 } };
	size_t size = sizeof(*td->capabilities) +
		      CPUID_ENTRIES * sizeof(struct kvm_cpuid_entry2);

	td->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	check(td->kvm, "/dev/kvm");
	td->vm = ioctl(td->kvm, KVM_CREATE_VM, KVM_X86_TDX_VM);
	check(td->vm, "KVM_CREATE_VM");
	td->capabilities = must(calloc(1, size));
	td->capabilities->cpuid.nent = CPUID_ENTRIES;
	tdx(td->vm, KVM_TDX_CAPABILITIES, 0, td->capabilities, "KVM_TDX_CAPABILITIES");
	check(ioctl(td->vm, KVM_ENABLE_CAP, &irqchip), "KVM_CAP_SPLIT_IRQCHIP");
	check(ioctl(td->vm, KVM_ENABLE_CAP, &x2apic), "KVM_CAP_X2APIC_API");
}

/* 48 bits of guest addresses, in the only leaf that the module leaves to the host. */
static void initialize(struct td *td)
{
	const struct kvm_cpuid2 *cpuid = &td->capabilities->cpuid;
	struct kvm_tdx_init_vm *init = must(calloc(
		1, sizeof(*init) + CPUID_ENTRIES * sizeof(struct kvm_cpuid_entry2)));
	unsigned int i;

	init->xfam = XFAM_X87_SSE;
	init->cpuid.nent = cpuid->nent;
	for (i = 0; i < cpuid->nent; i++) {
		init->cpuid.entries[i] = cpuid->entries[i];
		if (cpuid->entries[i].function == 0x80000008)
			init->cpuid.entries[i].eax = 48 << 16 | 48;
	}
	tdx(td->vm, KVM_TDX_INIT_VM, 0, init, "KVM_TDX_INIT_VM");
	free(init);
	puts("initialized");
}

static void add_vcpu(struct td *td)
{
	struct kvm_cpuid2 *cpuid = must(calloc(
		1, sizeof(*cpuid) + CPUID_ENTRIES * sizeof(struct kvm_cpuid_entry2)));
	unsigned int i;

	td->vcpu = ioctl(td->vm, KVM_CREATE_VCPU, 0);
	check(td->vcpu, "KVM_CREATE_VCPU");
	cpuid->nent = CPUID_ENTRIES;
	check(ioctl(td->kvm, KVM_GET_SUPPORTED_CPUID, cpuid), "KVM_GET_SUPPORTED_CPUID");
	for (i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].function == 1)
			cpuid->entries[i].ecx |= 1U << 21; /* x2APIC */
	check(ioctl(td->vcpu, KVM_SET_CPUID2, cpuid), "KVM_SET_CPUID2");
	tdx(td->vcpu, KVM_TDX_INIT_VCPU, 0, NULL, "KVM_TDX_INIT_VCPU");
	free(cpuid);
}

static void *map(void)
{
	return must(mmap(NULL, MEMORY_BYTES, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

/* Page n holds what the simulation's own builds have there: byte i is i + n. */
static void add_pages(struct td *td, unsigned int count)
{
	struct kvm_create_guest_memfd memfd = { .size = MEMORY_BYTES };
	struct kvm_userspace_memory_region2 slot = { .flags = KVM_MEM_GUEST_MEMFD,
						     .guest_phys_addr = MEMORY_GPA,
						     .memory_size = MEMORY_BYTES,
						     .userspace_addr = (uintptr_t)map() };
	struct kvm_memory_attributes attributes = {
		.address = MEMORY_GPA,
		.size = MEMORY_BYTES,
		.attributes = KVM_MEMORY_ATTRIBUTE_PRIVATE
	};
	uint8_t *source = map();
	struct kvm_tdx_init_mem_region region = { .source_addr = (uintptr_t)source,
						  .gpa = MEMORY_GPA,
						  .nr_pages = count };
	size_t i;

	slot.guest_memfd = (uint32_t)ioctl(td->vm, KVM_CREATE_GUEST_MEMFD, &memfd);
	check((int)slot.guest_memfd, "KVM_CREATE_GUEST_MEMFD");
	check(ioctl(td->vm, KVM_SET_USER_MEMORY_REGION2, &slot),
	      "KVM_SET_USER_MEMORY_REGION2");
	check(ioctl(td->vm, KVM_SET_MEMORY_ATTRIBUTES, &attributes),
	      "KVM_SET_MEMORY_ATTRIBUTES");
	for (i = 0; i < count * (size_t)PAGE_BYTES; i++)
		source[i] = (uint8_t)(i + i / PAGE_BYTES);
	tdx(td->vcpu, KVM_TDX_INIT_MEM_REGION, KVM_TDX_MEASURE_MEMORY_REGION, &region,
	    "KVM_TDX_INIT_MEM_REGION");
	puts("added");
}

static void finalize(struct td *td)
{
	tdx(td->vm, KVM_TDX_FINALIZE_VM, 0, NULL, "KVM_TDX_FINALIZE_VM");
	puts("finalized");
}

static void on_signal(int signal)
{
	(void)signal;
}

/* A TD that halts leaves KVM_RUN by a signal only. */
static void run(struct td *td)
{
	struct sigaction action = { .sa_handler = on_signal };
	int size = ioctl(td->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);

	check(size, "KVM_GET_VCPU_MMAP_SIZE");
	must(mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, td->vcpu, 0));
	sigaction(SIGALRM, &action, NULL);
	alarm(1);
	if (ioctl(td->vcpu, KVM_RUN, 0) < 0 && errno != EINTR)
		check(-1, "KVM_RUN");
	puts("ran");
}

int main(int argc, char **argv)
{
	unsigned int pages = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 10) : 0;
	bool is_finalized = false;
	struct td td;
	sigset_t wanted;
	int i, signal;

	if (!pages || pages > MEMORY_BYTES / PAGE_BYTES)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	sigemptyset(&wanted);
	sigaddset(&wanted, SIGUSR1);
	sigprocmask(SIG_BLOCK, &wanted, NULL);

	create(&td);
	initialize(&td);
	add_vcpu(&td);
	add_pages(&td, pages);
	for (i = 2; i < argc; i++) {
		if (!strcmp(argv[i], "hold")) {
			sigwait(&wanted, &signal);
			continue;
		}
		if (!strcmp(argv[i], "abort"))
			return 0;
		if (!is_finalized)
			finalize(&td);
		is_finalized = true;
		if (!strcmp(argv[i], "run"))
			run(&td);
		else if (!strcmp(argv[i], "stay"))
			pause();
		else
			return 2;
	}
	if (!is_finalized)
		finalize(&td);

	return 0;
}
