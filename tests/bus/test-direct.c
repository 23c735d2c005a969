// SPDX-License-Identifier: LGPL-2.1-or-later
/* tdxupdctl update --direct: the same update without a daemon. */
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit/test.h"
#include "ctl.h"
#include "scene.h"
#include "util.h"

static pid_t spawn(struct scene *scene, const char *deadline)
{
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid)
		return pid;
	execl(getenv("TDXUPD_CTL"), "tdxupdctl", "--root", scene->world.tree.path,
	      "update", "--direct", "--deadline", deadline, NULL);
	_exit(127);
}

static void test_it_waits_for_the_build(void **state)
{
	struct scene scene;
	pid_t pid;

	(void)state;
	scene_set(&scene, NULL);
	world_do(&scene.world, "td build vm1 manual");
	world_do(&scene.world, "td step vm1 extend");
	pid = spawn(&scene, "10s");
	usleep(300000);
	scene_assert_host(&scene, "1.5.06", 0);
	world_do(&scene.world, "td step vm1 finalize");
	assert_int_equal(scene_reap(pid), 0);
	scene_assert_host(&scene, "1.5.16", 1);
	world_assert_mrtd(&scene.world, "vm1", true);
	scene_end(&scene);
}

static void test_its_exit_codes(void **state)
{
	struct scene scene;

	(void)state;
	scene_set(&scene, NULL);
	scene_begin_build(&scene);
	assert_int_equal(scene_reap(spawn(&scene, "300ms")), CTL_EXIT_BLOCKED);
	world_do(&scene.world, "td abort vm1");
	world_do(&scene.world, "lp offline 3");
	assert_int_equal(scene_reap(spawn(&scene, "1s")), CTL_EXIT_REFUSED);
	scene_assert_host(&scene, "1.5.06", 0);
	scene_end(&scene);
}

/* Whether it hears Ctrl-C, and so does not die of it. */
static bool does_block_interrupts(pid_t pid)
{
	char path[64], line[128];
	unsigned long long mask = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "SigBlk: %llx", &mask) == 1)
			break;
	fclose(file);
	return mask & (1ULL << (SIGINT - 1));
}

static void test_ctrl_c_cancels_it(void **state)
{
	struct scene scene;
	pid_t pid;

	(void)state;
	scene_set(&scene, NULL);
	scene_begin_build(&scene);
	pid = spawn(&scene, "1h");
	for (unsigned i = 0; !does_block_interrupts(pid) && i < 12000; i++)
		usleep(10000);
	assert_int_equal(kill(pid, SIGINT), 0);
	assert_int_equal(scene_reap(pid), CTL_EXIT_CANCELLED);
	scene_assert_host(&scene, "1.5.06", 0);
	/* What makes no sense is said before anything is touched. */
	assert_int_equal(scene_reap(spawn(&scene, "soon")), CTL_EXIT_USAGE);
	scene_end(&scene);
}

/* One writer a host. */
static void test_not_beside_a_daemon(void **state)
{
	struct scene scene;

	(void)state;
	scene_start(&scene, NULL);
	assert_int_equal(scene_reap(spawn(&scene, "1s")), 1);
	scene_assert_host(&scene, "1.5.06", 0);
	scene_end(&scene);
}

/* What the one did, the other knows. */
static void test_it_leaves_its_history(void **state)
{
	struct scene scene;

	(void)state;
	scene_set(&scene, "fail step=shutdown", NULL);
	assert_int_equal(scene_reap(spawn(&scene, "1s")), CTL_EXIT_REFUSED);
	assert_int_equal(scene_reap(spawn(&scene, "1s")), CTL_EXIT_FAILED);
	scene_run(&scene);
	scene_update_refused(&scene, "org.tdxupd1.Error.Failed", "1.5.16", 0);
	scene_end(&scene);
}

static bool is_staged(struct scene *scene)
{
	_cleanup_(cleanup_free)
	char *loading = NULL;

	return world_read(&scene->world, WORLD_UPLOAD "loading", &loading) == 0 &&
	       strcmp(loading, "1\n") == 0;
}

static pid_t spawn_waiting(struct scene *scene)
{
	pid_t pid;

	scene_set(scene, "host kernel=mainline", NULL);
	scene_begin_build(scene);
	pid = spawn(scene, "60s");
	for (unsigned waited = 0; !is_staged(scene); waited++) {
		assert_true(waited < 2000);
		usleep(5000);
	}
	return pid;
}

/* Stop buttons: what forbids by then, and a signal. It gives back what it has staged. */
static void test_it_can_be_stopped(void **state)
{
	static const struct {
		const char *config;
		int signal;
		int code;
	} ways[] = {
		{ "Blocked=1.5.16\n", SIGHUP, CTL_EXIT_FORBIDDEN },
		{ "ReserveUpdates=100\n", SIGHUP, CTL_EXIT_EXHAUSTED },
		{ "", SIGTERM, CTL_EXIT_CANCELLED },
		{ "", SIGINT, CTL_EXIT_CANCELLED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct scene scene;
		pid_t pid = spawn_waiting(&scene);

		/* One that makes no sense stops nothing. */
		scene_put_config(&scene, "Nonsense=1\n");
		kill(pid, SIGHUP);
		usleep(100000);
		assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
		scene_put_config(&scene, ways[i].config);
		kill(pid, ways[i].signal);
		assert_int_equal(scene_reap(pid), ways[i].code);
		world_assert_reads(&scene.world, WORLD_UPLOAD "loading", "0\n");
		world_do(&scene.world, "td abort vm1");
		scene_assert_host(&scene, "1.5.06", 0);
		scene_end(&scene);
	}
}

/* What was held before counts, and names itself. */
static void test_it_heeds_holds(void **state)
{
	struct scene scene;

	(void)state;
	scene_start(&scene, NULL);
	assert_null(scene_hold(&scene, "all", 0));
	assert_int_equal(scene_stop(&scene), 0);
	assert_int_equal(scene_reap(spawn(&scene, "1s")), CTL_EXIT_HELD);
	scene_assert_host(&scene, "1.5.06", 0);
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_waits_for_the_build),
		cmocka_unit_test(test_its_exit_codes),
		cmocka_unit_test(test_ctrl_c_cancels_it),
		cmocka_unit_test(test_not_beside_a_daemon),
		cmocka_unit_test(test_it_leaves_its_history),
		cmocka_unit_test(test_it_can_be_stopped),
		cmocka_unit_test(test_it_heeds_holds),
	};

	if (!scene_is_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
