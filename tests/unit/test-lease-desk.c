// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "test.h"
#include "clock.h"
#include "lease-desk.h"

#define MSEC UINT64_C(1000)
#define MAX  (3200 * MSEC) /* of which the daemon takes 3 s */

struct client {
	bool is_granted;
	int order;
	int fd;
};

struct world {
	sd_event *event;
	struct lease_desk *desk;
	struct watch *watch;
	unsigned changes, expired;
	bool is_shut;
};

static int granted_count;

static void on_granted(void *userdata, const struct lease *lease, int fd)
{
	struct client *client = userdata;

	(void)lease;
	client->is_granted = true;
	client->order = granted_count++;
	client->fd = fd < 0 ? fd : fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

static void on_change(void *userdata)
{
	((struct world *)userdata)->changes++;
}

static void on_shut(void *userdata, bool is_shut)
{
	((struct world *)userdata)->is_shut = is_shut;
}

static void on_expired(void *userdata, const struct lease *lease)
{
	(void)lease;
	((struct world *)userdata)->expired++;
}

static void set_up(struct world *world, uint64_t age_usec)
{
	struct lease_limits limits = { .quota = { .per_sender = 8, .all = 64 },
				       .age_usec = age_usec };
	struct barrier_config config = { .drain_after_usec = 60 * 1000 * MSEC,
					 .max_usec = MAX };

	*world = (struct world){ 0 };
	granted_count = 0;
	assert_true(sd_event_new(&world->event) >= 0);
	assert_int_equal(lease_desk_new(world->event, &limits, &config, &world->desk), 0);
	lease_desk_set_listener(
		world->desk, &(struct lease_desk_listener){ on_shut, on_expired, world });
	assert_int_equal(watch_leases_new(world->desk, &world->watch), 0);
	world->watch->changed = on_change;
	world->watch->userdata = world;
	watch_arm(world->watch, world->event);
}

static void tear_down(struct world *world)
{
	watch_free(world->watch);
	lease_desk_free(world->desk);
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
	return source.state;
}

static void ask(struct world *world, struct client *client)
{
	*client = (struct client){ .fd = -1 };
	assert_int_equal(
		lease_desk_ask(world->desk, "vm", ":1.1", 0, 42, on_granted, client), 0);
}

static void test_a_lease_lasts_as_long_as_its_descriptor(void **state)
{
	struct client client;
	struct world world;
	int copy;

	(void)state;
	set_up(&world, 1000 * MSEC);
	assert_int_equal(word(&world), GATE_OPEN);
	ask(&world, &client);
	assert_true(client.is_granted && client.fd >= 0);
	assert_int_equal(word(&world), GATE_CLOSED);
	run(&world, 5 * MSEC);
	assert_int_equal(world.changes, 1);
	copy = dup(client.fd);
	close(client.fd);
	run(&world, 5 * MSEC);
	assert_int_equal(word(&world), GATE_CLOSED);
	/* written to or not */
	assert_int_equal(write(copy, "x", 1), 1);
	run(&world, 5 * MSEC);
	assert_int_equal(word(&world), GATE_CLOSED);
	close(copy);
	run(&world, 5 * MSEC);
	assert_int_equal(word(&world), GATE_OPEN);
	assert_int_equal(world.changes, 2);
	tear_down(&world);
}

static void test_launches_wait_in_order_and_never_longer_than_the_bound(void **state)
{
	struct client clients[3];
	struct world world;
	uint64_t asked;

	(void)state;
	set_up(&world, 1000 * MSEC);
	lease_desk_follow(world.desk, JOB_WAITING, true);
	assert_true(world.is_shut);
	asked = clock_usec(CLOCK_MONOTONIC);
	for (int i = 0; i < 3; i++)
		ask(&world, &clients[i]);
	run(&world, 50 * MSEC);
	assert_false(clients[0].is_granted);
	assert_int_equal(word(&world), GATE_OPEN);
	while (!clients[2].is_granted)
		assert_true(sd_event_run(world.event, MAX) > 0);
	assert_true(clock_usec(CLOCK_MONOTONIC) - asked < MAX);
	assert_false(world.is_shut);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(clients[i].order, i);
		close(clients[i].fd);
	}
	tear_down(&world);
}

