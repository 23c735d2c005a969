// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The kernel side of the simulated host: what uploads, the trigger, a boot and time do to
 * the machine of kernel/tdx-model.h. files.c shows it, serve.c serves it, and tests may
 * use it without either.
 */
#include "host.h"

#include <stdlib.h>
#include <time.h>

#include "published.h"
#include "util.h"

#define NSEC_PER_SECOND UINT64_C(1000000000)

/* Whose TDs all of them are. */
#define VMM_TASK "qemu-system-x86"
#define VMM_PID  4242

static const char *const kernel_names[] = {
	[HOST_MAINLINE] = "mainline",
	[HOST_PATCHED] = "patched",
	[HOST_PIECE] = "piece",
};
STRING_TABLE_TO(host_kernel, enum host_kernel, kernel_names)
STRING_TABLE_FROM(host_kernel, enum host_kernel, kernel_names)

static const char *const cgroup_names[] = {
	[HOST_CGROUP_ROOT] = "root",
	[HOST_CGROUP_OWN] = "own",
	[HOST_CGROUP_NONE] = "none",
};
STRING_TABLE_FROM(host_cgroup, enum host_cgroup, cgroup_names)

uint64_t host_now_nsec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NSEC_PER_SECOND + (uint64_t)now.tv_nsec;
}

void host_sleep(uint64_t nsec)
{
	struct timespec pause = { .tv_sec = (time_t)(nsec / NSEC_PER_SECOND),
				  .tv_nsec = (long)(nsec % NSEC_PER_SECOND) };

	while (nsec && nanosleep(&pause, &pause) && errno == EINTR)
		;
}

void host_changed(struct host *host)
{
	pthread_cond_broadcast(&host->changed);
}

void host_advance(struct host *host)
{
	tdx_model_advance(host->model,
			  host->now ? host->now(host->now_userdata) : host_now_nsec());
	host_changed(host);
}

static void on_building_changed(void *userdata)
{
	struct host *host = userdata;

	host->building_event++;
	if (host->model && tdx_model_building(host->model) == 0)
		host->open_nsec = host_now_nsec();
	if (host->wake_pollers)
		host->wake_pollers(host->userdata);
	host_changed(host);
}

/* The VMM's thread calls; whatever is traced sees it come and go. */
static u64 on_td_call(void *userdata, enum tdx_model_td_call call,
		      struct tdx_model_td *td)
{
	static const enum tracing_function functions[] = {
		[TDX_MODEL_MNG_INIT] = TRACING_INIT,
		[TDX_MODEL_MR_FINALIZE] = TRACING_FINALIZE,
		[TDX_MODEL_MNG_VPFLUSHDONE] = TRACING_VPFLUSHDONE,
		[TDX_MODEL_MNG_KEY_FREEID] = TRACING_FREEID,
	};
	struct host *host = userdata;
	uint64_t pointer = (uint64_t)(uintptr_t)td;
	u64 status;

	if (call == TDX_MODEL_MNG_CREATE)
		return tdx_model_td_call(host->model, call, td);
	tracing_enter(&host->tracing, functions[call], VMM_TASK, VMM_PID, pointer,
		      host_now_nsec());
	status = tdx_model_td_call(host->model, call, td);
	tracing_return(&host->tracing, functions[call], VMM_TASK, VMM_PID, pointer,
		       status, host_now_nsec());
	if (host->tracing.is_there && host->wake_pollers)
		host->wake_pollers(host->userdata);
	return status;
}

static void make_boot_id(char *ret)
{
	uint8_t id[16];

	tdx_port_random(id, sizeof(id));
	id[6] = (id[6] & 0x0F) | 0x40;
	id[8] = (id[8] & 0x3F) | 0x80;
	snprintf(ret, 37,
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 id[0], id[1], id[2], id[3], id[4], id[5], id[6], id[7], id[8], id[9],
		 id[10], id[11], id[12], id[13], id[14], id[15]);
}

