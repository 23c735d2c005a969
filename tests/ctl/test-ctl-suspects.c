// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Whoever asks for an update is told which TDs it may have hit, or that none can be
 * excluded: by the daemon's client and without one, for people and for programs. And
 * nobody says that no TD is being built where that is not known.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../bus/scene.h"
#include "cli.h"
#include "json.h"
#include "schema.h"
#include "test.h"

#include <json-c/json.h>

/*
 * @host: with which evidence; @has_early: a TD is under build when the update is asked
 * for; @has_late: one begins while it goes on
 */
static const struct {
	const char *host;
	const char *guard;
	bool has_early, has_late;
	const char *said;
} table[] = {
	{ "host kernel=piece", "--guard=off", true, false,
	  "may have been hit by the update: 1 TD seen by kernel; its measurement can be "
	  "wrong; rebuild the TD" },
	{ "host kernel=mainline", "--guard=strict", false, true,
	  "may have been hit by the update: 1 TD created since the last look; its" },
	{ "host kernel=mainline", "--guard=off", true, true,
	  "it cannot be excluded that a TD was being built" },
	{ "host kernel=mainline cgroup=none", "--guard=off", false, true,
	  "it cannot be excluded that a TD was being built" },
	{ "host kernel=mainline tracing=yes", "--guard=strict", false, true,
	  "being built during the update: " },
	{ "host kernel=mainline", "--guard=strict", false, false, NULL },
	{ "host kernel=mainline tracing=yes", "--guard=strict", false, false, NULL },
};

static void begin_build(struct scene *scene, const char *td)
{
	world_do(&scene->world, "td build %s manual", td);
	world_do(&scene->world, "td step %s init", td);
}

static void set_up(struct scene *scene, size_t i, bool is_direct)
{
	scene_set(scene, table[i].host, "set guard=no", "upload hold=transferring", NULL);
	if (strstr(table[i].host, "piece"))
		world_do(&scene->world, "upload hold=none");
	if (!is_direct)
		scene_run(scene);
	if (table[i].has_early)
		begin_build(scene, "vm1");
}

static void start(struct cli *cli, struct scene *scene, size_t i, bool is_direct,
		  bool is_json)
{
	const char *json = is_json ? "--json" : "--no-pager";

	if (is_direct)
		cli_start(cli, scene->world.tree.path, json, "update", "--direct",
			  table[i].guard, NULL);
	else
		CLI_START(cli, scene, json, "update", table[i].guard);
}

static void assert_said(const char *text, size_t i)
{
	if (table[i].said && !strstr(text, table[i].said))
		fail_msg("%zu: no \"%s\" in %s", i, table[i].said, text);
	if (!table[i].said && (strstr(text, "hit by") || strstr(text, "excluded")))
		fail_msg("%zu: %s", i, text);
}

static void assert_told(const struct cli *cli, size_t i, bool is_json)
{
	struct json_object *job, *suspects;

	assert_null(strstr(cli->out, "no TD is being built"));
	assert_null(strstr(cli->err, "no TD is being built"));
	if (!is_json) {
		assert_said(cli->err, i);
		return;
	}
	job = cli_parse(cli);
	schema_assert(job, "update");
	suspects = json_get(job, "suspects");
	assert_int_equal(json_count(suspects), table[i].said ? 1 : 0);
	assert_said(
		json_object_to_json_string_ext(suspects, JSON_C_TO_STRING_NOSLASHESCAPE),
		i);
	json_object_put(job);
}

static void hit(size_t i, bool is_direct, bool is_json)
{
	struct scene scene;
	struct cli cli;

	set_up(&scene, i, is_direct);
	start(&cli, &scene, i, is_direct, is_json);
	if (!strstr(table[i].host, "piece")) {
		world_wait(&scene.world, "upload transferring");
		if (table[i].has_late)
			begin_build(&scene, "vm2");
		world_do(&scene.world, "upload hold=none");
	}
	cli_finish(&cli);
	if (cli.code != 0)
		fail_msg("%zu: left with %d: %s", i, cli.code, cli.err);
	assert_told(&cli, i, is_json);
	cli_done(&cli);
	scene_assert_host(&scene, "1.5.16", 1);
	scene_end(&scene);
}

static void test_who_asked_is_told_of_suspects(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		for (unsigned way = 0; way < 4; way++)
			hit(i, way & 1, way & 2);
}

/* The gate that Guard= opens says nothing of TDs. */
static void test_a_gate_opened_by_the_configuration(void **state)
{
	static const char *const verbs[] = { "blockers", "status", "doctor" };
	static const char *const guards[] = { "Guard=off\n",
					      "Guard=observed\nSettleSec=1\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(guards) / sizeof(guards[0]); i++) {
		struct scene scene;

		scene_set(&scene, "host kernel=mainline", NULL);
		scene_put_config(&scene, guards[i]);
		scene_run(&scene);
		begin_build(&scene, "vm1");
		for (size_t j = 0; j < sizeof(verbs) / sizeof(verbs[0]); j++) {
			struct cli cli;
			const char *at;

			CLI_RUN(&cli, &scene, verbs[j]);
			at = strstr(cli.out, "no TD is being built");
			if (at && !strstr(cli.out, "sure that no TD is being built"))
				fail_msg("%s with %s says %s", verbs[j], guards[i],
					 cli.out);
			cli_done(&cli);
		}
		scene_end(&scene);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_asked_is_told_of_suspects),
		cmocka_unit_test(test_a_gate_opened_by_the_configuration),
	};

	if (!scene_is_possible() || !cli_is_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
