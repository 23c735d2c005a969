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

/*
 * The sources by what they say, as masks.
 * @forbid: vetoes; one that can't tell is one, too
 * @know: those that know of TDs, and of them:
 * @doubt: the doubtful
 * @say: those that say this with that confidence
 */
struct words {
	uint32_t forbid;
	uint32_t know;
	uint32_t doubt;
	uint32_t say[_GATE_STATE_MAX][_GATE_CONFIDENCE_MAX];
};

static struct words gather(const struct gate_source *sources, size_t count)
{
	struct words words = {};

	for (size_t i = 0; i < count; i++) {
		const struct gate_source *source = &sources[i];
		uint32_t bit = UINT32_C(1) << i;

		if (source->is_veto) {
			words.forbid |= source->state != GATE_OPEN ? bit : 0;
			continue;
		}
		words.know |= bit;
		words.doubt |= source->is_doubtful ? bit : 0;
		words.say[source->state][source->confidence] |= bit;
	}
	return words;
}

static struct gate_verdict verdict(enum gate_decision decision, uint32_t blocking)
{
	return (struct gate_verdict){ .decision = decision, .blocking = blocking };
}

struct gate_verdict gate_decide(const struct gate_source *sources, size_t count,
				enum gate_policy policy, bool has_module_guard)
{
	struct words words = gather(sources, count);
	uint32_t closed = words.say[GATE_CLOSED][GATE_EXACT];
	uint32_t hinted = words.say[GATE_CLOSED][GATE_HINT];

	if (policy == GATE_OFF)
		return verdict(words.forbid ? GATE_WAIT : GATE_GO, words.forbid);
	/* Even where the module would refuse: an attempt that must fail helps nobody. */
	if (words.forbid | closed)
		return verdict(GATE_WAIT, words.forbid | closed);
	if (words.say[GATE_OPEN][GATE_EXACT] || has_module_guard)
		return verdict(GATE_GO, 0);
	if (policy != GATE_OBSERVED)
		return verdict(GATE_UNDECIDED, words.know);
	if (hinted)
		return verdict(GATE_WAIT, hinted);
	if (words.doubt)
		return verdict(GATE_UNDECIDED, words.doubt);
	if (words.say[GATE_OPEN][GATE_HINT])
		return verdict(GATE_GO, 0);
	return verdict(GATE_UNDECIDED, words.know);
}
