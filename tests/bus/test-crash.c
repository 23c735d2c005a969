// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The daemon is killed while the kernel works, and at random moments, and started again.
 * What it then says of the update must be what the simulated machine knows. Before every
 * call that it makes: test-kill.c.
 *
 * TDXUPD_CRASHES is the number of random moments, TDXUPD_SEED their seed.
 */
#include <errno.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "../unit/test.h"
#include "story.h"
#include "util.h"

/* ---- while the kernel works ---- */

/*
 * @before: a command for the host, or NULL
 * @held: where the update stands still meanwhile; NULL: it waits for a build
 * @is_let_go: it has gone on, into the part in which all CPUs stand still
 * @signal: SIGKILL, or the SIGABRT of a watchdog
 */
struct moment {
	const char *kernel;
	const char *before;
	const char *held;
	bool is_let_go;
	int signal;
	const char *story;
};

static void come_to(struct scene *scene, const struct moment *moment)
{
	if (moment->before)
		world_do(&scene->world, "%s", moment->before);
	if (!moment->held) {
		free(scene_update_waiting(scene));
		return;
	}
	world_do(&scene->world, "set install-time=50ms");
	world_do(&scene->world, "upload hold=%s", moment->held);
	free(scene_update(scene, NULL));
	if (strcmp(moment->kernel, "piece") == 0)
		world_do(&scene->world, "wait updating yes");
	else
		world_do(&scene->world, "wait upload %s", moment->held);
	if (moment->is_let_go) {
		world_do(&scene->world, "upload hold=none");
		usleep(50000);
	}
}

/* What the kernel has begun it ends, whoever is gone; who comes too early waits for it.
 */
static void start_again(struct scene *scene, const struct moment *moment)
{
	pid_t dead = scene->daemon;

	if (strcmp(moment->kernel, "piece") == 0) {
		/* The write that is the update cannot be interrupted. */
		if (moment->held && !moment->is_let_go)
			assert_int_equal(scene_run_failing(scene), 1);
		world_do(&scene->world, "upload hold=none");
		assert_int_equal(scene_reap(dead), 128 + moment->signal);
		scene_run(scene);
		return;
	}
	assert_int_equal(scene_reap(dead), 128 + moment->signal);
	scene->daemon = scene_spawn(scene);
	usleep(100000);
	world_do(&scene->world, "upload hold=none");
	scene_await_name(scene);
	scene_await_host(scene);
}

static void die_in(const struct moment *moment)
{
	static const char job[] = "/org/tdxupd1/job/_1";
	struct scene scene;
	_cleanup_(cleanup_free)
	char *after = NULL;
	struct story story;
	struct truth before;
	char command[64];

	snprintf(command, sizeof(command), "host kernel=%s", moment->kernel);
	scene_start(&scene, command, NULL);
	before = story_ask_truth(&scene);
	come_to(&scene, moment);
	kill(scene.daemon, moment->signal);
	start_again(&scene, moment);
	story_must_be_true(&scene, &before, moment->held ? moment->held : "waiting");
	story_read(&scene, &story);
	assert_string_equal(story.end, moment->story);
	/* Whoever asked can still ask for the job. */
	after = scene_get(&scene, job, "Detail");
	assert_non_null(strstr(after, "the daemon was killed"));
	/* Nothing is tried again, and nothing is left with the kernel. */
	scene_assert(&scene, SCENE_MANAGER, "CurrentJob", "/");
	world_assert_reads(&scene.world, WORLD_UPLOAD "loading", "0\n");
	scene_end(&scene);
}

