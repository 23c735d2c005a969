// SPDX-License-Identifier: LGPL-2.1-or-later
/* tdxupdctl -H: what is asked about another host, whose daemon answers. */
#include "test.h"
#include "cli.h"
#include "json.h"
#include "schema.h"
#include "../bus/scene.h"

#include <sys/stat.h>
#include <unistd.h>

#include <json-c/json.h>

#define FAR "root@far"

/* In place of ssh: the bridge that it would start over there. */
static void put_ssh(const struct scene *scene)
{
	char script[256], path[256], search[512];

	snprintf(script, sizeof(script),
		 "#!/bin/sh\nexec systemd-stdio-bridge --bus-path=%s\n", scene->address);
	tree_put(&scene->world.tree, "bin/ssh", script);
	snprintf(path, sizeof(path), "%s/bin/ssh", scene->world.tree.path);
	assert_int_equal(chmod(path, 0755), 0);
	snprintf(search, sizeof(search), "%s/bin:%s", scene->world.tree.path,
		 getenv("PATH"));
	setenv("PATH", search, 1);
}

/* A host with a daemon that is reached over there only. */
static void start_far(struct scene *scene)
{
	scene_start(scene, NULL);
	put_ssh(scene);
}

static void end_far(struct scene *scene)
{
	char *search = getenv("PATH");

	setenv("PATH", strchr(search, ':') + 1, 1);
	scene_end(scene);
}

static void test_an_update(void **state)
{
	struct scene scene;
	struct cli cli;

	(void)state;
	start_far(&scene);
	world_do(&scene.world, "td build vm1 manual");
	world_do(&scene.world, "td step vm1 page-add");
	world_wait(&scene.world, "building 1");
	cli_start(&cli, NULL, "update", "-H", FAR, NULL);
	cli_await(&cli, "waiting");
	/* The clock over there is not ours. */
	world_do(&scene.world, "td step vm1 finalize");
	cli_finish(&cli);
	assert_int_equal(cli.code, 0);
	assert_non_null(strstr(cli.out, "1.5.16 runs"));
	assert_null(strstr(cli.out, "(for "));
	cli_done(&cli);
	cli_run(&cli, NULL, "update", "--direct", "-H" FAR, NULL);
	assert_int_equal(cli.code, 2);
	cli_done(&cli);
	end_far(&scene);
}

static void assert_answer(int code, const char *schema, const char *const *words)
{
	struct json_object *value;
	struct cli cli;

	cli_run(&cli, NULL, "--json", "-H", FAR, words[0], words[1], words[2], words[3],
		NULL);
	if (cli.code != code)
		fail_msg("%s %s left with %d: %s%s", words[0], words[1] ? words[1] : "",
			 cli.code, cli.out, cli.err);
	assert_string_equal(cli.err, "");
	value = cli_parse(&cli);
	schema_assert(value, schema);
	json_object_put(value);
	cli_done(&cli);
}

static void test_answers(void **state)
{
	static const struct {
		const char *schema;
		int code;
		const char *words[4];
	} table[] = {
		{ "status", 0, { "status" } },
		{ "list", 0, { "list" } },
		{ "list", 0, { "list", "--all" } },
		{ "plan", 0, { "plan" } },
		{ "plan", 0, { "plan", "1.5.16", "--strategy=smallest" } },
		{ "plan", CTL_EXIT_NO_IMAGE, { "plan", "1.5.99" } },
		{ "check", CTL_EXIT_AVAILABLE, { "check", "--exit-code" } },
		{ "check", CTL_EXIT_AVAILABLE, { "is-current" } },
		{ "attest-show", 0, { "attest", "show" } },
		{ "attest-export", 0, { "attest", "export", "1.5.16" } },
		{ "version", 0, { "version" } },
		{ "error", 2, { "plan", "--strategy=most" } },
		{ "error", 2, { "list", "--images=/tmp" } },
		{ "error", 2, { "status", "--export-host" } },
		{ "jobs", 0, { "jobs" } },
		{ "holds", 0, { "holds" } },
		{ "blockers", 0, { "blockers" } },
		{ "update", 0, { "update" } },
		{ "check", 0, { "is-current" } },
		{ "history", 0, { "history" } },
		{ "history", 0, { "history", "--job=1", "--count=3", "--since=1h" } },
		{ "error", 2, { "history", "--count=0" } },
	};
	struct scene scene;

	(void)state;
	start_far(&scene);
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		assert_answer(table[i].code, table[i].schema, table[i].words);
	end_far(&scene);
}

