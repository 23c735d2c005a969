// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A restart of the daemon, by a package manager or by needrestart, takes no update back.
 * At SIGTERM nobody says whether it is a restart or a stop: the jobs are given to
 * systemd, and that they are is the last record of the history. Only where both are there
 * afterwards, in the same boot, it was a restart; after a stop systemd has dropped them,
 * after a crash that record is not the last one.
 */
#include <errno.h>
#include <string.h>

#include "fdstore.h"
#include "handover.h"
#include "journal.h"
#include "manager-handover.h"
#include "manager-history.h"
#include "manager-jobs.h"
#include "recovery.h"
#include "text.h"

/* ---- the daemon that ends ---- */

int manager_hand_over(struct manager *manager)
{
	const struct job *job = manager_get_current(manager);
	_cleanup_(cleanup_close)
	int fd = -1;
	int r;

	if (!job)
		return 0;
	r = handover_write(manager->jobs, manager->job_count, &fd);
	/* First there, then written down: a record without the jobs is a stop. */
	if (r == 0)
		r = fdstore_put(HANDOVER_NAME, fd);
	if (r == 0)
		r = manager_record_suspended(manager, job);
	if (r < 0) {
		fdstore_remove(HANDOVER_NAME);
		return r;
	}
	journal_say(LOG_NOTICE, NULL, "job %u goes on if this is a restart", job->id);
	return 0;
}

/* ---- the one that begins ---- */

bool manager_was_suspended(const struct manager *manager,
			   const struct history_record *last)
{
	return last && strcmp(last->phase, RECOVERY_SUSPENDED_PHASE) == 0 &&
	       strcmp(last->boot_id, manager->host->boot_id) == 0;
}

static int restore(struct manager *manager, const struct handover_job *from)
{
	struct job *job;

	if (manager_find_job(manager, from->id))
		return -EEXIST;
	job = manager_restore_job(manager, from->id, &from->request);
	if (!job)
		return -ENOMEM;
	job->is_shared = from->is_shared;
	job->has_versions = from->has_versions;
	job->from = from->from;
	job->to = from->to;
	strcpy(job->plan_id, from->plan_id);
	job->step_count = job->steps_left = from->step_count;
	job->attempts = from->attempts;
	if (from->id > manager->last_id)
		manager->last_id = from->id;
	return 0;
}

static int go_on(struct manager *manager, const struct history_record *last, int fd)
{
	_cleanup_(handover_done)
	struct handover handover = { 0 };
	int r = fd < 0 ? -ENODATA : handover_read(fd, &handover);

	if (r == 0 && handover.jobs[0].id != last->job)
		r = -ESTALE;
	for (size_t i = 0; r == 0 && i < handover.count; i++)
		r = restore(manager, &handover.jobs[i]);
	if (r == 0)
		r = manager_start_jobs(manager);
	if (r == 0)
		journal_say(LOG_NOTICE, NULL, "job %u goes on after the restart",
			    handover.jobs[0].id);
	return r;
}

void manager_take_over(struct manager *manager, const struct history_record *last, int fd)
{
	int r;

	/* Once: a crash from here on is none of a restart. */
	if (fd >= 0)
		fdstore_remove(HANDOVER_NAME);
	if (!manager_was_suspended(manager, last))
		return;
	r = go_on(manager, last, fd);
	if (r == 0)
		return;
	manager_drop_jobs(manager);
	manager_record_stopped(manager, last);
	journal_say(LOG_NOTICE, NULL,
		    "job %u has ended with the daemon before this one%s%s",
		    (unsigned)last->job, r == -ENODATA ? "" : ": ",
		    r == -ENODATA ? "" : strerror(-r));
}
