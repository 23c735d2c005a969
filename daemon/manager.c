// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * One host: its snapshot, configuration, images and gate. Its jobs are in manager-jobs.c,
 * and whoever shows all this to the world is a listener.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>

#include "journal.h"
#include "lock.h"
#include "manager-device.h"
#include "manager-gate.h"
#include "manager-handover.h"
#include "manager-history.h"
#include "manager-jobs.h"
#include "manager-images.h"
#include "manager-policy.h"
#include "manager-read.h"
#include "manager-recovery.h"
#include "manager-writes.h"
#include "manager.h"
#include "reader.h"
#include "text.h"

/* Half a second in all. */
#define LOCK_PAUSE_NSEC 10000000
#define LOCK_TRIES      50

DEFINE_CLEANUP(struct tdxupd_host, host, tdxupd_host_free)

static int fail(int error, char **ret_why, const char *what)
{
	*ret_why = text_new("%s: %s", what, strerror(-error));
	return error;
}

bool manager_is_critical(const struct manager *manager)
{
	const struct job *job = manager_get_current(manager);

	return job && job_state_is_critical(job->state);
}

/* ---- the host ---- */

static void compare(struct manager *manager, const struct tdxupd_host *old,
		    const char *cause)
{
	const struct tdxupd_host *new = manager->host;
	char from[TDXUPD_VERSION_TEXT_BYTES], to[TDXUPD_VERSION_TEXT_BYTES];
	bool is_ours;

	if (old->state != TDXUPD_TDX_LIVE || new->state != TDXUPD_TDX_LIVE ||
	    tdxupd_version_compare(&old->module_version, &new->module_version) == 0)
		return;
	tdxupd_version_format(&old->module_version, from);
	tdxupd_version_format(&new->module_version, to);
	is_ours = strcmp(cause, "external") != 0;
	journal_say_module(LOG_NOTICE, is_ours ? NULL : MESSAGE_MODULE_CHANGED, from, to,
			   "TDX module %s is now %s (%s)", from, to, cause);
	if (!is_ours)
		manager_record(manager, "external", from, NULL);
	if (manager->listener.module_changed)
		manager->listener.module_changed(manager->listener.userdata,
						 &old->module_version,
						 &new->module_version, cause);
}

void manager_take_host(struct manager *manager, struct tdxupd_host *host,
		       const char *cause)
{
	_cleanup_(cleanup_host)
	struct tdxupd_host *old = manager->host;

	manager->host = host;
	if (host->state == TDXUPD_TDX_LIVE)
		manager->context.is_loss_told = false;
	sources_arm(&manager->sources, manager->event);
	manager_watch_writes(manager);
	manager_look_for_lacks(manager);
	if (old)
		compare(manager, old, cause);
	manager_gate_changed(manager);
}

int manager_refresh(struct manager *manager, const char *cause)
{
	struct tdxupd_host *host;
	int r;

	/* The files would answer only after the update, or with what is half true. */
	if (manager_is_critical(manager) || manager->is_awaiting)
		return 0;
	r = host_read(&manager->files, &host);
	if (r == 0)
		manager_take_host(manager, host, cause);
	return r;
}

/* ---- configuration, images, plans ---- */

/* Once there is somebody to tell. */
static void tell_missed(struct manager *manager)
{
	const struct manager_listener *listener = &manager->listener;

	if (manager->missed_cause && listener->module_changed)
		listener->module_changed(listener->userdata, &manager->missed_from,
					 &manager->host->module_version,
					 manager->missed_cause);
	manager->missed_cause = NULL;
}

static int on_replan(sd_event_source *source, void *userdata)
{
	struct manager *manager = userdata;
	bool may_apply = manager->may_apply;

	(void)source;
	manager->may_apply = false;
	tell_missed(manager);
	manager_replan(manager, may_apply);
	return 0;
}

/* Reading all images takes a while: after whoever asked has an answer. */
int manager_replan_later(struct manager *manager, bool may_apply)
{
	int r;

	manager->may_apply |= may_apply;
	/* It is called again then. */
	if (manager->is_awaiting)
		return 0;
	if (manager->planner)
		return sd_event_source_set_enabled(manager->planner, SD_EVENT_ONESHOT);
	r = sd_event_add_defer(manager->event, &manager->planner, on_replan, manager);
	return r < 0 ? r
		     : sd_event_source_set_priority(manager->planner,
						    SD_EVENT_PRIORITY_IDLE);
}

