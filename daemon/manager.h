/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MANAGER_H
#define MANAGER_H

#include <systemd/sd-event.h>

#include "config.h"
#include "duration.h"
#include "fdstore.h"
#include "holds.h"
#include "host-files.h"
#include "inhibitor-desk.h"
#include "job.h"
#include "last-update.h"
#include "lease-desk.h"
#include "lock.h"
#include "manager-lacks.h"
#include "manager-mounts.h"
#include "sources.h"
#include "tdxupd.h"

/*
 * Whom the manager tells: the bus, or tdxupdctl when it works without a daemon. Any may
 * be NULL.
 * @build_suspect: this TD was being built while an update went through
 * @prepare: an update is ready and may be committed at any moment, or that is over
 */
struct manager_listener {
	void (*changed)(
		void *userdata); /* something of the manager's own that is shown */
	void (*gate_changed)(void *userdata, enum gate_decision decision);
	void (*build_suspect)(void *userdata, const char *source,
			      const struct gate_blocker *build,
			      enum tdxupd_build_harm harm,
			      enum tdxupd_strict_compat strict_compat);
	void (*module_changed)(void *userdata, const struct tdxupd_version *from,
			       const struct tdxupd_version *to, const char *cause);
	void (*prepare)(void *userdata, bool is_preparing);
	void (*job_new)(void *userdata, struct job *job);
	void (*job_changed)(void *userdata, struct job *job);
	void (*job_removed)(void *userdata, struct job *job);
	void *userdata;
};

/* Files by which an update is started. */
#define MANAGER_WRITES 2

/*
 * One host, its configuration, gate and jobs: everything but the bus.
 * @host: the latest snapshot; never NULL
 * @reader, @readings: what workers read for the manager; @watch_fd: the inotify instance
 *	on the images
 * @mounts: what is mounted over, above and below what is read
 * @verdict: the gate's for Guard= of the configuration
 * @history: NULL where it could not be opened
 * @next: what an update without a target would lead to, where there is such
 * @next_signer: of the image that leads there
 * @may_apply: the plan to come may start a job, with AutoUpdate=apply
 * @will_apply: the same of the one that is being made
 * @last: the last update that ended, whoever was the daemon then
 * @missed_cause: why the module is another one than @missed_from, which the daemon before
 *	this one saw last: "external" or "boot", NULL once it was told
 * @is_unsettled: a job was cut off or given up, and since then nobody has asked for
 *	another; to where it was to lead is @unsettled_to. Neither a start of the daemon
 *	nor anybody's question begins it again
 * @is_awaiting: the kernel is at work on an update of the daemon before this one, until
 *	@await_usec at the most; nothing is known of the host yet
 * @is_shut: launches are held
 * @is_marked: the lock says that a commit is being made
 * @waker: the waiting job is told of what was read to be shown, last at @woken_usec
 * @shown_usec: when the sources were last read to be shown
 * @handover_fd: jobs of the daemon before this one, as they came back, until they are
 *	looked at; -1: none
 * @jobs: by id; those that ended stay for a while
 */
struct manager {
	sd_event *event;
	char *root;
	int root_fd;
	struct lock lock;
	struct config *config;
	struct host_files files;
	struct tdxupd_host *host;
	struct reader *reader;
	struct reading *readings;
	int watch_fd;
	struct mounts mounts;
	struct sources sources;
	struct lease_desk *desk;
	struct watch *kvm;
	struct inhibitor_desk *inhibitors;
	struct gate_verdict verdict;
	struct history *history;
	struct holds holds;
	bool has_next;
	struct tdxupd_version next;
	struct tdxupd_digest next_signer;
	bool may_apply;
	bool will_apply;
	struct tdxupd_version missed_from;
	const char *missed_cause;
	bool is_unsettled;
	bool has_unsettled_to;
	struct tdxupd_version unsettled_to;
	struct job_context context;
	int handover_fd;
	uint32_t last_id;
	struct last_update last;
	size_t job_count;
	struct job **jobs;
	sd_event_source *starter;
	sd_event_source *reaper;
	sd_event_source *planner;
	sd_event_source *images;
	sd_event_source *settler;
	sd_event_source *expiry;
	sd_event_source *writes[MANAGER_WRITES];
	sd_event_source *looker;
	uint64_t look_usec;
	bool is_awaiting;
	uint64_t await_usec;
	sd_event_source *awaiter;
	bool is_shut;
	bool is_marked;
	sd_event_source *waker;
	uint64_t woken_usec;
	uint64_t shown_usec;
	struct manager_device *device;
	char *lacks[_LACK_MAX];
	struct manager_listener listener;
};

/* An update takes seconds at most; systemd gives a start 90. */
#define MANAGER_AWAIT_USEC (30 * USEC_PER_SEC)

/*
 * Look at the host below @root and get ready. Takes the host's lock: there is one manager
 * a host. @await_usec: how long the end of an update is waited for that the kernel is at
 * work on, by the event loop: see is_awaiting. Return: 0; -EWOULDBLOCK another one is
 * there; -EBADMSG the configuration, with @ret_why; another errno, @ret_why may be set;
 * free() it.
 */
int manager_new(sd_event *event, const char *root, uint64_t await_usec,
		struct manager **ret, char **ret_why);
/* The same with what systemd has kept since the daemon before this one. */
int manager_new_with(sd_event *event, const char *root, uint64_t await_usec,
		     struct fdstore *store, struct manager **ret, char **ret_why);
struct manager *manager_free(struct manager *manager);
DEFINE_CLEANUP(struct manager, manager, manager_free)

/* Take a new snapshot of the host, arm what was not armed. @cause: what a change of the
 * module is put down to, "external" or "job". Does nothing but return 0 during a
 * commit. */
int manager_refresh(struct manager *manager, const char *cause);
/* The same with a snapshot that somebody has just taken; takes it over. */
void manager_take_host(struct manager *manager, struct tdxupd_host *host,
		       const char *cause);
/* Read the configuration again. On error the old one stays, and so do running jobs'. */
int manager_reload(struct manager *manager, char **ret_why);
/* Look at the images again, from the event loop. @may_apply: something is new, so that
 * AutoUpdate=apply may start a job */
int manager_replan_later(struct manager *manager, bool may_apply);
/* The plan for a request on the host as it is now. Return: as tdxupd_plan_new(), and
 * errors of looking at the host. */
int manager_plan(struct manager *manager, const struct job_request *request,
		 const struct tdxupd_catalog *catalog, struct tdxupd_plan **ret);
/* The host goes down or to sleep: take back what can be taken back. */
void manager_let_go(struct manager *manager);
/* Leave the event loop, but not between a commit and its verdict. */
void manager_stop(struct manager *manager);
/* The same where it may be a restart: jobs that are not committed are handed over to the
 * next daemon, as far as systemd keeps them. */
void manager_suspend(struct manager *manager);
bool manager_is_critical(const struct manager *manager);

#endif
