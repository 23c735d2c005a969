/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CTL_PROGRESS_H
#define CTL_PROGRESS_H

#include "ctl.h"

/* So long a job may wait before "for nobody in particular" is worth a line. */
#define CTL_PROGRESS_DOUBT_USEC UINT64_C(500000)

/* Time and milestone, before each line's sentence. */
#define CTL_PROGRESS_INDENT 21

/*
 * What has been shown of a job.
 * @waiting_usec: since when it waits, 0 where it does not
 * @shown: how many milestones of the hop under way
 * @key: of what was last said of waiting
 */
struct ctl_progress {
	uint64_t start_usec;
	uint64_t waiting_usec;
	unsigned shown;
	char *key;
};

void ctl_progress_init(struct ctl_progress *progress);
void ctl_progress_done(struct ctl_progress *progress);

/*
 * The lines that @job, the properties of a job, gives reason for since the last call.
 * Signals are merged by the daemon, so states may be skipped: milestones that a state
 * presupposes are shown with it. Call it again a while after a change, for what is worth
 * a line only if it lasts. Newly allocated, "" for nothing; NULL: no memory.
 */
char *ctl_progress_format(struct ctl_progress *progress, struct json_object *job,
			  uint64_t now_usec);

#endif
