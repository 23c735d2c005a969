// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Whom an update waits for, in words.
 */
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "clock.h"
#include "ctl-blockers.h"
#include "json.h"

#define NAMED_MAX 3 /* more are counted only */

static void print_age(FILE *out, struct json_object *blocker)
{
	uint64_t since, now = clock_usec(CLOCK_MONOTONIC);

	if (!json_get_number(blocker, "since_usec", &since) || since == 0 || since > now)
		return;
	fprintf(out, " (for %.1f s)", (double)(now - since) / 1e6);
}

static bool is_named(struct json_object *blocker)
{
	const char *who = json_get_text(blocker, "who");
	uint64_t pid = 0;

	return (who && *who) || (json_get_number(blocker, "pid", &pid) && pid);
}

static void print_blocker(FILE *out, struct json_object *blocker, bool has_age)
{
	const char *who = json_get_text(blocker, "who");
	const char *source = json_get_text(blocker, "source");
	uint64_t pid = 0;

	json_get_number(blocker, "pid", &pid);
	if (who && *who)
		fputs(who, out);
	if (pid)
		fprintf(out, "%spid %ju", who && *who ? ", " : "", (uintmax_t)pid);
	if (!is_named(blocker))
		fprintf(out, "%s counts it", source ? source : "?");
	if (has_age)
		print_age(out, blocker);
}

/* Whoever forbids updates builds no TD. */
static bool is_inhibitor(struct json_object *blocker)
{
	const char *source = json_get_text(blocker, "source");

	return source && strcmp(source, "inhibitors") == 0;
}

/*
 * One TD may be seen by several sources. Those that name it are worth more than those
 * that only count, and the latter are left out where there is a name.
 */
static bool is_worth_it(struct json_object *blocker, bool wants_inhibitors, bool has_name)
{
	return is_inhibitor(blocker) == wants_inhibitors &&
	       (!has_name || is_named(blocker));
}

static size_t count(struct json_object *blockers, bool wants_inhibitors, bool has_name)
{
	size_t count = 0;

	for (size_t i = 0; i < json_count(blockers); i++)
		count += is_worth_it(json_object_array_get_idx(blockers, i),
				     wants_inhibitors, has_name);
	return count;
}

static void print_list(FILE *out, struct json_object *blockers, bool wants_inhibitors,
		       bool has_name, bool has_age)
{
	size_t all = count(blockers, wants_inhibitors, has_name), printed = 0;

	for (size_t i = 0; i < json_count(blockers) && printed < NAMED_MAX; i++) {
		struct json_object *blocker = json_object_array_get_idx(blockers, i);

		if (!is_worth_it(blocker, wants_inhibitors, has_name))
			continue;
		if (printed++)
			fputs("; ", out);
		print_blocker(out, blocker, has_age);
	}
	if (all > NAMED_MAX)
		fprintf(out, "; and %zu more", all - NAMED_MAX);
}

static void print_blockers(FILE *out, struct json_object *blockers, bool has_age)
{
	size_t named = count(blockers, false, true);
	bool has_builds = count(blockers, false, false) > 0;

	if (named > 1)
		fprintf(out, "%zu TDs are being built: ", named);
	else if (has_builds)
		fputs("a TD is being built: ", out);
	print_list(out, blockers, false, named > 0, has_age);
	if (!count(blockers, true, false))
		return;
	fputs(has_builds ? "; and updates are inhibited: " : "updates are inhibited: ",
	      out);
	print_list(out, blockers, true, false, has_age);
}

static char *format(struct json_object *blockers, bool has_age)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	print_blockers(out, blockers, has_age);
	if (fclose(out) == EOF) {
		free(text);
		return NULL;
	}
	return text;
}

char *ctl_blockers_format(struct json_object *blockers)
{
	return format(blockers, true);
}

bool ctl_blockers_has_build(struct json_object *blockers)
{
	return count(blockers, false, false) > 0;
}

char *ctl_blockers_get_key(struct json_object *blockers)
{
	return format(blockers, false);
}

bool ctl_blockers_is_sure(struct json_object *manager)
{
	struct json_object *sources = json_get(manager, "gate_sources");
	const char *guard = json_get_text(manager, "update_guard");

	/* Which refuses, where one is. */
	if (guard && strcmp(guard, "module") == 0)
		return true;
	for (size_t i = 0; i < json_count(sources); i++) {
		struct json_object *source = json_object_array_get_idx(sources, i);
		const char *name = json_get_text(source, "name");
		const char *state = json_get_text(source, "state");
		const char *confidence = json_get_text(source, "confidence");

		if (name && state && confidence && strcmp(name, "inhibitors") != 0 &&
		    strcmp(state, "open") == 0 && strcmp(confidence, "exact") == 0)
			return true;
	}
	return false;
}
