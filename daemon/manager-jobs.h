/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MANAGER_JOBS_H
#define MANAGER_JOBS_H

#include "manager.h"

/*
 * Ask for an update: joins a job that has the same aim and has not ended, else queues
 * one. It begins on the event loop, not in this call. Who joins changes no deadline.
 * Return: 0; -EEXIST the token is that of another request, or of somebody else's; -ESTALE
 * the job rests on another plan than the one the caller has seen; -ENOSPC too many jobs;
 * -EDQUOT too many of one user's; -ENOMEM.
 */
int manager_add_job(struct manager *manager, const struct job_request *request,
		    struct job **ret);
/* NULL where there is none of that id. */
struct job *manager_find_job(const struct manager *manager, uint32_t id);
/* The one that is on its way or next in line; NULL when idle. */
struct job *manager_get_current(const struct manager *manager);
/* How the last update that ended came out, "" where there was none; see last-update.h. */
const char *manager_get_last_result(const struct manager *manager);

/* For manager.c and manager-recovery.c. */
void manager_jobs_init(struct manager *manager);
/* A job of the daemon before this one, to be filled in; NULL when memory ran out.
 * @request: NULL where it is not known any more */
struct job *manager_restore_job(struct manager *manager, uint32_t id,
				const struct job_request *request);
/* Those that were restored and have not ended: begin, from the event loop. */
int manager_start_jobs(struct manager *manager);
/* The same: forget them. */
void manager_drop_jobs(struct manager *manager);
/* A job has ended: where it was an update it is the last one, on disk too. */
void manager_take_last(struct manager *manager, const struct job *job);
/* What the last one was has changed. */
void manager_keep_last(struct manager *manager);
void manager_jobs_done(struct manager *manager);

#endif
