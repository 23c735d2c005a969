// SPDX-License-Identifier: LGPL-2.1-or-later
/* What is done about the past when the daemon starts; what was, recovery.c decides. */
#include <errno.h>
#include <string.h>

#include "clock.h"
#include "history.h"
#include "io.h"
#include "journal.h"
#include "lock.h"
#include "manager-handover.h"
#include "manager-history.h"
#include "manager-images.h"
#include "manager-jobs.h"
#include "manager-policy.h"
#include "manager-recovery.h"
#include "manager-writes.h"
#include "recovery.h"
#include "text.h"

#define UPLOAD_DIR "sys/class/firmware/tdx_module"

#define POLL_USEC (20 * USEC_PER_MSEC)

DEFINE_CLEANUP(struct tdxupd_upload, upload, tdxupd_upload_free)

bool manager_is_kernel_updating(const struct manager *manager)
{
	return lock_is_kernel_updating(manager->root_fd);
}

static enum recovery_staged read_staged(struct manager *manager)
{
	char loading[8];
	int r;

	if (manager->host->has_trigger)
		return RECOVERY_STAGED_UNKNOWN;
	r = io_read_text(manager->root_fd, UPLOAD_DIR "/loading", loading,
			 sizeof(loading));
	if (r < 0)
		return RECOVERY_STAGED_UNKNOWN;
	return strcmp(loading, "1") == 0 ? RECOVERY_STAGED_YES : RECOVERY_STAGED_NO;
}

/* How a recovered job ends. */
static const struct end {
	enum job_state state;
	enum failure failure;
	enum tdxupd_outcome outcome;
} ends[_RECOVERY_MAX] = {
	[RECOVERY_REBOOTED] = { JOB_UNKNOWN, FAILURE_INTERRUPTED,
				TDXUPD_OUTCOME_UNKNOWN },
	[RECOVERY_NEVER_COMMITTED] = { JOB_FAILED, FAILURE_INTERRUPTED,
				       TDXUPD_OUTCOME_NOT_STARTED },
	[RECOVERY_SUCCEEDED] = { JOB_DONE, FAILURE_NONE, TDXUPD_OUTCOME_SUCCEEDED },
	[RECOVERY_REFUSED] = { JOB_FAILED, FAILURE_REFUSED, TDXUPD_OUTCOME_REFUSED },
	[RECOVERY_UNCHANGED] = { JOB_FAILED, FAILURE_INTERRUPTED,
				 _TDXUPD_OUTCOME_INVALID },
	[RECOVERY_LOST] = { JOB_LOST, FAILURE_LOST, TDXUPD_OUTCOME_LOST },
	[RECOVERY_MISMATCH] = { JOB_UNKNOWN, FAILURE_MISMATCH, TDXUPD_OUTCOME_MISMATCH },
	[RECOVERY_UNKNOWN] = { JOB_UNKNOWN, FAILURE_UNKNOWN, TDXUPD_OUTCOME_UNKNOWN },
};

static void restore_versions(struct job *job, const struct history_record *last)
{
	job->has_versions = last->from && last->to &&
			    tdxupd_version_parse(last->from, &job->from) == 0 &&
			    tdxupd_version_parse(last->to, &job->to) == 0;
}

/* A job is one path; a crash in its second step leaves the first as it is. */
static char *describe(const struct history_record *last, enum recovery recovery)
{
	bool has_stepped =
		last->from && last->module && strcmp(last->from, last->module) != 0;

	return text_new("the daemon was killed during `%s': %s%s%s", last->phase,
			recovery_explain(recovery),
			has_stepped ? "; the steps before were made: it runs " : "",
			has_stepped ? last->module : "");
}

/* For whoever asked and still wants to know. A hop of a longer path is no success. */
static void keep_as_job(struct manager *manager, const struct history_record *last,
			enum recovery recovery)
{
	struct end end = ends[recovery];
	enum job_state phase = job_state_from_string(last->phase);
	struct job *job;

	if (last->job == 0 || last->job > UINT32_MAX)
		return;
	job = manager_restore_job(manager, (uint32_t)last->job, NULL);
	if (!job)
		return;
	restore_versions(job, last);
	job->attempts = (unsigned)last->attempt;
	job->state = end.state;
	if ((int)phase >= 0 && !job_state_is_end(phase))
		job->phase = phase == JOB_BACKOFF ? JOB_WAITING : phase;
	job->outcome = end.outcome;
	job->failure = end.failure;
	job->detail = describe(last, recovery);
	if (recovery == RECOVERY_SUCCEEDED && last->step_to && last->to &&
	    strcmp(last->step_to, last->to) != 0) {
		job->state = JOB_FAILED;
		job->failure = FAILURE_INTERRUPTED;
	}
	manager_take_last(manager, job);
}

