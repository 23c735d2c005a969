// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the kernel piece concludes from the calls that it saw (kernel/build-table.c): the
 * whole of it, on a table of stories.
 */
#include <errno.h>

#include "build-table.h"
#include "test.h"

#define UNKNOWN (-ENODATA)
#define NOW     1000

/*
 * A step of a story: a call, or a look with what is to come out of it.
 * @wait: milliseconds that pass before
 */
struct step {
	enum {
		CALL,
		LOOK,
		BLIND,
		MISSED,
		UNCOUNTED,
		RACED
	} kind;
	enum build_event event;
	unsigned long td;
	long long keys;
	int count;
	unsigned wait;
};

#define SEE(what, name)                           \
	{                                         \
		CALL, BUILD_##what, name, 0, 0, 0 \
	}
#define READ(keys, count)                  \
	{                                  \
		LOOK, 0, 0, keys, count, 0 \
	}
#define LATER(keys, count)                    \
	{                                     \
		LOOK, 0, 0, keys, count, 2100 \
	}
#define FAIL(how, keys)                     \
	{                                   \
		how, 0, 0, keys, UNKNOWN, 0 \
	}

static const struct story {
	const char *name;
	unsigned size;
	struct step steps[24];
	size_t count;
} stories[] = {
#define STORY(name, size, ...)                                                       \
	{                                                                            \
		name, size, { __VA_ARGS__ },                                         \
			sizeof((struct step[]){ __VA_ARGS__ }) / sizeof(struct step) \
	}
	STORY("a build from entry to end", 4, READ(0, 0), SEE(CREATED, 1), READ(1, 1),
	      SEE(INIT_ENTERED, 1), READ(1, 1), SEE(INIT_DONE, 1), READ(1, 1),
	      SEE(ENDED, 1), READ(1, 0), SEE(ENDED, 1), SEE(KEY_FREED, 1), READ(0, 0)),
	STORY("an init that fails takes the build back", 4, READ(0, 0), SEE(CREATED, 1),
	      SEE(INIT_ENTERED, 1), READ(1, 1), SEE(INIT_FAILED, 1), READ(1, 0),
	      SEE(INIT_ENTERED, 1), SEE(INIT_DONE, 1), READ(1, 1)),
	STORY("a second init of the same TD changes nothing", 4, READ(0, 0),
	      SEE(CREATED, 1), SEE(INIT_ENTERED, 1), SEE(INIT_ENTERED, 1),
	      SEE(INIT_FAILED, 1), READ(1, 1), SEE(INIT_DONE, 1), READ(1, 1),
	      SEE(ENDED, 1), SEE(INIT_ENTERED, 1), READ(1, 0), SEE(INIT_FAILED, 1),
	      READ(1, 0)),
	STORY("a return that was lost: it ends when the build ends", 4, READ(0, 0),
	      SEE(CREATED, 1), SEE(INIT_ENTERED, 1), READ(1, 1), SEE(ENDED, 1),
	      READ(1, 0)),
	STORY("an entry that was lost", 4, READ(0, 0), SEE(CREATED, 1), SEE(INIT_DONE, 1),
	      READ(1, 1), SEE(ENDED, 1), READ(1, 0)),
	STORY("both were lost, and nobody counted it", 4, READ(0, 0), SEE(CREATED, 1),
	      READ(1, 1), LATER(1, UNKNOWN), LATER(1, UNKNOWN), SEE(ENDED, 1),
	      READ(1, UNKNOWN), SEE(KEY_FREED, 1), READ(0, 0)),
	STORY("an abandoned build", 4, READ(0, 0), SEE(CREATED, 1), SEE(INIT_ENTERED, 1),
	      SEE(INIT_DONE, 1), SEE(ENDED, 1), READ(1, 0), SEE(KEY_FREED, 1),
	      READ(0, 0)),
	STORY("two at a time, and the address of one comes back", 4, READ(0, 0),
	      SEE(INIT_ENTERED, 1), SEE(INIT_DONE, 1), SEE(INIT_ENTERED, 2),
	      SEE(INIT_DONE, 2), READ(2, 2), SEE(ENDED, 2), SEE(KEY_FREED, 2), READ(1, 1),
	      SEE(INIT_ENTERED, 2), READ(2, 2), SEE(ENDED, 1), SEE(ENDED, 2), READ(2, 0)),
	STORY("an address comes back whose end was lost", 4, READ(0, 0),
	      SEE(INIT_ENTERED, 1), SEE(INIT_DONE, 1), SEE(ENDED, 1), READ(1, 0),
	      SEE(CREATED, 1), SEE(INIT_ENTERED, 1), READ(1, 1)),
	STORY("TDs from before, one of which is being built", 4, READ(1, UNKNOWN),
	      LATER(1, UNKNOWN), SEE(INIT_ENTERED, 2), SEE(INIT_DONE, 2),
	      READ(2, UNKNOWN), SEE(ENDED, 2), SEE(KEY_FREED, 2), READ(1, UNKNOWN),
	      SEE(ENDED, 1), SEE(KEY_FREED, 1), READ(0, 0), SEE(INIT_ENTERED, 3),
	      READ(1, 1)),
	STORY("blind, if only for a while: until there is no TD", 4, READ(0, 0),
	      SEE(INIT_ENTERED, 1), SEE(ENDED, 1), READ(1, 0), FAIL(BLIND, 1),
	      READ(1, UNKNOWN), LATER(2, UNKNOWN), FAIL(BLIND, 0), READ(0, 0)),
	STORY("a call that was missed and counted", 4, READ(0, 0), FAIL(MISSED, 0),
	      READ(0, 0), SEE(INIT_ENTERED, 1), READ(1, 1), FAIL(MISSED, 1),
	      READ(1, UNKNOWN), READ(0, 0)),
	STORY("nothing counts the keys", 4, FAIL(UNCOUNTED, 0), FAIL(UNCOUNTED, 0)),
	STORY("each look for itself: many short differences are none that lasts", 4,
	      READ(0, 0), READ(1, 1), SEE(INIT_ENTERED, 1), SEE(ENDED, 1), LATER(1, 0),
	      READ(2, 1), SEE(INIT_ENTERED, 2), SEE(ENDED, 2), LATER(2, 0)),
	STORY("what happened between count and look compares nothing", 4, READ(0, 0),
	      SEE(INIT_ENTERED, 1), READ(1, 1), { RACED, BUILD_INIT_ENTERED, 2, 1, 2, 0 },
	      READ(2, 2), { RACED, BUILD_KEY_FREED, 2, 2, 1, 0 }, READ(1, 1)),
	STORY("nor does it settle a doubt", 4, READ(1, UNKNOWN),
	      { RACED, BUILD_INIT_ENTERED, 2, 0, UNKNOWN, 0 }, READ(1, UNKNOWN),
	      READ(0, 0)),
	STORY("keys that KVM gave back and never had", 4, READ(0, 0),
	      SEE(INIT_ENTERED, 1), SEE(ENDED, 1), READ(1, 0), READ(0, 0), READ(1, 1),
	      SEE(INIT_ENTERED, 2), SEE(ENDED, 2), READ(1, 0), SEE(KEY_FREED, 1),
	      SEE(KEY_FREED, 2), READ(-1, 0), READ(0, 1), LATER(0, UNKNOWN), READ(-1, 0)),
	STORY("with one given back zero is not yet zero", 4, READ(0, 0),
	      SEE(INIT_ENTERED, 1), READ(0, 1), FAIL(BLIND, 0), READ(0, UNKNOWN),
	      READ(-1, 0)),
	STORY("more TDs than there is room for", 2, READ(0, 0), SEE(INIT_ENTERED, 1),
	      SEE(INIT_ENTERED, 2), READ(2, 2), SEE(INIT_ENTERED, 3), READ(3, UNKNOWN),
	      SEE(KEY_FREED, 1), READ(2, UNKNOWN), READ(0, 0)),
};

