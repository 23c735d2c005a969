// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which TDs are under build, from the calls that make and end them. Pure: where the
 * events come from, and what settles a doubt, is watch-probes.c's business.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "build-tracker.h"
#include "util.h"

/* A host has keys for some hundred TDs; ended ones stay as long as there is room. */
#define BUILDS_MAX 1024

/*
 * @td: 0 of one that is over, whose pointer is another TD's by now
 * @usec: the last event taken. The reader of trace_pipe may get a later event of one CPU
 *	before an earlier one of another, so whatever is older than this is ignored.
 * @is_beginning: the call that begins it was entered and has not returned
 * @is_open: that call has succeeded, and none that ends it has
 * @is_keyed: it may hold a key; a TD has one before the first call
 * @is_doubtful: from before the last doubt, so its end may have been missed
 */
struct build {
	uint64_t td;
	uint64_t usec;
	uint64_t since_usec;
	uint64_t ended_usec;
	bool is_beginning;
	bool is_open;
	bool is_keyed;
	bool has_begun;
	bool is_doubtful;
	pid_t pid;
	char task[sizeof(((struct probe_event *)NULL)->task)];
};

struct build_tracker {
	size_t count;
	struct build builds[BUILDS_MAX];
	struct gate_blocker blockers[BUILDS_MAX + 1];
	unsigned long doubts;
	char doubt[160]; /* empty: sure */
	bool has_elders;
	uint64_t elders; /* TDs older than the probes that hold a key */
};

int build_tracker_new(struct build_tracker **ret)
{
	struct build_tracker *tracker = calloc(1, sizeof(*tracker));

	if (!tracker)
		return -ENOMEM;
	build_tracker_doubt(tracker, "TDs may be older than the probes");
	*ret = tracker;
	return 0;
}

struct build_tracker *build_tracker_free(struct build_tracker *tracker)
{
	free(tracker);
	return NULL;
}

static struct build *find(struct build_tracker *tracker, uint64_t td)
{
	for (size_t i = 0; td && i < tracker->count; i++)
		if (tracker->builds[i].td == td)
			return &tracker->builds[i];
	return NULL;
}

static bool is_under_build(const struct build *build)
{
	return build->is_beginning || build->is_open;
}

static bool is_worse_to_lose(const struct build *a, const struct build *b)
{
	return a->is_keyed != b->is_keyed ? a->is_keyed : a->usec >= b->usec;
}

/* The ended one that has been silent for longest; better one that holds no key. */
static struct build *find_spare(struct build_tracker *tracker)
{
	struct build *spare = NULL;

	for (size_t i = 0; i < tracker->count; i++) {
		struct build *build = &tracker->builds[i];

		if (!is_under_build(build) && (!spare || !is_worse_to_lose(build, spare)))
			spare = build;
	}
	return spare;
}

static struct build *add(struct build_tracker *tracker, uint64_t td)
{
	struct build *build = tracker->count < BUILDS_MAX
				      ? &tracker->builds[tracker->count++]
				      : find_spare(tracker);

	if (build && build->is_keyed)
		tracker->has_elders = false;
	if (build)
		*build = (struct build){ .td = td };
	return build;
}

/* The pointer may be another TD's: what the one before it was is still worth knowing. */
static void begin(struct build_tracker *tracker, struct build *build,
		  const struct probe_event *event)
{
	struct build past = *build;

	*build = (struct build){ .td = past.td,
				 .usec = past.usec,
				 .since_usec = event->usec,
				 .is_beginning = true,
				 .is_keyed = true,
				 .has_begun = true,
				 .pid = event->pid };
	memcpy(build->task, event->task, sizeof(build->task));
	past.td = 0;
	past.is_keyed = false;
	if (past.has_begun && !is_under_build(&past) && (build = add(tracker, 0)))
		*build = past;
}

static void end(struct build *build, uint64_t usec)
{
	if (is_under_build(build))
		build->ended_usec = usec;
	build->is_beginning = false;
	build->is_open = false;
}

static void take_init(struct build_tracker *tracker, struct build *build,
		      const struct probe_event *event)
{
	bool is_new = !is_under_build(build) || build->is_doubtful;
	bool is_success = event->call == PROBE_INIT_RETURN && event->result == 0;

	if (is_new && (event->call == PROBE_INIT || is_success))
		begin(tracker, build, event);
	build->is_beginning = event->call == PROBE_INIT;
	build->is_open |= is_success;
	/* Refused: it never began. */
	if (!is_under_build(build) && !build->ended_usec)
		build->has_begun = false;
}

static void take_end(struct build_tracker *tracker, struct build *build,
		     const struct probe_event *event)
{
	bool is_known = build->is_keyed && !build->is_doubtful;

	end(build, event->usec);
	if (event->call != PROBE_FREEID) {
		build->is_keyed = true;
		build->is_doubtful = false;
		if (!is_known && tracker->elders)
			tracker->elders--; /* known from now on */
		return;
	}
	build->is_keyed = false;
	if (!is_known && tracker->elders)
		tracker->elders--;
}

