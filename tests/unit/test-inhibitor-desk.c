// SPDX-License-Identifier: LGPL-2.1-or-later
#include <poll.h>
#include <unistd.h>

#include "test.h"
#include "clock.h"
#include "inhibitor-desk.h"

#define MSEC UINT64_C(1000)

struct world {
	sd_event *event;
	struct inhibitor_desk *desk;
	struct watch *watch;
	unsigned changes;
};

static void on_change(void *userdata)
{
	((struct world *)userdata)->changes++;
}

static void set_up(struct world *world)
{
	struct inhibitor_limits limits = { .quota = { .per_sender = 4, .all = 8 } };

	*world = (struct world){ 0 };
	assert_true(sd_event_new(&world->event) >= 0);
	assert_int_equal(inhibitor_desk_new(world->event, &limits, &world->desk), 0);
	assert_int_equal(watch_inhibitors_new(world->desk, &world->watch), 0);
	world->watch->changed = on_change;
	world->watch->userdata = world;
	watch_arm(world->watch, world->event);
}

static void tear_down(struct world *world)
{
	watch_free(world->watch);
	inhibitor_desk_free(world->desk);
	sd_event_unref(world->event);
}

static void run(struct world *world, uint64_t usec)
{
	uint64_t end = clock_usec(CLOCK_MONOTONIC) + usec, now;

	while ((now = clock_usec(CLOCK_MONOTONIC)) < end)
		assert_true(sd_event_run(world->event, end - now) >= 0);
}

static enum gate_state word(struct world *world)
{
	struct gate_source source;

	watch_read(world->watch, &source);
	assert_true(source.is_veto);
	assert_int_equal(source.state == GATE_CLOSED,
			 inhibitor_desk_is_closed(world->desk));
	return source.state;
}

static int take(struct world *world, enum inhibitor_mode mode, uint64_t timeout_usec)
{
	struct inhibitor wanted = { .mode = mode, .until_usec = UINT64_MAX };
	int fd = -1;

	if (timeout_usec)
		wanted.until_usec = clock_usec(CLOCK_MONOTONIC) + timeout_usec;
	assert_int_equal(inhibitor_desk_take(world->desk, &wanted, "backup", "", &fd), 0);
	assert_true(fd >= 0);
	return fd;
}

static size_t count(struct world *world)
{
	return inhibitor_count(inhibitor_desk_get_registry(world->desk));
}

static void test_it_lasts_as_long_as_its_descriptor(void **state)
{
	struct world world;
	int fd, copy;

	(void)state;
	set_up(&world);
	assert_int_equal(word(&world), GATE_OPEN);
	fd = take(&world, INHIBITOR_BLOCK, 0);
	/* at once, and told of afterwards */
	assert_int_equal(word(&world), GATE_CLOSED);
	run(&world, 5 * MSEC);
	assert_int_equal(world.changes, 1);
	copy = dup(fd);
	close(fd);
	run(&world, 5 * MSEC);
	assert_int_equal(word(&world), GATE_CLOSED);
	close(copy);
	run(&world, 5 * MSEC);
	assert_int_equal(word(&world), GATE_OPEN);
	assert_int_equal(world.changes, 2);
	assert_int_equal(count(&world), 0);
	tear_down(&world);
}

static void test_it_ends_when_its_time_is_over(void **state)
{
	struct pollfd poller = { 0 };
	struct world world;

	(void)state;
	set_up(&world);
	poller.fd = take(&world, INHIBITOR_BLOCK, 30 * MSEC);
	assert_int_equal(word(&world), GATE_CLOSED);
	while (count(&world))
		assert_true(sd_event_run(world.event, UINT64_MAX) > 0);
	assert_int_equal(word(&world), GATE_OPEN);
	assert_true(world.changes >= 2);
	/* its holder can see that */
	assert_int_equal(poll(&poller, 1, 0), 1);
	assert_true(poller.revents & POLLERR);
	close(poller.fd);
	tear_down(&world);
}

static void test_a_delay_ends_by_itself(void **state)
{
	struct world world;
	uint64_t began;
	int fd;

	(void)state;
	set_up(&world);
	fd = take(&world, INHIBITOR_DELAY, 0);
	run(&world, 5 * MSEC);
	assert_int_equal(word(&world), GATE_OPEN);
	began = clock_usec(CLOCK_MONOTONIC);
	assert_true(inhibitor_desk_prepare(world.desk, 50 * MSEC));
	world.changes = 0;
	while (word(&world) == GATE_CLOSED)
		assert_true(sd_event_run(world.event, UINT64_MAX) > 0);
	assert_true(clock_usec(CLOCK_MONOTONIC) - began >= 50 * MSEC);
	assert_int_equal(world.changes, 1);
	/* once an update, however often that is said to be ready */
	assert_false(inhibitor_desk_prepare(world.desk, 50 * MSEC));
	assert_int_equal(word(&world), GATE_OPEN);
	assert_true(inhibitor_desk_rest(world.desk));
	assert_false(inhibitor_desk_rest(world.desk));
	/* it is still held, for the next one */
	assert_true(inhibitor_desk_prepare(world.desk, 50 * MSEC));
	assert_int_equal(word(&world), GATE_CLOSED);
	close(fd);
	run(&world, 5 * MSEC);
	assert_int_equal(word(&world), GATE_OPEN);
	tear_down(&world);
}

static void test_the_desk_goes_with_all_that_is_held(void **state)
{
	struct world world;
	int fds[3];

	(void)state;
	set_up(&world);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = take(&world, INHIBITOR_BLOCK, i * MSEC);
	tear_down(&world);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_lasts_as_long_as_its_descriptor),
		cmocka_unit_test(test_it_ends_when_its_time_is_over),
		cmocka_unit_test(test_a_delay_ends_by_itself),
		cmocka_unit_test(test_the_desk_goes_with_all_that_is_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
