/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef KVM_CENSUS_H
#define KVM_CENSUS_H

#include "kvm-stats.h"

/*
 * All VMs that there are now, and no fewer. The list in debugfs may be shorter than the
 * machine's: a VM gets no directory while an older one holds its name, PID-FD, which any
 * user can bring about (virt/kvm/kvm_main.c:kvm_create_vm_debugfs()). How many there are
 * KVM tells when one is made, so one is made, and goes again.
 *
 * Return: 0; -ENOTUNIQ the machine has VMs that the list has not; -EAGAIN VMs came or
 * went meanwhile; -EOPNOTSUPP KVM does not tell their number; otherwise as kvm_vms_list()
 * and opening /dev/kvm.
 */
int kvm_census(int root_fd, struct kvm_vms *ret);
/* Static words for an errno of it. */
const char *kvm_census_strerror(int error);

#endif
