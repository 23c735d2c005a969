// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Directories of plain files that stand for a machine where one fact a file is enough.
 * What has to behave like a kernel is the simulated host's.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tree.h"

#define LEFT_MAX 256

/* ---- what a test that fails leaves ---- */

/* Trees of this process that are there; a child's end is not theirs. */
static struct {
	pid_t owner;
	char paths[LEFT_MAX][sizeof(((struct tree *)NULL)->path)];
} left;

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st, (void)flag, (void)ftw;
	return remove(path);
}

/* Whoever has mounted something there is about to end as well. */
static void unmount_below(const char *tree)
{
	FILE *mounts = fopen("/proc/self/mounts", "re");
	char path[256];

	while (mounts && fscanf(mounts, "%*s %255s %*[^\n]", path) == 1)
		if (strncmp(path, tree, strlen(tree)) == 0)
			(void)umount2(path, MNT_DETACH);
	if (mounts)
		fclose(mounts);
}

static void remove_left(void)
{
	if (getpid() != left.owner)
		return;
	for (size_t i = 0; i < LEFT_MAX; i++) {
		if (!*left.paths[i])
			continue;
		unmount_below(left.paths[i]);
		/* Somebody may still write there. */
		for (int try = 0; try < 3; try++)
			if (nftw(left.paths[i], remove_one, 16,
				 FTW_DEPTH | FTW_PHYS | FTW_MOUNT) == 0)
				break;
	}
}

/* Replace one path, "" for none, by another. */
static void note_left(const char *from, const char *to)
{
	if (left.owner != getpid()) {
		memset(&left, 0, sizeof(left));
		left.owner = getpid();
		(void)atexit(remove_left);
	}
	for (size_t i = 0; i < LEFT_MAX; i++)
		if (strcmp(left.paths[i], from) == 0) {
			strcpy(left.paths[i], to);
			return;
		}
}

/* ---- a tree ---- */

void tree_new(struct tree *ret)
{
	strcpy(ret->path, "/tmp/tdxupd-test.XXXXXX");
	if (!mkdtemp(ret->path))
		err(1, "mkdtemp");
	note_left("", ret->path);
	ret->fd = open(ret->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ret->fd < 0)
		err(1, "%s", ret->path);
}

void tree_remove(struct tree *tree)
{
	close(tree->fd);
	if (nftw(tree->path, remove_one, 16, FTW_DEPTH | FTW_PHYS) < 0)
		err(1, "%s", tree->path);
	note_left(tree->path, "");
}

static void make_parents(const struct tree *tree, const char *path)
{
	char dir[256];

	if (snprintf(dir, sizeof(dir), "%s", path) >= (int)sizeof(dir))
		errx(1, "%s: too long", path);
	for (char *slash = strchr(dir, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdirat(tree->fd, dir, 0755) < 0 && errno != EEXIST)
			err(1, "%s", dir);
		*slash = '/';
	}
}

void tree_put_bytes(const struct tree *tree, const char *path, const void *bytes,
		    size_t count)
{
	int fd;

	make_parents(tree, path);
	fd = openat(tree->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, bytes, count) != (ssize_t)count || close(fd) < 0)
		err(1, "%s", path);
}

void tree_put(const struct tree *tree, const char *path, const char *text)
{
	tree_put_bytes(tree, path, text, strlen(text));
}

void tree_drop(const struct tree *tree, const char *path)
{
	if (unlinkat(tree->fd, path, 0) < 0 &&
	    (errno != EISDIR || unlinkat(tree->fd, path, AT_REMOVEDIR) < 0) &&
	    errno != ENOENT)
		err(1, "%s", path);
}

#define DEVICE "sys/devices/faux/tdx_host/"

void tree_put_host(const struct tree *tree)
{
	static const char *const files[][2] = {
		{ DEVICE "version", "1.5.06\n" },
		{ DEVICE "seamldr_version", "1.5.00\n" },
		{ DEVICE "num_remaining_updates", "12\n" },
		{ DEVICE "features0", "0x000000002e1f0fbf\n" },
		{ DEVICE "mrseam", TREE_MRSEAM "\n" },
		{ DEVICE "tee_tcb_svn", "06010000000000000000000000000000\n" },
		{ DEVICE "update_guard", "kernel\n" },
		{ DEVICE "tds_building", "0\n" },
		{ DEVICE "image", "" },
		{ DEVICE "update", "" },
		{ DEVICE "firmware/tdx_module/loading", "0\n" },
		{ "sys/devices/system/cpu/online", "0-3\n" },
		{ "sys/devices/system/cpu/present", "0-3\n" },
		{ "sys/devices/system/cpu/possible", "0-3\n" },
		{ "sys/fs/cgroup/misc.current", "sev 0\ntdx 2\n" },
		{ "proc/sys/kernel/random/boot_id",
		  "5f8b0a52-7a04-4f3c-9a53-27c3f0c9a1de\n" },
	};
	char cpuinfo[4096];
	int used = 0;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		tree_put(tree, files[i][0], files[i][1]);
	for (unsigned cpu = 0; cpu < 4; cpu++)
		used += snprintf(cpuinfo + used, sizeof(cpuinfo) - (size_t)used,
				 "processor\t: %u\nvendor_id\t: GenuineIntel\n"
				 "cpu family\t: 6\nmodel\t\t: 207\n"
				 "model name\t: Simulated\nstepping\t: 2\n"
				 "physical id\t: 0\ncore id\t\t: %u\n"
				 "flags\t\t: fpu vme\nbugs\t\t: spectre_v1\n\n",
				 cpu, cpu);
	tree_put(tree, "proc/cpuinfo", cpuinfo);
	make_parents(tree, "sys/class/firmware/tdx_module");
	if (symlinkat("../../devices/faux/tdx_host/firmware/tdx_module", tree->fd,
		      "sys/class/firmware/tdx_module") < 0 &&
	    errno != EEXIST)
		err(1, "tdx_module");
}
