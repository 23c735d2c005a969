/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PROBE_CANARY_H
#define PROBE_CANARY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "probe-line.h"

/*
 * Silence is evidence only if the probes can be heard. Each look sets off a function of
 * the kernel that is probed, at its entry and at its return, as those are that make and
 * end TD builds; it counts only when both events of this very look have been read.
 *
 * @is_known: @file and @pid are known; until then whoever reads alone is taken for us
 * @file: the kernel's address of our open file, which nobody else has
 * @pid: our thread, by the number that the kernel gives it; a container has others
 * @since_usec: when the look began
 */
struct probe_canary {
	bool is_known;
	uint64_t file;
	pid_t pid;
	uint64_t since_usec;
	bool has_entered;
	bool has_returned;
	bool is_ambiguous;
};

/* A look begins at @now_usec of CLOCK_MONOTONIC: what was seen before is of no account.
 */
void probe_canary_begin(struct probe_canary *canary, uint64_t now_usec);
/* An event has been read; other calls than the canary's are of no account. */
void probe_canary_take(struct probe_canary *canary, const struct probe_event *event);
/* Have both events of this look been read? */
bool probe_canary_is_seen(const struct probe_canary *canary);
/*
 * From now on only the thread and the file of this look count. @pid: ours, 0 where the
 * kernel knows us by another number. Return: 0; -EAGAIN not seen, or not alone.
 */
int probe_canary_learn(struct probe_canary *canary, pid_t pid);

#endif
