// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Locks of systemd-logind. A host that goes down while it waits loses nothing but the
 * wait, so that is only held up until the staged image is taken back. From the last look
 * to the verdict nobody should pull the plug.
 */
#include <fcntl.h>
#include <unistd.h>

#include "inhibit.h"
#include "util.h"

enum inhibit_mode inhibit_mode_of(enum job_state state)
{
	if (job_state_is_end(state) || state == JOB_QUEUED)
		return INHIBIT_NOTHING;
	return job_state_is_critical(state) ? INHIBIT_BLOCK : INHIBIT_DELAY;
}

static void release(struct inhibit_lock *lock)
{
	lock->pending = sd_bus_slot_unref(lock->pending);
	if (lock->fd)
		close(lock->fd - 1);
	lock->fd = 0;
}

static int on_answer(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct inhibit_lock *lock = userdata;
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

static void acquire(struct inhibit_lock *lock, sd_bus *bus, enum inhibit_mode mode)
{
	if (lock->fd || lock->pending || !bus)
		return;
	(void)sd_bus_call_method_async(
		bus, &lock->pending, "org.freedesktop.login1", "/org/freedesktop/login1",
		"org.freedesktop.login1.Manager", "Inhibit", on_answer, lock, "ssss",
		"shutdown:sleep", "tdxupd",
		mode == INHIBIT_BLOCK ? "The TDX module is being replaced"
				      : "An update of the TDX module waits",
		mode == INHIBIT_BLOCK ? "block" : "delay");
}

void inhibit_set(struct inhibit *inhibit, sd_bus *bus, enum inhibit_mode mode)
{
	inhibit->mode = mode;
	for (int each = INHIBIT_DELAY; each < _INHIBIT_MODE_MAX; each++)
		if (each <= (int)mode)
			acquire(&inhibit->locks[each], bus, (enum inhibit_mode)each);
		else
			release(&inhibit->locks[each]);
}