static void test_while_the_kernel_works(void **state)
{
	static const char lost[] = "fail loader-entropy=1",
			  refused[] = "fail step=shutdown";
	static const char transferring[] = "transferring";
	static const struct moment moments[] = {
		{ "mainline", NULL, NULL, false, SIGKILL, "never-committed" },
		{ "piece", NULL, NULL, false, SIGKILL, "never-committed" },
		{ "mainline", NULL, "receiving", false, SIGKILL, "succeeded" },
		{ "mainline", NULL, "preparing", false, SIGKILL, "succeeded" },
		{ "mainline", NULL, transferring, false, SIGKILL, "succeeded" },
		{ "mainline", NULL, transferring, true, SIGKILL, "succeeded" },
		{ "mainline", NULL, transferring, false, SIGABRT, "succeeded" },
		{ "mainline", NULL, "programming", false, SIGKILL, "succeeded" },
		{ "mainline", lost, transferring, false, SIGKILL, "lost" },
		{ "mainline", refused, transferring, false, SIGKILL, "refused" },
		{ "piece", NULL, transferring, false, SIGKILL, "succeeded" },
		{ "piece", NULL, transferring, true, SIGKILL, "succeeded" },
		{ "piece", NULL, transferring, false, SIGABRT, "succeeded" },
		{ "piece", lost, transferring, false, SIGKILL, "lost" },
		{ "piece", refused, transferring, false, SIGKILL, "unchanged" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(moments); i++)
		die_in(&moments[i]);
}

/* In the second step of a path: the first was made, the second was not. */
static void test_between_two_steps(void **state)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = NULL;
	_cleanup_(cleanup_free)
	char *detail = NULL;

	(void)state;
	scene_set(&scene, "host kernel=mainline", "upload hold=programming", NULL);
	scene_put_images(&scene, "1.5.06", "1.5.08", "1.5.16,min_module=1.5.08", NULL);
	scene_run(&scene);
	job = scene_update(&scene, "1.5.16");
	world_do(&scene.world, "wait upload programming");
	scene_begin_build(&scene);
	world_do(&scene.world, "upload hold=none");
	scene_await(&scene, job, "State", "waiting");
	scene_assert(&scene, job, "Attempt", "1");
	scene_kill(&scene);
	scene_run(&scene);
	detail = scene_get(&scene, job, "Detail");
	print_message("%s\n", detail);
	scene_assert(&scene, job, "Result", "org.tdxupd1.Error.Interrupted");
	scene_assert(&scene, SCENE_MANAGER, "ModuleVersion", "1.5.08");
	scene_end(&scene);
}

/* ---- random moments ---- */

static unsigned read_number(const char *variable, unsigned fallback)
{
	const char *text = getenv(variable);

	return text && *text ? (unsigned)strtoul(text, NULL, 10) : fallback;
}

static void sleep_usec(unsigned usec)
{
	nanosleep(&(struct timespec){ .tv_nsec = (long)usec * 1000 }, NULL);
}

/* One in four is lost by the update, one in four refused, one in four meets a build. */
static void prepare(struct scene *scene, unsigned choice)
{
	world_do(&scene->world, "boot version=1.5.06 svn=0x0106 ctx=1");
	world_do(&scene->world, "set remaining=10");
	world_do(&scene->world, "fail none");
	if (choice == 1)
		world_do(&scene->world, "fail loader-entropy=1");
	if (choice == 2)
		world_do(&scene->world, "fail sys-busy=1000");
	if (choice == 3)
		world_do(&scene->world, "td build vm1 20ms");
	tree_drop(&scene->world.tree, STORY_FILE);
	tree_drop(&scene->world.tree, STATE_DIR "/holds.json");
}

/* How long an undisturbed update takes from the call: what is worth spreading over. */
static unsigned measure(struct scene *scene)
{
	struct timespec start, end;
	_cleanup_(cleanup_free)
	char *job = NULL;

	prepare(scene, 0);
	scene_run(scene);
	clock_gettime(CLOCK_MONOTONIC, &start);
	job = scene_update(scene, NULL);
	scene_await_end(scene, job, "done");
	clock_gettime(CLOCK_MONOTONIC, &end);
	assert_int_equal(scene_stop(scene), 0);
	return (unsigned)((end.tv_sec - start.tv_sec) * 1000000 +
			  (end.tv_nsec - start.tv_nsec) / 1000);
}

