// SPDX-License-Identifier: LGPL-2.1-or-later
#include "test.h"
#include "gate.h"
#include "util.h"

/* Sources as a word: O open, C closed, U unknown; capital exact, small a hint; d a hint
 * that is unknown because something may have gone unseen. After them those that forbid: +
 * open, - closed, ? unknown. */
static size_t sources_from(const char *word, struct gate_source *ret)
{
	size_t count = 0;

	for (; *word; word++) {
		struct gate_source *source = &ret[count++];
		bool is_hint = *word >= 'a';
		char letter = is_hint ? (char)(*word - 'a' + 'A') : *word;

		memset(source, 0, sizeof(*source));
		source->confidence = is_hint ? GATE_HINT : GATE_EXACT;
		source->is_doubtful = letter == 'D';
		source->is_veto = strchr("+-?", letter);
		source->state = strchr("O+", letter)   ? GATE_OPEN
				: strchr("C-", letter) ? GATE_CLOSED
						       : GATE_UNKNOWN;
	}
	return count;
}

static void test_every_row_of_the_gate(void **state)
{
	static const struct {
		const char *sources;
		bool has_module_guard;
		enum gate_decision strict;
		enum gate_decision observed;
		uint32_t strict_blocking;
	} table[] = {
		/* nobody knows */
		{ "", false, GATE_UNDECIDED, GATE_UNDECIDED, 0 },
		{ "U", false, GATE_UNDECIDED, GATE_UNDECIDED, 1 },
		{ "u", false, GATE_UNDECIDED, GATE_UNDECIDED, 1 },
		{ "Uu", false, GATE_UNDECIDED, GATE_UNDECIDED, 3 },
		/* somebody knows */
		{ "O", false, GATE_GO, GATE_GO, 0 },
		{ "C", false, GATE_WAIT, GATE_WAIT, 1 },
		{ "UO", false, GATE_GO, GATE_GO, 0 },
		{ "UC", false, GATE_WAIT, GATE_WAIT, 2 },
		/* one that is sure of a build outweighs all that see none */
		{ "OC", false, GATE_WAIT, GATE_WAIT, 2 },
		{ "COo", false, GATE_WAIT, GATE_WAIT, 1 },
		{ "CC", false, GATE_WAIT, GATE_WAIT, 3 },
		/* hints count where nobody is sure, and only if the policy takes them */
		{ "o", false, GATE_UNDECIDED, GATE_GO, 1 },
		{ "c", false, GATE_UNDECIDED, GATE_WAIT, 1 },
		{ "oc", false, GATE_UNDECIDED, GATE_WAIT, 3 },
		{ "Uo", false, GATE_UNDECIDED, GATE_GO, 3 },
		{ "Oc", false, GATE_GO, GATE_GO, 0 },
		/* one hint does not outweigh what another may have missed */
		{ "uo", false, GATE_UNDECIDED, GATE_GO, 3 },
		{ "do", false, GATE_UNDECIDED, GATE_UNDECIDED, 3 },
		{ "od", false, GATE_UNDECIDED, GATE_UNDECIDED, 3 },
		{ "cd", false, GATE_UNDECIDED, GATE_WAIT, 3 },
		{ "Od", false, GATE_GO, GATE_GO, 0 },
		{ "Co", false, GATE_WAIT, GATE_WAIT, 1 },
		/* the module refuses on its own; known builds are waited for */
		{ "", true, GATE_GO, GATE_GO, 0 },
		{ "U", true, GATE_GO, GATE_GO, 0 },
		{ "c", true, GATE_GO, GATE_GO, 0 },
		{ "C", true, GATE_WAIT, GATE_WAIT, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct gate_source sources[GATE_SOURCES_MAX];
		size_t count = sources_from(table[i].sources, sources);
		struct gate_verdict strict = gate_decide(sources, count, GATE_STRICT,
							 table[i].has_module_guard);
		struct gate_verdict observed = gate_decide(sources, count, GATE_OBSERVED,
							   table[i].has_module_guard);
		struct gate_verdict off = gate_decide(sources, count, GATE_OFF, false);

		assert_int_equal(strict.decision, table[i].strict);
		assert_int_equal(strict.blocking, table[i].strict_blocking);
		assert_int_equal(observed.decision, table[i].observed);
		assert_int_equal(off.decision, GATE_GO);
	}
}

/* Whatever three sources say: strict goes only with an exact word for it, or a module
 * that guards itself. */
static void test_strict_never_goes_on_less_than_certainty(void **state)
{
	(void)state;
	for (unsigned bits = 0; bits < 6 * 6 * 6 * 2; bits++) {
		static const char letters[] = "OCUocu";
		char word[4] = { letters[bits % 6], letters[bits / 6 % 6],
				 letters[bits / 36 % 6], 0 };
		bool has_module_guard = bits / 216;
		struct gate_source sources[GATE_SOURCES_MAX];
		size_t count = sources_from(word, sources);
		bool may_go =
			!strchr(word, 'C') && (strchr(word, 'O') || has_module_guard);

		assert_int_equal(
			gate_decide(sources, count, GATE_STRICT, has_module_guard)
					.decision == GATE_GO,
			may_go);
	}
}

/* Those who want no update now are heard whatever the sources say, the module guards or
 * the policy is; those who have nothing against it open nothing. */
static void test_every_row_of_those_who_forbid(void **state)
{
	static const struct {
		const char *sources;
		bool has_module_guard;
		enum gate_policy policy;
		enum gate_decision decision;
		uint32_t blocking;
	} table[] = {
		{ "-", false, GATE_STRICT, GATE_WAIT, 1 },
		{ "-", true, GATE_STRICT, GATE_WAIT, 1 },
		{ "-", false, GATE_OFF, GATE_WAIT, 1 },
		{ "O-", false, GATE_STRICT, GATE_WAIT, 2 },
		{ "O-", false, GATE_OBSERVED, GATE_WAIT, 2 },
		{ "O-", false, GATE_OFF, GATE_WAIT, 2 },
		{ "O?", false, GATE_STRICT, GATE_WAIT, 2 },
		/* whoever waits is told of both, where both count */
		{ "C-", false, GATE_STRICT, GATE_WAIT, 3 },
		{ "C-", false, GATE_OFF, GATE_WAIT, 2 },
		{ "U-", false, GATE_STRICT, GATE_WAIT, 2 },
		{ "O+-", false, GATE_STRICT, GATE_WAIT, 4 },
		/* nothing against it is not the same as no TD under build */
		{ "+", false, GATE_STRICT, GATE_UNDECIDED, 0 },
		{ "+", false, GATE_OBSERVED, GATE_UNDECIDED, 0 },
		{ "U+", false, GATE_OBSERVED, GATE_UNDECIDED, 1 },
		{ "C+", false, GATE_STRICT, GATE_WAIT, 1 },
		{ "O+", false, GATE_STRICT, GATE_GO, 0 },
		{ "+", true, GATE_STRICT, GATE_GO, 0 },
		{ "C+", false, GATE_OFF, GATE_GO, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct gate_source sources[GATE_SOURCES_MAX];
		size_t count = sources_from(table[i].sources, sources);
		struct gate_verdict verdict = gate_decide(sources, count, table[i].policy,
							  table[i].has_module_guard);

		if (verdict.decision != table[i].decision ||
		    verdict.blocking != table[i].blocking)
			fail_msg("row %zu, %s: %s, %x", i, table[i].sources,
				 gate_decision_to_string(verdict.decision),
				 verdict.blocking);
	}
}

static void test_policy_names(void **state)
{
	(void)state;
	assert_int_equal(gate_policy_from_string("strict"), GATE_STRICT);
	assert_int_equal(gate_policy_from_string("Off"), _GATE_POLICY_INVALID);
	assert_string_equal(gate_decision_to_string(GATE_UNDECIDED), "unknown");
	assert_null(gate_state_to_string(_GATE_STATE_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_row_of_the_gate),
		cmocka_unit_test(test_strict_never_goes_on_less_than_certainty),
		cmocka_unit_test(test_every_row_of_those_who_forbid),
		cmocka_unit_test(test_policy_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
