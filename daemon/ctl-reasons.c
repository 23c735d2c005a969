// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Verdicts, as a table's cell or as sentences, and as exit codes.
 */
#include <stdio.h>
#include <string.h>

#include "ctl-reasons.h"
#include "json.h"

enum ctl_exit ctl_exit_from_failure(enum failure failure)
{
	static const enum ctl_exit codes[_FAILURE_MAX] = {
		[FAILURE_NONE] = CTL_EXIT_OK,
		[FAILURE_NO_SUCH_JOB] = CTL_EXIT_FAILURE,
		[FAILURE_NO_SUCH_VERSION] = CTL_EXIT_NO_IMAGE,
		[FAILURE_NO_IMAGE] = CTL_EXIT_NO_IMAGE,
		[FAILURE_NO_PATH] = CTL_EXIT_REFUSED,
		[FAILURE_STALE] = CTL_EXIT_FAILURE,
		[FAILURE_UNSUPPORTED] = CTL_EXIT_UNSUPPORTED,
		[FAILURE_LOST] = CTL_EXIT_LOST,
		[FAILURE_UNTRUSTED] = CTL_EXIT_UNTRUSTED,
		[FAILURE_EXHAUSTED] = CTL_EXIT_EXHAUSTED,
		[FAILURE_BUSY] = CTL_EXIT_BLOCKED,
		[FAILURE_EXPIRED] = CTL_EXIT_BLOCKED,
		[FAILURE_CANCELLED] = CTL_EXIT_CANCELLED,
		[FAILURE_HELD] = CTL_EXIT_HELD,
		[FAILURE_FAILED] = CTL_EXIT_FAILED,
		[FAILURE_PINNED] = CTL_EXIT_PINNED,
		[FAILURE_FORBIDDEN] = CTL_EXIT_FORBIDDEN,
		[FAILURE_INTERRUPTED] = CTL_EXIT_FAILURE,
		[FAILURE_REFUSED] = CTL_EXIT_REFUSED,
		[FAILURE_MISMATCH] = CTL_EXIT_MISMATCH,
		[FAILURE_UNKNOWN] = CTL_EXIT_MISMATCH,
		[FAILURE_CONFIG] = CTL_EXIT_CONFIG,
		[FAILURE_LIMIT] = CTL_EXIT_FAILURE,
	};

	if (failure < 0 || failure >= _FAILURE_MAX)
		return CTL_EXIT_FAILURE;
	return codes[failure];
}

#define SEVERITY_RANK_MAX 2

static int severity_rank(const char *severity)
{
	if (!severity || strcmp(severity, "warn") == 0)
		return 0;
	return strcmp(severity, "unknown") == 0 ? 1 : SEVERITY_RANK_MAX;
}

/* The gravest; of equals the first, as the checks are in the order of their weight. */
static struct json_object *find_gravest(struct json_object *verdicts)
{
	struct json_object *gravest = NULL;
	int rank = -1;

	for (size_t i = 0; i < json_count(verdicts); i++) {
		struct json_object *verdict = json_object_array_get_idx(verdicts, i);
		int this_rank = severity_rank(json_get_text(verdict, "severity"));

		if (this_rank > rank) {
			rank = this_rank;
			gravest = verdict;
		}
	}
	return gravest;
}

char *ctl_reasons_summarize(struct json_object *verdicts)
{
	struct json_object *gravest = find_gravest(verdicts);
	const char *title = json_get_text(gravest, "title");
	size_t more = json_count(verdicts);
	char *text;
	int r;

	if (!gravest)
		return strdup("");
	if (!title)
		title = json_get_text(gravest, "code");
	if (more > 1)
		r = asprintf(&text, "%s (and %zu more)", title ? title : "?", more - 1);
	else
		r = asprintf(&text, "%s", title ? title : "?");
	return r < 0 ? NULL : text;
}

static void print_verdicts(FILE *out, struct json_object *verdicts, const char *prefix,
			   int rank)
{
	for (size_t i = 0; i < json_count(verdicts); i++) {
		struct json_object *verdict = json_object_array_get_idx(verdicts, i);
		const char *text = json_get_text(verdict, "text");

		if (severity_rank(json_get_text(verdict, "severity")) == rank)
			fprintf(out, "%s%s%s%s", ftell(out) ? "\n" : "", prefix,
				rank == 0 ? "warning: " : "", text ? text : "?");
	}
}

char *ctl_reasons_join(struct json_object *verdicts, const char *prefix)
{
	_cleanup_(cleanup_free)
	char *joined = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&joined, &size);

	if (!out)
		return NULL;
	for (int rank = SEVERITY_RANK_MAX; rank >= 0; rank--)
		print_verdicts(out, verdicts, prefix, rank);
	if (fclose(out) == EOF)
		return NULL;
	return TAKE_PTR(joined);
}
