// SPDX-License-Identifier: LGPL-2.1-or-later
/* tdxupdctl inhibit against the real daemon. */
#include "test.h"
#include "cli.h"
#include "json.h"
#include "schema.h"
#include "../bus/scene.h"

#include <signal.h>

#include <json-c/json.h>

/* Says that it runs, and runs for as long as tdxupdctl does. */
#define COMMAND "sh", "-c", "echo runs; while kill -0 $PPID; do sleep 0.05; done"

/* The one inhibitor there is, as JSON holds it; NULL where there is none. */
static struct json_object *get_inhibitor(struct scene *scene)
{
	struct json_object *list, *first;
	struct cli cli;

	CLI_RUN(&cli, scene, "--json", "inhibit", "--list");
	assert_int_equal(cli.code, 0);
	list = cli_parse(&cli);
	schema_assert(list, "inhibit");
	assert_true(json_count(list) <= 1);
	first = json_count(list) ? json_object_get(json_object_array_get_idx(list, 0))
				 : NULL;
	json_object_put(list);
	cli_done(&cli);
	return first;
}

static void assert_run(struct scene *scene, int code, const char *text,
		       const char *const *words)
{
	struct cli cli;

	CLI_RUN(&cli, scene, "inhibit", words[0], words[1], words[2], words[3]);
	if (cli.code != code || !strstr(*cli.out ? cli.out : cli.err, text))
		fail_msg("%s: left with %d: %s%s", words[0] ? words[0] : "-", cli.code,
			 cli.out, cli.err);
	cli_done(&cli);
}

static void test_no_update_while_a_command_runs(void **state)
{
	struct json_object *inhibitor;
	struct cli holder, update, look;
	struct scene scene;

	(void)state;
	scene_start(&scene, NULL);
	CLI_START(&holder, &scene, "inhibit", "--who=the \x1b[31mbackup",
		  "--reason=it is Friday", "--", COMMAND);
	cli_await(&holder, "runs");
	inhibitor = get_inhibitor(&scene);
	assert_string_equal(json_get_text(inhibitor, "who"), "the ?[31mbackup");
	assert_string_equal(json_get_text(inhibitor, "why"), "it is Friday");
	assert_string_equal(json_get_text(inhibitor, "mode"), "block");
	json_object_put(inhibitor);
	CLI_START(&update, &scene, "update");
	cli_await(&update, "updates are inhibited: the ?[31mbackup, pid ");
	CLI_RUN(&look, &scene, "blockers");
	assert_non_null(strstr(look.out, "An update waits: updates are inhibited."));
	assert_null(strstr(look.out, "TD is being built"));
	cli_done(&look);
	CLI_RUN(&look, &scene, "status");
	assert_non_null(strstr(look.out, "closed: updates are inhibited"));
	cli_done(&look);
	CLI_RUN(&look, &scene, "inhibit");
	assert_non_null(strstr(look.out, "it is Friday"));
	cli_done(&look);
	scene_assert_host(&scene, "1.5.06", 0);
	/* handed on to the command */
	kill(holder.pid, SIGTERM);
	cli_finish(&holder);
	assert_int_equal(holder.code, 128 + SIGTERM);
	cli_done(&holder);
	cli_finish(&update);
	assert_int_equal(update.code, 0);
	cli_done(&update);
	assert_null(get_inhibitor(&scene));
	scene_end(&scene);
}

static void test_an_update_goes_on_when_the_holder_is_killed(void **state)
{
	struct scene scene;
	struct cli holder, update;
	int status;

	(void)state;
	scene_start(&scene, NULL);
	CLI_START(&holder, &scene, "inhibit", "--", COMMAND);
	cli_await(&holder, "runs");
	CLI_START(&update, &scene, "update");
	cli_await(&update, "updates are inhibited: sh, pid ");
	kill(holder.pid, SIGKILL);
	assert_int_equal(waitpid(holder.pid, &status, 0), holder.pid);
	cli_finish(&update);
	assert_int_equal(update.code, 0);
	cli_done(&update);
	scene_end(&scene);
}

