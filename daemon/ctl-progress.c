// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A job's way, one line a milestone, as somebody who waits for it wants to read it.
 */
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "clock.h"
#include "ctl-blockers.h"
#include "ctl-progress.h"
#include "job-state.h"
#include "json.h"

enum milestone {
	NOTHING,
	PLANNED,
	STAGED,
	COMMITTED,
	CONFIRMED,
};

void ctl_progress_init(struct ctl_progress *progress)
{
	*progress = (struct ctl_progress){ .start_usec = clock_usec(CLOCK_MONOTONIC) };
}

void ctl_progress_done(struct ctl_progress *progress)
{
	free(progress->key);
}

/* What lies behind a job in this state. */
static enum milestone milestone_of(enum job_state state)
{
	switch (state) {
	case JOB_STAGING:
		return PLANNED;
	case JOB_WAITING:
	case JOB_BACKOFF:
		return STAGED;
	case JOB_COMMITTING:
	case JOB_CONFIRMING:
		return COMMITTED;
	case JOB_DONE:
		return CONFIRMED;
	default:
		return NOTHING;
	}
}

static void begin_line(FILE *out, const struct ctl_progress *progress, uint64_t now_usec,
		       const char *what)
{
	fprintf(out, "%6.1f s  %-9s  ", (double)(now_usec - progress->start_usec) / 1e6,
		what);
}

static void print_milestone(FILE *out, struct json_object *job, enum milestone milestone)
{
	const char *from = json_get_text(job, "from");
	const char *to = json_get_text(job, "to");

	switch (milestone) {
	case PLANNED:
		fprintf(out, "from %s to %s\n", from, to);
		break;
	case STAGED:
		fputs("the image is verified and handed to the kernel\n", out);
		break;
	case COMMITTED:
		fputs("the gate is open: this is the moment\n", out);
		break;
	default:
		fprintf(out, "%s runs\n", to);
		break;
	}
}

static void print_milestones(FILE *out, struct ctl_progress *progress,
			     struct json_object *job, uint64_t now_usec,
			     enum milestone reached)
{
	static const char *const names[] = {
		[PLANNED] = "planned",
		[STAGED] = "staged",
		[COMMITTED] = "committed",
		[CONFIRMED] = "confirmed",
	};

	while (progress->shown < reached) {
		progress->shown++;
		begin_line(out, progress, now_usec, names[progress->shown]);
		print_milestone(out, job, progress->shown);
	}
}

/*
 * Says whom it waits for, once for each answer. That nobody is named may be only because
 * the gate is about to be looked at; after a moment it means that no source is sure.
 */
static int print_waiting(FILE *out, struct ctl_progress *progress,
			 struct json_object *job, uint64_t now_usec)
{
	struct json_object *blockers = json_get(job, "blockers");
	_cleanup_(cleanup_free)
	char *key = ctl_blockers_get_key(blockers);
	_cleanup_(cleanup_free)
	char *text = ctl_blockers_format(blockers);

	if (!key || !text)
		return -1;
	if (!progress->waiting_usec)
		progress->waiting_usec = now_usec;
	if (!*text && now_usec - progress->waiting_usec < CTL_PROGRESS_DOUBT_USEC)
		return 0;
	if (progress->key && strcmp(progress->key, key) == 0)
		return 0;
	begin_line(out, progress, now_usec, "waiting");
	fprintf(out, "%s\n",
		*text ? text : "no source is sure that no TD is being built");
	free(progress->key);
	progress->key = TAKE_PTR(key);
	return 0;
}

static void print_backoff(FILE *out, struct ctl_progress *progress,
			  struct json_object *job, uint64_t now_usec)
{
	uint64_t next;

	free(TAKE_PTR(progress->key));
	begin_line(out, progress, now_usec, "refused");
	fputs("a TD is being built; nothing is lost", out);
	if (json_get_number(job, "next_attempt", &next) && next > now_usec)
		fprintf(out, "; again in %.1f s", (double)(next - now_usec) / 1e6);
	fputc('\n', out);
}

/* A job that found nothing to do has no versions. */
static void print_current(FILE *out, struct ctl_progress *progress, uint64_t now_usec)
{
	begin_line(out, progress, now_usec, "done");
	fputs("nothing to do: nothing better than what runs is here\n", out);
}

static int print_news(FILE *out, struct ctl_progress *progress, struct json_object *job,
		      uint64_t now_usec)
{
	const char *text = json_get_text(job, "state");
	enum job_state state = job_state_from_string(text);
	enum milestone reached = milestone_of(state);
	const char *from = json_get_text(job, "from");
	const char *to = json_get_text(job, "to");
	bool has_versions = from && *from && to && *to;

	if (state == JOB_DONE && (!has_versions || strcmp(from, to) == 0)) {
		print_current(out, progress, now_usec);
		return 0;
	}
	if (!has_versions)
		return 0;
	/* The next hop, or the next attempt, begins where the plan stands already. */
	if (progress->shown > PLANNED && !job_state_is_end(state) &&
	    reached < progress->shown)
		progress->shown = reached > PLANNED ? reached : PLANNED;
	print_milestones(out, progress, job, now_usec, reached);
	if (state == JOB_BACKOFF)
		print_backoff(out, progress, job, now_usec);
	if (state == JOB_WAITING)
		return print_waiting(out, progress, job, now_usec);
	progress->waiting_usec = 0;
	return 0;
}

char *ctl_progress_format(struct ctl_progress *progress, struct json_object *job,
			  uint64_t now_usec)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	int r;

	if (!out)
		return NULL;
	r = print_news(out, progress, job, now_usec);
	if (fclose(out) == EOF || r < 0) {
		free(text);
		return NULL;
	}
	return text;
}
