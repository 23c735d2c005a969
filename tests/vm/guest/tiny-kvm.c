// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The smallest VM there is: created, with one vCPU, and gone when standard input ends.
 * What it is for are the uevents that the kernel sends about it.
 *
 * A line "run" of standard input lets the last VM run, for one instruction.
 *
 * `tiny-kvm hidden` makes one that has run and then another under the same name, which so
 * has no directory in debugfs, and stays until it is killed.
 *
 * A line that is a number: that many VMs come and go, one after the other,
 * and another one stays. The first one is there all the while: for the first VM of a host
 * and after the last KVM rewrites code of the running kernel
 * (virt/kvm/kvm_main.c:preempt_notifier_inc()), and an emulated CPU does not live through
 * ten thousand times of that.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct kept {
	int vm;
	int vcpu;
};

/* Its name as the kernel has it in debugfs, in two words. */
static bool keep_one(int kvm, struct kept *ret)
{
	ret->vm = ioctl(kvm, KVM_CREATE_VM, 0);
	ret->vcpu = ret->vm < 0 ? -1 : ioctl(ret->vm, KVM_CREATE_VCPU, 0);
	if (ret->vcpu < 0)
		return false;
	printf("%d %d\n", getpid(), ret->vm);
	fflush(stdout);
	return true;
}

/* HLT, at address 0 of a machine that has just been reset. */
static bool run(const struct kept *kept)
{
	static unsigned char page[4096] __attribute__((aligned(4096))) = { 0xF4 };
	struct kvm_userspace_memory_region memory = {
		.memory_size = sizeof(page),
		.userspace_addr = (unsigned long)page,
	};
	struct kvm_regs regs = { .rflags = 2 };
	struct kvm_sregs sregs;

	if (ioctl(kept->vm, KVM_SET_USER_MEMORY_REGION, &memory) < 0 ||
	    ioctl(kept->vcpu, KVM_GET_SREGS, &sregs) < 0)
		return false;
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	if (ioctl(kept->vcpu, KVM_SET_SREGS, &sregs) < 0 ||
	    ioctl(kept->vcpu, KVM_SET_REGS, &regs) < 0 ||
	    ioctl(kept->vcpu, KVM_RUN, 0) < 0)
		return false;
	printf("ran\n");
	fflush(stdout);
	return true;
}

/* Who reads a VM's statistics, as the daemon does, keeps it until that is done. It says
 * that it goes before its directory does. */
static void await_end(int vm)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/kernel/debug/kvm/%d-%d", getpid(), vm);
	while (access(path, F_OK) == 0)
		usleep(100);
}

static bool come_and_go(int kvm, unsigned long count)
{
	while (count--) {
		int vm = ioctl(kvm, KVM_CREATE_VM, 0);

		if (vm < 0 || close(vm) < 0)
			return false;
		await_end(vm);
	}
	return true;
}

/* The first lives on by its vCPU; its descriptor, and with it its name, is free. */
static bool hide_one(int kvm, struct kept *kept)
{
	int vm = kept->vm;

	if (!run(kept) || close(vm) < 0 || ioctl(kvm, KVM_CREATE_VM, 0) != vm)
		return false;
	puts("hidden");
	fflush(stdout);
	pause();
	return true;
}

int main(int argc, char **argv)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	struct kept kept;
	bool is_good = kvm >= 0 && keep_one(kvm, &kept);
	char line[32];

	if (is_good && argc == 2 && strcmp(argv[1], "hidden") == 0)
		is_good = hide_one(kvm, &kept);
	while (is_good && fgets(line, sizeof(line), stdin))
		if (strcmp(line, "run\n") == 0)
			is_good = run(&kept);
		else
			is_good = come_and_go(kvm, strtoul(line, NULL, 10)) &&
				  keep_one(kvm, &kept);
	if (is_good)
		return 0;
	perror("tiny-kvm");
	return 77;
}
