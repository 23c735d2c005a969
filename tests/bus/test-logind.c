// SPDX-License-Identifier: LGPL-2.1-or-later
/* Sleep and shutdown during an update: what systemd-logind is asked, and what it says. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "../unit/test.h"
#include "history.h"
#include "scene.h"
#include "util.h"

/* ---- as much of systemd-logind as the daemon asks for ---- */

/* Locks given out, and those not given back yet. Shared with the child. */
struct locks {
	int delays, blocks;
	int delays_held, blocks_held;
};

struct logind {
	pid_t pid;
	unsigned slow_ms; /* before each answer */
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
	    logind->held_count == ARRAY_SIZE(logind->held) || pipe2(ends, O_CLOEXEC) < 0)
		return -EINVAL;
	usleep(logind->slow_ms * 1000);
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

/* As much of systemd-logind as the daemon asks for. @ready: written to when it is there.
 */
static void run_logind(struct logind *logind, const char *address, int ready)
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
	    sd_bus_request_name(logind->bus, "org.freedesktop.login1", 0) < 0 ||
	    write(ready, "", 1) != 1)
		_exit(1);
	for (;;) {
		while (sd_bus_process(logind->bus, NULL) > 0)
			;
		note_releases(logind);
	}
}

static void start_logind(struct logind *logind, const struct scene *scene,
			 unsigned slow_ms)
{
	int ready[2];
	char byte;

	*logind = (struct logind){
		.slow_ms = slow_ms,
		.locks = mmap(NULL, sizeof(struct locks), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0),
	};
	assert_ptr_not_equal(logind->locks, MAP_FAILED);
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	logind->pid = fork();
	assert_int_not_equal(logind->pid, -1);
	if (!logind->pid)
		run_logind(logind, scene->address, ready[1]);
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
}

static void await_count(const int *count, int wanted)
{
	for (unsigned i = 0; i < 12000; i++) {
		if (__atomic_load_n(count, __ATOMIC_RELAXED) == wanted)
			return;
		usleep(10000);
	}
	fail_msg("%d locks, not %d", *count, wanted);
}

static void stop_logind(struct logind *logind)
{
	kill(logind->pid, SIGKILL);
	scene_reap(logind->pid);
	munmap(logind->locks, sizeof(*logind->locks));
}

static void must_hold(struct logind *logind, int delays, int blocks)
{
	await_count(&logind->locks->delays_held, delays);
	await_count(&logind->locks->blocks_held, blocks);
}

/* ---- what it is asked ---- */

/* A shutdown waits for a job to let go while that can, and is refused while it cannot. */
static void test_each_lock_in_its_time(void **state)
{
	struct scene scene;
	struct logind logind;
	_cleanup_(cleanup_free)
	char *job = NULL;

	(void)state;
	scene_set(&scene, "host kernel=mainline", "upload hold=programming", NULL);
	start_logind(&logind, &scene, 0);
	scene_run(&scene);
	assert_int_equal(logind.locks->delays, 0);
	job = scene_update_waiting(&scene);
	must_hold(&logind, 1, 0);
	assert_int_equal(logind.locks->blocks, 0);
	world_do(&scene.world, "td abort vm1");
	scene_await(&scene, job, "State", "confirming");
	await_count(&logind.locks->blocks_held, 1);
	world_do(&scene.world, "upload hold=none");
	scene_await_end(&scene, job, "done");
	must_hold(&logind, 0, 0);
	stop_logind(&logind);
	scene_end(&scene);
}

/* @command: for the host while the job waits; @call: of the job's, or NULL */
static void must_leave_nothing(const char *command, const char *call, const char *result,
			       unsigned slow_ms)
{
	struct scene scene;
	struct logind logind;
	_cleanup_(cleanup_free)
	char *job = NULL;

	scene_set(&scene, "host kernel=mainline", NULL);
	start_logind(&logind, &scene, slow_ms);
	scene_run(&scene);
	job = scene_update_waiting(&scene);
	must_hold(&logind, 1, 0);
	if (command)
		world_do(&scene.world, "%s", command);
	if (call)
		assert_null(scene_call(&scene, job, call));
	else
		world_do(&scene.world, "td abort vm1");
	scene_await_end(&scene, job, result);
	/* What is still on its way is asked for before this. */
	assert_null(scene_call(&scene, SCENE_MANAGER, "Reload"));
	usleep(2 * slow_ms * 1000);
	must_hold(&logind, 0, 0);
	stop_logind(&logind);
	scene_end(&scene);
}

static void test_no_end_leaves_a_lock_behind(void **state)
{
	(void)state;
	must_leave_nothing(NULL, NULL, "done", 0);
	must_leave_nothing("lp offline 2", NULL, "NoPath", 0);
	must_leave_nothing("fail step=shutdown", NULL, "Refused", 0);
	must_leave_nothing("fail loader-entropy=1", NULL, "Lost", 0);
	must_leave_nothing(NULL, "Cancel", "Cancelled", 0);
}

/* The answer comes when nobody wants it any more. */
static void test_a_slow_answer_leaves_no_lock_behind(void **state)
{
	(void)state;
	must_leave_nothing(NULL, NULL, "done", 300);
	must_leave_nothing(NULL, "Cancel", "Cancelled", 300);
}

