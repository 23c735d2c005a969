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
#include <sys/stat.h>
#include <sys/syscall.h>

#include "build-tracker.h"
#include "clock.h"
#include "io.h"
#include "kvm-census.h"
#include "population.h"
#include "probe-reader.h"
#include "tdxupd.h"
#include "tracefs.h"
#include "watch.h"

/* Who switches tracing off and on again while nobody looks hides what began in between. A
 * job that waits looks a few times a second; after a longer rest nothing is certain. */
#define REST_USEC 5000000

/* How often VMs are asked whether they have run: that takes some files of each. */
#define SETTLE_USEC 1000000

/* The machine's first namespace of process numbers (include/linux/proc_ns.h). */
#define INIT_PID_NS 0xEFFFFFFCU

/* A calling thread's name where the kernel has forgotten it
 * (trace.c:__trace_find_cmdline()). */
#define NAMELESS "<...>"

/*
 * @is_needed: also where the kernel counts, as its number was contradicted
 * @misses: calls that went by unseen when that was last looked at
 * @looked_usec: when all was well the last time
 * @elders: VMs that there were after the last doubt and that have not run since
 * @doubts: how many there were when @elders was taken
 * @settle_at_usec: not before this are they asked again
 * @lacks_number: that of TDs could not be read, not before @number_at_usec again
 * @waits_for: what still kept it from being settled then
 */
struct watch_probes {
	struct watch base;
	int root_fd;
	bool is_needed;
	sd_event_source *source;
	struct tracefs tracefs;
	struct probe_reader reader;
	struct build_tracker *tracker;
	uint64_t misses;
	uint64_t looked_usec;
	bool has_elders;
	unsigned long doubts;
	struct kvm_vms elders;
	uint64_t settle_at_usec;
	bool lacks_number;
	uint64_t number_at_usec;
	char waits_for[192];
};

static struct watch_probes *from_base(struct watch *watch)
{
	return (struct watch_probes *)watch; /* the head comes first */
}

static void forget_elders(struct watch_probes *probes)
{
	kvm_vms_done(&probes->elders);
	probes->has_elders = false;
}

static void close_all(struct watch_probes *probes)
{
	probes->source = sd_event_source_disable_unref(probes->source);
	tracefs_close(&probes->tracefs);
	forget_elders(probes);
	probes->reader = (struct probe_reader){ 0 };
}

/* They are placed again when somebody next arms what is not armed. */
static void disarm(struct watch_probes *probes, const char *why)
{
	build_tracker_doubt(probes->tracker, why);
	watch_fail(&probes->base, -ENODATA, why);
	close_all(probes);
}

static bool is_armed(const struct watch_probes *probes)
{
	return probes->source;
}

/* ---- a look ---- */

/* Silent though the kernel lists them as on. What silences all probes of the machine ends
 * by itself; what silences ours alone does not outlive them. */
static void hear_nothing(struct watch_probes *probes)
{
	char why[TRACEFS_WHY_BYTES];

	if (tracefs_explain_silence(probes->root_fd, why))
		build_tracker_doubt(probes->tracker, why);
	else
		disarm(probes,
		       "the probes see nothing: somebody filters, reads or switches "
		       "off what is in instances/tdxupd");
}

/* This thread as the kernel's tracing names it; 0 where that is another number. */
static pid_t get_kernel_pid(void)
{
	struct stat st;

	if (stat("/proc/self/ns/pid", &st) < 0 || st.st_ino != INIT_PID_NS)
		return 0;
	return (pid_t)syscall(SYS_gettid);
}

/* Read up to the canary; where it does not come, up to where there is no more. */
static int read_events(struct watch_probes *probes)
{
	int r;

	do {
		r = probe_reader_drain(&probes->reader, probes->tracefs.pipe_fd,
				       probes->tracker);
	} while (r > 0 && !probe_canary_is_seen(&probes->reader.canary));
	return r;
}

