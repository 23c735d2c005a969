// SPDX-License-Identifier: LGPL-2.1-or-later
/* tdxupdctl attest: what verifiers are told, and that it comes before AllowedMrSeam=. */
#include "test.h"
#include "cli.h"
#include "json.h"
#include "schema.h"
#include "../bus/scene.h"

#include <ctype.h>

#include <json-c/json.h>

/* The JSON that a verb prints. */
static struct json_object *ask(struct scene *scene, const char *schema, const char *verb,
			       const char *version)
{
	struct json_object *value;
	struct cli cli;

	CLI_RUN(&cli, scene, "--json", "attest", verb, version);
	if (cli.code)
		fail_msg("attest %s left with %d: %s", verb, cli.code, cli.out);
	value = cli_parse(&cli);
	schema_assert(value, schema);
	cli_done(&cli);
	return value;
}

/* ---- the CoMID ---- */

static int digit_of(char c)
{
	if (isupper((unsigned char)c))
		return c - 'A';
	if (islower((unsigned char)c))
		return c - 'a' + 26;
	if (isdigit((unsigned char)c))
		return c - '0' + 52;
	return c == '+' ? 62 : 63;
}

static void decode_to_hex(const char *base64, char *ret)
{
	unsigned bits = 0, count = 0;

	*ret = '\0';
	for (; *base64 && *base64 != '='; base64++) {
		bits = bits << 6 | (unsigned)digit_of(*base64);
		count += 6;
		if (count < 8)
			continue;
		count -= 8;
		sprintf(ret + strlen(ret), "%02x", bits >> count & 0xff);
	}
}

/* The value of @key in triple @i. */
static struct json_object *find_value(struct json_object *corim, size_t i,
				      const char *key)
{
	struct json_object *list =
		json_get(json_get(corim, "triples"), "reference-values");
	struct json_object *measurements =
		json_get(json_object_array_get_idx(list, i), "measurements");

	for (size_t m = 0; m < json_count(measurements); m++) {
		struct json_object *one = json_object_array_get_idx(measurements, m);

		if (strcmp(json_get_text(json_get(one, "key"), "value"), key) == 0)
			return json_get(one, "value");
	}
	fail_msg("no %s in triple %zu", key, i);
	return NULL;
}

static void assert_digest(struct json_object *corim, size_t i, const char *key,
			  const char *expected)
{
	struct json_object *digests = json_get(find_value(corim, i, key), "digests");
	const char *text = json_object_get_string(json_object_array_get_idx(digests, 0));
	char hex[128];

	assert_int_equal(strncmp(text, "sha-384;", 8), 0);
	decode_to_hex(text + 8, hex);
	assert_string_equal(hex, expected);
}

static void assert_values(struct json_object *corim, size_t i, struct json_object *values)
{
	static const char *const svns[] = { "tee-tcb-svn", "tee-tcb-svn-2" };
	struct json_object *version =
		json_get(find_value(corim, i, "tdx-module"), "version");
	struct json_object *attributes =
		json_get(find_value(corim, i, "seamattributes"), "raw-value");
	unsigned long wanted = strtoul(json_get_text(values, "svn"), NULL, 16);
	char hex[32];

	assert_string_equal(json_get_text(version, "value"),
			    json_get_text(values, "version"));
	assert_digest(corim, i, "mrseam", json_get_text(values, "mrseam"));
	assert_digest(corim, i, "mrsignerseam", json_get_text(values, "mrsigner_seam"));
	decode_to_hex(json_get_text(attributes, "value"), hex);
	assert_string_equal(hex, "0000000000000000");
	for (size_t s = 0; s < ARRAY_SIZE(svns); s++) {
		struct json_object *svn = json_get(find_value(corim, i, svns[s]), "svn");
		uint64_t number = 0;

		assert_string_equal(json_get_text(svn, "type"), "min-value");
		assert_true(json_get_number(svn, "value", &number));
		assert_int_equal(number, wanted);
	}
}

static void test_both_say_the_same(void **state)
{
	struct json_object *shown, *exported;
	struct scene scene;

	(void)state;
	scene_set(&scene, NULL);
	shown = ask(&scene, "attest-show", "show", NULL);
	exported = ask(&scene, "attest-export", "export", NULL);
	assert_values(exported, 0, json_get(shown, "now"));
	assert_values(exported, 1, json_get(shown, "next"));
	assert_string_equal(json_get_text(json_get(shown, "now"), "version"), "1.5.06");
	assert_string_equal(json_get_text(json_get(shown, "next"), "version"), "1.5.16");
	/* Minor first: 0x0106. */
	assert_string_equal(json_get_text(json_get(shown, "now"), "tee_tcb_svn_begins"),
			    "0601");
	json_object_put(shown);
	json_object_put(exported);
	scene_end(&scene);
}

