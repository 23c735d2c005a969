// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The table of the host's files: where, which mode, on which kernel, what they say and
 * take. Errors are those of the kernel's own functions, which are named.
 */
#include "files.h"

#include <inttypes.h>
#include <stdlib.h>

#include "cpu-files.h"
#include "tracing-files.h"
#include "util.h"

#define HOST_DIR   "sys/devices/faux/tdx_host/"
#define UPLOAD_DIR HOST_DIR "firmware/tdx_module/"
#define SLICE_DIR  "sys/fs/cgroup/machine.slice/"
#define PAGE_BYTES 4096

static bool can_update(const struct host *host)
{
	return tdx_model_can_update(host->model);
}

static bool has_features(const struct host *host)
{
	return host->kernel != HOST_MAINLINE;
}

static bool has_guard(const struct host *host)
{
	return has_features(host) && can_update(host);
}

static bool is_piece(const struct host *host)
{
	return host->kernel == HOST_PIECE;
}

static bool has_trigger(const struct host *host)
{
	return is_piece(host) && can_update(host);
}

static int show_version_text(FILE *text, const struct tdx_model_version *version)
{
	fprintf(text, "%u.%u.%02u\n", version->major, version->minor, version->update);
	return 0;
}

static int show_version(struct host *host, FILE *text)
{
	struct tdx_model_version version;
	int error = tdx_model_version(host->model, &version);

	return error ? error : show_version_text(text, &version);
}

static int show_features0(struct host *host, FILE *text)
{
	u64 features;
	int error = tdx_model_features0(host->model, &features);

	if (!error)
		fprintf(text, "0x%016llx\n", features);
	return error;
}

static int show_bytes(FILE *text, const u8 *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		fprintf(text, "%02x", bytes[i]);
	fputc('\n', text);
	return 0;
}

static int show_mrseam(struct host *host, FILE *text)
{
	struct tdx_model_identity identity;
	int error = tdx_model_identity(host->model, &identity);

	return error ? error : show_bytes(text, identity.mrseam, sizeof(identity.mrseam));
}

static int show_tee_tcb_svn(struct host *host, FILE *text)
{
	struct tdx_model_identity identity;
	int error = tdx_model_identity(host->model, &identity);

	return error ? error
		     : show_bytes(text, identity.tee_tcb_svn,
				  sizeof(identity.tee_tcb_svn));
}

static int show_seamldr_version(struct host *host, FILE *text)
{
	struct tdx_model_version version;
	uint32_t remaining;
	int error = tdx_model_seamldr(host->model, &version, &remaining);

	return error ? error : show_version_text(text, &version);
}

static int show_remaining(struct host *host, FILE *text)
{
	struct tdx_model_version version;
	uint32_t remaining;
	int error = tdx_model_seamldr(host->model, &version, &remaining);

	if (!error)
		fprintf(text, "%u\n", remaining);
	return error;
}

/* Only the patched kernel reads the module's bits for it. */
static int show_guard(struct host *host, FILE *text)
{
	static const char *const names[] = {
		[TDX_MODEL_GUARD_NONE] = "none",
		[TDX_MODEL_GUARD_KERNEL] = "kernel",
		[TDX_MODEL_GUARD_MODULE] = "module",
	};
	struct tdx_model_version version;

	if (!is_piece(host) && tdx_model_version(host->model, &version))
		return -ENXIO;

	fprintf(text, "%s\n", names[tdx_model_guard(host->model)]);
	return 0;
}

static int show_building(struct host *host, FILE *text)
{
	fprintf(text, "%u\n", tdx_model_building(host->model));
	return 0;
}

static int show_last_status(struct host *host, FILE *text)
{
	struct tdx_model_status last;

	if (tdx_model_last_status(host->model, &last))
		fprintf(text, "0x%llx 0x%016llx\n", last.leaf, last.status);
	return 0;
}

/* firmware_loading_show() */
static int show_loading(struct host *host, FILE *text)
{
	fprintf(text, "%d\n", host->upload.is_loading);
	return 0;
}

static int store_loading(struct host *host, const char *value)
{
	int error = upload_write_loading(&host->upload, value);

	host_changed(host);
	return error;
}

static ssize_t read_data(struct host *host, void *ret, size_t count, size_t offset)
{
	return upload_read_data(&host->upload, ret, count, offset);
}

static ssize_t write_data(struct host *host, const void *bytes, size_t count,
			  size_t offset)
{
	return upload_write_data(&host->upload, bytes, count, offset);
}

static int show_status(struct host *host, FILE *text)
{
	fprintf(text, "%s\n", upload_progress_to_string(host->upload.progress));
	return 0;
}

