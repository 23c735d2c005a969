/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MANAGER_POLICY_H
#define MANAGER_POLICY_H

#include "manager.h"

/* The configuration as it is on disk, and what is held on top of it. */
int manager_load_config(struct manager *manager, struct config **ret, char **ret_why);
/* Read what is held; before the first manager_load_config(). */
int manager_load_holds(struct manager *manager);

/*
 * Return: 0; as holds_add(); an errno of writing it down: it counts, and @ret_text says
 * for how long. @ret_text, otherwise: what the caller should know, or NULL; free() it.
 */
int manager_hold(struct manager *manager, const struct hold *hold, char **ret_text);
/* Its time is filled in here, as manager_hold() does. Return: 0; -EMSGSIZE; the rest as
 * manager_hold(). */
int manager_pin(struct manager *manager, const struct pin *pin, char **ret_text);
/* @by: who wants it. Return: 1; 0 it was not held: nothing is changed; -EINVAL that can
 * not be held; -ENOMEM; an errno of writing it down, with @ret_why: all is held as it
 * was. */
int manager_unhold(struct manager *manager, const char *what, const char *by,
		   char **ret_why);
int manager_unpin(struct manager *manager, const char *by, char **ret_why);
/* Read them again: somebody else than this process has written them. They count as those
 * that manager_hold() makes do. Return: 0; -ENOMEM. */
int manager_reload_holds(struct manager *manager);
/* What forbids may have changed: every job is asked whether it may go on. */
void manager_ask_jobs(struct manager *manager);
/* A job that what forbids comes too late for, in a sentence; NULL: none. free() it. */
char *manager_describe_late(const struct manager *manager);
/* What can be said of a request before there is a plan: whether a version that does not
 * run yet is forbidden. */
enum failure manager_refuses(const struct manager *manager,
			     const struct job_request *request, char **ret_detail);
/* Is it known without a plan that a request is not to be? FAILURE_NONE: no; else why,
 * with a sentence, which may be NULL; free() it. */
enum failure manager_forbids(const struct manager *manager,
			     const struct job_request *request, char **ret_detail);
/* Forget what failed: holds that came from it, and the last result. Return: as
 * manager_unhold(). */
int manager_reset_failed(struct manager *manager, const char *by, char **ret_why);
/* An update to it failed in job @id: not again until somebody releases it. */
void manager_hold_version(struct manager *manager, uint32_t id,
			  const struct tdxupd_version *version, const char *detail);
/* A job ended with @job->step_to refused, lost or not what runs: not again. */
void manager_hold_failed(struct manager *manager, const struct job *job);
void manager_policy_done(struct manager *manager);

#endif
