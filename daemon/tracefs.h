/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TRACEFS_H
#define TRACEFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probe-state.h"

#define TRACEFS_DIR "sys/kernel/tracing"

/*
 * Probes on the calls that make and end TD builds, in a tracing instance of our own.
 * @base_fd: the top of tracefs
 * @instance_fd: its instances/tdxupd
 * @pipe_fd: trace_pipe, non-blocking
 * @profile_fd: kprobe_profile
 * @list_fd: kprobes/list in debugfs
 */
struct tracefs {
	int base_fd;
	int instance_fd;
	int pipe_fd;
	int profile_fd;
	int list_fd;
};

#define TRACEFS_CLOSED ((struct tracefs){ -1, -1, -1, -1, -1 })

#define TRACEFS_WHY_BYTES 160

/*
 * Place the probes. What a crash left behind goes first. Probes and instances of others
 * are not touched.
 * @why: TRACEFS_WHY_BYTES, filled where it fails
 */
int tracefs_open(int root_fd, struct tracefs *ret, char *why);
/* Take the probes away; takes one that is closed. */
void tracefs_close(struct tracefs *tracefs);

/*
 * How often each probe was hit, and how many calls went by unseen, since the probes were
 * placed. One system call where the machine has few other probes. Return: 0; -ENODATA
 * some probe is not there any more; another errno.
 */
int tracefs_read_counts(const struct tracefs *tracefs, struct probe_counts *ret);
/*
 * Is each probe on, as the kernel lists them? Reading the list is what sets off the
 * canary. Likewise one system call. Return: 0; -ENODATA no, with @why; another errno,
 * with @why.
 */
int tracefs_check_probes(const struct tracefs *tracefs, char *why);
/*
 * Why do probes stay silent that are on? Of what silences all of the machine's.
 * @why: TRACEFS_WHY_BYTES, the cause and its remedy. Return: whether there is such a
 * cause
 */
bool tracefs_explain_silence(int root_fd, char *why);

#endif
