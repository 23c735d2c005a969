// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * TD builds as our own tracefs probes see them: exact from the moment on at which it is
 * known that no TD from before the probes is under build. Whenever events may have been
 * lost, that moment has to come again.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "build-tracker.h"
#include "clock.h"
#include "kvm-stats.h"
#include "population.h"
#include "probe-reader.h"
#include "tdxupd.h"
#include "tracefs.h"
#include "watch.h"

/* How often to look, while somebody waits, at what wakes nobody: VMs that have run by
 * now, and probes that somebody has switched off. */
#define LOOK_USEC 1000000

/*
 * @why: what kept the probes from being placed
 * @elders: VMs that there were after the last doubt and that have not run since
 * @doubts: how many there were when @elders was taken
 */
struct watch_probes {
	struct watch base;
	int root_fd;
	sd_event *event;
	sd_event_source *source;
	sd_event_source *timer;
	bool is_awaited;
	char why[TRACEFS_WHY_BYTES];
	struct tracefs tracefs;
	struct probe_reader reader;
	struct build_tracker *tracker;
	uint64_t misses;
	bool has_elders;
	unsigned long doubts;
	struct kvm_vms elders;
};

static struct watch_probes *from_base(struct watch *watch)
{
	return (struct watch_probes *)watch; /* the head comes first */
}

static void disarm(struct watch_probes *probes, const char *why)
{
	snprintf(probes->why, sizeof(probes->why), "%s", why);
	probes->source = sd_event_source_disable_unref(probes->source);
	tracefs_close(&probes->tracefs);
	kvm_vms_done(&probes->elders);
	probes->has_elders = false;
	probes->reader = (struct probe_reader){ 0 };
}

static bool is_armed(const struct watch_probes *probes)
{
	return probes->source;
}

/* ---- what happened ---- */

/* Misses are looked at after the events: a call that is not in these is in those. */
static void drain(struct watch_probes *probes)
{
	uint64_t misses;
	int r = probe_reader_drain(&probes->reader, probes->tracefs.pipe_fd,
				   probes->tracker);

	if (r >= 0)
		r = tracefs_read_misses(&probes->tracefs, &misses);
	if (r < 0) {
		build_tracker_doubt(probes->tracker, "the probes were taken away");
		disarm(probes, "the probes were taken away");
		return;
	}
	if (misses != probes->misses)
		build_tracker_doubt(probes->tracker, "the kernel missed calls");
	probes->misses = misses;
}

/* Not drained here: whoever is told asks, and each system call before a commit counts. */
static int on_event(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct watch_probes *probes = userdata;

	(void)source;
	(void)fd;
	(void)events;
	watch_notify(&probes->base);
	return 0;
}

/* ---- doubt ---- */

/* The list is good only if it is younger than the doubt: a TD initialised before the
 * doubt has its VM in it, one initialised later is seen. */
static int take_elders(struct watch_probes *probes)
{
	unsigned long doubts = build_tracker_count_doubts(probes->tracker);
	int r;

	if (probes->has_elders && probes->doubts == doubts)
		return 0;
	kvm_vms_done(&probes->elders);
	probes->has_elders = false;
	r = kvm_vms_list(probes->root_fd, &probes->elders);
	if (r < 0)
		return r;
	probes->has_elders = true;
	probes->doubts = doubts;
	return 0;
}

/* No TD at all, or each VM from before has run or is gone. */
static void try_to_settle(struct watch_probes *probes, struct gate_source *ret)
{
	const char *doubt = build_tracker_get_doubt(probes->tracker);
	uint64_t count;
	int r;

	if (population_read(probes->root_fd, &count) == 0 && count == 0) {
		build_tracker_settle(probes->tracker, clock_usec(CLOCK_MONOTONIC));
		return;
	}
	r = take_elders(probes);
	if (r == 0)
		r = kvm_vms_drop_run(probes->root_fd, &probes->elders);
	if (r < 0)
		watch_say_unknown(ret, "%s; VMs in debugfs: %s", doubt, strerror(-r));
	else if (probes->elders.count)
		watch_say_unknown(ret, "%s; VM %s has not run yet", doubt,
				  probes->elders.names[0]);
	else
		build_tracker_settle(probes->tracker, clock_usec(CLOCK_MONOTONIC));
}

/* ---- the watch ---- */

/* With the same probes, but in the kernel, where no event is lost. */
static bool does_kernel_count(int root_fd)
{
	_cleanup_(cleanup_close)
	int fd = tdxupd_host_open_builds(root_fd);

	return fd >= 0;
}

