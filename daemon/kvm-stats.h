/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef KVM_STATS_H
#define KVM_STATS_H

#include <stdbool.h>
#include <stddef.h>

#include "kvm-tracker.h"

/* The VMs that there are now, by their directories in KVM's part of debugfs. */
struct kvm_vms {
	size_t count;
	char (*names)[KVM_VM_NAME_BYTES];
};

/*
 * List them. No KVM in this kernel means no VM. Return: 0; -ENODATA debugfs is not there;
 * -EACCES, -EPERM locked down; -E2BIG more than a host can hold; -ENOMEM; another errno.
 */
int kvm_vms_list(int root_fd, struct kvm_vms *ret);
void kvm_vms_done(struct kvm_vms *vms);

/*
 * Has it run? KVM lets no TD run that is not finalised
 * (arch/x86/kvm/vmx/tdx.c:tdx_vcpu_pre_run()), so such a VM is under build no more.
 * Return: 1, 0; -ESRCH it has no directory; another errno: unknown.
 */
int kvm_vm_has_run(int root_fd, const char *vm);
/* Drop those of a list that have, or that are gone. Return: 0, or a negative errno: some
 * could not be looked at. */
int kvm_vms_drop_run(int root_fd, struct kvm_vms *vms);

#endif
