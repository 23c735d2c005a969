// SPDX-License-Identifier: LGPL-2.1-or-later
/* Those who want no update now, or want to be told before one. */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "../unit/test.h"
#include "clock.h"
#include "scene.h"
#include "util.h"

#define SERVICE "org.tdxupd1"
#define MANAGER "org.tdxupd1.Manager"
#define INVALID "org.freedesktop.DBus.Error.InvalidArgs"
#define BUSY    "org.tdxupd1.Error.Busy"
#define LIMIT   "org.tdxupd1.Error.Limit"
/* Less than a launch may be held for at the most. */
#define PATIENCE UINT64_C(50000000)

/* ---- asking ---- */

/* @option: its name and value; NULL for none. */
static const char *try_inhibit(struct scene *scene, const char *who, const char *mode,
			       const char *option, uint64_t value, int *ret_fd)
{
	return scene_take(scene, "Inhibit", ret_fd, "sssa{sv}", who, "a test", mode,
			  option ? 1 : 0, option, "t", value);
}

static int inhibit(struct scene *scene, const char *mode)
{
	int fd = -1;
	const char *error = try_inhibit(scene, "backup", mode, NULL, 0, &fd);

	if (error)
		fail_msg("Inhibit: %s", error);
	return fd;
}

#define INHIBITORS "ListInhibitors", "(sssuutt)"

/* The first of Blockers of the manager or a job: its source and who. */
static void assert_blocker(struct scene *scene, const char *path, const char *source,
			   const char *who)
{
	sd_bus_message *reply = NULL;
	const char *found_source, *found_who;
	uint32_t pid;
	uint64_t since;

	assert_true(sd_bus_get_property(scene->bus, SERVICE, path,
					scene_interface_of(path), "Blockers", NULL,
					&reply, "a(ssut)") >= 0);
	assert_true(sd_bus_message_enter_container(reply, 'a', "(ssut)") >= 0);
	assert_true(sd_bus_message_read(reply, "(ssut)", &found_source, &found_who, &pid,
					&since) > 0);
	assert_string_equal(found_source, source);
	assert_string_equal(found_who, who);
	assert_int_equal(pid, getpid());
	sd_bus_message_unref(reply);
}

/* ---- PrepareForUpdate ---- */

/* What was signalled, in its order: "T" and "F". */
struct ear {
	sd_bus_slot *slot;
	char heard[16];
};

static int on_prepare(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct ear *ear = userdata;
	int is_preparing;

	(void)error;
	assert_true(sd_bus_message_read(message, "b", &is_preparing) >= 0);
	assert_true(strlen(ear->heard) + 1 < sizeof(ear->heard));
	strcat(ear->heard, is_preparing ? "T" : "F");
	return 0;
}

static void listen_for(struct scene *scene, struct ear *ear)
{
	*ear = (struct ear){ 0 };
	assert_true(sd_bus_match_signal(scene->bus, &ear->slot, SERVICE, SCENE_MANAGER,
					MANAGER, "PrepareForUpdate", on_prepare,
					ear) >= 0);
}

static void await_heard(struct scene *scene, struct ear *ear, const char *wanted)
{
	unsigned waited = 0;

	while (strcmp(ear->heard, wanted) != 0)
		if (!scene_listen(scene->bus, &waited))
			fail_msg("heard %s, not %s", ear->heard, wanted);
}

/* ---- blocking ---- */

static void test_no_update_while_one_blocks(void **state)
{
	static const char *const guards[] = { "strict", "off" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(guards); i++) {
		_cleanup_(cleanup_free)
		char *job = NULL;
		struct scene scene;
		int fd;

		scene_start(&scene, NULL);
		scene_assert(&scene, SCENE_MANAGER, "GateDecision", "go");
		fd = inhibit(&scene, "block");
		scene_await(&scene, SCENE_MANAGER, "GateDecision", "wait");
		assert_blocker(&scene, SCENE_MANAGER, "inhibitors", "backup");
		job = scene_update_with(&scene, NULL, 1, "guard", "s", guards[i]);
		scene_await(&scene, job, "State", "waiting");
		assert_blocker(&scene, job, "inhibitors", "backup");
		usleep(200000);
		scene_assert(&scene, job, "State", "waiting");
		scene_assert_host(&scene, "1.5.06", 0);
		close(fd);
		scene_await_end(&scene, job, "done");
		scene_assert_host(&scene, "1.5.16", 1);
		scene_end(&scene);
	}
}

