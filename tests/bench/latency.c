// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * From the end of the last TD build to the write that commits, by the simulated host's
 * own clock: the real daemon, and the least that a program can do, which polls the same
 * file and writes. And how long a whole update takes, beside a shell's echo, cat, echo.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../bus/scene.h"
#include "../unit/test.h"
#include "clock.h"
#include "util.h"

#define ROUNDS 40 /* the daemon keeps 48 jobs of one user for two minutes */

#define BUILDING WORLD_HOST "tds_building"

struct numbers {
	size_t count;
	double usec[ROUNDS];
};

static const char *const versions[] = { "1.5.16", "1.5.06" };

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void print(const char *what, struct numbers *numbers)
{
	qsort(numbers->usec, numbers->count, sizeof(numbers->usec[0]), compare);
	printf("%-34s p50 %8.0f us  p99 %8.0f us\n", what,
	       numbers->usec[numbers->count / 2],
	       numbers->usec[numbers->count * 99 / 100]);
}

static void note(struct scene *scene, struct numbers *numbers)
{
	_cleanup_(cleanup_free)
	char *answer = world_ask(&scene->world, "times");
	unsigned long long open, commit;

	assert_int_equal(sscanf(answer, "open %llu commit %llu", &open, &commit), 2);
	assert_true(commit > open);
	numbers->usec[numbers->count++] = (double)(commit - open) / 1000;
}

static void begin_build(struct scene *scene, size_t round)
{
	world_do(&scene->world, "td build vm%zu manual", round);
	world_do(&scene->world, "td step vm%zu init", round);
}

static void end_build(struct scene *scene, size_t round)
{
	world_do(&scene->world, "td step vm%zu finalize", round);
}

static void copy(struct scene *scene, const char *version, const char *to)
{
	char command[512];

	snprintf(command, sizeof(command),
		 "cat %s/" WORLD_IMAGES "/*%s* > %s/%s 2>/dev/null",
		 scene->world.tree.path, version, scene->world.tree.path, to);
	assert_int_equal(system(command), 0);
}

/* Both sides take turns, so that whatever else the machine does meets both alike; while
 * it is not its turn the daemon, which watches the same file, must not take part. */
static void set_asleep(struct scene *scene, bool is_asleep)
{
	assert_int_equal(kill(scene->daemon, is_asleep ? SIGSTOP : SIGCONT), 0);
}

/* The least that a program can do once the image is staged. */
static void poll_and_write(struct scene *scene)
{
	int building = openat(scene->world.tree.fd, BUILDING, O_RDONLY | O_CLOEXEC);
	int update =
		openat(scene->world.tree.fd, WORLD_HOST "update", O_WRONLY | O_CLOEXEC);
	char text[16];

	while (pread(building, text, sizeof(text), 0) > 0 && text[0] != '0') {
		struct pollfd pollfd = { .fd = building, .events = POLLPRI };

		poll(&pollfd, 1, -1);
	}
	_exit(pwrite(update, "1\n", 2, 0) == 2 ? 0 : 1);
}

static void run_minimal(struct scene *scene, struct numbers *numbers, size_t round)
{
	int status;
	pid_t pid;

	set_asleep(scene, true);
	copy(scene, versions[0], WORLD_HOST "image");
	begin_build(scene, round);
	pid = fork();
	if (pid == 0)
		poll_and_write(scene);
	usleep(20000);
	end_build(scene, round);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	note(scene, numbers);
	world_do(&scene->world, "td abort vm%zu", round);
	set_asleep(scene, false);
}

static void run_daemon(struct scene *scene, struct numbers *numbers, size_t round)
{
	_cleanup_(cleanup_free)
	char *job = NULL;

	begin_build(scene, round);
	job = scene_update(scene, versions[1]);
	scene_await(scene, job, "State", "waiting");
	usleep(20000);
	end_build(scene, round);
	scene_await_end(scene, job, "done");
	note(scene, numbers);
	world_do(&scene->world, "td abort vm%zu", round);
}

static void set_up(struct scene *scene, const char *kernel)
{
	scene_set(scene, kernel, "set remaining=10000", NULL);
	scene_put_images(scene, "1.5.06,ctx=1,svn=0x0106,container=0x200",
			 "1.5.16,ctx=2,svn=0x0106,container=0x200", NULL);
	scene_put_config(scene, "AcceptFeaturesLost=yes\n");
}

