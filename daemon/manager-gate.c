// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The manager's gate: its sources, the leases that VMMs hold, those who want no update,
 * and who is told. Whether it is open is decided in gate.c, when launches wait, in
 * barrier.c.
 */
#include <errno.h>
#include <string.h>

#include "clock.h"
#include "duration.h"
#include "fence.h"
#include "journal.h"
#include "manager-gate.h"
#include "job-run.h"
#include "manager-history.h"
#include "manager-jobs.h"
#include "text.h"

/* A host has keys for some hundred TDs: more builds at a time than that are no builds. */
#define LEASES_QUOTA                                                           \
	{                                                                      \
		.per_sender = 128, .per_user = 128, .all = 512, .reserve = 128 \
	}

/* Services and people, not VMs. */
#define INHIBITORS_QUOTA                                                    \
	{                                                                   \
		.per_sender = 16, .per_user = 32, .all = 128, .reserve = 32 \
	}

/* A TD build takes seconds; a VMM that hangs in one must not stop updates for ever. */
#define LEASE_AGE_USEC (15 * 60 * USEC_PER_SEC)

/* ---- the decision ---- */

static bool is_waiting(const struct job *job)
{
	return job && (job->state == JOB_WAITING || job->state == JOB_BACKOFF);
}

/* Between two looks that were called for by nothing but what somebody was shown. */
#define WAKE_USEC (100 * USEC_PER_MSEC)

static int on_wake(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct manager *manager = userdata;

	(void)source;
	(void)usec;
	manager_gate_changed(manager);
	return 0;
}

/*
 * To look takes away what a source had to tell. Whatever was found out for somebody else:
 * a job that would go by it is told. From the event loop, as the job itself may be the
 * one who calls, and not faster than it can be true: what it then finds may be another
 * thing.
 */
static void wake_job(struct manager *manager, const struct job *job)
{
	uint64_t now = clock_usec(CLOCK_MONOTONIC), at = manager->woken_usec + WAKE_USEC;
	struct gate_verdict verdict;

	if (!is_waiting(job))
		return;
	verdict = gate_decide(manager->sources.words, manager->sources.count,
			      job->request.guard, job->has_module_guard);
	if (verdict.decision != GATE_GO)
		return;
	if (at < now)
		at = now;
	manager->woken_usec = at;
	(void)watch_set_alarm(manager->event, &manager->waker, at, on_wake, manager);
}

/* How old the words may be that somebody is shown. */
#define SHOWN_USEC (100 * USEC_PER_MSEC)

static void decide(struct manager *manager)
{
	const struct tdxupd_host *host = manager->host;
	bool has_module_guard =
		host->has_update_guard && host->update_guard == TDXUPD_GUARD_MODULE;

	manager->shown_usec = clock_usec(CLOCK_MONOTONIC);
	sources_read(&manager->sources);
	manager->verdict = gate_decide(manager->sources.words, manager->sources.count,
				       manager->config->guard, has_module_guard);
}

/* For whoever looks; a job that waits decides for itself. */
static void show(struct manager *manager, bool is_news)
{
	const struct manager_listener *listener = &manager->listener;
	enum gate_decision before = manager->verdict.decision;
	uint64_t sum = sources_sum_up(&manager->sources);

	decide(manager);
	wake_job(manager, manager_get_current(manager));
	is_news |= sources_sum_up(&manager->sources) != sum;
	if (is_news && listener->changed)
		listener->changed(listener->userdata);
	if (manager->verdict.decision != before && listener->gate_changed)
		listener->gate_changed(listener->userdata, manager->verdict.decision);
}

/* Nothing tells of what only looking finds, and at rest nobody looks. */
void manager_gate_look(struct manager *manager)
{
	if (!manager->host || manager_is_critical(manager) || manager->is_awaiting ||
	    clock_usec(CLOCK_MONOTONIC) - manager->shown_usec < SHOWN_USEC)
		return;
	show(manager, false);
}

