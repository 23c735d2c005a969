// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * One snapshot of a machine, read once and passed on as a value, so that plan, gate and
 * confirm see the same one. What can't be read is flagged unknown, with the errno in the
 * debug log; what to make of that is decided in compat.
 *
 * The files are those of drivers/virt/coco/tdx-host and of our kernel/ABI.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "host-cpu.h"
#include "io.h"
#include "tdxupd.h"
#include "util.h"

#define DEVICE    "sys/devices/faux/tdx_host"
#define FW_UPLOAD "sys/class/firmware/tdx_module"
#define CPU_DIR   "sys/devices/system/cpu"

/* Largest text of a sysfs attribute (one page), the closing NUL included. */
#define ATTRIBUTE_BYTES 4097

/* An update in between makes facts of two modules; nobody updates twice in a moment. */
#define SNAPSHOT_TRIES 3

DEFINE_CLEANUP(struct tdxupd_host, host, tdxupd_host_free)

static const char *const tdx_state_table[] = {
	[TDXUPD_TDX_ABSENT] = "absent",
	[TDXUPD_TDX_LIVE] = "live",
	[TDXUPD_TDX_LOST] = "lost",
	[TDXUPD_TDX_UNKNOWN] = "unknown",
};
_public_ STRING_TABLE_TO(tdxupd_tdx_state, enum tdxupd_tdx_state, tdx_state_table)

	static const char *const guard_table[] = {
		[TDXUPD_GUARD_NONE] = "none",
		[TDXUPD_GUARD_KERNEL] = "kernel",
		[TDXUPD_GUARD_MODULE] = "module",
	};
_public_ STRING_TABLE_TO(tdxupd_guard, enum tdxupd_guard, guard_table)
_public_ STRING_TABLE_FROM(tdxupd_guard, enum tdxupd_guard, guard_table)

	/* arch/x86/include/asm/tdx.h:TDX_FEATURES0_*, and the bit that no module has yet.
	 */
	static const char *const feature_table[] = {
		[1] = "TD_PRESERVING",  [18] = "NO_RBP_MOD",
		[20] = "TOPOLOGY_ENUM", [23] = "CLFLUSH_BEFORE_ALLOC",
		[36] = "DYNAMIC_PAMT",  [47] = "UPDATE_COMPATIBILITY",
	};

_public_ const char *tdxupd_feature_to_string(unsigned bit)
{
	return bit < 64 ? string_table_lookup(feature_table, ARRAY_SIZE(feature_table),
					      (int)bit)
			: NULL;
}

static int parse_number(const char *text, int base, uint64_t max, uint64_t *ret)
{
	unsigned long long value;
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return -EBADMSG;
	errno = 0;
	value = strtoull(text, &end, base);
	if (errno != 0 || *end || value > max)
		return -EBADMSG;
	*ret = value;
	return 0;
}

static int read_number(int root_fd, const char *path, int base, uint64_t max,
		       uint64_t *ret)
{
	char text[ATTRIBUTE_BYTES];
	int r = io_read_text(root_fd, path, text, sizeof(text));

	return r < 0 ? r : parse_number(text, base, max, ret);
}

static bool is_known(const char *path, int error)
{
	if (error < 0)
		log_debug("%s: %s", path, io_strerror(error));
	return error == 0;
}

static bool read_u32(int root_fd, const char *path, uint32_t *ret)
{
	uint64_t value;

	if (!is_known(path, read_number(root_fd, path, 10, UINT32_MAX, &value)))
		return false;
	*ret = (uint32_t)value;
	return true;
}

static int read_version(int root_fd, const char *path, struct tdxupd_version *ret)
{
	char text[ATTRIBUTE_BYTES];
	int r = io_read_text(root_fd, path, text, sizeof(text));

	return r < 0 ? r : tdxupd_version_parse(text, ret);
}

/* A lost module answers ENXIO; a device that vanishes meanwhile is unknown, not absent.
 */
static enum tdxupd_tdx_state read_state(int root_fd, struct tdxupd_version *ret)
{
	_cleanup_(cleanup_close)
	int fd = io_open(root_fd, DEVICE, O_PATH);
	int r;

	if (fd < 0)
		return fd == -ENODATA ? TDXUPD_TDX_ABSENT : TDXUPD_TDX_UNKNOWN;
	r = read_version(root_fd, DEVICE "/version", ret);
	if (is_known(DEVICE "/version", r))
		return TDXUPD_TDX_LIVE;
	return r == -ENXIO ? TDXUPD_TDX_LOST : TDXUPD_TDX_UNKNOWN;
}

static void read_guard(int root_fd, struct tdxupd_host *host)
{
	char text[ATTRIBUTE_BYTES];
	enum tdxupd_guard guard;
	int r = io_read_text(root_fd, DEVICE "/update_guard", text, sizeof(text));

	if (!is_known(DEVICE "/update_guard", r))
		return;
	guard = tdxupd_guard_from_string(text);
	host->has_update_guard = guard >= 0;
	if (host->has_update_guard)
		host->update_guard = guard;
}

