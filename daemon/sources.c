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
	sources->watches[sources->count++] = watch;
	return 0;
}

void sources_arm(struct sources *sources, sd_event *event)
{
	for (size_t i = 0; i < sources->count; i++)
		if (sources->watches[i]->arm_error < 0)
			watch_arm(sources->watches[i], event);
}

struct gate_verdict sources_decide(struct sources *sources, enum gate_policy policy,
				   bool has_module_guard)
{
	for (size_t i = 0; i < sources->count; i++)
		watch_read(sources->watches[i], &sources->words[i]);
	return gate_decide(sources->words, sources->count, policy, has_module_guard);
}

void sources_done(struct sources *sources)
{
	for (size_t i = 0; i < sources->count; i++)
		watch_free(sources->watches[i]);
	*sources = (struct sources){ 0 };
}