/* The job first: a gap between two builds can be short. */
void manager_gate_changed(struct manager *manager)
{
	struct job *job = manager_get_current(manager);

	if (job)
		job_on_gate(job);
	show(manager, true);
}

static void on_sources_changed(void *userdata)
{
	manager_gate_changed(userdata);
}

/* ---- launches that wait ---- */

static void on_shut(void *userdata, bool is_shut)
{
	struct manager *manager = userdata;
	int r = 0;

	journal_say(LOG_INFO, NULL,
		    is_shut ? "holding launches of TDs until the update is through"
			    : "launches of TDs go again");
	/* What is up comes down, whatever the configuration says by now. */
	if (!is_shut)
		r = fence_lower(manager->root_fd);
	else if (manager->config->drain_method == DRAIN_FENCE)
		r = fence_raise(manager->root_fd, manager->config->drain_slice);
	manager->is_shut = is_shut;
	manager_set_lack(
		manager, LACK_FENCE,
		r < 0 ? text_new("the limit of TDs in %s can't be set (%s): "
				 "launches there are not held for an update; see "
				 "fence.conf in tdxupd.conf(5)",
				 manager->config->drain_slice, strerror(-r))
		      : NULL);
}

bool manager_gate_shut(struct manager *manager)
{
	if (manager->config->drain_method != DRAIN_FENCE || manager->is_shut)
		return false;
	lease_desk_follow(manager->desk, JOB_COMMITTING, false);
	return true;
}

void manager_gate_reopen(struct manager *manager)
{
	lease_desk_follow(manager->desk, JOB_WAITING, false);
}

static void on_expired(void *userdata, const struct lease *lease)
{
	(void)userdata;
	journal_say(LOG_WARNING, MESSAGE_LEASE_EXPIRED,
		    "%s (pid %d) holds its build lease for too long; it counts no more",
		    lease->vm, (int)lease->pid);
}

static struct lease_limits limits_of(const struct config *config)
{
	(void)config;
	return (struct lease_limits){ .quota = LEASES_QUOTA, .age_usec = LEASE_AGE_USEC };
}

static struct barrier_config times_of(const struct config *config)
{
	return (struct barrier_config){ .drain_after_usec = config->drain_after_usec,
					.max_usec = config->barrier_max_usec };
}

void manager_gate_configure(struct manager *manager)
{
	struct lease_limits limits = limits_of(manager->config);
	struct barrier_config times = times_of(manager->config);

	lease_desk_configure(manager->desk, &limits, &times);
	watch_kvm_set_settle(manager->kvm, manager->config->settle_usec);
}

/* ---- those who want no update ---- */

int manager_inhibit(struct manager *manager, const struct inhibitor *wanted,
		    const char *who, const char *why, int *ret_fd)
{
	const struct inhibitor_registry *registry =
		inhibitor_desk_get_registry(manager->inhibitors);
	bool is_ready = inhibitor_is_preparing(registry);
	const struct inhibitor *inhibitor;
	int r;

	/* Whoever is given one believes that it holds. */
	if (manager_is_critical(manager) || (wanted->mode == INHIBITOR_DELAY && is_ready))
		return -EBUSY;
	r = inhibitor_desk_take(manager->inhibitors, wanted, who, why, ret_fd);
	if (r < 0)
		return r;
	inhibitor = inhibitor_get(registry, inhibitor_count(registry) - 1);
	journal_say(LOG_INFO, NULL, "%s (uid %u, pid %d) may %s updates: %s",
		    inhibitor->who, (unsigned)inhibitor->uid, (int)inhibitor->pid,
		    inhibitor_mode_to_string(inhibitor->mode), inhibitor->why);
	return 0;
}

/* From the first time that the current job waits to its end. */
static void follow_preparation(struct manager *manager, const struct job *current)
{
	const struct manager_listener *listener = &manager->listener;
	bool is_over = !current || current->state == JOB_QUEUED;
	bool is_news = false;

	if (is_waiting(current))
		is_news = inhibitor_desk_prepare(manager->inhibitors,
						 manager->config->inhibit_delay_max_usec);
	else if (is_over)
		is_news = inhibitor_desk_rest(manager->inhibitors);
	if (is_news && listener->prepare)
		listener->prepare(listener->userdata, !is_over);
}

