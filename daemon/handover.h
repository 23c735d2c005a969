/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef HANDOVER_H
#define HANDOVER_H

#include "job.h"

/*
 * A job that one daemon hands to the next: what was asked for, and how far it has come.
 * All clocks are CLOCK_MONOTONIC: it is good for this boot.
 */
struct handover_job {
	uint32_t id;
	bool is_shared;
	struct job_request request;
	bool has_versions;
	struct tdxupd_version from;
	struct tdxupd_version to;
	char plan_id[TDXUPD_PLAN_ID_BYTES];
	unsigned step_count;
	unsigned attempts;
};

struct handover {
	size_t count;
	struct handover_job *jobs;
};

/* Write what is still to be done into memory that has a descriptor. Return: 0; an errno.
 */
int handover_write(struct job *const *jobs, size_t count, int *ret_fd);
/* Return: 0; -EBADMSG it makes no sense, of another release perhaps; another errno. */
int handover_read(int fd, struct handover *ret);
void handover_done(struct handover *handover);

#endif
