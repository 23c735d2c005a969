// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The file system of the images does not answer any more, while an update waits with its
 * image staged. It is asked for by anybody's question, and nothing but that question's
 * answer has to wait for it: not the update, not the bus, not the end of the daemon.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit/test.h"
#include "ctl.h"
#include "scene.h"
#include "util.h"

#define FUSE_MAGIC 0x65735546

struct answer {
	unsigned count;
	char name[64];
	char text[256];
};

static int on_answer(sd_bus_message *message, void *userdata, sd_bus_error *unused)
{
	struct answer *answer = userdata;
	const sd_bus_error *error = sd_bus_message_get_error(message);

	(void)unused;
	answer->count++;
	snprintf(answer->name, sizeof(answer->name), "%s", error ? error->name : "");
	snprintf(answer->text, sizeof(answer->text), "%s", error ? error->message : "");
	return 0;
}

static void ask_for_a_plan(struct scene *scene, struct answer *answer)
{
	sd_bus_message *call = NULL;

	assert_true(sd_bus_message_new_method_call(scene->bus, &call, "org.tdxupd1",
						   SCENE_MANAGER, "org.tdxupd1.Manager",
						   "Plan") >= 0);
	assert_true(sd_bus_message_append(call, "sa{sv}", "", 0) >= 0);
	assert_true(sd_bus_call_async(scene->bus, NULL, call, on_answer, answer,
				      UINT64_MAX) >= 0);
	sd_bus_message_unref(call);
	assert_true(sd_bus_flush(scene->bus) >= 0);
}

/* ---- the file system ---- */

static pid_t hang(const char *path)
{
	struct statfs fs;
	pid_t pid = scene_fork();

	if (pid == 0) {
		execl(getenv("TDXUPD_HANGFS"), "hangfs", path, (char *)NULL);
		_exit(127);
	}
	for (unsigned i = 0; i < 12000; i++) {
		if (statfs(path, &fs) == 0 && fs.f_type == FUSE_MAGIC)
			return pid;
		usleep(10000);
	}
	fail_msg("%s was not mounted", path);
	return 0;
}

static void unhang(const char *path, pid_t pid)
{
	(void)umount2(path, MNT_DETACH);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

/* The daemon's workers, by their name. */
static unsigned count_workers(const struct scene *scene)
{
	char path[64], name[32];
	unsigned count = 0;

	for (pid_t pid = scene->daemon; pid < scene->daemon + 2000; pid++) {
		FILE *file;

		snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
		file = fopen(path, "re");
		if (!file)
			continue;
		if (fgets(name, sizeof(name), file) &&
		    strcmp(name, "tdxupdd-worker\n") == 0)
			count++;
		fclose(file);
	}
	return count;
}

static void await_worker(const struct scene *scene)
{
	for (unsigned i = 0; i < 12000; i++) {
		if (count_workers(scene))
			return;
		usleep(10000);
	}
	fail_msg("nothing is being read");
}

static char *find_images(const struct scene *scene)
{
	char *path = NULL;

	assert_true(asprintf(&path, "%s/%s", scene->world.tree.path, WORLD_IMAGES) > 0);
	return path;
}

static void test_only_the_question_waits(void **state)
{
	struct scene scene;
	struct answer answer = { 0 };
	_cleanup_(cleanup_free)
	char *job = NULL;
	_cleanup_(cleanup_free)
	char *path = NULL;
	unsigned waited = 0;
	pid_t pid;

	(void)state;
	scene_start(&scene, NULL);
	job = scene_update_waiting(&scene);
	path = find_images(&scene);
	pid = hang(path);
	ask_for_a_plan(&scene, &answer);
	await_worker(&scene);
	scene_assert(&scene, job, "State", "waiting");
	world_do(&scene.world, "td step vm1 finalize");
	scene_await_end(&scene, job, "done");
	scene_assert_host(&scene, "1.5.16", 1);
	assert_int_equal(answer.count, 0);
	while (!answer.count)
		if (!scene_listen(scene.bus, &waited) && waited > 1000000)
			fail_msg("no answer");
		else
			waited = 0;
	assert_string_equal(answer.name, "org.tdxupd1.Error.Config");
	assert_non_null(strstr(answer.text, "fuse"));
	assert_non_null(strstr(answer.text, "does not answer"));
	unhang(path, pid);
	scene_end(&scene);
}

static void test_the_daemon_ends(void **state)
{
	struct scene scene;
	struct answer answer = { 0 };
	_cleanup_(cleanup_free)
	char *path = NULL;
	pid_t pid;

	(void)state;
	scene_start(&scene, NULL);
	scene_assert_rests(&scene);
	path = find_images(&scene);
	pid = hang(path);
	ask_for_a_plan(&scene, &answer);
	await_worker(&scene);
	assert_int_equal(scene_stop(&scene), 0);
	/* What hangs keeps nothing of the daemon's, least of all its lock. */
	unhang(path, pid);
	scene_run(&scene);
	scene_end(&scene);
}

/* One that is started meanwhile comes up. */
static void test_the_daemon_starts(void **state)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *path = NULL;
	pid_t pid;

	(void)state;
	scene_set(&scene, NULL);
	scene_put_config(&scene, "AutoUpdate=apply\n");
	path = find_images(&scene);
	pid = hang(path);
	scene_run(&scene);
	scene_assert(&scene, SCENE_MANAGER, "NextVersion", "");
	scene_assert_host(&scene, "1.5.06", 0);
	unhang(path, pid);
	scene_end(&scene);
}

/* Its exit status; what it says, on either, goes to @ret. */
static int run_ctl(const struct scene *scene, const char *verb, char *ret, size_t size)
{
	size_t used = 0;
	ssize_t n;
	int ends[2];
	pid_t pid;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = scene_fork();
	if (pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		dup2(ends[1], STDERR_FILENO);
		execl(getenv("TDXUPD_CTL"), "tdxupdctl", "--root", scene->world.tree.path,
		      verb, (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	while (used < size - 1 && (n = read(ends[0], ret + used, size - 1 - used)) > 0)
		used += (size_t)n;
	ret[used] = '\0';
	close(ends[0]);
	return scene_reap(pid);
}

/* No verb hangs where the images do: it says so, and what they are on. */
static void test_no_verb_hangs(void **state)
{
	static const struct {
		const char *name;
		int code;
	} verbs[] = {
		{ "doctor", CTL_EXIT_NO_IMAGE }, { "list", CTL_EXIT_CONFIG },
		{ "plan", CTL_EXIT_CONFIG },     { "is-current", CTL_EXIT_CONFIG },
		{ "status", CTL_EXIT_OK },
	};
	struct scene scene;
	_cleanup_(cleanup_free)
	char *path = NULL;
	char text[8192];
	pid_t pid;

	(void)state;
	scene_set(&scene, NULL);
	path = find_images(&scene);
	pid = hang(path);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		int code = run_ctl(&scene, verbs[i].name, text, sizeof(text));

		if (code != verbs[i].code || !strstr(text, "fuse") ||
		    !strstr(text, "answer"))
			fail_msg("%s: %d, %s", verbs[i].name, code, text);
	}
	unhang(path, pid);
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_the_question_waits),
		cmocka_unit_test(test_the_daemon_ends),
		cmocka_unit_test(test_the_daemon_starts),
		cmocka_unit_test(test_no_verb_hangs),
	};

	if (!scene_is_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
