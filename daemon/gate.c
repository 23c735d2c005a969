// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * May an update go now? A pure function of what the sources say and of the policy. Where
 * the words come from is the business of watch-*.c; what follows from the answer, of the
 * job.
 */
#include "gate.h"
#include "util.h"

static const char *const states[] = {
	[GATE_OPEN] = "open",
	[GATE_CLOSED] = "closed",
	[GATE_UNKNOWN] = "unknown",
};

static const char *const confidences[] = {
	[GATE_EXACT] = "exact",
	[GATE_HINT] = "hint",
};

static const char *const policies[] = {
	[GATE_STRICT] = "strict",
	[GATE_OBSERVED] = "observed",
	[GATE_OFF] = "off",
};

static const char *const decisions[] = {
	[GATE_GO] = "go",
	[GATE_WAIT] = "wait",
	[GATE_UNDECIDED] = "unknown",
};

STRING_TABLE_TO(gate_state, enum gate_state, states)
STRING_TABLE_TO(gate_confidence, enum gate_confidence, confidences)
STRING_TABLE_TO(gate_policy, enum gate_policy, policies)
STRING_TABLE_FROM(gate_policy, enum gate_policy, policies)
STRING_TABLE_TO(gate_decision, enum gate_decision, decisions)

/* Who forbids an update, as a mask; one that can't tell does, too. */
static uint32_t who_forbids(const struct gate_source *sources, size_t count)
{
	uint32_t mask = 0;

	for (size_t i = 0; i < count; i++)
		if (sources[i].is_veto && sources[i].state != GATE_OPEN)
			mask |= UINT32_C(1) << i;
	return mask;
}

/* Which of those that know of TDs say @state with @confidence, as a mask. */
static uint32_t who_says(const struct gate_source *sources, size_t count,
			 enum gate_state state, enum gate_confidence confidence)
{
	uint32_t mask = 0;

	for (size_t i = 0; i < count; i++)
		if (!sources[i].is_veto && sources[i].state == state &&
		    sources[i].confidence == confidence)
			mask |= UINT32_C(1) << i;
	return mask;
}

static uint32_t who_doubts(const struct gate_source *sources, size_t count)
{
	uint32_t mask = 0;

	for (size_t i = 0; i < count; i++)
		if (!sources[i].is_veto && sources[i].is_doubtful)
			mask |= UINT32_C(1) << i;
	return mask;
}

static uint32_t who_knows(const struct gate_source *sources, size_t count)
{
	uint32_t mask = 0;

	for (size_t i = 0; i < count; i++)
		if (!sources[i].is_veto)
			mask |= UINT32_C(1) << i;
	return mask;
}

static struct gate_verdict verdict(enum gate_decision decision, uint32_t blocking)
{
	return (struct gate_verdict){ .decision = decision, .blocking = blocking };
}

struct gate_verdict gate_decide(const struct gate_source *sources, size_t count,
				enum gate_policy policy, bool has_module_guard)
{
	uint32_t closed = who_says(sources, count, GATE_CLOSED, GATE_EXACT);
	uint32_t hinted = who_says(sources, count, GATE_CLOSED, GATE_HINT);
	uint32_t forbidden = who_forbids(sources, count);
	uint32_t doubtful = who_doubts(sources, count);
	uint32_t all = who_knows(sources, count);

	if (policy == GATE_OFF)
		return verdict(forbidden ? GATE_WAIT : GATE_GO, forbidden);
	/* Even where the module would refuse: an attempt that must fail helps nobody. */
	if (forbidden | closed)
		return verdict(GATE_WAIT, forbidden | closed);
	if (who_says(sources, count, GATE_OPEN, GATE_EXACT) || has_module_guard)
		return verdict(GATE_GO, 0);
	if (policy != GATE_OBSERVED)
		return verdict(GATE_UNDECIDED, all);
	if (hinted)
		return verdict(GATE_WAIT, hinted);
	if (doubtful)
		return verdict(GATE_UNDECIDED, doubtful);
	if (who_says(sources, count, GATE_OPEN, GATE_HINT))
		return verdict(GATE_GO, 0);
	return verdict(GATE_UNDECIDED, all);
}
