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

/* A source that only counts names nobody. */
static void print_blocker(FILE *out, struct json_object *blocker, bool has_age)
{
	const char *who = json_get_text(blocker, "who");
	const char *source = json_get_text(blocker, "source");
	uint64_t pid = 0;

	json_get_number(blocker, "pid", &pid);
	if (who && *who)
		fputs(who, out);
	else if (!pid)
		fprintf(out, "%s counts it", source ? source : "?");
	if (pid)
		fprintf(out, "%spid %ju", who && *who ? ", " : "", (uintmax_t)pid);
	if (has_age)
		print_age(out, blocker);
}

static char *format(struct json_object *blockers, bool has_age)
{
	size_t count = json_count(blockers);
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	if (count == 1)
		fputs("a TD is being built: ", out);
	else if (count)
		fprintf(out, "%zu TDs are being built: ", count);
	for (size_t i = 0; i < count && i < NAMED_MAX; i++) {
		if (i)
			fputs("; ", out);
		print_blocker(out, json_object_array_get_idx(blockers, i), has_age);
	}
	if (count > NAMED_MAX)
		fprintf(out, "; and %zu more", count - NAMED_MAX);
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
