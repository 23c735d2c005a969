// SPDX-License-Identifier: LGPL-2.1-or-later
/* Every exit code of tdxupdctl(1), by what the page says it is for. */
#include "test.h"
#include "cli.h"
#include "ctl.h"
#include "../bus/scene.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOBODY 65534

static bool seen[256];

#define RUN(scene, code, ...)                           \
	run((scene)->world.tree.path, (scene)->address, \
	    (const char *const[8]){ __VA_ARGS__ }, code)

static void run(const char *root, const char *address, const char *const *words, int code)
{
	struct cli cli;

	cli_run(&cli, root, "--bus-address", address, words[0], words[1], words[2],
		words[3], words[4], NULL);
	if (cli.code != code)
		fail_msg("%s %s left with %d, not %d: %s%s", words[0],
			 words[1] ? words[1] : "", cli.code, code, cli.out, cli.err);
	seen[code] = true;
	cli_done(&cli);
}

/* An update that waits, until @end has been done to it. */
static void wait_and(struct scene *scene, void (*end)(struct scene *, struct cli *),
		     int code)
{
	struct cli cli;

	CLI_START(&cli, scene, "update");
	cli_await(&cli, "waiting");
	end(scene, &cli);
	cli_finish(&cli);
	assert_int_equal(cli.code, code);
	seen[code] = true;
	cli_done(&cli);
}

static void interrupt(struct scene *scene, struct cli *cli)
{
	(void)scene;
	assert_int_equal(kill(cli->pid, SIGINT), 0);
}

static void cancel(struct scene *scene, struct cli *cli)
{
	(void)cli;
	RUN(scene, 0, "cancel");
}

static void test_a_host_with_an_update(void **state)
{
	struct scene scene;

	(void)state;
	scene_start(&scene, NULL);
	RUN(&scene, 0, "status");
	RUN(&scene, 1, "image", "show", "/nonexistent");
	RUN(&scene, 2, "frobnicate");
	RUN(&scene, CTL_EXIT_NO_IMAGE, "plan", "1.5.99");
	RUN(&scene, CTL_EXIT_AVAILABLE, "check", "--exit-code");
	RUN(&scene, CTL_EXIT_AVAILABLE, "is-current");
	scene_begin_build(&scene);
	RUN(&scene, CTL_EXIT_BLOCKED, "update", "--deadline=200ms");
	wait_and(&scene, interrupt, 130);
	wait_and(&scene, cancel, CTL_EXIT_CANCELLED);
	RUN(&scene, 0, "hold", "all");
	RUN(&scene, CTL_EXIT_HELD, "update");
	RUN(&scene, 0, "unhold", "all");
	RUN(&scene, 0, "pin", "1.5.06");
	RUN(&scene, CTL_EXIT_PINNED, "update", "1.5.16");
	assert_int_equal(scene_stop(&scene), 0);
	RUN(&scene, CTL_EXIT_UNREACHABLE, "update");
	scene_end(&scene);
}

static void test_other_hosts(void **state)
{
	struct scene scene;

	(void)state;
	scene_set_bare(&scene);
	RUN(&scene, CTL_EXIT_UNSUPPORTED, "plan");
	scene_end(&scene);
	scene_start(&scene, "set remaining=0", NULL);
	RUN(&scene, CTL_EXIT_EXHAUSTED, "plan");
	RUN(&scene, CTL_EXIT_EXHAUSTED, "update");
	scene_end(&scene);
}

/* What keeps a newer image away, each with its own code. */
static void test_what_is_in_the_way(void **state)
{
	struct scene scene;

	(void)state;
	scene_start(&scene, "fail step=shutdown", NULL);
	RUN(&scene, CTL_EXIT_REFUSED, "update");
	RUN(&scene, CTL_EXIT_FAILED, "update");
	RUN(&scene, CTL_EXIT_FAILED, "is-current");
	RUN(&scene, 0, "reset-failed");
	world_do(&scene.world, "lp offline 3");
	RUN(&scene, CTL_EXIT_REFUSED, "plan");
	world_do(&scene.world, "lp online 3");
	scene_put_config(&scene, "Blocked=1.5.16\n");
	RUN(&scene, CTL_EXIT_FORBIDDEN, "plan", "1.5.16");
	RUN(&scene, 0, "plan");
	scene_put_config(&scene, "Blocked=everything\n");
	RUN(&scene, CTL_EXIT_CONFIG, "plan");
	scene_end(&scene);
}

