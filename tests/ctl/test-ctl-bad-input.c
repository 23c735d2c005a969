// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Everything that must not reach a kernel, through tdxupdctl and on a simulated host: a
 * reason of its own, a sentence that says what to do, an exit code that is not 0, and a
 * host that was not touched.
 */
#include "test.h"
#include "cli.h"
#include "json.h"
#include "testimage.h"
#include "world.h"

#include <json-c/json.h>

#define OLD_IMAGE   "tdx_module_1.5.06.blob"
#define NEW_IMAGE   "tdx_module_1.5.16.blob"
#define MAPPING     WORLD_IMAGES "/mapping_file.json"
#define BOOT_1_5_06 "boot version=1.5.06 features0=0x2E1F0FBF svn=0x0106"

/* ---- a host with an image that may be loaded, before something is spoilt ---- */

#define RELEASE(version)                                                            \
	"{\"version\": \"" version "\", \"min_module_version_for_td_preserving\": " \
	"\"1.5.01\", \"min_seamldr_versions\": [\"1.5.00\"], \"tdx_feature0\": "    \
	"\"0x2E1F0FBF\"}"

static const char mapping[] =
	"{\"tdx_module_releases\": [" RELEASE("1.5.06") "," RELEASE("1.5.16") "]}";

static void put_config_with(const struct world *world, const char *more)
{
	const struct tdxupd_digest signer = testimage_signer(TESTIMAGE_KEY_TRUSTED);
	char hex[TDXUPD_DIGEST_TEXT_BYTES], text[256];

	snprintf(text, sizeof(text), "[Update]\nTrustedSigner=%s\n%s",
		 tdxupd_digest_format(&signer, hex), more);
	tree_put(&world->tree, "etc/tdxupd/tdxupd.conf", text);
}

static struct testimage_spec new_spec(void)
{
	struct testimage_spec spec = testimage_default_text("1.5.16");

	spec.features0 = 0x2E1F0FBF;
	return spec;
}

static void put_spec_as(const struct world *world, const char *name,
			const struct testimage_spec *spec)
{
	uint8_t *bytes;
	size_t count;

	assert_int_equal(testimage_build(spec, &bytes, &count), 0);
	world_put_image(world, name, bytes, count);
	free(bytes);
}

static void put_spec(const struct world *world, const struct testimage_spec *spec)
{
	put_spec_as(world, NEW_IMAGE, spec);
}

/* Firmware has loaded the very module that the image is. */
static void tell_measurement(struct world *world, const struct testimage_spec *spec)
{
	char mrseam[TDXUPD_DIGEST_TEXT_BYTES];
	struct tdxupd_digest digest;
	uint8_t *bytes;
	size_t count;

	assert_int_equal(testimage_build(spec, &bytes, &count), 0);
	memcpy(&digest, bytes + 4996, sizeof(digest));
	world_do(world, "known %s version=1.5.06", tdxupd_digest_format(&digest, mrseam));
	free(bytes);
}

static void set(struct world *world, const char *command)
{
	const struct testimage_spec old = testimage_default_text("1.5.06");
	const struct testimage_spec spec = new_spec();

	world_start(world, 4, "set cpu=0xC06F2", BOOT_1_5_06, command, NULL);
	put_config_with(world, "");
	tree_put(&world->tree, MAPPING, mapping);
	put_spec_as(world, OLD_IMAGE, &old);
	tell_measurement(world, &old);
	put_spec(world, &spec);
}

static void assert_untouched(struct world *world)
{
	char *status = world_ask(world, "status");

	assert_non_null(strstr(status, "updates 0"));
	assert_non_null(strstr(status, "version 1.5.06"));
	free(status);
	world_assert_reads(world, WORLD_UPLOAD "loading", "0\n");
	world_assert_reads(world, WORLD_UPLOAD "error", "");
}

/* ---- what is expected ---- */

static bool has_code(struct json_object *verdicts, const char *code)
{
	for (size_t i = 0; i < json_count(verdicts); i++) {
		struct json_object *verdict = json_object_array_get_idx(verdicts, i);
		const char *found = json_get_text(verdict, "code");

		if (found && strcmp(found, code) == 0) {
			assert_non_null(json_get_text(verdict, "advice"));
			return true;
		}
	}
	return false;
}

