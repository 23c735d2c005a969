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

/* @more is what the first of the two has. */
static bool do_both_tell(enum contradiction_kind kind, const struct gate_source *a,
			 const struct gate_source *b, uint64_t *more, uint64_t *less)
{
	if (!a || !b)
		return false;
	if (kind == CONTRADICTION_TDS) {
		*more = a->tds;
		*less = b->tds;
		return a->has_tds && b->has_tds;
	}
	*more = a->count;
	*less = b->count;
	return is_sure(a) && is_sure(b);
}

static bool differ(enum contradiction_kind kind, uint64_t more, uint64_t less)
{
	return kind == CONTRADICTION_TDS ? more > less : more != less;
}

/* Where one of the two does not tell, it is over when no TD is there, or when the probes,
 * settled since, speak alone. */
static bool is_over(const struct contradiction *contradiction, int kind,
		    const struct gate_source *a, const struct gate_source *b)
{
	if (kind == CONTRADICTION_TDS && a && a->has_tds && a->tds == 0)
		return true;
	return contradiction->of[kind].is_told && is_sure(b);
}

static void look_at(struct contradiction *contradiction, int kind,
		    const struct gate_source *a, const struct gate_source *b,
		    uint64_t now_usec)
{
	uint64_t more, less;

	if (!do_both_tell(kind, a, b, &more, &less)) {
		if (is_over(contradiction, kind, a, b))
			contradiction->of[kind].since_usec = 0;
		return;
	}
	if (!differ(kind, more, less)) {
		contradiction->of[kind].since_usec = 0;
		return;
	}
	if (!contradiction->of[kind].since_usec) {
		contradiction->of[kind].since_usec = now_usec;
		contradiction->of[kind].is_told = false;
	}
	contradiction->of[kind].more = more;
	contradiction->of[kind].less = less;
}

void contradiction_look(struct contradiction *contradiction,
			const struct gate_source *words, size_t count, uint64_t now_usec)
{
	struct gate_source *all = (struct gate_source *)words;

	for (int i = 0; i < _CONTRADICTION_KIND_MAX; i++)
		look_at(contradiction, i, find(all, count, members[i][0]),
			find(all, count, members[i][1]), now_usec);
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

static void explain(const struct contradiction *contradiction, int kind, char *why)
{
	uint64_t more = contradiction->of[kind].more, less = contradiction->of[kind].less;

	if (kind == CONTRADICTION_TDS)
		snprintf(why, CONTRADICTION_WHY_BYTES,
			 "contradiction: the misc cgroup counts %" PRIu64
			 " TDs, the probes account for %" PRIu64,
			 more, less);
	else
		snprintf(why, CONTRADICTION_WHY_BYTES,
			 "contradiction: tds_building counts %" PRIu64
			 " builds, the probes %" PRIu64,
			 more, less);
}

static bool lasts(const struct contradiction *contradiction, int kind, uint64_t now_usec)
{
	uint64_t since = contradiction->of[kind].since_usec;

	return since && now_usec - since >= CONTRADICTION_YOUNG_USEC;
}

bool contradiction_tell(struct contradiction *contradiction, uint64_t now_usec, char *why)
{
	for (int i = 0; i < _CONTRADICTION_KIND_MAX; i++) {
		if (!lasts(contradiction, i, now_usec) || contradiction->of[i].is_told)
			continue;
		contradiction->of[i].is_told = true;
		explain(contradiction, i, why);
		return true;
	}
	return false;
}

static void doubt_word(const struct contradiction *contradiction, int kind,
		       struct gate_source *word)
{
	char why[CONTRADICTION_WHY_BYTES];

	explain(contradiction, kind, why);
	word->state = GATE_UNKNOWN;
	word->confidence = GATE_HINT;
	word->is_doubtful = true;
	word->count = 0;
	word->blockers = NULL;
	word->blocker_count = 0;
	snprintf(word->reason, sizeof(word->reason), "%s", why);
}

void contradiction_apply(struct contradiction *contradiction, struct gate_source *words,
			 size_t count, uint64_t now_usec)
{
	for (int i = 0; i < _CONTRADICTION_KIND_MAX; i++) {
		for (size_t j = 0; contradiction->of[i].since_usec && j < 2; j++) {
			struct gate_source *word = find(words, count, members[i][j]);

			/* Probes in doubt have more to say of it. */
			if (!word || (j == 1 && !is_sure(word)))
				continue;
			if (lasts(contradiction, i, now_usec))
				doubt_word(contradiction, i, word);
			else
				close_word(contradiction, i, word);
		}
	}
}
