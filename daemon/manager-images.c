// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Images come and go: which one is next then, and AutoUpdate=. What may not be loaded is
 * decided by holds and policy.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "clock.h"
#include "duration.h"
#include "journal.h"
#include "manager-images.h"
#include "manager-jobs.h"
#include "manager-policy.h"
#include "manager-read.h"
#include "reader.h"

/* A package manager writes a dozen files one after the other. */
#define SETTLE_USEC (2 * USEC_PER_SEC)

DEFINE_CLEANUP(struct tdxupd_plan, plan, tdxupd_plan_free)
DEFINE_CLEANUP(struct tdxupd_catalog, catalog, tdxupd_catalog_free)

static int on_settled(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct manager *manager = userdata;

	(void)source;
	(void)usec;
	manager->settler = sd_event_source_disable_unref(manager->settler);
	manager_replan(manager, true);
	return 0;
}

/* Return: whether there was anything to be read. */
static bool drain(int fd)
{
	char unread[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	bool has_any = false;

	while (fd >= 0 && read(fd, unread, sizeof(unread)) > 0)
		has_any = true;
	return has_any;
}

/* Each event starts the wait afresh: what counts is the last. What it was is read again
 * in any case. */
static int on_images(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct manager *manager = userdata;

	(void)source;
	(void)events;
	(void)drain(fd);
	manager->settler = sd_event_source_disable_unref(manager->settler);
	return sd_event_add_time_relative(manager->event, &manager->settler,
					  CLOCK_MONOTONIC, SETTLE_USEC, 0, on_settled,
					  manager);
}

static void unwatch_images(struct manager *manager)
{
	manager->images = sd_event_source_disable_unref(manager->images);
	if (manager->watch_fd >= 0)
		close(manager->watch_fd);
	manager->watch_fd = -1;
}

/* An instance of its own for each look: what an earlier one has put there is gone. Where
 * there is none, the next look is as good. */
static void watch_images(struct manager *manager)
{
	unwatch_images(manager);
	manager->watch_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (manager->watch_fd >= 0 &&
	    sd_event_add_io(manager->event, &manager->images, manager->watch_fd, EPOLLIN,
			    on_images, manager) < 0)
		unwatch_images(manager);
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

/* What an update without a target would lead to. */
struct prospect {
	bool has_next;
	struct tdxupd_version next;
	struct tdxupd_digest signer;
};

static int look_ahead(struct manager *manager, const struct tdxupd_catalog *catalog,
		      struct prospect *ret)
{
	_cleanup_(cleanup_plan)
	struct tdxupd_plan *plan = NULL;
	struct job_request request;
	int r;

	*ret = (struct prospect){ 0 };
	job_request_init(&request, manager->config);
	r = manager_plan(manager, &request, catalog, &plan);
	if (r < 0 || plan->result != TDXUPD_PLAN_UPDATE)
		return r;
	ret->has_next = true;
	ret->next = plan->to;
	ret->signer =
		plan->candidates[plan->steps[plan->step_count - 1]].entry->image->signer;
	return 0;
}

static bool is_news(const struct manager *manager, const struct prospect *prospect)
{
	return prospect->has_next &&
	       (!manager->has_next ||
		tdxupd_version_compare(&manager->next, &prospect->next) != 0);
}

int manager_check_new(struct manager *manager, const struct tdxupd_catalog *catalog,
		      bool *ret_has, struct tdxupd_version *ret)
{
	struct prospect prospect;
	int r = look_ahead(manager, catalog, &prospect);

	if (r < 0)
		return r;
	/* What follows from news is the same, however they came; but a question begins
	 * nothing again that was cut off or given up. */
	if (prospect.has_next != manager->has_next || is_news(manager, &prospect))
		(void)manager_replan_later(manager, !manager->is_unsettled);
	*ret_has = prospect.has_next;
	*ret = prospect.next;
	return 0;
}

bool manager_find_next(struct manager *manager, struct tdxupd_version *ret)
{
	_cleanup_(cleanup_catalog)
	struct tdxupd_catalog *catalog = NULL;
	struct prospect prospect;

	if (manager_read_catalog_now(manager, &catalog) < 0 ||
	    look_ahead(manager, catalog, &prospect) < 0)
		return false;
	*ret = prospect.next;
	return prospect.has_next;
}

static void tell_next(const struct manager *manager)
{
	char from[TDXUPD_VERSION_TEXT_BYTES], to[TDXUPD_VERSION_TEXT_BYTES];

	tdxupd_version_format(&manager->host->module_version, from);
	tdxupd_version_format(&manager->next, to);
	journal_say_module(LOG_NOTICE, MESSAGE_AVAILABLE, from, to,
			   "TDX module %s is there, sound and fits", to);
}

/* An image that leads elsewhere is a reason of its own. */
static bool may_begin(struct manager *manager)
{
	if (!manager->has_unsettled_to ||
	    tdxupd_version_compare(&manager->next, &manager->unsettled_to) != 0)
		manager->is_unsettled = false;
	return !manager->is_unsettled;
}

static void take_next(struct manager *manager, const struct prospect *prospect)
{
	bool has_news = is_news(manager, prospect);

	manager->has_next = prospect->has_next;
	manager->next = prospect->next;
	manager->next_signer = prospect->signer;
	if (has_news && manager->config->auto_update != AUTO_UPDATE_OFF)
		tell_next(manager);
	/* One job at a time; what turns up during one has its turn afterwards. */
	if (manager_get_current(manager))
		manager->may_apply |= has_news;
	else if (manager->has_next && manager->will_apply &&
		 manager->config->auto_update == AUTO_UPDATE_APPLY && may_begin(manager))
		start_auto_update(manager);
	manager->will_apply = false;
	if (manager->listener.changed)
		manager->listener.changed(manager->listener.userdata);
}

/* The worker that has read the images has put the watches there. */
static void look_at_watches(struct manager *manager)
{
	char path[64], text[256] = "";
	_cleanup_(cleanup_close)
	int fd = -1;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", manager->watch_fd);
	if (manager->watch_fd >= 0)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 &&
	    strstr(text, "inotify wd:"))
		manager_set_lack(manager, LACK_IMAGES, NULL);
	else
		manager_set_lack(manager, LACK_IMAGES,
				 strdup("no inotify to be had for the images: those that "
					"come are noticed only by `tdxupdctl update` or "
					"a reload, AutoUpdate= does nothing by itself; "
					"raise fs.inotify.max_user_instances and "
					"max_user_watches"));
}

static void on_catalog(void *userdata, int r, struct tdxupd_catalog **catalog,
		       const char *why)
{
	struct manager *manager = userdata;
	struct prospect prospect = { 0 };

	if (r == WORKER_HUNG || r == READER_STUCK)
		journal_say(LOG_WARNING, NULL, "the images can't be read: %s",
			    why ? why : strerror(-r));
	/* No images are a host's good right; then nothing is next. */
	if (r == 0)
		(void)look_ahead(manager, *catalog, &prospect);
	take_next(manager, &prospect);
	look_at_watches(manager);
	/* What it took is the host's until the next look. */
	*catalog = tdxupd_catalog_free(*catalog);
	malloc_trim(0);
}

void manager_replan(struct manager *manager, bool may_apply)
{
	/* What has changed is read now, and nothing tells of it again. */
	bool has_mounts = manager_mounts_look(manager);
	bool has_images = drain(manager->watch_fd);

	manager->will_apply =
		manager->will_apply || may_apply || has_mounts || has_images;
	watch_images(manager);
	manager_drop_reading(manager, manager);
	if (manager_watch_catalog(manager, manager->watch_fd, on_catalog, manager) < 0)
		(void)manager_replan_later(manager, false);
}

void manager_images_done(struct manager *manager)
{
	manager_drop_reading(manager, manager);
	unwatch_images(manager);
	sd_event_source_disable_unref(manager->settler);
}