static bool plan_has_code(struct json_object *plan, const char *code)
{
	struct json_object *candidates = json_get(plan, "candidates");

	if (has_code(json_get(plan, "verdicts"), code))
		return true;
	for (size_t i = 0; i < json_count(candidates); i++) {
		struct json_object *candidate = json_object_array_get_idx(candidates, i);

		if (strcmp(json_get_text(candidate, "name"), NEW_IMAGE) == 0)
			return has_code(json_get(candidate, "verdicts"), code);
	}
	return false;
}

/* `plan 1.5.16` is refused for @check; people read the advice. */
static void assert_refused(struct world *world, const char *check, int code)
{
	const struct tdxupd_check_info *info =
		tdxupd_check_describe(tdxupd_check_from_string(check));
	const char *root = world->tree.path;
	char first_words[16];
	struct json_object *plan;
	struct cli cli;

	assert_non_null(info);
	cli_run(&cli, root, "--json", "plan", "1.5.16", NULL);
	plan = cli_parse(&cli);
	assert_string_equal(json_get_text(plan, "result"), "blocked");
	if (!plan_has_code(plan, check))
		fail_msg("no %s in %s", check, cli.out);
	assert_int_equal(cli.code, code);
	assert_string_equal(cli.err, "");
	json_object_put(plan);
	cli_done(&cli);

	cli_run(&cli, root, "plan", "1.5.16", NULL);
	snprintf(first_words, sizeof(first_words), "%s", info->title);
	if (!strstr(cli.out, first_words))
		fail_msg("no \"%s\" in %s", first_words, cli.out);
	assert_int_equal(cli.code, code);
	cli_done(&cli);
	assert_untouched(world);
}

/* `list` goes on where the version that is wanted is not there. */
static void test_a_target_that_is_not_there(void **state)
{
	struct world world;
	struct cli cli;

	(void)state;
	set(&world, "set remaining=5");
	cli_run(&cli, world.tree.path, "plan", "1.5.99", NULL);
	assert_int_equal(cli.code, CTL_EXIT_NO_IMAGE);
	assert_non_null(strstr(cli.out, "no image of 1.5.99"));
	cli_done(&cli);
	put_config_with(&world, "Target=1.5.99\n");
	cli_run(&cli, world.tree.path, "check", NULL);
	assert_int_equal(cli.code, CTL_EXIT_NO_IMAGE);
	assert_string_equal(cli.out, "");
	assert_non_null(strstr(cli.err, "no image of 1.5.99"));
	cli_done(&cli);
	cli_run(&cli, world.tree.path, "is-current", NULL);
	assert_int_equal(cli.code, CTL_EXIT_NO_IMAGE);
	cli_done(&cli);
	cli_run(&cli, world.tree.path, "list", NULL);
	assert_int_equal(cli.code, 0);
	assert_non_null(strstr(cli.out, "offered"));
	cli_done(&cli);
	assert_untouched(&world);
	world_stop(&world);
}

/* Every verb of @verbs fails for @reason, with one line in which @words stand. */
static void assert_fails(const char *root, const char *const *verbs, const char *reason,
			 int code, const char *words)
{
	for (; *verbs; verbs++) {
		struct json_object *object, *error;
		struct cli cli;

		cli_run(&cli, root, *verbs, NULL);
		assert_int_equal(cli.code, code);
		assert_string_equal(cli.out, "");
		assert_ptr_equal(strchr(cli.err, '\n'), cli.err + strlen(cli.err) - 1);
		if (!strstr(cli.err, words))
			fail_msg("no \"%s\" in %s", words, cli.err);
		cli_done(&cli);

		cli_run(&cli, root, "--json=pretty", *verbs, NULL);
		assert_int_equal(cli.code, code);
		assert_string_equal(cli.err, "");
		object = cli_parse(&cli);
		error = json_get(object, "error");
		assert_string_equal(json_get_text(error, "reason"), reason);
		assert_non_null(strstr(json_get_text(error, "message"), words));
		json_object_put(object);
		cli_done(&cli);
	}
}

static const char *const planning_verbs[] = { "list", "plan", NULL };

/* ---- the image ---- */

