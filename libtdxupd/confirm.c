// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What really happened, from what the host shows. The kernel's word is one witness among
 * three: the version that runs, the updates that remain, and the error it left. Only
 * where they agree is anything certain, and a refusal of any kind is told from a loss by
 * the module that still lives.
 */
#include <string.h>

#include "tdxupd.h"
#include "util.h"

static const char *const outcome_table[] = {
	[TDXUPD_OUTCOME_SUCCEEDED] = "succeeded",
	[TDXUPD_OUTCOME_BUSY] = "busy",
	[TDXUPD_OUTCOME_REFUSED] = "refused",
	[TDXUPD_OUTCOME_NOT_STARTED] = "not-started",
	[TDXUPD_OUTCOME_LOST] = "lost",
	[TDXUPD_OUTCOME_MISMATCH] = "mismatch",
	[TDXUPD_OUTCOME_UNKNOWN] = "unknown",
};
PUBLIC_STRING_TABLE_TO(tdxupd_outcome, enum tdxupd_outcome, outcome_table)

/* Update slots used between the snapshots. */
enum used {
	USED_NONE,
	USED_ONE,
	USED_OTHER, /* several, or some came back: not one update of ours */
	USED_UNKNOWN,
};

static enum used count_used(const struct tdxupd_host *before,
			    const struct tdxupd_host *after)
{
	if (!before->has_remaining_updates || !after->has_remaining_updates)
		return USED_UNKNOWN;
	if (before->remaining_updates == after->remaining_updates)
		return USED_NONE;
	if (before->remaining_updates - 1 == after->remaining_updates &&
	    before->remaining_updates > 0)
		return USED_ONE;
	return USED_OTHER;
}

/* A reboot wipes out all that the snapshots could be compared by. */
static bool is_same_boot(const struct tdxupd_host *before,
			 const struct tdxupd_host *after)
{
	return !before->boot_id[0] || !after->boot_id[0] ||
	       strcmp(before->boot_id, after->boot_id) == 0;
}

/* The old module lives on and no slot is gone: it was never shut down. */
static enum tdxupd_outcome confirm_harmless(const struct tdxupd_upload_result *result)
{
	if (!result)
		return TDXUPD_OUTCOME_NOT_STARTED;
	switch (result->error) {
	case TDXUPD_UPLOAD_ERROR_NONE:
	case TDXUPD_UPLOAD_ERROR_ALREADY:
		return TDXUPD_OUTCOME_NOT_STARTED;
	case TDXUPD_UPLOAD_ERROR_BUSY:
		return TDXUPD_OUTCOME_BUSY;
	case TDXUPD_UPLOAD_ERROR_INVALID:
	case TDXUPD_UPLOAD_ERROR_NO_SLOTS:
	case TDXUPD_UPLOAD_ERROR_CPU_OFFLINE:
	case TDXUPD_UPLOAD_ERROR_OTHER:
		return TDXUPD_OUTCOME_REFUSED;
	default:
		/* It says that TDX is lost, and it is not. */
		return TDXUPD_OUTCOME_UNKNOWN;
	}
}

static enum tdxupd_outcome confirm_live(const struct tdxupd_host *before,
					const struct tdxupd_host *after,
					const struct tdxupd_version *target,
					const struct tdxupd_upload_result *result)
{
	enum used used = count_used(before, after);
	bool is_old = tdxupd_version_compare(&after->module_version,
					     &before->module_version) == 0;
	bool is_target = tdxupd_version_compare(&after->module_version, target) == 0;
	bool has_error = result && result->error != TDXUPD_UPLOAD_ERROR_NONE;

	if (is_old && used == USED_NONE)
		return confirm_harmless(result);
	/* Who refused the update can't tell of a slot, if that can't be read. */
	if (is_old && !is_target && used == USED_UNKNOWN && has_error)
		return confirm_harmless(result);
	if (used != USED_ONE || has_error)
		return TDXUPD_OUTCOME_UNKNOWN;
	return is_target ? TDXUPD_OUTCOME_SUCCEEDED : TDXUPD_OUTCOME_MISMATCH;
}

_public_ enum tdxupd_outcome tdxupd_confirm(const struct tdxupd_host *before,
					    const struct tdxupd_host *after,
					    const struct tdxupd_version *target,
					    const struct tdxupd_upload_result *result)
{
	if (!before || !after || !target || before->state != TDXUPD_TDX_LIVE)
		return TDXUPD_OUTCOME_UNKNOWN;
	if (!is_same_boot(before, after))
		return TDXUPD_OUTCOME_UNKNOWN;
	if (after->state == TDXUPD_TDX_LOST)
		return TDXUPD_OUTCOME_LOST;
	if (after->state != TDXUPD_TDX_LIVE)
		return TDXUPD_OUTCOME_UNKNOWN;
	if (result && result->state != TDXUPD_UPLOAD_ENDED)
		return TDXUPD_OUTCOME_UNKNOWN;
	return confirm_live(before, after, target, result);
}
