// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <string.h>

#include "test.h"
#include "sources.h"

/* A source that says what it is told, and how often it was asked. */
struct fake {
	struct watch base;
	enum gate_state state;
	enum gate_confidence confidence;
	bool has_tds;
	uint64_t tds;
	unsigned reads, doubts;
	bool is_awaited;
};

static int fake_arm(struct watch *watch, sd_event *event)
{
	(void)watch;
	(void)event;
	return 0;
}

static void fake_read(struct watch *watch, struct gate_source *ret)
{
	struct fake *fake = (struct fake *)watch;

	fake->reads++;
	ret->state = fake->state;
	ret->confidence = fake->confidence;
	ret->has_tds = fake->has_tds;
	ret->tds = fake->tds;
}

static void fake_doubt(struct watch *watch, const char *why)
{
	assert_non_null(strstr(why, "contradiction"));
	((struct fake *)watch)->doubts++;
}

static void fake_attend(struct watch *watch, bool is_awaited)
{
	((struct fake *)watch)->is_awaited = is_awaited;
}

static void fake_free(struct watch *watch)
{
	(void)watch;
}

static const struct watch_ops strong_ops = {
	.name = "strong",
	.arm = fake_arm,
	.read = fake_read,
	.attend = fake_attend,
	.free = fake_free,
};

static const struct watch_ops fallback_ops = {
	.name = "fallback",
	.is_fallback = true,
	.arm = fake_arm,
	.read = fake_read,
	.free = fake_free,
};

static const struct watch_ops probes_ops = {
	.name = "probes",
	.arm = fake_arm,
	.read = fake_read,
	.doubt = fake_doubt,
	.free = fake_free,
};

static const struct watch_ops population_ops = {
	.name = "population",
	.is_fallback = true,
	.counts_tds = true,
	.arm = fake_arm,
	.read = fake_read,
	.free = fake_free,
};