/* What has happened, as far as it can be read. Return: whether the canary was heard. */
static bool listen(struct watch_probes *probes)
{
	char why[TRACEFS_WHY_BYTES];
	int r;

	probe_canary_begin(&probes->reader.canary, clock_usec(CLOCK_MONOTONIC));
	r = tracefs_check_probes(&probes->tracefs, why);
	if (r == 0) {
		r = read_events(probes);
		snprintf(why, sizeof(why), "trace_pipe: %s", strerror(r < 0 ? -r : 0));
	}
	if (r < 0) {
		disarm(probes, why);
		return false;
	}
	if (!probe_canary_is_seen(&probes->reader.canary)) {
		hear_nothing(probes);
		return false;
	}
	if (!probes->reader.canary.is_known &&
	    probe_canary_learn(&probes->reader.canary, get_kernel_pid()) < 0) {
		disarm(probes, "somebody else reads the list of kprobes all the time");
		return false;
	}
	return true;
}

/*
 * Set off the canary, read all events up to it, and see that none is missing: counts are
 * looked at after the events, as a call that is not in these is in those.
 * Return: whether all that had begun when it was called is known.
 */
static bool look(struct watch_probes *probes)
{
	struct probe_counts counts;
	enum probe_look result;
	int r;

	if (!listen(probes))
		return false;
	r = tracefs_read_counts(&probes->tracefs, &counts);
	if (r < 0) {
		disarm(probes, r == -EEXIST  ? "another probe has the name of one of ours"
			       : r == -E2BIG ? "kprobe_profile: too many probes of others"
					     : "the probes were taken away");
		return false;
	}
	if (counts.misses != probes->misses)
		build_tracker_doubt(probes->tracker, "the kernel missed calls");
	probes->misses = counts.misses;
	if (probes->reader.canary.since_usec - probes->looked_usec > REST_USEC)
		build_tracker_doubt(probes->tracker,
				    "the probes may have been off while nobody looked");
	probes->looked_usec = probes->reader.canary.since_usec;
	result = probe_reader_judge(&probes->reader, &counts);
	if (result == PROBE_LOOK_HIDDEN)
		disarm(probes, "calls were counted whose events somebody keeps from us");
	return result == PROBE_LOOK_ALL;
}

/* Not looked at here: whoever is told asks, and each system call before a commit counts.
 */
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
	forget_elders(probes);
	probes->doubts = doubts;
	probes->waits_for[0] = '\0';
	r = kvm_census(probes->root_fd, &probes->elders);
	if (r < 0)
		return r;
	probes->has_elders = true;
	return 0;
}

/* Whose VM it is, as far as this process may know. */
static void name_vm(const struct watch_probes *probes, const char *vm, char *ret,
		    size_t size)
{
	char path[40], text[32] = "", name[32] = "";
	_cleanup_(cleanup_close)
	int dir = -1;
	struct stat st;

	snprintf(path, sizeof(path), "proc/%.*s/comm", (int)strspn(vm, "0123456789"), vm);
	if (io_read_text(probes->root_fd, path, text, sizeof(text)) == 0)
		text_make_printable(name, sizeof(name), text);
	*strrchr(path, '/') = '\0';
	dir = io_open_dir(probes->root_fd, path, 0);
	if (!name[0] || dir < 0 || fstat(dir, &st) < 0)
		snprintf(ret, size, "VM %s", vm);
	else
		snprintf(ret, size, "VM %s (%s of uid %u)", vm, name,
			 (unsigned)st.st_uid);
}

/* Return: a negative errno where that cannot be told. */
static int64_t count_tds(const struct watch_probes *probes)
{
	uint64_t count;
	int r = population_read(probes->root_fd, &count);

	return r < 0 ? r : (int64_t)count;
}

/* How many there were after the last doubt: what comes on top has to be seen to begin. A
 * read that failed is not for ever. */
