/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LAST_UPDATE_H
#define LAST_UPDATE_H

#include "job.h"

#define LAST_UPDATE_FILE "last-update.json"
#define BOOT_ID_BYTES    sizeof(((struct tdxupd_host *)NULL)->boot_id)

/*
 * The last update that came to an end, when its job may be forgotten already, and the
 * daemon or the machine may have been started again.
 * @id: 0 where there was none
 * @failure: FAILURE_NONE where it succeeded
 * @ended_usec: CLOCK_REALTIME
 * @detail: may be NULL
 * @lost_boot_id: of the boot in which it was told that TDX is lost, "" for none. A loss
 *that no update of ours caused is told once as well
 */
struct last_update {
	uint32_t id;
	enum failure failure;
	bool has_versions;
	struct tdxupd_version from;
	struct tdxupd_version to;
	uint64_t ended_usec;
	char *detail;
	char lost_boot_id[BOOT_ID_BYTES];
};

/*
 * Take a job that has ended, if it was an update: what was refused because of the request
 * itself, and what found nothing to do, says nothing of the last one. Return: whether
 * there is anything new to be kept.
 */
bool last_update_take(struct last_update *last, const struct job *job,
		      const char *boot_id, uint64_t now_usec);
/* What failed is nobody's concern any more. Return: as above. */
bool last_update_forgive(struct last_update *last);
void last_update_done(struct last_update *last);

/*
 * LAST_UPDATE_FILE in the state directory. A file that makes no sense is as none:
 * -EBADMSG, and so is what can't be read: an errno. @ret is set in any case.
 */
int last_update_load(int root_fd, struct last_update *ret);
int last_update_save(int root_fd, const struct last_update *last);
/* "" where there was none, or as job_get_result(). */
const char *last_update_get_result(const struct last_update *last);

#endif
