// SPDX-License-Identifier: LGPL-2.1-or-later
/* The gate's sources as one. What follows from their words is decided in gate.c. */
#include <errno.h>

#include "clock.h"
#include "sources.h"

/* How often to look, while somebody waits, at what wakes nobody: the number of TDs, VMs
 * that have run by now, probes that somebody has silenced. Some small reads of files. */
#define LOOK_USEC 250000

/* How often what is not armed is tried again. */
#define ARM_USEC 1000000

/* All of a word that a decision depends on, and what is shown of it. */
static uint64_t sum_up(const struct gate_source *word)
{
	uint64_t sum = (uint64_t)word->state | (uint64_t)word->confidence << 4 |
		       (uint64_t)word->is_doubtful << 8 | (uint64_t)word->count << 16;

	for (const char *p = word->reason; *p; p++)
		sum = (sum ^ (uint8_t)*p) * UINT64_C(0x100000001b3);
	return sum;
}

uint64_t sources_sum_up(const struct sources *sources)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < sources->count; i++)
		sum = sum * 31 + sum_up(&sources->words[i]);
	return sum;
}

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
	sources->told[sources->count] = sum_up(&sources->words[sources->count]);
	sources->words[sources->count].name = watch->ops->name;
	sources->words[sources->count].is_veto = watch->ops->is_veto;
	sources->watches[sources->count++] = watch;
	if (!watch->ops->is_fallback)
		sources->fallback = sources->count;
	return 0;
}

/* ---- asking ---- */

static int on_bell(sd_event_source *bell, void *userdata)
{
	(void)bell;
	on_change(userdata);
	return 0;
}

static void read_some(struct sources *sources, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		watch_read(sources->watches[i], &sources->words[i]);
}

/* All that could contradict each other have just been read. */
static void compare(struct sources *sources)
{
	uint64_t now = clock_usec(CLOCK_MONOTONIC);
	char why[CONTRADICTION_WHY_BYTES];

	contradiction_look(&sources->contradiction, sources->words, sources->count, now);
	if (contradiction_tell(&sources->contradiction, now, why))
		for (size_t i = 0; i < sources->count; i++)
			if (sources->watches[i]->ops->doubt)
				sources->watches[i]->ops->doubt(sources->watches[i], why);
	contradiction_apply(&sources->contradiction, sources->words, sources->count, now);
}

void sources_arm(struct sources *sources, sd_event *event)
{
	if (!sources->event)
		sources->event = sd_event_ref(event);
	sources->arm_at_usec = clock_usec(CLOCK_MONOTONIC) + ARM_USEC;
	for (size_t i = 0; i < sources->count; i++)
		if (sources->watches[i]->arm_error < 0)
			watch_arm(sources->watches[i], event);
}

/* What is told is told once: a source that is not asked when it is decided would else be
 * news for ever. Return: whether there is news for somebody who waits. */
static bool read_all(struct sources *sources)
{
	bool is_news = false;

	if (sources->event && clock_usec(CLOCK_MONOTONIC) >= sources->arm_at_usec)
		sources_arm(sources, sources->event);
	read_some(sources, 0, sources->count);
	compare(sources);
	for (size_t i = 0; i < sources->count; i++) {
		uint64_t sum = sum_up(&sources->words[i]);

		is_news |= sum != sources->told[i];
		if (sources->is_awaited)
			sources->told[i] = sum;
	}
	return is_news && sources->is_awaited;
}

/* From the event loop, as the one who reads may be who would be told. */
static void ring(struct sources *sources)
{
	if (!sources->event)
		return;
	if (sources->bell)
		sd_event_source_set_enabled(sources->bell, SD_EVENT_ONESHOT);
	else
		sd_event_add_defer(sources->event, &sources->bell, on_bell, sources);
}

void sources_read(struct sources *sources)
{
	if (read_all(sources))
		ring(sources);
}

/* Afterwards those are asked what the update hit who said that there was nothing. */
static void rely_on(struct sources *sources, size_t asked)
{
	for (size_t i = 0; i < sources->count; i++)
		sources->watches[i]->is_relied_on =
			i < asked && sources->words[i].state == GATE_OPEN;
}

/* Whoever says whence each TD comes is believed beside the machine's own number; two that
 * did not agree, when they do. */
static bool is_to_be_compared(const struct sources *sources)
{
	for (size_t i = 0; i < sources->fallback; i++)
		if (sources->words[i].has_tds)
			return true;
	return contradiction_is_there(&sources->contradiction);
}

static void read_numbers(struct sources *sources)
{
	for (size_t i = sources->fallback; i < sources->count; i++)
		if (sources->watches[i]->ops->counts_tds)
			read_some(sources, i, i + 1);
}

/* Hints are weighed when all are in, so that one doesn't open what another holds shut. */
struct gate_verdict sources_decide(struct sources *sources, enum gate_policy policy,
				   bool has_module_guard)
{
	enum gate_policy early = policy == GATE_OFF ? GATE_OFF : GATE_STRICT;
	struct gate_verdict verdict;
	size_t asked = sources->fallback;

	read_some(sources, 0, asked);
	if (is_to_be_compared(sources)) {
		read_numbers(sources);
		compare(sources);
	}
	verdict = gate_decide(sources->words, asked, early, has_module_guard);
	while (verdict.decision == GATE_UNDECIDED && asked < sources->count) {
		read_some(sources, asked, asked + 1);
		asked++;
		verdict = gate_decide(sources->words, asked, early, has_module_guard);
	}
	for (size_t i = 0; i < asked; i++)
		sources->told[i] = sum_up(&sources->words[i]);
	if (verdict.decision == GATE_UNDECIDED)
		verdict = gate_decide(sources->words, asked, policy, has_module_guard);
	if (verdict.decision == GATE_GO)
		rely_on(sources, asked);
	return verdict;
}

static int on_look(sd_event_source *looker, uint64_t usec, void *userdata)
{
	struct sources *sources = userdata;

	(void)looker;
	(void)usec;
	if (!sources->is_awaited)
		return 0;
	/* At once: this is the event that opens the gate where no other tells of it. */
	if (read_all(sources))
		on_change(sources);
	watch_set_timer(sources->event, &sources->looker, LOOK_USEC, on_look, sources);
	return 0;
}

void sources_attend(struct sources *sources, bool is_awaited)
{
	if (sources->is_awaited == is_awaited)
		return;
	sources->is_awaited = is_awaited;
	if (is_awaited && sources->event) {
		sources_arm(sources, sources->event);
		watch_set_timer(sources->event, &sources->looker, LOOK_USEC, on_look,
				sources);
	}
	for (size_t i = 0; i < sources->count; i++)
		watch_attend(sources->watches[i], is_awaited);
}

void sources_done(struct sources *sources)
{
	for (size_t i = 0; i < sources->count; i++)
		watch_free(sources->watches[i]);
	sd_event_source_disable_unref(sources->looker);
	sd_event_source_disable_unref(sources->bell);
	sd_event_unref(sources->event);
	*sources = (struct sources){ 0 };
}
