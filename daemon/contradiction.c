// SPDX-License-Identifier: LGPL-2.1-or-later
/* Sources that contradict each other. Pure: words and the time are passed in. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "contradiction.h"

static struct gate_source *find(struct gate_source *words, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (words[i].name && strcmp(words[i].name, name) == 0)
			return &words[i];
	return NULL;
}

static const char *const members[_CONTRADICTION_KIND_MAX][2] = {
	[CONTRADICTION_TDS] = { "population", "probes" },
	[CONTRADICTION_BUILDS] = { "kernel", "probes" },
};

static bool is_sure(const struct gate_source *word)
{
	return word && word->state != GATE_UNKNOWN && word->confidence == GATE_EXACT;
}

/* Do they differ? @more is what the first of the two has. */
static bool differ(enum contradiction_kind kind, const struct gate_source *a,
		   const struct gate_source *b, uint64_t *more, uint64_t *less)
{
	if (!a || !b)
		return false;
	if (kind == CONTRADICTION_TDS) {
		*more = a->tds;
		*less = b->tds;
		return a->has_tds && b->has_tds && a->tds > b->tds;
	}
	*more = a->count;
	*less = b->count;
	return is_sure(a) && is_sure(b) && a->count != b->count;
}

void contradiction_look(struct contradiction *contradiction,
			const struct gate_source *words, size_t count, uint64_t now_usec)
{
	for (int i = 0; i < _CONTRADICTION_KIND_MAX; i++) {
		struct gate_source *a = find((struct gate_source *)words, count,
					     members[i][0]),
				   *b = find((struct gate_source *)words, count,
					     members[i][1]);
		uint64_t more, less;

		if (!differ(i, a, b, &more, &less)) {
			contradiction->of[i].since_usec = 0;
			continue;
		}
		contradiction->of[i].more = more;
		contradiction->of[i].less = less;
		if (!contradiction->of[i].since_usec)
			contradiction->of[i].since_usec = now_usec;
	}
}

bool contradiction_is_there(const struct contradiction *contradiction)
{
	for (int i = 0; i < _CONTRADICTION_KIND_MAX; i++)
		if (contradiction->of[i].since_usec)
			return true;
	return false;
}

/* An update would be told so by either, whichever is right. */
static void close_word(struct contradiction *contradiction, int kind,
		       struct gate_source *word)
{
	struct gate_blocker *blocker = &contradiction->of[kind].blocker;

	if (!is_sure(word) || word->state == GATE_CLOSED)
		return;
	*blocker =
		(struct gate_blocker){ .since_usec = contradiction->of[kind].since_usec };
	snprintf(blocker->who, sizeof(blocker->who), "a TD that is about to begin");
	word->state = GATE_CLOSED;
	word->count = 1;
	word->blockers = blocker;
	word->blocker_count = 1;
}

static void doubt_word(const struct contradiction *contradiction, int kind,
		       struct gate_source *word)
{
	uint64_t more = contradiction->of[kind].more, less = contradiction->of[kind].less;
	char *reason = word->reason;
	size_t size = sizeof(word->reason);

	word->state = GATE_UNKNOWN;
	word->confidence = GATE_HINT;
	word->is_doubtful = true;
	word->count = 0;
	word->blockers = NULL;
	word->blocker_count = 0;
	if (kind == CONTRADICTION_TDS)
		snprintf(reason, size,
			 "contradiction: the misc cgroup counts %" PRIu64
			 " TDs, the probes account for %" PRIu64
			 "; unsafe until the others are gone",
			 more, less);
	else
		snprintf(reason, size,
			 "contradiction: tds_building counts %" PRIu64
			 " builds, the probes %" PRIu64,
			 more, less);
}

void contradiction_apply(struct contradiction *contradiction, struct gate_source *words,
			 size_t count, uint64_t now_usec)
{
	for (int i = 0; i < _CONTRADICTION_KIND_MAX; i++) {
		uint64_t since = contradiction->of[i].since_usec;

		for (size_t j = 0; since && j < 2; j++) {
			struct gate_source *word = find(words, count, members[i][j]);

			if (!word)
				continue;
			if (now_usec - since < CONTRADICTION_YOUNG_USEC)
				close_word(contradiction, i, word);
			else
				doubt_word(contradiction, i, word);
		}
	}
}
