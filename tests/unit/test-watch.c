// SPDX-License-Identifier: LGPL-2.1-or-later
/* The gate's sources on a directory that stands for a machine. */
#include "test.h"
#include "population.h"
#include "tree.h"
#include "watch.h"

struct world {
	struct tree tree;
	sd_event *event;
	struct watch *watch;
	unsigned changes;
};

static void on_change(void *userdata)
{
	struct world *world = userdata;

	world->changes++;
}

static void set_up(struct world *world)
{
	*world = (struct world){ 0 };
	tree_new(&world->tree);
	assert_true(sd_event_new(&world->event) >= 0);
}

static void arm(struct world *world)
{
	world->watch->changed = on_change;
	world->watch->userdata = world;
	watch_arm(world->watch, world->event);
}

static void tear_down(struct world *world)
{
	watch_free(world->watch);
	sd_event_unref(world->event);
	tree_remove(&world->tree);
}

static struct gate_source read_now(struct world *world)
{
	struct gate_source source;

	watch_read(world->watch, &source);
	return source;
}

static void test_only_an_empty_population_is_exact(void **state)
{
	struct world world;

	(void)state;
	set_up(&world);
	assert_int_equal(watch_population_new(world.tree.fd, &world.watch), 0);
	assert_int_equal(read_now(&world).state, GATE_UNKNOWN); /* not armed */
	arm(&world);
	assert_int_equal(read_now(&world).state, GATE_UNKNOWN);
	assert_string_equal(read_now(&world).reason,
			    "no misc controller of cgroup v2 that counts TDs");
	tree_put(&world.tree, POPULATION_PATH, "tdx 0\n");
	assert_int_equal(read_now(&world).state, GATE_UNKNOWN);
	assert_string_equal(read_now(&world).reason,
			    "misc.current is that of a part of the machine, as in a "
			    "cgroup namespace: no misc.capacity beside it");
	tree_put(&world.tree, "sys/fs/cgroup/misc.capacity", "tdx 63\n");
	assert_int_equal(read_now(&world).state, GATE_OPEN);
	assert_int_equal(read_now(&world).confidence, GATE_EXACT);
	tree_put(&world.tree, POPULATION_PATH, "tdx 1\n");
	assert_int_equal(read_now(&world).state, GATE_UNKNOWN);
	assert_string_equal(read_now(&world).reason, "1 TD, under build or not");
	tree_put(&world.tree, POPULATION_PATH, "tdx x\n");
	assert_int_equal(read_now(&world).state, GATE_UNKNOWN);
	tear_down(&world);
}

static void test_probes_say_why_they_are_not_there(void **state)
{
	struct world world;

	(void)state;
	set_up(&world);
	assert_int_equal(watch_probes_new(world.tree.fd, &world.watch), 0);
	arm(&world);
	assert_int_equal(read_now(&world).state, GATE_UNKNOWN);
	assert_string_equal(read_now(&world).reason,
			    "there is no tracefs at /sys/kernel/tracing");
	/* tried again */
	tree_put(&world.tree, "sys/kernel/tracing/README", "");
	arm(&world);
	assert_int_equal(read_now(&world).state, GATE_UNKNOWN);
	assert_string_equal(read_now(&world).reason,
			    "tracefs has no kprobe_events: No such file or directory");
	tree_put(&world.tree, "sys/devices/faux/tdx_host/tds_building", "0\n");
	arm(&world);
	assert_string_equal(read_now(&world).reason,
			    "not needed: the kernel itself counts");
	tear_down(&world);
}

static void test_uevents_of_another_machine_say_nothing(void **state)
{
	struct world world;

	(void)state;
	set_up(&world);
	assert_int_equal(watch_kvm_new(world.tree.fd, 1000, &world.watch), 0);
	arm(&world);
	assert_int_equal(read_now(&world).state, GATE_UNKNOWN);
	assert_string_equal(read_now(&world).reason,
			    "uevents are not those of this root directory");
	tear_down(&world);
}

static int on_alarm(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)source;
	(void)usec;
	++*(unsigned *)userdata;
	return 0;
}

static void test_an_alarm_can_be_put_off_and_called_off(void **state)
{
	sd_event_source *timer = NULL;
	sd_event *event = NULL;
	unsigned count = 0;

	(void)state;
	assert_true(sd_event_new(&event) >= 0);
	assert_int_equal(watch_set_alarm(event, &timer, UINT64_MAX, on_alarm, &count), 0);
	assert_null(timer);
	assert_true(watch_set_alarm(event, &timer, 1, on_alarm, &count) >= 0);
	assert_true(watch_set_alarm(event, &timer, UINT64_MAX, on_alarm, &count) >= 0);
	assert_int_equal(sd_event_run(event, 0), 0);
	assert_int_equal(count, 0);
	/* What is past is due at once, and once. */
	assert_true(watch_set_alarm(event, &timer, 1, on_alarm, &count) >= 0);
	assert_true(sd_event_run(event, 1000000) > 0);
	assert_int_equal(count, 1);
	assert_int_equal(sd_event_run(event, 0), 0);
	sd_event_source_disable_unref(timer);
	sd_event_unref(event);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_alarm_can_be_put_off_and_called_off),
		cmocka_unit_test(test_only_an_empty_population_is_exact),
		cmocka_unit_test(test_probes_say_why_they_are_not_there),
		cmocka_unit_test(test_uevents_of_another_machine_say_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