static void test_somebody_else(void **state)
{
	struct scene scene;

	(void)state;
	scene_start(&scene, NULL);
	assert_int_equal(chmod(scene.world.tree.path, 0755), 0);
	cli_set_user(NOBODY);
	RUN(&scene, CTL_EXIT_NOT_AUTHORISED, "update");
	cli_set_user(0);
	scene_end(&scene);
}

static void test_a_damaged_image(void **state)
{
	struct scene scene;
	char path[128];

	(void)state;
	scene_start(&scene, NULL);
	tree_put(&scene.world.tree, WORLD_IMAGES "/tdx_module_1.5.16.blob", "damaged");
	snprintf(path, sizeof(path), "%s/" WORLD_IMAGES "/tdx_module_1.5.16.blob",
		 scene.world.tree.path);
	RUN(&scene, CTL_EXIT_UNTRUSTED, "image", "verify", path);
	RUN(&scene, CTL_EXIT_UNTRUSTED, "update", "1.5.16");
	scene_end(&scene);
}

/* The loader installs what then does not start. */
static void test_tdx_is_lost(void **state)
{
	struct scene scene;

	(void)state;
	scene_start(&scene, "fail step=install status=0x8000000000020001", NULL);
	RUN(&scene, CTL_EXIT_LOST, "update");
	RUN(&scene, CTL_EXIT_LOST, "status");
	RUN(&scene, CTL_EXIT_LOST, "plan");
	scene_end(&scene);
}

#define RELEASE(version)                                                            \
	"{\"version\": \"" version "\", \"min_module_version_for_td_preserving\": " \
	"\"1.5.01\", \"min_seamldr_versions\": [\"1.5.00\"], \"tdx_feature0\": "    \
	"\"0x2E1F0FBF\"}"

/* Nobody signs a file's name: what is called 1.5.16 is 1.5.08. */
static void test_another_module_than_was_asked_for(void **state)
{
	struct scene scene;

	(void)state;
	scene_set(&scene, NULL);
	tree_drop(&scene.world.tree, WORLD_IMAGES "/tdx_module_1.5.16.blob");
	scene_put_images(&scene, "1.5.06,ctx=1,features0=0x2E1F0FBF",
			 "1.5.08,ctx=2,features0=0x2E1F0FBF,file=tdx_module_1.5.16.blob",
			 NULL);
	tree_put(&scene.world.tree, WORLD_IMAGES "/mapping_file.json",
		 "{\"tdx_module_releases\": [" RELEASE("1.5.06") "," RELEASE(
			 "1.5.16") "]}");
	scene_run(&scene);
	RUN(&scene, CTL_EXIT_MISMATCH, "update", "1.5.16");
	scene_assert_host(&scene, "1.5.08", 1);
	scene_end(&scene);
}

/* After all others. */
static void test_no_code_is_left_out(void **state)
{
	(void)state;
	for (int code = 0; code < 256; code++)
		if (ctl_exit_describe(code) && !seen[code])
			fail_msg("nothing left with %d: %s", code,
				 ctl_exit_describe(code));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_host_with_an_update),
		cmocka_unit_test(test_other_hosts),
		cmocka_unit_test(test_what_is_in_the_way),
		cmocka_unit_test(test_somebody_else),
		cmocka_unit_test(test_a_damaged_image),
		cmocka_unit_test(test_tdx_is_lost),
		cmocka_unit_test(test_another_module_than_was_asked_for),
		cmocka_unit_test(test_no_code_is_left_out),
	};

	if (!cli_is_possible() || !scene_is_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