static void take_number(struct watch_probes *probes)
{
	uint64_t known;
	int64_t population;

	if (build_tracker_count_tds(probes->tracker, &known))
		return;
	population = count_tds(probes);
	if (population >= 0)
		build_tracker_set_population(probes->tracker, (uint64_t)population);
	probes->lacks_number = population < 0 && population != -ENODATA &&
			       population != -EXDEV && population != -EBADMSG;
	probes->number_at_usec = clock_usec(CLOCK_MONOTONIC) + SETTLE_USEC;
}

static void settle(struct watch_probes *probes)
{
	build_tracker_settle(probes->tracker, clock_usec(CLOCK_MONOTONIC));
}

/* The machine has no TD but those of which each call was seen: as they were before its
 * number was read and still were afterwards. */
static bool are_all_known(struct watch_probes *probes, uint64_t population)
{
	uint64_t before = build_tracker_count_known(probes->tracker);
	unsigned long doubts = build_tracker_count_doubts(probes->tracker);
	uint64_t seen = 0, now = 0;

	if (population == 0)
		return true;
	for (unsigned i = PROBE_FREEID; i < _PROBE_CALL_MAX; i++)
		seen += probes->reader.seen[i];
	if (population > before || !look(probes))
		return false;
	for (unsigned i = PROBE_FREEID; i < _PROBE_CALL_MAX; i++)
		now += probes->reader.seen[i];
	return now == seen && build_tracker_count_doubts(probes->tracker) == doubts;
}

static void wait_for(struct watch_probes *probes, const char *vm)
{
	char name[96];

	name_vm(probes, vm, name, sizeof(name));
	snprintf(probes->waits_for, sizeof(probes->waits_for),
		 "; %s has not run yet: start it or stop it", name);
}

static bool is_time_to_ask(struct watch_probes *probes)
{
	uint64_t now = clock_usec(CLOCK_MONOTONIC);
	bool is_new = probes->doubts != build_tracker_count_doubts(probes->tracker);

	if (!is_new && now < probes->settle_at_usec)
		return false;
	probes->settle_at_usec = now + SETTLE_USEC;
	return true;
}

/* No TD at all but those that are known, or each VM from before has run or is gone. */
static void try_to_settle(struct watch_probes *probes)
{
	int64_t population = count_tds(probes);
	int r = 0;

	if (population >= 0 && are_all_known(probes, (uint64_t)population)) {
		build_tracker_set_population(probes->tracker, (uint64_t)population);
		settle(probes);
		return;
	}
	if (!is_armed(probes))
		return;
	take_number(probes);
	if (!is_time_to_ask(probes))
		return;
	r = take_elders(probes);
	if (r == 0)
		r = kvm_vms_drop_run(probes->root_fd, &probes->elders);
	if (r < 0)
		snprintf(probes->waits_for, sizeof(probes->waits_for), "; older VMs: %s",
			 kvm_census_strerror(r));
	else if (probes->elders.count)
		wait_for(probes, probes->elders.names[0]);
	else
		settle(probes);
}

/* ---- the watch ---- */

/* With the same probes, but in the kernel, where no event is lost. */
static bool does_kernel_count(int root_fd)
{
	_cleanup_(cleanup_close)
	int fd = tdxupd_host_open_builds(root_fd);
	uint32_t count;

	return fd >= 0 && tdxupd_host_read_builds(fd, &count) == 0;
}

static int probes_arm(struct watch *watch, sd_event *event)
{
	struct watch_probes *probes = from_base(watch);
	char why[TRACEFS_WHY_BYTES];
	int r;

	close_all(probes);
	if (!probes->is_needed && does_kernel_count(probes->root_fd))
		return watch_fail(watch, -ENOTSUP,
				  "not needed: the kernel itself counts");
	r = tracefs_open(probes->root_fd, &probes->tracefs, why);
	if (r < 0)
		return watch_fail(watch, r, why);
	probes->misses = 0;
	probes->looked_usec = clock_usec(CLOCK_MONOTONIC);
	build_tracker_doubt(probes->tracker, "TDs may be older than the probes");
	r = sd_event_add_io(event, &probes->source, probes->tracefs.pipe_fd, EPOLLIN,
			    on_event, probes);
	if (r < 0)
		close_all(probes);
	return r;
}

