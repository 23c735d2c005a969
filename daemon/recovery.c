// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What is true after a crash, from the last record and the host as it is. Nothing is
 * retried because of it, nor because of any restart after it: that is for whoever asked
 * to decide.
 *
 * A record says what was about to be done, and is written before it is done: `waiting` is
 * on disk before the gate may open, `committing` is written right before the commit.
 */
#include <string.h>

#include "failure.h"
#include "job-state.h"
#include "recovery.h"

static const char *const names[] = {
	[RECOVERY_NOTHING] = "nothing",
	[RECOVERY_REBOOTED] = "rebooted",
	[RECOVERY_NEVER_COMMITTED] = "never-committed",
	[RECOVERY_SUCCEEDED] = "succeeded",
	[RECOVERY_REFUSED] = "refused",
	[RECOVERY_UNCHANGED] = "unchanged",
	[RECOVERY_LOST] = "lost",
	[RECOVERY_MISMATCH] = "mismatch",
	[RECOVERY_UNKNOWN] = "unknown",
};

static const char *const sentences[] = {
	[RECOVERY_NOTHING] = "nothing was under way",
	[RECOVERY_REBOOTED] = "the host was booted since, and runs what that boot loaded",
	[RECOVERY_NEVER_COMMITTED] = "it was never committed; nothing has changed",
	[RECOVERY_SUCCEEDED] = "it succeeded",
	[RECOVERY_REFUSED] = "the kernel refused it; nothing was lost",
	[RECOVERY_UNCHANGED] =
		"it was refused or never committed; nothing was lost either way",
	[RECOVERY_LOST] = "TDX is lost, and every TD with it, until the next boot",
	[RECOVERY_MISMATCH] = "another module runs than was wanted",
	[RECOVERY_UNKNOWN] = "nobody can tell; look at the host before the next update",
};

STRING_TABLE_TO(recovery, enum recovery, names)

const char *recovery_explain(enum recovery recovery)
{
	return string_table_lookup(sentences, ARRAY_SIZE(sentences), (int)recovery);
}

/* The slots used since the record: 0, 1, or more. */
enum used {
	USED_NONE,
	USED_ONE,
	USED_OTHER,
	USED_UNKNOWN,
};

static enum used count_used(const struct history_record *last,
			    const struct tdxupd_host *now)
{
	if (!last->has_remaining || !now->has_remaining_updates)
		return USED_UNKNOWN;
	if (last->remaining == now->remaining_updates)
		return USED_NONE;
	return last->remaining == (uint64_t)now->remaining_updates + 1 ? USED_ONE
								       : USED_OTHER;
}

static bool is_version(const char *text, const struct tdxupd_version *version)
{
	struct tdxupd_version v;

	return text && tdxupd_version_parse(text, &v) == 0 &&
	       tdxupd_version_compare(&v, version) == 0;
}

/* The module before runs, and no slot was used. */
static enum recovery explain_unchanged(enum job_state phase, enum recovery_staged staged)
{
	switch (phase) {
	case JOB_BACKOFF:
	case JOB_CONFIRMING:
		return RECOVERY_REFUSED;
	case JOB_COMMITTING:
		if (staged == RECOVERY_STAGED_YES)
			return RECOVERY_NEVER_COMMITTED;
		return staged == RECOVERY_STAGED_NO ? RECOVERY_REFUSED
						    : RECOVERY_UNCHANGED;
	default:
		return RECOVERY_NEVER_COMMITTED;
	}
}

static enum recovery compare(const struct history_record *last, enum job_state phase,
			     const struct tdxupd_host *now, enum recovery_staged staged)
{
	enum used used = count_used(last, now);
	bool is_before = is_version(last->module, &now->module_version);
	bool is_target = is_version(last->step_to, &now->module_version);

	/* Loading again what runs changes nothing but the count. */
	if (is_before && is_target)
		is_before = !(is_target = used == USED_ONE);
	if (is_target)
		return used == USED_ONE || used == USED_UNKNOWN ? RECOVERY_SUCCEEDED
								: RECOVERY_UNKNOWN;
	if (!is_before)
		return RECOVERY_MISMATCH;
	if (used == USED_NONE || used == USED_UNKNOWN)
		return explain_unchanged(phase, staged);
	return RECOVERY_UNKNOWN;
}

