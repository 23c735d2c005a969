// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Locks of systemd-logind. A host that goes down while it waits loses nothing but the
 * wait, so that is only held up until the staged image is taken back. From the commit to
 * the verdict nobody should pull the plug. That is asked for right after the committing
 * write: a message before it takes longer than the whole last check, and until logind has
 * read it the other lock holds everything up for some seconds.
 */
#include <fcntl.h>
#include <unistd.h>

#include "logind-lock.h"
#include "util.h"

enum logind_lock_mode logind_lock_mode_of(enum job_state state)
{
	if (job_state_is_end(state) || state == JOB_QUEUED)
		return LOGIND_LOCK_NOTHING;
	return job_state_is_critical(state) ? LOGIND_LOCK_BLOCK : LOGIND_LOCK_DELAY;
}

static void release(struct logind_lock *lock)
{
	lock->pending = sd_bus_slot_unref(lock->pending);
	if (lock->fd)
		close(lock->fd - 1);
	lock->fd = 0;
}

static int on_answer(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct logind_lock *lock = userdata;
	int fd;

	(void)error;
	lock->pending = sd_bus_slot_unref(lock->pending);
	if (sd_bus_message_is_method_error(message, NULL) ||
	    sd_bus_message_read(message, "h", &fd) < 0)
		return 0;
	/* The message's descriptor goes away with it. */
	lock->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3) + 1;
	return 0;
}

static void acquire(struct logind_lock *lock, sd_bus *bus, enum logind_lock_mode mode)
{
	(void)sd_bus_call_method_async(
		bus, &lock->pending, "org.freedesktop.login1", "/org/freedesktop/login1",
		"org.freedesktop.login1.Manager", "Inhibit", on_answer, lock, "ssss",
		"shutdown:sleep", "tdxupd",
		mode == LOGIND_LOCK_BLOCK ? "The TDX module is being replaced"
					  : "An update of the TDX module waits",
		mode == LOGIND_LOCK_BLOCK ? "block" : "delay");
}

void logind_locks_set(struct logind_locks *locks, sd_bus *bus, enum logind_lock_mode mode)
{
	enum logind_lock_mode before = locks->mode;

	if (!bus)
		mode = LOGIND_LOCK_NOTHING; /* and asked for anew when there is one again
					     */
	locks->mode = mode;
	for (int each = LOGIND_LOCK_DELAY; each < _LOGIND_LOCK_MODE_MAX; each++)
		if (each > (int)mode)
			release(&locks->locks[each]);
		/* Once: where there is no logind, nobody will answer another time. */
		else if (each > (int)before)
			acquire(&locks->locks[each], bus, (enum logind_lock_mode)each);
}
