// SPDX-License-Identifier: LGPL-2.1-or-later
/* When a daemon that systemd has started ends by itself. */
#include <signal.h>

#include "test.h"
#include "duration.h"
#include "service.h"
#include "tree.h"

#define IDLE_USEC (20 * 1000)
#define LONG_USEC (500 * 1000)

struct world {
	struct tree tree;
	sd_event *event;
	struct manager *manager;
	struct service *service;
};

static void start(struct world *ret, void (*put)(const struct tree *tree))
{
	sigset_t set;
	char *why = NULL;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	tree_new(&ret->tree);
	if (put)
		put(&ret->tree);
	assert_int_equal(sd_event_new(&ret->event), 0);
	assert_int_equal(manager_new(ret->event, ret->tree.path, MANAGER_AWAIT_USEC,
				     &ret->manager, &why),
			 0);
	assert_int_equal(service_new(ret->manager, IDLE_USEC, &ret->service), 0);
}

static void end(struct world *world)
{
	service_free(world->service);
	manager_free(world->manager);
	sd_event_unref(world->event);
	tree_remove(&world->tree);
}

/* Whether the loop ends by itself; otherwise it is left after a while. */
static bool ends(struct world *world)
{
	sd_event_source *timer = NULL;
	int code;

	/* Without a handler a timer leaves the loop, with the number it was given. */
	assert_true(sd_event_add_time_relative(world->event, &timer, CLOCK_MONOTONIC,
					       LONG_USEC, 1, NULL, (void *)1) >= 0);
	code = sd_event_loop(world->event);
	sd_event_source_disable_unref(timer);
	return code == 0;
}

static void test_with_nothing_to_watch_it_ends(void **state)
{
	struct world world;

	(void)state;
	setenv("NOTIFY_SOCKET", "/nonexistent", 1);
	start(&world, NULL);
	assert_true(ends(&world));
	end(&world);
}

static void test_with_a_host_to_watch_it_stays(void **state)
{
	struct world world;

	(void)state;
	setenv("NOTIFY_SOCKET", "/nonexistent", 1);
	start(&world, tree_put_host);
	assert_false(ends(&world));
	end(&world);
}

/* udev starts no daemon that runs already: it has to see for itself. */
static void test_a_host_that_turns_up_is_watched(void **state)
{
	struct world world;
	unsigned turns = 0;

	(void)state;
	setenv("NOTIFY_SOCKET", "/nonexistent", 1);
	start(&world, NULL);
	while (sd_event_run(world.event, 0) > 0)
		; /* its first look at the host */
	assert_int_equal(world.manager->host->state, TDXUPD_TDX_ABSENT);
	tree_put_host(&world.tree);
	assert_false(ends(&world));
	assert_int_equal(world.manager->host->state, TDXUPD_TDX_LIVE);
	/* And it rests: a timer that has come must not come again and again. */
	while (turns < 100 && sd_event_run(world.event, 3 * IDLE_USEC) > 0)
		turns++;
	assert_in_range(turns, 0, 20);
	end(&world);
}

static void test_started_by_hand_it_stays(void **state)
{
	struct world world;

	(void)state;
	unsetenv("NOTIFY_SOCKET");
	start(&world, NULL);
	assert_false(ends(&world));
	end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_with_nothing_to_watch_it_ends),
		cmocka_unit_test(test_with_a_host_to_watch_it_stays),
		cmocka_unit_test(test_a_host_that_turns_up_is_watched),
		cmocka_unit_test(test_started_by_hand_it_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
