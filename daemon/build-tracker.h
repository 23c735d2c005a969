/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BUILD_TRACKER_H
#define BUILD_TRACKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gate.h"
#include "probe-line.h"

/*
 * The TDs under build, from the calls that make and end them. A build counts from the
 * entry of the call that begins it, and is taken back if that call fails.
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

/*
 * At some time since the last doubt the machine had @count TDs, counted by others: so
 * many of them as are not accounted for by events are older than that.
 */
void build_tracker_set_population(struct build_tracker *tracker, uint64_t count);
/*
 * TDs that hold a key as far as is known: those seen to begin and not yet to give theirs
 * back, and those older than the last doubt. Return: false where nobody said how many
 * are older.
 */
bool build_tracker_count_tds(const struct build_tracker *tracker, uint64_t *ret);
/*
 * TDs of which each call since the last doubt was seen, with a key that was not given
 * back yet. Where that is all TDs of the machine, none is under build unseen.
 */
uint64_t build_tracker_count_known(const struct build_tracker *tracker);

/* The name of a thread that was seen under one that says nothing. */
void build_tracker_rename(struct build_tracker *tracker, pid_t pid, const char *task);

/* How many, and who; @ret_blockers is the tracker's, good until it is next called. */
size_t build_tracker_list(struct build_tracker *tracker,
			  const struct gate_blocker **ret_blockers);
/* Those that were open at any time from @from_usec to @to_usec, ended ones too;
 * @is_exact: where it is in doubt, that others cannot be excluded. */
size_t build_tracker_list_overlap(struct build_tracker *tracker, uint64_t from_usec,
				  uint64_t to_usec, bool is_exact,
				  const struct gate_blocker **ret_blockers);

#endif
