// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the administrator wants without being asked each time: holds and the pin. What a
 * single request wants is the job's, what to do when images come and go manager-images's.
 *
 * They lie over the configuration in memory: to make one count takes no file. What
 * forbids counts first, then it is written to the disk, into the history and into the
 * journal, and then the jobs are asked; what permits is on the disk before it counts.
 * Memory so never permits what the disk forbids, and whoever was told that something is
 * forbidden finds it so after a crash.
 */
#include <errno.h>
#include <string.h>

#include "clock.h"
#include "forbid.h"
#include "job-run.h"
#include "journal.h"
#include "manager-history.h"
#include "manager-jobs.h"
#include "manager-policy.h"
#include "policy.h"
#include "text.h"

/* Of a job's own words in the reason of a hold. */
#define FAILED_BYTES_MAX (HOLDS_REASON_BYTES_MAX - 32)

int manager_load_config(struct manager *manager, struct config **ret, char **ret_why)
{
	struct config *config;
	int r;

	r = config_load(manager->root, &config, ret_why);
	if (r < 0)
		return r;
	r = holds_apply(&manager->holds, config->policy);
	if (r < 0)
		config_unref(config);
	else
		*ret = config;
	return r;
}

static int on_expiry(sd_event_source *source, uint64_t usec, void *userdata);

static int watch_expiry(struct manager *manager)
{
	uint64_t next = holds_get_next(&manager->holds);

	manager->expiry = sd_event_source_disable_unref(manager->expiry);
	if (next == UINT64_MAX)
		return 0;
	return sd_event_add_time(manager->event, &manager->expiry, CLOCK_REALTIME, next,
				 0, on_expiry, manager);
}

/* ---- what follows from a change ---- */

void manager_ask_jobs(struct manager *manager)
{
	/* A job that ends may have its version held, and so comes here again. */
	for (size_t i = 0; i < manager->job_count; i++)
		job_on_policy(manager->jobs[i]);
}

char *manager_describe_late(const struct manager *manager)
{
	const struct job *job = manager_get_current(manager);

	if (!job || !job_state_is_critical(job->state) ||
	    forbid_find_job(job, NULL) == FAILURE_NONE)
		return NULL;
	return text_new("too late for job %u, counts from the next step", job->id);
}

/* Plans are made by the policy. A job is not: without memory for this, what is held
 * is so all the same. */
static void lay_over(struct manager *manager)
{
	struct config *config;

	if (config_copy(manager->config, &config) < 0)
		return;
	if (holds_apply(&manager->holds, config->policy) < 0) {
		config_unref(config);
		return;
	}
	config_unref(manager->config);
	manager->config = config;
}

/* What is held is another thing than before, in memory. A change of it begins nothing
 * again that was cut off or given up. */
static void follow(struct manager *manager)
{
	(void)watch_expiry(manager);
	lay_over(manager);
	manager_ask_jobs(manager);
	(void)manager_replan_later(manager, !manager->is_unsettled);
	if (manager->listener.changed)
		manager->listener.changed(manager->listener.userdata);
}

static int keep(struct manager *manager, const struct holds *holds, char **ret_why)
{
	int r = holds_save(manager->root_fd, holds);

	if (r < 0)
		*ret_why = text_new("/" STATE_DIR "/" HOLDS_FILE ": %s", strerror(-r));
	return r;
}

/* What was done, to be told in the same words wherever it is told.
 * @phase: of the history
 * @what: whom it is about
 * @by, @reason, @more: may be NULL */
struct deed {
	const char *phase;
	const char *what;
	const char *by;
	const char *reason;
	const char *more;
};

/* @deed->what as it is said to be held or not. free() it; NULL without memory. */
static char *describe(const struct deed *deed, const char *what)
{
	_cleanup_(cleanup_free)
	char *text = policy_describe(what, 0, deed->by, deed->reason);

	return text ? text_new("%s%s%s", text, deed->more ? "; " : "",
			       deed->more ? deed->more : "")
		    : NULL;
}

static void record(struct manager *manager, const struct deed *deed)
{
	_cleanup_(cleanup_free)
	char *detail = describe(deed, deed->what);

	manager_record(manager, deed->phase, NULL, detail ? detail : deed->what);
}

/* "all updates are held by root (uid 0): why" */
static void say(int priority, const char *message_id, const struct deed *deed)
{
	bool is_all = strcmp(deed->what, HOLDS_ALL) == 0;
	_cleanup_(cleanup_free)
	char *what = text_new("%s %s", is_all ? "all updates" : deed->what, deed->phase);
	_cleanup_(cleanup_free)
	char *text = what ? describe(deed, what) : NULL;

	journal_say(priority, message_id, "%s", text ? text : deed->what);
}

