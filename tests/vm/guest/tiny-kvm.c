// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The smallest VM there is: created, with one vCPU, and gone when standard input ends.
 * What it is for are the uevents that the kernel sends about it.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

int main(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int vm = kvm < 0 ? -1 : ioctl(kvm, KVM_CREATE_VM, 0);
	char byte;

	if (vm < 0 || ioctl(vm, KVM_CREATE_VCPU, 0) < 0) {
		perror("tiny-kvm");
		return 77;
	}

	printf("%d %d\n", getpid(), vm);
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;

	return 0;
}
