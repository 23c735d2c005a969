// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "test.h"
#include "probe-reader.h"

#define LINE(name, td)                                                              \
	"  vmm-42  [000] .....  1.000000: tdxupd_" name ": (a+0x1/0x2 <- b) td=" td \
	" ret="                                                                     \
	"0x0\n"

struct world {
	int fds[2];
	struct probe_reader reader;
	struct build_tracker *tracker;
};

static void set_up(struct world *world)
{
	*world = (struct world){ 0 };
	assert_int_equal(pipe2(world->fds, O_NONBLOCK | O_CLOEXEC), 0);
	assert_int_equal(build_tracker_new(&world->tracker), 0);
	build_tracker_settle(world->tracker, 0);
}

static void tear_down(struct world *world)
{
	close(world->fds[0]);
	close(world->fds[1]);
	build_tracker_free(world->tracker);
}

static void feed(struct world *world, const char *text)
{
	assert_int_equal(write(world->fds[1], text, strlen(text)), strlen(text));
	assert_int_equal(
		probe_reader_drain(&world->reader, world->fds[0], world->tracker), 1);
}

static size_t count(struct world *world)
{
	const struct gate_blocker *blockers;

	return build_tracker_list(world->tracker, &blockers);
}

static void test_lines_become_builds(void **state)
{
	struct world world;

	(void)state;
	set_up(&world);
	assert_int_equal(probe_reader_drain(&world.reader, world.fds[0], world.tracker),
			 0);
	feed(&world,
	     LINE("init_ret", "0x1") LINE("init_ret", "0x2") LINE("finalize", "0x1"));
	assert_int_equal(count(&world), 1);
	assert_null(build_tracker_get_doubt(world.tracker));
	tear_down(&world);
}

/* More than one read gives. */
static void test_a_burst_is_read_to_its_end(void **state)
{
	enum {
		LINES = 300
	};
	struct world world;
	char text[LINES * 100];
	size_t used = 0;

	(void)state;
	set_up(&world);
	for (int i = 0; i < LINES; i++)
		used += (size_t)snprintf(
			text + used, sizeof(text) - used,
			"  vmm-42  [000] .....  1.000000: tdxupd_init_ret: (a+0x1/0x2 "
			"<- b) td=0x%x ret=0x0\n",
			i + 1);
	assert_true(used > 2 * 8192 && used < sizeof(text));
	feed(&world, text);
	assert_int_equal(count(&world), LINES);
	assert_int_equal(probe_reader_drain(&world.reader, world.fds[0], world.tracker),
			 0);
	tear_down(&world);
}

static void test_reads_may_end_anywhere(void **state)
{
	static const char text[] = LINE("init_ret", "0x12") LINE("init_ret", "0x2");

	(void)state;
	for (size_t i = 1; i < strlen(text) - 1; i++) {
		struct world world;
		char first[sizeof(text)];

		set_up(&world);
		snprintf(first, sizeof(first), "%.*s", (int)i, text);
		feed(&world, first);
		feed(&world, text + i);
		assert_int_equal(count(&world), 2);
		assert_null(build_tracker_get_doubt(world.tracker));
		tear_down(&world);
	}
}

static void test_what_is_no_line_is_a_doubt(void **state)
{
	struct world world;
	char overlong[2 * PROBE_LINE_BYTES];

	(void)state;
	memset(overlong, 'x', sizeof(overlong) - 1);
	overlong[sizeof(overlong) - 1] = '\0';
	memcpy(overlong + sizeof(overlong) - 1 - strlen(LINE("init_ret", "0x1")),
	       LINE("init_ret", "0x1"), strlen(LINE("init_ret", "0x1")));
	set_up(&world);
	feed(&world, overlong);
	assert_non_null(build_tracker_get_doubt(world.tracker));
	assert_int_equal(count(&world), 0);
	/* and the next line is read as ever */
	build_tracker_settle(world.tracker, 0);
	feed(&world, LINE("init_ret", "0x3"));
	assert_null(build_tracker_get_doubt(world.tracker));
	assert_int_equal(count(&world), 1);
	feed(&world, "CPU:0 [LOST 4 EVENTS]\n");
	assert_non_null(build_tracker_get_doubt(world.tracker));
	build_tracker_settle(world.tracker, 0);
	assert_int_equal(write(world.fds[1], "\0\n", 2), 2);
	assert_int_equal(probe_reader_drain(&world.reader, world.fds[0], world.tracker),
			 1);
	assert_non_null(build_tracker_get_doubt(world.tracker));
	tear_down(&world);
}

static void test_an_end_or_an_error_is_told(void **state)
{
	struct world world;

	(void)state;
	set_up(&world);
	close(world.fds[1]);
	world.fds[1] = -1;
	assert_int_equal(probe_reader_drain(&world.reader, world.fds[0], world.tracker),
			 -ENODATA);
	assert_int_equal(probe_reader_drain(&world.reader, -1, world.tracker), -EBADF);
	tear_down(&world);
}

/* What the kernel counted and nobody read was hidden, unless it is only being written. */
static void test_what_is_counted_has_to_be_read(void **state)
{
	struct probe_counts counts = { 0 };
	struct world world;

	(void)state;
	set_up(&world);
	assert_int_equal(probe_reader_judge(&world.reader, &counts), PROBE_LOOK_ALL);
	counts.hits[PROBE_INIT_RETURN] = 1;
	assert_int_equal(probe_reader_judge(&world.reader, &counts), PROBE_LOOK_PENDING);
	feed(&world, LINE("init_ret", "0x1"));
	assert_int_equal(probe_reader_judge(&world.reader, &counts), PROBE_LOOK_ALL);
	counts.hits[PROBE_INIT_RETURN] = 2;
	assert_int_equal(probe_reader_judge(&world.reader, &counts), PROBE_LOOK_PENDING);
	assert_int_equal(probe_reader_judge(&world.reader, &counts), PROBE_LOOK_HIDDEN);
	/* one that was lost is a doubt of its own, and not hidden for ever */
	feed(&world, "CPU:0 [LOST 4 EVENTS]\n");
	assert_int_equal(probe_reader_judge(&world.reader, &counts), PROBE_LOOK_ALL);
	counts.hits[PROBE_FINALIZE] = 1;
	feed(&world, LINE("finalize", "0x1"));
	assert_int_equal(probe_reader_judge(&world.reader, &counts), PROBE_LOOK_ALL);
	/* the canary's may be anybody's */
	counts.hits[PROBE_CANARY] = 7;
	assert_int_equal(probe_reader_judge(&world.reader, &counts), PROBE_LOOK_ALL);
	tear_down(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_become_builds),
		cmocka_unit_test(test_a_burst_is_read_to_its_end),
		cmocka_unit_test(test_reads_may_end_anywhere),
		cmocka_unit_test(test_what_is_no_line_is_a_doubt),
		cmocka_unit_test(test_what_is_counted_has_to_be_read),
		cmocka_unit_test(test_an_end_or_an_error_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