/* ---- what forbids ---- */

/*
 * It counts; it is kept, told and obeyed. @r: of keeping it. @text: what the caller is to
 * know: why it could not be kept, or that it comes too late for a job.
 */
static int tell_forbidden(struct manager *manager, const struct deed *deed,
			  char **ret_text)
{
	struct deed told = *deed;

	_cleanup_(cleanup_free)
	char *why = NULL;
	_cleanup_(cleanup_free)
	char *late = manager_describe_late(manager);
	_cleanup_(cleanup_free)
	char *lost = NULL;
	bool is_hold = strcmp(deed->phase, "held") == 0;
	int r = keep(manager, &manager->holds, &why);

	if (r < 0)
		lost = text_new("this lasts only until tdxupdd ends: %s",
				why ? why : strerror(-r));
	told.more = lost ? lost : late;
	record(manager, &told);
	say(lost ? LOG_ERR : LOG_NOTICE, is_hold ? MESSAGE_HELD : MESSAGE_PINNED, &told);
	follow(manager);
	*ret_text = lost ? TAKE_PTR(lost) : TAKE_PTR(late);
	return r;
}

int manager_hold(struct manager *manager, const struct hold *hold, char **ret_text)
{
	struct hold copy = *hold;
	int r;

	copy.since_usec = clock_usec(CLOCK_REALTIME);
	r = holds_add(&manager->holds, &copy);
	return r < 0 ? r
		     : tell_forbidden(manager,
				      &(struct deed){ .phase = "held",
						      .what = hold->what,
						      .by = hold->by,
						      .reason = hold->reason },
				      ret_text);
}

int manager_pin(struct manager *manager, const struct pin *pin, char **ret_text)
{
	char text[TDXUPD_VERSION_TEXT_BYTES];
	const struct deed deed = {
		.phase = "pinned", .what = text, .by = pin->by, .reason = pin->reason
	};
	struct pin copy = *pin;
	int r;

	copy.since_usec = clock_usec(CLOCK_REALTIME);
	r = holds_pin(&manager->holds, &copy);
	tdxupd_version_format(&pin->version, text);
	return r < 0 ? r : tell_forbidden(manager, &deed, ret_text);
}

void manager_hold_version(struct manager *manager, uint32_t id,
			  const struct tdxupd_version *version, const char *detail)
{
	char text[TDXUPD_VERSION_TEXT_BYTES];
	_cleanup_(cleanup_free)
	char *why = NULL;
	_cleanup_(cleanup_free)
	char *reason = text_new("job %u failed: %.*s", id, FAILED_BYTES_MAX,
				detail ? detail : "");
	struct hold hold = {
		.what = text,
		.reason = reason,
		.until_usec = UINT64_MAX,
		.is_automatic = true,
	};
	int r;

	tdxupd_version_format(version, text);
	r = manager_hold(manager, &hold, &why);
	/* What failed is not tried again and again, whatever else is wrong here. */
	if (r == -ENOSPC || r == -ENOMEM || r == -EMSGSIZE) {
		manager->holds.has_unlisted = true;
		(void)tell_forbidden(manager,
				     &(struct deed){ .phase = "held",
						     .what = HOLDS_ALL,
						     .reason = reason },
				     &why);
	}
}

void manager_hold_failed(struct manager *manager, const struct job *job)
{
	if (job->outcome == TDXUPD_OUTCOME_REFUSED ||
	    job->outcome == TDXUPD_OUTCOME_MISMATCH ||
	    job->outcome == TDXUPD_OUTCOME_LOST)
		manager_hold_version(manager, job->id, &job->step_to, job->detail);
}

enum failure manager_forbids(const struct manager *manager,
			     const struct job_request *request, char **ret_detail)
{
	const struct forbid_question question = {
		.request = request,
		.to = request->has_target ? &request->target : NULL,
	};

	return forbid_find(manager->config, &manager->holds, &question, ret_detail);
}

/* NULL where the sentence names it already. */
static const char *get_remedy(enum failure failure)
{
	if (failure == FAILURE_HELD)
		return tdxupd_check_describe(TDXUPD_CHECK_HELD)->advice;
	if (failure == FAILURE_FAILED)
		return tdxupd_check_describe(TDXUPD_CHECK_FAILED)->advice;
	if (failure == FAILURE_PINNED)
		return tdxupd_check_describe(TDXUPD_CHECK_PINNED)->advice;
	return NULL;
}