static void test_it_says_what_the_host_itself_says(void **state)
{
	static const char *const verbs[] = { "status", "list", "plan", "check" };
	struct scene scene;

	(void)state;
	start_far(&scene);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		struct cli here, far;

		CLI_RUN(&here, &scene, verbs[i]);
		cli_run(&far, NULL, "-H", FAR, verbs[i], NULL);
		assert_int_equal(here.code, far.code);
		/* A host tells no CPUs and no TDs that run to others. */
		if (strcmp(verbs[i], "status") != 0)
			assert_string_equal(here.out, far.out);
		else
			assert_non_null(strstr(far.out, "Updates left  10"));
		cli_done(&here);
		cli_done(&far);
	}
	end_far(&scene);
}

static void test_a_host_without_a_daemon(void **state)
{
	static const char *const verbs[] = { "status", "list",    "plan",
					     "check",  "history", "update" };
	struct scene scene;

	(void)state;
	start_far(&scene);
	assert_int_equal(scene_stop(&scene), 0);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		struct cli cli;

		cli_run(&cli, NULL, "-H", FAR, verbs[i], NULL);
		if (cli.code != CTL_EXIT_UNREACHABLE)
			fail_msg("%s left with %d: %s", verbs[i], cli.code, cli.out);
		assert_non_null(strstr(cli.err, "tdxupdd does not run"));
		cli_done(&cli);
	}
	end_far(&scene);
}

/* A bus that would start a daemon: what it starts leaves a file, and no daemon. */
static void put_service(struct scene *scene)
{
	char service[512];

	snprintf(service, sizeof(service),
		 "[D-BUS Service]\nName=org.tdxupd1\nExec=/bin/sh -c \"touch %s/started; "
		 "exit 1\"\n",
		 scene->world.tree.path);
	tree_put(&scene->world.tree, "run/services/org.tdxupd1.service", service);
	scene_stop_bus(scene);
	scene_restart_bus(scene);
}

static void assert_starts(struct scene *scene, const char *option, const char *verb,
			  bool starts)
{
	char path[128];
	struct cli cli;

	snprintf(path, sizeof(path), "%s/started", scene->world.tree.path);
	cli_run(&cli, NULL, "-H", FAR, option, verb, NULL);
	assert_int_equal(cli.code, CTL_EXIT_UNREACHABLE);
	if ((access(path, F_OK) == 0) != starts)
		fail_msg("%s %s: %s", option, verb, cli.err);
	unlink(path);
	cli_done(&cli);
}

static void test_who_only_looks_starts_nothing(void **state)
{
	static const char *const verbs[] = { "status", "holds", "jobs" };
	struct scene scene;

	(void)state;
	scene_set(&scene, NULL);
	put_service(&scene);
	put_ssh(&scene);
	assert_starts(&scene, "--no-start", "list", false);
	assert_starts(&scene, "--no-legend", "list", true);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		assert_starts(&scene, "--no-legend", verbs[i], false);
	end_far(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_update),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_it_says_what_the_host_itself_says),
		cmocka_unit_test(test_a_host_without_a_daemon),
		cmocka_unit_test(test_who_only_looks_starts_nothing),
	};

	if (access("/usr/bin/systemd-stdio-bridge", X_OK) < 0) {
		printf("SKIPPED: there is no systemd-stdio-bridge\n");
		return TEST_SKIPPED;
	}
	if (!cli_is_possible() || !scene_is_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
