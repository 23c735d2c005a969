/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MANAGER_HISTORY_H
#define MANAGER_HISTORY_H

#include "manager.h"

/* Open the history; what it was found to be is said to the journal. Without one the
 * daemon serves and commits nothing. */
void manager_open_history(struct manager *manager);
/* A job is about to be @after. Return: 0; an errno: it could not be recorded. */
int manager_record_job(struct manager *manager, const struct job *job,
		       enum job_state after);
/* @job's update hit a TD under build, which @detail names. The phase stays the job's, so
 * that a crash right after it is told of as ever. */
void manager_record_suspect(struct manager *manager, const struct job *job,
			    const char *detail);
/* The daemon ends, and @job may go on in the next one. Return: 0 or an errno. */
int manager_record_suspended(struct manager *manager, const struct job *job);
/* The job of @last does not. */
void manager_record_stopped(struct manager *manager, const struct history_record *last);
/* A daemon has started, and may leave to others what was cut off or given up. */
void manager_record_start(struct manager *manager);
/* Something that belongs to no job. @phase: "external", "held". */
void manager_record(struct manager *manager, const char *phase, const char *from,
		    const char *detail);
/* What became of the unfinished job @last. @reason: why its version is to be held, NULL
 * where it is not. */
void manager_record_recovery(struct manager *manager, const struct history_record *last,
			     const char *outcome, const char *reason);

#endif