static void test_event_to_commit(void **state)
{
	struct numbers minimal = { 0 }, daemon = { 0 };
	struct scene scene;

	(void)state;
	set_up(&scene, "host kernel=piece");
	scene_run(&scene);
	for (size_t i = 0; i < ROUNDS; i++) {
		run_minimal(&scene, &minimal, 2 * i);
		run_daemon(&scene, &daemon, 2 * i + 1);
	}
	print("event to commit, minimal program", &minimal);
	print("event to commit, tdxupdd", &daemon);
	printf("%-34s %.2f (wanted: at most 2)\n", "ratio of p50",
	       daemon.usec[ROUNDS / 2] / minimal.usec[ROUNDS / 2]);
	scene_end(&scene);
}

/* ---- a whole update ---- */

static bool is_result(sd_bus_message *message)
{
	const char *name, *result = "";
	int r = sd_bus_message_enter_container(message, 'e', "sv");

	if (r <= 0 || sd_bus_message_read(message, "s", &name) < 0)
		return false;
	if (strcmp(name, "Result") == 0)
		assert_true(sd_bus_message_read(message, "v", "s", &result) >= 0);
	else
		assert_true(sd_bus_message_skip(message, "v") >= 0);
	assert_true(sd_bus_message_exit_container(message) >= 0);
	return *result;
}

/* Whoever follows a job is told, and need not ask. */
static int on_changed(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	bool *has_ended = userdata;

	(void)error;
	if (sd_bus_message_read(message, "s", NULL) < 0 ||
	    sd_bus_message_enter_container(message, 'a', "{sv}") < 0)
		return 0;
	while (!*has_ended && sd_bus_message_at_end(message, false) == 0)
		*has_ended = is_result(message);
	return 0;
}

static void update_by_daemon(struct scene *scene, struct numbers *numbers)
{
	_cleanup_(cleanup_free)
	char *job = NULL;
	sd_bus_slot *slot;
	uint64_t began;
	bool has_ended = false;

	assert_true(sd_bus_match_signal(scene->bus, &slot, "org.tdxupd1", NULL,
					"org.freedesktop.DBus.Properties",
					"PropertiesChanged", on_changed,
					&has_ended) >= 0);
	began = clock_usec(CLOCK_MONOTONIC);
	job = scene_update(scene, versions[1]);
	while (!has_ended)
		if (sd_bus_process(scene->bus, NULL) == 0)
			sd_bus_wait(scene->bus, UINT64_MAX);
	numbers->usec[numbers->count++] = (double)(clock_usec(CLOCK_MONOTONIC) - began);
	sd_bus_slot_unref(slot);
	scene_await_end(scene, job, "done");
}

static void update_by_shell(struct scene *scene, struct numbers *numbers)
{
	uint64_t began;
	char command[512];

	snprintf(command, sizeof(command),
		 "cd %s/" WORLD_UPLOAD " && echo 1 >loading && cat %s/" WORLD_IMAGES
		 "/*%s* >data && echo 0 >loading && "
		 "until [ $(cat status) = idle ]; do :; done",
		 scene->world.tree.path, scene->world.tree.path, versions[0]);
	began = clock_usec(CLOCK_MONOTONIC);
	assert_int_equal(system(command), 0);
	numbers->usec[numbers->count++] = (double)(clock_usec(CLOCK_MONOTONIC) - began);
}

static void test_whole_update(void **state)
{
	struct numbers shell = { 0 }, daemon = { 0 };
	struct scene scene;

	(void)state;
	set_up(&scene, "host kernel=mainline");
	/* What the daemon's unit gives it. */
	tree_put(&scene.world.tree, "var/cache/tdxupd/.keep", "");
	scene_run(&scene);
	for (size_t i = 0; i < ROUNDS; i++) {
		update_by_shell(&scene, &shell);
		update_by_daemon(&scene, &daemon);
	}
	print("whole update, echo; cat; echo", &shell);
	print("whole update, tdxupdd", &daemon);
	printf("%-34s %.2f (wanted: at most 1.5)\n", "ratio of p50",
	       daemon.usec[daemon.count / 2] / shell.usec[shell.count / 2]);
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_event_to_commit),
		cmocka_unit_test(test_whole_update),
	};

	if (!scene_is_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