/* A call that is just being written is there in a moment; what is not is hidden. */
static bool look_for_all(struct watch_probes *probes)
{
	bool has_all = is_armed(probes) && look(probes);

	if (!has_all && is_armed(probes) && !build_tracker_get_doubt(probes->tracker))
		has_all = look(probes);
	return has_all;
}

/* Does it know all builds that had begun when it was called? */
static bool is_sure(struct watch_probes *probes)
{
	bool has_all = look_for_all(probes);

	if (has_all && build_tracker_get_doubt(probes->tracker)) {
		try_to_settle(probes);
		has_all = is_armed(probes) && look(probes); /* settling took its time */
	}
	return has_all && !build_tracker_get_doubt(probes->tracker);
}

static void say_why(const struct watch_probes *probes, struct gate_source *ret)
{
	const char *doubt = build_tracker_get_doubt(probes->tracker);

	if (!is_armed(probes))
		watch_say_unknown(ret, "%s", probes->base.why);
	else if (doubt)
		watch_say_unknown(
			ret, "%s%s", doubt,
			probes->doubts == build_tracker_count_doubts(probes->tracker)
				? probes->waits_for
				: "");
	else
		watch_say_unknown(ret, "calls are being reported at this moment");
}

/* The kernel keeps the names of few threads; the others are looked up while they live. */
static void name_nameless(struct watch_probes *probes, const struct gate_blocker *builds,
			  size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char path[32], text[32], name[32];

		if (strcmp(builds[i].who, NAMELESS) != 0)
			continue;
		snprintf(path, sizeof(path), "proc/%d/comm", (int)builds[i].pid);
		if (io_read_text(probes->root_fd, path, text, sizeof(text)) < 0)
			continue;
		text_make_printable(name, sizeof(name), text);
		build_tracker_rename(probes->tracker, builds[i].pid, name);
	}
}

static void probes_say(struct watch *watch, struct gate_source *ret)
{
	struct watch_probes *probes = from_base(watch);

	if (!is_sure(probes)) {
		say_why(probes, ret);
		ret->has_tds = is_armed(probes) &&
			       build_tracker_count_tds(probes->tracker, &ret->tds);
		return;
	}
	if (probes->lacks_number && clock_usec(CLOCK_MONOTONIC) >= probes->number_at_usec)
		take_number(probes);
	ret->confidence = GATE_EXACT;
	ret->count = (uint32_t)build_tracker_list(probes->tracker, &ret->blockers);
	ret->state = ret->count ? GATE_CLOSED : GATE_OPEN;
	name_nameless(probes, ret->blockers, ret->count);
	ret->blocker_count = build_tracker_list(probes->tracker, &ret->blockers);
	ret->has_tds = build_tracker_count_tds(probes->tracker, &ret->tds);
}

static size_t probes_list_overlap(struct watch *watch, uint64_t from_usec,
				  uint64_t to_usec, const struct gate_blocker **ret)
{
	struct watch_probes *probes = from_base(watch);
	size_t count;

	(void)look_for_all(probes);
	count = build_tracker_list_overlap(probes->tracker, from_usec, to_usec,
					   watch->is_relied_on, ret);
	name_nameless(probes, *ret, count);
	return build_tracker_list_overlap(probes->tracker, from_usec, to_usec,
					  watch->is_relied_on, ret);
}

static void probes_doubt(struct watch *watch, const char *why)
{
	struct watch_probes *probes = from_base(watch);

	build_tracker_doubt(probes->tracker, why);
	probes->is_needed = true;
}

static void probes_free(struct watch *watch)
{
	struct watch_probes *probes = from_base(watch);

	close_all(probes);
	build_tracker_free(probes->tracker);
	free(probes);
}

static const struct watch_ops probes_ops = {
	.name = "probes",
	.arm = probes_arm,
	.read = probes_say,
	.list_overlap = probes_list_overlap,
	.doubt = probes_doubt,
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