static void die_at_random(const char *kernel, unsigned count, unsigned *seed)
{
	struct scene scene;
	unsigned span, recovered = 0, ended = 0;
	char what[96];

	snprintf(what, sizeof(what), "host kernel=%s", kernel);
	scene_set(&scene, what, "set install-time=2ms", NULL);
	/* The quickest of some: a busy machine would spread the moments too far. */
	span = measure(&scene);
	for (unsigned i = 0; i < 4; i++) {
		unsigned again = measure(&scene);

		span = again < span ? again : span;
	}
	for (unsigned i = 0; i < count; i++) {
		unsigned choice = (unsigned)rand_r(seed) % 4;
		unsigned usec = (unsigned)rand_r(seed) % (span + span / 2);
		struct truth before;
		struct story story;

		prepare(&scene, choice);
		before = story_ask_truth(&scene);
		scene_run(&scene);
		free(scene_update(&scene, NULL));
		sleep_usec(usec);
		scene_kill(&scene);
		scene_run(&scene);
		snprintf(what, sizeof(what), "%s, moment %u, choice %u, after %u us",
			 kernel, i, choice, usec);
		story_must_be_true(&scene, &before, what);
		story_read(&scene, &story);
		ended += strcmp(story.end, "succeeded") == 0 ||
			 strcmp(story.end, "lost") == 0;
		recovered += story.was_recovered;
		assert_int_equal(scene_stop(&scene), 0);
	}
	print_message("%s: of %u moments %u cut an update of %u us off, after %u the "
		      "module had changed\n",
		      kernel, count, recovered, span, ended);
	/* Moments that all miss the update would prove nothing. */
	assert_true(count < 20 || (recovered && ended));
	scene_end(&scene);
}

static void test_random_moments(void **state)
{
	unsigned count = read_number("TDXUPD_CRASHES", 100);
	unsigned seed = read_number("TDXUPD_SEED", 1);

	(void)state;
	print_message("%u moments, TDXUPD_SEED=%u\n", count, seed);
	die_at_random("mainline", count / 2, &seed);
	die_at_random("piece", count - count / 2, &seed);
}

/* ---- others ---- */

static void test_another_boot(void **state)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = NULL;
	struct story story;

	(void)state;
	scene_start(&scene, NULL);
	job = scene_update_waiting(&scene);
	scene_kill(&scene);
	world_do(&scene.world, "boot version=1.5.06 svn=0x0106 ctx=1");
	scene_run(&scene);
	story_read(&scene, &story);
	assert_string_equal(story.end, "rebooted");
	scene_end(&scene);
}

/* A module that changed without us is told as such, once. */
static void test_somebody_else_updates(void **state)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *image = NULL;
	_cleanup_(cleanup_free)
	char *history = NULL;
	char path[160];
	FILE *file;
	size_t count;

	(void)state;
	scene_start(&scene, "host kernel=mainline", NULL);
	assert_int_equal(scene_stop(&scene), 0);
	scene_put_images(&scene, "1.5.16,container=0x200", NULL);
	snprintf(path, sizeof(path), "%s/" WORLD_IMAGES "/tdx_module_1.5.16.blob",
		 scene.world.tree.path);
	file = fopen(path, "re");
	assert_non_null(file);
	image = malloc(1 << 20);
	count = fread(image, 1, 1 << 20, file);
	fclose(file);
	world_upload(&scene.world, image, count);
	scene_run(&scene);
	scene_assert(&scene, SCENE_MANAGER, "ModuleVersion", "1.5.16");
	assert_int_equal(world_read(&scene.world, STORY_FILE, &history), 0);
	assert_non_null(strstr(history, "\"phase\":\"external\",\"from\":\"1.5.06\""));
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_while_the_kernel_works),
		cmocka_unit_test(test_between_two_steps),
		cmocka_unit_test(test_random_moments),
		cmocka_unit_test(test_another_boot),
		cmocka_unit_test(test_somebody_else_updates),
	};

	if (!scene_is_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
