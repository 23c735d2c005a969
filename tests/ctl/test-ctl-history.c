// SPDX-License-Identifier: LGPL-2.1-or-later
/* tdxupdctl history: what people see of it, and what shows when it was edited. */
#include "test.h"
#include "cli.h"
#include "json.h"
#include "schema.h"
#include "../bus/scene.h"

#include <sys/stat.h>

#include <json-c/json.h>

#define HISTORY "var/lib/tdxupd/history.jsonl"

#define RUN(cli, scene, ...) cli_run(cli, (scene)->world.tree.path, __VA_ARGS__, NULL)

static void update(struct scene *scene)
{
	struct cli cli;

	CLI_RUN(&cli, scene, "update");
	assert_int_equal(cli.code, 0);
	cli_done(&cli);
}

static size_t count_records(const struct cli *cli)
{
	struct json_object *history = cli_parse(cli);
	size_t count = json_count(json_get(history, "records"));

	schema_assert(history, "history");
	json_object_put(history);
	return count;
}

static void test_it_needs_no_daemon(void **state)
{
	struct scene scene;
	struct cli cli;

	(void)state;
	scene_set(&scene, NULL);
	RUN(&cli, &scene, "history");
	assert_int_equal(cli.code, 0);
	assert_non_null(strstr(cli.out, "Nothing of that kind"));
	cli_done(&cli);
	scene_run(&scene);
	update(&scene);
	assert_int_equal(scene_stop(&scene), 0);
	RUN(&cli, &scene, "history");
	assert_int_equal(cli.code, 0);
	assert_non_null(strstr(cli.out, "committing"));
	assert_non_null(strstr(cli.out, "each follows from the one before"));
	assert_non_null(strstr(cli.out, "from the first one"));
	/* Which is no word about the end: this host's journal is none of ours. */
	assert_non_null(strstr(cli.out, "nothing tells whether lines are missing"));
	assert_null(strstr(cli.out, "intact"));
	cli_done(&cli);
	RUN(&cli, &scene, "--no-legend", "history");
	assert_null(strstr(cli.out, "follows"));
	assert_null(strstr(cli.out, "WHEN"));
	cli_done(&cli);
	scene_end(&scene);
}

static void test_filters(void **state)
{
	static const struct {
		const char *option;
		size_t count;
	} table[] = {
		{ "--count=2", 2 },        { "-n2", 2 },
		{ "--job=77", 0 },         { "--since=0", 0 },
		{ "--since=infinity", 7 }, { "--job=1", 6 },
	};
	struct scene scene;
	struct cli cli;

	(void)state;
	scene_start(&scene, NULL);
	update(&scene);
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		RUN(&cli, &scene, "--json", "history", table[i].option);
		assert_int_equal(cli.code, 0);
		if (count_records(&cli) != table[i].count)
			fail_msg("%s: %s", table[i].option, cli.out);
		cli_done(&cli);
	}
	RUN(&cli, &scene, "history", "--count=2");
	assert_non_null(strstr(cli.out, "5 older ones are left out"));
	cli_done(&cli);
	scene_end(&scene);
}

static void test_options_that_make_no_sense(void **state)
{
	static const char *const table[] = { "--count=0",       "--count=1001",
					     "--count=-1",      "--count=x",
					     "--count=",        "--job=0",
					     "--job=1x",        "--since=ago",
					     "--job=4294967296" };
	struct cli cli;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		cli_run(&cli, NULL, "history", table[i], NULL);
		if (cli.code != 2)
			fail_msg("%s left with %d", table[i], cli.code);
		cli_done(&cli);
	}
}