static bool is_call(const struct probe_event *event)
{
	switch (event->call) {
	case PROBE_INIT:
	case PROBE_INIT_RETURN:
		return true;
	case PROBE_FINALIZE:
	case PROBE_VPFLUSHDONE:
	case PROBE_FREEID:
		return event->result == 0;
	default:
		return false;
	}
}

void build_tracker_take(struct build_tracker *tracker, const struct probe_event *event)
{
	struct build *build;

	if (event->kind == PROBE_EVENT_LOST) {
		build_tracker_doubt(tracker, "the kernel dropped events of the probes");
		return;
	}
	if (!is_call(event))
		return;
	build = find(tracker, event->td);
	if (build && event->usec < build->usec)
		return;
	if (!build)
		build = add(tracker, event->td);
	if (!build) {
		build_tracker_doubt(tracker, "more TD builds than can be watched");
		return;
	}
	build->usec = event->usec;
	if (event->call == PROBE_INIT || event->call == PROBE_INIT_RETURN)
		take_init(tracker, build, event);
	else
		take_end(tracker, build, event);
}

void build_tracker_doubt(struct build_tracker *tracker, const char *why)
{
	tracker->doubts++;
	tracker->has_elders = false;
	snprintf(tracker->doubt, sizeof(tracker->doubt), "%s", why);
	for (size_t i = 0; i < tracker->count; i++)
		tracker->builds[i].is_doubtful = true;
}

void build_tracker_settle(struct build_tracker *tracker, uint64_t now_usec)
{
	tracker->doubt[0] = '\0';
	for (size_t i = 0; i < tracker->count; i++) {
		struct build *build = &tracker->builds[i];

		if (build->is_doubtful)
			end(build, now_usec); /* at the latest */
	}
}

static uint64_t count_keyed(const struct build_tracker *tracker)
{
	uint64_t count = 0;

	for (size_t i = 0; i < tracker->count; i++)
		count += tracker->builds[i].is_keyed && !tracker->builds[i].is_doubtful;
	return count;
}

void build_tracker_set_population(struct build_tracker *tracker, uint64_t count)
{
	uint64_t keyed = count_keyed(tracker);

	tracker->elders = count > keyed ? count - keyed : 0;
	tracker->has_elders = true;
}

bool build_tracker_count_tds(const struct build_tracker *tracker, uint64_t *ret)
{
	if (!tracker->has_elders)
		return false;
	*ret = tracker->elders + count_keyed(tracker);
	return true;
}

uint64_t build_tracker_count_known(const struct build_tracker *tracker)
{
	return count_keyed(tracker);
}

const char *build_tracker_get_doubt(const struct build_tracker *tracker)
{
	return tracker->doubt[0] ? tracker->doubt : NULL;
}

unsigned long build_tracker_count_doubts(const struct build_tracker *tracker)
{
	return tracker->doubts;
}

void build_tracker_rename(struct build_tracker *tracker, pid_t pid, const char *task)
{
	for (size_t i = 0; i < tracker->count; i++) {
		struct build *build = &tracker->builds[i];

		if (build->pid == pid)
			snprintf(build->task, sizeof(build->task), "%s", task);
	}
}

static void name(const struct build *build, struct gate_blocker *ret)
{
	*ret = (struct gate_blocker){ .pid = build->pid,
				      .since_usec = build->since_usec };
	snprintf(ret->who, sizeof(ret->who), "%s", build->task);
}

size_t build_tracker_list(struct build_tracker *tracker,
			  const struct gate_blocker **ret_blockers)
{
	size_t count = 0;

	for (size_t i = 0; i < tracker->count; i++)
		if (is_under_build(&tracker->builds[i]))
			name(&tracker->builds[i], &tracker->blockers[count++]);
	*ret_blockers = tracker->blockers;
	return count;
}

size_t build_tracker_list_overlap(struct build_tracker *tracker, uint64_t from_usec,
				  uint64_t to_usec, bool is_exact,
				  const struct gate_blocker **ret_blockers)
{
	size_t count = 0;

	for (size_t i = 0; i < tracker->count; i++) {
		const struct build *build = &tracker->builds[i];

		if (build->has_begun && build->since_usec <= to_usec &&
		    (is_under_build(build) || build->ended_usec >= from_usec))
			name(build, &tracker->blockers[count++]);
	}
	if (is_exact && tracker->doubt[0]) {
		struct gate_blocker *other = &tracker->blockers[count++];

		*other = (struct gate_blocker){ .since_usec = from_usec };
		snprintf(other->who, sizeof(other->who),
			 "others cannot be excluded: the probes lost track");
	}
	*ret_blockers = tracker->blockers;
	return count;
}
