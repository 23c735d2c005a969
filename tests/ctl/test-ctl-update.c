// SPDX-License-Identifier: LGPL-2.1-or-later
/* tdxupdctl update against the real daemon: what people see, and what scripts get. */
#include "test.h"
#include "cli.h"
#include "json.h"
#include "schema.h"
#include "../bus/scene.h"

#include <signal.h>
#include <unistd.h>

#include <json-c/json.h>

static void finish_build(struct scene *scene)
{
	world_do(&scene->world, "td step vm1 finalize");
}

/* @words in this order. */
static void assert_order(const char *text, const char *const *words)
{
	const char *at = text;

	for (; *words; words++) {
		at = strstr(at, *words);
		if (!at)
			fail_msg("no \"%s\" in its place in %s", *words, text);
	}
}

static void test_an_update_waits_for_a_build_and_says_so(void **state)
{
	static const char *const lines[] = {
		"planned    from 1.5.06 to 1.5.16", "staged",
		"waiting    a TD is being built",   "committed",
		"confirmed  1.5.16 runs",           NULL
	};
	struct scene scene;
	struct cli cli;

	(void)state;
	scene_start(&scene, NULL);
	scene_begin_build(&scene);
	CLI_START(&cli, &scene, "update");
	cli_await(&cli, "waiting");
	scene_assert_host(&scene, "1.5.06", 0);
	finish_build(&scene);
	cli_finish(&cli);
	assert_int_equal(cli.code, 0);
	assert_order(cli.out, lines);
	cli_done(&cli);
	scene_assert_host(&scene, "1.5.16", 1);
	world_assert_mrtd(&scene.world, "vm1", true);

	CLI_RUN(&cli, &scene, "update");
	assert_int_equal(cli.code, 0);
	assert_non_null(strstr(cli.out, "nothing to do"));
	cli_done(&cli);
	scene_assert_host(&scene, "1.5.16", 1);
	scene_end(&scene);
}

static void test_ctrl_c_detaches_and_watch_comes_back(void **state)
{
	struct scene scene;
	struct cli cli;

	(void)state;
	scene_start(&scene, NULL);
	scene_begin_build(&scene);
	CLI_START(&cli, &scene, "update");
	cli_await(&cli, "waiting");
	kill(cli.pid, SIGINT);
	cli_finish(&cli);
	assert_int_equal(cli.code, 130);
	assert_non_null(strstr(cli.out, "Detached"));
	cli_done(&cli);

	CLI_START(&cli, &scene, "watch");
	cli_await(&cli, "waiting");
	finish_build(&scene);
	cli_finish(&cli);
	assert_int_equal(cli.code, 0);
	assert_non_null(strstr(cli.out, "1.5.16 runs"));
	cli_done(&cli);
	scene_end(&scene);
}

/* As while it updates a big host. One second is all that a call gets here by itself. */
static void silence(struct scene *scene, struct cli *ret)
{
	setenv("SYSTEMD_BUS_TIMEOUT", "1", 1);
	assert_int_equal(kill(scene->daemon, SIGSTOP), 0);
	CLI_START(ret, scene, "update");
	unsetenv("SYSTEMD_BUS_TIMEOUT");
}

static void test_a_daemon_that_is_silent_is_waited_for(void **state)
{
	struct scene scene;
	struct cli cli;

	(void)state;
	scene_start(&scene, NULL);
	silence(&scene, &cli);
	sleep(3);
	assert_int_equal(kill(scene.daemon, SIGCONT), 0);
	cli_finish(&cli);
	if (cli.code != 0)
		fail_msg("left with %d: %s", cli.code, cli.err);
	assert_non_null(strstr(cli.out, "1.5.16 runs"));
	cli_done(&cli);
	scene_assert_host(&scene, "1.5.16", 1);
	scene_end(&scene);
}

/* Whether the program hears Ctrl-C, and so does not die of it. */
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