static int look_at(struct build_table *table, const struct step *step,
		   unsigned long long *now)
{
	struct build_look look = {
		.is_live = step->kind != BLIND,
		.has_missed = step->kind == MISSED,
		.is_counted = step->kind != UNCOUNTED,
		.keys = step->keys,
		.event_count = table->event_count,
		.now_msec = *now += step->wait,
	};

	if (step->kind == RACED)
		build_table_take(table, step->event, step->td);
	return build_table_judge(table, &look);
}

static void tell(const struct story *story)
{
	struct build_td tds[4];
	struct build_table table;
	unsigned long long now = NOW;

	build_table_start(&table, tds, story->size);
	for (size_t i = 0; i < story->count; i++) {
		const struct step *step = &story->steps[i];
		unsigned before = table.building;
		int count;

		if (step->kind == CALL) {
			bool changed = build_table_take(&table, step->event, step->td);

			assert_int_equal(changed, table.building != before);
			continue;
		}
		count = look_at(&table, step, &now);
		if (count != step->count)
			fail_msg("%s, step %zu: %d, not %d", story->name, i, count,
				 step->count);
	}
}

static void test_what_is_known(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++)
		tell(&stories[i]);
}

/*
 * TDs that come and go at random, seen and unseen: a number that is given is never too
 * low, and when all have gone it is known again.
 */
static void test_a_number_is_never_too_low(void **state)
{
	struct {
		bool has_key, is_building;
	} real[4] = { 0 };
	struct build_td tds[4];
	struct build_table table;
	unsigned long long now = NOW;
	unsigned answers = 0;

	(void)state;
	srand(1);
	build_table_start(&table, tds, 4);
	for (unsigned i = 0; i < 1000000; i++) {
		unsigned n = (unsigned)rand() % 4, keys = 0, building = 0;
		bool is_blind = rand() % 500 == 0;
		int count;

		/* Blind from before this call until behind it. */
		if (is_blind)
			look_at(&table, &(struct step){ .kind = BLIND }, &now);
		if (!real[n].has_key) {
			real[n].has_key = true;
			if (!is_blind)
				build_table_take(&table, BUILD_CREATED, n + 1);
		} else if (!real[n].is_building && rand() % 2) {
			real[n].is_building = true;
			if (!is_blind) {
				build_table_take(&table, BUILD_INIT_ENTERED, n + 1);
				build_table_take(&table, BUILD_INIT_DONE, n + 1);
			}
		} else {
			real[n].is_building = real[n].has_key = false;
			if (!is_blind) {
				build_table_take(&table, BUILD_ENDED, n + 1);
				build_table_take(&table, BUILD_KEY_FREED, n + 1);
			}
		}
		for (unsigned td = 0; td < 4; td++) {
			keys += real[td].has_key;
			building += real[td].is_building;
		}
		count = look_at(&table,
				&(struct step){ .kind = LOOK, .keys = keys, .wait = 1 },
				&now);
		if (count >= 0 && (unsigned)count < building)
			fail_msg("round %u: %d, and there are %u", i, count, building);
		answers += count >= 0;
		if (!keys)
			assert_int_equal(count, 0);
	}
	assert_true(answers > 100000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_known),
		cmocka_unit_test(test_a_number_is_never_too_low),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
