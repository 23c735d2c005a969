// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The manager's jobs: one at a time, first come first served, and a request with the aim
 * of a job that is there joins it. What a job does is job-run.c's business.
 */
#include <errno.h>
#include <string.h>

#include "clock.h"
#include "duration.h"
#include "fdstore.h"
#include "job-run.h"
#include "journal.h"
#include "lock.h"
#include "manager-history.h"
#include "manager-gate.h"
#include "manager-handover.h"
#include "manager-jobs.h"
#include "manager-policy.h"
#include "manager-read.h"
#include "manager-suspect.h"
#include "reader.h"
#include "state-dir.h"

/* Whoever asked has this long to fetch the outcome. */
#define KEEP_ENDED_USEC (120 * USEC_PER_SEC)

/* Anyone who may ask for updates may ask often; memory stays bounded. */
#define JOBS_MAX      64
#define JOBS_USER_MAX 48

struct job *manager_find_job(const struct manager *manager, uint32_t id)
{
	for (size_t i = 0; i < manager->job_count; i++)
		if (manager->jobs[i]->id == id)
			return manager->jobs[i];
	return NULL;
}

struct job *manager_get_current(const struct manager *manager)
{
	for (size_t i = 0; i < manager->job_count; i++)
		if (!job_state_is_end(manager->jobs[i]->state))
			return manager->jobs[i];
	return NULL;
}

const char *manager_get_last_result(const struct manager *manager)
{
	return last_update_get_result(&manager->last);
}

/* ---- starting ---- */

void manager_let_go(struct manager *manager)
{
	struct job *job;

	while ((job = manager_get_current(manager)))
		if (job_cancel(job) < 0)
			return;
}

/* What can't be taken back ends first and comes here again. */
static void stop_now(struct manager *manager)
{
	/* What is with systemd stays as it is; only what was staged is given back. */
	if (manager->context.is_handing_over && !manager_is_critical(manager) &&
	    manager_hand_over(manager) == 0) {
		sd_event_exit(manager->event, 0);
		return;
	}
	if (!manager_is_critical(manager))
		manager->context.is_handing_over = false;
	manager_let_go(manager);
	if (!manager_get_current(manager))
		sd_event_exit(manager->event, 0);
}

/* What has turned up since is armed before the job waits for it. */
static void start(struct manager *manager, struct job *job)
{
	(void)manager_refresh(manager, "external");
	job_start(job);
}

static int on_start(sd_event_source *source, void *userdata)
{
	struct manager *manager = userdata;
	struct job *job = manager_get_current(manager);

	(void)source;
	if (manager->context.is_stopping)
		stop_now(manager);
	else if (job && job->state == JOB_QUEUED)
		start(manager, job);
	return 0;
}

/* On the event loop: whoever asked gets the job's name before its first signal. */
static int start_next(struct manager *manager)
{
	if (!manager->starter)
		return sd_event_add_defer(manager->event, &manager->starter, on_start,
					  manager);
	return sd_event_source_set_enabled(manager->starter, SD_EVENT_ONESHOT);
}

/* ---- keeping and forgetting ---- */

static void remove_at(struct manager *manager, size_t i)
{
	struct job *job = manager->jobs[i];

	manager->job_count--;
	for (; i < manager->job_count; i++)
		manager->jobs[i] = manager->jobs[i + 1];
	job_free(job);
}

static int on_reap(sd_event_source *source, uint64_t usec, void *userdata);

/* Wakes once more for each job that ended, and not at all afterwards. */
static void reap_later(struct manager *manager)
{
	uint64_t first = USEC_INFINITY;

	for (size_t i = 0; i < manager->job_count; i++)
		if (job_state_is_end(manager->jobs[i]->state) &&
		    manager->jobs[i]->state_since_usec < first)
			first = manager->jobs[i]->state_since_usec;
	manager->reaper = sd_event_source_disable_unref(manager->reaper);
	if (first != USEC_INFINITY)
		(void)sd_event_add_time(manager->event, &manager->reaper, CLOCK_MONOTONIC,
					first + KEEP_ENDED_USEC, USEC_PER_SEC, on_reap,
					manager);
}

static int on_reap(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct manager *manager = userdata;
	uint64_t now = clock_usec(CLOCK_MONOTONIC);

	(void)source;
	(void)usec;
	for (size_t i = manager->job_count; i-- > 0;)
		if (job_state_is_end(manager->jobs[i]->state) &&
		    now - manager->jobs[i]->state_since_usec >= KEEP_ENDED_USEC)
			remove_at(manager, i);
	reap_later(manager);
	return 0;
}

/* ---- what jobs ask and tell ---- */

static void on_catalog(void *userdata, int r, struct tdxupd_catalog **catalog,
		       const char *why)
{
	job_on_catalog(userdata, r, catalog, why);
}

