/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef RECOVERY_H
#define RECOVERY_H

#include "history-line.h"
#include "tdxupd.h"

/*
 * What became of the job that the last record of the history left unfinished.
 * @RECOVERY_NOTHING: it had ended, or there was none
 * @RECOVERY_REBOOTED: the machine was booted since; whatever happened is over
 * @RECOVERY_NEVER_COMMITTED: nothing was changed
 * @RECOVERY_SUCCEEDED: the step was made
 * @RECOVERY_REFUSED: the kernel refused the commit; nothing was lost
 * @RECOVERY_UNCHANGED: refused or never committed, nobody can tell; nothing was lost
 * @RECOVERY_LOST: TDX is gone until the next boot
 * @RECOVERY_MISMATCH: another module runs than the one before and the one wanted
 * @RECOVERY_UNKNOWN: the facts contradict each other or could not be read
 */
enum recovery {
	RECOVERY_NOTHING,
	RECOVERY_REBOOTED,
	RECOVERY_NEVER_COMMITTED,
	RECOVERY_SUCCEEDED,
	RECOVERY_REFUSED,
	RECOVERY_UNCHANGED,
	RECOVERY_LOST,
	RECOVERY_MISMATCH,
	RECOVERY_UNKNOWN,
	_RECOVERY_MAX,
	_RECOVERY_INVALID = -22,
};
const char *recovery_to_string(enum recovery recovery);
/* A sentence for people: what is true now. */
const char *recovery_explain(enum recovery recovery);

/* Whether the kernel still holds an image that was staged and not committed. */
enum recovery_staged {
	RECOVERY_STAGED_NO,
	RECOVERY_STAGED_YES,
	RECOVERY_STAGED_UNKNOWN, /* the trigger does not tell */
};

/* What is recorded of it; its reason says that it is not to be tried again. */
#define RECOVERY_PHASE "recovered"

/*
 * Whether what @last was about was tried and failed, and is to be held. With
 * @RECOVERY_NOTHING: a daemon that was killed right after that had no time to. Pure.
 */
bool recovery_has_failed(const struct history_record *last, enum recovery recovery);

/* A daemon was told to end, and its jobs are with systemd: see manager-handover.c. */
#define RECOVERY_SUSPENDED_PHASE "suspended"

/* The phase of the record that each daemon begins with. A reason in this or in any other
 * record of no job is the word that what was cut off or given up is left to others. */
#define RECOVERY_START_PHASE "started"

/*
 * Whether nothing but starts of daemons has happened in this boot since a job was cut off
 * or given up: cancelled by somebody, expired, or of an end that nobody can tell.
 * @recovery: what came of @last. Pure.
 */
bool recovery_is_unsettled(const struct history_record *last, enum recovery recovery,
			   const char *boot_id);
/* Whether an update to @next would be the one that was cut off, as far as @last tells.
 * Pure. */
bool recovery_is_same_aim(const struct history_record *last,
			  const struct tdxupd_version *next);

/* @last: NULL where the history is empty. @now: taken after the kernel was done. Pure. */
enum recovery recovery_decide(const struct history_record *last,
			      const struct tdxupd_host *now, enum recovery_staged staged);

#endif