static bool is_outcome(const struct history_record *last, enum tdxupd_outcome outcome)
{
	return last->outcome &&
	       strcmp(last->outcome, tdxupd_outcome_to_string(outcome)) == 0;
}

/* The plan for the next step of a path begins where the last one was confirmed. */
static bool has_stepped(const struct history_record *last)
{
	return is_outcome(last, TDXUPD_OUTCOME_SUCCEEDED);
}

static bool has_ended_badly(const struct history_record *last)
{
	enum job_state phase = job_state_from_string(last->phase);

	if (strcmp(last->phase, RECOVERY_PHASE) == 0)
		return last->reason;
	return phase >= 0 && job_state_is_end(phase) &&
	       (is_outcome(last, TDXUPD_OUTCOME_REFUSED) ||
		is_outcome(last, TDXUPD_OUTCOME_MISMATCH) ||
		is_outcome(last, TDXUPD_OUTCOME_LOST));
}

bool recovery_has_failed(const struct history_record *last, enum recovery recovery)
{
	enum job_state phase = job_state_from_string(last->phase);

	switch (recovery) {
	case RECOVERY_NOTHING:
		return has_ended_badly(last);
	case RECOVERY_REFUSED:
	case RECOVERY_MISMATCH:
	case RECOVERY_LOST:
		/* Before the commit it was somebody else's doing. */
		return phase >= 0 && job_state_is_critical(phase);
	default:
		return false;
	}
}

/* A daemon that had to stop is nobody's word against the update. */
static bool was_given_up(const struct history_record *last)
{
	const char *interrupted = failure_to_string(FAILURE_INTERRUPTED);

	switch (job_state_from_string(last->phase)) {
	case JOB_CANCELLED:
		return !last->reason || strcmp(last->reason, interrupted) != 0;
	case JOB_EXPIRED:
	case JOB_UNKNOWN:
		return true;
	default:
		return false;
	}
}

bool recovery_is_unsettled(const struct history_record *last, enum recovery recovery,
			   const char *boot_id)
{
	if (recovery != RECOVERY_NOTHING)
		return true;
	if (!last || strcmp(last->boot_id, boot_id) != 0)
		return false;
	/* Killed again before it could say that it had started. */
	if (strcmp(last->phase, RECOVERY_PHASE) == 0)
		return true;
	/* Of a start, a hold or whatever else is no job's: what was so before it still
	 * is. */
	if (job_state_from_string(last->phase) < 0)
		return last->reason;
	return was_given_up(last);
}

bool recovery_is_same_aim(const struct history_record *last,
			  const struct tdxupd_version *next)
{
	/* It had not come to a plan. */
	return !last || !last->to || is_version(last->to, next);
}

enum recovery recovery_decide(const struct history_record *last,
			      const struct tdxupd_host *now, enum recovery_staged staged)
{
	enum job_state phase = last ? job_state_from_string(last->phase) : JOB_DONE;

	if (phase < 0 || job_state_is_end(phase))
		return RECOVERY_NOTHING;
	if (strcmp(last->boot_id, now->boot_id) != 0)
		return *now->boot_id ? RECOVERY_REBOOTED : RECOVERY_UNKNOWN;
	if (now->state == TDXUPD_TDX_LOST)
		return RECOVERY_LOST;
	if (now->state != TDXUPD_TDX_LIVE)
		return RECOVERY_UNKNOWN;
	/* Before the plan nothing is known, and nothing was done but the step before. */
	if (phase == JOB_QUEUED || phase == JOB_PLANNING)
		return has_stepped(last) ? RECOVERY_SUCCEEDED : RECOVERY_NEVER_COMMITTED;
	return compare(last, phase, now, staged);
}
