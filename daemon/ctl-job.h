/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CTL_JOB_H
#define CTL_JOB_H

#include <systemd/sd-bus.h>

#include "ctl.h"

/*
 * Show the job at @path until it ends, the daemon goes away for good or Ctrl-C detaches
 * us. Must have been prepared before the job could begin, so that nothing of it is
 * missed.
 */
struct ctl_job_watch;

int ctl_job_watch_new(struct ctl *ctl, sd_bus *bus, struct ctl_job_watch **ret);
struct ctl_job_watch *ctl_job_watch_free(struct ctl_job_watch *watch);
DEFINE_CLEANUP(struct ctl_job_watch, ctl_job_watch, ctl_job_watch_free)
/* Wait no longer than @usec from now, whoever else wants the job. Returns CTL_EXIT_OK, or
 * has said why not. */
int ctl_job_watch_set_deadline(struct ctl_job_watch *watch, uint64_t usec);
/* Returns the exit code that the job deserves, and has said everything. */
int ctl_job_watch_run(struct ctl_job_watch *watch, const char *path);
/* The same for the job that a call starts, whose answer may take as long as an update. */
int ctl_job_watch_call(struct ctl_job_watch *watch, sd_bus_message *message);

#endif
