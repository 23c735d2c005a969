/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TRACEFS_H
#define TRACEFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRACEFS_DIR "sys/kernel/tracing"

/*
 * Probes on the calls that make and end TD builds, in a tracing instance of our own.
 * @base_fd: the top of tracefs
 * @instance_fd: its instances/tdxupd
 * @pipe_fd: trace_pipe, non-blocking
 * @profile_fd: kprobe_profile
 */
struct tracefs {
	int base_fd;
	int instance_fd;
	int pipe_fd;
	int profile_fd;
};

#define TRACEFS_CLOSED ((struct tracefs){ -1, -1, -1, -1 })

#define TRACEFS_WHY_BYTES 128

/*
 * Place the probes, ends before beginnings, so that no build is seen to begin and not to
 * end. What a crash left behind goes first. Probes and instances of others are not
 * touched.
 * @why: TRACEFS_WHY_BYTES, filled where it fails
 */
int tracefs_open(int root_fd, struct tracefs *ret, char *why);
/* Take the probes away; takes one that is closed. */
void tracefs_close(struct tracefs *tracefs);

/*
 * How many returns of the probed functions went by unseen since the probes were placed.
 * One system call where the machine has few other probes. Return: 0; -ENODATA some probe
 * is not there any more; another errno.
 */
int tracefs_read_misses(const struct tracefs *tracefs, uint64_t *ret);
/* The same from the text of kprobe_profile. */
int tracefs_parse_misses(const char *text, uint64_t *ret);
/* Are the probes still on? Somebody may have reset all tracing. */
bool tracefs_is_live(const struct tracefs *tracefs);

#endif
