/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef INHIBITOR_H
#define INHIBITOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "gate.h"
#include "quota.h"
#include "util.h"

#define INHIBITOR_WHO_BYTES    64
#define INHIBITOR_WHY_BYTES    128
#define INHIBITOR_SENDER_BYTES 32

enum inhibitor_mode {
	INHIBITOR_BLOCK, /* no update is committed while it is held */
	INHIBITOR_DELAY, /* its holder has a moment to get ready for one */
	_INHIBITOR_MODE_MAX,
	_INHIBITOR_MODE_INVALID = -22,
};
const char *inhibitor_mode_to_string(enum inhibitor_mode mode);
enum inhibitor_mode inhibitor_mode_from_string(const char *text);

/*
 * Somebody who wants no update now.
 * @who, @why: in their words, printable
 * @sender, @uid: who asked, for the limit
 * @since_usec, @until_usec: CLOCK_MONOTONIC; UINT64_MAX for as long as it is held
 */
struct inhibitor {
	enum inhibitor_mode mode;
	char who[INHIBITOR_WHO_BYTES];
	char why[INHIBITOR_WHY_BYTES];
	char sender[INHIBITOR_SENDER_BYTES];
	uid_t uid;
	pid_t pid;
	uint64_t since_usec;
	uint64_t until_usec;
	void *userdata;
};

struct inhibitor_limits {
	struct quota quota;
};

/* All of them, in the order of asking. Pure: all clocks are passed in. */
struct inhibitor_registry;

int inhibitor_registry_new(const struct inhibitor_limits *limits,
			   struct inhibitor_registry **ret);
struct inhibitor_registry *inhibitor_registry_free(struct inhibitor_registry *registry);
DEFINE_CLEANUP(struct inhibitor_registry, inhibitor_registry, inhibitor_registry_free)

/*
 * Take one on. What @who and @why are too long by is cut off. Return: 0; -EINVAL @who is
 * empty; -EDQUOT its sender or user has as many as one may; -ENOBUFS all together have;
 * -ENOMEM.
 */
int inhibitor_add(struct inhibitor_registry *registry, const struct inhibitor *wanted,
		  const char *who, const char *why, struct inhibitor **ret);
/* It is over, and freed. */
void inhibitor_end(struct inhibitor_registry *registry, struct inhibitor *inhibitor);
size_t inhibitor_count(const struct inhibitor_registry *registry);
struct inhibitor *inhibitor_get(const struct inhibitor_registry *registry, size_t i);

/* An update is ready to be committed: those that delay it count until @until_usec. */
void inhibitor_prepare(struct inhibitor_registry *registry, uint64_t until_usec);
/* None is any more. */
void inhibitor_rest(struct inhibitor_registry *registry);
bool inhibitor_is_preparing(const struct inhibitor_registry *registry);

/* One whose time is over, NULL when there is none: to be ended. */
struct inhibitor *inhibitor_get_expired(const struct inhibitor_registry *registry,
					uint64_t now_usec);
/* When what is said here changes by itself; UINT64_MAX never. */
uint64_t inhibitor_get_next(const struct inhibitor_registry *registry, uint64_t now_usec);

/* Closed by those that hold an update up at @now_usec, open where none does. */
void inhibitor_registry_read(struct inhibitor_registry *registry, uint64_t now_usec,
			     struct gate_source *ret);

#endif