static int on_read_catalog(void *userdata, struct job *job)
{
	struct manager *manager = userdata;
	int r = lock_keep(manager->root_fd, &manager->lock);

	return r < 0 ? r
		     : manager_read_catalog(manager, job->config, true, on_catalog, job);
}

static void on_image(void *userdata, int r, const uint8_t *bytes, size_t count)
{
	job_on_image(userdata, r, bytes, count);
}

static int on_read_image(void *userdata, struct job *job, const char *name)
{
	return manager_read_image(userdata, job->config, name, on_image, job);
}

static void on_stop_reading(void *userdata, struct job *job)
{
	manager_drop_reading(userdata, job);
}

static int on_record(void *userdata, const struct job *job, enum job_state after)
{
	struct manager *manager = userdata;

	/* No worker is in the way of a commit: takes a system call only where one reads.
	 */
	if (after == JOB_COMMITTING)
		reader_pause(manager->reader, true);
	return manager_record_job(manager, job, after);
}

static void on_job_changed(void *userdata, struct job *job)
{
	struct manager *manager = userdata;

	/* A hop is made: what its outcome was read from is what the host is now. */
	if (job->state == JOB_PLANNING && job->after)
		manager_take_host(manager, TAKE_PTR(job->after), "job");
	manager_gate_follow(manager, job);
	reader_pause(manager->reader, job_state_is_critical(job->state));
	if (manager->listener.job_changed)
		manager->listener.job_changed(manager->listener.userdata, job);
	if (manager->context.is_stopping)
		start_next(manager);
}

static bool on_shut(void *userdata)
{
	return manager_gate_shut(userdata);
}

static void on_reopen(void *userdata)
{
	manager_gate_reopen(userdata);
}

static void on_mark(void *userdata, bool is_committing)
{
	struct manager *manager = userdata;

	if (is_committing != manager->is_marked)
		lock_mark(&manager->lock, is_committing ? clock_usec(CLOCK_MONOTONIC) +
								  BARRIER_COMMIT_USEC
							: 0);
	manager->is_marked = is_committing;
}

static void on_job_voided(void *userdata, struct job *job)
{
	(void)job;
	(void)manager_refresh(userdata, "external");
}

static void on_job_confirmed(void *userdata, struct job *job)
{
	manager_report_suspects(userdata, job);
}

/* What the outcome was read from is fresh: nothing has been waited for since. */
static void take_host(struct manager *manager, struct job *job)
{
	const char *cause = job->state == JOB_DONE ? "job" : "external";

	if (job->after)
		manager_take_host(manager, TAKE_PTR(job->after), cause);
	else
		manager_refresh(manager, cause);
}

void manager_keep_last(struct manager *manager)
{
	int r = last_update_save(manager->root_fd, &manager->last);

	if (r < 0)
		journal_say(LOG_WARNING, NULL,
			    "/" STATE_DIR "/" LAST_UPDATE_FILE
			    ": %s; the next daemon will not know of the last update",
			    strerror(-r));
}

void manager_take_last(struct manager *manager, const struct job *job)
{
	manager->context.is_loss_told |= job->state == JOB_LOST;
	if (last_update_take(&manager->last, job, manager->host->boot_id,
			     clock_usec(CLOCK_REALTIME)))
		manager_keep_last(manager);
}

/* By somebody, by its deadline, or by an end that nobody can tell. Of the next daemon the
 * last record says so: recovery_is_unsettled(). */
static void note_given_up(struct manager *manager, const struct job *job)
{
	bool is_ours = job->failure == FAILURE_INTERRUPTED;

	if ((job->state != JOB_CANCELLED || is_ours) && job->state != JOB_EXPIRED &&
	    job->state != JOB_UNKNOWN)
		return;
	manager->is_unsettled = true;
	manager->has_unsettled_to = job->has_versions;
	manager->unsettled_to = job->to;
}

static void on_job_ended(void *userdata, struct job *job)
{
	struct manager *manager = userdata;

	note_given_up(manager, job);
	manager_take_last(manager, job);
	manager_hold_failed(manager, job);
	take_host(manager, job);
	if (manager->listener.job_removed)
		manager->listener.job_removed(manager->listener.userdata, job);
	reap_later(manager);
	manager_replan_later(manager, false);
	start_next(manager);
}

void manager_suspend(struct manager *manager)
{
	manager->context.is_handing_over = fdstore_is_possible();
	manager_stop(manager);
}

void manager_stop(struct manager *manager)
{
	manager->context.is_stopping = true;
	if (start_next(manager) < 0)
		stop_now(manager);
}

