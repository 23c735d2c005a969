/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef HOST_FILES_H
#define HOST_FILES_H

#include <stddef.h>
#include <stdio.h>

#include "tdxupd.h"

enum host_file {
	HOST_FILE_VERSION,
	HOST_FILE_SEAMLDR_VERSION,
	HOST_FILE_REMAINING,
	HOST_FILE_FEATURES0,
	HOST_FILE_MRSEAM,
	HOST_FILE_TEE_TCB_SVN,
	HOST_FILE_BUILDING,
	HOST_FILE_GUARD,
	HOST_FILE_LOADING, /* of fw_upload */
	HOST_FILE_TD_COUNT,
	HOST_FILE_ONLINE,
	HOST_FILE_PRESENT,
	HOST_FILE_POSSIBLE,
	HOST_FILE_BOOT_ID,
	HOST_FILE_CPUINFO,
	_HOST_FILE_MAX,
};

/*
 * The attributes that a snapshot is made of, as descriptors that stay open for the next
 * one: each read is fresh, and to look a path up takes longer than to read what it names.
 * @root_fd: borrowed
 * @device_fd, @upload_fd: the directories of the device and of fw_upload as they were
 *	found last, -1 for none
 */
struct host_files {
	int root_fd;
	int device_fd;
	int upload_fd;
	int fds[_HOST_FILE_MAX];
};

void host_files_init(struct host_files *files, int root_fd);
void host_files_done(struct host_files *files);
/* Look for the device; it may be another one than last time. Return: 0; -ENODATA there is
 * none; another errno. */
int host_files_find_device(struct host_files *files);
/* The same for fw_upload. */
int host_files_find_upload(struct host_files *files);
const char *host_file_path(enum host_file file);
/* As io_read_text(). */
int host_files_read(struct host_files *files, enum host_file file, char *ret,
		    size_t size);

/* Its descriptor, close() it. Return: 0; as io_open(). */
int host_files_dup(struct host_files *files, enum host_file file, int *ret_fd);
/* The same for one that is longer than a page: at its start, fclose() it. */
int host_files_open(struct host_files *files, enum host_file file, FILE **ret);

/* As tdxupd_host_read(), for whoever reads more than once. */
int host_read(struct host_files *files, struct tdxupd_host **ret);

#endif