/* Taken while a job waits for something else, it is another thing to wait for. */
static void test_one_that_comes_in_the_wait(void **state)
{
	_cleanup_(cleanup_free)
	char *job = NULL;
	_cleanup_(cleanup_free)
	char *detail = NULL;
	struct scene scene;
	int fd;

	(void)state;
	scene_start(&scene, NULL);
	scene_begin_build(&scene);
	job = scene_update_with(&scene, NULL, 1, "deadline_usec", "t", UINT64_C(2000000));
	scene_await(&scene, job, "State", "waiting");
	fd = inhibit(&scene, "block");
	world_do(&scene.world, "td step vm1 finalize");
	scene_await_end(&scene, job, "Expired");
	detail = scene_get(&scene, job, "Detail");
	assert_non_null(strstr(detail, "backup"));
	assert_null(strstr(detail, "TDs"));
	scene_assert_host(&scene, "1.5.06", 0);
	close(fd);
	scene_end(&scene);
}

static void test_its_time_ends_it(void **state)
{
	_cleanup_(cleanup_free)
	char *job = NULL;
	struct scene scene;
	int fd = -1;

	(void)state;
	scene_start(&scene, NULL);
	assert_null(try_inhibit(&scene, "backup", "block", "timeout_usec", 300000, &fd));
	job = scene_update(&scene, NULL);
	scene_await_end(&scene, job, "done");
	assert_int_equal(scene_count(&scene, INHIBITORS), 0);
	close(fd);
	scene_end(&scene);
}

/* A gap that nobody may use is none: who starts VMs is not held for it. */
static void test_launches_are_not_held_for_nothing(void **state)
{
	_cleanup_(cleanup_free)
	char *job = NULL;
	struct scene scene;
	sd_bus_message *reply = NULL;
	uint64_t began;
	int fd;

	(void)state;
	scene_set(&scene, "host kernel=piece", NULL);
	scene_put_config(&scene, "BarrierMaxSec=1min\n");
	scene_run(&scene);
	fd = inhibit(&scene, "block");
	job = scene_update_with(&scene, NULL, 1, "drain", "b", 1);
	scene_await(&scene, job, "State", "waiting");
	began = clock_usec(CLOCK_MONOTONIC);
	assert_true(sd_bus_call_method(scene.bus, SERVICE, SCENE_MANAGER, MANAGER,
				       "BeginBuild", NULL, &reply, "sa{sv}", "vm1",
				       0) >= 0);
	assert_true(clock_usec(CLOCK_MONOTONIC) - began < PATIENCE);
	sd_bus_message_unref(reply);
	close(fd);
	scene_await_end(&scene, job, "done");
	scene_end(&scene);
}

/* ---- delaying ---- */

static void test_a_delay_waits_for_its_holder(void **state)
{
	_cleanup_(cleanup_free)
	char *job = NULL;
	struct scene scene;
	struct ear ear;
	int fd;

	(void)state;
	scene_set(&scene, NULL);
	scene_put_config(&scene, "InhibitDelayMaxSec=1h\n");
	scene_run(&scene);
	listen_for(&scene, &ear);
	fd = inhibit(&scene, "delay");
	scene_assert(&scene, SCENE_MANAGER, "GateDecision", "go");
	scene_assert(&scene, SCENE_MANAGER, "PreparingForUpdate", "0");
	job = scene_update(&scene, NULL);
	await_heard(&scene, &ear, "T");
	scene_assert(&scene, SCENE_MANAGER, "PreparingForUpdate", "1");
	scene_await(&scene, job, "State", "waiting");
	assert_blocker(&scene, job, "inhibitors", "backup");
	usleep(200000);
	scene_assert_host(&scene, "1.5.06", 0);
	close(fd);
	await_heard(&scene, &ear, "TF");
	scene_assert(&scene, job, "Result", "done");
	scene_assert(&scene, SCENE_MANAGER, "PreparingForUpdate", "0");
	sd_bus_slot_unref(ear.slot);
	scene_end(&scene);
}

static void test_a_delay_has_an_end(void **state)
{
	_cleanup_(cleanup_free)
	char *job = NULL;
	struct scene scene;
	uint64_t began;
	int fd;

	(void)state;
	scene_set(&scene, NULL);
	scene_put_config(&scene, "InhibitDelayMaxSec=500ms\n");
	scene_run(&scene);
	fd = inhibit(&scene, "delay");
	began = clock_usec(CLOCK_MONOTONIC);
	job = scene_update(&scene, NULL);
	scene_await_end(&scene, job, "done");
	assert_true(clock_usec(CLOCK_MONOTONIC) - began >= 500000);
	/* it is held still, for the next one */
	assert_int_equal(scene_count(&scene, INHIBITORS), 1);
	close(fd);
	scene_end(&scene);
}

/* Whoever is told when no gap came and whoever is told of nothing at all. */
static void test_whoever_is_told_is_told_of_the_end(void **state)
{
	_cleanup_(cleanup_free)
	char *job = NULL;
	struct scene scene;
	struct ear ear;

	(void)state;
	scene_start(&scene, NULL);
	listen_for(&scene, &ear);
	scene_begin_build(&scene);
	job = scene_update(&scene, NULL);
	await_heard(&scene, &ear, "T");
	assert_null(scene_call(&scene, job, "Cancel"));
	await_heard(&scene, &ear, "TF");
	/* nothing to do, nothing to prepare for */
	free(TAKE_PTR(job));
	job = scene_update(&scene, "1.5.06");
	scene_await_end(&scene, job, "done");
	usleep(100000);
	await_heard(&scene, &ear, "TF");
	sd_bus_slot_unref(ear.slot);
	scene_end(&scene);
}

