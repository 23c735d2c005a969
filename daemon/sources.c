// SPDX-License-Identifier: LGPL-2.1-or-later
/* The gate's sources as one. What follows from their words is decided in gate.c. */
#include <errno.h>

#include "sources.h"

static void on_change(void *userdata)
{
	struct sources *sources = userdata;

	if (sources->changed)
		sources->changed(sources->userdata);
}

int sources_add(struct sources *sources, struct watch *watch)
{
	if (sources->count == GATE_SOURCES_MAX) {
		watch_free(watch);
		return -ENOSPC;
	}
	watch->changed = on_change;
	watch->userdata = sources;
	watch_say_unknown(&sources->words[sources->count], "not asked yet");
	sources->words[sources->count].name = watch->ops->name;
	sources->words[sources->count].is_veto = watch->ops->is_veto;
	sources->watches[sources->count++] = watch;
	if (!watch->ops->is_fallback)
		sources->fallback = sources->count;
	return 0;
}

void sources_arm(struct sources *sources, sd_event *event)
{
	for (size_t i = 0; i < sources->count; i++)
		if (sources->watches[i]->arm_error < 0)
			watch_arm(sources->watches[i], event);
}

static void read_some(struct sources *sources, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		watch_read(sources->watches[i], &sources->words[i]);
}

void sources_read(struct sources *sources)
{
	read_some(sources, 0, sources->count);
}

void sources_read_fallbacks(struct sources *sources)
{
	read_some(sources, sources->fallback, sources->count);
}

/* Hints are weighed when all are in, so that one doesn't open what another holds shut. */
struct gate_verdict sources_decide(struct sources *sources, enum gate_policy policy,
				   bool has_module_guard)
{
	enum gate_policy early = policy == GATE_OFF ? GATE_OFF : GATE_STRICT;
	struct gate_verdict verdict;
	size_t asked = sources->fallback;

	read_some(sources, 0, asked);
	verdict = gate_decide(sources->words, asked, early, has_module_guard);
	while (verdict.decision == GATE_UNDECIDED && asked < sources->count) {
		read_some(sources, asked, asked + 1);
		asked++;
		verdict = gate_decide(sources->words, asked, early, has_module_guard);
	}
	if (verdict.decision != GATE_UNDECIDED)
		return verdict;
	return gate_decide(sources->words, asked, policy, has_module_guard);
}

void sources_attend(struct sources *sources, bool is_awaited)
{
	if (sources->is_awaited == is_awaited)
		return;
	sources->is_awaited = is_awaited;
	for (size_t i = 0; i < sources->count; i++)
		watch_attend(sources->watches[i], is_awaited);
}

void sources_done(struct sources *sources)
{
	for (size_t i = 0; i < sources->count; i++)
		watch_free(sources->watches[i]);
	*sources = (struct sources){ 0 };
}
