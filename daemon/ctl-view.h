/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CTL_VIEW_H
#define CTL_VIEW_H

#include "ctl-facts.h"

/*
 * What a verb shows, as JSON, from this process or from the daemon; they say the same.
 *
 * The daemon is asked about another host (-H), and where only root may read what a plan
 * rests on and the caller is somebody else. If it can't be reached in that case, this
 * process looks by itself: what it can't read is unknown, and counts against an update.
 * Root and whoever names a host or images of their own are never told by the daemon.
 *
 * Each returns an exit code and has said why.
 */

/* The plan, as describe_plan() has it. @target: NULL for the configured one. */
int ctl_view_plan(struct ctl *ctl, const char *target, struct json_object **ret);
/* {candidates, left_out, missing, remote, pin, held, result, reason, why, advice}:
 * missing with --all only; remote is the type of a remote file system that the images are
 * on. */
int ctl_view_list(struct ctl *ctl, struct json_object **ret);
/* @format: "plain" as describe_attest() has it, or "comid". */
int ctl_view_attest(struct ctl *ctl, const char *target, const char *format,
		    struct json_object **ret);
/*
 * The host, as describe_host() has it. @daemon: its properties, or NULL: all that is
 * known of another host, and what only root may read of this one.
 */
int ctl_view_host(struct ctl *ctl, struct ctl_facts *facts, struct json_object *daemon,
		  struct json_object **ret);
/* The exit code that a plan's result is worth to whoever wanted an update. */
int ctl_view_exit(struct json_object *plan);
/* Why a plan is blocked, and what helps; NULL: no memory. */
char *ctl_view_explain(struct json_object *plan);
/* Add {result, reason, why, advice} of a plan. Return: 0; -ENOMEM. */
int ctl_view_copy_word(struct json_object *plan, struct json_object *into);
/* A hold or the pin in a sentence: @what, since when, by whom and why; NULL: no memory.
 */
char *ctl_view_describe_hold(const char *what, struct json_object *hold);
/* What the administrator says, beside a plan or a list. */
void ctl_view_say_holds(const struct ctl *ctl, struct json_object *view);

#endif