/* error_show() */
static int show_error(struct host *host, FILE *text)
{
	const struct upload *upload = &host->upload;

	if (upload->progress != UPLOAD_IDLE)
		return -EBUSY;
	if (upload->error)
		fprintf(text, "%s:%s\n",
			upload_progress_to_string(upload->error_progress),
			upload_error_to_string(upload->error));
	return 0;
}

static int show_remaining_size(struct host *host, FILE *text)
{
	fprintf(text, "%zu\n", host->upload.remaining_size);
	return 0;
}

static int store_cancel(struct host *host, const char *text)
{
	return upload_write_cancel(&host->upload, text);
}

static int show_boot_id(struct host *host, FILE *text)
{
	fprintf(text, "%s\n", host->boot_id);
	return 0;
}

static int show_misc_capacity(struct host *host, FILE *text)
{
	(void)host;
	fprintf(text, "tdx %d\n", TDX_MODEL_HKID_MAX - TDX_MODEL_HKID_FIRST - 1);
	return 0;
}

static bool has_root_cgroup(const struct host *host)
{
	return host->cgroup == HOST_CGROUP_ROOT;
}

static bool has_own_cgroup(const struct host *host)
{
	return host->cgroup == HOST_CGROUP_OWN;
}

static bool has_cgroup(const struct host *host)
{
	return host->cgroup != HOST_CGROUP_NONE;
}

static int show_own_max(struct host *host, FILE *text)
{
	(void)host;
	fputs("tdx max\n", text);
	return 0;
}

static int show_misc_current(struct host *host, FILE *text)
{
	fprintf(text, "tdx %" PRIu64 "\n", has_own_cgroup(host) ? 0 : host_charged(host));
	return 0;
}

/* kernel/cgroup/misc.c:misc_events_show() */
static int show_slice_events(struct host *host, FILE *text)
{
	fprintf(text, "tdx.max %u\n", host->refused);
	return 0;
}

static unsigned refused_event(const struct host *host)
{
	return host->refused_event;
}

static unsigned building_event(const struct host *host)
{
	return host->building_event;
}

/* kernel/cgroup/misc.c:misc_cg_max_show() */
static int show_slice_max(struct host *host, FILE *text)
{
	if (host->slice_max == HOST_NO_MAX)
		fputs("tdx max\n", text);
	else
		fprintf(text, "tdx %" PRIu64 "\n", host->slice_max);
	return 0;
}

/* misc_cg_max_write(): a limit below what is there already is taken, too. */
static int store_slice_max(struct host *host, const char *text)
{
	char limit[16];
	u64 max;

	if (sscanf(text, "tdx %15s", limit) != 1)
		return -EINVAL;
	if (strcmp(limit, "max") == 0)
		max = HOST_NO_MAX;
	else if (tdx_model_parse_number(limit, UINT32_MAX, &max))
		return -EINVAL;
	host->slice_max = max;
	return 0;
}

static const struct file files[] = {
	{ "proc/cpuinfo", 0444, .show = cpu_show_info },
	{ "proc/sys/kernel/random/boot_id", 0444, .show = show_boot_id },
	{ "sys/class/firmware/tdx_module", 0777, .is_there = can_update,
	  .target = "../../devices/faux/tdx_host/firmware/tdx_module" },
	{ HOST_DIR "features0", 0444, .is_there = has_features, .show = show_features0 },
	{ UPLOAD_DIR "cancel", 0200, .is_there = can_update, .store = store_cancel },
	{ UPLOAD_DIR "data", 0644, .is_there = can_update, .read = read_data,
	  .write = write_data, .needs_rawio = true },
	{ UPLOAD_DIR "error", 0444, .is_there = can_update, .show = show_error },
	{ UPLOAD_DIR "loading", 0644, .is_there = can_update, .show = show_loading,
	  .store = store_loading },
	{ UPLOAD_DIR "remaining_size", 0444, .is_there = can_update,
	  .show = show_remaining_size },
	{ UPLOAD_DIR "status", 0444, .is_there = can_update, .show = show_status },
	{ HOST_DIR "image", 0200, .is_there = has_trigger, .write = host_write_image,
	  .needs_rawio = true },
	{ HOST_DIR "last_status", 0444, .is_there = is_piece, .show = show_last_status },
	{ HOST_DIR "mrseam", 0444, .is_there = has_trigger, .show = show_mrseam },
	{ HOST_DIR "num_remaining_updates", 0400, .is_there = can_update,
	  .show = show_remaining },
	{ HOST_DIR "seamldr_version", 0400, .is_there = can_update,
	  .show = show_seamldr_version },
	{ HOST_DIR "tds_building", 0444, .is_there = is_piece, .show = show_building,
	  .event = building_event },
	{ HOST_DIR "tee_tcb_svn", 0444, .is_there = has_trigger,
	  .show = show_tee_tcb_svn },
	{ HOST_DIR "update", 0200, .is_there = has_trigger, .store = host_write_update },
	{ HOST_DIR "update_guard", 0444, .is_there = has_guard, .show = show_guard },
	{ HOST_DIR "version", 0444, .show = show_version },
	{ "sys/devices/system/cpu/offline", 0444, .show = cpu_show_offline },
	{ "sys/devices/system/cpu/online", 0444, .show = cpu_show_online },
	{ "sys/devices/system/cpu/possible", 0444, .show = cpu_show_possible },
	{ "sys/devices/system/cpu/present", 0444, .show = cpu_show_present },
	{ "sys/fs/cgroup/cgroup.controllers", 0444, .show = cpu_show_controllers },
	{ SLICE_DIR "misc.current", 0444, .show = show_misc_current },
	{ SLICE_DIR "misc.events", 0444, .show = show_slice_events,
	  .event = refused_event },
	{ SLICE_DIR "misc.max", 0644, .show = show_slice_max, .store = store_slice_max },
	{ "sys/fs/cgroup/misc.capacity", 0444, .is_there = has_root_cgroup,
	  .show = show_misc_capacity },
	{ "sys/fs/cgroup/misc.current", 0444, .is_there = has_cgroup,
	  .show = show_misc_current },
	{ "sys/fs/cgroup/misc.max", 0644, .is_there = has_own_cgroup,
	  .show = show_own_max },
};

