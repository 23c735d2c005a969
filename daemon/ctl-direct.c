// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * tdxupdctl update --direct: the daemon's manager in this process, for a host without a
 * bus. The same lock, checks, gate and history; only whoever asks is another.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "clock.h"
#include "ctl-bus.h"
#include "ctl-direct.h"
#include "ctl-job-show.h"
#include "ctl-reasons.h"
#include "describe.h"
#include "duration.h"
#include "job-run.h"
#include "journal.h"
#include "json.h"
#include "manager-jobs.h"
#include "manager-policy.h"

/* @id: of our job, 0 before there is one. @code: what it deserves, once it has ended. */
struct direct {
	struct ctl *ctl;
	struct manager *manager;
	struct ctl_progress progress;
	uint32_t id;
	int code;
};

/* ---- what the manager tells ---- */

static void on_job_changed(void *userdata, struct job *job)
{
	struct direct *direct = userdata;
	_cleanup_(cleanup_json)
	struct json_object *json = NULL;
	bool has_ended = false;

	if (job->id != direct->id)
		return;
	if (describe_job(job, &json) < 0)
		direct->code = ctl_fail_memory(direct->ctl);
	else
		direct->code =
			ctl_job_show(direct->ctl, &direct->progress, json, &has_ended);
	if (has_ended)
		manager_stop(direct->manager);
}

static int on_interrupt(sd_event_source *source, const struct signalfd_siginfo *info,
			void *userdata)
{
	struct direct *direct = userdata;
	struct job *job = manager_find_job(direct->manager, direct->id);

	(void)source;
	(void)info;
	/* Whoever sits there does not want it any more; what is committed ends first. */
	if (job && !job_state_is_end(job->state))
		(void)job_cancel(job);
	manager_stop(direct->manager);
	return 0;
}

/* What forbids counts here as well as in the daemon. Nobody else is there to be told of a
 * hold, so holds.json is read again too; and whoever asked is told when it counts. */
static int on_hangup(sd_event_source *source, const struct signalfd_siginfo *info,
		     void *userdata)
{
	struct direct *direct = userdata;
	_cleanup_(cleanup_free)
	char *why = NULL;
	_cleanup_(cleanup_free)
	char *late = NULL;
	int r = manager_reload_holds(direct->manager);

	(void)source;
	(void)info;
	if (r >= 0)
		r = manager_reload(direct->manager, &why);
	late = manager_describe_late(direct->manager);
	if (r < 0)
		fprintf(stderr, "tdxupdctl: the configuration stays as it was: %s\n",
			why ? why : strerror(-r));
	else
		fprintf(stderr,
			"tdxupdctl: what tdxupd.conf and holds.json say now counts%s%s\n",
			late ? "; " : "", late ? late : "");
	return 0;
}

/* ---- asking ---- */

static int fill_request(struct ctl *ctl, const char *target, struct job_request *ret)
{
	uint64_t usec, now = clock_usec(CLOCK_MONOTONIC);

	if (*target) {
		ret->has_target = ret->is_target_named = true;
		if (tdxupd_version_parse(target, &ret->target) < 0)
			return ctl_fail(ctl, CTL_EXIT_USAGE, "usage",
					"\"%s\" is no version such as 1.5.16", target);
	}
	if (ctl->deadline && duration_parse(ctl->deadline, &usec) < 0)
		return ctl_fail(ctl, CTL_EXIT_USAGE, "usage",
				"--deadline is a time such as 90, 5min or 1h 30min, not "
				"\"%s\"",
				ctl->deadline);
	if (ctl->deadline)
		ret->deadline_usec =
			usec < USEC_INFINITY - now ? now + usec : USEC_INFINITY;
	if (ctl->guard && (int)(ret->guard = gate_policy_from_string(ctl->guard)) < 0)
		return ctl_fail(ctl, CTL_EXIT_USAGE, "usage",
				"--guard is strict, observed or off");
	ret->has_strategy = ctl->strategy;
	if (ctl->strategy &&
	    (int)(ret->strategy = tdxupd_strategy_from_string(ctl->strategy)) < 0)
		return ctl_fail(ctl, CTL_EXIT_USAGE, "usage",
				"--strategy is fewest or smallest");
	if (ctl->plan_id && strlen(ctl->plan_id) != sizeof(ret->plan_id) - 1)
		return ctl_fail(ctl, CTL_EXIT_USAGE, "usage", "--plan-id is no plan's");
	strcpy(ret->plan_id, ctl->plan_id ? ctl->plan_id : "");
	ret->drain = ctl->is_drain;
	return CTL_EXIT_OK;
}

