/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DAEMON_CONFIG_H
#define DAEMON_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gate.h"
#include "history.h"
#include "tdxupd.h"
#include "util.h"

/* AutoUpdate=: what to do without being asked when a newer image turns up. */
enum auto_update {
	AUTO_UPDATE_OFF,
	AUTO_UPDATE_STAGE, /* plan and say so */
	AUTO_UPDATE_APPLY,
	_AUTO_UPDATE_MAX,
	_AUTO_UPDATE_INVALID = -22,
};

/* DrainMethod=: how a gap is made where builds leave none. */
enum drain_method {
	DRAIN_LEASES, /* VMMs that take leases wait */
	DRAIN_FENCE,  /* and all others fail to start a TD */
	_DRAIN_METHOD_MAX,
	_DRAIN_METHOD_INVALID = -22,
};

/* LoadDriver=: which kernel module may be loaded where there is no tdx_host device. */
enum load_driver {
	LOAD_DRIVER_NO,
	LOAD_DRIVER_AUTO, /* tdx-host, where the CPUs offer TDX */
	LOAD_DRIVER_SIMULATION,
	_LOAD_DRIVER_MAX,
	_LOAD_DRIVER_INVALID = -22,
};

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
 *	the Accept...= keys make of the built-in policy
 * @deadline_usec: how long a job may wait, USEC_INFINITY for ever
 * @settle_usec: how long a new VM may be a TD under build where only KVM tells
 * @drain_after_usec: how long an update waits for a gap to come by itself
 * @barrier_max_usec: how long a launch may be held
 * @inhibit_delay_max_usec: how long those who delay an update may
 * @drain_slice: whose TDs the fence counts
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
	enum auto_update auto_update;
	uint64_t settle_usec;
	uint64_t drain_after_usec;
	uint64_t barrier_max_usec;
	uint64_t inhibit_delay_max_usec;
	enum drain_method drain_method;
	char *drain_slice;
	enum load_driver load_driver;
	struct history_limits history_limits;
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
/* The same again, made from its values and from no file: without what was added to its
 * policy since. Return: 0; -ENOMEM. */
int config_copy(const struct config *config, struct config **ret);
/* Do all keys have the same values? */
bool config_is_same(const struct config *a, const struct config *b);
struct config *config_ref(struct config *config);
struct config *config_unref(struct config *config);
DEFINE_CLEANUP(struct config, config, config_unref)

const char *auto_update_to_string(enum auto_update mode);
enum auto_update auto_update_from_string(const char *text);
const char *drain_method_to_string(enum drain_method method);
enum drain_method drain_method_from_string(const char *text);
const char *load_driver_to_string(enum load_driver policy);
enum load_driver load_driver_from_string(const char *text);

#endif
