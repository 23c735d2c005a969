// SPDX-License-Identifier: LGPL-2.1-or-later
/* The daemon as systemd sees it: signals, readiness, status, watchdog, idleness. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "clock.h"
#include "duration.h"
#include "journal.h"
#include "manager-jobs.h"
#include "service.h"
#include "text.h"

struct service {
	struct manager *manager;
	uint64_t idle_usec;
	char *status;
	sd_event_source *teller;
	sd_event_source *idle;
};

/* ---- status ---- */

char *service_describe(const struct manager *manager)
{
	const struct job *job = manager_get_current(manager);
	char version[TDXUPD_VERSION_TEXT_BYTES] = "", to[TDXUPD_VERSION_TEXT_BYTES] = "";

	if (manager->host->state == TDXUPD_TDX_LIVE)
		tdxupd_version_format(&manager->host->module_version, version);
	if (job && job->has_versions)
		tdxupd_version_format(&job->to, to);
	if (job)
		return text_new("TDX module %s; job %u%s%s: %s", version, job->id,
				*to ? " to " : "", to, job_state_to_string(job->state));
	if (*version)
		return text_new("TDX module %s; idle", version);
	return text_new("TDX is %s", tdxupd_tdx_state_to_string(manager->host->state));
}

/* Before each wait of the loop: whatever has changed, by whomever. */
static int on_turn(sd_event_source *source, void *userdata)
{
	struct service *service = userdata;
	char *status = service_describe(service->manager);

	(void)source;
	if (!status || (service->status && strcmp(status, service->status) == 0)) {
		free(status);
		return 0;
	}
	free(service->status);
	service->status = status;
	(void)sd_notifyf(0, "STATUS=%s", status);
	return 0;
}

/* ---- idleness ---- */

/* Nothing to update and nothing to watch: the next question starts it again. */
static int on_idle(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct service *service = userdata;
	struct manager *manager = service->manager;
	int r;

	(void)usec;
	/* A device that has turned up since starts nobody who runs already. */
	(void)manager_refresh(manager, "external");
	if (manager->host->state != TDXUPD_TDX_ABSENT)
		return 0;
	if (manager->job_count == 0) {
		journal_say(LOG_INFO, NULL, "there is no TDX here; nothing to do");
		manager_stop(manager);
		return 0;
	}
	r = sd_event_source_set_time_relative(source, service->idle_usec);
	return r < 0 ? r : sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static int watch_idleness(struct service *service)
{
	struct manager *manager = service->manager;

	/* Started by hand, it stays until it is told. */
	if (manager->host->state != TDXUPD_TDX_ABSENT || !getenv("NOTIFY_SOCKET"))
		return 0;
	return sd_event_add_time_relative(manager->event, &service->idle, CLOCK_MONOTONIC,
					  service->idle_usec, 0, on_idle, service);
}

/* ---- signals ---- */

static int on_stop(sd_event_source *source, const struct signalfd_siginfo *info,
		   void *userdata)
{
	(void)source;
	(void)sd_notify(0, "STOPPING=1");
	/* Of systemd; by hand, a Ctrl-C is a stop. */
	if (info->ssi_signo == SIGTERM)
		manager_suspend(userdata);
	else
		manager_stop(userdata);
	return 0;
}

static int on_hangup(sd_event_source *source, const struct signalfd_siginfo *info,
		     void *userdata)
{
	_cleanup_(cleanup_free)
	char *why = NULL;
	int r;

	(void)source;
	(void)info;
	/* The time is what Type=notify-reload asks for. */
	(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
			 clock_usec(CLOCK_MONOTONIC));
	r = manager_reload(userdata, &why);
	if (r < 0)
		journal_say(LOG_ERR, MESSAGE_CONFIG_REJECTED,
			    "the configuration stays as it was: %s",
			    why ? why : strerror(-r));
	(void)sd_notify(0, "READY=1");
	return 0;
}

static int add_signals(struct manager *manager)
{
	sd_event *event = manager->event;
	int r;

	r = sd_event_add_signal(event, NULL, SIGTERM, on_stop, manager);
	if (r >= 0)
		r = sd_event_add_signal(event, NULL, SIGINT, on_stop, manager);
	if (r >= 0)
		r = sd_event_add_signal(event, NULL, SIGHUP, on_hangup, manager);
	return r;
}

/* ---- the object ---- */

struct service *service_free(struct service *service)
{
	if (!service)
		return NULL;
	sd_event_source_disable_unref(service->teller);
	sd_event_source_disable_unref(service->idle);
	free(service->status);
	free(service);
	return NULL;
}

int service_new(struct manager *manager, uint64_t idle_usec, struct service **ret)
{
	_cleanup_(cleanup_service)
	struct service *service = calloc(1, sizeof(*service));
	int r;

	if (!service)
		return -ENOMEM;
	service->manager = manager;
	service->idle_usec = idle_usec;
	r = add_signals(manager);
	if (r >= 0)
		r = sd_event_set_watchdog(manager->event, true);
	if (r >= 0)
		r = sd_event_add_post(manager->event, &service->teller, on_turn, service);
	if (r >= 0)
		r = watch_idleness(service);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(service);
	return 0;
}
