/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BUILD_TRACKER_H
#define BUILD_TRACKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gate.h"
#include "probe-line.h"

/*
 * The TDs under build, from the calls that were seen to return.
 *
 * It begins in doubt: a TD that was initialised before the probes were there is not
 * known. It is in doubt again whenever an event was lost or could not be read. Whoever
 * finds out that no TD from before that moment is under build any more settles it.
 */
struct build_tracker;

int build_tracker_new(struct build_tracker **ret);
struct build_tracker *build_tracker_free(struct build_tracker *tracker);

/* An event, in the order of reading, which need not be the order of happening. */
void build_tracker_take(struct build_tracker *tracker, const struct probe_event *event);
/* Something may have happened unseen up to now; @why is kept. */
void build_tracker_doubt(struct build_tracker *tracker, const char *why);
/* At @now_usec no build from before the last doubt is open: those seen since are all. */
void build_tracker_settle(struct build_tracker *tracker, uint64_t now_usec);
/* Why it is in doubt, NULL where it is sure. */
const char *build_tracker_get_doubt(const struct build_tracker *tracker);

/* How many doubts there were, for whoever must know whether there was another. */
unsigned long build_tracker_count_doubts(const struct build_tracker *tracker);

/* How many, and who; @ret_blockers is the tracker's, good until it is next called. */
size_t build_tracker_list(struct build_tracker *tracker,
			  const struct gate_blocker **ret_blockers);
/* Those that were open at any time from @from_usec to @to_usec, ended ones too. */
size_t build_tracker_list_overlap(struct build_tracker *tracker, uint64_t from_usec,
				  uint64_t to_usec,
				  const struct gate_blocker **ret_blockers);

#endif
