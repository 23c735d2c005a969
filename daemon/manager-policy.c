// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the administrator wants without being asked each time: holds, and what to do when
 * images come and go. What a single request wants is the job's.
 */
#include <errno.h>
#include <malloc.h>
#include <string.h>
#include <sys/inotify.h>

#include "clock.h"
#include "duration.h"
#include "journal.h"
#include "manager-history.h"
#include "manager-jobs.h"
#include "manager-policy.h"
#include "text.h"

/* A package manager writes a dozen files one after the other. */
#define SETTLE_USEC (2 * USEC_PER_SEC)

#define IMAGE_EVENTS                                                            \
	(IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | \
	 IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)
#define PARENT_EVENTS \
	(IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)

/* Of a job's own words in the reason of a hold. */
#define FAILED_BYTES_MAX (HOLDS_REASON_BYTES_MAX - 32)

DEFINE_CLEANUP(struct tdxupd_plan, plan, tdxupd_plan_free)

/* ---- holds ---- */

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
	if (!holds_forgive(&manager->holds)) {
		if (manager->listener.changed)
			manager->listener.changed(manager->listener.userdata);
		return 0;
	}
	r = settle_holds(manager, ret_why);
	if (r == 0)
		record(manager, "unheld", "what failed", NULL);
	else /* what the file says still holds */
		(void)manager_load_holds(manager);
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

/* ---- images ---- */

static int on_settled(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct manager *manager = userdata;

	(void)source;
	(void)usec;
	manager->settler = sd_event_source_disable_unref(manager->settler);
	manager_replan(manager, true);
	return 0;
}

/* Each event starts the wait afresh: what counts is the last. */
static int on_images(sd_event_source *source, const struct inotify_event *event,
		     void *userdata)
{
	struct manager *manager = userdata;

	(void)source;
	(void)event;
	manager->settler = sd_event_source_disable_unref(manager->settler);
	return sd_event_add_time_relative(manager->event, &manager->settler,
					  CLOCK_MONOTONIC, SETTLE_USEC, 0, on_settled,
					  manager);
}

static bool watch_directory(struct manager *manager, const char *path, uint32_t events)
{
	manager->images = sd_event_source_disable_unref(manager->images);
	return sd_event_add_inotify(manager->event, &manager->images, path, events,
				    on_images, manager) >= 0;
}

/* Of a directory that is not there, the nearest that is: the first package with images
 * makes it. */
static void watch_images(struct manager *manager)
{
	const char *root = strcmp(manager->root, "/") ? manager->root : "";
	_cleanup_(cleanup_free)
	char *path = text_new("%s%s", root, manager->config->images);
	_cleanup_(cleanup_free)
	char *parent = text_new("%s", path ? path : "");
	char *slash;

	if (!path || !parent || watch_directory(manager, path, IMAGE_EVENTS))
		return;
	while ((slash = strrchr(parent, '/')) && slash >= parent + strlen(root)) {
		*slash = '\0';
		if (watch_directory(manager, *parent ? parent : "/", PARENT_EVENTS))
			break;
	}
	/* It may have come before somebody looked. */
	if (access(path, F_OK) == 0)
		(void)watch_directory(manager, path, IMAGE_EVENTS);
}

static void start_auto_update(struct manager *manager)
{
	_cleanup_(cleanup_free)
	char *detail = NULL;
	struct job_request request;
	struct job *job;

	job_request_init(&request, manager->config);
	if (manager_forbids(manager, &request, &detail) != FAILURE_NONE)
		return;
	request.caller = strdup("AutoUpdate=apply");
	if (manager_add_job(manager, &request, &job) == 0)
		journal_say(LOG_NOTICE, NULL, "job %u: a newer image has turned up",
			    job->id);
	job_request_done(&request);
}

/* Images are read anew for each plan; what they took until then is the host's. */
static void put_images_away(struct manager *manager)
{
	manager->catalog = tdxupd_catalog_free(manager->catalog);
	malloc_trim(0);
}

/* What an update without a target would lead to. */
static int plan_next(struct manager *manager, bool *ret_has, struct tdxupd_version *ret,
		     char **ret_why)
{
	_cleanup_(cleanup_plan)
	struct tdxupd_plan *plan = NULL;
	struct job_request request;
	int r;

	job_request_init(&request, manager->config);
	r = manager_plan(manager, &request, &plan, ret_why);
	*ret_has = r == 0 && plan->result == TDXUPD_PLAN_UPDATE;
	if (*ret_has)
		*ret = plan->to;
	plan = tdxupd_plan_free(plan);
	put_images_away(manager);
	return r;
}

static bool is_news(const struct manager *manager, bool has_next,
		    const struct tdxupd_version *next)
{
	return has_next &&
	       (!manager->has_next || tdxupd_version_compare(&manager->next, next) != 0);
}

int manager_check_new(struct manager *manager, bool *ret_has, struct tdxupd_version *ret,
		      char **ret_why)
{
	int r = plan_next(manager, ret_has, ret, ret_why);

	/* What follows from news is the same, however they came. */
	if (r == 0 && (*ret_has != manager->has_next || is_news(manager, *ret_has, ret)))
		(void)manager_replan_later(manager, true);
	return r;
}

/* Return: whether the next version is another one than before. */
static bool find_next(struct manager *manager)
{
	_cleanup_(cleanup_free)
	char *why = NULL;
	struct tdxupd_version next;
	bool has_next, has_news;

	(void)plan_next(manager, &has_next, &next, &why);
	has_news = is_news(manager, has_next, &next);
	manager->has_next = has_next;
	if (has_next)
		manager->next = next;
	return has_news;
}

static void tell_next(const struct manager *manager)
{
	char from[TDXUPD_VERSION_TEXT_BYTES], to[TDXUPD_VERSION_TEXT_BYTES];

	tdxupd_version_format(&manager->host->module_version, from);
	tdxupd_version_format(&manager->next, to);
	journal_say_module(LOG_NOTICE, MESSAGE_AVAILABLE, from, to,
			   "TDX module %s is there, sound and fits", to);
}

void manager_replan(struct manager *manager, bool may_apply)
{
	bool has_news;

	watch_images(manager);
	has_news = find_next(manager);
	if (has_news && manager->config->auto_update != AUTO_UPDATE_OFF)
		tell_next(manager);
	/* One job at a time; what turns up during one has its turn afterwards. */
	if (manager_get_current(manager))
		manager->may_apply |= has_news;
	else if (manager->has_next && may_apply &&
		 manager->config->auto_update == AUTO_UPDATE_APPLY)
		start_auto_update(manager);
	if (manager->listener.changed)
		manager->listener.changed(manager->listener.userdata);
}

void manager_policy_done(struct manager *manager)
{
	sd_event_source_disable_unref(manager->images);
	sd_event_source_disable_unref(manager->settler);
	sd_event_source_disable_unref(manager->expiry);
	holds_done(&manager->holds);
}
