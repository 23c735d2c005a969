/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CTL_FACTS_H
#define CTL_FACTS_H

#include "config.h"
#include "ctl.h"
#include "holds.h"
#include "mount-type.h"
#include "tdxupd.h"

/* What a verb rests on, read in this order; what it did not ask for is NULL.
 * @may_use_cache: what an earlier run verified need not be verified again
 * @remote: the type of the file system of the images, where that is a network's or a
 *	process's; "" for a local one
 * @has_holds: @holds, what is held and pinned on this host, has been read
 * @holds_note: why it could not be, and all is held for that; NULL where it could
 * @are_holds_hidden: only root may read them, and the caller is somebody else */
struct ctl_facts {
	char remote[MOUNT_TYPE_BYTES];
	bool may_use_cache;
	struct config *config;
	bool has_holds;
	bool are_holds_hidden;
	struct holds holds;
	char *holds_note;
	struct tdxupd_host *host;
	struct tdxupd_catalog *catalog;
	struct tdxupd_plan *plan;
};

/*
 * Each reads what comes before it too, and says what went wrong. Return: an exit code.
 */
int ctl_facts_read_holds(struct ctl *ctl, struct ctl_facts *facts);
int ctl_facts_read_config(struct ctl *ctl, struct ctl_facts *facts);
int ctl_facts_read_host(struct ctl *ctl, struct ctl_facts *facts);
int ctl_facts_read_catalog(struct ctl *ctl, struct ctl_facts *facts);
/*
 * @target: the version wanted, NULL for what the configuration says, else the newest. A
 * host that has no TDX, or has lost it, is said instead of planned for.
 */
int ctl_facts_make_plan(struct ctl *ctl, const char *target, struct ctl_facts *facts);
void ctl_facts_done(struct ctl_facts *facts);

/* Absent and lost hosts get their one line. Return: an exit code. */
int ctl_facts_fail_state(const struct ctl *ctl, enum tdxupd_tdx_state state);
int ctl_facts_check_host(struct ctl *ctl, const struct ctl_facts *facts);

/* A whole regular file of the caller's, relative to the working directory. Return: 0;
 * -EFBIG; -EBADFD no regular file; another errno. */
int ctl_read_file(const char *path, size_t max_bytes, uint8_t **ret, size_t *ret_bytes);

/* All of standard input. Return: as above. */
int ctl_read_input(size_t max_bytes, uint8_t **ret, size_t *ret_bytes);

#endif