static void test_the_image_is_offered_before_it_is_spoilt(void **state)
{
	struct world world;
	struct cli cli;

	(void)state;
	set(&world, "set remaining=5");
	cli_run(&cli, world.tree.path, "plan", "--exit-code", NULL);
	if (!strstr(cli.out, "From 1.5.06 to 1.5.16 in 1 step"))
		fail_msg("not offered: %s%s", cli.out, cli.err);
	assert_int_equal(cli.code, CTL_EXIT_AVAILABLE);
	cli_done(&cli);
	assert_untouched(&world);
	world_stop(&world);
}

static void test_a_flipped_byte_anywhere(void **state)
{
	static const struct {
		size_t at;
		const char *check;
	} table[] = {
		{ 8, "image-magic" },
		{ 100, "image-reserved" },
		{ 4096, "sigstruct-header" },
		{ 4096 + 200, "signer-untrusted" },
		{ 4096 + 600, "signature-invalid" },
		{ 4096 + 900, "signature-invalid" },
		{ 8192 + 5000, "hash-mismatch" },
	};
	const struct testimage_spec spec = new_spec();
	struct world world;
	uint8_t *bytes;
	size_t count;

	(void)state;
	set(&world, "set remaining=5");
	assert_int_equal(testimage_build(&spec, &bytes, &count), 0);
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		bytes[table[i].at] ^= 0x10;
		testimage_fix_checksum(bytes, count);
		world_put_image(&world, NEW_IMAGE, bytes, count);
		assert_refused(&world, table[i].check, CTL_EXIT_UNTRUSTED);
		bytes[table[i].at] ^= 0x10;
	}
	free(bytes);
	world_stop(&world);
}

static void test_a_truncated_file(void **state)
{
	const struct testimage_spec spec = new_spec();
	struct world world;
	uint8_t *bytes;
	size_t count;

	(void)state;
	set(&world, "set remaining=5");
	assert_int_equal(testimage_build(&spec, &bytes, &count), 0);
	world_put_image(&world, NEW_IMAGE, bytes, count - 4096);
	assert_refused(&world, "image-length", CTL_EXIT_UNTRUSTED);
	world_put_image(&world, NEW_IMAGE, bytes, 5000);
	assert_refused(&world, "image-size", CTL_EXIT_UNTRUSTED);
	free(bytes);
	world_stop(&world);
}

static void test_images_that_are_not_for_this_host(void **state)
{
	struct testimage_spec spec = new_spec();
	struct world world;

	(void)state;
	set(&world, "set remaining=5");
	spec.module_type = TESTIMAGE_DEBUG;
	put_spec(&world, &spec);
	assert_refused(&world, "module-debug", CTL_EXIT_UNTRUSTED);

	spec = new_spec();
	spec.key = TESTIMAGE_KEY_FOREIGN;
	put_spec(&world, &spec);
	assert_refused(&world, "signer-untrusted", CTL_EXIT_UNTRUSTED);

	spec = new_spec();
	spec.cpu_count = 1;
	spec.cpus[0] = 0xA06D0;
	put_spec(&world, &spec);
	assert_refused(&world, "cpu-unsupported", CTL_EXIT_REFUSED);

	spec = new_spec();
	spec.svn = 0x0105;
	put_spec(&world, &spec);
	assert_refused(&world, "svn-lower", CTL_EXIT_REFUSED);

	spec = new_spec();
	put_spec(&world, &spec);
	tree_put(&world.tree, MAPPING,
		 "{\"tdx_module_releases\": [" RELEASE("1.5.06") "]}");
	assert_refused(&world, "mapping-missing", CTL_EXIT_REFUSED);
	world_stop(&world);
}

/* ---- the host ---- */

static void test_an_offline_cpu(void **state)
{
	struct world world;

	(void)state;
	set(&world, "lp offline 3");
	assert_refused(&world, "cpu-offline", CTL_EXIT_REFUSED);
	world_stop(&world);
}

static void test_no_updates_left(void **state)
{
	struct world world;

	(void)state;
	set(&world, "set remaining=0");
	assert_refused(&world, "updates-exhausted", CTL_EXIT_EXHAUSTED);
	world_stop(&world);
}

