// SPDX-License-Identifier: LGPL-2.1-or-later
/* What the daemon can't have: said by it, as it sees it, and not by those who ask. */
#include <unistd.h>

#include "../unit/test.h"
#include "scene.h"
#include "util.h"

static pid_t run_without_inotify(struct scene *scene)
{
	pid_t pid = scene_fork();

	if (pid)
		return pid;
	if (!scene_give_inotify_up())
		_exit(77);
	scene_become_daemon(scene);
}

static char *ask_ctl(struct scene *scene, const char *verb)
{
	char command[512], *text = calloc(1, 16384);
	FILE *pipe;

	assert_non_null(text);
	snprintf(command, sizeof(command), "%s --bus-address %s --root %s %s 2>&1",
		 getenv("TDXUPD_CTL"), scene->address, scene->world.tree.path, verb);
	pipe = popen(command, "re");
	assert_non_null(pipe);
	(void)!fread(text, 1, 16383, pipe);
	pclose(pipe);
	return text;
}

static void assert_says(struct scene *scene, const char *verb, const char *what)
{
	_cleanup_(cleanup_free)
	char *text = ask_ctl(scene, verb);

	if (!strstr(text, what))
		fail_msg("`%s' does not say \"%s\":\n%s", verb, what, text);
}

static void test_a_daemon_without_inotify(void **state)
{
	static const char *const lost[] = {
		"others that write to the kernel's upload files",
		"AutoUpdate= does nothing by itself"
	};
	struct scene scene;

	(void)state;
	scene_set(&scene, "host kernel=mainline", NULL);
	scene.daemon = run_without_inotify(&scene);
	scene_await_name(&scene);
	scene_await(&scene, SCENE_MANAGER, "NextVersion", "1.5.16");
	for (size_t i = 0; i < ARRAY_SIZE(lost); i++)
		assert_says(&scene, "status --json", lost[i]);
	assert_says(&scene, "status", "fs.inotify.max_user_instances");
	assert_says(&scene, "doctor", "others that write");
	scene_end(&scene);
}

static void test_a_daemon_that_lacks_nothing(void **state)
{
	struct scene scene;

	(void)state;
	scene_start(&scene, "host kernel=mainline", NULL);
	scene_await(&scene, SCENE_MANAGER, "NextVersion", "1.5.16");
	assert_says(&scene, "status --json", "\"lacks\":[]");
	assert_says(&scene, "doctor", "tdxupdd has what it needs");
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_daemon_without_inotify),
		cmocka_unit_test(test_a_daemon_that_lacks_nothing),
	};
	pid_t probe;

	if (!scene_is_possible())
		return TEST_SKIPPED;
	probe = scene_fork();
	if (probe == 0)
		_exit(scene_give_inotify_up() ? 0 : 77);
	if (scene_reap(probe) != 0) {
		fputs("SKIPPED: no user namespace to be had\n", stderr);
		return TEST_SKIPPED;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