static void test_a_killed_daemon_leaves_no_lock_behind(void **state)
{
	struct scene scene;
	struct logind logind;
	_cleanup_(cleanup_free)
	char *job = NULL;

	(void)state;
	scene_set(&scene, "host kernel=mainline", "upload hold=programming", NULL);
	start_logind(&logind, &scene, 0);
	scene_run(&scene);
	free(scene_update_waiting(&scene));
	must_hold(&logind, 1, 0);
	scene_kill(&scene);
	must_hold(&logind, 0, 0);
	world_do(&scene.world, "td abort vm1");
	scene_run(&scene);
	job = scene_update(&scene, NULL);
	scene_await(&scene, job, "State", "confirming");
	await_count(&logind.locks->blocks_held, 1);
	scene_kill(&scene);
	must_hold(&logind, 0, 0);
	world_do(&scene.world, "upload hold=none");
	/* Nor does the one that tells what happened take any. */
	scene_run(&scene);
	scene_assert(&scene, job, "Result", "done");
	must_hold(&logind, 0, 0);
	stop_logind(&logind);
	scene_end(&scene);
}

/* The locks went with the bus, the job did not. */
static void test_a_bus_that_restarts(void **state)
{
	struct scene scene;
	struct logind logind;
	_cleanup_(cleanup_free)
	char *job = NULL;

	(void)state;
	scene_set(&scene, "host kernel=mainline", "upload hold=programming", NULL);
	start_logind(&logind, &scene, 0);
	scene_run(&scene);
	job = scene_update_waiting(&scene);
	for (int blocks = 0; blocks < 2; blocks++) {
		must_hold(&logind, 1, blocks);
		scene_stop_bus(&scene);
		stop_logind(&logind);
		scene_restart_bus(&scene);
		start_logind(&logind, &scene, 0);
		scene_await_name(&scene);
		must_hold(&logind, 1, blocks);
		if (blocks == 0)
			world_do(&scene.world, "td abort vm1");
		scene_await(&scene, job, "State", "confirming");
	}
	world_do(&scene.world, "upload hold=none");
	scene_await_end(&scene, job, "done");
	must_hold(&logind, 0, 0);
	stop_logind(&logind);
	scene_end(&scene);
}

/* ---- what it says ---- */

static const char *const leaving[] = { "PrepareForShutdown", "PrepareForSleep" };

static void emit(struct scene *scene, const char *member, int is_leaving)
{
	assert_true(sd_bus_emit_signal(scene->bus, "/org/freedesktop/login1",
				       "org.freedesktop.login1.Manager", member, "b",
				       is_leaving) >= 0);
}

/* Only the one whose name it is can say so; here that is the test. */
static void become_logind(struct scene *scene)
{
	assert_true(sd_bus_request_name(scene->bus, "org.freedesktop.login1", 0) >= 0);
}

static void test_a_waiting_job_lets_go(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(leaving); i++) {
		struct scene scene;
		_cleanup_(cleanup_free)
		char *job = NULL;

		scene_start(&scene, "host kernel=mainline", NULL);
		job = scene_update_waiting(&scene);
		emit(&scene, leaving[i], 1);
		usleep(100000);
		scene_assert(&scene, job, "State", "waiting");
		become_logind(&scene);
		emit(&scene, leaving[i], 1);
		scene_await_end(&scene, job, "Cancelled");
		scene_assert_host(&scene, "1.5.06", 0);
		scene_end(&scene);
	}
}

static void test_a_committed_job_does_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(leaving); i++) {
		struct scene scene;
		_cleanup_(cleanup_free)
		char *job = NULL;

		scene_start(&scene, "host kernel=mainline", "upload hold=transferring",
			    NULL);
		become_logind(&scene);
		job = scene_update(&scene, NULL);
		scene_await(&scene, job, "State", "confirming");
		emit(&scene, leaving[i], 1);
		usleep(100000);
		scene_assert(&scene, job, "State", "confirming");
		world_do(&scene.world, "upload hold=none");
		scene_await_end(&scene, job, "done");
		scene_end(&scene);
	}
}

/* By the history: whoever asks the daemon makes it look. */
static bool is_external_recorded(struct scene *scene)
{
	_cleanup_(cleanup_free)
	char *history = NULL;

	assert_int_equal(world_read(&scene->world, STATE_DIR "/" HISTORY_FILE, &history),
			 0);
	return strstr(history, "\"phase\":\"external\",\"from\":\"1.5.06\"");
}

/* Firmware may have put its own module back meanwhile. */
static void test_a_host_that_woke_up_is_looked_at(void **state)
{
	struct scene scene;

	(void)state;
	scene_start(&scene, "host kernel=mainline", NULL);
	scene_await(&scene, SCENE_MANAGER, "NextVersion", "1.5.16");
	become_logind(&scene);
	emit(&scene, "PrepareForSleep", 1);
	world_do(&scene.world, "boot version=1.5.08 svn=0x0107 ctx=1");
	usleep(100000);
	assert_false(is_external_recorded(&scene));
	emit(&scene, "PrepareForSleep", 0);
	for (unsigned i = 0; i < 12000 && !is_external_recorded(&scene); i++)
		usleep(10000);
	assert_true(is_external_recorded(&scene));
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_lock_in_its_time),
		cmocka_unit_test(test_no_end_leaves_a_lock_behind),
		cmocka_unit_test(test_a_slow_answer_leaves_no_lock_behind),
		cmocka_unit_test(test_a_killed_daemon_leaves_no_lock_behind),
		cmocka_unit_test(test_a_bus_that_restarts),
		cmocka_unit_test(test_a_waiting_job_lets_go),
		cmocka_unit_test(test_a_committed_job_does_not),
		cmocka_unit_test(test_a_host_that_woke_up_is_looked_at),
	};

	if (!scene_is_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
