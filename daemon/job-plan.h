/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef JOB_PLAN_H
#define JOB_PLAN_H

#include "job.h"

/*
 * Decide the next step on the host as it is now, and have its image. Fills in versions,
 * plan id, image and snapshot. In three parts, as others read the files: job_plan(), with
 * the catalog job_plan_with(), with the image's bytes job_plan_load().
 *
 * Return: PLANNED, CURRENT, LOSE or REFUSED, the latter two with the job's failure set;
 * _JOB_EVENT_INVALID: the next part follows.
 */
enum job_event job_plan(struct job *job);
enum job_event job_plan_with(struct job *job, int r, struct tdxupd_catalog **catalog,
			     const char *why);
enum job_event job_plan_load(struct job *job, int r, const uint8_t *bytes, size_t count);

#endif
