// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the manager writes down. The record of `waiting` is on disk before a job waits,
 * because from then on a commit may follow at any moment: a flush between the open gate
 * and the write would miss short gaps. Those after it are written, so that a crash of
 * this process can be told of, and reach the disk by themselves.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "history.h"
#include "journal.h"
#include "manager-history.h"
#include "manager-jobs.h"
#include "recovery.h"

static char *text(const char *constant)
{
	return (char *)constant; /* a record's texts are only read here */
}

void manager_open_history(struct manager *manager)
{
	_cleanup_(cleanup_free)
	char *note = NULL;
	int r;

	r = history_open(manager->root_fd, &manager->config->history_limits,
			 &manager->history, &note);
	if (note)
		journal_say(LOG_WARNING, MESSAGE_HISTORY_DAMAGED, "%s", note);
	if (r == -EPERM)
		journal_say(LOG_ERR, MESSAGE_HISTORY_DAMAGED,
			    "/" STATE_DIR " is not root's alone; nothing will be "
			    "committed");
	else if (r < 0)
		journal_say(LOG_ERR, MESSAGE_HISTORY_DAMAGED,
			    "/" STATE_DIR ": %s; nothing will be committed",
			    strerror(-r));
}

/*
 * Append, and tell the journal of the line where that does not cost a gap: the record of
 * a commit is made ready beforehand, and told of with the next one.
 */
static int append(struct manager *manager, struct history_record *record, bool is_durable)
{
	struct history_head head;
	int r = history_append(manager->history, record, is_durable);

	if (r < 0)
		return r;
	history_get_head(manager->history, &head);
	journal_say_head(&head);
	return 0;
}

static void describe_host(const struct tdxupd_host *host, char *ret_module,
			  struct history_record *record)
{
	record->boot_id = text(host->boot_id);
	record->has_remaining = host->has_remaining_updates;
	record->remaining = host->remaining_updates;
	if (host->state == TDXUPD_TDX_LIVE)
		record->module =
			text(tdxupd_version_format(&host->module_version, ret_module));
}

static void describe_job(const struct job *job, struct history_record *record)
{
	record->job = job->id;
	record->attempt = job->attempts;
	record->plan_id = text(job->plan_id);
	record->outcome = text(tdxupd_outcome_to_string(job->outcome));
	record->reason = text(failure_to_string(job->failure));
	record->detail = job->detail;
	record->caller = job->request.caller;
}

/* What a record borrows. */
struct texts {
	char from[TDXUPD_VERSION_TEXT_BYTES], to[TDXUPD_VERSION_TEXT_BYTES];
	char step[TDXUPD_VERSION_TEXT_BYTES], module[TDXUPD_VERSION_TEXT_BYTES];
	char mrseam[TDXUPD_DIGEST_TEXT_BYTES];
	char path[HISTORY_TEXT_BYTES_MAX];
};

static void describe(const struct manager *manager, const struct job *job,
		     enum job_state after, struct texts *texts,
		     struct history_record *record)
{
	record->phase = text(job_state_to_string(after));
	describe_host(job->before ? job->before : manager->host, texts->module, record);
	describe_job(job, record);
	if (job->has_versions) {
		record->from = text(tdxupd_version_format(&job->from, texts->from));
		record->to = text(tdxupd_version_format(&job->to, texts->to));
	}
	if (job->image_name) {
		snprintf(texts->path, sizeof(texts->path), "%s/%s", job->config->images,
			 job->image_name);
		record->path = texts->path;
	}
	if (job->image) {
		record->step_to = text(tdxupd_version_format(&job->step_to, texts->step));
		record->mrseam =
			text(tdxupd_digest_format(&job->image->mrseam, texts->mrseam));
	}
	/* The snapshot is the one before; what was confirmed since runs now. */
	if (job_state_is_end(after) && job->outcome == TDXUPD_OUTCOME_SUCCEEDED)
		record->module = record->step_to;
}

/* A job that the kernel refuses for days must not push all else out of the history: the
 * commit and what came of it are enough. */
static bool is_worth_it(const struct job *job, enum job_state after)
{
	return !job_pace_is_terse(&job->pace) ||
	       (after != JOB_STAGING && after != JOB_WAITING && after != JOB_CONFIRMING);
}

