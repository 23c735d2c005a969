// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * VMs and whether they have run, from debugfs: what tells of TDs that are older than
 * whoever watches TD builds.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "io.h"
#include "kvm-stats.h"
#include "util.h"

#define DEBUGFS_KVM "sys/kernel/debug/kvm"
#define VMS_MAX     65536

/* "PID-FD", beside files such as `exits`, which sum up all VMs. */
static bool is_vm(const char *name)
{
	size_t pid = strspn(name, "0123456789");

	return pid && name[pid] == '-' && name[pid + 1] &&
	       strspn(name + pid + 1, "0123456789") == strlen(name + pid + 1) &&
	       strlen(name) < KVM_VM_NAME_BYTES;
}

static int take_names(char *const *names, size_t count, struct kvm_vms *ret)
{
	struct kvm_vms vms = { .names = calloc(count + 1, sizeof(*vms.names)) };

	if (!vms.names)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		if (is_vm(names[i]))
			strcpy(vms.names[vms.count++], names[i]);
	*ret = vms;
	return 0;
}

int kvm_vms_list(int root_fd, struct kvm_vms *ret)
{
	_cleanup_(cleanup_close)
	int dir = -1;
	char **names = NULL;
	size_t count;
	int r;

	dir = io_open_dir(root_fd, DEBUGFS_KVM, 0);
	if (dir == -ENODATA && io_is_present(root_fd, "sys/module") &&
	    !io_is_present(root_fd, "sys/module/kvm"))
		return take_names(NULL, 0, ret);
	if (dir < 0)
		return dir;
	r = io_list(dir, &names, &count);
	if (r == 0)
		r = count > VMS_MAX ? -E2BIG : take_names(names, count, ret);
	io_free_names(names);
	return r;
}

void kvm_vms_done(struct kvm_vms *vms)
{
	free(vms->names);
	*vms = (struct kvm_vms){ 0 };
}

static int open_and_close(int root_fd, const char *path)
{
	int fd = io_open_dir(root_fd, path, 0);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

/* A VM that is gone takes its directory with it; debugfs itself must be there. */
static int is_gone(int root_fd, const char *vm)
{
	char path[sizeof(DEBUGFS_KVM "/") + KVM_VM_NAME_BYTES];
	int r;

	snprintf(path, sizeof(path), DEBUGFS_KVM "/%s", vm);
	r = open_and_close(root_fd, path);
	if (r != -ENODATA)
		return r;
	r = open_and_close(root_fd, DEBUGFS_KVM);
	return r < 0 ? r : 1;
}

int kvm_vm_has_run(int root_fd, const char *vm)
{
	char path[sizeof(DEBUGFS_KVM "//exits") + KVM_VM_NAME_BYTES];
	char text[32];
	int r;

	if (!is_vm(vm))
		return -EINVAL;
	r = is_gone(root_fd, vm);
	if (r != 0)
		return r < 0 ? r : -ESRCH;
	snprintf(path, sizeof(path), DEBUGFS_KVM "/%s/exits", vm);
	r = io_read_text(root_fd, path, text, sizeof(text));
	if (r < 0)
		return r;
	if (!text[0] || strspn(text, "0123456789") != strlen(text))
		return -EBADMSG;
	return strspn(text, "0") != strlen(text);
}

int kvm_vms_drop_run(int root_fd, struct kvm_vms *vms)
{
	int error = 0;

	for (size_t i = vms->count; i-- > 0;) {
		int r = kvm_vm_has_run(root_fd, vms->names[i]);

		if (r <= 0 && r != -ESRCH) {
			error = r ?: error;
			continue;
		}
		vms->count--;
		memmove(vms->names[i], vms->names[vms->count], sizeof(vms->names[i]));
	}
	return error;
}
