// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The life of a job as one table. What is done in a state is job-run.c's business; who is
 * told of a change, job.c's.
 */
#include "job-state.h"
#include "util.h"

static const char *const states[] = {
	[JOB_QUEUED] = "queued",         [JOB_PLANNING] = "planning",
	[JOB_STAGING] = "staging",       [JOB_WAITING] = "waiting",
	[JOB_COMMITTING] = "committing", [JOB_CONFIRMING] = "confirming",
	[JOB_BACKOFF] = "backoff",       [JOB_DONE] = "done",
	[JOB_FAILED] = "failed",         [JOB_CANCELLED] = "cancelled",
	[JOB_EXPIRED] = "expired",       [JOB_LOST] = "lost",
	[JOB_UNKNOWN] = "unknown",
};

static const char *const events[] = {
	[JOB_EVENT_START] = "start",     [JOB_EVENT_PLANNED] = "planned",
	[JOB_EVENT_CURRENT] = "current", [JOB_EVENT_STAGED] = "staged",
	[JOB_EVENT_DROPPED] = "dropped", [JOB_EVENT_VOID] = "void",
	[JOB_EVENT_OPENED] = "opened",   [JOB_EVENT_COMMITTED] = "committed",
	[JOB_EVENT_BUSY] = "busy",       [JOB_EVENT_RETRY] = "retry",
	[JOB_EVENT_STEPPED] = "stepped", [JOB_EVENT_SUCCEEDED] = "succeeded",
	[JOB_EVENT_REFUSED] = "refused", [JOB_EVENT_CANCEL] = "cancel",
	[JOB_EVENT_EXPIRE] = "expire",   [JOB_EVENT_LOSE] = "lose",
	[JOB_EVENT_OBSCURE] = "obscure",
};

STRING_TABLE_TO(job_state, enum job_state, states)
STRING_TABLE_FROM(job_state, enum job_state, states)
STRING_TABLE_TO(job_event, enum job_event, events)

/* What may end a job in every state before the point of no return. */
#define BEFORE_COMMIT                                                         \
	[JOB_EVENT_REFUSED] = JOB_FAILED, [JOB_EVENT_CANCEL] = JOB_CANCELLED, \
	[JOB_EVENT_EXPIRE] = JOB_EXPIRED, [JOB_EVENT_LOSE] = JOB_LOST

/* Nothing leads back to JOB_QUEUED, so its value, 0, stands for "can't happen". */
static const enum job_state next[_JOB_STATE_MAX][_JOB_EVENT_MAX] = {
	[JOB_QUEUED] = {
		[JOB_EVENT_START] = JOB_PLANNING,
		[JOB_EVENT_REFUSED] = JOB_FAILED,
		[JOB_EVENT_CANCEL] = JOB_CANCELLED,
		[JOB_EVENT_EXPIRE] = JOB_EXPIRED,
	},
	[JOB_PLANNING] = {
		[JOB_EVENT_PLANNED] = JOB_STAGING,
		[JOB_EVENT_CURRENT] = JOB_DONE,
		BEFORE_COMMIT,
	},
	[JOB_STAGING] = {
		[JOB_EVENT_STAGED] = JOB_WAITING,
		[JOB_EVENT_DROPPED] = JOB_STAGING,
		[JOB_EVENT_VOID] = JOB_PLANNING,
		[JOB_EVENT_BUSY] = JOB_BACKOFF,
		BEFORE_COMMIT,
	},
	[JOB_WAITING] = {
		[JOB_EVENT_OPENED] = JOB_COMMITTING,
		[JOB_EVENT_DROPPED] = JOB_STAGING,
		[JOB_EVENT_VOID] = JOB_PLANNING,
		BEFORE_COMMIT,
	},
	[JOB_COMMITTING] = {
		[JOB_EVENT_COMMITTED] = JOB_CONFIRMING,
	},
	[JOB_CONFIRMING] = {
		[JOB_EVENT_SUCCEEDED] = JOB_DONE,
		[JOB_EVENT_STEPPED] = JOB_PLANNING,
		[JOB_EVENT_BUSY] = JOB_BACKOFF,
		[JOB_EVENT_DROPPED] = JOB_STAGING,
		[JOB_EVENT_REFUSED] = JOB_FAILED,
		[JOB_EVENT_LOSE] = JOB_LOST,
		[JOB_EVENT_OBSCURE] = JOB_UNKNOWN,
	},
	[JOB_BACKOFF] = {
		[JOB_EVENT_RETRY] = JOB_STAGING,
		BEFORE_COMMIT,
	},
};

enum job_state job_next(enum job_state state, enum job_event event)
{
	enum job_state after;

	if (state < 0 || state >= _JOB_STATE_MAX || event < 0 || event >= _JOB_EVENT_MAX)
		return _JOB_STATE_INVALID;
	after = next[state][event];
	return after == JOB_QUEUED ? _JOB_STATE_INVALID : after;
}

bool job_state_is_end(enum job_state state)
{
	return state >= JOB_DONE;
}

bool job_event_is_back(enum job_event event)
{
	return event == JOB_EVENT_DROPPED || event == JOB_EVENT_VOID ||
	       event == JOB_EVENT_STEPPED;
}

bool job_state_is_critical(enum job_state state)
{
	return state == JOB_COMMITTING || state == JOB_CONFIRMING;
}
