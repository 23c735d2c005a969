// SPDX-License-Identifier: LGPL-2.1-or-later
/* Leases and the barrier as VMMs see them: tdxupdctl guard and the real daemon. */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit/test.h"
#include "clock.h"
#include "io.h"
#include "scene.h"
#include "util.h"

#define MSEC  UINT64_C(1000)
#define BOUND (2000 * MSEC)
/* To start two programs, on a machine however busy: what has no bound has none. */
#define SLACK    (120000 * MSEC)
#define PATIENCE (120000 * MSEC)

#define SERVICE "org.tdxupd1"

static void set_up(struct scene *scene, const char *kernel)
{
	scene_set(scene, kernel, NULL);
	scene_put_config(scene, "BarrierMaxSec=2s\nDrainAfterSec=infinity\n");
	scene_run(scene);
}

/* `tdxupdctl guard OPTION -- sh -c SCRIPT` */
static pid_t guard(struct scene *scene, const char *option, const char *script)
{
	const char *ctl = getenv("TDXUPD_CTL");
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid)
		return pid;
	execl(ctl, ctl, "--bus-address", scene->address, "--root", scene->world.tree.path,
	      "guard", option, script ? "--" : NULL, "sh", "-c", script, NULL);
	_exit(125);
}

static bool is_there(struct scene *scene, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "run/%s", name);
	return io_is_present(scene->world.tree.fd, path);
}

static void await_file(struct scene *scene, const char *name)
{
	uint64_t end = clock_usec(CLOCK_MONOTONIC) + PATIENCE;

	while (!is_there(scene, name)) {
		assert_true(clock_usec(CLOCK_MONOTONIC) < end);
		usleep(5000);
	}
}

/* A script that says in the file @name that it runs, and then waits for `go`, or for the
 * end of the world: the killed guard's is nobody's child by then. */
static char *launch_script(struct scene *scene, const char *name)
{
	char *script;

	assert_true(asprintf(&script,
			     "cd %s/run && touch %s && "
			     "while [ -e %s ] && [ ! -e go ]; do sleep 0.02; done",
			     scene->world.tree.path, name, name) > 0);
	return script;
}

#define LEASES "ListBuilds", "(ssuttb)"

static void test_an_update_waits_for_a_launch(void **state)
{
	_cleanup_(cleanup_free)
	char *job = NULL;
	_cleanup_(cleanup_free)
	char *script = NULL;
	struct scene scene;
	pid_t launch;

	(void)state;
	set_up(&scene, "host kernel=piece");
	script = launch_script(&scene, "started");
	launch = guard(&scene, "--vm=web1", script);
	await_file(&scene, "started");
	assert_int_equal(scene_count(&scene, LEASES), 1);
	job = scene_update(&scene, NULL);
	scene_await(&scene, job, "State", "waiting");
	scene_assert(&scene, SCENE_MANAGER, "GateDecision", "wait");
	scene_assert_host(&scene, "1.5.06", 0);
	tree_put(&scene.world.tree, "run/go", "");
	assert_int_equal(scene_reap(launch), 0);
	scene_await_end(&scene, job, "done");
	scene_end(&scene);
}

/* A lease ends with its holder, however that ends. */
static void test_a_launch_that_is_killed_ends_its_lease(void **state)
{
	_cleanup_(cleanup_free)
	char *script = NULL;
	struct scene scene;
	pid_t launch;

	(void)state;
	set_up(&scene, "host kernel=piece");
	script = launch_script(&scene, "started");
	launch = guard(&scene, "--vm=web1", script);
	await_file(&scene, "started");
	scene_assert(&scene, SCENE_MANAGER, "GateDecision", "wait");
	kill(launch, SIGKILL);
	scene_reap(launch);
	scene_await(&scene, SCENE_MANAGER, "GateDecision", "go");
	assert_int_equal(scene_count(&scene, LEASES), 0);
	tree_put(&scene.world.tree, "run/go", "");
	scene_end(&scene);
}

static void test_guard_leaves_as_its_command_does(void **state)
{
	struct scene scene;

	(void)state;
	set_up(&scene, "host kernel=piece");
	assert_int_equal(scene_reap(guard(&scene, "--vm=a", "exit 0")), 0);
	assert_int_equal(scene_reap(guard(&scene, "--vm=a", "exit 7")), 7);
	assert_int_equal(scene_reap(guard(&scene, "--vm=a", "kill -TERM $$")), 143);
	assert_int_equal(scene_reap(guard(&scene, "--vm=a", NULL)), 2);
	scene_await_count(&scene, LEASES, 0);
	/* the lease goes back before the command ends */
	assert_int_equal(scene_reap(guard(&scene, "--release-after=100ms", "sleep 1")),
			 0);
	scene_end(&scene);
}

