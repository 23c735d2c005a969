// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * TDs that were being built while an update went through: by name where a source has seen
 * them, and where none can have, that this is so.
 */
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "journal.h"
#include "manager-history.h"
#include "manager-suspect.h"
#include "population.h"
#include "text.h"

bool suspect_is_excluded(const struct gate_source *words, size_t count,
			 bool has_module_guard)
{
	/* The module itself would have refused. */
	if (has_module_guard)
		return true;
	for (size_t i = 0; i < count; i++) {
		const struct gate_source *word = &words[i];

		if (!word->is_veto && word->state != GATE_UNKNOWN &&
		    word->confidence == GATE_EXACT && strcmp(word->name, "leases") != 0)
			return true;
	}
	return false;
}

static bool has_updated(enum tdxupd_outcome outcome)
{
	return outcome != TDXUPD_OUTCOME_BUSY && outcome != TDXUPD_OUTCOME_REFUSED &&
	       outcome != TDXUPD_OUTCOME_NOT_STARTED;
}

/* In the journal, the history, the job and on the bus. */
static void tell(struct manager *manager, struct job *job, const char *source,
		 const struct gate_blocker *build, const char *text)
{
	journal_say(LOG_WARNING, MESSAGE_SUSPECT, "%s", text);
	manager_record_suspect(manager, job, text);
	(void)job_add_suspect(job, text);
	if (manager->listener.build_suspect)
		manager->listener.build_suspect(manager->listener.userdata, source, build,
						job->harm, job->strict_compat);
}

/* Whether a build is hurt is a matter of the pair of modules. */
static const char *explain_harm(enum tdxupd_build_harm harm)
{
	switch (harm) {
	case TDXUPD_BUILD_HARM_CERTAIN:
		return "its measurement is wrong, as the update changed the crypto "
		       "context; rebuild the TD";
	case TDXUPD_BUILD_HARM_NONE:
		return "its measurement is right, as the update kept the crypto context";
	default:
		return "its measurement can be wrong; rebuild the TD";
	}
}

/* Intel does not say what its list promises: it is told, and changes no advice. */
static const char *explain_strict(enum tdxupd_strict_compat listing)
{
	switch (listing) {
	case TDXUPD_STRICT_COMPAT_LISTED:
		return " (this pair is on Intel's list strict_compat_versions)";
	case TDXUPD_STRICT_COMPAT_UNLISTED:
		return " (this pair is not on Intel's list strict_compat_versions)";
	default:
		return "";
	}
}

static void report(struct manager *manager, struct job *job, const char *source,
		   const struct gate_blocker *build)
{
	_cleanup_(cleanup_free)
	char *text = NULL;

	if (build->pid)
		text = text_new(
			"being built during the update: %s, pid %d, seen by %s; %s%s",
			*build->who ? build->who : "unnamed", (int)build->pid, source,
			explain_harm(job->harm), explain_strict(job->strict_compat));
	else
		text = text_new("may have been hit by the update: %s; %s%s", build->who,
				explain_harm(job->harm),
				explain_strict(job->strict_compat));
	if (text)
		tell(manager, job, source, build, text);
}

/* A build that the update hit without harm need not be built anew. */
static const char *explain_doubt(enum tdxupd_build_harm harm)
{
	return harm == TDXUPD_BUILD_HARM_NONE
		       ? "none was hurt, as the update kept the crypto context"
		       : "build anew what was started then";
}

/* Guard=off opened the gate, or a hint. */
static void report_doubt(struct manager *manager, struct job *job)
{
	struct gate_blocker build = { .who = "not excluded" };
	_cleanup_(cleanup_free)
	char *text = NULL;
	uint64_t count;

	if (population_read(manager->root_fd, &count) == 0)
		text = text_new("it cannot be excluded that a TD was being built during "
				"the update: there are %ju, and no source has seen them "
				"all; %s%s",
				(uintmax_t)count, explain_doubt(job->harm),
				explain_strict(job->strict_compat));
	else
		text = text_new("it cannot be excluded that a TD was being built during "
				"the update, as no source would know; %s%s",
				explain_doubt(job->harm),
				explain_strict(job->strict_compat));
	if (text)
		tell(manager, job, "", &build, text);
}

/* One that has opened the gate, and has said by itself what was hit since. */
static bool has_answered(const struct sources *sources)
{
	for (size_t i = 0; i < sources->count; i++) {
		const struct watch *watch = sources->watches[i];

		if (watch->is_relied_on && !watch->ops->is_veto &&
		    strcmp(watch->ops->name, "leases") != 0)
			return true;
	}
	return false;
}

void manager_report_suspects(struct manager *manager, struct job *job)
{
	struct sources *sources = &manager->sources;
	uint64_t now = clock_usec(CLOCK_MONOTONIC);

	if (!has_updated(job->outcome))
		return;
	for (size_t i = 0; i < sources->count; i++) {
		struct watch *watch = sources->watches[i];
		const struct gate_blocker *builds;
		size_t count =
			watch_list_overlap(watch, job->committed_usec, now, &builds);

		for (size_t j = 0; j < count; j++)
			report(manager, job, watch->ops->name, &builds[j]);
	}
	if (has_answered(sources))
		return;
	sources_read(sources);
	if (!suspect_is_excluded(sources->words, sources->count, job->has_module_guard))
		report_doubt(manager, job);
}
