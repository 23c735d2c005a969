/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef JOB_RUN_H
#define JOB_RUN_H

#include "job.h"

/* Begin, and go on by itself as far as it can without waiting. */
void job_start(struct job *job);
/* The gate may have changed. */
void job_on_gate(struct job *job);
/* Somebody, maybe this job, has written to a file that starts updates or drops them. */
void job_on_write(struct job *job);
/* What was read for its plan, as manager_catalog_fn and manager_bytes_fn have it. */
void job_on_catalog(struct job *job, int r, struct tdxupd_catalog **catalog,
		    const char *why);
void job_on_image(struct job *job, int r, const uint8_t *bytes, size_t count);
/* What forbids has changed: ends a job that it forbids, before the point of no return. */
void job_on_policy(struct job *job);
/* Return: 0; -EBUSY past the point of no return; -ESRCH it has ended. */
int job_cancel(struct job *job);
/* Make a gap at once instead of waiting for one. Return: as job_cancel(). */
int job_expedite(struct job *job);
/* Give up at @deadline_usec (CLOCK_MONOTONIC). Return: as job_cancel(). */
int job_set_deadline(struct job *job, uint64_t deadline_usec);

#endif
