// SPDX-License-Identifier: LGPL-2.1-or-later
#include "test.h"
#include "contradiction.h"
#include "util.h"

#define SEC UINT64_C(1000000)

enum {
	KERNEL,
	PROBES,
	POPULATION,
	WORDS
};

/* What a source says: -1 nothing is known. */
static void say(struct gate_source *words, int building, int probed, int known, int tds)
{
	static const char *const names[] = { "kernel", "probes", "population" };
	const int counts[] = { building, probed, -1 };

	for (size_t i = 0; i < WORDS; i++) {
		words[i] = (struct gate_source){ .name = names[i],
						 .state = GATE_UNKNOWN,
						 .confidence = GATE_HINT };
		if (counts[i] < 0)
			continue;
		words[i].confidence = GATE_EXACT;
		words[i].count = (uint32_t)counts[i];
		words[i].state = counts[i] ? GATE_CLOSED : GATE_OPEN;
	}
	words[PROBES].has_tds = known >= 0;
	words[PROBES].tds = (uint64_t)known;
	words[POPULATION].has_tds = tds >= 0;
	words[POPULATION].tds = (uint64_t)tds;
}

static void test_what_contradicts_what(void **state)
{
	static const struct {
		int building, probed, known, tds;
		bool is_contradiction;
		enum gate_state kernel, probes;
	} table[] = {
		{ -1, 0, 2, 2, false, GATE_UNKNOWN, GATE_OPEN },
		/* a TD that the probes do not know of */
		{ -1, 0, 2, 3, true, GATE_UNKNOWN, GATE_CLOSED },
		{ -1, 1, 2, 3, true, GATE_UNKNOWN, GATE_CLOSED },
		/* fewer are no danger */
		{ -1, 0, 2, 1, false, GATE_UNKNOWN, GATE_OPEN },
		/* who does not know contradicts nobody */
		{ -1, 0, -1, 3, false, GATE_UNKNOWN, GATE_OPEN },
		{ -1, 0, 2, -1, false, GATE_UNKNOWN, GATE_OPEN },
		{ -1, -1, -1, 3, false, GATE_UNKNOWN, GATE_UNKNOWN },
		/* two that count builds */
		{ 0, 0, -1, -1, false, GATE_OPEN, GATE_OPEN },
		{ 1, 1, -1, -1, false, GATE_CLOSED, GATE_CLOSED },
		{ 0, 1, -1, -1, true, GATE_CLOSED, GATE_CLOSED },
		{ 1, 0, -1, -1, true, GATE_CLOSED, GATE_CLOSED },
		{ 0, -1, -1, -1, false, GATE_OPEN, GATE_UNKNOWN },
		{ 0, 0, 2, 3, true, GATE_OPEN, GATE_CLOSED },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct contradiction contradiction = { 0 };
		struct gate_source words[WORDS];

		say(words, table[i].building, table[i].probed, table[i].known,
		    table[i].tds);
		contradiction_look(&contradiction, words, WORDS, 10 * SEC);
		assert_int_equal(contradiction_is_there(&contradiction),
				 table[i].is_contradiction);
		/* young: closed, and no alarm */
		contradiction_apply(&contradiction, words, WORDS, 11 * SEC);
		assert_int_equal(words[KERNEL].state, table[i].kernel);
		assert_int_equal(words[PROBES].state, table[i].probes);
		for (size_t j = 0; j < WORDS; j++)
			assert_string_equal(words[j].reason, "");
		/* it lasts: nobody is believed */
		say(words, table[i].building, table[i].probed, table[i].known,
		    table[i].tds);
		contradiction_look(&contradiction, words, WORDS, 12 * SEC);
		contradiction_apply(&contradiction, words, WORDS, 12 * SEC);
		if (table[i].is_contradiction) {
			assert_int_equal(words[PROBES].state, GATE_UNKNOWN);
			assert_true(words[PROBES].is_doubtful);
			assert_non_null(strstr(words[PROBES].reason, "contradiction"));
		}
	}
}