/* With --drain the gap is made: launches wait, and go when the update is through. */
static void test_launches_wait_for_an_update(void **state)
{
	_cleanup_(cleanup_free)
	char *job = NULL;
	_cleanup_(cleanup_free)
	char *first = NULL;
	_cleanup_(cleanup_free)
	char *second = NULL;
	struct scene scene;
	pid_t launches[2];

	(void)state;
	set_up(&scene, "host kernel=piece");
	first = launch_script(&scene, "first");
	second = launch_script(&scene, "second");
	launches[0] = guard(&scene, "--vm=first", first);
	await_file(&scene, "first");
	job = scene_update_with(&scene, NULL, 1, "drain", "b", 1);
	scene_await(&scene, job, "State", "waiting");
	launches[1] = guard(&scene, "--vm=second", second);
	scene_await_count(&scene, LEASES, 2);
	usleep(300000);
	assert_false(is_there(&scene, "second"));
	tree_put(&scene.world.tree, "run/go", "");
	scene_await_end(&scene, job, "done");
	for (int i = 0; i < 2; i++)
		assert_int_equal(scene_reap(launches[i]), 0);
	assert_true(is_there(&scene, "second"));
	scene_end(&scene);
}

/* How long a launch takes while the barrier is shut and @signal has hit the daemon. */
static void measure_hold(int signal, uint64_t low, uint64_t high)
{
	_cleanup_(cleanup_free)
	char *script = NULL;
	_cleanup_(cleanup_free)
	char *job = NULL;
	struct scene scene;
	uint64_t began, took;
	pid_t holder, launch;

	set_up(&scene, "host kernel=piece");
	script = launch_script(&scene, "holds");
	holder = guard(&scene, "--vm=holder", script);
	await_file(&scene, "holds");
	job = scene_update_with(&scene, NULL, 1, "drain", "b", 1);
	scene_await(&scene, job, "State", "waiting");
	began = clock_usec(CLOCK_MONOTONIC);
	if (signal == SIGSTOP)
		kill(scene.daemon, signal);
	launch = guard(&scene, "--vm=late", "exit 0");
	if (signal == SIGKILL) {
		scene_await_count(&scene, LEASES, 2);
		scene_kill(&scene);
	}
	assert_int_equal(scene_reap(launch), 0);
	took = clock_usec(CLOCK_MONOTONIC) - began;
	print_message("held for %llu ms of %llu\n", (unsigned long long)(took / MSEC),
		      (unsigned long long)(BOUND / MSEC));
	assert_true(took >= low && took <= high);
	if (signal == SIGSTOP)
		kill(scene.daemon, SIGCONT);
	tree_put(&scene.world.tree, "run/go", "");
	assert_int_equal(scene_reap(holder), 0);
	scene_end(&scene);
}

static void test_the_daemon_keeps_to_the_bound(void **state)
{
	(void)state;
	measure_hold(0, BOUND / 2, BOUND + SLACK);
}

static void test_a_daemon_that_hangs_holds_nobody_longer(void **state)
{
	(void)state;
	measure_hold(SIGSTOP, BOUND, BOUND + SLACK);
}

static void test_a_daemon_that_is_killed_holds_nobody(void **state)
{
	(void)state;
	measure_hold(SIGKILL, 0, BOUND + SLACK);
}

/* ---- while an update is being made ---- */

/* Longer than BarrierMaxSec, and than anybody would wait for a gap. */
#define LONG_UPDATE (2 * BOUND)

/* A launch in the middle of an update: it goes when that is over. */
static void launch_amid(const char *kernel, bool is_killed)
{
	_cleanup_(cleanup_free)
	char *job = NULL;
	struct scene scene;

	set_up(&scene, kernel);
	world_do(&scene.world, "upload transferring=%dms", (int)(LONG_UPDATE / MSEC));
	job = scene_update(&scene, NULL);
	world_do(&scene.world, "wait updating yes");
	if (is_killed)
		scene_kill(&scene);
	assert_int_equal(scene_reap(guard(&scene, "--vm=late", "exit 4")), 4);
	world_do(&scene.world, "wait updating no 1ms");
	if (!is_killed)
		scene_await_end(&scene, job, "done");
	scene_end(&scene);
}