static void test_a_host_without_tdx(void **state)
{
	struct cli cli;
	struct tree tree;

	(void)state;
	tree_new(&tree);
	assert_fails(tree.path, planning_verbs, "tdx-absent", CTL_EXIT_UNSUPPORTED,
		     "this host has no TDX");
	/* Looking is no error, and still no success. */
	cli_run(&cli, tree.path, "status", NULL);
	assert_int_equal(cli.code, CTL_EXIT_UNSUPPORTED);
	assert_non_null(strstr(cli.out, "none; `tdxupdctl doctor`"));
	cli_done(&cli);
	cli_run(&cli, tree.path, "doctor", NULL);
	assert_int_equal(cli.code, CTL_EXIT_UNSUPPORTED);
	cli_done(&cli);
	tree_remove(&tree);
}

static void assert_doctor_says(const struct tree *tree, const char *words)
{
	struct cli cli;

	cli_run(&cli, tree->path, "doctor", NULL);
	if (!strstr(cli.out, words))
		fail_msg("no \"%s\" in %s", words, cli.out);
	cli_done(&cli);
}

#define UNITS "usr/lib/systemd/system/"
#define WANTS "etc/systemd/system/multi-user.target.wants/"

/* Without the boot run a reboot takes the update back, and nobody is told. */
static void test_the_units_of_a_host(void **state)
{
	struct tree tree;

	(void)state;
	tree_new(&tree);
	assert_doctor_says(&tree, "tdxupdd.service is not installed");
	tree_put(&tree, UNITS "tdxupdd.service", "");
	tree_put(&tree, UNITS "tdx-update.service", "");
	tree_put(&tree, UNITS "tdx-update-boot.service", "");
	assert_doctor_says(&tree, "tdx-update.timer is not installed");
	tree_put(&tree, UNITS "tdx-update.timer", "");
	assert_doctor_says(&tree, "updates at boot off, regular updates off");
	tree_put(&tree, WANTS "tdx-update-boot.service", "");
	assert_doctor_says(&tree, "updates at boot on, regular updates off");
	tree_remove(&tree);
}

static void test_a_lost_host(void **state)
{
	struct world world;
	struct cli cli;

	(void)state;
	set(&world, "fail step=install status=0x8000000000020001");
	world_do(&world, "host kernel=mainline");
	{
		const struct testimage_spec spec = new_spec();
		struct testimage_spec kernel = spec;
		uint8_t *bytes;
		size_t count;

		kernel.container = TDXUPD_CONTAINER_KERNEL;
		assert_int_equal(testimage_build(&kernel, &bytes, &count), 0);
		world_upload(&world, bytes, count);
		free(bytes);
	}
	assert_fails(world.tree.path, planning_verbs, "tdx-lost", CTL_EXIT_LOST,
		     "reboot");
	cli_run(&cli, world.tree.path, "status", NULL);
	assert_int_equal(cli.code, CTL_EXIT_LOST);
	assert_non_null(strstr(cli.out, "LOST"));
	cli_done(&cli);
	world_stop(&world);
}

/* ---- what lies beside the images ---- */

/* No mapping is no error, one that is asked for and missing is. */
static void assert_missing_mapping(const char *root)
{
	struct cli cli;

	cli_run(&cli, root, "list", NULL);
	assert_int_equal(cli.code, 0);
	cli_done(&cli);
	cli_run(&cli, root, "list", "--mapping=/etc/none.json", "--json", NULL);
	assert_int_equal(cli.code, CTL_EXIT_NO_IMAGE);
	assert_non_null(strstr(cli.out, "mapping-missing"));
	cli_done(&cli);
}

