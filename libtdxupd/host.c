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
#include "host-files.h"
#include "io.h"
#include "tdxupd.h"
#include "util.h"

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

static bool is_known(const char *path, int error)
{
	if (error < 0)
		log_debug("%s: %s", path, io_strerror(error));
	return error == 0;
}

static bool read_number(struct host_files *files, enum host_file file, int base,
			uint64_t max, uint64_t *ret)
{
	char text[ATTRIBUTE_BYTES];
	int r = host_files_read(files, file, text, sizeof(text));

	if (r == 0)
		r = parse_number(text, base, max, ret);
	return is_known(host_file_path(file), r);
}

static bool read_u32(struct host_files *files, enum host_file file, uint32_t *ret)
{
	uint64_t value;

	if (!read_number(files, file, 10, UINT32_MAX, &value))
		return false;
	*ret = (uint32_t)value;
	return true;
}

static int read_version(struct host_files *files, enum host_file file,
			struct tdxupd_version *ret)
{
	char text[ATTRIBUTE_BYTES];
	int r = host_files_read(files, file, text, sizeof(text));

	if (r == 0)
		r = tdxupd_version_parse(text, ret);
	(void)is_known(host_file_path(file), r);
	return r;
}

/* A lost module answers ENXIO; a device that vanishes meanwhile is unknown, not absent.
 */
static enum tdxupd_tdx_state read_state(struct host_files *files,
					struct tdxupd_version *ret)
{
	int r = read_version(files, HOST_FILE_VERSION, ret);

	if (r == 0)
		return TDXUPD_TDX_LIVE;
	return r == -ENXIO ? TDXUPD_TDX_LOST : TDXUPD_TDX_UNKNOWN;
}

static void read_guard(struct host_files *files, struct tdxupd_host *host)
{
	char text[ATTRIBUTE_BYTES];
	enum tdxupd_guard guard;
	int r = host_files_read(files, HOST_FILE_GUARD, text, sizeof(text));

	if (!is_known(host_file_path(HOST_FILE_GUARD), r))
		return;
	guard = tdxupd_guard_from_string(text);
	host->has_update_guard = guard >= 0;
	if (host->has_update_guard)
		host->update_guard = guard;
}

static void read_identity(struct host_files *files, struct tdxupd_host *host)
{
	char text[ATTRIBUTE_BYTES];
	int r = host_files_read(files, HOST_FILE_MRSEAM, text, sizeof(text));

	if (r == 0)
		r = tdxupd_digest_parse(text, &host->mrseam);
	host->has_mrseam = is_known(host_file_path(HOST_FILE_MRSEAM), r);
	r = host_files_read(files, HOST_FILE_TEE_TCB_SVN, text, sizeof(text));
	if (r == 0)
		r = bytes_parse(text, host->tee_tcb_svn, sizeof(host->tee_tcb_svn));
	host->has_tee_tcb_svn = is_known(host_file_path(HOST_FILE_TEE_TCB_SVN), r);
}

static bool has_loading(struct host_files *files)
{
	char text[ATTRIBUTE_BYTES];

	return host_files_read(files, HOST_FILE_LOADING, text, sizeof(text)) != -ENODATA;
}

static void read_module(struct host_files *files, struct tdxupd_host *host)
{
	host->has_seamldr_version = read_version(files, HOST_FILE_SEAMLDR_VERSION,
						 &host->seamldr_version) == 0;
	host->has_remaining_updates =
		read_u32(files, HOST_FILE_REMAINING, &host->remaining_updates);
	host->has_features0 =
		read_number(files, HOST_FILE_FEATURES0, 16, UINT64_MAX, &host->features0);
	read_identity(files, host);
	host->has_tds_building = read_u32(files, HOST_FILE_BUILDING, &host->tds_building);
	read_guard(files, host);
	host->has_fw_upload = has_loading(files);
	host->has_trigger = io_is_present(files->device_fd, "image") &&
			    io_is_present(files->device_fd, "update");
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
static void read_tdx(struct host_files *files, struct tdxupd_host *host)
{
	const struct tdxupd_host empty = *host;
	struct tdxupd_version version = {};
	enum tdxupd_tdx_state state;

	for (int i = 0; i < SNAPSHOT_TRIES; i++) {
		int r = host_files_find_device(files);

		*host = empty;
		host->state = r == -ENODATA ? TDXUPD_TDX_ABSENT : TDXUPD_TDX_UNKNOWN;
		if (r < 0)
			return;
		host->state = read_state(files, &host->module_version);
		read_module(files, host);
		state = read_state(files, &version);
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
static void read_td_count(struct host_files *files, struct tdxupd_host *host)
{
	char text[ATTRIBUTE_BYTES], *save = NULL;
	int r = host_files_read(files, HOST_FILE_TD_COUNT, text, sizeof(text));

	if (!is_known(host_file_path(HOST_FILE_TD_COUNT), r))
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

static int read_cpuset(struct host_files *files, enum host_file file,
		       struct tdxupd_cpuset *ret)
{
	char text[ATTRIBUTE_BYTES];
	int r = host_files_read(files, file, text, sizeof(text));

	return r < 0 ? r : tdxupd_cpuset_parse(text, ret);
}

static void read_cpus(struct host_files *files, struct tdxupd_host *host)
{
	int r = read_cpuset(files, HOST_FILE_ONLINE, &host->online);

	if (r == 0)
		r = read_cpuset(files, HOST_FILE_PRESENT, &host->present);
	if (r == 0)
		r = read_cpuset(files, HOST_FILE_POSSIBLE, &host->possible);
	host->has_cpus = is_known("CPUs", r);
}

static int read_cpuinfo(struct host_files *files, struct tdxupd_host *host)
{
	_cleanup_(cleanup_fclose)
	FILE *file = NULL;
	int r = host_files_open(files, HOST_FILE_CPUINFO, &file);

	return r < 0 ? r : host_cpu_read(file, host);
}

static void read_boot_id(struct host_files *files, struct tdxupd_host *host)
{
	char text[ATTRIBUTE_BYTES];
	int r = host_files_read(files, HOST_FILE_BOOT_ID, text, sizeof(text));

	if (!is_known(host_file_path(HOST_FILE_BOOT_ID), r))
		return;
	if (strlen(text) == sizeof(host->boot_id) - 1 &&
	    strspn(text, "0123456789abcdef-") == sizeof(host->boot_id) - 1)
		strcpy(host->boot_id, text);
}

int host_read(struct host_files *files, struct tdxupd_host **ret)
{
	_cleanup_(cleanup_host)
	struct tdxupd_host *host = calloc(1, sizeof(*host));

	if (!host)
		return -ENOMEM;
	read_tdx(files, host);
	read_td_count(files, host);
	read_cpus(files, host);
	is_known(host_file_path(HOST_FILE_CPUINFO), read_cpuinfo(files, host));
	read_boot_id(files, host);
	*ret = TAKE_PTR(host);
	return 0;
}

_public_ int tdxupd_host_read(int root_fd, struct tdxupd_host **ret)
{
	struct host_files files;
	struct stat st;
	int r;

	if (root_fd < 0 || !ret)
		return -EINVAL;
	if (fstat(root_fd, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	host_files_init(&files, root_fd);
	r = host_read(&files, ret);
	host_files_done(&files);
	return r;
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
	return io_open(root_fd, "sys/devices/faux/tdx_host/tds_building", O_RDONLY);
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
