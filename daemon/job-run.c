// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What is done in each state of a job, on the event loop. Armed: the image is with the
 * kernel before the gate opens; when it opens there are one last look and one write.
 *
 * Nothing here blocks but what has to: giving the kernel the staged bytes, and the
 * trigger, whose one write lasts as long as the update. That write is
 * synchronous by design: the machine stands still for most of it anyway, and it gives the
 * true errno. With fw_upload the kernel works in the background and wakes nobody, so its
 * status is asked for on a short timer, and only while it works.
 */
#include <errno.h>
#include <string.h>

#include "clock.h"
#include "duration.h"
#include "forbid.h"
#include "host-files.h"
#include "job-plan.h"
#include "job-run.h"
#include "text.h"
#include "upload.h"

/* An update takes milliseconds to seconds; the first answer is worth most. With steps
 * that double, it is known after at most twice the time that it took. */
#define POLL_FIRST_USEC 200
#define POLL_LAST_USEC  (100 * USEC_PER_MSEC)

/* What came of it is looked for again where it can't be read: with steps as above, for
 * some 5 s. Descriptors and memory that are short for a moment are no outcome. */
#define LOOKS_MAX 60

/* The event that leads on, or NOT_YET: a timer, the gate or a caller will. */
#define NOT_YET _JOB_EVENT_INVALID

DEFINE_CLEANUP(struct tdxupd_report, report, tdxupd_report_free)

static void drive(struct job *job, enum job_event event);
static enum job_event enter(struct job *job);

static enum job_event refuse(struct job *job, enum failure failure, char *detail)
{
	job_set_failure(job, failure, detail);
	return failure == FAILURE_LOST ? JOB_EVENT_LOSE : JOB_EVENT_REFUSED;
}

/* ---- time ---- */

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct job *job = userdata;

	(void)source;
	(void)usec;
	drive(job, job->state == JOB_BACKOFF ? JOB_EVENT_RETRY : enter(job));
	return 0;
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct job *job = userdata;

	(void)source;
	(void)usec;
	if (!job_state_is_critical(job->state))
		drive(job, JOB_EVENT_EXPIRE);
	return 0;
}

static int set_timer(struct job *job, sd_event_source **timer, uint64_t usec,
		     sd_event_time_handler_t handler)
{
	*timer = sd_event_source_disable_unref(*timer);
	if (usec == USEC_INFINITY)
		return 0;
	/* Accuracy 1: the kernel's default slack is a quarter of a second. */
	return sd_event_add_time(job->context->event, timer, CLOCK_MONOTONIC, usec, 1,
				 handler, job);
}

static bool is_overdue(const struct job *job)
{
	return job->request.deadline_usec != USEC_INFINITY &&
	       clock_usec(CLOCK_MONOTONIC) >= job->request.deadline_usec;
}

/* ---- staging ---- */

static bool is_staged(struct job *job)
{
	struct tdxupd_upload_result result;

	return tdxupd_upload_poll(job->upload, &result) == 0 &&
	       result.state == TDXUPD_UPLOAD_STAGED;
}

static bool is_forbidden(int error)
{
	return error == -EROFS || error == -EACCES || error == -EPERM;
}

static enum job_event refuse_files(struct job *job, int error)
{
	if (is_forbidden(error))
		return refuse(job, FAILURE_CONFIG,
			      text_new("the kernel's upload files can't be written (%s): "
				       "`systemctl restart tdxupdd.service`, and look at "
				       "its drop-ins",
				       strerror(-error)));
	return refuse(job, error == -ENODATA ? FAILURE_UNSUPPORTED : FAILURE_UNKNOWN,
		      text_new("could not open the kernel's upload files: %s",
			       strerror(-error)));
}

static enum job_event enter_staging(struct job *job)
{
	int r = 0;

	if (!job->upload)
		r = upload_new(job->context->files, TDXUPD_TRANSPORT_AUTO, &job->upload);
	if (r < 0)
		return refuse_files(job, r);
	if (is_staged(job))
		return JOB_EVENT_STAGED;
	r = tdxupd_upload_stage(job->upload, job->image);
	switch (r) {
	case 0:
		return JOB_EVENT_STAGED;
	case -EBUSY:
	case -ESTALE:
		return JOB_EVENT_BUSY;
	case -ENODEV:
		return JOB_EVENT_VOID;
	case -ENOTRECOVERABLE:
		return refuse(
			job, FAILURE_UNSUPPORTED,
			strdup("an upload had no memory once, and the kernel takes "
			       "none until its driver is loaded anew, or the host is "
			       "rebooted"));
	case -EROFS:
	case -EACCES:
	case -EPERM:
		return refuse_files(job, r);
	default:
		return refuse(
			job, FAILURE_UNKNOWN,
			text_new("the kernel did not take the image: %s", strerror(-r)));
	}
}

