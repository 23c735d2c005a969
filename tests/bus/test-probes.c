// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The daemon's own probes, on a kernel that has nothing but tracefs: an update goes when
 * the build that they saw is over, and whatever silences any of them, before they are
 * armed or after, lets no update into a build that it hid.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "../unit/test.h"
#include "scene.h"
#include "util.h"

#define TRACEFS "sys/kernel/tracing/"
#define OWN     TRACEFS "instances/tdxupd/"
#define EVENT   OWN "events/tdxupd/tdxupd_"
#define HOST    "host kernel=mainline tracing=yes"

/* Longer than some looks of a job that waits. */
#define A_WHILE_USEC 800000

static char *update_waiting(struct scene *scene)
{
	char *job = scene_update(scene, NULL);

	scene_await(scene, job, "State", "waiting");
	return job;
}

static void test_an_update_goes_at_the_end_of_a_build(void **state)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = NULL;

	(void)state;
	scene_start(&scene, HOST, NULL);
	scene_begin_build(&scene);
	job = update_waiting(&scene);
	world_do(&scene.world, "td step vm1 finalize");
	/* It runs: by the number of TDs alone the gate would stay shut. */
	scene_await_end(&scene, job, "done");
	world_assert_mrtd(&scene.world, "vm1", true);
	scene_end(&scene);
}

/* Two that overlap; the second begins as the first ends. */
static void test_an_update_goes_between_builds(void **state)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = NULL;

	(void)state;
	scene_start(&scene, HOST, NULL);
	scene_begin_build(&scene);
	job = update_waiting(&scene);
	world_do(&scene.world, "td build vm2 manual");
	world_do(&scene.world, "td step vm2 extend");
	world_do(&scene.world, "td step vm1 finalize");
	usleep(A_WHILE_USEC);
	scene_assert(&scene, job, "State", "waiting");
	world_do(&scene.world, "td abort vm2");
	scene_await_end(&scene, job, "done");
	world_assert_mrtd(&scene.world, "vm1", true);
	scene_end(&scene);
}

/*
 * Ways to silence probes. One more is one more line.
 * @is_anytime: also before they are armed
 */
static const struct {
	const char *path;
	const char *off;
	const char *on;
	bool is_anytime;
} ways[] = {
	{ "proc/sys/kernel/ftrace_enabled", "0", "1", true },
	{ "sys/kernel/debug/kprobes/enabled", "0", "1", true },
	{ OWN "tracing_on", "0", "1", false },
	{ OWN "set_event_pid", "1", "", false },
	{ OWN "set_event_pid", "4243", "", false },
	{ EVENT "init/enable", "0", "1", false },
	{ EVENT "init_ret/enable", "0", "1", false },
	{ EVENT "finalize/enable", "0", "1", false },
	{ EVENT "canary/enable", "0", "1", false },
	{ EVENT "init/filter", "common_pid == 1", "0", false },
	{ EVENT "canary/filter", "common_pid == 1", "0", false },
	{ EVENT "canary_ret/filter", "common_pid == 1", "0", false },
};

/* Our own instance is not there any more where the daemon has made it anew. */
static void put(struct scene *scene, const char *path, const char *text)
{
	int r = world_write(&scene->world, path, text);

	assert_true(r == 0 || r == -ENOENT || r == -ENODEV);
}

enum when {
	AFTER_ARMING,
	BEFORE_ARMING,
	AFTER_ARMING_ALONE, /* and the number of TDs is of no help */
};

static void hide_a_build(const char *path, const char *off, const char *on,
			 enum when when)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = NULL;

	scene_set(&scene, HOST, NULL);
	if (when == BEFORE_ARMING)
		put(&scene, path, off);
	scene_run(&scene);
	if (when == AFTER_ARMING_ALONE) {
		scene_await(&scene, SCENE_MANAGER, "GateDecision", "go");
		world_do(&scene.world, "host cgroup=none");
	}
	if (when != BEFORE_ARMING)
		put(&scene, path, off);
	scene_begin_build(&scene);
	job = update_waiting(&scene);
	usleep(A_WHILE_USEC);
	/* Whoever did it undoes it: what it hid is hidden still. */
	put(&scene, path, on);
	usleep(A_WHILE_USEC);
	scene_assert(&scene, job, "State", "waiting");
	world_do(&scene.world, "td step vm1 finalize");
	world_assert_mrtd(&scene.world, "vm1", true);
	world_do(&scene.world, "td abort vm1");
	world_do(&scene.world, "host cgroup=root");
	scene_await_end(&scene, job, "done");
	scene_end(&scene);
}