static bool is_there(const struct host *host, const struct file *file)
{
	return !file->is_there || file->is_there(host);
}

static size_t count_files(void)
{
	return ARRAY_SIZE(files) + tracing_file_count;
}

static const struct file *file_at(size_t i)
{
	return i < ARRAY_SIZE(files) ? &files[i] : &tracing_files[i - ARRAY_SIZE(files)];
}

const struct file *files_find(const struct host *host, const char *path)
{
	for (size_t i = 0; i < count_files(); i++)
		if (strcmp(file_at(i)->path, path) == 0)
			return is_there(host, file_at(i)) ? file_at(i) : NULL;

	return NULL;
}

/* The rest of @file below directory @dir, NULL when it is elsewhere. */
static const char *below(const char *file, const char *dir)
{
	size_t length = strlen(dir);

	if (!length)
		return file;
	if (strncmp(file, dir, length) != 0 || file[length] != '/')
		return NULL;

	return file + length + 1;
}

bool files_is_dir(const struct host *host, const char *path)
{
	for (size_t i = 0; i < count_files(); i++)
		if (below(file_at(i)->path, path) && is_there(host, file_at(i)))
			return true;

	return false;
}

/* The next part of @file's path below @dir; false where it is elsewhere. */
static bool name_below(const struct file *file, const char *dir, char *ret, size_t size)
{
	const char *rest = below(file->path, dir);

	if (rest)
		snprintf(ret, size, "%.*s", (int)strcspn(rest, "/"), rest);
	return rest;
}

static bool is_listed(const struct host *host, const char *path, const char *name,
		      size_t before)
{
	char other[64];

	for (size_t i = 0; i < before; i++)
		if (is_there(host, file_at(i)) &&
		    name_below(file_at(i), path, other, sizeof(other)) &&
		    strcmp(other, name) == 0)
			return true;

	return false;
}

void files_list(const struct host *host, const char *path,
		void (*found)(void *userdata, const char *name), void *userdata)
{
	char name[64];

	for (size_t i = 0; i < count_files(); i++)
		if (is_there(host, file_at(i)) &&
		    name_below(file_at(i), path, name, sizeof(name)) &&
		    !is_listed(host, path, name, i))
			found(userdata, name);
}

int files_show(struct host *host, const struct file *file, char **ret, size_t *ret_bytes)
{
	char *text = NULL;
	size_t bytes;
	FILE *stream;
	int error;

	host_advance(host);
	if (!file->show)
		return -EIO;
	stream = open_memstream(&text, &bytes);
	if (!stream)
		return -ENOMEM;
	error = file->show(host, stream);
	if (fclose(stream))
		error = -ENOMEM;
	if (error) {
		free(text);
		return error;
	}

	*ret = text;
	*ret_bytes = bytes;
	return 0;
}

ssize_t files_write(struct host *host, const struct file *file, const char *bytes,
		    size_t count, size_t offset)
{
	char text[PAGE_BYTES + 1];
	int error;

	if (count > PAGE_BYTES)
		count = PAGE_BYTES;
	host_advance(host);
	if (file->write)
		return file->write(host, bytes, count, offset);
	if (!file->store)
		return -EIO;

	memcpy(text, bytes, count);
	text[count] = '\0';
	error = file->store(host, text);

	return error ? error : (ssize_t)count;
}