static void test_ctrl_c_ends_the_wait_for_an_answer(void **state)
{
	struct scene scene;
	struct cli cli;

	(void)state;
	scene_start(&scene, NULL);
	silence(&scene, &cli);
	for (unsigned i = 0; !does_block_interrupts(cli.pid) && i < 12000; i++)
		usleep(10000);
	kill(cli.pid, SIGINT);
	cli_finish(&cli);
	assert_int_equal(cli.code, CTL_EXIT_DETACHED);
	assert_non_null(strstr(cli.out, "before tdxupdd has answered"));
	cli_done(&cli);
	assert_int_equal(kill(scene.daemon, SIGCONT), 0);
	scene_end(&scene);
}

static void assert_last_is_told(struct scene *scene)
{
	struct cli cli;

	CLI_RUN(&cli, scene, "status");
	if (!strstr(cli.out, "to 1.5.16 refused, 20") ||
	    !strstr(cli.out, "the kernel says"))
		fail_msg("%s", cli.out);
	cli_done(&cli);
}

/* By the next daemon, without one, and after a reboot. */
static void test_the_last_update_is_told(void **state)
{
	struct scene scene;
	struct cli cli;

	(void)state;
	scene_start(&scene, "fail step=shutdown", NULL);
	CLI_RUN(&cli, &scene, "update");
	cli_done(&cli);
	CLI_RUN(&cli, &scene, "update", "1.5.99");
	assert_int_equal(cli.code, CTL_EXIT_NO_IMAGE);
	cli_done(&cli);
	assert_last_is_told(&scene);
	assert_int_equal(scene_stop(&scene), 0);
	assert_last_is_told(&scene);
	scene_run(&scene);
	assert_last_is_told(&scene);
	scene_kill(&scene);
	world_do(&scene.world, "boot");
	scene_run(&scene);
	assert_last_is_told(&scene);
	CLI_RUN(&cli, &scene, "reset-failed");
	cli_done(&cli);
	CLI_RUN(&cli, &scene, "status");
	assert_null(strstr(cli.out, "Last update"));
	cli_done(&cli);
	scene_end(&scene);
}

static void test_a_deadline(void **state)
{
	struct scene scene;
	struct cli cli;

	(void)state;
	scene_start(&scene, NULL);
	scene_begin_build(&scene);
	CLI_RUN(&cli, &scene, "update", "--deadline=1");
	assert_int_equal(cli.code, CTL_EXIT_BLOCKED);
	assert_ptr_equal(strchr(cli.err, '\n'), cli.err + strlen(cli.err) - 1);
	cli_done(&cli);
	scene_assert_host(&scene, "1.5.06", 0);
	scene_end(&scene);
}

static void test_a_cancelled_update(void **state)
{
	struct scene scene;
	struct cli cli, cancel;

	(void)state;
	scene_start(&scene, NULL);
	scene_begin_build(&scene);
	CLI_START(&cli, &scene, "update");
	cli_await(&cli, "waiting");
	CLI_RUN(&cancel, &scene, "cancel");
	assert_int_equal(cancel.code, 0);
	cli_done(&cancel);
	cli_finish(&cli);
	assert_int_equal(cli.code, CTL_EXIT_CANCELLED);
	cli_done(&cli);
	CLI_RUN(&cancel, &scene, "cancel");
	assert_int_equal(cancel.code, 1);
	assert_non_null(strstr(cancel.err, "no update is under way"));
	cli_done(&cancel);
	scene_assert_host(&scene, "1.5.06", 0);
	scene_end(&scene);
}

