// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Whom an update waits for, in words.
 */
#include <stdio.h>

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

/*
 * One TD may be seen by several sources. Those that name it are worth more than those
 * that only count, and the latter are left out where there is a name.
 */
static void print_blockers(FILE *out, struct json_object *blockers, bool has_age)
{
	size_t count = 0, printed = 0;
	bool has_name;

	for (size_t i = 0; i < json_count(blockers); i++)
		count += is_named(json_object_array_get_idx(blockers, i));
	has_name = count > 0;
	if (!has_name)
		count = json_count(blockers);
	if (count > 1 && has_name)
		fprintf(out, "%zu TDs are being built: ", count);
	else if (count)
		fputs("a TD is being built: ", out);
	for (size_t i = 0; i < json_count(blockers) && printed < NAMED_MAX; i++) {
		struct json_object *blocker = json_object_array_get_idx(blockers, i);

		if (has_name && !is_named(blocker))
			continue;
		if (printed++)
			fputs("; ", out);
		print_blocker(out, blocker, has_age);
	}
	if (count > NAMED_MAX)
		fprintf(out, "; and %zu more", count - NAMED_MAX);
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

char *ctl_blockers_get_key(struct json_object *blockers)
{
	return format(blockers, false);
}
