// SPDX-License-Identifier: LGPL-2.1-or-later
/* Job.Wait(): calls that are answered when a job has ended. */
#include <errno.h>
#include <string.h>

#include "bus-wait.h"
#include "quota.h"

/* Whoever wants to follow jobs has their properties; this is for scripts. */
static const struct quota waiters_quota = {
	.per_sender = 16, .per_user = 32, .all = 256, .reserve = 64
};

struct bus_waiter {
	struct bus *bus;
	struct bus_waiter *next;
	uint32_t job;
	sd_bus_message *message;
	uid_t uid;
	sd_bus_track *track;
};

static void waiter_free(struct bus_waiter *waiter)
{
	struct bus_waiter **link = &waiter->bus->waiters;

	while (*link && *link != waiter)
		link = &(*link)->next;
	if (*link)
		*link = waiter->next;
	sd_bus_track_unref(waiter->track);
	sd_bus_message_unref(waiter->message);
	free(waiter);
}

static int on_gone(sd_bus_track *track, void *userdata)
{
	(void)track;
	waiter_free(userdata);
	return 0;
}

static int check_room(const struct bus *bus, const char *sender, uid_t uid)
{
	struct quota_use use = { 0 };

	for (const struct bus_waiter *w = bus->waiters; w; w = w->next) {
		const char *other = sd_bus_message_get_sender(w->message);

		quota_count(&use, sender && other && strcmp(other, sender) == 0,
			    w->uid == uid);
	}
	return quota_check(&waiters_quota, quota_is_trusted(uid), &use);
}

static int answer(sd_bus_message *message, const struct job *job)
{
	return sd_bus_reply_method_return(message, "ss", job_get_result(job),
					  job->detail ? job->detail : "");
}

int bus_wait_for(struct bus *bus, sd_bus_message *message, const struct job *job)
{
	struct bus_waiter *waiter;
	struct bus_caller caller;
	int r;

	if (job_state_is_end(job->state))
		return answer(message, job);
	bus_find_caller(message, &caller);
	r = check_room(bus, sd_bus_message_get_sender(message), caller.uid);
	if (r < 0)
		return r;
	waiter = calloc(1, sizeof(*waiter));
	if (!waiter)
		return -ENOMEM;
	waiter->bus = bus;
	waiter->job = job->id;
	waiter->message = sd_bus_message_ref(message);
	waiter->uid = caller.uid;
	waiter->next = bus->waiters;
	bus->waiters = waiter;
	r = bus_track_sender(message, on_gone, waiter, &waiter->track);
	if (r < 0)
		waiter_free(waiter);
	return r < 0 ? r : 1;
}

void bus_wait_tell(struct bus *bus, const struct job *job)
{
	struct bus_waiter *next;

	for (struct bus_waiter *waiter = bus->waiters; waiter; waiter = next) {
		next = waiter->next;
		if (waiter->job != job->id)
			continue;
		(void)answer(waiter->message, job);
		waiter_free(waiter);
	}
}

void bus_wait_done(struct bus *bus)
{
	while (bus->waiters)
		waiter_free(bus->waiters);
}