/* ---- waiting ---- */

static bool is_gate_open(struct job *job)
{
	job->verdict = sources_decide(job->context->sources, job->request.guard,
				      job->has_module_guard);
	return job->verdict.decision == GATE_GO;
}

static enum job_event judge(struct job *job, int r, const struct tdxupd_report *report)
{
	enum failure failure;
	char *detail = NULL;

	if (r < 0)
		return refuse(job, FAILURE_UNKNOWN,
			      text_new("the last look before the commit failed: %s",
				       strerror(-r)));
	if (tdxupd_report_is_passed(report))
		return JOB_EVENT_OPENED;
	failure = failure_from_report(report, &detail);
	return refuse(job, failure, detail);
}

/*
 * The last check: what may have changed since the plan was made and is cheap to see, and
 * after it the gate, so that nothing but the record and the write comes after the gate's
 * word. What the look finds is of account only when the gate is open; but an image that
 * has vanished is staged again at once.
 *
 * These are all the system calls between the event that opens the gate and the write that
 * commits, each on a descriptor that is open since the image was staged:
 *   pread  the last byte of `data`: with fw_upload, is it still our image? (`loading` as
 *          well, where writes to it are not seen: see job_on_write())
 *   pread  `version`: is it still the module that the plan was made for?
 *   pread  `online`: are all CPUs still there?
 *   pread  the source: `tds_building`, or `misc.current`, to which belong fstat of its
 *          directory and poll of each `misc.events` (refusals.h); with probes it is pread
 *          `kprobes/list`, which sets off the canary, read `trace_pipe`, pread
 *          `kprobe_profile`, and pread `misc.current`, which must not be more than they
 *          have seen
 *   write  the record of the commit, made ready beforehand
 *   pwrite with the trigger, the mark in the lock's file for those who can ask nobody
 *          while its write lasts: `guard` holds a launch then
 * That is 5 with the trigger, 7 with fw_upload, 8 with fw_upload and probes. No message,
 * no journal, no timer: whoever is to be told is told afterwards. tests/bus/test-commit.c
 * and, on a real kernel, tests/vm/guest/test-mainline count them.
 *
 * Where a slice is to be limited (DrainMethod=fence) and is not yet, that comes first,
 * and the look once more: a limit that is set after the last look lets a TD in between.
 */
static enum job_event look(struct job *job)
{
	_cleanup_(cleanup_report)
	struct tdxupd_report *report = NULL;
	int r;

	r = tdxupd_report_new(&report);
	if (r == 0)
		r = upload_check(job->upload, job->before, job->context->sees_writes,
				 report);
	if (r == -ESTALE)
		return JOB_EVENT_DROPPED;
	if (r == -EREMCHG || r == -ENODEV)
		return JOB_EVENT_VOID;
	if (is_gate_open(job))
		return judge(job, r, report);
	return NOT_YET;
}

static enum job_event enter_waiting(struct job *job)
{
	const struct job_context *context = job->context;
	enum job_event event = look(job);

	if (event == JOB_EVENT_OPENED && context->shut(context->userdata)) {
		event = look(job);
		if (event != JOB_EVENT_OPENED)
			context->reopen(context->userdata);
	}
	if (event == NOT_YET)
		context->changed(context->userdata, job);
	return event;
}

/* ---- committing and after ---- */

static enum job_event enter_committing(struct job *job)
{
	job->attempts++;
	job->poll_usec = POLL_FIRST_USEC;
	job->looks = 0;
	job->committed_usec = job->state_since_usec;
	if (tdxupd_upload_get_transport(job->upload) == TDXUPD_TRANSPORT_TRIGGER)
		job->context->mark(job->context->userdata, true);
	/* Whatever it says: what happened is decided from what the host shows. */
	(void)tdxupd_upload_commit(job->upload);
	job_tell(job, JOB_WAITING);
	return JOB_EVENT_COMMITTED;
}

static char *describe_outcome(const struct job *job,
			      const struct tdxupd_upload_result *result)
{
	/* In the hold that follows "lost" alone would be about the version. */
	return text_new("%s%s%s",
			job->outcome == TDXUPD_OUTCOME_LOST
				? "TDX is lost"
				: tdxupd_outcome_to_string(job->outcome),
			result && *result->text ? ", the kernel says " : "",
			result ? result->text : "");
}