static void test_directories_and_mappings(void **state)
{
	static const char *const verbs[] = { "list", "plan", NULL };
	struct world world;

	(void)state;
	set(&world, "set remaining=5");
	tree_put(&world.tree, MAPPING, "{\"tdx_module_releases\": [");
	assert_fails(world.tree.path, verbs, "mapping-malformed", CTL_EXIT_CONFIG,
		     "mapping_file.json");
	tree_put(&world.tree, MAPPING, "{\"tdx_module_releases\": [{\"version\": 7}]}");
	assert_fails(world.tree.path, verbs, "mapping-malformed", CTL_EXIT_CONFIG,
		     "mapping_file.json");
	tree_put(&world.tree, MAPPING, "");
	assert_fails(world.tree.path, verbs, "mapping-malformed", CTL_EXIT_CONFIG,
		     "mapping_file.json");
	tree_drop(&world.tree, MAPPING);
	assert_missing_mapping(world.tree.path);
	tree_drop(&world.tree, WORLD_IMAGES "/" OLD_IMAGE);
	tree_drop(&world.tree, WORLD_IMAGES "/" NEW_IMAGE);
	tree_drop(&world.tree, WORLD_IMAGES);
	assert_fails(world.tree.path, verbs, "images-missing", CTL_EXIT_NO_IMAGE,
		     "no directory");
	assert_untouched(&world);
	world_stop(&world);
}

static void test_a_configuration_that_makes_no_sense(void **state)
{
	struct world world;

	(void)state;
	set(&world, "set remaining=5");
	tree_put(&world.tree, "etc/tdxupd/tdxupd.conf", "[Update]\nBlokced=1.5.16\n");
	assert_fails(world.tree.path, planning_verbs, "config-invalid", CTL_EXIT_CONFIG,
		     "Blokced");
	world_stop(&world);
}

/* ---- the bus ---- */

static void assert_update_fails(const char *reason, int code, const char *words, ...)
{
	struct json_object *object;
	struct cli cli;

	cli_run(&cli, NULL, "--json", "--bus-address", "unix:path=/nonexistent/bus",
		"update", NULL);
	assert_int_equal(cli.code, code);
	object = cli_parse(&cli);
	assert_string_equal(json_get_text(json_get(object, "error"), "reason"), reason);
	assert_non_null(
		strstr(json_get_text(json_get(object, "error"), "message"), words));
	json_object_put(object);
	cli_done(&cli);
}

static void test_an_absent_bus(void **state)
{
	struct cli cli;

	(void)state;
	assert_update_fails("bus-absent", CTL_EXIT_UNREACHABLE, "bus");
	cli_run(&cli, "/tmp", "update", NULL);
	assert_int_equal(cli.code, 2);
	assert_non_null(strstr(cli.err, "--bus-address"));
	cli_done(&cli);
}

/* ---- the command line ---- */

static void test_command_lines_that_make_no_sense(void **state)
{
	static const char *const table[][4] = {
		{ NULL },
		{ "frobnicate" },
		{ "image" },
		{ "image", "show" },
		{ "plan", "1.5" },
		{ "plan", "1.5.16", "2.0.05" },
		{ "plan", "1.5.999999999999" },
		{ "update", "new\x1b[31m" },
		{ "--frobnicate", "status" },
		{ "--json=xml", "status" },
		{ "--root" },
		{ "status", "--dot" },
		{ "plan", "--strategy=most" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct cli cli;

		cli_run(&cli, NULL, table[i][0], table[i][1], table[i][2], NULL);
		assert_int_equal(cli.code, 2);
		assert_string_equal(cli.out, "");
		assert_true(strncmp(cli.err, "tdxupdctl: ", 11) == 0);
		assert_ptr_equal(strchr(cli.err, '\n'), cli.err + strlen(cli.err) - 1);
		assert_null(strchr(cli.err, '\x1b'));
		cli_done(&cli);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_image_is_offered_before_it_is_spoilt),
		cmocka_unit_test(test_a_flipped_byte_anywhere),
		cmocka_unit_test(test_a_truncated_file),
		cmocka_unit_test(test_images_that_are_not_for_this_host),
		cmocka_unit_test(test_an_offline_cpu),
		cmocka_unit_test(test_no_updates_left),
		cmocka_unit_test(test_a_host_without_tdx),
		cmocka_unit_test(test_the_units_of_a_host),
		cmocka_unit_test(test_a_lost_host),
		cmocka_unit_test(test_a_target_that_is_not_there),
		cmocka_unit_test(test_directories_and_mappings),
		cmocka_unit_test(test_a_configuration_that_makes_no_sense),
		cmocka_unit_test(test_an_absent_bus),
		cmocka_unit_test(test_command_lines_that_make_no_sense),
	};

	if (!cli_is_possible() || !world_is_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