void host_booted(struct host *host)
{
	make_boot_id(host->boot_id);
	host->refused = host->given_back = 0;
	host->refused_event++;
	upload_reset(&host->upload);
	free(host->staged);
	host->staged = NULL;
	host->staged_bytes = 0;
	on_building_changed(host);
}

int host_new(unsigned lp_count, struct host **ret)
{
	static const struct tdx_model_hooks hooks = {
		.td_call = on_td_call,
		.building_changed = on_building_changed,
	};
	struct host *host = calloc(1, sizeof(*host));
	pthread_condattr_t monotonic;
	int error;

	if (!host)
		return -ENOMEM;
	error = tdx_model_new(lp_count, &hooks, host, &host->model);
	if (!error)
		error = published_tell(host->model);
	if (error) {
		tdx_model_free(host->model);
		free(host);
		return error;
	}

	pthread_mutex_init(&host->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&host->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	host->kernel = HOST_PIECE;
	tracing_init(&host->tracing);
	host->slice_max = HOST_NO_MAX;
	host->held_phase = _UPLOAD_PROGRESS_MAX;
	host_booted(host);
	host->building_event = 1;
	host->refused_event = 1;

	*ret = host;
	return 0;
}

struct host *host_free(struct host *host)
{
	if (!host)
		return NULL;

	while (host->delays) {
		struct host_delay *delay = host->delays;

		host->delays = delay->next;
		free(delay->file);
		free(delay);
	}
	upload_reset(&host->upload);
	free(host->staged);
	tdx_model_free(host->model);
	pthread_cond_destroy(&host->changed);
	pthread_mutex_destroy(&host->lock);
	free(host);

	return NULL;
}

static void wait_until(struct host *host, uint64_t nsec)
{
	struct timespec until = { .tv_sec = (time_t)(nsec / NSEC_PER_SECOND),
				  .tv_nsec = (long)(nsec % NSEC_PER_SECOND) };

	pthread_cond_timedwait(&host->changed, &host->lock, &until);
}

void host_pause(struct host *host, enum upload_progress phase)
{
	uint64_t end;

	if (host->phase_nsec[phase]) {
		end = host_now_nsec() + host->phase_nsec[phase];
		while (!host->is_stopping && host_now_nsec() < end)
			wait_until(host, end);
	}
	while (!host->is_stopping && host->held_phase == phase)
		pthread_cond_wait(&host->changed, &host->lock);
}

uint64_t host_charged(const struct host *host)
{
	return (uint64_t)tdx_model_td_count(host->model) - host->given_back;
}

unsigned host_cpu_count(const struct host *host)
{
	unsigned lps = tdx_model_lp_count(host->model);

	return lps > host->hidden_lps ? lps - host->hidden_lps : 1;
}

bool host_is_cpu_online(const struct host *host, unsigned cpu)
{
	return cpu < host_cpu_count(host) && tdx_model_lp_is_online(host->model, cpu);
}

/* What this kernel looks at once it has the image and before it shuts the module down. */
static int check_before_shutdown(struct host *host)
{
	unsigned cpu;

	if (host->kernel == HOST_PIECE)
		return tdx_model_check(host->model);
	if (host->kernel == HOST_MAINLINE)
		return 0;

	for (cpu = 0; cpu < host_cpu_count(host); cpu++)
		if (!host_is_cpu_online(host, cpu))
			return -EAGAIN;

	return 0;
}

/*
 * stop_machine(): nobody gets the lock meanwhile. An LP that firmware enabled and the
 * kernel never saw makes no calls, just as one that is offline.
 */
static int run_steps(struct host *host, const struct tdx_model_image *image)
{
	unsigned cpus = host_cpu_count(host), cpu, online = 0;
	int error = 0, failed;

	for (cpu = 0; cpu < cpus; cpu++)
		online += host_is_cpu_online(host, cpu);
	for (int step = 0; !error && step < _TDX_MODEL_STEP_MAX; step++) {
		for (cpu = 0; cpu < cpus; cpu++) {
			failed = tdx_model_update_step(host->model, image,
						       (enum tdx_model_step)step, cpu);
			error = failed ? failed : error;
		}
		if (step == TDX_MODEL_STEP_CPU_INSTALL)
			host_sleep(tdx_model_install_nsec(host->model) * online);
	}

	return error;
}

static int replace_module(struct host *host, const uint8_t *bytes, size_t count)
{
	struct tdx_model_image *image;
	int error;

	host_advance(host);
	error = tdx_model_image_new(host->model, bytes, count, &image);
	if (error)
		return error;

	error = check_before_shutdown(host);
	if (!error)
		error = run_steps(host, image);
	tdx_model_image_free(image);
	host_advance(host);

	return error;
}

ssize_t host_write_image(struct host *host, const void *bytes, size_t count,
			 size_t offset)
{
	if (host->is_updating)
		return -EBUSY;
	if (offset >= TDX_MODEL_IMAGE_BYTES_MAX)
		return -EFBIG;
	if (count > TDX_MODEL_IMAGE_BYTES_MAX - offset)
		count = TDX_MODEL_IMAGE_BYTES_MAX - offset;

	if (!offset) {
		if (!host->staged)
			host->staged = malloc(TDX_MODEL_IMAGE_BYTES_MAX);
		host->staged_bytes = 0;
	}
	if (!host->staged)
		return offset ? -EINVAL : -ENOMEM;
	if (offset != host->staged_bytes)
		return -EINVAL;

	memcpy(host->staged + offset, bytes, count);
	host->staged_bytes += count;
	return (ssize_t)count;
}

static int update_from_image(struct host *host)
{
	struct tdx_model_version version;
	int error;

	if (!host->staged_bytes)
		return -EINVAL;

	host_advance(host);
	error = tdx_model_check(host->model);
	if (!error)
		error = replace_module(host, host->staged, host->staged_bytes);
	if (error && tdx_model_version(host->model, &version) == -ENXIO)
		error = -ENXIO;
	/* The same image may do in a moment, and the next attempt must find it ready. */
	if (error != -EBUSY && error != -ENOMEM) {
		free(host->staged);
		host->staged = NULL;
		host->staged_bytes = 0;
	}

	return error;
}

/* kernel/host-update.c: update_store() */
int host_write_update(struct host *host, const char *text)
{
	int error;

	if (strcmp(text, "1") != 0 && strcmp(text, "1\n") != 0)
		return -EINVAL;
	if (host->is_updating)
		return -EALREADY;

	host->commit_nsec = host_now_nsec();
	host->is_updating = true;
	host_pause(host, UPLOAD_TRANSFERRING);
	error = update_from_image(host);
	host->is_updating = false;
	host_changed(host);

	return error;
}

/* upload_write() of kernel/host-update.c, and tdx_fw_write() of the patched tdx-host.c */
static enum upload_error to_upload_error(int error)
{
	if (!error)
		return UPLOAD_ERROR_NONE;

	return error == -EBUSY ? UPLOAD_ERROR_BUSY : UPLOAD_ERROR_FW_INVALID;
}

void host_upload_write(struct host *host)
{
	struct upload *upload = &host->upload;
	enum upload_error error;

	if (host->is_updating) {
		upload_set_error(upload, UPLOAD_ERROR_BUSY);
		return;
	}

	host->is_updating = true;
	host_pause(host, UPLOAD_TRANSFERRING);
	error = to_upload_error(replace_module(host, upload->data, upload->size));
	host->is_updating = false;
	if (error)
		upload_set_error(upload, error);
	host_changed(host);
}

void host_upload_run(struct host *host)
{
	upload_set_progress(&host->upload, UPLOAD_TRANSFERRING);
	host_upload_write(host);
	upload_finish(&host->upload);
	host_changed(host);
}
