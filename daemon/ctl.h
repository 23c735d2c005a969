/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CTL_H
#define CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <json-c/json_object.h>

#include "util.h"

/*
 * Exit codes, for scripts: their meaning never changes. 0, 1 and 2 are as everywhere.
 * Ours begin where neither LSB (3 to 7), sysexits.h (64 to 78) nor systemd (200 and up)
 * has a name for them that `systemctl status` would show. See exit_codes[] in ctl.c.
 */
enum ctl_exit {
	CTL_EXIT_OK = 0,
	CTL_EXIT_FAILURE = 1,
	CTL_EXIT_USAGE = 2,
	_CTL_EXIT_OWN = 20,
	CTL_EXIT_UNSUPPORTED = _CTL_EXIT_OWN,
	CTL_EXIT_NO_IMAGE = 21,
	CTL_EXIT_BLOCKED = 22,
	CTL_EXIT_HELD = 23,
	CTL_EXIT_MISMATCH = 24,
	CTL_EXIT_LOST = 25,
	CTL_EXIT_NOT_AUTHORISED = 26,
	CTL_EXIT_UNREACHABLE = 27,
	CTL_EXIT_UNTRUSTED = 28,
	CTL_EXIT_CANCELLED = 29,
	CTL_EXIT_EXHAUSTED = 30,
	CTL_EXIT_AVAILABLE = 31,
	CTL_EXIT_PINNED = 32,
	CTL_EXIT_FAILED = 33,
	CTL_EXIT_FORBIDDEN = 34,
	CTL_EXIT_REFUSED = 35,
	CTL_EXIT_CONFIG = 36,
	_CTL_EXIT_MAX,
	CTL_EXIT_DETACHED = 130, /* as a shell shows a program that Ctrl-C ended */
};

/* What an exit code means, for the page and --help. NULL for a code that is none. */
const char *ctl_exit_describe(int code);

enum ctl_json {
	CTL_JSON_OFF,
	CTL_JSON_SHORT,
	CTL_JSON_PRETTY,
	CTL_JSON_SEQ, /* RFC 7464: a record separator before each value */
	_CTL_JSON_MAX,
	_CTL_JSON_INVALID = -22,
};
enum ctl_json ctl_json_from_string(const char *text);

/*
 * One call of tdxupdctl: the options as given and what was opened for them.
 * @root_fd: of @root
 * @width: columns that a table may take
 * @is_terminal: of standard output
 */
struct ctl {
	const char *root;
	int root_fd;
	const char *host_file;
	const char *images;
	const char *mapping;
	const char *bus_address;
	const char *remote;
	const char *strategy;
	const char *container;
	const char *deadline;
	const char *duration;
	const char *guard;
	const char *vm;
	const char *release_after;
	const char *until_removed;
	const char *plan_id;
	const char *why_text;
	const char *who;
	const char *mode;
	const char *count;
	const char *since;
	const char *job;
	enum ctl_json json;
	bool is_quiet;
	bool is_no_start;
	bool is_silent; /* not even errors: what is tried is a nicety */
	char **heard;   /* where a silent error's message goes; NULL for nowhere */
	bool has_no_legend;
	bool is_all;
	bool is_why;
	bool is_list;
	bool is_dot;
	bool is_force;
	bool is_export_host;
	bool is_no_wait;
	bool is_direct;
	bool is_no_pager;
	bool is_drain;
	bool is_exit_code;
	bool is_terminal;
	bool has_colour;
	unsigned width;
};

/*
 * Verbs: ctl-<verb>.c. argv[0] is the verb, then its arguments, as many as its row in
 * ctl-verbs.c allows. Each returns an exit code and has said why it is not 0.
 */
typedef int (*ctl_run_fn)(struct ctl *ctl, int argc, char **argv);

int ctl_status(struct ctl *ctl, int argc, char **argv);
int ctl_list(struct ctl *ctl, int argc, char **argv);
int ctl_plan(struct ctl *ctl, int argc, char **argv);
int ctl_update(struct ctl *ctl, int argc, char **argv);
int ctl_image_show(struct ctl *ctl, int argc, char **argv);
int ctl_image_verify(struct ctl *ctl, int argc, char **argv);
int ctl_image_convert(struct ctl *ctl, int argc, char **argv);
int ctl_image_join(struct ctl *ctl, int argc, char **argv);
int ctl_image_import(struct ctl *ctl, int argc, char **argv);
int ctl_image_remove(struct ctl *ctl, int argc, char **argv);
int ctl_image_vacuum(struct ctl *ctl, int argc, char **argv);
int ctl_catalog_check(struct ctl *ctl, int argc, char **argv);
int ctl_catalog_graph(struct ctl *ctl, int argc, char **argv);
int ctl_jobs(struct ctl *ctl, int argc, char **argv);
int ctl_watch(struct ctl *ctl, int argc, char **argv);
int ctl_cancel(struct ctl *ctl, int argc, char **argv);
int ctl_blockers(struct ctl *ctl, int argc, char **argv);
int ctl_doctor(struct ctl *ctl, int argc, char **argv);
int ctl_attest_show(struct ctl *ctl, int argc, char **argv);
int ctl_attest_export(struct ctl *ctl, int argc, char **argv);
int ctl_check(struct ctl *ctl, int argc, char **argv);
int ctl_guard(struct ctl *ctl, int argc, char **argv);
int ctl_history(struct ctl *ctl, int argc, char **argv);
int ctl_hold(struct ctl *ctl, int argc, char **argv);
int ctl_holds(struct ctl *ctl, int argc, char **argv);
int ctl_inhibit(struct ctl *ctl, int argc, char **argv);
int ctl_is_current(struct ctl *ctl, int argc, char **argv);
int ctl_pin(struct ctl *ctl, int argc, char **argv);
int ctl_unpin(struct ctl *ctl, int argc, char **argv);
int ctl_log(struct ctl *ctl, int argc, char **argv);
int ctl_reset_failed(struct ctl *ctl, int argc, char **argv);
int ctl_unhold(struct ctl *ctl, int argc, char **argv);
int ctl_version(struct ctl *ctl, int argc, char **argv);
int ctl_config_show(struct ctl *ctl, int argc, char **argv);

/*
 * Say what went wrong, once: one line on standard error, or with --json an object
 * {error: {reason, message, exit_code}} on standard output. @reason is the stable name
 * for programs; the message says what to do. Returns @code.
 */
int ctl_fail(const struct ctl *ctl, enum ctl_exit code, const char *reason,
	     const char *format, ...) _printf_(4, 5);
int ctl_fail_memory(const struct ctl *ctl);
/* @message is made of several lines, or comes from somewhere else. */
int ctl_fail_text(const struct ctl *ctl, enum ctl_exit code, const char *reason,
		  const char *message);

/* Print @object as --json= asks. Returns CTL_EXIT_OK, or a failed write's. */
int ctl_print_json(const struct ctl *ctl, struct json_object *object);

/* A line for people; nothing with --json or --quiet. */
void ctl_say(const struct ctl *ctl, const char *format, ...) _printf_(2, 3);

#endif
