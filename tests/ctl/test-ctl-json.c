// SPDX-License-Identifier: LGPL-2.1-or-later
/* What each verb prints with --json, against its schema: on a host with an update to
 * offer, and where it fails. */
#include "test.h"
#include "cli.h"
#include "json.h"
#include "schema.h"
#include "../bus/scene.h"

#include <json-c/json.h>

/* One answer of one verb: its exit code, and that it is as @schema has it; NULL for a
 * verb that has nothing to say. */
static void assert_answer(const struct scene *scene, int code, const char *schema,
			  const char *const *words)
{
	struct json_object *value;
	struct cli cli;

	CLI_RUN(&cli, scene, "--json", words[0], words[1], words[2], words[3], words[4]);
	if (cli.code != code)
		fail_msg("%s %s left with %d: %s%s", words[0], words[1] ? words[1] : "",
			 cli.code, cli.out, cli.err);
	assert_string_equal(cli.err, "");
	if (schema) {
		value = cli_parse(&cli);
		schema_assert(value, schema);
		json_object_put(value);
	} else {
		assert_string_equal(cli.out, "");
	}
	cli_done(&cli);
}

static void test_answers_of_a_host_with_an_update(void **state)
{
	static const struct {
		const char *schema;
		int code;
		const char *words[5];
	} table[] = {
		{ "status", 0, { "status" } },
		{ "list", 0, { "list" } },
		{ "list", 0, { "list", "--all" } },
		{ "plan", 0, { "plan" } },
		{ "plan", 0, { "plan", "1.5.16" } },
		{ "check", CTL_EXIT_AVAILABLE, { "check", "--exit-code" } },
		{ "check", CTL_EXIT_AVAILABLE, { "is-current" } },
		{ "jobs", 0, { "jobs" } },
		{ "blockers", 0, { "blockers" } },
		{ "holds", 0, { "holds" } },
		{ NULL, 0, { "hold", "1.5.06", "--reason=a\"test", "--for=1d" } },
		{ "holds", 0, { "holds" } },
		{ "changed", 0, { "reset-failed" } },
		{ "changed", 0, { "unhold", "1.5.06" } },
		{ "changed", 0, { "unhold", "1.5.06" } },
		{ NULL, 0, { "pin", "1.5.08", "--reason=a test" } },
		{ "status", 0, { "status" } },
		{ "plan", CTL_EXIT_NO_IMAGE, { "plan" } },
		{ "changed", 0, { "unpin" } },
		{ "doctor", 0, { "doctor" } },
		{ "config-show", 0, { "config", "show" } },
		{ "catalog-check", 0, { "catalog", "check" } },
		{ "catalog-graph", 0, { "catalog", "graph" } },
		{ "attest-show", 0, { "attest", "show" } },
		{ "attest-export", 0, { "attest", "export" } },
		{ "version", 0, { "version" } },
		{ "update", 0, { "update" } },
		{ "update", 0, { "update" } },
		{ "jobs", 0, { "jobs" } },
		{ "history", 0, { "history" } },
		{ "check", 0, { "is-current" } },
	};
	struct scene scene;

	(void)state;
	scene_start(&scene, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		assert_answer(&scene, table[i].code, table[i].schema, table[i].words);
	scene_end(&scene);
}

static void test_answers_about_files(void **state)
{
	char image[128], copy[128];
	struct scene scene;

	(void)state;
	scene_set(&scene, NULL);
	snprintf(image, sizeof(image), "%s/" WORLD_IMAGES "/tdx_module_1.5.16.blob",
		 scene.world.tree.path);
	snprintf(copy, sizeof(copy), "%s/copy", scene.world.tree.path);
	assert_answer(&scene, 0, "image-show",
		      (const char *[5]){ "image", "show", image });
	assert_answer(&scene, 0, "image-show",
		      (const char *[5]){ "image", "verify", image });
	assert_answer(&scene, 0, "image-convert",
		      (const char *[5]){ "image", "convert", image, copy });
	assert_answer(&scene, 1, "error",
		      (const char *[5]){ "image", "convert", image, copy });
	assert_answer(&scene, 1, "error",
		      (const char *[5]){ "image", "show", "/nonexistent" });
	scene_end(&scene);
}

static void test_answers_where_nothing_is_to_be_had(void **state)
{
	static const struct {
		int code;
		const char *words[5];
	} table[] = {
		{ CTL_EXIT_UNSUPPORTED, { "list" } },
		{ CTL_EXIT_UNSUPPORTED, { "plan" } },
		{ CTL_EXIT_UNSUPPORTED, { "catalog", "graph" } },
		{ 2, { "plan", "1.5" } },
		{ 2, { "frobnicate" } },
		{ 2, { "status", "--dot" } },
		{ CTL_EXIT_UNREACHABLE, { "update" } },
		{ CTL_EXIT_UNREACHABLE, { "jobs" } },
		{ CTL_EXIT_UNREACHABLE, { "holds" } },
	};
	struct scene scene;

	(void)state;
	scene_set_bare(&scene);
	snprintf(scene.address, sizeof(scene.address), "unix:path=/nonexistent/bus");
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		assert_answer(&scene, table[i].code, "error", table[i].words);
	scene_end(&scene);
}

/* A schema that lets everything through would be no test. */
static void test_the_schemas_refuse(void **state)
{
	static const struct {
		const char *schema;
		const char *value;
	} table[] = {
		{ "version", "{}" },
		{ "version", "{\"tdxupdctl\": 7}" },
		{ "version", "{\"tdxupdctl\": \"1\", \"other\": \"2\"}" },
		{ "jobs", "[{\"id\": 1, \"path\": \"/\", \"state\": \"odd\"}]" },
		{ "update", "{\"id\": 1}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct json_object *value = json_tokener_parse(table[i].value);

		assert_non_null(value);
		assert_false(schema_matches(value, table[i].schema));
		json_object_put(value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers_of_a_host_with_an_update),
		cmocka_unit_test(test_answers_about_files),
		cmocka_unit_test(test_answers_where_nothing_is_to_be_had),
		cmocka_unit_test(test_the_schemas_refuse),
	};

	if (!cli_is_possible() || !scene_is_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
