// SPDX-License-Identifier: LGPL-2.1-or-later
/* What is not to be loaded for now, or alone may be, and why. The file is holds-file.c's.
 */
#include <errno.h>
#include <string.h>

#include "holds.h"

/* More than there will ever be versions; whoever adds them is root, and errs. */
#define HOLDS_MAX 128

/*
 * 2024: before there was a TDX module that could be updated. A host whose clock was never
 * set counts from 1970. What was to end then was meant to last for a while, and would be
 * over as soon as the clock is set.
 */
#define CLOCK_SET_USEC (UINT64_C(1704067200) * 1000000)

static void hold_done(struct hold *hold)
{
	free(hold->what);
	free(hold->reason);
	free(hold->by);
}

static void pin_done(struct pin *pin)
{
	free(pin->reason);
	free(pin->by);
	*pin = (struct pin){ 0 };
}

void holds_done(struct holds *holds)
{
	for (size_t i = 0; i < holds->count; i++)
		hold_done(&holds->items[i]);
	free(holds->items);
	pin_done(&holds->pin);
	*holds = (struct holds){ 0 };
}

static void remove_at(struct holds *holds, size_t i)
{
	hold_done(&holds->items[i]);
	holds->count--;
	for (; i < holds->count; i++)
		holds->items[i] = holds->items[i + 1];
}

/* "1.5.6" and "1.5.06" are the same version. */
static bool is_same(const char *a, const char *b)
{
	struct tdxupd_version x, y;

	if (tdxupd_version_parse(a, &x) < 0 || tdxupd_version_parse(b, &y) < 0)
		return strcmp(a, b) == 0;
	return tdxupd_version_compare(&x, &y) == 0;
}

static struct hold *find_what(const struct holds *holds, const char *what)
{
	for (size_t i = 0; i < holds->count; i++)
		if (is_same(holds->items[i].what, what))
			return &holds->items[i];
	return NULL;
}

static bool may_be_held(const char *what)
{
	struct tdxupd_version version;

	return strcmp(what, HOLDS_ALL) == 0 || tdxupd_version_parse(what, &version) == 0;
}

int holds_remove(struct holds *holds, const char *what)
{
	struct hold *hold = find_what(holds, what);
	bool is_unlisted = holds->has_unlisted && strcmp(what, HOLDS_ALL) == 0;

	if (!may_be_held(what))
		return -EINVAL;
	if (!hold && !is_unlisted)
		return -ENOENT;
	if (is_unlisted)
		holds->has_unlisted = false;
	if (hold)
		remove_at(holds, (size_t)(hold - holds->items));
	return 0;
}

/* Cut where it is too long. @text may be NULL. */
static char *copy_text(const char *text, size_t bytes_max)
{
	char *copy = malloc(bytes_max + 1);

	if (copy)
		text_make_printable(copy, bytes_max + 1, text ? text : "");
	return copy;
}

/* Return: 0; -ENOMEM. */
static int copy_hold(const struct hold *hold, struct hold *ret)
{
	struct hold copy = *hold;

	copy.what = strdup(hold->what);
	copy.reason = copy_text(hold->reason, HOLDS_REASON_BYTES_MAX);
	copy.by = copy_text(hold->by, HOLDS_BY_BYTES_MAX);
	if (!copy.what || !copy.reason || !copy.by) {
		hold_done(&copy);
		return -ENOMEM;
	}
	*ret = copy;
	return 0;
}

int holds_copy(const struct holds *holds, struct holds *ret)
{
	_cleanup_(holds_done)
	struct holds copy = { .has_unlisted = holds->has_unlisted };
	int r = 0;

	for (size_t i = 0; r == 0 && i < holds->count; i++)
		r = holds_add(&copy, &holds->items[i]);
	if (r == 0 && holds->pin.is_set)
		r = holds_pin(&copy, &holds->pin);
	if (r < 0)
		return -ENOMEM;
	*ret = copy;
	copy = (struct holds){ 0 };
	return 0;
}

int holds_add(struct holds *holds, const struct hold *hold)
{
	struct hold *items, *old = find_what(holds, hold->what);
	struct hold copy;

	if (!may_be_held(hold->what))
		return -EINVAL;
	if (hold->reason && strlen(hold->reason) > HOLDS_REASON_BYTES_MAX)
		return -EMSGSIZE;
	if (!old && holds->count >= HOLDS_MAX)
		return -ENOSPC;
	if (copy_hold(hold, &copy) < 0)
		return -ENOMEM;
	if (old) {
		hold_done(old);
		*old = copy;
		return 0;
	}
	items = reallocarray(holds->items, holds->count + 1, sizeof(*items));
	if (!items) {
		hold_done(&copy);
		return -ENOMEM;
	}
	holds->items = items;
	items[holds->count++] = copy;
	return 0;
}

