/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef JOB_PLAN_H
#define JOB_PLAN_H

#include "job.h"

/*
 * Decide the next step on the host as it is now, and read and verify its image. Fills in
 * versions, plan id, image and snapshot. Return: PLANNED, CURRENT, LOSE or REFUSED, the
 * latter two with the job's failure set.
 */
enum job_event job_plan(struct job *job);

#endif