static void test_a_daemon_that_is_not_there(void **state)
{
	struct scene scene;
	struct cli cli;

	(void)state;
	scene_start(&scene, NULL);
	scene_begin_build(&scene);
	CLI_START(&cli, &scene, "update");
	cli_await(&cli, "waiting");
	scene_kill(&scene);
	cli_finish(&cli);
	assert_int_equal(cli.code, CTL_EXIT_UNREACHABLE);
	assert_non_null(strstr(cli.err, "went away"));
	cli_done(&cli);

	CLI_RUN(&cli, &scene, "update");
	assert_int_equal(cli.code, CTL_EXIT_UNREACHABLE);
	assert_non_null(strstr(cli.err, "tdxupdd does not run"));
	cli_done(&cli);
	CLI_RUN(&cli, &scene, "--json", "update");
	assert_int_equal(cli.code, CTL_EXIT_UNREACHABLE);
	assert_non_null(strstr(cli.out, "\"daemon-absent\""));
	cli_done(&cli);
	scene_end(&scene);
}

static void test_what_the_daemon_refuses(void **state)
{
	struct scene scene;
	struct cli cli;

	(void)state;
	scene_start(&scene, NULL);
	CLI_RUN(&cli, &scene, "update", "1.5.99");
	assert_int_equal(cli.code, CTL_EXIT_NO_IMAGE);
	cli_done(&cli);
	world_do(&scene.world, "lp offline 3");
	CLI_RUN(&cli, &scene, "update");
	assert_int_equal(cli.code, CTL_EXIT_REFUSED);
	assert_non_null(strstr(cli.err, "online"));
	cli_done(&cli);
	world_do(&scene.world, "lp online 3");
	CLI_RUN(&cli, &scene, "hold", "all", "--reason=it is Friday\x1b[31m");
	assert_int_equal(cli.code, 0);
	cli_done(&cli);
	CLI_RUN(&cli, &scene, "plan");
	assert_int_equal(cli.code, CTL_EXIT_HELD);
	assert_non_null(
		strstr(cli.out, "1.5.16 is here, and all updates are held since "));
	assert_non_null(strstr(cli.out, "it is Friday"));
	assert_non_null(strstr(cli.out, "\n`tdxupdctl unhold all`"));
	assert_null(strchr(cli.out, '\x1b'));
	cli_done(&cli);
	CLI_RUN(&cli, &scene, "holds");
	assert_non_null(strstr(cli.out, "it is Friday"));
	assert_null(strchr(cli.out, '\x1b'));
	cli_done(&cli);
	CLI_RUN(&cli, &scene, "update");
	assert_int_equal(cli.code, CTL_EXIT_HELD);
	cli_done(&cli);
	scene_assert_host(&scene, "1.5.06", 0);
	scene_end(&scene);
}

/* With a daemon and without one the same is said. */
static void assert_pinned(struct scene *scene)
{
	struct cli cli;

	CLI_RUN(&cli, scene, "update", "1.5.16");
	assert_int_equal(cli.code, CTL_EXIT_PINNED);
	assert_non_null(strstr(cli.err, "1.5.06 is pinned"));
	assert_non_null(strstr(cli.err, ": the verifiers"));
	cli_done(&cli);
	CLI_RUN(&cli, scene, "plan", "1.5.16");
	assert_int_equal(cli.code, CTL_EXIT_PINNED);
	assert_non_null(strstr(cli.out, "1.5.16 is here, and 1.5.06 is pinned since "));
	cli_done(&cli);
	CLI_RUN(&cli, scene, "plan");
	assert_int_equal(cli.code, CTL_EXIT_PINNED);
	assert_non_null(strstr(cli.out, "1.5.16 is here, and 1.5.06 is pinned since "));
	assert_non_null(strstr(cli.out, "`tdxupdctl unpin`"));
	cli_done(&cli);
	CLI_RUN(&cli, scene, "list");
	assert_int_equal(cli.code, 0);
	assert_non_null(strstr(cli.out, "refused  another version is pinned"));
	assert_non_null(strstr(cli.out, "\n1.5.06 is pinned since "));
	assert_non_null(strstr(cli.out, " by root (uid 0): the verifiers"));
	cli_done(&cli);
	CLI_RUN(&cli, scene, "status");
	assert_non_null(strstr(cli.out, "to 1.5.06 since "));
	assert_null(strchr(cli.out, '\x1b'));
	cli_done(&cli);
}