static int ask(struct direct *direct, const char *target)
{
	struct manager *manager = direct->manager;
	struct job_request request;
	_cleanup_(cleanup_free)
	char *detail = NULL;
	enum failure failure;
	char reason[64];
	struct job *job;
	int r;

	job_request_init(&request, manager->config);
	r = fill_request(direct->ctl, target, &request);
	if (r)
		return r;
	failure = manager_refuses(manager, &request, &detail);
	if (failure != FAILURE_NONE) {
		ctl_bus_error_to_reason(failure_to_string(failure), reason,
					sizeof(reason));
		return ctl_fail_text(direct->ctl, ctl_exit_from_failure(failure), reason,
				     detail ? detail : "out of memory");
	}
	request.caller = strdup("tdxupdctl --direct");
	r = manager_add_job(manager, &request, &job);
	job_request_done(&request);
	if (r < 0)
		return ctl_fail(direct->ctl, CTL_EXIT_FAILURE, "failure", "%s",
				strerror(-r));
	direct->id = job->id;
	return CTL_EXIT_OK;
}

/* ---- running ---- */

static int fail_start(struct ctl *ctl, int r, const char *why)
{
	if (r == -EWOULDBLOCK)
		return ctl_fail(ctl, CTL_EXIT_FAILURE, "busy",
				"tdxupdd is at work on this host; leave --direct out");
	if (r == -EACCES || r == -EPERM)
		return ctl_fail(ctl, CTL_EXIT_NOT_AUTHORISED, "access-denied",
				"only root can update this host: %s",
				why ? why : strerror(-r));
	return ctl_fail_text(ctl, r == -EBADMSG ? CTL_EXIT_CONFIG : CTL_EXIT_FAILURE,
			     r == -EBADMSG ? "config-invalid" : "failure",
			     why ? why : strerror(-r));
}

static int add_signals(struct direct *direct)
{
	static const struct {
		int number;
		sd_event_signal_handler_t handler;
	} signals[] = {
		{ SIGINT, on_interrupt },
		{ SIGTERM, on_interrupt },
		{ SIGHUP, on_hangup },
	};
	sigset_t mask;
	int r = 0;

	sigemptyset(&mask);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaddset(&mask, signals[i].number);
	if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
		return -errno;
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(signals); i++)
		r = sd_event_add_signal(direct->manager->event, NULL, signals[i].number,
					signals[i].handler, direct);
	return r;
}

static int run(struct direct *direct, sd_event *event, const char *target)
{
	_cleanup_(cleanup_manager)
	struct manager *manager = NULL;
	_cleanup_(cleanup_free)
	char *why = NULL;
	int r;

	r = manager_new(event, direct->ctl->root, MANAGER_AWAIT_USEC, &manager, &why);
	if (r < 0)
		return fail_start(direct->ctl, r, why);
	direct->manager = manager;
	manager->listener = (struct manager_listener){
		.job_changed = on_job_changed,
		.userdata = direct,
	};
	r = add_signals(direct);
	while (r >= 0 && manager->is_awaiting && !manager->context.is_stopping)
		r = sd_event_run(event, UINT64_MAX);
	if (r < 0)
		return fail_start(direct->ctl, r, NULL);
	r = ask(direct, target);
	if (r)
		return r;
	r = sd_event_loop(event);
	return r < 0 ? fail_start(direct->ctl, r, NULL) : direct->code;
}

int ctl_direct_update(struct ctl *ctl, const char *target)
{
	struct direct direct = { .ctl = ctl, .code = CTL_EXIT_FAILURE };
	struct job_request mistyped = { 0 };
	sd_event *event = NULL;
	int r = fill_request(ctl, target, &mistyped);

	/* Before anything is touched. */
	if (r)
		return r;
	journal_be_silent();
	r = sd_event_new(&event);
	if (r < 0)
		return fail_start(ctl, r, NULL);
	ctl_progress_init(&direct.progress);
	r = run(&direct, event, target);
	ctl_progress_done(&direct.progress);
	sd_event_unref(event);
	return r;
}