/* What we staged and nobody will commit is 2 MB of kernel memory and a loaded gun. */
static void drop_staged(struct manager *manager)
{
	_cleanup_(cleanup_upload)
	struct tdxupd_upload *upload = NULL;

	if (tdxupd_upload_new(manager->root_fd, TDXUPD_TRANSPORT_FW_UPLOAD, &upload) == 0)
		(void)tdxupd_upload_drop(upload);
}

/* The module is another one than the daemon before this one saw last. */
static void check_module(struct manager *manager, const struct history_record *last)
{
	bool is_same_boot = strcmp(last->boot_id, manager->host->boot_id) == 0;
	char now[TDXUPD_VERSION_TEXT_BYTES];

	if (!last->module || manager->host->state != TDXUPD_TDX_LIVE ||
	    tdxupd_version_parse(last->module, &manager->missed_from) < 0 ||
	    tdxupd_version_compare(&manager->missed_from,
				   &manager->host->module_version) == 0)
		return;
	manager->missed_cause = is_same_boot ? "external" : "boot";
	tdxupd_version_format(&manager->host->module_version, now);
	journal_say_module(
		is_same_boot ? LOG_WARNING : LOG_NOTICE,
		is_same_boot ? MESSAGE_MODULE_CHANGED : NULL, last->module, now,
		is_same_boot ? "TDX module %s was replaced by %s, not by tdxupd"
			     : "TDX module %s ran before the reboot, now %s does",
		last->module, now);
	if (is_same_boot)
		manager_record(manager, "external", last->module, NULL);
}

/* The kernel still says why it refused; its trigger said so to a daemon that is gone. */
static bool was_busy(struct manager *manager)
{
	char error[64];
	const char *reason;

	if (manager->host->has_trigger ||
	    io_read_text(manager->root_fd, UPLOAD_DIR "/error", error, sizeof(error)) < 0)
		return false;
	reason = strchr(error, ':');
	return reason && strcmp(reason, ":device-busy") == 0;
}

static bool has_failed(struct manager *manager, const struct history_record *last,
		       enum recovery recovery)
{
	return last && recovery_has_failed(last, recovery) &&
	       !(recovery == RECOVERY_REFUSED && was_busy(manager));
}

static void hold(struct manager *manager, const struct history_record *last,
		 enum recovery recovery)
{
	struct tdxupd_version version;

	if (last->step_to && tdxupd_version_parse(last->step_to, &version) == 0)
		manager_hold_version(manager, (uint32_t)last->job, &version,
				     recovery == RECOVERY_NOTHING
					     ? last->detail
					     : recovery_explain(recovery));
}

/* Each record before what it is about: killed here, too, the next one goes on. */
static void tell(struct manager *manager, const struct history_record *last,
		 enum recovery recovery, bool is_failure)
{
	manager_record_recovery(manager, last, recovery_to_string(recovery),
				is_failure ? failure_to_string(ends[recovery].failure)
					   : NULL);
	keep_as_job(manager, last, recovery);
	journal_say(recovery == RECOVERY_LOST ? LOG_CRIT : LOG_WARNING, MESSAGE_RECOVERED,
		    "job %u was cut off during `%s': %s", (unsigned)last->job,
		    last->phase, recovery_explain(recovery));
}

/* To where it was to lead; where that is not known, what could be had was meant. */
static void note_aim(struct manager *manager, const struct history_record *last,
		     const struct tdxupd_version *next)
{
	struct tdxupd_version *to = &manager->unsettled_to;

	manager->has_unsettled_to =
		last && last->to && tdxupd_version_parse(last->to, to) == 0;
	if (manager->has_unsettled_to || !next)
		return;
	manager->has_unsettled_to = true;
	*to = *next;
}

/* An image that has turned up meanwhile is a reason of its own, and leads elsewhere. */
static bool is_unsettled(struct manager *manager, const struct history_record *last,
			 enum recovery recovery)
{
	bool is_known = recovery_is_unsettled(last, recovery, manager->host->boot_id);
	struct tdxupd_version next;
	bool has_next;

	if (!is_known && !history_is_end_lost(manager->history))
		return false;
	has_next = manager_find_next(manager, &next);
	if (is_known && has_next && !recovery_is_same_aim(last, &next))
		return false;
	note_aim(manager, last, has_next ? &next : NULL);
	return true;
}

