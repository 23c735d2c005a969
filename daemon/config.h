/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DAEMON_CONFIG_H
#define DAEMON_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gate.h"
#include "tdxupd.h"
#include "util.h"

/* One key as it counts. @file: who said so, NULL for the built-in default. */
struct config_value {
	char *key;
	char *value;
	char *file;
};

/*
 * tdxupd.conf, read and checked.
 * @images, @mapping: paths below the root; @mapping is NULL for the one inside @images
 * @policy: what TrustedSigner=, AllowedMrSeam=, Blocked=, ReserveUpdates=, Strategy= and
 *	the Allow...= keys make of the built-in policy
 * @deadline_usec: how long a job may wait, USEC_INFINITY for ever
 * @values: every known key, sorted as documented
 */
struct config {
	unsigned refs;
	char *images;
	char *mapping;
	struct tdxupd_policy *policy;
	bool has_target;
	struct tdxupd_version target;
	enum gate_policy guard;
	uint64_t deadline_usec;
	size_t value_count;
	struct config_value *values;
};

/*
 * Read tdxupd.conf and its drop-ins from usr/lib/tdxupd, run/tdxupd and etc/tdxupd below
 * @root, later directories before earlier ones.
 *
 * Any unknown key and any bad value is an error: a misspelt `Blocked=` that is skipped
 * would let through what the administrator forbade.
 *
 * Return: 0; -EBADMSG with @ret_why, one line "FILE: KEY=: trouble" for each, free() it;
 * -ENOMEM; another errno of the file system, with @ret_why. No file at all is no error.
 */
int config_load(const char *root, struct config **ret, char **ret_why);
struct config *config_ref(struct config *config);
struct config *config_unref(struct config *config);
DEFINE_CLEANUP(struct config, config, config_unref)

#endif
