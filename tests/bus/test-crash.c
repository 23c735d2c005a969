// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The daemon is killed at every state and at random moments, and started again. What it
 * then says of the update must be what the simulated machine knows.
 *
 * TDXUPD_CRASHES is the number of random moments, TDXUPD_SEED their seed.
 */
#include <errno.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../unit/test.h"
#include "history.h"
#include "scene.h"
#include "util.h"

#define HISTORY STATE_DIR "/" HISTORY_FILE

/* ---- what the history tells, and what the machine knows ---- */

/* How the last update ended, by the history; "none" where it never began. */
static void read_story(struct scene *scene, char *ret, size_t size)
{
	_cleanup_(cleanup_free)
	char *text = NULL;
	char *save = NULL;

	snprintf(ret, size, "none");
	if (world_read(&scene->world, HISTORY, &text) < 0)
		return;
	for (char *line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		struct history_record record;
		struct tdxupd_digest chain;

		assert_int_equal(
			history_line_parse(line, strlen(line), NULL, &record, &chain), 0);
		if (strcmp(record.phase, "recovered") == 0)
			snprintf(ret, size, "%s", record.outcome);
		else if (strcmp(record.phase, "done") == 0)
			snprintf(ret, size, "succeeded");
		else if (strcmp(record.phase, "started") != 0 &&
			 strcmp(record.phase, "held") != 0)
			snprintf(ret, size, "%s", record.phase);
		history_record_done(&record);
	}
}

struct truth {
	bool is_live;
	unsigned updates;
};

static struct truth ask_truth(struct scene *scene)
{
	_cleanup_(cleanup_free)
	char *status = world_ask(&scene->world, "status");
	struct truth truth = { .is_live = strstr(status, "tdx live") };
	const char *updates = strstr(status, " updates ");

	assert_non_null(updates);
	assert_int_equal(sscanf(updates, " updates %u", &truth.updates), 1);
	return truth;
}

static bool is_one_of(const char *text, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(text, *list) == 0)
			return true;
	return false;
}

/* @before: updates that had gone through before all this; a boot does not reset them. */
static void must_be_true(struct scene *scene, unsigned before, const char *what)
{
	static const char *const unchanged[] = { "none",      "never-committed",
						 "unchanged", "refused",
						 "failed",    NULL };
	struct truth truth = ask_truth(scene);
	char story[64];
	bool is_true;

	truth.updates -= before;
	read_story(scene, story, sizeof(story));
	if (!truth.is_live)
		is_true = strcmp(story, "lost") == 0;
	else if (truth.updates)
		is_true = strcmp(story, "succeeded") == 0;
	else
		is_true = is_one_of(story, unchanged);
	if (!is_true)
		fail_msg("%s: told `%s'; the machine is %s after %u updates", what, story,
			 truth.is_live ? "live" : "lost", truth.updates);
}

/* ---- every state ---- */

struct moment {
	const char *state;
	const char *kernel;
	const char *before; /* a command for the host, or NULL */
	const char *held;   /* the worker's phase in which it dies, or NULL */
	const char *story;
};

static void die_in(const struct moment *moment)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = NULL;
	_cleanup_(cleanup_free)
	char *after = NULL;
	char story[64], command[64];

	snprintf(command, sizeof(command), "host kernel=%s", moment->kernel);
	scene_start(&scene, command, NULL);
	if (moment->before)
		world_do(&scene.world, "%s", moment->before);
	if (moment->held)
		world_do(&scene.world, "upload hold=%s", moment->held);
	if (strcmp(moment->state, "waiting") == 0)
		scene_begin_build(&scene);
	job = scene_update(&scene, NULL);
	scene_await(&scene, job, "State", moment->state);
	scene_kill(&scene);
	if (moment->held)
		world_do(&scene.world, "upload hold=none");
	scene_run(&scene);
	must_be_true(&scene, 0, moment->state);
	read_story(&scene, story, sizeof(story));
	assert_string_equal(story, moment->story);
	/* Whoever asked can still ask for the job. */
	after = scene_get(&scene, job, "Detail");
	assert_non_null(strstr(after, "the daemon was killed"));
	/* Nothing is tried again, and nothing is left with the kernel. */
	scene_assert(&scene, SCENE_MANAGER, "CurrentJob", "/");
	world_assert_reads(&scene.world, WORLD_UPLOAD "loading", "0\n");
	scene_end(&scene);
}