static void test_it_leaves_as_its_command_does(void **state)
{
	static const struct {
		const char *words[4];
		int code;
		const char *text;
	} table[] = {
		{ { "--", "true" }, 0, "" },
		{ { "--", "sh", "-c", "exit 7" }, 7, "" },
		/* what follows the command is the command's */
		{ { "echo", "--list", "-q" }, 0, "--list -q" },
		{ { "--", "/nonexistent" }, 127, "No such file" },
		{ { NULL }, 0, "Nobody keeps updates off" },
		{ { "--list" }, 0, "Nobody keeps updates off" },
		{ { "--list", "true" }, 2, "either a command" },
		{ { "--mode=weak", "true" }, 2, "--mode is block or delay" },
		{ { "--for=soon", "true" }, 2, "--for is a time" },
		{ { "--for=0", "true" }, 2, "--for is a time" },
		{ { "--who=", "true" }, 2, "needs a name" },
	};
	struct scene scene;

	(void)state;
	scene_start(&scene, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		assert_run(&scene, table[i].code, table[i].text, table[i].words);
	scene_end(&scene);
}

/* The command may go on for longer. */
static void test_a_time_that_is_over(void **state)
{
	struct json_object *inhibitor;
	struct scene scene;
	struct cli holder;

	(void)state;
	scene_start(&scene, NULL);
	CLI_START(&holder, &scene, "inhibit", "--mode=delay", "--for=2s", "--", COMMAND);
	cli_await(&holder, "runs");
	inhibitor = get_inhibitor(&scene);
	assert_true(json_get_number(inhibitor, "until_usec", &(uint64_t){ 0 }));
	assert_string_equal(json_get_text(inhibitor, "mode"), "delay");
	json_object_put(inhibitor);
	for (unsigned i = 0; (inhibitor = get_inhibitor(&scene)); i++) {
		json_object_put(inhibitor);
		assert_true(i < 1000);
	}
	assert_int_equal(kill(holder.pid, 0), 0);
	kill(holder.pid, SIGTERM);
	cli_finish(&holder);
	cli_done(&holder);
	scene_end(&scene);
}

/* Nobody keeps them for this daemon: its end is theirs, and the command goes on. */
static void test_an_end_with_the_daemon_is_said(void **state)
{
	struct scene scene;
	struct cli inhibit, guard;

	(void)state;
	scene_start(&scene, NULL);
	CLI_START(&inhibit, &scene, "inhibit", "--", COMMAND);
	cli_await(&inhibit, "runs");
	CLI_START(&guard, &scene, "guard", "--vm=vm1", "--", COMMAND);
	cli_await(&guard, "runs");
	scene_await_count(&scene, "ListBuilds", "(ssuttb)", 1);
	assert_int_equal(scene_stop(&scene), 0);
	kill(inhibit.pid, SIGTERM);
	cli_finish(&inhibit);
	assert_int_equal(inhibit.code, 128 + SIGTERM);
	assert_non_null(strstr(inhibit.err, "updates are kept off no longer"));
	cli_done(&inhibit);
	kill(guard.pid, SIGTERM);
	cli_finish(&guard);
	assert_int_equal(guard.code, 128 + SIGTERM);
	assert_non_null(strstr(guard.err, "the build lease has ended with tdxupdd"));
	cli_done(&guard);
	scene_end(&scene);
}

/* What cannot be kept is not promised. */
static void test_without_an_inhibitor_the_command_does_not_run(void **state)
{
	struct scene scene;
	struct cli cli, update;

	(void)state;
	scene_start(&scene, NULL);
	world_do(&scene.world, "td build vm1 manual");
	world_do(&scene.world, "td step vm1 page-add");
	CLI_START(&update, &scene, "update");
	cli_await(&update, "waiting");
	CLI_RUN(&cli, &scene, "inhibit", "--mode=delay", "--", "echo", "ran");
	assert_int_equal(cli.code, CTL_EXIT_BLOCKED);
	assert_string_equal(cli.out, "");
	assert_non_null(strstr(cli.err, "too late"));
	cli_done(&cli);
	world_do(&scene.world, "td step vm1 finalize");
	cli_finish(&update);
	cli_done(&update);

	scene_kill(&scene);
	CLI_RUN(&cli, &scene, "inhibit", "--", "echo", "ran");
	assert_int_equal(cli.code, CTL_EXIT_UNREACHABLE);
	assert_string_equal(cli.out, "");
	cli_done(&cli);
	CLI_RUN(&cli, &scene, "-Hfar", "inhibit", "--", "echo", "ran");
	assert_int_not_equal(cli.code, 0);
	assert_string_equal(cli.out, "");
	cli_done(&cli);
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_update_while_a_command_runs),
		cmocka_unit_test(test_an_update_goes_on_when_the_holder_is_killed),
		cmocka_unit_test(test_it_leaves_as_its_command_does),
		cmocka_unit_test(test_a_time_that_is_over),
		cmocka_unit_test(test_an_end_with_the_daemon_is_said),
		cmocka_unit_test(test_without_an_inhibitor_the_command_does_not_run),
	};

	if (!cli_is_possible() || !scene_is_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
