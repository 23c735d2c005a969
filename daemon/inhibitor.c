// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Who wants no update now. Pure: who may ask is decided on the bus, what an update does
 * about it, by the gate.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "inhibitor.h"

struct inhibitor_registry {
	struct inhibitor_limits limits;
	bool is_preparing;
	uint64_t delay_until_usec;
	size_t count;
	struct inhibitor **items;
	struct gate_blocker *blockers; /* room for limits.all */
};

static const char *const modes[] = {
	[INHIBITOR_BLOCK] = "block",
	[INHIBITOR_DELAY] = "delay",
};

STRING_TABLE_TO(inhibitor_mode, enum inhibitor_mode, modes)
STRING_TABLE_FROM(inhibitor_mode, enum inhibitor_mode, modes)

int inhibitor_registry_new(const struct inhibitor_limits *limits,
			   struct inhibitor_registry **ret)
{
	_cleanup_(cleanup_inhibitor_registry)
	struct inhibitor_registry *registry = calloc(1, sizeof(*registry));

	if (!registry)
		return -ENOMEM;
	registry->limits = *limits;
	registry->items = calloc(limits->quota.all, sizeof(*registry->items));
	registry->blockers = calloc(limits->quota.all, sizeof(*registry->blockers));
	if (!registry->items || !registry->blockers)
		return -ENOMEM;
	*ret = TAKE_PTR(registry);
	return 0;
}

struct inhibitor_registry *inhibitor_registry_free(struct inhibitor_registry *registry)
{
	if (!registry)
		return NULL;
	for (size_t i = 0; i < registry->count; i++)
		free(registry->items[i]);
	free(registry->items);
	free(registry->blockers);
	free(registry);
	return NULL;
}

static int check_quota(const struct inhibitor_registry *registry,
		       const struct inhibitor *wanted)
{
	struct quota_use use = { 0 };

	for (size_t i = 0; i < registry->count; i++)
		quota_count(&use, strcmp(registry->items[i]->sender, wanted->sender) == 0,
			    registry->items[i]->uid == wanted->uid);
	return quota_check(&registry->limits.quota, quota_is_trusted(wanted->uid), &use);
}

int inhibitor_add(struct inhibitor_registry *registry, const struct inhibitor *wanted,
		  const char *who, const char *why, struct inhibitor **ret)
{
	struct inhibitor *inhibitor;
	int r;

	if (!*who)
		return -EINVAL;
	r = check_quota(registry, wanted);
	if (r < 0)
		return r;
	inhibitor = malloc(sizeof(*inhibitor));
	if (!inhibitor)
		return -ENOMEM;
	*inhibitor = *wanted;
	text_make_printable(inhibitor->who, sizeof(inhibitor->who), who);
	text_make_printable(inhibitor->why, sizeof(inhibitor->why), why);
	registry->items[registry->count++] = inhibitor;
	*ret = inhibitor;
	return 0;
}

void inhibitor_end(struct inhibitor_registry *registry, struct inhibitor *inhibitor)
{
	for (size_t i = 0; i < registry->count; i++) {
		if (registry->items[i] != inhibitor)
			continue;
		registry->count--;
		memmove(&registry->items[i], &registry->items[i + 1],
			(registry->count - i) * sizeof(*registry->items));
		free(inhibitor);
		return;
	}
}

size_t inhibitor_count(const struct inhibitor_registry *registry)
{
	return registry->count;
}

struct inhibitor *inhibitor_get(const struct inhibitor_registry *registry, size_t i)
{
	return i < registry->count ? registry->items[i] : NULL;
}

/* ---- time ---- */

void inhibitor_prepare(struct inhibitor_registry *registry, uint64_t until_usec)
{
	registry->is_preparing = true;
	registry->delay_until_usec = until_usec;
}

void inhibitor_rest(struct inhibitor_registry *registry)
{
	registry->is_preparing = false;
}

bool inhibitor_is_preparing(const struct inhibitor_registry *registry)
{
	return registry->is_preparing;
}

struct inhibitor *inhibitor_get_expired(const struct inhibitor_registry *registry,
					uint64_t now_usec)
{
	for (size_t i = 0; i < registry->count; i++)
		if (registry->items[i]->until_usec <= now_usec)
			return registry->items[i];
	return NULL;
}

static bool is_delaying(const struct inhibitor_registry *registry, uint64_t now_usec)
{
	return registry->is_preparing && now_usec < registry->delay_until_usec;
}

uint64_t inhibitor_get_next(const struct inhibitor_registry *registry, uint64_t now_usec)
{
	uint64_t next = UINT64_MAX;

	for (size_t i = 0; i < registry->count; i++) {
		const struct inhibitor *inhibitor = registry->items[i];

		if (inhibitor->until_usec < next)
			next = inhibitor->until_usec;
		if (inhibitor->mode == INHIBITOR_DELAY &&
		    is_delaying(registry, now_usec) && registry->delay_until_usec < next)
			next = registry->delay_until_usec;
	}
	return next;
}

/* ---- as a source of the gate ---- */

static bool counts(const struct inhibitor_registry *registry,
		   const struct inhibitor *inhibitor, uint64_t now_usec)
{
	if (inhibitor->until_usec <= now_usec)
		return false;
	return inhibitor->mode == INHIBITOR_BLOCK || is_delaying(registry, now_usec);
}

void inhibitor_registry_read(struct inhibitor_registry *registry, uint64_t now_usec,
			     struct gate_source *ret)
{
	size_t count = 0;

	for (size_t i = 0; i < registry->count; i++) {
		const struct inhibitor *inhibitor = registry->items[i];
		struct gate_blocker *blocker = &registry->blockers[count];

		if (!counts(registry, inhibitor, now_usec))
			continue;
		*blocker = (struct gate_blocker){ .pid = inhibitor->pid,
						  .since_usec = inhibitor->since_usec };
		snprintf(blocker->who, sizeof(blocker->who), "%s", inhibitor->who);
		count++;
	}
	*ret = (struct gate_source){
		.state = count ? GATE_CLOSED : GATE_OPEN,
		.confidence = GATE_EXACT,
		.blockers = registry->blockers,
		.blocker_count = count,
	};
}
