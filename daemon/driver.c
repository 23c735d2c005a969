// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which kernel module gives a host its /sys/devices/faux/tdx_host, if any may be loaded.
 * udev loads the driver of a CPU with TDX by itself; where it did not (it came up before
 * the module was installed, somebody removed it) this does. Loading is kmod-load.c's.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "driver.h"
#include "io.h"

#define DEVICE            "sys/devices/faux/tdx_host"
#define CPUINFO_BYTES_MAX (16u << 20) /* thousands of CPUs at some 2 KiB */

/* Whole words only: "tdx" is no "tdx_host_platform". */
static bool has_word(const char *line, const char *word)
{
	const char *end = strchrnul(line, '\n');
	size_t length = strlen(word);

	for (const char *p = line; (p = strstr(p, word)) && p < end; p += length)
		if (p > line && strchr(" \t", p[-1]) && strchr(" \n", p[length]))
			return true;
	return false;
}

int driver_is_tdx_offered(int root_fd)
{
	_cleanup_(cleanup_free)
	uint8_t *bytes = NULL;
	const char *flags;
	size_t count;
	int r;

	r = io_read_file(root_fd, "proc/cpuinfo", CPUINFO_BYTES_MAX, &bytes, &count);
	if (r < 0)
		return r;
	flags = strstr((const char *)bytes, "\nflags");
	if (!flags)
		return -ENODATA;
	return has_word(flags + 1, "tdx_host_platform");
}

int driver_choose(int root_fd, enum load_driver policy, const char **ret_module,
		  const char **ret_why)
{
	int is_offered;

	*ret_module = NULL;
	if (io_is_present(root_fd, DEVICE)) {
		*ret_why = "it is there";
		return 0;
	}
	if (policy == LOAD_DRIVER_NO) {
		*ret_why = "LoadDriver=no";
		return 0;
	}
	is_offered = driver_is_tdx_offered(root_fd);
	if (is_offered < 0)
		return is_offered;
	if (policy == LOAD_DRIVER_SIMULATION && is_offered)
		return -EPERM;
	if (policy == LOAD_DRIVER_AUTO && !is_offered)
		*ret_why = "the BIOS offers no TDX (no tdx_host_platform in "
			   "/proc/cpuinfo)";
	else
		*ret_module = is_offered ? "tdx_host" : "tdx_host_sim";
	return 0;
}
