// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Who says that they build a TD. Pure: who may ask is decided on the bus, when one may
 * hold, by the barrier.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lease.h"

struct lease_registry {
	struct lease_limits limits;
	uint64_t last_id;
	size_t count;
	struct lease **leases;
	struct gate_blocker *blockers; /* room for limits.all */
};

int lease_registry_new(const struct lease_limits *limits, struct lease_registry **ret)
{
	_cleanup_(cleanup_lease_registry)
	struct lease_registry *registry = calloc(1, sizeof(*registry));

	if (!registry)
		return -ENOMEM;
	registry->limits = *limits;
	registry->leases = calloc(limits->quota.all, sizeof(*registry->leases));
	registry->blockers = calloc(limits->quota.all, sizeof(*registry->blockers));
	if (!registry->leases || !registry->blockers)
		return -ENOMEM;
	*ret = TAKE_PTR(registry);
	return 0;
}

struct lease_registry *lease_registry_free(struct lease_registry *registry)
{
	if (!registry)
		return NULL;
	for (size_t i = 0; i < registry->count; i++)
		free(registry->leases[i]);
	free(registry->leases);
	free(registry->blockers);
	free(registry);
	return NULL;
}

void lease_registry_set_age(struct lease_registry *registry, uint64_t age_usec)
{
	registry->limits.age_usec = age_usec;
}

static int check_quota(const struct lease_registry *registry, const char *sender,
		       uid_t uid)
{
	struct quota_use use = { 0 };

	for (size_t i = 0; i < registry->count; i++)
		quota_count(&use, strcmp(registry->leases[i]->sender, sender) == 0,
			    registry->leases[i]->uid == uid);
	return quota_check(&registry->limits.quota, quota_is_trusted(uid), &use);
}

int lease_ask(struct lease_registry *registry, const char *vm, const char *sender,
	      uid_t uid, pid_t pid, uint64_t now_usec, struct lease **ret)
{
	struct lease *lease;
	int r;

	if (!*vm || strlen(sender) >= sizeof(lease->sender))
		return -EINVAL;
	r = check_quota(registry, sender, uid);
	if (r < 0)
		return r;
	lease = calloc(1, sizeof(*lease));
	if (!lease)
		return -ENOMEM;
	lease->id = ++registry->last_id;
	lease->uid = uid;
	lease->pid = pid;
	lease->asked_usec = now_usec;
	text_make_printable(lease->vm, sizeof(lease->vm), vm);
	strcpy(lease->sender, sender);
	registry->leases[registry->count++] = lease;
	*ret = lease;
	return 0;
}

void lease_grant(struct lease *lease, uint64_t now_usec)
{
	lease->held_usec = now_usec;
}

void lease_end(struct lease_registry *registry, struct lease *lease)
{
	for (size_t i = 0; i < registry->count; i++) {
		if (registry->leases[i] != lease)
			continue;
		registry->count--;
		memmove(&registry->leases[i], &registry->leases[i + 1],
			(registry->count - i) * sizeof(*registry->leases));
		free(lease);
		return;
	}
}

struct lease *lease_get_first_waiting(const struct lease_registry *registry)
{
	for (size_t i = 0; i < registry->count; i++)
		if (!registry->leases[i]->held_usec)
			return registry->leases[i];
	return NULL;
}

size_t lease_count(const struct lease_registry *registry)
{
	return registry->count;
}

struct lease *lease_get(const struct lease_registry *registry, size_t i)
{
	return i < registry->count ? registry->leases[i] : NULL;
}

static bool is_too_old(const struct lease_registry *registry, const struct lease *lease,
		       uint64_t now_usec)
{
	return lease->held_usec &&
	       now_usec >= lease->held_usec + registry->limits.age_usec;
}

struct lease *lease_expire_next(struct lease_registry *registry, uint64_t now_usec)
{
	for (size_t i = 0; i < registry->count; i++) {
		struct lease *lease = registry->leases[i];

		if (!lease->has_expired && is_too_old(registry, lease, now_usec)) {
			lease->has_expired = true;
			return lease;
		}
	}
	return NULL;
}

uint64_t lease_get_next_expiry(const struct lease_registry *registry)
{
	uint64_t next = UINT64_MAX;

	for (size_t i = 0; i < registry->count; i++) {
		const struct lease *lease = registry->leases[i];

		if (lease->held_usec && !lease->has_expired &&
		    lease->held_usec + registry->limits.age_usec < next)
			next = lease->held_usec + registry->limits.age_usec;
	}
	return next;
}

void lease_registry_read(struct lease_registry *registry, uint64_t now_usec,
			 struct gate_source *ret)
{
	size_t count = 0;

	*ret = (struct gate_source){ .state = GATE_OPEN, .confidence = GATE_HINT };
	for (size_t i = 0; i < registry->count; i++) {
		const struct lease *lease = registry->leases[i];
		struct gate_blocker *blocker = &registry->blockers[count];

		if (!lease->held_usec || is_too_old(registry, lease, now_usec))
			continue;
		*blocker = (struct gate_blocker){ .pid = lease->pid,
						  .since_usec = lease->held_usec };
		snprintf(blocker->who, sizeof(blocker->who), "%s", lease->vm);
		count++;
	}
	if (!count)
		return;
	ret->state = GATE_CLOSED;
	ret->confidence = GATE_EXACT;
	ret->count = (uint32_t)count;
	ret->blockers = registry->blockers;
	ret->blocker_count = count;
}