static void read_module(int root_fd, struct tdxupd_host *host)
{
	host->has_seamldr_version = is_known(
		DEVICE "/seamldr_version",
		read_version(root_fd, DEVICE "/seamldr_version", &host->seamldr_version));
	host->has_remaining_updates = read_u32(root_fd, DEVICE "/num_remaining_updates",
					       &host->remaining_updates);
	host->has_features0 = is_known(DEVICE "/features0",
				       read_number(root_fd, DEVICE "/features0", 16,
						   UINT64_MAX, &host->features0));
	host->has_tds_building =
		read_u32(root_fd, DEVICE "/tds_building", &host->tds_building);
	read_guard(root_fd, host);
	host->has_fw_upload = io_is_present(root_fd, FW_UPLOAD "/loading");
	host->has_trigger = io_is_present(root_fd, DEVICE "/image") &&
			    io_is_present(root_fd, DEVICE "/update");
}

static bool is_same_module(enum tdxupd_tdx_state state,
			   const struct tdxupd_version *version,
			   const struct tdxupd_host *host)
{
	return state == host->state &&
	       (state != TDXUPD_TDX_LIVE ||
		tdxupd_version_compare(version, &host->module_version) == 0);
}

/* All of the module's facts, from between two looks that found the same module. */
static void read_tdx(int root_fd, struct tdxupd_host *host)
{
	const struct tdxupd_host empty = *host;
	struct tdxupd_version version = {};
	enum tdxupd_tdx_state state;

	for (int i = 0; i < SNAPSHOT_TRIES; i++) {
		*host = empty;
		host->state = read_state(root_fd, &host->module_version);
		if (host->state == TDXUPD_TDX_ABSENT)
			return;
		read_module(root_fd, host);
		state = read_state(root_fd, &version);
		if (is_same_module(state, &version, host))
			return;
	}
	*host = empty;
	host->state = TDXUPD_TDX_UNKNOWN;
}

/*
 * The root cgroup's `misc.current` counts the whole machine (kernel/cgroup/misc.c
 * charges every ancestor). Its line is absent where this kernel does not count TDs.
 */
static void read_td_count(int root_fd, struct tdxupd_host *host)
{
	static const char path[] = "sys/fs/cgroup/misc.current";
	char text[ATTRIBUTE_BYTES], *save = NULL;
	int r = io_read_text(root_fd, path, text, sizeof(text));

	if (!is_known(path, r))
		return;
	for (char *line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		uint64_t count;
		char rest;

		if (sscanf(line, "tdx %" SCNu64 "%c", &count, &rest) == 1 &&
		    !strchr(line, '-')) {
			host->has_td_count = true;
			host->td_count = count;
		}
	}
}

static int read_cpuset(int root_fd, const char *path, struct tdxupd_cpuset *ret)
{
	char text[ATTRIBUTE_BYTES];
	int r = io_read_text(root_fd, path, text, sizeof(text));

	return r < 0 ? r : tdxupd_cpuset_parse(text, ret);
}

static void read_cpus(int root_fd, struct tdxupd_host *host)
{
	int r = read_cpuset(root_fd, CPU_DIR "/online", &host->online);

	if (r == 0)
		r = read_cpuset(root_fd, CPU_DIR "/present", &host->present);
	if (r == 0)
		r = read_cpuset(root_fd, CPU_DIR "/possible", &host->possible);
	host->has_cpus = is_known(CPU_DIR, r);
}

static int read_cpuinfo(int root_fd, struct tdxupd_host *host)
{
	_cleanup_(cleanup_fclose)
	FILE *file = NULL;
	_cleanup_(cleanup_close)
	int fd = io_open(root_fd, "proc/cpuinfo", O_RDONLY);

	if (fd < 0)
		return fd;
	file = fdopen(fd, "r");
	if (!file)
		return -errno;
	TAKE_FD(fd);
	return host_cpu_read(file, host);
}

static void read_boot_id(int root_fd, struct tdxupd_host *host)
{
	static const char path[] = "proc/sys/kernel/random/boot_id";
	char text[ATTRIBUTE_BYTES];

	if (!is_known(path, io_read_text(root_fd, path, text, sizeof(text))))
		return;
	if (strlen(text) == sizeof(host->boot_id) - 1 &&
	    strspn(text, "0123456789abcdef-") == sizeof(host->boot_id) - 1)
		strcpy(host->boot_id, text);
}

_public_ int tdxupd_host_read(int root_fd, struct tdxupd_host **ret)
{
	_cleanup_(cleanup_host)
	struct tdxupd_host *host = NULL;
	struct stat st;

	if (root_fd < 0 || !ret)
		return -EINVAL;
	if (fstat(root_fd, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	host = calloc(1, sizeof(*host));
	if (!host)
		return -ENOMEM;
	read_tdx(root_fd, host);
	read_td_count(root_fd, host);
	read_cpus(root_fd, host);
	is_known("proc/cpuinfo", read_cpuinfo(root_fd, host));
	read_boot_id(root_fd, host);
	*ret = TAKE_PTR(host);
	return 0;
}

_public_ struct tdxupd_host *tdxupd_host_free(struct tdxupd_host *host)
{
	free(host);
	return NULL;
}

_public_ int tdxupd_host_open_builds(int root_fd)
{
	if (root_fd < 0)
		return -EINVAL;
	return io_open(root_fd, DEVICE "/tds_building", O_RDONLY);
}

_public_ int tdxupd_host_read_builds(int fd, uint32_t *ret)
{
	char text[ATTRIBUTE_BYTES];
	uint64_t value;
	int r;

	if (!ret)
		return -EINVAL;
	r = io_read_text_fd(fd, text, sizeof(text));
	if (r == 0)
		r = parse_number(text, 10, UINT32_MAX, &value);
	if (r == 0)
		*ret = (uint32_t)value;
	return r;
}