static void test_a_pin(void **state)
{
	struct scene scene;
	struct cli cli;

	(void)state;
	scene_start(&scene, NULL);
	CLI_RUN(&cli, &scene, "pin", "1.5.06", "--reason=the verifiers\x1b[31m");
	assert_int_equal(cli.code, 0);
	cli_done(&cli);
	assert_pinned(&scene);
	CLI_RUN(&cli, &scene, "unpin");
	assert_int_equal(cli.code, 0);
	cli_done(&cli);
	CLI_RUN(&cli, &scene, "unpin");
	assert_int_equal(cli.code, 0);
	assert_string_equal(cli.out, "Nothing was pinned; nothing was changed.\n");
	cli_done(&cli);
	CLI_RUN(&cli, &scene, "unhold", "1.5.16");
	assert_int_equal(cli.code, 0);
	assert_string_equal(cli.out,
			    "There is no hold of 1.5.16; nothing was changed.\n");
	cli_done(&cli);
	CLI_RUN(&cli, &scene, "update", "1.5.16");
	assert_int_equal(cli.code, 0);
	cli_done(&cli);
	scene_end(&scene);
}

static void test_a_pin_without_a_daemon(void **state)
{
	struct scene scene;
	struct cli cli;

	(void)state;
	scene_start(&scene, NULL);
	CLI_RUN(&cli, &scene, "pin", "1.5.06", "--reason=the verifiers");
	assert_int_equal(cli.code, 0);
	cli_done(&cli);
	assert_int_equal(scene_stop(&scene), 0);
	CLI_RUN(&cli, &scene, "update", "--direct", "1.5.16");
	assert_int_equal(cli.code, CTL_EXIT_PINNED);
	assert_non_null(strstr(cli.err, "1.5.06 is pinned"));
	cli_done(&cli);
	CLI_RUN(&cli, &scene, "plan", "1.5.16");
	assert_int_equal(cli.code, CTL_EXIT_PINNED);
	cli_done(&cli);
	scene_assert_host(&scene, "1.5.06", 0);
	scene_end(&scene);
}

static void test_a_sequence_of_json(void **state)
{
	struct scene scene;
	struct cli cli;
	size_t count = 0;

	(void)state;
	scene_start(&scene, NULL);
	CLI_RUN(&cli, &scene, "--json=seq", "update");
	assert_int_equal(cli.code, 0);
	for (const char *record = cli.out; *record; count++) {
		struct json_object *value;
		const char *end = strchr(record, '\n');
		char *text;

		assert_int_equal(*record, 0x1e);
		assert_non_null(end);
		text = strndup(record + 1, (size_t)(end - record - 1));
		value = json_tokener_parse(text);
		assert_non_null(value);
		if (end[1] == '\0') {
			schema_assert(value, "update");
			assert_string_equal(json_get_text(value, "result"), "done");
		}
		json_object_put(value);
		free(text);
		record = end + 1;
	}
	assert_true(count >= 1);
	cli_done(&cli);
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_update_waits_for_a_build_and_says_so),
		cmocka_unit_test(test_ctrl_c_detaches_and_watch_comes_back),
		cmocka_unit_test(test_a_daemon_that_is_silent_is_waited_for),
		cmocka_unit_test(test_ctrl_c_ends_the_wait_for_an_answer),
		cmocka_unit_test(test_the_last_update_is_told),
		cmocka_unit_test(test_a_deadline),
		cmocka_unit_test(test_a_cancelled_update),
		cmocka_unit_test(test_a_daemon_that_is_not_there),
		cmocka_unit_test(test_what_the_daemon_refuses),
		cmocka_unit_test(test_a_pin),
		cmocka_unit_test(test_a_pin_without_a_daemon),
		cmocka_unit_test(test_a_sequence_of_json),
	};

	if (!cli_is_possible() || !scene_is_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