/* ---- too late, too many, too little ---- */

static void test_who_comes_too_late_is_told_so(void **state)
{
	_cleanup_(cleanup_free)
	char *job = NULL;
	struct scene scene;
	int fd = -1;

	(void)state;
	scene_start(&scene, "host kernel=mainline", NULL);
	world_do(&scene.world, "upload hold=programming");
	scene_begin_build(&scene);
	job = scene_update(&scene, NULL);
	scene_await(&scene, job, "State", "waiting");
	assert_string_equal(try_inhibit(&scene, "a", "delay", NULL, 0, &fd), BUSY);
	world_do(&scene.world, "td abort vm1");
	scene_await(&scene, job, "State", "confirming");
	assert_string_equal(try_inhibit(&scene, "a", "delay", NULL, 0, &fd), BUSY);
	assert_string_equal(try_inhibit(&scene, "a", "block", NULL, 0, &fd), BUSY);
	assert_int_equal(scene_count(&scene, INHIBITORS), 0);
	world_do(&scene.world, "upload hold=none");
	scene_await_end(&scene, job, "done");
	close(inhibit(&scene, "block"));
	close(inhibit(&scene, "delay"));
	scene_end(&scene);
}

static void test_one_client_holds_so_many_and_no_more(void **state)
{
	struct scene scene;
	unsigned granted = 0;
	int fds[16];

	(void)state;
	scene_start(&scene, NULL);
	for (unsigned i = 0; i < 1000; i++) {
		int fd = -1;
		const char *error = try_inhibit(&scene, "a", "block", NULL, 0, &fd);

		if (error)
			assert_string_equal(error, LIMIT);
		else
			fds[granted++] = fd;
		assert_true(granted <= ARRAY_SIZE(fds));
	}
	assert_int_equal(granted, ARRAY_SIZE(fds));
	assert_int_equal(scene_count(&scene, INHIBITORS), granted);
	for (unsigned i = 0; i < granted; i++)
		close(fds[i]);
	scene_await_count(&scene, INHIBITORS, 0);
	close(inhibit(&scene, "block"));
	scene_end(&scene);
}

static void test_what_is_no_inhibitor(void **state)
{
	static const struct {
		const char *who;
		const char *mode;
		const char *option;
		uint64_t value;
	} table[] = {
		{ "", "block", NULL, 0 },
		{ "a", "", NULL, 0 },
		{ "a", "block-weak", NULL, 0 },
		{ "a", "block", "timeout", 1 },
		{ "a", "block", "timeout_usec", 0 },
	};
	struct scene scene;
	int fd = -1;

	(void)state;
	scene_start(&scene, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		assert_string_equal(try_inhibit(&scene, table[i].who, table[i].mode,
						table[i].option, table[i].value, &fd),
				    INVALID);
	assert_int_equal(scene_count(&scene, INHIBITORS), 0);
	/* for ever is a time */
	assert_null(try_inhibit(&scene, "a", "block", "timeout_usec", UINT64_MAX, &fd));
	close(fd);
	scene_end(&scene);
}

/* ---- ends ---- */

static void test_they_end_with_the_daemon(void **state)
{
	struct pollfd poller = { 0 };
	struct scene scene;

	(void)state;
	scene_start(&scene, NULL);
	poller.fd = inhibit(&scene, "block");
	assert_int_equal(poll(&poller, 1, 0), 0);
	scene_kill(&scene);
	assert_int_equal(poll(&poller, 1, 10000), 1);
	assert_true(poller.revents & POLLERR);
	close(poller.fd);
	scene_run(&scene);
	assert_int_equal(scene_count(&scene, INHIBITORS), 0);
	scene_assert(&scene, SCENE_MANAGER, "GateDecision", "go");
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_update_while_one_blocks),
		cmocka_unit_test(test_one_that_comes_in_the_wait),
		cmocka_unit_test(test_its_time_ends_it),
		cmocka_unit_test(test_launches_are_not_held_for_nothing),
		cmocka_unit_test(test_a_delay_waits_for_its_holder),
		cmocka_unit_test(test_a_delay_has_an_end),
		cmocka_unit_test(test_whoever_is_told_is_told_of_the_end),
		cmocka_unit_test(test_who_comes_too_late_is_told_so),
		cmocka_unit_test(test_one_client_holds_so_many_and_no_more),
		cmocka_unit_test(test_what_is_no_inhibitor),
		cmocka_unit_test(test_they_end_with_the_daemon),
	};

	if (!scene_is_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
