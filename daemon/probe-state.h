/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PROBE_STATE_H
#define PROBE_STATE_H

#include <stddef.h>
#include <stdint.h>

#include "probe-line.h"

#define PROBE_STATE_WHY_BYTES 128

/*
 * How often the kernel ran each probe, and how often it could not. It counts a call
 * before anything may filter its event, so a call that is counted and not read was
 * hidden.
 */
struct probe_counts {
	uint64_t hits[_PROBE_CALL_MAX];
	uint64_t misses;
};

/*
 * From the text of kprobe_profile. Misses of the canary are left out. Return: 0; -ENODATA
 * some probe is not there; -EEXIST another event has one of our names.
 */
int probe_counts_parse(const char *text, struct probe_counts *ret);

/*
 * From the text of debugfs' kprobes/list: is each probe there, on, and of one kind?
 * Return: 0; -ENODATA not so, with @why. Somebody else's probe on the same function that
 * is off counts as ours: which is whose it does not say.
 */
int probe_list_check(const char *text, char *why);

#endif
