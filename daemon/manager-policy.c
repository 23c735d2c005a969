// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the administrator wants without being asked each time: holds and the pin. What a
 * single request wants is the job's, what to do when images come and go manager-images's.
 */
#include <errno.h>
#include <string.h>

#include "clock.h"
#include "duration.h"
#include "journal.h"
#include "manager-history.h"
#include "manager-jobs.h"
#include "manager-policy.h"
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

/* What is held has changed: write it down and let the configuration follow. */
static int settle_holds(struct manager *manager, char **ret_why)
{
	int r;

	r = holds_save(manager->root_fd, &manager->holds);
	if (r < 0) {
		*ret_why = text_new("/" STATE_DIR "/" HOLDS_FILE ": %s", strerror(-r));
		return r;
	}
	r = watch_expiry(manager);
	return r < 0 ? r : manager_reload(manager, ret_why);
}

static int on_expiry(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct manager *manager = userdata;
	_cleanup_(cleanup_free)
	char *why = NULL;

	(void)source;
	(void)usec;
	holds_expire(&manager->holds, clock_usec(CLOCK_REALTIME));
	if (settle_holds(manager, &why) < 0)
		journal_say(LOG_ERR, NULL, "a hold has ended, but: %s", why ? why : "?");
	return 0;
}

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

/* @what: whom it is about. @reason may be NULL. */
static void record(struct manager *manager, const char *phase, const char *what,
		   const char *reason)
{
	_cleanup_(cleanup_free)
	char *detail = reason && *reason ? text_new("%s: %s", what, reason) : NULL;

	manager_record(manager, phase, NULL, detail ? detail : what);
}

int manager_hold(struct manager *manager, const struct hold *hold, char **ret_why)
{
	struct hold copy = *hold;
	int r;

	copy.since_usec = clock_usec(CLOCK_REALTIME);
	r = holds_add(&manager->holds, &copy);
	if (r < 0)
		return r;
	journal_say(LOG_NOTICE, MESSAGE_HELD, "updates to %s are held: %s", hold->what,
		    hold->reason ? hold->reason : "");
	r = settle_holds(manager, ret_why);
	if (r < 0)
		return r;
	/* After it is kept: a crash in between is seen by what the history ends in. */
	record(manager, "held", hold->what, hold->reason);
	return 0;
}

int manager_unhold(struct manager *manager, const char *what, char **ret_why)
{
	int r = holds_remove(&manager->holds, what);

	if (r < 0)
		return r;
	r = settle_holds(manager, ret_why);
	if (r == 0)
		record(manager, "unheld", what, NULL);
	else /* what the file says still holds */
		(void)manager_load_holds(manager);
	return r;
}

int manager_reset_failed(struct manager *manager, char **ret_why)
{
	int r;

	manager->forgiven_id = manager->last_id;
	/* What was cut off or given up has failed, too. */
	if (!holds_forgive(&manager->holds) && !manager->is_unsettled) {
		if (manager->listener.changed)
			manager->listener.changed(manager->listener.userdata);
		return 0;
	}
	r = settle_holds(manager, ret_why);
	if (r == 0) {
		record(manager, "unheld", "what failed", NULL);
		manager->is_unsettled = false;
	} else { /* what the file says still holds */
		(void)manager_load_holds(manager);
	}
	return r;
}

int manager_pin(struct manager *manager, const struct tdxupd_version *version,
		const char *reason, char **ret_why)
{
	char text[TDXUPD_VERSION_TEXT_BYTES];
	int r = holds_pin(&manager->holds, version, reason, clock_usec(CLOCK_REALTIME));

	if (r < 0)
		return r;
	tdxupd_version_format(version, text);
	journal_say(LOG_NOTICE, MESSAGE_PINNED, "version %s is pinned: %s", text,
		    reason ? reason : "");
	record(manager, "pinned", text, reason);
	return settle_holds(manager, ret_why);
}

int manager_unpin(struct manager *manager, char **ret_why)
{
	char text[TDXUPD_VERSION_TEXT_BYTES];
	int r;

	tdxupd_version_format(&manager->holds.pin.version, text);
	r = holds_unpin(&manager->holds);
	if (r < 0)
		return r;
	r = settle_holds(manager, ret_why);
	if (r == 0)
		record(manager, "unpinned", text, NULL);
	else
		(void)manager_load_holds(manager);
	return r;
}

enum failure manager_forbids(const struct manager *manager,
			     const struct job_request *request, char **ret_detail)
{
	const struct tdxupd_version *target =
		request->has_target ? &request->target : NULL;
	const struct hold *hold = holds_find(&manager->holds, target);
	const struct pin *pin = &manager->holds.pin;
	char text[TDXUPD_VERSION_TEXT_BYTES];

	if (hold) {
		*ret_detail = text_new("%s is held: %s", hold->what, hold->reason);
		return FAILURE_HELD;
	}
	if (pin->is_set && target && tdxupd_version_compare(target, &pin->version) != 0) {
		*ret_detail =
			text_new("%s is pinned: %s",
				 tdxupd_version_format(&pin->version, text), pin->reason);
		return FAILURE_PINNED;
	}
	return FAILURE_NONE;
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

	tdxupd_version_format(version, text);
	if (manager_hold(manager, &hold, &why) < 0)
		journal_say(LOG_ERR, MESSAGE_HELD, "%s could not be held for good: %s",
			    text, why ? why : "?");
}

void manager_hold_failed(struct manager *manager, const struct job *job)
{
	if (job->outcome == TDXUPD_OUTCOME_REFUSED ||
	    job->outcome == TDXUPD_OUTCOME_MISMATCH ||
	    job->outcome == TDXUPD_OUTCOME_LOST)
		manager_hold_version(manager, job->id, &job->step_to, job->detail);
}

void manager_policy_done(struct manager *manager)
{
	sd_event_source_disable_unref(manager->expiry);
	holds_done(&manager->holds);
}