/* One letter of one line, the length and all else as before. */
static void test_an_edit_shows(void **state)
{
	_cleanup_(cleanup_free)
	char *text = NULL;
	struct json_object *history, *chain;
	struct scene scene;
	struct cli cli;
	char *phase;

	(void)state;
	scene_start(&scene, NULL);
	update(&scene);
	assert_int_equal(world_read(&scene.world, HISTORY, &text), 0);
	phase = strstr(text, "\"waiting\"");
	assert_non_null(phase);
	phase[1] = 'b';
	tree_put(&scene.world.tree, HISTORY, text);
	assert_int_equal(fchmodat(scene.world.tree.fd, HISTORY, 0600, 0), 0);
	RUN(&cli, &scene, "history");
	assert_int_equal(cli.code, 0);
	assert_non_null(strstr(cli.out, "THE CHAIN IS BROKEN at history.jsonl:4"));
	cli_done(&cli);
	RUN(&cli, &scene, "--json", "history");
	history = cli_parse(&cli);
	chain = json_get(history, "chain");
	assert_string_equal(json_get_text(chain, "first_break"), "history.jsonl:4");
	json_object_put(history);
	cli_done(&cli);
	scene_end(&scene);
}

static void test_files_of_others(void **state)
{
	struct scene scene;
	struct cli cli;

	(void)state;
	scene_start(&scene, NULL);
	update(&scene);
	assert_int_equal(fchmodat(scene.world.tree.fd, HISTORY, 0666, 0), 0);
	RUN(&cli, &scene, "--json", "history");
	assert_int_equal(cli.code, 1);
	assert_non_null(strstr(cli.out, "history-unreadable"));
	cli_done(&cli);
	scene_end(&scene);
}

/* ---- GetHistory ---- */

/* The answer, or NULL and the error's name in @ret_error. */
static struct json_object *get_history(struct scene *scene, const char *option,
				       const char *type, uint64_t value, char **ret_error)
{
	sd_bus_message *call = NULL, *reply = NULL;
	sd_bus_error error = SD_BUS_ERROR_NULL;
	struct json_object *json = NULL;
	const char *text;
	int r;

	assert_true(sd_bus_message_new_method_call(scene->bus, &call, "org.tdxupd1",
						   SCENE_MANAGER, "org.tdxupd1.Manager",
						   "GetHistory") >= 0);
	if (!option)
		r = sd_bus_message_append(call, "a{sv}", 0);
	else if (*type == 'u')
		r = sd_bus_message_append(call, "a{sv}", 1, option, "u", (uint32_t)value);
	else
		r = sd_bus_message_append(call, "a{sv}", 1, option, "t", value);
	assert_true(r >= 0);
	if (sd_bus_call(scene->bus, call, 0, &error, &reply) >= 0) {
		assert_true(sd_bus_message_read(reply, "s", &text) >= 0);
		json = json_tokener_parse(text);
		schema_assert(json, "history");
	} else {
		*ret_error = strdup(error.name ? error.name : "?");
	}
	sd_bus_error_free(&error);
	sd_bus_message_unref(call);
	sd_bus_message_unref(reply);
	return json;
}

static void assert_count(struct scene *scene, const char *option, const char *type,
			 uint64_t value, size_t count)
{
	char *error = NULL;
	struct json_object *json = get_history(scene, option, type, value, &error);

	if (!json)
		fail_msg("%s: %s", option ? option : "", error);
	assert_int_equal(json_count(json_get(json, "records")), count);
	json_object_put(json);
}

static void assert_refused(struct scene *scene, const char *option, const char *type,
			   uint64_t value)
{
	char *error = NULL;

	assert_null(get_history(scene, option, type, value, &error));
	assert_string_equal(error, SD_BUS_ERROR_INVALID_ARGS);
	free(error);
}

static void test_it_is_told_on_the_bus(void **state)
{
	struct scene scene;

	(void)state;
	scene_start(&scene, NULL);
	update(&scene);
	assert_count(&scene, NULL, NULL, 0, 7);
	assert_count(&scene, "count", "u", 1, 1);
	assert_count(&scene, "job", "u", 1, 6);
	assert_count(&scene, "since_usec", "t", UINT64_MAX, 0);
	assert_refused(&scene, "count", "u", 0);
	assert_refused(&scene, "count", "u", 1001);
	assert_refused(&scene, "count", "t", 1);
	assert_refused(&scene, "job", "u", 0);
	assert_refused(&scene, "colour", "u", 1);
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_needs_no_daemon),
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_options_that_make_no_sense),
		cmocka_unit_test(test_an_edit_shows),
		cmocka_unit_test(test_files_of_others),
		cmocka_unit_test(test_it_is_told_on_the_bus),
	};

	if (!cli_is_possible() || !scene_is_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