/* The record of a commit is made ready with that of waiting: it is the one that comes
 * between the open gate and the write. */
int manager_record_job(struct manager *manager, const struct job *job,
		       enum job_state after)
{
	struct history_record record = { 0 };
	struct texts texts;
	int r = -ENODATA;

	if (!manager->history)
		manager_open_history(manager);
	if (!manager->history)
		return -EROFS;
	if (after == JOB_COMMITTING)
		r = history_append_prepared(manager->history);
	if (r != -ENODATA)
		return r;
	describe(manager, job, after, &texts, &record);
	r = is_worth_it(job, after) ? append(manager, &record, after == JOB_WAITING) : 0;
	if (r == 0 && after == JOB_WAITING) {
		record.phase = text(job_state_to_string(JOB_COMMITTING));
		r = history_prepare(manager->history, &record);
	}
	return r;
}

void manager_record_suspect(struct manager *manager, const struct job *job,
			    const char *detail)
{
	struct history_record record = { 0 };
	struct texts texts;

	describe(manager, job, job->state, &texts, &record);
	record.reason = text("build-suspect");
	record.detail = text(detail);
	if (manager->history)
		(void)append(manager, &record, true);
}

int manager_record_suspended(struct manager *manager, const struct job *job)
{
	struct history_record record = { 0 };
	struct texts texts;

	if (!manager->history)
		return -EROFS;
	describe(manager, job, job->state, &texts, &record);
	record.phase = text(RECOVERY_SUSPENDED_PHASE);
	/* Between two steps the job's snapshot is the one before. */
	record.module = NULL;
	describe_host(manager->host, texts.module, &record);
	return history_append(manager->history, &record, true);
}

void manager_record_stopped(struct manager *manager, const struct history_record *last)
{
	char module[TDXUPD_VERSION_TEXT_BYTES];
	struct history_record record = {
		.phase = text(job_state_to_string(JOB_CANCELLED)),
		.job = last->job,
		.attempt = last->attempt,
		.from = last->from,
		.to = last->to,
		.reason = text(failure_to_string(FAILURE_INTERRUPTED)),
		.detail = text(STOPPED_TEXT),
		.caller = last->caller,
	};

	describe_host(manager->host, module, &record);
	(void)history_append(manager->history, &record, true);
}

/* Of no job. What was cut off or given up is left to others, after this record too. */
static void append_event(struct manager *manager, struct history_record *record)
{
	char module[TDXUPD_VERSION_TEXT_BYTES], to[TDXUPD_VERSION_TEXT_BYTES];

	if (!manager->history)
		return;
	record->job = manager->last_id;
	if (manager->is_unsettled)
		record->reason = text(failure_to_string(FAILURE_INTERRUPTED));
	if (manager->is_unsettled && manager->has_unsettled_to)
		record->to = text(tdxupd_version_format(&manager->unsettled_to, to));
	describe_host(manager->host, module, record);
	(void)append(manager, record, true);
}

void manager_record_start(struct manager *manager)
{
	struct history_record record = { .phase = text(RECOVERY_START_PHASE) };

	if (manager->is_unsettled)
		record.detail = text("a restart begins nothing again");
	append_event(manager, &record);
}

void manager_record(struct manager *manager, const char *phase, const char *from,
		    const char *detail)
{
	const struct job *job = manager_get_current(manager);
	struct history_record record = {
		.phase = text(phase),
		.from = text(from),
		.detail = text(detail),
	};

	append_event(manager, &record);
	/* By the last record the next daemon knows what was under way. */
	if (job && job->state != JOB_QUEUED)
		(void)manager_record_job(manager, job, job->state);
}

void manager_record_recovery(struct manager *manager, const struct history_record *last,
			     const char *outcome, const char *reason)
{
	char module[TDXUPD_VERSION_TEXT_BYTES];
	struct history_record record = {
		.phase = text(RECOVERY_PHASE),
		.job = last->job,
		.attempt = last->attempt,
		.from = last->from,
		.to = last->to,
		.step_to = last->step_to,
		.path = last->path,
		.mrseam = last->mrseam,
		.outcome = text(outcome),
		.reason = text(reason),
		.caller = last->caller,
	};

	describe_host(manager->host, module, &record);
	(void)append(manager, &record, true);
}