/* One that was handed over, and did not come back: it has ended with that daemon. */
static void keep_as_stopped(struct manager *manager, const struct history_record *last)
{
	struct job *job;

	if (manager_get_current(manager) || last->job == 0 || last->job > UINT32_MAX)
		return;
	job = manager_restore_job(manager, (uint32_t)last->job, NULL);
	if (!job)
		return;
	restore_versions(job, last);
	job->state = JOB_CANCELLED;
	job->failure = FAILURE_INTERRUPTED;
	job->detail = strdup(STOPPED_TEXT);
	manager_take_last(manager, job);
}

static void take_over(struct manager *manager, const struct history_record *last)
{
	_cleanup_(cleanup_close)
	int fd = TAKE_FD(manager->handover_fd);

	manager_take_over(manager, last, fd);
	if (manager_was_suspended(manager, last))
		keep_as_stopped(manager, last);
}

/* A job that goes on is what is under way from here on, whatever it comes to; a crash
 * between these two records begins it no more than any other. */
static void record_start(struct manager *manager)
{
	const struct job *job = manager_get_current(manager);
	bool is_unsettled_now = manager->is_unsettled;

	manager->is_unsettled |= job != NULL;
	manager_record_start(manager);
	manager->is_unsettled = is_unsettled_now;
	if (job)
		(void)manager_record_job(manager, job, job->state);
}

/* In the boot in which a loss was told it is not told again. */
static void load_last(struct manager *manager)
{
	int r = last_update_load(manager->root_fd, &manager->last);

	if (r < 0)
		journal_say(
			LOG_WARNING, NULL,
			"/" STATE_DIR "/" LAST_UPDATE_FILE
			" can't be used (%s): what the last update came to is not known",
			strerror(-r));
	manager->context.is_loss_told =
		manager->host->state == TDXUPD_TDX_LOST && *manager->host->boot_id &&
		strcmp(manager->last.lost_boot_id, manager->host->boot_id) == 0;
}

static void recover(struct manager *manager)
{
	enum recovery_staged staged = read_staged(manager);
	const struct history_record *last;
	enum recovery recovery;
	bool is_failure;

	if (!manager->history)
		return;
	last = history_get_last(manager->history);
	recovery = recovery_decide(last, manager->host, staged);
	/* It hangs in the middle of it: what shows by now is no verdict. */
	if (recovery != RECOVERY_NOTHING && manager_is_kernel_updating(manager))
		recovery = RECOVERY_UNKNOWN;
	is_failure = has_failed(manager, last, recovery);
	if (last && last->job <= UINT32_MAX)
		manager->last_id = (uint32_t)last->job;
	if (recovery != RECOVERY_NOTHING) {
		tell(manager, last, recovery, is_failure);
		if (staged == RECOVERY_STAGED_YES &&
		    strcmp(last->boot_id, manager->host->boot_id) == 0)
			drop_staged(manager);
	} else if (last) {
		check_module(manager, last);
	}
	if (is_failure)
		hold(manager, last, recovery);
	take_over(manager, last);
	manager->is_unsettled = is_unsettled(manager, last, recovery);
	record_start(manager);
}

/* ---- waiting for the kernel ---- */

static int start(struct manager *manager)
{
	int r;

	manager->is_awaiting = false;
	manager->awaiter = sd_event_source_disable_unref(manager->awaiter);
	r = manager_refresh(manager, "external");
	if (r < 0)
		return r;
	manager_attend_kernel(manager);
	manager_open_history(manager);
	load_last(manager);
	recover(manager);
	/* What was cut off or given up is not taken up again by a restart. */
	return manager_replan_later(manager, !manager->is_unsettled);
}

static int on_await(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct manager *manager = userdata;
	int r;

	(void)source;
	(void)usec;
	if (manager_is_kernel_updating(manager) &&
	    clock_usec(CLOCK_MONOTONIC) < manager->await_usec)
		return watch_set_timer(manager->event, &manager->awaiter, POLL_USEC,
				       on_await, manager);
	r = start(manager);
	if (r < 0)
		journal_say(LOG_ERR, NULL, "could not look at the host: %s",
			    strerror(-r));
	return r < 0 ? sd_event_exit(manager->event, r) : 0;
}

int manager_begin(struct manager *manager, uint64_t await_usec)
{
	if (!manager_is_kernel_updating(manager))
		return start(manager);
	journal_say(LOG_NOTICE, NULL, "an update is under way; waiting for its end");
	/* Its files say nothing true until then. */
	manager->host = calloc(1, sizeof(*manager->host));
	if (!manager->host)
		return -ENOMEM;
	manager->host->state = TDXUPD_TDX_UNKNOWN;
	manager->is_awaiting = true;
	manager->await_usec = clock_usec(CLOCK_MONOTONIC) + await_usec;
	lease_desk_hold(manager->desk, true);
	return watch_set_timer(manager->event, &manager->awaiter, POLL_USEC, on_await,
			       manager);
}
