// SPDX-License-Identifier: LGPL-2.1-or-later
/* The daemon among others: the bus, systemd, a second daemon, a hung host, signals. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit/test.h"
#include "story.h"
#include "util.h"

/* ---- the bus ---- */

static void test_a_bus_that_restarts(void **state)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = NULL;

	(void)state;
	scene_start(&scene, NULL);
	job = scene_update_waiting(&scene);
	scene_stop_bus(&scene);
	/* It updates without a bus, too. */
	world_do(&scene.world, "td step vm1 finalize");
	world_do(&scene.world, "wait updates 1");
	scene_restart_bus(&scene);
	scene_await_name(&scene);
	scene_await_end(&scene, job, "done");
	world_assert_mrtd(&scene.world, "vm1", true);
	scene_end(&scene);
}

static void test_two_daemons_at_once(void **state)
{
	struct scene scene;

	(void)state;
	scene_set(&scene, NULL);
	for (unsigned i = 0; i < 10; i++) {
		pid_t pids[2] = { scene_spawn(&scene), scene_spawn(&scene) };
		pid_t gone = waitpid(-1, NULL, 0);
		unsigned winner = gone == pids[0];

		assert_true(gone == pids[0] || gone == pids[1]);
		scene.daemon = pids[winner];
		scene_await_name(&scene);
		scene_assert(&scene, SCENE_MANAGER, "ModuleVersion", "1.5.06");
		assert_int_equal(scene_stop(&scene), 0);
	}
	scene_end(&scene);
}

/* ---- systemd ---- */

static int open_notify_socket(const struct scene *scene)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/run/notify",
		 scene->world.tree.path);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	setenv("NOTIFY_SOCKET", address.sun_path, 1);
	return fd;
}

static void await_message(int fd, const char *wanted)
{
	struct pollfd poller = { .fd = fd, .events = POLLIN };
	char message[512];

	while (poll(&poller, 1, 10000) > 0) {
		ssize_t n = recv(fd, message, sizeof(message) - 1, 0);

		assert_true(n >= 0);
		message[n] = '\0';
		if (strstr(message, wanted))
			return;
	}
	fail_msg("the service manager never heard `%s'", wanted);
}

/* Returns when there was none for longer than WATCHDOG_USEC of run_watched(). */
static void await_silence(int fd)
{
	struct pollfd poller = { .fd = fd, .events = POLLIN };
	char message[512];

	while (poll(&poller, 1, 1000) > 0)
		assert_true(recv(fd, message, sizeof(message), 0) >= 0);
}

/* As systemd would start it. Return: the socket on which it hears of the daemon. */
static int run_watched(struct scene *scene)
{
	int fd = open_notify_socket(scene);

	setenv("WATCHDOG_USEC", "400000", 1);
	scene_run(scene);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	return fd;
}

/* The kernel does not answer: the watchdog ends the daemon, and the story is not lost. */
static void test_a_host_that_hangs(void **state)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = NULL;
	int fd;

	(void)state;
	scene_set(&scene, NULL);
	fd = run_watched(&scene);
	job = scene_update_waiting(&scene);
	await_message(fd, "WATCHDOG=1");
	world_do(&scene.world, "hang version");
	world_do(&scene.world, "td step vm1 finalize");
	await_silence(fd);
	kill(scene.daemon, SIGABRT);
	usleep(100000);
	world_do(&scene.world, "release");
	assert_int_equal(scene_reap(scene.daemon), 128 + SIGABRT);
	close(fd);
	scene_run(&scene);
	scene_assert(&scene, job, "Result", "org.tdxupd1.Error.Interrupted");
	scene_assert_host(&scene, "1.5.06", 0);
	scene_end(&scene);
}

/* Slow is not hung: an update that takes its time is waited for, and then told. */
static void test_a_host_that_is_slow(void **state)
{
	static const char *const files[] = { "version", "data", "loading", "status" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		struct scene scene;
		_cleanup_(cleanup_free)
		char *job = NULL;
		int fd;

		scene_set(&scene, "host kernel=mainline", NULL);
		fd = run_watched(&scene);
		world_do(&scene.world, "slow %s 100ms", files[i]);
		job = scene_update(&scene, NULL);
		scene_await_end(&scene, job, "done");
		await_message(fd, "WATCHDOG=1");
		close(fd);
		scene_assert_host(&scene, "1.5.16", 1);
		scene_end(&scene);
	}
}

