// SPDX-License-Identifier: LGPL-2.1-or-later
/* Where a host's attributes are, and their descriptors. What they say is host.c's. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "host-files.h"
#include "io.h"
#include "util.h"

#define DEVICE  "sys/devices/faux/tdx_host"
#define UPLOAD  "sys/class/firmware/tdx_module"
#define CPU_DIR "sys/devices/system/cpu/"

/* Those of the device are found in its directory, the others from the root. */
static const struct {
	bool is_of_device;
	const char *path;
} places[_HOST_FILE_MAX] = {
	[HOST_FILE_VERSION] = { true, "version" },
	[HOST_FILE_SEAMLDR_VERSION] = { true, "seamldr_version" },
	[HOST_FILE_REMAINING] = { true, "num_remaining_updates" },
	[HOST_FILE_FEATURES0] = { true, "features0" },
	[HOST_FILE_MRSEAM] = { true, "mrseam" },
	[HOST_FILE_TEE_TCB_SVN] = { true, "tee_tcb_svn" },
	[HOST_FILE_BUILDING] = { true, "tds_building" },
	[HOST_FILE_GUARD] = { true, "update_guard" },
	[HOST_FILE_LOADING] = { false, UPLOAD "/loading" },
	[HOST_FILE_TD_COUNT] = { false, "sys/fs/cgroup/misc.current" },
	[HOST_FILE_ONLINE] = { false, CPU_DIR "online" },
	[HOST_FILE_PRESENT] = { false, CPU_DIR "present" },
	[HOST_FILE_POSSIBLE] = { false, CPU_DIR "possible" },
	[HOST_FILE_CPUINFO] = { false, "proc/cpuinfo" },
	[HOST_FILE_BOOT_ID] = { false, "proc/sys/kernel/random/boot_id" },
};

void host_files_init(struct host_files *files, int root_fd)
{
	files->root_fd = root_fd;
	files->device_fd = files->upload_fd = -1;
	for (size_t i = 0; i < _HOST_FILE_MAX; i++)
		files->fds[i] = -1;
}

static void shut(int *fd)
{
	if (*fd >= 0)
		close(TAKE_FD(*fd));
}

void host_files_done(struct host_files *files)
{
	shut(&files->device_fd);
	shut(&files->upload_fd);
	for (size_t i = 0; i < _HOST_FILE_MAX; i++)
		shut(&files->fds[i]);
}

/* The directory of a device that is gone has no files. Asked without a descriptor: that
 * there is none left says nothing of the device. */
static int find(const struct host_files *files, const char *path, const char *name,
		int *fd)
{
	if (*fd >= 0 && faccessat(*fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	shut(fd);
	*fd = io_open(files->root_fd, path, O_PATH | O_DIRECTORY);
	return *fd < 0 ? *fd : 0;
}

int host_files_find_device(struct host_files *files)
{
	return find(files, DEVICE, "version", &files->device_fd);
}

int host_files_find_upload(struct host_files *files)
{
	return find(files, UPLOAD, "loading", &files->upload_fd);
}

const char *host_file_path(enum host_file file)
{
	return places[file].path;
}

static int open_file(const struct host_files *files, enum host_file file)
{
	if (!places[file].is_of_device)
		return io_open(files->root_fd, places[file].path, O_RDONLY | O_NONBLOCK);
	if (files->device_fd < 0)
		return -ENODATA;
	return io_open(files->device_fd, places[file].path, O_RDONLY | O_NONBLOCK);
}

/* A device that went away takes its files along, and another may have come. ENXIO is what
 * a lost module says, and says again. */
static bool is_worth_opening_anew(int error)
{
	return error < 0 && error != -ENXIO && error != -EBADMSG;
}

int host_files_read(struct host_files *files, enum host_file file, char *ret, size_t size)
{
	int *fd = &files->fds[file];
	int r = -ENODATA;

	if (*fd >= 0) {
		r = io_read_text_fd(*fd, ret, size);
		if (!is_worth_opening_anew(r))
			return r;
		shut(fd);
	}
	r = open_file(files, file);
	if (r < 0)
		return r;
	*fd = r;
	return io_read_text_fd(*fd, ret, size);
}

static bool is_readable(int fd)
{
	char byte;

	return fd >= 0 && pread(fd, &byte, 1, 0) == 1;
}

int host_files_dup(struct host_files *files, enum host_file file, int *ret_fd)
{
	int *fd = &files->fds[file];
	int r;

	if (!is_readable(*fd)) {
		r = open_file(files, file);
		if (r < 0)
			return r;
		shut(fd);
		*fd = r;
	}
	r = fcntl(*fd, F_DUPFD_CLOEXEC, 3);
	if (r < 0)
		return -errno;
	*ret_fd = r;
	return 0;
}

int host_files_open(struct host_files *files, enum host_file file, FILE **ret)
{
	_cleanup_(cleanup_close)
	int fd = -1;
	int r = host_files_dup(files, file, &fd);

	if (r < 0)
		return r;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	*ret = fdopen(fd, "r");
	if (!*ret)
		return -errno;
	TAKE_FD(fd);
	return 0;
}