static void test_it_is_over_when_they_agree(void **state)
{
	struct contradiction contradiction = { 0 };
	struct gate_source words[WORDS];

	(void)state;
	say(words, -1, 0, 2, 3);
	contradiction_look(&contradiction, words, WORDS, 10 * SEC);
	say(words, -1, 0, 2, 2);
	contradiction_look(&contradiction, words, WORDS, 20 * SEC);
	contradiction_apply(&contradiction, words, WORDS, 20 * SEC);
	assert_int_equal(words[PROBES].state, GATE_OPEN);
	/* and another one is young again */
	say(words, -1, 0, 2, 3);
	contradiction_look(&contradiction, words, WORDS, 21 * SEC);
	contradiction_apply(&contradiction, words, WORDS, 21 * SEC);
	assert_int_equal(words[PROBES].state, GATE_CLOSED);
	assert_string_equal(words[PROBES].blockers[0].who, "a TD that is about to begin");
}

/* One that fails to tell has not agreed. */
static void test_silence_ends_nothing(void **state)
{
	static const struct {
		int building, probed, known, tds; /* at first */
		int later[WORDS + 1];
		bool is_told; /* and the probes were asked to settle anew */
		bool is_over;
	} table[] = {
		{ -1, 0, 2, 3, { -1, 0, 2, -1 }, false, false },
		{ -1, 0, 2, 3, { -1, -1, -1, 3 }, false, false },
		{ -1, 0, 2, 3, { -1, 0, 3, 3 }, false, true },
		/* no TD at all */
		{ -1, 0, 2, 3, { -1, -1, -1, 0 }, false, true },
		/* settled since, they are believed alone */
		{ -1, 0, 2, 3, { -1, 0, -1, -1 }, true, true },
		{ -1, 0, 2, 3, { -1, -1, -1, -1 }, true, false },
		{ 0, 1, -1, -1, { 0, -1, -1, -1 }, false, false },
		{ 0, 1, -1, -1, { -1, 1, -1, -1 }, false, false },
		{ 0, 1, -1, -1, { 0, -1, -1, -1 }, true, false },
		{ 0, 1, -1, -1, { -1, 0, -1, -1 }, true, true },
		{ 0, 1, -1, -1, { 0, 1, -1, -1 }, true, false },
		{ 0, 1, -1, -1, { 1, 1, -1, -1 }, true, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct contradiction contradiction = { 0 };
		struct gate_source words[WORDS];
		char why[CONTRADICTION_WHY_BYTES];
		const int *later = table[i].later;

		say(words, table[i].building, table[i].probed, table[i].known,
		    table[i].tds);
		contradiction_look(&contradiction, words, WORDS, 10 * SEC);
		assert_false(contradiction_tell(&contradiction, 11 * SEC, why));
		if (table[i].is_told) {
			assert_true(contradiction_tell(&contradiction, 12 * SEC, why));
			assert_non_null(strstr(why, "contradiction"));
			assert_false(contradiction_tell(&contradiction, 13 * SEC, why));
		}
		say(words, later[KERNEL], later[PROBES], later[2], later[3]);
		contradiction_look(&contradiction, words, WORDS, 14 * SEC);
		assert_int_equal(contradiction_is_there(&contradiction),
				 !table[i].is_over);
		contradiction_apply(&contradiction, words, WORDS, 14 * SEC);
		for (size_t j = 0; j < WORDS && !table[i].is_over; j++)
			assert_true(words[j].state == GATE_UNKNOWN);
	}
}

/* What the probes themselves say of it is more. */
static void test_probes_in_doubt_have_their_own_reason(void **state)
{
	struct contradiction contradiction = { 0 };
	struct gate_source words[WORDS];

	(void)state;
	say(words, -1, 0, 2, 3);
	contradiction_look(&contradiction, words, WORDS, 10 * SEC);
	say(words, -1, -1, 2, 3);
	strcpy(words[PROBES].reason, "VM 7-9 has not run yet");
	contradiction_look(&contradiction, words, WORDS, 13 * SEC);
	contradiction_apply(&contradiction, words, WORDS, 13 * SEC);
	assert_string_equal(words[PROBES].reason, "VM 7-9 has not run yet");
	assert_non_null(strstr(words[POPULATION].reason, "counts 3 TDs"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_contradicts_what),
		cmocka_unit_test(test_it_is_over_when_they_agree),
		cmocka_unit_test(test_silence_ends_nothing),
		cmocka_unit_test(test_probes_in_doubt_have_their_own_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
