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
		{ "jobs", 0, { "jobs" } },
		{ "holds", 0, { "holds" } },
		{ "blockers", 0, { "blockers" } },
		{ "update", 0, { "update" } },
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_update),
		cmocka_unit_test(test_answers),
	};

	if (access("/usr/bin/systemd-stdio-bridge", X_OK) < 0) {
		printf("SKIPPED: there is no systemd-stdio-bridge\n");
		return TEST_SKIPPED;
	}
	if (!cli_is_possible() || !scene_is_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
