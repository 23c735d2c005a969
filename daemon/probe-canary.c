// SPDX-License-Identifier: LGPL-2.1-or-later
/* Whether a look has been heard by our own probes. Pure. */
#include <errno.h>

#include "probe-canary.h"

/* The kernel rounds to microseconds, and its clock for tracing may be a little behind
 * (ktime_get_mono_fast_ns()). No look is over as fast as this. */
#define SLACK_USEC 2

void probe_canary_begin(struct probe_canary *canary, uint64_t now_usec)
{
	canary->since_usec = now_usec;
	canary->has_entered = false;
	canary->has_returned = false;
	canary->is_ambiguous = false;
	if (!canary->is_known)
		canary->file = 0;
}

/* Of this look, by whomever? */
static bool is_ours(struct probe_canary *canary, const struct probe_event *event)
{
	if (event->usec + SLACK_USEC < canary->since_usec)
		return false;
	if (!canary->is_known && !canary->file) {
		canary->file = event->td;
		canary->pid = event->pid;
	}
	if (event->td == canary->file && event->pid == canary->pid)
		return true;
	canary->is_ambiguous |= !canary->is_known;
	return false;
}

void probe_canary_take(struct probe_canary *canary, const struct probe_event *event)
{
	if (event->call != PROBE_CANARY && event->call != PROBE_CANARY_RETURN)
		return;
	if (!is_ours(canary, event))
		return;
	if (event->call == PROBE_CANARY)
		canary->has_entered = true;
	else if (canary->has_entered)
		canary->has_returned = true;
}

bool probe_canary_is_seen(const struct probe_canary *canary)
{
	return canary->has_entered && canary->has_returned && !canary->is_ambiguous;
}

int probe_canary_learn(struct probe_canary *canary, pid_t pid)
{
	if (!probe_canary_is_seen(canary) || (pid && pid != canary->pid))
		return -EAGAIN;
	canary->is_known = true;
	return 0;
}