static void test_every_state(void **state)
{
	static const struct moment moments[] = {
		{ "waiting", "mainline", NULL, NULL, "never-committed" },
		{ "waiting", "piece", NULL, NULL, "never-committed" },
		{ "confirming", "mainline", NULL, "preparing", "succeeded" },
		{ "confirming", "mainline", NULL, "transferring", "succeeded" },
		{ "confirming", "mainline", NULL, "programming", "succeeded" },
		{ "confirming", "mainline", "fail loader-entropy=1", "transferring",
		  "lost" },
		{ "confirming", "mainline", "fail step=shutdown", "transferring",
		  "refused" },
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
	tree_drop(&scene->world.tree, HISTORY);
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

static bool was_recovered(struct scene *scene)
{
	_cleanup_(cleanup_free)
	char *text = NULL;

	return world_read(&scene->world, HISTORY, &text) == 0 &&
	       strstr(text, "\"phase\":\"recovered\"");
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
		unsigned before = ask_truth(&scene).updates;
		char story[64];

		prepare(&scene, choice);
		scene_run(&scene);
		free(scene_update(&scene, NULL));
		sleep_usec(usec);
		scene_kill(&scene);
		scene_run(&scene);
		snprintf(what, sizeof(what), "%s, moment %u, choice %u, after %u us",
			 kernel, i, choice, usec);
		must_be_true(&scene, before, what);
		read_story(&scene, story, sizeof(story));
		ended += strcmp(story, "succeeded") == 0 || strcmp(story, "lost") == 0;
		recovered += was_recovered(&scene);
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

/* ---- the disk ---- */

static void state_path(const struct scene *scene, char *ret, size_t size)
{
	snprintf(ret, size, "%s/" STATE_DIR, scene->world.tree.path);
}

/* What can't be recorded is not committed. */
static void must_not_commit(const char *options, unsigned long flags, bool does_fill)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = NULL;
	char path[128];

	scene_set(&scene, NULL);
	tree_put(&scene.world.tree, STATE_DIR "/x", "");
	state_path(&scene, path, sizeof(path));
	assert_int_equal(mount("tmpfs", path, "tmpfs", flags, options), 0);
	if (does_fill) {
		char zeros[65536] = { 0 };

		strcat(path, "/fill");
		for (FILE *file = fopen(path, "we"); file; file = NULL) {
			setbuf(file, NULL);
			while (fwrite(zeros, 1, 512, file) == 512)
				;
			fclose(file);
		}
		state_path(&scene, path, sizeof(path));
	}
	scene_run(&scene);
	job = scene_update(&scene, NULL);
	scene_await_end(&scene, job, "Unknown");
	scene_assert(&scene, job, "Attempt", "0");
	scene_assert_host(&scene, "1.5.06", 0);
	assert_int_equal(scene_stop(&scene), 0);
	umount2(path, MNT_DETACH);
	scene_end(&scene);
}

static void test_a_full_disk(void **state)
{
	(void)state;
	must_not_commit("size=64k,mode=0755", 0, true);
}

static void test_a_read_only_disk(void **state)
{
	(void)state;
	must_not_commit("mode=0755", MS_RDONLY, false);
}

static void test_a_directory_of_somebody_else(void **state)
{
	struct scene scene;

	(void)state;
	scene_set(&scene, NULL);
	tree_put(&scene.world.tree, STATE_DIR "/x", "");
	assert_int_equal(fchownat(scene.world.tree.fd, STATE_DIR, 1, 1, 0), 0);
	scene_run(&scene);
	scene_update_refused(&scene, "org.tdxupd1.Error.Held", NULL, 0);
	scene_assert_host(&scene, "1.5.06", 0);
	scene_end(&scene);
}

static void test_a_history_that_is_garbage(void **state)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = NULL;

	(void)state;
	scene_start(&scene, NULL);
	assert_int_equal(scene_stop(&scene), 0);
	tree_put(&scene.world.tree, HISTORY, "{\"v\":1,\"phase\":\"committing\"}\n");
	fchmodat(scene.world.tree.fd, HISTORY, 0600, 0);
	scene_run(&scene);
	job = scene_update(&scene, NULL);
	scene_await_end(&scene, job, "done");
	scene_end(&scene);
}

/* ---- others ---- */

static void test_another_boot(void **state)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = NULL;
	char story[64];

	(void)state;
	scene_start(&scene, NULL);
	job = scene_update_waiting(&scene);
	scene_kill(&scene);
	world_do(&scene.world, "boot version=1.5.06 svn=0x0106 ctx=1");
	scene_run(&scene);
	read_story(&scene, story, sizeof(story));
	assert_string_equal(story, "rebooted");
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
	assert_int_equal(world_read(&scene.world, HISTORY, &history), 0);
	assert_non_null(strstr(history, "\"phase\":\"external\",\"from\":\"1.5.06\""));
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_state),
		cmocka_unit_test(test_between_two_steps),
		cmocka_unit_test(test_random_moments),
		cmocka_unit_test(test_a_full_disk),
		cmocka_unit_test(test_a_read_only_disk),
		cmocka_unit_test(test_a_directory_of_somebody_else),
		cmocka_unit_test(test_a_history_that_is_garbage),
		cmocka_unit_test(test_another_boot),
		cmocka_unit_test(test_somebody_else_updates),
	};

	if (!scene_is_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