static void test_the_end_of_an_update_lets_them_go_at_once(void **state)
{
	struct client client;
	struct world world;

	(void)state;
	set_up(&world, 1000 * MSEC);
	lease_desk_follow(world.desk, JOB_WAITING, false);
	assert_false(world.is_shut);
	lease_desk_follow(world.desk, JOB_COMMITTING, false);
	lease_desk_follow(world.desk, JOB_CONFIRMING, false);
	ask(&world, &client);
	assert_false(client.is_granted);
	lease_desk_follow(world.desk, JOB_DONE, false);
	assert_true(client.is_granted);
	close(client.fd);
	tear_down(&world);
}

static void test_whoever_gives_up_is_forgotten(void **state)
{
	struct client client, other;
	struct world world;

	(void)state;
	set_up(&world, 1000 * MSEC);
	lease_desk_follow(world.desk, JOB_WAITING, true);
	ask(&world, &client);
	ask(&world, &other);
	lease_desk_withdraw(world.desk, &client);
	assert_int_equal(lease_count(lease_desk_get_registry(world.desk)), 1);
	lease_desk_follow(world.desk, JOB_CANCELLED, true);
	assert_false(client.is_granted);
	assert_true(other.is_granted);
	close(other.fd);
	tear_down(&world);
}

static void test_a_lease_that_is_too_old_counts_no_more(void **state)
{
	struct client client;
	struct world world;

	(void)state;
	set_up(&world, 20 * MSEC);
	ask(&world, &client);
	assert_int_equal(word(&world), GATE_CLOSED);
	run(&world, 60 * MSEC);
	assert_int_equal(world.expired, 1);
	assert_int_equal(word(&world), GATE_OPEN);
	assert_int_equal(lease_count(lease_desk_get_registry(world.desk)), 1);
	close(client.fd);
	run(&world, 5 * MSEC);
	assert_int_equal(lease_count(lease_desk_get_registry(world.desk)), 0);
	tear_down(&world);
}

static void test_the_end_of_the_daemon_is_told_to_those_that_wait(void **state)
{
	struct client client;
	struct world world;

	(void)state;
	set_up(&world, 1000 * MSEC);
	lease_desk_follow(world.desk, JOB_WAITING, true);
	ask(&world, &client);
	tear_down(&world);
	assert_true(client.is_granted);
	assert_int_equal(client.fd, -ECANCELED);
}

static void test_builds_that_an_update_has_hit(void **state)
{
	const struct gate_blocker *builds;
	struct client before, after;
	struct world world;
	uint64_t commit;

	(void)state;
	set_up(&world, 1000 * MSEC);
	ask(&world, &before);
	usleep(2000);
	commit = clock_usec(CLOCK_MONOTONIC);
	usleep(2000);
	ask(&world, &after);
	assert_int_equal(watch_list_overlap(world.watch, commit, commit + 1, &builds), 1);
	assert_string_equal(builds[0].who, "vm");
	assert_int_equal(watch_list_overlap(world.watch, 0, 1, &builds), 0);
	close(before.fd);
	close(after.fd);
	tear_down(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_lease_lasts_as_long_as_its_descriptor),
		cmocka_unit_test(
			test_launches_wait_in_order_and_never_longer_than_the_bound),
		cmocka_unit_test(test_the_end_of_an_update_lets_them_go_at_once),
		cmocka_unit_test(test_whoever_gives_up_is_forgotten),
		cmocka_unit_test(test_a_lease_that_is_too_old_counts_no_more),
		cmocka_unit_test(test_the_end_of_the_daemon_is_told_to_those_that_wait),
		cmocka_unit_test(test_builds_that_an_update_has_hit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
