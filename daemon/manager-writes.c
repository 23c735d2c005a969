// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Somebody else who updates the module, or drops what we staged: `cat image >data`, a
 * script, a rule of udev. The kernel tells nobody, but whoever did it has written to a
 * file of sysfs, and that inotify(7) tells. What has changed is the job's to find out or,
 * where there is none, manager_refresh()'s.
 */
#include <errno.h>
#include <string.h>
#include <sys/inotify.h>

#include "duration.h"
#include "job-run.h"
#include "manager-jobs.h"
#include "manager-recovery.h"
#include "manager-writes.h"
#include "text.h"

/* While the kernel is at work; then longer and longer, should it never end. */
#define LOOK_MIN_USEC (USEC_PER_SEC / 10)
#define LOOK_MAX_USEC (60 * USEC_PER_SEC)

/* What starts an update, by either way; LOADING drops it, too. */
enum {
	LOADING,
	UPDATE
};
static const char *const files[MANAGER_WRITES] = {
	[LOADING] = "sys/class/firmware/tdx_module/loading",
	[UPDATE] = "sys/devices/faux/tdx_host/update",
};

static int look_later(struct manager *manager, uint64_t usec);

/* The kernel is at work, and not for a job of ours. */
static bool is_others(const struct manager *manager)
{
	return !manager_is_critical(manager) && manager_is_kernel_updating(manager);
}

void manager_attend_kernel(struct manager *manager)
{
	/* Nothing but its end tells of its end. */
	lease_desk_hold(manager->desk, is_others(manager));
	if (is_others(manager))
		(void)look_later(manager, LOOK_MIN_USEC);
}

static int on_look(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct manager *manager = userdata;
	uint64_t next = manager->look_usec * 2;

	(void)source;
	(void)usec;
	if (is_others(manager))
		return look_later(manager, next < LOOK_MAX_USEC ? next : LOOK_MAX_USEC);
	lease_desk_hold(manager->desk, false);
	/* A job's own, or the job's to judge. */
	if (!manager_get_current(manager))
		(void)manager_refresh(manager, "external");
	return 0;
}

static int look_later(struct manager *manager, uint64_t usec)
{
	manager->looker = sd_event_source_disable_unref(manager->looker);
	manager->look_usec = usec;
	return sd_event_add_time_relative(manager->event, &manager->looker,
					  CLOCK_MONOTONIC, usec, 0, on_look, manager);
}

static int on_write(sd_event_source *source, const struct inotify_event *event,
		    void *userdata)
{
	struct manager *manager = userdata;
	struct job *job = manager_get_current(manager);

	/* The device is gone; the next snapshot looks for it again. */
	if (event->mask & IN_IGNORED)
		for (size_t i = 0; i < MANAGER_WRITES; i++)
			if (manager->writes[i] == source)
				manager->writes[i] =
					sd_event_source_disable_unref(source);
	manager->context.sees_writes = manager->writes[LOADING];
	manager_attend_kernel(manager);
	if (!job)
		return look_later(manager, LOOK_MIN_USEC);
	job_on_write(job);
	return 0;
}

/*
 * `update` is there to be written only (0200), and inotify wants to read what it watches:
 * the service, which is root without CAP_DAC_OVERRIDE, may not. Its driver sends an event
 * after each update (kernel/host-update.c), so nothing is lacking.
 */
static bool is_told_otherwise(const struct manager *manager, size_t file, int error)
{
	return file == UPDATE && error == -EACCES && manager->device;
}

static char *describe_lack(int error)
{
	bool is_limit = error == -EMFILE || error == -ENOSPC;

	return text_new("others that write to the kernel's upload files are not seen "
			"(%s), so that an update by hand is noticed late%s",
			strerror(-error),
			is_limit ? "; raise fs.inotify.max_user_instances and "
				   "max_user_watches"
				 : "");
}

void manager_watch_writes(struct manager *manager)
{
	const char *root = strcmp(manager->root, "/") ? manager->root : "";
	const bool is_there[MANAGER_WRITES] = {
		[LOADING] = manager->host->has_fw_upload,
		[UPDATE] = manager->host->has_trigger,
	};
	int error = 0;

	for (size_t i = 0; i < MANAGER_WRITES; i++) {
		_cleanup_(cleanup_free)
		char *path = NULL;
		int r = 0;

		if (is_there[i] && !manager->writes[i])
			path = text_new("%s/%s", root, files[i]);
		if (path)
			r = sd_event_add_inotify(manager->event, &manager->writes[i],
						 path, IN_MODIFY, on_write, manager);
		if (r < 0 && !is_told_otherwise(manager, i, r))
			error = r;
	}
	manager_set_lack(manager, LACK_WRITES, error ? describe_lack(error) : NULL);
	manager->context.sees_writes = manager->writes[LOADING];
}

void manager_writes_done(struct manager *manager)
{
	for (size_t i = 0; i < MANAGER_WRITES; i++)
		sd_event_source_disable_unref(manager->writes[i]);
	sd_event_source_disable_unref(manager->looker);
}