static void test_fallbacks_are_asked_only_where_it_matters(void **state)
{
	static const struct {
		enum gate_state strong;
		enum gate_confidence confidence;
		enum gate_state fallback;
		enum gate_decision decision;
		unsigned fallback_reads;
	} table[] = {
		{ GATE_OPEN, GATE_EXACT, GATE_UNKNOWN, GATE_GO, 0 },
		{ GATE_CLOSED, GATE_EXACT, GATE_OPEN, GATE_WAIT, 0 },
		{ GATE_OPEN, GATE_HINT, GATE_OPEN, GATE_GO, 1 },
		{ GATE_UNKNOWN, GATE_HINT, GATE_OPEN, GATE_GO, 1 },
		{ GATE_UNKNOWN, GATE_HINT, GATE_UNKNOWN, GATE_UNDECIDED, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct fake strong = { .base = { .ops = &strong_ops } };
		struct fake fallback = { .base = { .ops = &fallback_ops } };
		struct sources sources = { 0 };

		strong.state = table[i].strong;
		strong.confidence = table[i].confidence;
		fallback.state = table[i].fallback;
		fallback.confidence = GATE_EXACT;
		assert_int_equal(sources_add(&sources, &strong.base), 0);
		assert_int_equal(sources_add(&sources, &fallback.base), 0);
		assert_int_equal(sources_decide(&sources, GATE_STRICT, false).decision,
				 table[i].decision);
		assert_int_equal(strong.reads, 1);
		assert_int_equal(fallback.reads, table[i].fallback_reads);
		sources_read(&sources);
		assert_int_equal(strong.reads, 2);
		assert_int_equal(fallback.reads, table[i].fallback_reads + 1);
	}
}

/* One that only hints that it is open, and a fallback that hints that it is not. */
static void test_a_hint_is_weighed_with_all_others(void **state)
{
	struct fake strong = { .base = { .ops = &strong_ops },
			       .state = GATE_OPEN,
			       .confidence = GATE_HINT };
	struct fake fallback = { .base = { .ops = &fallback_ops },
				 .state = GATE_CLOSED,
				 .confidence = GATE_HINT };
	struct sources sources = { 0 };

	(void)state;
	assert_int_equal(sources_add(&sources, &strong.base), 0);
	assert_int_equal(sources_add(&sources, &fallback.base), 0);
	assert_int_equal(sources_decide(&sources, GATE_OBSERVED, false).decision,
			 GATE_WAIT);
	fallback.state = GATE_OPEN;
	assert_int_equal(sources_decide(&sources, GATE_OBSERVED, false).decision,
			 GATE_GO);
	assert_int_equal(sources_decide(&sources, GATE_OFF, false).decision, GATE_GO);
}

/* The first that is sure spares asking the others. */
static void test_fallbacks_are_asked_one_by_one(void **state)
{
	struct fake first = { .base = { .ops = &fallback_ops },
			      .state = GATE_OPEN,
			      .confidence = GATE_EXACT };
	struct fake second = { .base = { .ops = &fallback_ops },
			       .state = GATE_UNKNOWN,
			       .confidence = GATE_HINT };
	struct sources sources = { 0 };

	(void)state;
	assert_int_equal(sources_add(&sources, &first.base), 0);
	assert_int_equal(sources_add(&sources, &second.base), 0);
	assert_int_equal(sources_decide(&sources, GATE_STRICT, false).decision, GATE_GO);
	assert_int_equal(first.reads, 1);
	assert_int_equal(second.reads, 0);
	first.state = GATE_UNKNOWN;
	assert_int_equal(sources_decide(&sources, GATE_STRICT, false).decision,
			 GATE_UNDECIDED);
	assert_int_equal(second.reads, 1);
}

static void test_all_are_named_before_they_are_asked(void **state)
{
	struct fake fake = { .base = { .ops = &strong_ops } };
	struct sources sources = { 0 };

	(void)state;
	assert_int_equal(sources_add(&sources, &fake.base), 0);
	assert_string_equal(sources.words[0].name, "strong");
	assert_int_equal(sources.words[0].state, GATE_UNKNOWN);
	sources_attend(&sources, true);
	assert_true(fake.is_awaited);
	sources_attend(&sources, false);
	assert_false(fake.is_awaited);
}

/* Who says whence each TD comes is believed beside the number of them, also when nobody
 * has looked at that before. */
static void test_the_number_of_tds_is_asked_for_each_time(void **state)
{
	struct fake probes = { .base = { .ops = &probes_ops },
			       .state = GATE_OPEN,
			       .confidence = GATE_EXACT,
			       .has_tds = true,
			       .tds = 2 };
	struct fake other = { .base = { .ops = &fallback_ops } };
	struct fake population = { .base = { .ops = &population_ops },
				   .state = GATE_UNKNOWN,
				   .confidence = GATE_HINT,
				   .has_tds = true,
				   .tds = 2 };
	struct sources sources = { 0 };

	(void)state;
	assert_int_equal(sources_add(&sources, &probes.base), 0);
	assert_int_equal(sources_add(&sources, &other.base), 0);
	assert_int_equal(sources_add(&sources, &population.base), 0);
	assert_int_equal(sources_decide(&sources, GATE_STRICT, false).decision, GATE_GO);
	assert_int_equal(population.reads, 1);
	assert_int_equal(other.reads, 0);
	population.tds = 3;
	assert_int_equal(sources_decide(&sources, GATE_STRICT, false).decision,
			 GATE_WAIT);
	/* it cannot be read, and has not agreed */
	population.has_tds = false;
	assert_int_equal(sources_decide(&sources, GATE_STRICT, false).decision,
			 GATE_WAIT);
	assert_int_equal(probes.doubts, 0);
	sources.contradiction.of[CONTRADICTION_TDS].since_usec -=
		CONTRADICTION_YOUNG_USEC;
	sources_read(&sources);
	sources_read(&sources);
	assert_int_equal(probes.doubts, 1);
	population.has_tds = true;
	probes.tds = 3;
	assert_int_equal(sources_decide(&sources, GATE_STRICT, false).decision, GATE_GO);
}

struct world {
	struct fake strong, fallback;
	struct sources sources;
	sd_event *event;
	unsigned told;
};

static void on_told(void *userdata)
{
	struct world *world = userdata;

	world->told++;
	sources_decide(&world->sources, GATE_STRICT, false);
	/* somebody looks whenever a job has looked, as the bus does */
	sources_read(&world->sources);
}

static void set_up(struct world *world)
{
	*world = (struct world){ .strong = { .base = { .ops = &strong_ops } },
				 .fallback = { .base = { .ops = &fallback_ops } } };
	world->strong.state = world->fallback.state = GATE_UNKNOWN;
	world->sources.changed = on_told;
	world->sources.userdata = world;
	assert_true(sd_event_new(&world->event) >= 0);
	assert_int_equal(sources_add(&world->sources, &world->strong.base), 0);
	assert_int_equal(sources_add(&world->sources, &world->fallback.base), 0);
	sources_arm(&world->sources, world->event);
}

static void tear_down(struct world *world)
{
	sources_done(&world->sources);
	sd_event_unref(world->event);
}

static void run(struct world *world)
{
	while (sd_event_run(world->event, 0) > 0)
		;
}

/* Whoever looks may be the first to see it; the job that waits hears of it. */
static void test_what_somebody_sees_is_told_once(void **state)
{
	struct world world;

	(void)state;
	set_up(&world);
	world.fallback.state = GATE_OPEN;
	sources_read(&world.sources);
	run(&world);
	assert_int_equal(world.told, 0); /* nobody waits */
	sources_attend(&world.sources, true);
	sources_read(&world.sources);
	run(&world);
	assert_int_equal(world.told, 1);
	sources_read(&world.sources);
	run(&world);
	assert_int_equal(world.told, 1);
	/* one that is not asked when it is decided is no news for ever */
	world.strong.state = GATE_CLOSED;
	world.fallback.state = GATE_UNKNOWN;
	sources_read(&world.sources);
	run(&world);
	assert_true(world.told >= 2 && world.told <= 3);
	tear_down(&world);
}

/* What wakes nobody is seen by the clock. */
static void test_all_are_looked_at_while_somebody_waits(void **state)
{
	struct world world;

	(void)state;
	set_up(&world);
	sources_attend(&world.sources, true);
	world.fallback.state = GATE_OPEN;
	while (!world.told)
		assert_true(sd_event_run(world.event, 10000000) > 0);
	sources_attend(&world.sources, false);
	world.fallback.state = GATE_UNKNOWN;
	while (sd_event_run(world.event, 400000) > 0)
		;
	assert_int_equal(world.told, 1);
	tear_down(&world);
}

static void test_what_is_not_armed_is_tried_again(void **state)
{
	struct world world;

	(void)state;
	set_up(&world);
	world.strong.base.arm_error = -EIO;
	sources_read(&world.sources);
	assert_int_equal(world.sources.words[0].state, GATE_UNKNOWN);
	assert_int_equal(world.strong.base.arm_error, -EIO); /* not all the time */
	world.sources.arm_at_usec = 0;
	world.strong.state = GATE_CLOSED;
	sources_read(&world.sources);
	assert_int_equal(world.sources.words[0].state, GATE_CLOSED);
	assert_true(world.sources.arm_at_usec > 0);
	/* nor between an event and the commit */
	world.strong.base.arm_error = -EIO;
	world.sources.arm_at_usec = 0;
	sources_decide(&world.sources, GATE_STRICT, false);
	assert_int_equal(world.strong.base.arm_error, -EIO);
	tear_down(&world);
}

static void test_there_is_room_for_so_many(void **state)
{
	struct fake fakes[GATE_SOURCES_MAX + 1];
	struct sources sources = { 0 };

	(void)state;
	for (size_t i = 0; i <= GATE_SOURCES_MAX; i++) {
		fakes[i] = (struct fake){ .base = { .ops = &strong_ops } };
		assert_int_equal(sources_add(&sources, &fakes[i].base),
				 i < GATE_SOURCES_MAX ? 0 : -ENOSPC);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fallbacks_are_asked_only_where_it_matters),
		cmocka_unit_test(test_a_hint_is_weighed_with_all_others),
		cmocka_unit_test(test_fallbacks_are_asked_one_by_one),
		cmocka_unit_test(test_the_number_of_tds_is_asked_for_each_time),
		cmocka_unit_test(test_all_are_named_before_they_are_asked),
		cmocka_unit_test(test_what_somebody_sees_is_told_once),
		cmocka_unit_test(test_all_are_looked_at_while_somebody_waits),
		cmocka_unit_test(test_what_is_not_armed_is_tried_again),
		cmocka_unit_test(test_there_is_room_for_so_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