static void test_what_systemd_hears(void **state)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = NULL;
	int fd;

	(void)state;
	scene_set(&scene, NULL);
	fd = run_watched(&scene);
	await_message(fd, "READY=1");
	await_message(fd, "STATUS=TDX module 1.5.06; idle");
	await_message(fd, "WATCHDOG=1");
	scene_begin_build(&scene);
	job = scene_update(&scene, NULL);
	await_message(fd, "STATUS=TDX module 1.5.06; job 1 to 1.5.16: waiting");
	world_do(&scene.world, "td step vm1 finalize");
	await_message(fd, "STATUS=TDX module 1.5.16; idle");
	kill(scene.daemon, SIGHUP);
	await_message(fd, "RELOADING=1\nMONOTONIC_USEC=");
	await_message(fd, "READY=1");
	assert_int_equal(scene_stop(&scene), 0);
	await_message(fd, "STOPPING=1");
	close(fd);
	scene_end(&scene);
}

/* ---- signals at any time ---- */

static void storm(struct scene *scene, const int *signals, size_t count)
{
	for (unsigned i = 0; i < 2000; i++) {
		kill(scene->daemon, signals[i % count]);
		if (signals[i % count] == SIGSTOP)
			kill(scene->daemon, SIGCONT);
		if (i % 100 == 0)
			usleep(1000);
	}
}

/* None of these is more than a reload. */
static void test_signals_that_change_nothing(void **state)
{
	static const int signals[] = { SIGHUP, SIGPIPE, SIGCHLD, SIGWINCH,
				       SIGURG, SIGSTOP, SIGHUP };
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = NULL;

	(void)state;
	scene_start(&scene, "host kernel=mainline", "upload hold=transferring", NULL);
	job = scene_update_waiting(&scene);
	storm(&scene, signals, ARRAY_SIZE(signals));
	scene_assert(&scene, job, "State", "waiting");
	world_do(&scene.world, "td abort vm1");
	scene_await(&scene, job, "State", "confirming");
	storm(&scene, signals, ARRAY_SIZE(signals));
	world_do(&scene.world, "upload hold=none");
	storm(&scene, signals, ARRAY_SIZE(signals));
	scene_await_end(&scene, job, "done");
	scene_assert_host(&scene, "1.5.16", 1);
	scene_end(&scene);
}

/* It ends when it is told to, but not between the commit and the verdict. */
static void test_signals_to_stop(void **state)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
	struct scene scene;
	struct story story;

	(void)state;
	scene_start(&scene, "host kernel=mainline", "upload hold=transferring", NULL);
	free(scene_update_waiting(&scene));
	storm(&scene, signals, ARRAY_SIZE(signals));
	assert_int_equal(scene_reap(scene.daemon), 0);
	story_read(&scene, &story);
	assert_string_equal(story.end, "cancelled");
	scene_assert_host(&scene, "1.5.06", 0);
	world_do(&scene.world, "td abort vm1");
	scene_run(&scene);
	free(scene_update(&scene, NULL));
	world_do(&scene.world, "wait updating yes");
	storm(&scene, signals, ARRAY_SIZE(signals));
	assert_int_equal(waitpid(scene.daemon, NULL, WNOHANG), 0);
	world_do(&scene.world, "upload hold=none");
	assert_int_equal(scene_reap(scene.daemon), 0);
	scene.daemon = 0;
	story_read(&scene, &story);
	assert_string_equal(story.end, "succeeded");
	scene_assert_host(&scene, "1.5.16", 1);
	scene_end(&scene);
}

/* Nobody sends it these. They end it as a crash does. Not SIGQUIT: a shell has what it
 * starts in the background ignore that. */
static void test_signals_that_end_it(void **state)
{
	const int signals[] = { SIGUSR1, SIGUSR2,  SIGALRM, SIGABRT,
				SIGSYS,  SIGRTMIN, SIGXFSZ };
	struct scene scene;
	struct story story;

	(void)state;
	scene_start(&scene, "host kernel=mainline", NULL);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		free(scene_update_waiting(&scene));
		kill(scene.daemon, signals[i]);
		assert_int_equal(scene_reap(scene.daemon), 128 + signals[i]);
		world_do(&scene.world, "td abort vm1");
		scene_run(&scene);
		story_read(&scene, &story);
		assert_string_equal(story.end, "never-committed");
		scene_assert_host(&scene, "1.5.06", 0);
	}
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_bus_that_restarts),
		cmocka_unit_test(test_two_daemons_at_once),
		cmocka_unit_test(test_a_host_that_hangs),
		cmocka_unit_test(test_a_host_that_is_slow),
		cmocka_unit_test(test_what_systemd_hears),
		cmocka_unit_test(test_signals_that_change_nothing),
		cmocka_unit_test(test_signals_to_stop),
		cmocka_unit_test(test_signals_that_end_it),
	};

	if (!scene_is_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