static enum job_event follow_outcome(struct job *job,
				     const struct tdxupd_upload_result *result)
{
	switch (job->outcome) {
	case TDXUPD_OUTCOME_SUCCEEDED:
		return job->is_last_step ? JOB_EVENT_SUCCEEDED : JOB_EVENT_STEPPED;
	case TDXUPD_OUTCOME_BUSY:
		return JOB_EVENT_BUSY;
	case TDXUPD_OUTCOME_NOT_STARTED:
		return JOB_EVENT_DROPPED;
	case TDXUPD_OUTCOME_REFUSED:
		return refuse(job, FAILURE_REFUSED, describe_outcome(job, result));
	case TDXUPD_OUTCOME_LOST:
		return refuse(job, FAILURE_LOST, describe_outcome(job, result));
	case TDXUPD_OUTCOME_MISMATCH:
		job_set_failure(job, FAILURE_MISMATCH, describe_outcome(job, result));
		return JOB_EVENT_OBSCURE;
	default:
		job_set_failure(job, FAILURE_UNKNOWN, describe_outcome(job, result));
		return JOB_EVENT_OBSCURE;
	}
}

/* Is anything missing that the outcome is read from, and that was there before? */
static bool can_be_read(const struct job *job)
{
	const struct tdxupd_host *after = job->after;

	if (!after)
		return false;
	if (after->state == TDXUPD_TDX_LOST)
		return true;
	return after->state == TDXUPD_TDX_LIVE &&
	       after->has_remaining_updates == job->before->has_remaining_updates;
}

/* Return: whether there will be another look. */
static bool look_again(struct job *job)
{
	int r;

	if (job->looks++ >= LOOKS_MAX)
		return false;
	r = set_timer(job, &job->timer, clock_usec(CLOCK_MONOTONIC) + job->poll_usec,
		      on_timer);
	if (job->poll_usec < POLL_LAST_USEC)
		job->poll_usec *= 2;
	return r >= 0;
}

static enum job_event confirm(struct job *job, const struct tdxupd_upload_result *result)
{
	int r;

	job->after = tdxupd_host_free(job->after);
	r = host_read(job->context->files, &job->after);
	if (!can_be_read(job) && look_again(job))
		return NOT_YET;
	job->outcome =
		r < 0 ? TDXUPD_OUTCOME_UNKNOWN
		      : tdxupd_confirm(job->before, job->after, &job->step_to, result);
	job->context->mark(job->context->userdata, false);
	job->context->confirmed(job->context->userdata, job);
	/* What is waited for next makes it old. */
	if (job->outcome == TDXUPD_OUTCOME_BUSY ||
	    job->outcome == TDXUPD_OUTCOME_NOT_STARTED)
		job->after = tdxupd_host_free(job->after);
	return follow_outcome(job, result);
}

static enum job_event enter_confirming(struct job *job)
{
	struct tdxupd_upload_result result;
	int r;

	r = tdxupd_upload_poll(job->upload, &result);
	if (r < 0)
		return look_again(job) ? NOT_YET : confirm(job, NULL);
	if (result.state != TDXUPD_UPLOAD_RUNNING)
		return confirm(job, &result);
	r = set_timer(job, &job->timer, clock_usec(CLOCK_MONOTONIC) + job->poll_usec,
		      on_timer);
	if (job->poll_usec < POLL_LAST_USEC)
		job->poll_usec *= 2;
	return r < 0 ? confirm(job, NULL) : NOT_YET;
}

static enum job_event enter_backoff(struct job *job)
{
	uint64_t pause = backoff_next(&job->backoff), least;
	int r;

	is_gate_open(job);
	least = job_pace_refused(&job->pace);
	job->retry_usec = clock_usec(CLOCK_MONOTONIC) + least;
	job->next_attempt_usec =
		clock_usec(CLOCK_MONOTONIC) + (pause > least ? pause : least);
	r = set_timer(job, &job->timer, job->next_attempt_usec, on_timer);
	if (r < 0)
		return refuse(job, FAILURE_UNKNOWN, strdup(strerror(-r)));
	job->context->changed(job->context->userdata, job);
	return NOT_YET;
}

/* ---- the states ---- */