int manager_reload(struct manager *manager, char **ret_why)
{
	struct config *config;
	_cleanup_(cleanup_free)
	char *late = NULL;
	int r;

	r = manager_load_config(manager, &config, ret_why);
	if (r < 0)
		return r;
	/* One that says the same as before begins nothing again. */
	if (!config_is_same(config, manager->config))
		manager->is_unsettled = false;
	config_unref(manager->config);
	manager->config = config;
	late = manager_describe_late(manager);
	if (late)
		journal_say(LOG_NOTICE, NULL, "the new configuration is %s", late);
	manager_ask_jobs(manager);
	if (manager->history)
		history_set_limits(manager->history, &config->history_limits);
	manager_gate_configure(manager);
	manager_gate_changed(manager);
	return manager_replan_later(manager, !manager->is_unsettled);
}

int manager_plan(struct manager *manager, const struct job_request *request,
		 const struct tdxupd_catalog *catalog, struct tdxupd_plan **ret)
{
	struct tdxupd_policy policy = job_request_policy(request, manager->config);
	int r = manager_refresh(manager, "external");

	if (r < 0)
		return r;
	return tdxupd_plan_new(manager->host, catalog, &policy,
			       request->has_target ? &request->target : NULL, ret);
}

/* ---- the object ---- */

struct manager *manager_free(struct manager *manager)
{
	if (!manager)
		return NULL;
	manager_jobs_done(manager);
	manager_images_done(manager);
	manager_mounts_done(manager);
	manager_policy_done(manager);
	manager_writes_done(manager);
	manager_device_done(manager);
	sd_event_source_disable_unref(manager->awaiter);
	sd_event_source_disable_unref(manager->planner);
	manager_gate_done(manager);
	manager_read_done(manager);
	tdxupd_host_free(manager->host);
	history_free(manager->history);
	config_unref(manager->config);
	host_files_done(&manager->files);
	lock_release(&manager->lock);
	manager_lacks_done(manager);
	if (manager->handover_fd >= 0)
		close(manager->handover_fd);
	if (manager->root_fd >= 0)
		close(manager->root_fd);
	free(manager->root);
	sd_event_unref(manager->event);
	free(manager);
	return NULL;
}

/* A worker of a daemon that was killed has a copy of its lock until it has noticed. */
static int take_lock(struct manager *manager)
{
	const struct timespec pause = { .tv_nsec = LOCK_PAUSE_NSEC };
	int r = lock_take(manager->root_fd, &manager->lock);

	for (unsigned i = 0; r == -EWOULDBLOCK && i < LOCK_TRIES; i++) {
		nanosleep(&pause, NULL);
		r = lock_take(manager->root_fd, &manager->lock);
	}
	return r;
}

static int open_host(struct manager *manager, const char *root, char **ret_why)
{
	int r;

	manager->root = strdup(root);
	if (!manager->root)
		return -ENOMEM;
	manager->root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (manager->root_fd < 0)
		return fail(-errno, ret_why, root);
	host_files_init(&manager->files, manager->root_fd);
	r = take_lock(manager);
	if (r < 0 && lock_explain(r)) {
		*ret_why = strdup(lock_explain(r));
		return r;
	}
	if (r < 0)
		return fail(r, ret_why, LOCK_PATH);
	r = manager_load_holds(manager);
	return r < 0 ? r : manager_load_config(manager, &manager->config, ret_why);
}

int manager_new(sd_event *event, const char *root, uint64_t await_usec,
		struct manager **ret, char **ret_why)
{
	struct fdstore none = { 0 };

	return manager_new_with(event, root, await_usec, &none, ret, ret_why);
}

int manager_new_with(sd_event *event, const char *root, uint64_t await_usec,
		     struct fdstore *store, struct manager **ret, char **ret_why)
{
	_cleanup_(cleanup_manager)
	struct manager *manager = calloc(1, sizeof(*manager));
	int r;

	if (!manager)
		return -ENOMEM;
	manager->event = sd_event_ref(event);
	manager->root_fd = manager->watch_fd = -1;
	manager_mounts_init(manager);
	manager->handover_fd = fdstore_get(store, HANDOVER_NAME);
	lock_init(&manager->lock);
	host_files_init(&manager->files, -1);
	r = open_host(manager, root, ret_why);
	if (r < 0)
		return r;
	manager_jobs_init(manager);
	r = reader_new(event, &manager->reader);
	if (r >= 0)
		r = manager_gate_init(manager);
	if (r < 0)
		return r;
	lease_desk_restore(manager->desk, store);
	inhibitor_desk_restore(manager->inhibitors, store);
	manager_watch_device(manager);
	manager_mounts_watch(manager);
	r = manager_begin(manager, await_usec);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(manager);
	return 0;
}
