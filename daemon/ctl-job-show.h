/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CTL_JOB_SHOW_H
#define CTL_JOB_SHOW_H

#include "ctl-progress.h"
#include "ctl.h"

/*
 * Print what is new of @job, the properties of a job, in the way that --json= asks for.
 * @ret_has_ended: that was its last word. Returns the exit code that it then deserves.
 */
int ctl_job_show(struct ctl *ctl, struct ctl_progress *progress, struct json_object *job,
		 bool *ret_has_ended);

#endif
