// SPDX-License-Identifier: LGPL-2.1-or-later
/* The daemon among others: the bus, systemd, logind, a second daemon, a hung host. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit/test.h"
#include "scene.h"
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

/* A watchdog's SIGABRT while the kernel does not answer: the story is not lost. */
static void test_a_host_that_hangs(void **state)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = NULL;

	(void)state;
	scene_start(&scene, NULL);
	job = scene_update_waiting(&scene);
	world_do(&scene.world, "hang version");
	world_do(&scene.world, "td step vm1 finalize");
	usleep(300000);
	kill(scene.daemon, SIGABRT);
	usleep(100000);
	world_do(&scene.world, "release");
	assert_int_equal(scene_reap(scene.daemon), 128 + SIGABRT);
	scene_run(&scene);
	scene_assert(&scene, job, "Result", "org.tdxupd1.Error.Interrupted");
	scene_assert_host(&scene, "1.5.06", 0);
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

static void test_what_systemd_hears(void **state)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = NULL;
	int fd;

	(void)state;
	scene_set(&scene, NULL);
	fd = open_notify_socket(&scene);
	setenv("WATCHDOG_USEC", "400000", 1);
	scene_run(&scene);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
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

/* ---- logind ---- */

/* Locks given out, and those not given back yet. Shared with the child. */
struct locks {
	int delays, blocks;
	int delays_held, blocks_held;
};

struct logind {
	pid_t pid;
	struct locks *locks;
	sd_bus *bus;
	struct pollfd held[16];
	bool is_block[16];
	size_t held_count;
};

static int on_inhibit(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct logind *logind = userdata;
	const char *what, *who, *why, *mode;
	int ends[2], r;

	(void)error;
	if (sd_bus_message_read(message, "ssss", &what, &who, &why, &mode) < 0 ||
	    pipe2(ends, O_CLOEXEC) < 0)
		return -EINVAL;
	logind->held[logind->held_count] = (struct pollfd){ .fd = ends[0] };
	logind->is_block[logind->held_count] = strcmp(mode, "block") == 0;
	if (logind->is_block[logind->held_count++]) {
		logind->locks->blocks++;
		logind->locks->blocks_held++;
	} else {
		logind->locks->delays++;
		logind->locks->delays_held++;
	}
	r = sd_bus_reply_method_return(message, "h", ends[1]);
	close(ends[1]);
	return r;
}

static void note_releases(struct logind *logind)
{
	poll(logind->held, logind->held_count, 2);
	for (size_t i = 0; i < logind->held_count; i++)
		if (logind->held[i].fd >= 0 && (logind->held[i].revents & POLLHUP)) {
			close(logind->held[i].fd);
			logind->held[i].fd = -1;
			if (logind->is_block[i])
				logind->locks->blocks_held--;
			else
				logind->locks->delays_held--;
		}
}

/* As much of systemd-logind as the daemon asks for. */
static void run_logind(struct logind *logind, const char *address)
{
	static const sd_bus_vtable vtable[] = {
		SD_BUS_VTABLE_START(0),
		SD_BUS_METHOD("Inhibit", "ssss", "h", on_inhibit,
			      SD_BUS_VTABLE_UNPRIVILEGED),
		SD_BUS_VTABLE_END,
	};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (sd_bus_new(&logind->bus) < 0 ||
	    sd_bus_set_address(logind->bus, address) < 0 ||
	    sd_bus_set_bus_client(logind->bus, true) < 0 ||
	    sd_bus_start(logind->bus) < 0 ||
	    sd_bus_add_object_vtable(logind->bus, NULL, "/org/freedesktop/login1",
				     "org.freedesktop.login1.Manager", vtable,
				     logind) < 0 ||
	    sd_bus_request_name(logind->bus, "org.freedesktop.login1", 0) < 0)
		_exit(1);
	for (;;) {
		while (sd_bus_process(logind->bus, NULL) > 0)
			;
		note_releases(logind);
	}
}

static void start_logind(struct logind *logind, const struct scene *scene)
{
	*logind = (struct logind){
		.locks = mmap(NULL, sizeof(struct locks), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0),
	};
	assert_ptr_not_equal(logind->locks, MAP_FAILED);
	logind->pid = fork();
	assert_int_not_equal(logind->pid, -1);
	if (!logind->pid)
		run_logind(logind, scene->address);
	usleep(100000);
}

static void await_count(const int *count, int wanted)
{
	for (unsigned i = 0; i < 1000; i++) {
		if (__atomic_load_n(count, __ATOMIC_RELAXED) == wanted)
			return;
		usleep(10000);
	}
	fail_msg("%d locks, not %d", *count, wanted);
}

static void emit_leaving(struct scene *scene)
{
	assert_true(sd_bus_emit_signal(scene->bus, "/org/freedesktop/login1",
				       "org.freedesktop.login1.Manager",
				       "PrepareForShutdown", "b", 1) >= 0);
}

static void test_shutdown_is_held_up_no_longer_than_needed(void **state)
{
	struct scene scene;
	struct logind logind;
	_cleanup_(cleanup_free)
	char *job = NULL;

	(void)state;
	scene_set(&scene, "host kernel=mainline", NULL);
	start_logind(&logind, &scene);
	scene_run(&scene);
	assert_int_equal(logind.locks->delays, 0);
	world_do(&scene.world, "upload hold=programming");
	job = scene_update_waiting(&scene);
	await_count(&logind.locks->delays_held, 1);
	assert_int_equal(logind.locks->blocks, 0);
	world_do(&scene.world, "td abort vm1");
	scene_await(&scene, job, "State", "confirming");
	await_count(&logind.locks->blocks_held, 1);
	world_do(&scene.world, "upload hold=none");
	scene_await_end(&scene, job, "done");
	await_count(&logind.locks->blocks_held, 0);
	await_count(&logind.locks->delays_held, 0);
	kill(logind.pid, SIGKILL);
	scene_reap(logind.pid);
	scene_end(&scene);
}

/* Only the one whose name it is can say so; here that is the child. */
static void test_a_waiting_job_lets_a_shutdown_go(void **state)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = NULL;

	(void)state;
	scene_start(&scene, "host kernel=mainline", NULL);
	job = scene_update_waiting(&scene);
	emit_leaving(&scene);
	usleep(100000);
	scene_assert(&scene, job, "State", "waiting");
	assert_true(sd_bus_request_name(scene.bus, "org.freedesktop.login1", 0) >= 0);
	emit_leaving(&scene);
	scene_await_end(&scene, job, "Cancelled");
	scene_assert_host(&scene, "1.5.06", 0);
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_bus_that_restarts),
		cmocka_unit_test(test_two_daemons_at_once),
		cmocka_unit_test(test_a_host_that_hangs),
		cmocka_unit_test(test_what_systemd_hears),
		cmocka_unit_test(test_shutdown_is_held_up_no_longer_than_needed),
		cmocka_unit_test(test_a_waiting_job_lets_a_shutdown_go),
	};

	if (!scene_is_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
