// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The smallest VM there is: created, with one vCPU, and gone when standard input ends.
 * What it is for are the uevents that the kernel sends about it.
 *
 * A line of standard input is a number: that many VMs come and go, one after the other,
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
#include <sys/ioctl.h>
#include <unistd.h>

/* Its name as the kernel has it in debugfs, in two words. */
static bool keep_one(int kvm)
{
	int vm = ioctl(kvm, KVM_CREATE_VM, 0);

	if (vm < 0 || ioctl(vm, KVM_CREATE_VCPU, 0) < 0)
		return false;
	printf("%d %d\n", getpid(), vm);
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

int main(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	bool is_good = kvm >= 0 && keep_one(kvm);
	char line[32];

	while (is_good && fgets(line, sizeof(line), stdin))
		is_good = come_and_go(kvm, strtoul(line, NULL, 10)) && keep_one(kvm);
	if (is_good)
		return 0;
	perror("tiny-kvm");
	return 77;
}
