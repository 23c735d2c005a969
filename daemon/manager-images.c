// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Images come and go: which one is next then, and AutoUpdate=. What may not be loaded is
 * decided by holds and policy.
 */
#include <errno.h>
#include <malloc.h>
#include <string.h>
#include <sys/inotify.h>

#include "clock.h"
#include "duration.h"
#include "journal.h"
#include "manager-images.h"
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

DEFINE_CLEANUP(struct tdxupd_plan, plan, tdxupd_plan_free)

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

bool manager_find_next(struct manager *manager, struct tdxupd_version *ret)
{
	_cleanup_(cleanup_free)
	char *why = NULL;
	bool has_next;

	(void)plan_next(manager, &has_next, ret, &why);
	return has_next;
}

/* Return: whether the next version is another one than before. */
static bool take_next(struct manager *manager)
{
	struct tdxupd_version next;
	bool has_next = manager_find_next(manager, &next), has_news;

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
	has_news = take_next(manager);
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

void manager_images_done(struct manager *manager)
{
	sd_event_source_disable_unref(manager->images);
	sd_event_source_disable_unref(manager->settler);
}
