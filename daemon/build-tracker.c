// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which TDs are under build, from the calls that were seen to return. Pure: where the
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
 * @usec: the last event taken. The reader of trace_pipe may get a later event of one CPU
 *	before an earlier one of another, so whatever is older than this is ignored.
 * @is_doubtful: from before the last doubt, so its end may have been missed
 */
struct build {
	uint64_t td;
	uint64_t usec;
	uint64_t since_usec;
	uint64_t ended_usec;
	bool is_open;
	bool has_begun;
	bool is_doubtful;
	pid_t pid;
	char task[sizeof(((struct probe_event *)NULL)->task)];
};

struct build_tracker {
	size_t count;
	struct build builds[BUILDS_MAX];
	struct gate_blocker blockers[BUILDS_MAX];
	unsigned long doubts;
	char doubt[96]; /* empty: sure */
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
	for (size_t i = 0; i < tracker->count; i++)
		if (tracker->builds[i].td == td)
			return &tracker->builds[i];
	return NULL;
}

/* The ended one that has been silent for longest. */
static struct build *find_oldest_ended(struct build_tracker *tracker)
{
	struct build *oldest = NULL;

	for (size_t i = 0; i < tracker->count; i++) {
		struct build *build = &tracker->builds[i];

		if (!build->is_open && (!oldest || build->usec < oldest->usec))
			oldest = build;
	}
	return oldest;
}

static struct build *add(struct build_tracker *tracker, uint64_t td)
{
	struct build *build = tracker->count < BUILDS_MAX
				      ? &tracker->builds[tracker->count++]
				      : find_oldest_ended(tracker);

	if (build)
		*build = (struct build){ .td = td };
	return build;
}

static void begin(struct build *build, const struct probe_event *event)
{
	build->since_usec = event->usec;
	build->is_open = true;
	build->has_begun = true;
	build->is_doubtful = false;
	build->pid = event->pid;
	memcpy(build->task, event->task, sizeof(build->task));
}

void build_tracker_take(struct build_tracker *tracker, const struct probe_event *event)
{
	struct build *build;

	if (event->kind == PROBE_EVENT_LOST) {
		build_tracker_doubt(tracker, "the kernel dropped events of the probes");
		return;
	}
	if (event->result != 0)
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
	if (event->call == PROBE_INIT) {
		begin(build, event);
	} else if (build->is_open) {
		build->is_open = false;
		build->ended_usec = event->usec;
	}
}

void build_tracker_doubt(struct build_tracker *tracker, const char *why)
{
	tracker->doubts++;
	snprintf(tracker->doubt, sizeof(tracker->doubt), "%s", why);
	for (size_t i = 0; i < tracker->count; i++)
		tracker->builds[i].is_doubtful = true;
}

void build_tracker_settle(struct build_tracker *tracker, uint64_t now_usec)
{
	tracker->doubt[0] = '\0';
	for (size_t i = 0; i < tracker->count; i++) {
		struct build *build = &tracker->builds[i];

		if (build->is_open && build->is_doubtful) {
			build->is_open = false;
			build->ended_usec = now_usec; /* at the latest */
		}
	}
}

const char *build_tracker_get_doubt(const struct build_tracker *tracker)
{
	return tracker->doubt[0] ? tracker->doubt : NULL;
}

unsigned long build_tracker_count_doubts(const struct build_tracker *tracker)
{
	return tracker->doubts;
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
		if (tracker->builds[i].is_open)
			name(&tracker->builds[i], &tracker->blockers[count++]);
	*ret_blockers = tracker->blockers;
	return count;
}

size_t build_tracker_list_overlap(struct build_tracker *tracker, uint64_t from_usec,
				  uint64_t to_usec,
				  const struct gate_blocker **ret_blockers)
{
	size_t count = 0;

	for (size_t i = 0; i < tracker->count; i++) {
		const struct build *build = &tracker->builds[i];

		if (build->has_begun && build->since_usec <= to_usec &&
		    (build->is_open || build->ended_usec >= from_usec))
			name(build, &tracker->blockers[count++]);
	}
	*ret_blockers = tracker->blockers;
	return count;
}