static int probes_arm(struct watch *watch, sd_event *event)
{
	struct watch_probes *probes = from_base(watch);
	char why[TRACEFS_WHY_BYTES];
	int r;

	if (!probes->event)
		probes->event = sd_event_ref(event);
	if (does_kernel_count(probes->root_fd)) {
		disarm(probes, "not needed: the kernel itself counts");
		return 0;
	}
	r = tracefs_open(probes->root_fd, &probes->tracefs, why);
	if (r == 0)
		r = tracefs_read_misses(&probes->tracefs, &probes->misses);
	if (r < 0) {
		disarm(probes, why);
		return 0; /* the reason is more than an errno */
	}
	build_tracker_doubt(probes->tracker, "TDs may be older than the probes");
	r = sd_event_add_io(event, &probes->source, probes->tracefs.pipe_fd, EPOLLIN,
			    on_event, probes);
	if (r < 0)
		disarm(probes, strerror(-r));
	return 0;
}

/* Afterwards it is armed and sure, or @ret says why not. */
static bool is_sure(struct watch_probes *probes, struct gate_source *ret)
{
	if (is_armed(probes))
		drain(probes);
	if (is_armed(probes) && !build_tracker_get_doubt(probes->tracker))
		return true;
	if (is_armed(probes)) {
		try_to_settle(probes, ret);
		drain(probes); /* settling took its time */
	}
	if (!is_armed(probes))
		watch_say_unknown(ret, "%s", probes->why);
	else if (!build_tracker_get_doubt(probes->tracker))
		return true;
	else if (!ret->reason[0])
		watch_say_unknown(ret, "%s", build_tracker_get_doubt(probes->tracker));
	return false;
}

static void probes_say(struct watch *watch, struct gate_source *ret)
{
	struct watch_probes *probes = from_base(watch);

	if (!is_sure(probes, ret))
		return;
	ret->confidence = GATE_EXACT;
	ret->count = (uint32_t)build_tracker_list(probes->tracker, &ret->blockers);
	ret->blocker_count = ret->count;
	ret->state = ret->count ? GATE_CLOSED : GATE_OPEN;
}

static int on_time(sd_event_source *timer, uint64_t usec, void *userdata)
{
	struct watch_probes *probes = userdata;

	(void)timer;
	(void)usec;
	if (!probes->is_awaited)
		return 0;
	watch_set_timer(probes->event, &probes->timer, LOOK_USEC, on_time, probes);
	if (!is_armed(probes))
		return 0;
	if (!tracefs_is_live(&probes->tracefs))
		disarm(probes, "the probes were switched off");
	if (!is_armed(probes) || build_tracker_get_doubt(probes->tracker))
		watch_notify(&probes->base);
	return 0;
}

/* Probes that somebody has taken away while nobody waited are placed again. */
static void probes_attend(struct watch *watch, bool is_awaited)
{
	struct watch_probes *probes = from_base(watch);

	probes->is_awaited = is_awaited;
	if (!is_awaited || !probes->event)
		return;
	if (is_armed(probes) && !tracefs_is_live(&probes->tracefs))
		disarm(probes, "the probes were switched off");
	if (!is_armed(probes))
		probes_arm(watch, probes->event);
	watch_set_timer(probes->event, &probes->timer, LOOK_USEC, on_time, probes);
}

static size_t probes_list_overlap(struct watch *watch, uint64_t from_usec,
				  uint64_t to_usec, const struct gate_blocker **ret)
{
	struct watch_probes *probes = from_base(watch);

	if (is_armed(probes))
		drain(probes);
	return build_tracker_list_overlap(probes->tracker, from_usec, to_usec, ret);
}

static void probes_free(struct watch *watch)
{
	struct watch_probes *probes = from_base(watch);

	disarm(probes, "");
	sd_event_source_disable_unref(probes->timer);
	sd_event_unref(probes->event);
	build_tracker_free(probes->tracker);
	free(probes);
}

static const struct watch_ops probes_ops = {
	.name = "probes",
	.arm = probes_arm,
	.read = probes_say,
	.attend = probes_attend,
	.list_overlap = probes_list_overlap,
	.free = probes_free,
};

int watch_probes_new(int root_fd, struct watch **ret)
{
	struct watch_probes *probes = calloc(1, sizeof(*probes));

	if (!probes)
		return -ENOMEM;
	probes->base.ops = &probes_ops;
	probes->base.arm_error = -ENODATA; /* until armed */
	probes->root_fd = root_fd;
	probes->tracefs = TRACEFS_CLOSED;
	if (build_tracker_new(&probes->tracker) < 0) {
		free(probes);
		return -ENOMEM;
	}
	*ret = &probes->base;
	return 0;
}
