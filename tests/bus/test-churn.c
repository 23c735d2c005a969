// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A host that builds TDs all the time while one update after the other goes in, with the
 * real daemon: at least 1,000 random builds, and every MRTD is right. TDXUPD_BUILDS says
 * how many, TDXUPD_SEED which.
 */
#include <time.h>
#include <unistd.h>

#include "../unit/test.h"
#include "clock.h"
#include "scene.h"
#include "util.h"

#define MSEC        UINT64_C(1000)
#define BUILDS_OPEN 6
#define BUILDS      1000
#define UPDATE_EACH (250 * MSEC)
#define UPDATES_MAX 45 /* the daemon keeps 48 of one user, ended ones for two minutes */

/* A launch of a VMM of ours: asks for its lease, builds, and is over at @until. */
struct launch {
	struct churn *churn;
	bool is_asking;
	uint64_t until;
	int lease;
};

struct churn {
	struct scene scene;
	uint64_t random, next_update;
	unsigned builds, updates, leased;
	bool takes_leases;
	char *job;
	struct launch launches[BUILDS_OPEN];
};

static uint64_t draw(struct churn *churn)
{
	uint64_t z = churn->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static uint64_t now(void)
{
	return clock_usec(CLOCK_MONOTONIC);
}

/* Some are given up half-way; all are gone some time after they are built. */
static void build_td(struct churn *churn, struct launch *launch, int lease)
{
	bool is_given_up = draw(churn) % 20 == 0;
	unsigned msec = 5 + (unsigned)(draw(churn) % 60);
	unsigned pages = 1 + (unsigned)(draw(churn) % 8);

	launch->is_asking = false;
	launch->lease = lease;
	launch->until = now() + (msec + 10) * MSEC;
	world_do(&churn->scene.world, "td build vm%u %ums pages=%u lifetime=%ums",
		 ++churn->builds, is_given_up ? 60000 : msec, pages,
		 (unsigned)(draw(churn) % 100));
	if (is_given_up)
		world_do(&churn->scene.world, "td abort vm%u", churn->builds);
}

static int on_lease(sd_bus_message *reply, void *userdata, sd_bus_error *unused)
{
	struct launch *launch = userdata;
	int fd;

	(void)unused;
	assert_false(sd_bus_message_is_method_error(reply, NULL));
	assert_true(sd_bus_message_read(reply, "h", &fd) >= 0);
	fd = dup(fd);
	assert_true(fd >= 0);
	launch->churn->leased++;
	build_td(launch->churn, launch, fd);
	return 1;
}

/* One launch that is held holds no other, as VMMs are processes of their own. */
static void launch_td(struct churn *churn, struct launch *launch)
{
	launch->churn = churn;
	if (!churn->takes_leases) {
		build_td(churn, launch, -1);
		return;
	}
	launch->is_asking = true;
	assert_true(sd_bus_call_method_async(churn->scene.bus, NULL, "org.tdxupd1",
					     SCENE_MANAGER, "org.tdxupd1.Manager",
					     "BeginBuild", on_lease, launch, "sa{sv}",
					     "vm", 0) >= 0);
}

static void end_launches(struct churn *churn)
{
	for (size_t i = 0; i < BUILDS_OPEN; i++) {
		struct launch *launch = &churn->launches[i];

		if (!launch->until || now() < launch->until)
			continue;
		if (launch->lease >= 0)
			close(launch->lease);
		*launch = (struct launch){ 0 };
	}
}

static void start_launch(struct churn *churn)
{
	for (size_t i = 0; i < BUILDS_OPEN; i++)
		if (!churn->launches[i].until && !churn->launches[i].is_asking) {
			launch_td(churn, &churn->launches[i]);
			return;
		}
}

static bool has_ended(struct churn *churn)
{
	_cleanup_(cleanup_free)
	char *result = scene_get(&churn->scene, churn->job, "Result");

	if (!*result)
		return false;
	assert_string_equal(result, "done");
	return true;
}

/* To and fro between two modules whose measurement contexts differ. */
static void follow_updates(struct churn *churn)
{
	static const char *const targets[] = { "1.5.16", "1.5.06" };

	if (churn->job) {
		if (!has_ended(churn))
			return;
		churn->updates++;
		free(TAKE_PTR(churn->job));
	}
	if (now() < churn->next_update || churn->updates == UPDATES_MAX)
		return;
	churn->next_update = now() + UPDATE_EACH;
	churn->job = scene_update_with(&churn->scene, targets[churn->updates % 2], 1,
				       "drain", "b", churn->takes_leases);
}

static void set_up(struct churn *churn, const char *kernel, bool takes_leases)
{
	const char *seed = getenv("TDXUPD_SEED");

	*churn = (struct churn){ .random = seed ? strtoull(seed, NULL, 10) : 1,
				 .takes_leases = takes_leases };
	/* SVN the same, so that the way back is open. */
	scene_set(&churn->scene, kernel, "boot version=1.5.06 svn=0x0106 ctx=1",
		  "set remaining=10000", NULL);
	scene_put_images(&churn->scene, "1.5.06,ctx=1,svn=0x0106",
			 "1.5.16,ctx=2,svn=0x0106", NULL);
	scene_put_config(&churn->scene, "BarrierMaxSec=1s\nAcceptFeaturesLost=yes\n");
	scene_run(&churn->scene);
}

static void check(struct churn *churn)
{
	_cleanup_(cleanup_free)
	char *status = NULL;
	unsigned right, wrong;
	char *line;

	world_wait(&churn->scene.world, "building 0");
	status = world_ask(&churn->scene.world, "status");
	line = strstr(status, "mrtd right");
	assert_non_null(line);
	assert_int_equal(sscanf(line, "mrtd right %u wrong %u", &right, &wrong), 2);
	print_message(
		"%u builds, %u of them under leases, %u updates: %u MRTDs right, %u "
		"wrong\n",
		churn->builds, churn->leased, churn->updates, right, wrong);
	assert_int_equal(wrong, 0);
	assert_true(right > churn->builds * 8 / 10);
	assert_true(churn->updates > churn->builds / 100);
}

/* Those that still ask are given theirs, sooner or later. */
static void finish(struct churn *churn)
{
	for (size_t i = 0; i < BUILDS_OPEN; i++) {
		struct launch *launch = &churn->launches[i];

		while (launch->is_asking) {
			end_launches(churn);
			if (sd_bus_process(churn->scene.bus, NULL) == 0)
				sd_bus_wait(churn->scene.bus, 10 * MSEC);
		}
	}
	for (size_t i = 0; i < BUILDS_OPEN; i++)
		if (churn->launches[i].until && churn->launches[i].lease >= 0)
			close(churn->launches[i].lease);
}

static void run(const char *kernel, bool takes_leases)
{
	const char *builds = getenv("TDXUPD_BUILDS");
	unsigned long count = builds ? strtoul(builds, NULL, 10) : BUILDS;
	struct churn churn;

	set_up(&churn, kernel, takes_leases);
	while (churn.builds < count) {
		while (sd_bus_process(churn.scene.bus, NULL) > 0)
			;
		end_launches(&churn);
		if (draw(&churn) % 4 == 0)
			start_launch(&churn);
		follow_updates(&churn);
		usleep((useconds_t)(draw(&churn) % 4000));
	}
	finish(&churn);
	if (churn.job)
		scene_await_end(&churn.scene, churn.job, "done");
	check(&churn);
	free(churn.job);
	scene_end(&churn.scene);
}

static void test_watching_alone(void **state)
{
	(void)state;
	run("host kernel=piece", false);
}

static void test_with_leases_and_barrier(void **state)
{
	(void)state;
	run("host kernel=piece", true);
}

/* A kernel that tells of no build: the barrier makes a moment without any TD. */
static void test_a_mainline_kernel_with_leases_and_barrier(void **state)
{
	(void)state;
	run("host kernel=mainline", true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_watching_alone),
		cmocka_unit_test(test_with_leases_and_barrier),
		cmocka_unit_test(test_a_mainline_kernel_with_leases_and_barrier),
	};

	if (!scene_is_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