/* A lease that is granted in the middle of it would not hold. */
static void test_an_update_that_outlasts_the_bound(void **state)
{
	(void)state;
	launch_amid("host kernel=mainline", false);
}

/* The daemon is in its one write, and answers nobody. */
static void test_an_update_by_the_trigger(void **state)
{
	(void)state;
	launch_amid("host kernel=piece", false);
}

/* No daemon is not no update. */
static void test_an_update_that_outlives_its_daemon(void **state)
{
	(void)state;
	launch_amid("host kernel=mainline", true);
}

/* The daemon that is started in the middle of it is on the bus, and gives no lease yet.
 */
static void test_an_update_that_outlives_its_daemon_and_meets_the_next(void **state)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = NULL;
	int fd = -1;

	(void)state;
	set_up(&scene, "host kernel=mainline");
	world_do(&scene.world, "upload hold=transferring");
	job = scene_update(&scene, NULL);
	world_do(&scene.world, "wait upload transferring");
	scene_kill(&scene);
	scene.daemon = scene_spawn(&scene);
	scene_await_name(&scene);
	scene_assert(&scene, SCENE_MANAGER, "State", "recovering");
	scene_update_refused(&scene, SERVICE ".Error.Busy", NULL, 0);
	assert_true(sd_bus_call_method_async(scene.bus, NULL, SERVICE, SCENE_MANAGER,
					     SERVICE ".Manager", "BeginBuild", NULL, NULL,
					     "sa{sv}", "late", 0) >= 0);
	scene_await_count(&scene, LEASES, 1);
	usleep(BOUND + 300000);
	scene_assert(&scene, SCENE_MANAGER, "GateDecision", "unknown");
	world_do(&scene.world, "upload hold=none");
	scene_await(&scene, SCENE_MANAGER, "State", "idle");
	scene_assert(&scene, SCENE_MANAGER, "ModuleVersion", "1.5.16");
	assert_null(scene_take(&scene, "BeginBuild", &fd, "sa{sv}", "next", 0));
	close(fd);
	scene_end(&scene);
}

static bool has_limit(struct scene *scene, const char *limit)
{
	char text[64];

	return io_read_text(scene->world.tree.fd, "sys/fs/cgroup/machine.slice/misc.max",
			    text, sizeof(text)) == 0 &&
	       strcmp(text, limit) == 0;
}

/* Who did not get the lock changes nothing on the host, not even to clean up. */
static void test_the_limit_is_its_daemons_alone(void **state)
{
	_cleanup_(cleanup_free)
	char *job = NULL;
	struct scene scene;
	unsigned waited = 0;

	(void)state;
	scene_set(&scene, "host kernel=mainline", NULL);
	scene_put_config(&scene, "DrainMethod=fence\nBarrierMaxSec=60s\n");
	scene_run(&scene);
	scene_begin_build(&scene);
	job = scene_update_with(&scene, NULL, 1, "drain", "b", 1);
	scene_await(&scene, job, "State", "waiting");
	while (!has_limit(&scene, "tdx 1") && waited++ < 12000)
		usleep(10000);
	assert_true(has_limit(&scene, "tdx 1"));
	assert_int_not_equal(scene_run_failing(&scene), 0);
	assert_true(has_limit(&scene, "tdx 1"));
	assert_true(io_is_present(scene.world.tree.fd, "run/tdxupd/fence"));
	assert_null(scene_call(&scene, job, "Cancel"));
	scene_await_end(&scene, job, "Cancelled");
	assert_true(has_limit(&scene, "tdx max"));
	scene_end(&scene);
}

static void test_without_a_daemon_launches_go(void **state)
{
	struct scene scene;
	uint64_t began = clock_usec(CLOCK_MONOTONIC);

	(void)state;
	scene_set(&scene, NULL);
	began = clock_usec(CLOCK_MONOTONIC);
	assert_int_equal(scene_reap(guard(&scene, "--vm=a", "exit 3")), 3);
	assert_true(clock_usec(CLOCK_MONOTONIC) - began < SLACK);
	/* nor without a bus */
	snprintf(scene.address, sizeof(scene.address), "unix:path=/nonexistent");
	assert_int_equal(scene_reap(guard(&scene, "--vm=a", "exit 3")), 3);
	scene_end(&scene);
}

