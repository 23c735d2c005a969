/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef JOB_PACE_H
#define JOB_PACE_H

#include <stdbool.h>
#include <stdint.h>

/* So often in a row a job goes back to where it was, before it gives up. */
#define JOB_PACE_ROUNDS_MAX 20

/*
 * How fast a job may go round: what throws it back (somebody takes the staged image away,
 * loads another module, a kernel that says busy) can last, and each round writes to the
 * history and the kernel. All zero is a job that was never thrown back.
 * @rounds: in a row, without a calm in between
 * @busy: refusals for a TD build, ever
 */
struct job_pace {
	unsigned rounds;
	unsigned busy;
};

/*
 * The job is thrown back after it had waited for @calm_usec undisturbed.
 * Return: how long to pause first; UINT64_MAX: it was too often.
 */
uint64_t job_pace_go_back(struct job_pace *pace, uint64_t calm_usec);
/* The kernel refused for a TD build. Return: for how long the gate's word that there is
 * none now does not count yet. */
uint64_t job_pace_refused(struct job_pace *pace);
/* It was refused so often that only what a crash is told from is worth a record. */
bool job_pace_is_terse(const struct job_pace *pace);

#endif
