/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LAST_UPDATE_H
#define LAST_UPDATE_H

#include "job.h"

/*
 * The last update that came to an end, when its job may be forgotten already.
 * @id: 0 where there was none
 * @failure: FAILURE_NONE where it succeeded
 * @ended_usec: CLOCK_REALTIME
 * @detail: may be NULL
 */
struct last_update {
	uint32_t id;
	enum failure failure;
	bool has_versions;
	struct tdxupd_version from;
	struct tdxupd_version to;
	uint64_t ended_usec;
	char *detail;
};

/*
 * Take a job that has ended, if it was an update: what was refused because of the request
 * itself, and what found nothing to do, says nothing of the last one.
 */
void last_update_take(struct last_update *last, const struct job *job, uint64_t now_usec);
void last_update_done(struct last_update *last);
/* "" where there was none, or as job_get_result(). */
const char *last_update_get_result(const struct last_update *last);

#endif
