/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SIMHOST_HOST_H
#define SIMHOST_HOST_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "tdx-model-internal.h"
#include "tracing.h"
#include "upload.h"

/* Which kernel this host runs; that decides which files there are. */
enum host_kernel {
	HOST_MAINLINE, /* 7.3 as it is */
	HOST_PATCHED,  /* with the series of kernel/patches */
	HOST_PIECE,    /* with tdx-host.ko of kernel/ */
	_HOST_KERNEL_MAX,
};

/* What of the misc cgroup is at /sys/fs/cgroup. */
enum host_cgroup {
	HOST_CGROUP_ROOT, /* the machine's */
	HOST_CGROUP_OWN,  /* that of a cgroup namespace, in which no TD is */
	HOST_CGROUP_NONE,
	_HOST_CGROUP_MAX,
	_HOST_CGROUP_INVALID = -22,
};

/*
 * struct host - the simulated machine and its kernel's files, without a file system
 *
 * With a clock of its own (@now) this is all that a bench on simulated time needs: make
 * TDs with tdx_model_command(), go from tdx_model_next_nsec() to the next with
 * host_advance(), read files with files_show(), update with host_write_update() or
 * upload_write_*() and host_upload_run().
 *
 * @lock: around everything here; the model knows no locks
 * @changed: anything may have changed
 * @hidden_lps: the last LPs are ones that firmware enabled and the kernel never saw
 * @empty_lps: slots of firmware's table without a CPU: possible, and never present
 * @slice_max: how many TDs machine.slice may have, in which all of them are; HOST_NO_MAX
 * @is_giving_back: KVM gives back the charge that a limit refused, as 7.3's does
 *	(tdx.c:__tdx_td_init() goes through free_hkid)
 * @refused, @refused_event: charges that the limit refused, in `misc.events`, whose
 *	notifications count from 1
 * @given_back: of these, by how many `misc.current` is too low
 * @staged, @staged_bytes: the `image` file
 * @is_updating: someone replaces the module, through `update` or through fw_upload
 * @building_event: counts notifications of `tds_building`, from 1 as kernfs does
 * @open_nsec: when the last TD build ended
 * @commit_nsec: when `update` was last written to
 * @wake_pollers: called with the lock held after a notification
 * @now: simulated time for tests without threads; NULL: CLOCK_MONOTONIC
 * @phase_nsec: how long the worker stays in each phase
 * @held_phase: the worker does not leave this one, _UPLOAD_PROGRESS_MAX for none
 * @tracing: tracefs, and what is traced
 * @reader_pid, @reader_file: who reads a file at this moment, and as which open file
 * @delays: files that take their time, or for ever
 */
struct host {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct tdx_model *model;
	enum host_kernel kernel;
	unsigned hidden_lps;
	unsigned empty_lps;
	char boot_id[37];
	struct upload upload;
	uint64_t slice_max;
	bool is_giving_back;
	unsigned refused;
	unsigned refused_event;
	unsigned given_back;
	uint8_t *staged;
	size_t staged_bytes;
	bool is_updating;
	unsigned building_event;
	uint64_t open_nsec;
	uint64_t commit_nsec;
	void (*wake_pollers)(void *userdata);
	void *userdata;
	uint64_t (*now)(void *userdata);
	void *now_userdata;
	uint64_t phase_nsec[_UPLOAD_PROGRESS_MAX];
	enum upload_progress held_phase;
	enum host_cgroup cgroup;
	struct tracing tracing;
	pid_t reader_pid;
	uint64_t reader_file;
	struct host_delay *delays;
	bool is_stopping;
};

#define HOST_HANGS  UINT64_MAX
#define HOST_DENIES (UINT64_MAX - 1)
#define HOST_NO_MAX UINT64_MAX

struct host_delay {
	struct host_delay *next;
	char *file;
	uint64_t nsec;
};

int host_new(unsigned lp_count, struct host **ret);
struct host *host_free(struct host *host);

/*
 * All of the following want the lock held.
 */

/* Something changed: whoever waits looks again. */
void host_changed(struct host *host);
/* Bring the TD builds up to now. */
void host_advance(struct host *host);
/* TDs by the misc cgroup's count, which may have gone below zero: then it is huge. */
uint64_t host_charged(const struct host *host);
/* What a boot does to the kernel's side; the model has been booted already. */
void host_booted(struct host *host);
bool host_is_cpu_online(const struct host *host, unsigned cpu);
unsigned host_cpu_count(const struct host *host);

/*
 * Stay for as long as @phase takes on this host, without the lock: a phase of fw_upload,
 * or "transferring" for the time that `update` takes before it begins.
 */
void host_pause(struct host *host, enum upload_progress phase);

/* `image` and `update` (kernel/host-update.c): bytes taken, or -errno. */
ssize_t host_write_image(struct host *host, const void *bytes, size_t count,
			 size_t offset);
int host_write_update(struct host *host, const char *text);

/*
 * The worker of fw_upload. host_upload_write() is what the driver's write operation does:
 * the update itself, in the phase "transferring".
 */
void host_upload_write(struct host *host);
/* The whole way, without its pauses; for callers without threads. */
void host_upload_run(struct host *host);

const char *host_kernel_to_string(enum host_kernel kernel);
enum host_kernel host_kernel_from_string(const char *text);
enum host_cgroup host_cgroup_from_string(const char *text);

uint64_t host_now_nsec(void);
void host_sleep(uint64_t nsec);

#endif
