// SPDX-License-Identifier: LGPL-2.1-or-later
/* tdxupdctl for others than root: what only root may read is asked of the daemon. */
#include "test.h"
#include "cli.h"
#include "json.h"
#include "schema.h"
#include "../bus/scene.h"

#include <sys/stat.h>
#include <unistd.h>

#include <json-c/json.h>

#define NOBODY 65534

/* Under a file system that somebody else may enter. */
static void open_up(struct scene *scene)
{
	assert_int_equal(chmod(scene->world.tree.path, 0755), 0);
	cli_set_user(NOBODY);
}

static void close_up(struct scene *scene)
{
	cli_set_user(0);
	scene_end(scene);
}

static void assert_says(struct scene *scene, int code, const char *verb,
			const char *words)
{
	struct cli cli;

	CLI_RUN(&cli, scene, verb);
	if (cli.code != code || !strstr(cli.out, words))
		fail_msg("%s left with %d, and no \"%s\": %s%s", verb, cli.code, words,
			 cli.out, cli.err);
	cli_done(&cli);
}

static void test_the_daemon_knows(void **state)
{
	struct scene scene;

	(void)state;
	scene_start(&scene, NULL);
	open_up(&scene);
	assert_says(&scene, 0, "plan", "From 1.5.06 to 1.5.16 in 1 step");
	assert_says(&scene, 0, "list", "offered");
	assert_says(&scene, 0, "check", "1.5.16");
	assert_says(&scene, CTL_EXIT_AVAILABLE, "is-current", "outdated");
	assert_says(&scene, 0, "status", "Updates left  10");
	assert_says(&scene, 0, "status", "P-SEAMLDR");
	assert_says(&scene, 0, "status", "to 1.5.16");
	assert_says(&scene, 0, "doctor", "10 updates left");
	assert_says(&scene, 0, "doctor", "sure of TDs under build:");
	close_up(&scene);
}

/* Unknown counts against an update, slots that may be used up first. */
static void test_nobody_knows(void **state)
{
	struct scene scene;

	(void)state;
	scene_set(&scene, NULL);
	open_up(&scene);
	assert_says(&scene, CTL_EXIT_EXHAUSTED, "plan", "can't be read");
	assert_says(&scene, 0, "list", "refused");
	assert_says(&scene, CTL_EXIT_EXHAUSTED, "check", "");
	assert_says(&scene, CTL_EXIT_EXHAUSTED, "is-current", "exhausted");
	close_up(&scene);
}

/* A pin is root's to read, and holds for what is said to all. */
static void test_a_pin(void **state)
{
	struct scene scene;

	(void)state;
	scene_start(&scene, NULL);
	assert_null(scene_pin(&scene, "1.5.06"));
	open_up(&scene);
	assert_says(&scene, CTL_EXIT_PINNED, "plan", "1.5.06 is pinned since");
	assert_says(&scene, 0, "list", "another version is pinned");
	assert_says(&scene, 0, "list", "by root (uid 0): a test");
	assert_says(&scene, 0, "status", "to 1.5.06 since ");
	close_up(&scene);
}

/* There is no polkit on this bus. */
static void test_what_is_for_root(void **state)
{
	static const char *const lines[][3] = {
		{ "update" },        { "hold", "all" }, { "unhold", "all" },
		{ "pin", "1.5.16" }, { "unpin" },       { "history" },
	};
	struct scene scene;

	(void)state;
	scene_start(&scene, NULL);
	open_up(&scene);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct cli cli;

		CLI_RUN(&cli, &scene, lines[i][0], lines[i][1], lines[i][2]);
		if (cli.code != CTL_EXIT_NOT_AUTHORISED)
			fail_msg("%s left with %d: %s", lines[i][0], cli.code, cli.err);
		assert_non_null(strstr(cli.err, "not authorised"));
		cli_done(&cli);
	}
	scene_assert_host(&scene, "1.5.06", 0);
	close_up(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_daemon_knows),
		cmocka_unit_test(test_nobody_knows),
		cmocka_unit_test(test_a_pin),
		cmocka_unit_test(test_what_is_for_root),
	};

	if (!cli_is_possible() || !scene_is_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
