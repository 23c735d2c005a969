/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef JOB_STATE_H
#define JOB_STATE_H

#include <stdbool.h>

enum job_state {
	JOB_QUEUED,
	JOB_PLANNING,
	JOB_STAGING,
	JOB_WAITING,
	JOB_COMMITTING, /* the point of no return: nothing cancels it */
	JOB_CONFIRMING,
	JOB_BACKOFF,
	/* ends */
	JOB_DONE,
	JOB_FAILED,
	JOB_CANCELLED,
	JOB_EXPIRED,
	JOB_LOST,
	JOB_UNKNOWN,
	_JOB_STATE_MAX,
	_JOB_STATE_INVALID = -22,
};

enum job_event {
	JOB_EVENT_START,
	JOB_EVENT_PLANNED,   /* there is a step to take */
	JOB_EVENT_CURRENT,   /* there is none */
	JOB_EVENT_STAGED,    /* the kernel holds the image */
	JOB_EVENT_DROPPED,   /* and holds it no more: someone else wrote */
	JOB_EVENT_VOID,      /* the plan is: another module runs, or the driver is new */
	JOB_EVENT_OPENED,    /* the gate is open and the last check passed */
	JOB_EVENT_COMMITTED, /* the write was made */
	JOB_EVENT_BUSY,      /* the kernel refused for a TD build; nothing lost */
	JOB_EVENT_RETRY,
	JOB_EVENT_STEPPED,   /* this step is done and another follows */
	JOB_EVENT_SUCCEEDED, /* the last step is done */
	JOB_EVENT_REFUSED,   /* the answer is no, or the machinery failed */
	JOB_EVENT_CANCEL,
	JOB_EVENT_EXPIRE,
	JOB_EVENT_LOSE,    /* TDX is gone until reboot */
	JOB_EVENT_OBSCURE, /* nobody can tell what happened */
	_JOB_EVENT_MAX,
	_JOB_EVENT_INVALID = -22,
};

/* The state after @event, or _JOB_STATE_INVALID where it can't happen. Pure. */
enum job_state job_next(enum job_state state, enum job_event event);
bool job_state_is_end(enum job_state state);
/* It leads back to a state that the job has been in: the event loop turns in between. All
 * else leads forward, but for JOB_EVENT_RETRY, which the event loop itself sends. */
bool job_event_is_back(enum job_event event);
/* Between the committing write and the verdict: no stop, no cancel, no host snapshot. */
bool job_state_is_critical(enum job_state state);

const char *job_state_to_string(enum job_state state);
enum job_state job_state_from_string(const char *text);
const char *job_event_to_string(enum job_event event);

#endif