static enum job_event (*const entries[_JOB_STATE_MAX])(struct job *job) = {
	[JOB_PLANNING] = job_plan,           [JOB_STAGING] = enter_staging,
	[JOB_WAITING] = enter_waiting,       [JOB_COMMITTING] = enter_committing,
	[JOB_CONFIRMING] = enter_confirming, [JOB_BACKOFF] = enter_backoff,
};

/* What is known to be next. Planning asks by itself: there may be nothing to forbid. */
static bool is_on_its_way(const struct job *job)
{
	return job->state == JOB_STAGING || job->state == JOB_WAITING ||
	       job->state == JOB_BACKOFF;
}

/* Nothing else runs until the commit: what is asked here has been asked at the last
 * look, without a system call. */
static enum job_event enter(struct job *job)
{
	enum failure forbidden = FAILURE_NONE;
	char *detail = NULL;

	if (!entries[job->state])
		return NOT_YET;
	if (!job_state_is_critical(job->state) && job->context->is_stopping)
		return job->context->is_handing_over ? NOT_YET : JOB_EVENT_CANCEL;
	if (!job_state_is_critical(job->state) && is_overdue(job))
		return JOB_EVENT_EXPIRE;
	if (is_on_its_way(job))
		forbidden = forbid_find_job(job, &detail);
	if (forbidden != FAILURE_NONE)
		return refuse(job, forbidden, detail);
	return entries[job->state](job);
}

static char *describe_closed(const struct gate_source *word)
{
	if (word->is_veto)
		return text_new("the deadline passed, and %s still held the update up%s",
				word->blockers[0].who,
				word->blocker_count > 1 ? ", among others" : "");
	return text_new("the deadline passed before there was a gap: TDs are being "
			"built, says `%s', which counts %u",
			word->name, word->count);
}

static char *describe_expiry(const struct job *job)
{
	const struct sources *sources = job->context->sources;

	if (job->state != JOB_WAITING && job->state != JOB_BACKOFF)
		return text_new("the deadline passed in state `%s'",
				job_state_to_string(job->state));
	for (size_t i = 0; i < sources->count; i++) {
		const struct gate_source *word = &sources->words[i];

		if ((job->verdict.blocking & (UINT32_C(1) << i)) &&
		    word->state == GATE_CLOSED)
			return describe_closed(word);
	}
	return strdup("the deadline passed, and no source was sure that no TD was being "
		      "built");
}

/* What every end has in common; why is said before the state is shown. */
static void explain(struct job *job, enum job_event event)
{
	if (event == JOB_EVENT_CANCEL && job->context->is_stopping)
		job_set_failure(job, FAILURE_INTERRUPTED, strdup(STOPPED_TEXT));
	else if (event == JOB_EVENT_CANCEL)
		job_set_failure(job, FAILURE_CANCELLED, strdup("cancelled on request"));
	if (event == JOB_EVENT_EXPIRE)
		job_set_failure(job, FAILURE_EXPIRED, describe_expiry(job));
	if (event == JOB_EVENT_LOSE)
		job_set_failure(job, FAILURE_LOST, NULL);
	if (event == JOB_EVENT_REFUSED)
		job_set_failure(job, FAILURE_REFUSED, NULL);
}

static void finish(struct job *job)
{
	job->context->stop_reading(job->context->userdata, job);
	job->timer = sd_event_source_disable_unref(job->timer);
	job->deadline = sd_event_source_disable_unref(job->deadline);
	job->upload = tdxupd_upload_free(job->upload);
	job->image = tdxupd_image_free(job->image);
	job->before = tdxupd_host_free(job->before);
	job->context->ended(job->context->userdata, job);
}

/* ---- going back ---- */

/* Return: @event, or its refusal: it was too often. */
static enum job_event pace(struct job *job, enum job_event event, uint64_t *ret_pause)
{
	uint64_t calm = job->state == JOB_WAITING
				? clock_usec(CLOCK_MONOTONIC) - job->state_since_usec
				: 0;

	*ret_pause = 0;
	if (event != JOB_EVENT_DROPPED && event != JOB_EVENT_VOID)
		return event;
	*ret_pause = job_pace_go_back(&job->pace, calm);
	if (*ret_pause == UINT64_MAX)
		return refuse(job, FAILURE_REFUSED,
			      text_new("somebody else keeps writing to the upload files "
				       "or replacing the module: %d times in a row",
				       JOB_PACE_ROUNDS_MAX));
	return event;
}

/* What was agreed to was a way from another module; the files may be another device's. */
static void forget_plan(struct job *job)
{
	job->upload = tdxupd_upload_free(job->upload);
	job->image = tdxupd_image_free(job->image);
	job->before = tdxupd_host_free(job->before);
	job->after = tdxupd_host_free(job->after);
	job->has_versions = false;
	job->step_count = job->steps_left = 0;
}