void manager_jobs_init(struct manager *manager)
{
	manager->context = (struct job_context){
		.event = manager->event,
		.root_fd = manager->root_fd,
		.files = &manager->files,
		.sources = &manager->sources,
		.config = &manager->config,
		.holds = &manager->holds,
		.read_catalog = on_read_catalog,
		.read_image = on_read_image,
		.stop_reading = on_stop_reading,
		.record = on_record,
		.changed = on_job_changed,
		.shut = on_shut,
		.reopen = on_reopen,
		.mark = on_mark,
		.voided = on_job_voided,
		.confirmed = on_job_confirmed,
		.ended = on_job_ended,
		.userdata = manager,
	};
}

void manager_jobs_done(struct manager *manager)
{
	sd_event_source_disable_unref(manager->starter);
	sd_event_source_disable_unref(manager->reaper);
	for (size_t i = 0; i < manager->job_count; i++)
		job_free(manager->jobs[i]);
	free(manager->jobs);
	last_update_done(&manager->last);
}

/* ---- asking ---- */

static struct job *find_token(const struct manager *manager, const char *token)
{
	for (size_t i = 0; *token && i < manager->job_count; i++)
		if (strcmp(manager->jobs[i]->request.token, token) == 0)
			return manager->jobs[i];
	return NULL;
}

/* Has the caller seen another plan than the job's? A job that has none yet is not
 * compared with: the request gets in line, and its own plan tells. */
static bool is_plan_seen(const struct job *job, const struct job_request *request)
{
	return !*request->plan_id || strcmp(job->plan_id, request->plan_id) == 0 ||
	       (!*job->plan_id && strcmp(job->request.plan_id, request->plan_id) == 0);
}

/* Return: 0, and NULL where there is none to be joined; -ESTALE. */
static int find_same(const struct manager *manager, const struct job_request *request,
		     struct job **ret)
{
	*ret = NULL;
	for (size_t i = 0; i < manager->job_count; i++) {
		struct job *job = manager->jobs[i];

		if (job_state_is_end(job->state) ||
		    !job_request_is_same(&job->request, request))
			continue;
		if (is_plan_seen(job, request)) {
			*ret = job;
			return 0;
		}
		if (*job->plan_id)
			return -ESTALE;
	}
	return 0;
}

/* Return: 0, and NULL where a new one is wanted; -EEXIST; -ESTALE. */
static int find_job(const struct manager *manager, const struct job_request *request,
		    struct job **ret)
{
	int r;

	*ret = find_token(manager, request->token);
	if (*ret)
		return job_request_is_repeated(&(*ret)->request, request) ? 0 : -EEXIST;
	r = find_same(manager, request, ret);
	if (r == 0 && *ret && request->drain)
		(void)job_expedite(*ret);
	return r;
}

static size_t count_of(const struct manager *manager, uid_t starter)
{
	size_t count = 0;

	for (size_t i = 0; i < manager->job_count; i++)
		count += manager->jobs[i]->request.starter == starter;
	return count;
}

static int insert(struct manager *manager, uint32_t id, const struct job_request *request,
		  struct job **ret)
{
	struct job **jobs =
		reallocarray(manager->jobs, manager->job_count + 1, sizeof(*jobs));
	int r;

	if (!jobs)
		return -ENOMEM;
	manager->jobs = jobs;
	r = job_new(&manager->context, id, manager->config, request, ret);
	if (r < 0)
		return r;
	jobs[manager->job_count++] = *ret;
	return 0;
}

struct job *manager_restore_job(struct manager *manager, uint32_t id,
				const struct job_request *request)
{
	struct job_request any;
	struct job *job;

	job_request_init(&any, manager->config);
	if (insert(manager, id, request ? request : &any, &job) < 0)
		return NULL;
	reap_later(manager);
	return job;
}

int manager_start_jobs(struct manager *manager)
{
	return start_next(manager);
}

void manager_drop_jobs(struct manager *manager)
{
	for (size_t i = manager->job_count; i-- > 0;)
		if (!job_state_is_end(manager->jobs[i]->state))
			remove_at(manager, i);
}

int manager_add_job(struct manager *manager, const struct job_request *request,
		    struct job **ret)
{
	struct job *job;
	int r = find_job(manager, request, &job);

	if (r < 0)
		return r;
	if (job) {
		job->is_shared |= job->request.starter != request->starter;
		*ret = job;
		return 0;
	}
	/* Its number and what it starts from are not known yet. */
	if (manager->is_awaiting)
		return -EBUSY;
	if (manager->job_count >= JOBS_MAX)
		return -ENOSPC;
	if (count_of(manager, request->starter) >= JOBS_USER_MAX)
		return -EDQUOT;
	r = start_next(manager);
	if (r >= 0)
		r = insert(manager, manager->last_id + 1, request, &job);
	if (r < 0)
		return r;
	manager->last_id++;
	manager->is_unsettled = false;
	if (manager->listener.job_new)
		manager->listener.job_new(manager->listener.userdata, job);
	*ret = job;
	return 0;
}