/* As the hook of libvirt uses it. */
static void test_a_lease_in_the_background(void **state)
{
	_cleanup_(cleanup_free)
	char *option = NULL;
	struct scene scene;

	(void)state;
	set_up(&scene, "host kernel=piece");
	assert_true(asprintf(&option, "--until-removed=%s/run/vm1",
			     scene.world.tree.path) > 0);
	assert_int_equal(scene_reap(guard(&scene, option, NULL)), 0);
	assert_true(is_there(&scene, "vm1"));
	assert_int_equal(scene_count(&scene, LEASES), 1);
	tree_drop(&scene.world.tree, "run/vm1");
	scene_await_count(&scene, LEASES, 0);
	scene_end(&scene);
}

/* The lease is held all the same. */
static void test_a_lease_in_the_background_without_inotify(void **state)
{
	_cleanup_(cleanup_free)
	char *option = NULL;
	struct scene scene;
	pid_t child;
	int status;

	(void)state;
	set_up(&scene, "host kernel=piece");
	assert_true(asprintf(&option, "--until-removed=%s/run/vm1",
			     scene.world.tree.path) > 0);
	child = fork();
	assert_int_not_equal(child, -1);
	if (child == 0) {
		if (!scene_give_inotify_up())
			_exit(77);
		_exit(scene_reap(guard(&scene, option, NULL)));
	}
	status = scene_reap(child);
	if (status == 77) {
		scene_end(&scene);
		print_message("no user namespace to be had\n");
		skip();
	}
	assert_int_equal(status, 0);
	assert_true(is_there(&scene, "vm1"));
	usleep(500000);
	assert_int_equal(scene_count(&scene, LEASES), 1);
	tree_drop(&scene.world.tree, "run/vm1");
	scene_await_count(&scene, LEASES, 0);
	scene_end(&scene);
}

static const char *begin_build(struct scene *scene, const char *vm, const char *option,
			       int *ret_fd)
{
	return scene_take(scene, "BeginBuild", ret_fd, "sa{sv}", vm, option ? 1 : 0,
			  option, "s", "x");
}

static void test_one_client_holds_so_many_and_no_more(void **state)
{
	struct scene scene;
	unsigned granted = 0;
	int fds[128];

	(void)state;
	set_up(&scene, "host kernel=piece");
	for (unsigned i = 0; i < 10000; i++) {
		int fd = -1;
		const char *error = begin_build(&scene, "vm", NULL, &fd);

		if (error)
			assert_string_equal(error, SERVICE ".Error.Limit");
		else
			fds[granted++] = fd;
		assert_true(granted <= 128);
	}
	assert_int_equal(granted, 128);
	assert_int_equal(scene_count(&scene, LEASES), 128);
	/* others still get theirs */
	assert_int_equal(scene_reap(guard(&scene, "--vm=other", "exit 0")), 0);
	for (unsigned i = 0; i < granted; i++)
		close(fds[i]);
	scene_await_count(&scene, LEASES, 0);
	scene_end(&scene);
}

static void test_what_is_no_lease(void **state)
{
	struct scene scene;
	int fd = -1;

	(void)state;
	set_up(&scene, "host kernel=piece");
	assert_string_equal(begin_build(&scene, "", NULL, &fd),
			    "org.freedesktop.DBus.Error.InvalidArgs");
	assert_string_equal(begin_build(&scene, "vm", "color", &fd),
			    "org.freedesktop.DBus.Error.InvalidArgs");
	assert_int_equal(scene_count(&scene, LEASES), 0);
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_update_waits_for_a_launch),
		cmocka_unit_test(test_a_launch_that_is_killed_ends_its_lease),
		cmocka_unit_test(test_guard_leaves_as_its_command_does),
		cmocka_unit_test(test_launches_wait_for_an_update),
		cmocka_unit_test(test_the_daemon_keeps_to_the_bound),
		cmocka_unit_test(test_a_daemon_that_hangs_holds_nobody_longer),
		cmocka_unit_test(test_a_daemon_that_is_killed_holds_nobody),
		cmocka_unit_test(test_an_update_that_outlasts_the_bound),
		cmocka_unit_test(test_an_update_by_the_trigger),
		cmocka_unit_test(test_an_update_that_outlives_its_daemon),
		cmocka_unit_test(
			test_an_update_that_outlives_its_daemon_and_meets_the_next),
		cmocka_unit_test(test_the_limit_is_its_daemons_alone),
		cmocka_unit_test(test_without_a_daemon_launches_go),
		cmocka_unit_test(test_a_lease_in_the_background),
		cmocka_unit_test(test_a_lease_in_the_background_without_inotify),
		cmocka_unit_test(test_one_client_holds_so_many_and_no_more),
		cmocka_unit_test(test_what_is_no_lease),
	};

	if (!scene_is_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