/* Where there may be nothing to do, only a plan can tell, and that is the job's. */
enum failure manager_refuses(const struct manager *manager,
			     const struct job_request *request, char **ret_detail)
{
	const struct tdxupd_host *host = manager->host;

	_cleanup_(cleanup_free)
	char *detail = NULL;
	enum failure failure;
	const char *remedy;

	if (!request->has_target || host->state != TDXUPD_TDX_LIVE ||
	    tdxupd_version_compare(&request->target, &host->module_version) == 0)
		return FAILURE_NONE;
	failure = manager_forbids(manager, request, &detail);
	remedy = get_remedy(failure);
	if (failure != FAILURE_NONE)
		*ret_detail = remedy && detail ? text_new("%s. %s", detail, remedy)
					       : TAKE_PTR(detail);
	return failure;
}

/* ---- what permits again ---- */

/* @next: what is to be held from now on; taken over. */
static int permit(struct manager *manager, struct holds *next, const struct deed *deed,
		  char **ret_why)
{
	int r = keep(manager, next, ret_why);

	if (r < 0) {
		holds_done(next);
		return r;
	}
	holds_done(&manager->holds);
	manager->holds = *next;
	record(manager, deed);
	say(LOG_NOTICE, NULL, deed);
	follow(manager);
	return 1;
}

int manager_unhold(struct manager *manager, const char *what, const char *by,
		   char **ret_why)
{
	const struct deed deed = { .phase = "unheld", .what = what, .by = by };
	struct holds next;
	int r = holds_copy(&manager->holds, &next);

	if (r < 0)
		return r;
	r = holds_remove(&next, what);
	if (r < 0) {
		holds_done(&next);
		return r == -ENOENT ? 0 : r;
	}
	return permit(manager, &next, &deed, ret_why);
}

int manager_unpin(struct manager *manager, const char *by, char **ret_why)
{
	char text[TDXUPD_VERSION_TEXT_BYTES];
	const struct deed deed = { .phase = "unpinned", .what = text, .by = by };
	struct holds next;
	int r = holds_copy(&manager->holds, &next);

	if (r < 0)
		return r;
	tdxupd_version_format(&next.pin.version, text);
	r = holds_unpin(&next);
	if (r < 0) {
		holds_done(&next);
		return r == -ENOENT ? 0 : r;
	}
	return permit(manager, &next, &deed, ret_why);
}

int manager_reset_failed(struct manager *manager, const char *by, char **ret_why)
{
	const struct deed deed = { .phase = "unheld", .what = "what failed", .by = by };
	bool has_last = false, was_unsettled = manager->is_unsettled;
	struct holds next;
	int r = holds_copy(&manager->holds, &next);

	if (r < 0)
		return r;
	/* What was cut off or given up has failed, too. */
	if (holds_forgive(&next) || was_unsettled) {
		manager->is_unsettled = false;
		r = permit(manager, &next, &deed, ret_why);
	} else {
		holds_done(&next);
	}
	if (r < 0) {
		manager->is_unsettled = was_unsettled;
		return r;
	}
	has_last = last_update_forgive(&manager->last);
	if (has_last)
		manager_keep_last(manager);
	if (manager->listener.changed)
		manager->listener.changed(manager->listener.userdata);
	return r > 0 || has_last;
}

/* Its time is over, on the disk as well: that it can't be written there is no reason to
 * hold it for longer. */
static int on_expiry(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct manager *manager = userdata;
	_cleanup_(cleanup_free)
	char *why = NULL;

	(void)source;
	(void)usec;
	holds_expire(&manager->holds, clock_usec(CLOCK_REALTIME));
	if (keep(manager, &manager->holds, &why) < 0)
		journal_say(LOG_ERR, NULL, "a hold has ended, but: %s", why ? why : "?");
	record(manager,
	       &(struct deed){ .phase = "unheld", .what = "what was held for a time" });
	follow(manager);
	return 0;
}

/* ---- at the start ---- */

int manager_load_holds(struct manager *manager)
{
	_cleanup_(cleanup_free)
	char *note = NULL;
	struct holds holds;
	int r;

	r = holds_load(manager->root_fd, &holds, &note);
	if (r < 0)
		return r;
	if (note)
		journal_say(LOG_ERR, MESSAGE_HELD, "%s", note);
	holds_done(&manager->holds);
	manager->holds = holds;
	holds_expire(&manager->holds, clock_usec(CLOCK_REALTIME));
	return watch_expiry(manager);
}

int manager_reload_holds(struct manager *manager)
{
	int r = manager_load_holds(manager);

	if (r >= 0)
		follow(manager);
	return r;
}

void manager_policy_done(struct manager *manager)
{
	sd_event_source_disable_unref(manager->expiry);
	holds_done(&manager->holds);
}