/* One job at a time; those that queue have no say in it, nor has their end. */
void manager_gate_follow(struct manager *manager, const struct job *job)
{
	const struct job *current = manager_get_current(manager);

	sources_attend(&manager->sources, is_waiting(current));
	follow_preparation(manager, current);
	/* A gap that nobody may use is no reason to hold launches. */
	if (is_waiting(current) && inhibitor_desk_is_closed(manager->inhibitors))
		lease_desk_rest(manager->desk);
	else if (current && current->state != JOB_QUEUED)
		lease_desk_follow(manager->desk, current->state, current->request.drain);
	else if (job_state_is_end(job->state))
		lease_desk_follow(manager->desk, job->state, false);
	/* What it waits for may be older than what was shown last. */
	if (is_waiting(current))
		show(manager, true);
}

/* ---- the sources ---- */

static int new_kernel(struct manager *manager, struct watch **ret)
{
	return watch_kernel_new(manager->root_fd, ret);
}

static int new_probes(struct manager *manager, struct watch **ret)
{
	return watch_probes_new(manager->root_fd, ret);
}

static int new_leases(struct manager *manager, struct watch **ret)
{
	return watch_leases_new(manager->desk, ret);
}

static int new_inhibitors(struct manager *manager, struct watch **ret)
{
	return watch_inhibitors_new(manager->inhibitors, ret);
}

static int new_population(struct manager *manager, struct watch **ret)
{
	return watch_population_new(manager->root_fd, ret);
}

static int new_kvm(struct manager *manager, struct watch **ret)
{
	int r = watch_kvm_new(manager->root_fd, manager->config->settle_usec, ret);

	if (r == 0)
		manager->kvm = *ret;
	return r;
}

/* As they are shown; fallbacks last. */
static int (*const sources[])(struct manager *manager, struct watch **ret) = {
	new_kernel, new_probes, new_leases, new_inhibitors, new_population, new_kvm,
};

static int add_sources(struct manager *manager)
{
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		struct watch *watch;
		int r = sources[i](manager, &watch);

		if (r == 0)
			r = sources_add(&manager->sources, watch);
		if (r < 0)
			return r;
	}
	return 0;
}

int manager_gate_init(struct manager *manager)
{
	struct lease_limits limits = limits_of(manager->config);
	struct barrier_config times = times_of(manager->config);
	struct lease_desk_listener listener = { on_shut, on_expired, manager };
	struct inhibitor_limits inhibitors = { .quota = INHIBITORS_QUOTA };
	int r;

	/* A daemon that died while the fence was up. */
	r = fence_lower(manager->root_fd);
	if (r < 0)
		journal_say(LOG_WARNING, NULL, "%s: %s", FENCE_PATH, strerror(-r));
	r = lease_desk_new(manager->event, &limits, &times, &manager->desk);
	if (r < 0)
		return r;
	lease_desk_set_listener(manager->desk, &listener);
	r = inhibitor_desk_new(manager->event, &inhibitors, &manager->inhibitors);
	if (r < 0)
		return r;
	manager->verdict.decision = GATE_UNDECIDED; /* before the first look */
	manager->sources.changed = on_sources_changed;
	manager->sources.userdata = manager;
	return add_sources(manager);
}

void manager_gate_done(struct manager *manager)
{
	manager->waker = sd_event_source_disable_unref(manager->waker);
	sources_done(&manager->sources);
	manager->desk = lease_desk_free(manager->desk);
	manager->inhibitors = inhibitor_desk_free(manager->inhibitors);
	/* Whoever did not get the lock has raised none: it is another's. */
	if (manager->lock.fd >= 0)
		(void)fence_lower(manager->root_fd);
}