/* The event loop turns before the job goes on: it is there for others, too. */
static enum job_event come_back(struct job *job, enum job_event event, uint64_t pause)
{
	int r = set_timer(job, &job->timer, clock_usec(CLOCK_MONOTONIC) + pause,
			  on_timer);

	if (event == JOB_EVENT_VOID)
		job->context->voided(job->context->userdata, job);
	return r < 0 ? refuse(job, FAILURE_UNKNOWN, strdup(strerror(-r))) : NOT_YET;
}

static void drive(struct job *job, enum job_event event)
{
	uint64_t pause;

	while (event != NOT_YET) {
		if (job->state != JOB_CONFIRMING)
			job->timer = sd_event_source_disable_unref(job->timer);
		event = pace(job, event, &pause);
		if (event == JOB_EVENT_VOID)
			forget_plan(job);
		explain(job, event);
		if (!job_set(job, event)) {
			/* A commit that could not be recorded is not made. */
			if (event != JOB_EVENT_STAGED && event != JOB_EVENT_OPENED)
				return;
			event = JOB_EVENT_REFUSED;
			continue;
		}
		if (job_state_is_end(job->state)) {
			finish(job);
			return;
		}
		event = job_event_is_back(event) ? come_back(job, event, pause)
						 : enter(job);
	}
}

void job_start(struct job *job)
{
	job_set_deadline(job, job->request.deadline_usec);
	drive(job, JOB_EVENT_START);
}

/* A gap is the best moment for the next attempt, but not the hundredth in a row. */
static void retry_in_time(struct job *job)
{
	if (clock_usec(CLOCK_MONOTONIC) >= job->retry_usec) {
		drive(job, JOB_EVENT_RETRY);
	} else if (job->retry_usec < job->next_attempt_usec &&
		   set_timer(job, &job->timer, job->retry_usec, on_timer) >= 0) {
		job->next_attempt_usec = job->retry_usec;
		job->context->changed(job->context->userdata, job);
	}
}

void job_on_gate(struct job *job)
{
	bool was_open = job->verdict.decision == GATE_GO;

	if (job->state == JOB_WAITING)
		drive(job, enter(job));
	else if (job->state == JOB_BACKOFF && is_gate_open(job) && !was_open)
		retry_in_time(job);
}

void job_on_catalog(struct job *job, int r, struct tdxupd_catalog **catalog,
		    const char *why)
{
	if (job->state == JOB_PLANNING)
		drive(job, job_plan_with(job, r, catalog, why));
}

void job_on_image(struct job *job, int r, const uint8_t *bytes, size_t count)
{
	if (job->state == JOB_PLANNING)
		drive(job, job_plan_load(job, r, bytes, count));
}

void job_on_write(struct job *job)
{
	struct tdxupd_upload_result result;
	int r;

	if (job->state != JOB_WAITING)
		return;
	r = tdxupd_upload_poll(job->upload, &result);
	if (r == -ENODEV)
		drive(job, JOB_EVENT_VOID);
	else if (r < 0 || result.state != TDXUPD_UPLOAD_STAGED)
		drive(job, JOB_EVENT_DROPPED);
}

void job_on_policy(struct job *job)
{
	enum failure forbidden;
	char *detail = NULL;

	if (job_state_is_end(job->state) || job_state_is_critical(job->state))
		return;
	forbidden = forbid_find_job(job, &detail);
	if (forbidden != FAILURE_NONE)
		drive(job, refuse(job, forbidden, detail));
}

int job_cancel(struct job *job)
{
	if (job_state_is_end(job->state))
		return -ESRCH;
	if (!job_can_cancel(job))
		return -EBUSY;
	drive(job, JOB_EVENT_CANCEL);
	return 0;
}

int job_expedite(struct job *job)
{
	if (job_state_is_end(job->state))
		return -ESRCH;
	if (job_state_is_critical(job->state))
		return -EBUSY;
	job->request.drain = true;
	job->context->changed(job->context->userdata, job);
	return 0;
}

int job_set_deadline(struct job *job, uint64_t deadline_usec)
{
	if (job_state_is_end(job->state))
		return -ESRCH;
	if (job_state_is_critical(job->state))
		return -EBUSY;
	job->request.deadline_usec = deadline_usec;
	return set_timer(job, &job->deadline, deadline_usec, on_deadline);
}