/* ---- the daemon ---- */

static struct json_object *call(struct scene *scene, const char *version,
				const char *format)
{
	sd_bus_message *reply = NULL;
	struct json_object *json;
	const char *text;

	assert_true(sd_bus_call_method(scene->bus, "org.tdxupd1", SCENE_MANAGER,
				       "org.tdxupd1.Manager", "GetReferenceValues", NULL,
				       &reply, "sa{sv}", version, 1, "format", "s",
				       format) >= 0);
	assert_true(sd_bus_message_read(reply, "s", &text) >= 0);
	json = json_tokener_parse(text);
	sd_bus_message_unref(reply);
	return json;
}

static void assert_refused(struct scene *scene, const char *version, const char *option,
			   const char *value)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;

	assert_true(sd_bus_call_method(scene->bus, "org.tdxupd1", SCENE_MANAGER,
				       "org.tdxupd1.Manager", "GetReferenceValues",
				       &error, NULL, "sa{sv}", version, 1, option, "s",
				       value) < 0);
	assert_string_equal(error.name, SD_BUS_ERROR_INVALID_ARGS);
	sd_bus_error_free(&error);
}

static void test_the_daemon_says_the_same(void **state)
{
	static const char *const verbs[][3] = { { "show", "attest-show", "plain" },
						{ "export", "attest-export", "comid" } };
	struct scene scene;

	(void)state;
	scene_start(&scene, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		struct json_object *here =
			ask(&scene, verbs[i][1], verbs[i][0], "1.5.16");
		struct json_object *there = call(&scene, "1.5.16", verbs[i][2]);

		assert_true(json_object_equal(here, there));
		json_object_put(here);
		json_object_put(there);
	}
	assert_refused(&scene, "1.5", "format", "comid");
	assert_refused(&scene, "", "format", "xml");
	assert_refused(&scene, "", "colour", "red");
	scene_end(&scene);
}

/* ---- first the verifiers, then the hosts ---- */

static void allow(struct scene *scene, const char *one, const char *other)
{
	char config[256];

	snprintf(config, sizeof(config), "AllowedMrSeam=%s %s\n", one, other);
	scene_put_config(scene, config);
}

static void assert_plan(struct scene *scene, int code)
{
	struct cli cli;

	CLI_RUN(&cli, scene, "plan", "1.5.16");
	if (cli.code != code)
		fail_msg("plan left with %d: %s", cli.code, cli.out);
	cli_done(&cli);
}

static void test_a_version_that_is_not_here(void **state)
{
	static const char *const verbs[] = { "show", "export" };
	struct scene scene;

	(void)state;
	scene_set(&scene, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		struct cli cli;

		CLI_RUN(&cli, &scene, "attest", verbs[i], "1.5.99");
		assert_int_equal(cli.code, CTL_EXIT_NO_IMAGE);
		assert_string_equal(cli.out, "");
		assert_non_null(strstr(cli.err, "no genuine image of 1.5.99"));
		cli_done(&cli);
		/* What runs is here, and nothing follows it. */
		CLI_RUN(&cli, &scene, "attest", verbs[i], "1.5.06");
		assert_int_equal(cli.code, 0);
		cli_done(&cli);
	}
	scene_end(&scene);
}

static void test_values_of_what_is_not_allowed_yet(void **state)
{
	struct json_object *shown;
	const char *now, *next;
	struct scene scene;
	struct cli cli;

	(void)state;
	scene_set(&scene, NULL);
	shown = ask(&scene, "attest-show", "show", NULL);
	now = json_get_text(json_get(shown, "now"), "mrseam");
	next = json_get_text(json_get(shown, "next"), "mrseam");
	assert_true(json_get_bool(json_get(shown, "next"), "is_allowed"));

	allow(&scene, now, "");
	assert_plan(&scene, CTL_EXIT_FORBIDDEN);
	CLI_RUN(&cli, &scene, "attest", "show", "1.5.16");
	assert_int_equal(cli.code, 0);
	assert_non_null(strstr(cli.out, "AllowedMrSeam= does not list"));
	cli_done(&cli);
	CLI_RUN(&cli, &scene, "--json", "attest", "show", "1.5.16");
	assert_non_null(strstr(cli.out, next));
	cli_done(&cli);

	allow(&scene, now, next);
	assert_plan(&scene, 0);
	json_object_put(shown);
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_say_the_same),
		cmocka_unit_test(test_the_daemon_says_the_same),
		cmocka_unit_test(test_a_version_that_is_not_here),
		cmocka_unit_test(test_values_of_what_is_not_allowed_yet),
	};

	if (!cli_is_possible() || !scene_is_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