static void test_no_way_to_silence_them_lets_an_update_into_a_build(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		print_message("%s\n", ways[i].path);
		hide_a_build(ways[i].path, ways[i].off, ways[i].on, AFTER_ARMING);
		hide_a_build(ways[i].path, ways[i].off, ways[i].on, AFTER_ARMING_ALONE);
		if (ways[i].is_anytime)
			hide_a_build(ways[i].path, ways[i].off, ways[i].on,
				     BEFORE_ARMING);
	}
}

/* In a cgroup namespace the number of TDs is somebody's own. */
static void test_a_part_of_the_machine_is_no_evidence(void **state)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = NULL;

	(void)state;
	scene_start(&scene, "host kernel=mainline cgroup=own", NULL);
	scene_begin_build(&scene);
	job = update_waiting(&scene);
	usleep(A_WHILE_USEC);
	scene_assert(&scene, job, "State", "waiting");
	world_do(&scene.world, "td abort vm1");
	world_do(&scene.world, "host cgroup=root");
	scene_await_end(&scene, job, "done");
	scene_end(&scene);
}

/* KVM gives back a key that a limit refused it: the machine has a TD, and its count none.
 */
static void test_a_refused_key_leaves_no_evidence(void **state)
{
	static const char max[] = "sys/fs/cgroup/machine.slice/misc.max";
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = NULL;

	(void)state;
	scene_start(&scene, "host kernel=mainline refused=given-back", NULL);
	scene_begin_build(&scene);
	assert_int_equal(world_write(&scene.world, max, "tdx 1\n"), 0);
	job = update_waiting(&scene);
	world_refuse(&scene.world, "EBUSY", "td build vm2 manual");
	world_assert_reads(&scene.world, "sys/fs/cgroup/misc.current", "tdx 0\n");
	usleep(A_WHILE_USEC);
	scene_assert(&scene, job, "State", "waiting");
	scene_end(&scene);
}

/* Somebody else reads our pipe. */
static void test_a_thief_of_events_is_noticed(void **state)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = NULL, *text = NULL;
	int fd;

	(void)state;
	scene_start(&scene, HOST, NULL);
	/* The daemon is stopped where it stands, so that the thief is first. */
	assert_int_equal(kill(scene.daemon, SIGSTOP), 0);
	scene_begin_build(&scene);
	assert_true(asprintf(&text, "%s/%strace_pipe", scene.world.tree.path, OWN) > 0);
	fd = open(text, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(fd >= 0);
	{
		char stolen[4096];

		assert_true(read(fd, stolen, sizeof(stolen)) > 0);
	}
	close(fd);
	assert_int_equal(kill(scene.daemon, SIGCONT), 0);
	job = update_waiting(&scene);
	usleep(A_WHILE_USEC);
	scene_assert(&scene, job, "State", "waiting");
	world_do(&scene.world, "td step vm1 finalize");
	world_do(&scene.world, "td abort vm1");
	scene_await_end(&scene, job, "done");
	scene_end(&scene);
}

/* Whoever asks all the time takes nothing away from the job that waits. */
static void test_a_reader_takes_nothing_away(void **state)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = NULL;

	(void)state;
	scene_start(&scene, HOST, NULL);
	scene_begin_build(&scene);
	job = update_waiting(&scene);
	for (unsigned i = 0; i < 20; i++) {
		if (i == 10)
			world_do(&scene.world, "td step vm1 finalize");
		free(scene_get(&scene, SCENE_MANAGER, "GateDecision"));
		scene_call(&scene, SCENE_MANAGER, "Refresh");
	}
	scene_await_end(&scene, job, "done");
	world_assert_mrtd(&scene.world, "vm1", true);
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_update_goes_at_the_end_of_a_build),
		cmocka_unit_test(test_an_update_goes_between_builds),
		cmocka_unit_test(test_no_way_to_silence_them_lets_an_update_into_a_build),
		cmocka_unit_test(test_a_part_of_the_machine_is_no_evidence),
		cmocka_unit_test(test_a_refused_key_leaves_no_evidence),
		cmocka_unit_test(test_a_thief_of_events_is_noticed),
		cmocka_unit_test(test_a_reader_takes_nothing_away),
	};

	if (!scene_is_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