static uint64_t get_end(const struct hold *hold)
{
	return hold->until_usec < CLOCK_SET_USEC ? UINT64_MAX : hold->until_usec;
}

bool holds_expire(struct holds *holds, uint64_t now_usec)
{
	size_t before = holds->count;

	for (size_t i = holds->count; i-- > 0;)
		if (get_end(&holds->items[i]) <= now_usec)
			remove_at(holds, i);
	return holds->count != before;
}

bool holds_forgive(struct holds *holds)
{
	size_t before = holds->count;

	for (size_t i = holds->count; i-- > 0;)
		if (holds->items[i].is_automatic &&
		    strcmp(holds->items[i].what, HOLDS_ALL) != 0)
			remove_at(holds, i);
	if (holds->has_unlisted) {
		holds->has_unlisted = false;
		return true;
	}
	return holds->count != before;
}

uint64_t holds_get_next(const struct holds *holds)
{
	uint64_t next = UINT64_MAX;

	for (size_t i = 0; i < holds->count; i++)
		if (get_end(&holds->items[i]) < next)
			next = get_end(&holds->items[i]);
	return next;
}

int holds_pin(struct holds *holds, const struct pin *pin)
{
	struct pin copy = *pin;

	if (pin->reason && strlen(pin->reason) > HOLDS_REASON_BYTES_MAX)
		return -EMSGSIZE;
	copy.is_set = true;
	copy.reason = copy_text(pin->reason, HOLDS_REASON_BYTES_MAX);
	copy.by = copy_text(pin->by, HOLDS_BY_BYTES_MAX);
	if (!copy.reason || !copy.by) {
		pin_done(&copy);
		return -ENOMEM;
	}
	pin_done(&holds->pin);
	holds->pin = copy;
	return 0;
}

int holds_unpin(struct holds *holds)
{
	if (!holds->pin.is_set)
		return -ENOENT;
	pin_done(&holds->pin);
	return 0;
}

/* What @has_unlisted amounts to. */
static const struct hold unlisted = {
	.what = (char *)HOLDS_ALL,
	.reason = (char *)"a version failed that could not be listed; "
			  "`tdxupdctl reset-failed` forgets it",
	.by = (char *)"",
	.until_usec = UINT64_MAX,
	.is_automatic = true,
};

static int apply(const struct hold *hold, struct tdxupd_policy *policy)
{
	struct tdxupd_hold held = {
		.is_all = strcmp(hold->what, HOLDS_ALL) == 0,
		.since_usec = hold->since_usec,
		.reason = hold->reason,
		.by = hold->by,
	};

	/* All are never held for a failure, but where the file can't be read. */
	held.is_failed = hold->is_automatic && !held.is_all;
	if (!held.is_all && tdxupd_version_parse(hold->what, &held.version) < 0)
		return -EINVAL;
	return tdxupd_policy_hold(policy, &held);
}

int holds_apply(const struct holds *holds, struct tdxupd_policy *policy)
{
	int r = 0;

	tdxupd_policy_hold_nothing(policy);
	if (holds->has_unlisted)
		r = apply(&unlisted, policy);
	for (size_t i = 0; r == 0 && i < holds->count; i++)
		r = apply(&holds->items[i], policy);
	tdxupd_policy_pin(policy, holds->pin.is_set ? &holds->pin.version : NULL);
	if (r == 0 && holds->pin.is_set)
		r = tdxupd_policy_explain_pin(policy, holds->pin.since_usec,
					      holds->pin.reason, holds->pin.by);
	return r;
}

const struct hold *holds_find(const struct holds *holds,
			      const struct tdxupd_version *version)
{
	char text[TDXUPD_VERSION_TEXT_BYTES];
	const struct hold *all = find_what(holds, HOLDS_ALL);

	if (all || holds->has_unlisted)
		return all ? all : &unlisted;
	return version ? find_what(holds, tdxupd_version_format(version, text)) : NULL;
}

const struct hold *holds_get(const struct holds *holds, size_t i)
{
	if (i < holds->count)
		return &holds->items[i];
	return holds->has_unlisted && i == holds->count ? &unlisted : NULL;
}
