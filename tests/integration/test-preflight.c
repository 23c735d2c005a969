// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Every cause that costs a host its TDX and can be known beforehand, played twice on the
 * same simulated host: with the checks, which refuse for the right reason and leave the
 * host alone; and past them, straight into the kernel, where the host is lost. The second
 * half shows that the first is no decoration.
 *
 * Not here, as P-SEAMLDR's answer to them is not public: what mapping_file.json says of
 * loader and module versions.
 */
#include <errno.h>
#include <unistd.h>

#include "test.h"
#include "tdxupd.h"
#include "testimage.h"
#include "world.h"

#define SIGSTRUCT 4096
#define MODULE    8192

/*
 * @change: makes a specification wrong
 * @at, @value: makes one byte of the built image wrong; @is_signed: signs that, too
 * @command: makes the host wrong
 * @also: another check that rightly refuses; FILE_UNSAFE, which is none of these: no
 * other
 */
struct cause {
	const char *name;
	void (*change)(struct testimage_spec *spec);
	size_t at;
	uint8_t value;
	bool is_signed;
	const char *command;
	enum tdxupd_check check, also;
};

static void set_lower_svn(struct testimage_spec *spec)
{
	spec->svn = 0x0105;
}
static void set_other_svn_major(struct testimage_spec *spec)
{
	spec->svn = 0x0206;
}
static void set_svn_major_0(struct testimage_spec *spec)
{
	spec->svn = 0x0006;
}
static void set_foreign_cpu(struct testimage_spec *spec)
{
	spec->cpu_count = 1;
	spec->cpus[0] = 0xa06d0;
}
static void set_no_cpu(struct testimage_spec *spec)
{
	spec->cpu_count = 0;
}
static void set_handoff_above(struct testimage_spec *spec)
{
	spec->module_hv = 2;
	spec->min_update_hv = 1;
}
static void set_debug(struct testimage_spec *spec)
{
	spec->module_type = TESTIMAGE_DEBUG;
}
static void set_foreign_key(struct testimage_spec *spec)
{
	spec->key = TESTIMAGE_KEY_FOREIGN;
}

static const struct cause causes[] = {
	{ .name = "offline CPU",
	  .command = "lp offline 3",
	  .check = TDXUPD_CHECK_CPU_OFFLINE },
	{ .name = "no update left",
	  .command = "set remaining=0",
	  .check = TDXUPD_CHECK_UPDATES_EXHAUSTED },
	{ .name = "second socket of another kind",
	  .command = "set cpu=0xc06f2,0xa06d1",
	  .check = TDXUPD_CHECK_CPU_UNSUPPORTED },
	{ .name = "foreign CPU",
	  .change = set_foreign_cpu,
	  .check = TDXUPD_CHECK_CPU_UNSUPPORTED },
	{ .name = "no CPU listed",
	  .change = set_no_cpu,
	  .check = TDXUPD_CHECK_CPU_TABLE_EMPTY,
	  .also = TDXUPD_CHECK_CPU_UNSUPPORTED },
	{ .name = "lower SVN", .change = set_lower_svn, .check = TDXUPD_CHECK_SVN_LOWER },
	{ .name = "other SVN major",
	  .change = set_other_svn_major,
	  .check = TDXUPD_CHECK_SVN_MAJOR },
	{ .name = "SVN major 0",
	  .change = set_svn_major_0,
	  .check = TDXUPD_CHECK_SVN_MAJOR },
	{ .name = "handoff range",
	  .change = set_handoff_above,
	  .check = TDXUPD_CHECK_HANDOFF_RANGE },
	{ .name = "debug module",
	  .change = set_debug,
	  .check = TDXUPD_CHECK_MODULE_DEBUG },
	{ .name = "foreign signer",
	  .change = set_foreign_key,
	  .check = TDXUPD_CHECK_SIGNER_UNTRUSTED },
	{ .name = "damaged module",
	  .at = MODULE + 5000,
	  .value = 0xa5,
	  .check = TDXUPD_CHECK_HASH_MISMATCH },
	{ .name = "damaged signature",
	  .at = SIGSTRUCT + 516 + 100,
	  .value = 0xa5,
	  .check = TDXUPD_CHECK_SIGNATURE_INVALID },
	{ .name = "damaged signed field",
	  .at = SIGSTRUCT + 1003,
	  .value = 0xa5,
	  .check = TDXUPD_CHECK_SIGNATURE_INVALID },
	{ .name = "SIGSTRUCT header",
	  .at = SIGSTRUCT + 0,
	  .value = 7,
	  .is_signed = true,
	  .check = TDXUPD_CHECK_SIGSTRUCT_HEADER },
	{ .name = "SIGSTRUCT sizes",
	  .at = SIGSTRUCT + 28,
	  .value = 0x40,
	  .is_signed = true,
	  .check = TDXUPD_CHECK_SIGSTRUCT_SIZES },
	{ .name = "CPU table too long",
	  .at = SIGSTRUCT + 1025,
	  .value = 1,
	  .is_signed = true,
	  .check = TDXUPD_CHECK_SIGSTRUCT_SIZES,
	  .also = TDXUPD_CHECK_CPU_UNSUPPORTED },
	{ .name = "vendor",
	  .at = SIGSTRUCT + 16,
	  .value = 0x87,
	  .is_signed = true,
	  .check = TDXUPD_CHECK_SIGSTRUCT_VENDOR },
	{ .name = "reserved bytes",
	  .at = SIGSTRUCT + 40,
	  .value = 1,
	  .is_signed = true,
	  .check = TDXUPD_CHECK_SIGSTRUCT_RESERVED },
	{ .name = "module type",
	  .at = SIGSTRUCT + 12,
	  .value = 1,
	  .is_signed = true,
	  .check = TDXUPD_CHECK_SIGSTRUCT_RESERVED },
	{ .name = "handoff range of its own",
	  .at = SIGSTRUCT + 986,
	  .value = 1,
	  .is_signed = true,
	  .check = TDXUPD_CHECK_SIGSTRUCT_HANDOFF,
	  .also = TDXUPD_CHECK_HANDOFF_RANGE },
};

/* Of a cause that is none, so that the table's harness is seen to let good ones pass. */
static const struct cause no_cause = { .name = "nothing" };

struct scene {
	struct world world;
	struct tdxupd_policy *policy;
	struct tdxupd_host *host;
	struct tdxupd_catalog *catalog;
	struct tdxupd_plan *plan;
	uint8_t *bytes;
	size_t count;
};

static const char mapping[] =
	"{\"tdx_module_releases\": ["
	"{\"version\": \"1.5.06\", \"min_module_version_for_td_preserving\": \"1.5.01\", "
	"\"min_seamldr_versions\": [\"1.5.00\"], \"tdx_feature0\": \"0x2E1F0FBF\"}, "
	"{\"version\": \"1.5.16\", \"min_module_version_for_td_preserving\": \"1.5.01\", "
	"\"min_seamldr_versions\": [\"1.5.00\"], \"tdx_feature0\": \"0x226F3F0FBF\"}]}";

static void put_running_image(struct world *world)
{
	struct testimage_spec spec = testimage_default_text("1.5.06");
	uint8_t *bytes;
	size_t count;

	assert_int_equal(testimage_build(&spec, &bytes, &count), 0);
	world_put_image(world, "tdx_module_1.5.06.blob", bytes, count);
	free(bytes);
}

static void make_image(struct scene *scene, const struct cause *cause)
{
	struct testimage_spec spec = testimage_default_text("1.5.16");

	if (cause->change)
		cause->change(&spec);
	assert_int_equal(testimage_build(&spec, &scene->bytes, &scene->count), 0);
	if (cause->at) {
		assert_int_not_equal(scene->bytes[cause->at], cause->value);
		scene->bytes[cause->at] = cause->value;
	}
	if (cause->at && cause->is_signed)
		assert_int_equal(testimage_sign(scene->bytes, scene->count, spec.key), 0);
	testimage_fix_checksum(scene->bytes, scene->count);
}

/* 1.5.06 runs on a mainline kernel, the loader trusts the test key, 1.5.16 is there. */
static void set_up(struct scene *scene, const struct cause *cause)
{
	struct tdxupd_digest signer = testimage_signer(TESTIMAGE_KEY_TRUSTED);
	char hex[TDXUPD_DIGEST_TEXT_BYTES];

	*scene = (struct scene){ 0 };
	world_start(&scene->world, 4, "host kernel=mainline", "set cpu=0xc06f2",
		    "boot version=1.5.06 svn=0x0106", "trust none", NULL);
	world_do(&scene->world, "trust %s", tdxupd_digest_format(&signer, hex));
	tree_put(&scene->world.tree, WORLD_IMAGES "/mapping_file.json", mapping);
	put_running_image(&scene->world);
	make_image(scene, cause);
	world_put_image(&scene->world, "tdx_module_1.5.16.blob", scene->bytes,
			scene->count);
	if (cause->command)
		world_do(&scene->world, "%s", cause->command);
	assert_int_equal(tdxupd_policy_new(&scene->policy), 0);
	assert_int_equal(tdxupd_policy_trust(scene->policy, &signer), 0);
}

static void tear_down(struct scene *scene)
{
	tdxupd_plan_free(scene->plan);
	tdxupd_catalog_free(scene->catalog);
	tdxupd_host_free(scene->host);
	tdxupd_policy_free(scene->policy);
	free(scene->bytes);
	world_stop(&scene->world);
}

static void make_plan(struct scene *scene)
{
	static const struct tdxupd_version target = { 1, 5, 16 };
	char *why = NULL;

	assert_int_equal(tdxupd_host_read(scene->world.tree.fd, &scene->host), 0);
	if (tdxupd_catalog_read(scene->world.tree.fd, WORLD_IMAGES, NULL, scene->policy,
				TDXUPD_CATALOG_REQUIRE_SAFE, &scene->catalog, &why) < 0)
		fail_msg("%s", why);
	assert_int_equal(tdxupd_plan_new(scene->host, scene->catalog, scene->policy,
					 &target, &scene->plan),
			 0);
}

/* Every reason against the image or the host is one, and it is the right one. */
static void assert_refused_for(const struct scene *scene, const struct cause *cause)
{
	const struct tdxupd_report *reports[] = { scene->plan->host_report, NULL };
	bool is_found = false;

	for (size_t i = 0; i < scene->plan->candidate_count; i++)
		if (scene->plan->candidates[i].entry->version.update == 16)
			reports[1] = scene->plan->candidates[i].report;
	assert_non_null(reports[1]);
	for (size_t r = 0; r < 2; r++) {
		for (size_t i = 0; i < tdxupd_report_count(reports[r]); i++) {
			const struct tdxupd_verdict *v = tdxupd_report_get(reports[r], i);

			if (v->severity == TDXUPD_SEVERITY_WARN)
				continue;
			if (v->check != cause->check &&
			    (!cause->also || v->check != cause->also))
				fail_msg("%s: refused as %s", cause->name,
					 tdxupd_check_to_string(v->check));
			assert_int_equal(v->severity, TDXUPD_SEVERITY_REFUSE);
			is_found |= v->check == cause->check;
		}
	}
	if (!is_found)
		fail_msg("%s: not refused", cause->name);
}

static void assert_untouched(struct scene *scene)
{
	world_assert_reads(&scene->world, WORLD_HOST "version", "1.5.06\n");
	world_assert_reads(&scene->world, WORLD_UPLOAD "loading", "0\n");
	world_assert_reads(&scene->world, WORLD_UPLOAD "status", "idle\n");
	world_assert_reads(&scene->world, WORLD_UPLOAD "error", "");
}

/* As a script would: no look at anything, the kernel will know. */
static enum tdxupd_outcome upload_unchecked(struct scene *scene)
{
	static const struct tdxupd_version target = { 1, 5, 16 };
	struct tdxupd_report *report = NULL;
	struct tdxupd_image *image = NULL;
	struct tdxupd_host *after = NULL;
	enum tdxupd_outcome outcome;
	uint8_t *bytes = NULL;

	assert_int_equal(tdxupd_report_new(&report), 0);
	assert_int_equal(tdxupd_image_parse(scene->bytes, scene->count, report, &image),
			 0);
	assert_non_null(image);
	assert_int_equal(tdxupd_image_convert(image, TDXUPD_CONTAINER_KERNEL, &bytes), 0);
	world_upload(&scene->world, bytes, scene->count);
	assert_int_equal(tdxupd_host_read(scene->world.tree.fd, &after), 0);
	outcome = tdxupd_confirm(scene->host, after, &target, NULL);
	tdxupd_host_free(after);
	tdxupd_image_free(image);
	tdxupd_report_free(report);
	free(bytes);
	return outcome;
}

static void test_what_is_right_passes(void **state)
{
	struct scene scene;

	(void)state;
	set_up(&scene, &no_cause);
	make_plan(&scene);
	assert_int_equal(scene.plan->result, TDXUPD_PLAN_UPDATE);
	assert_int_equal(scene.plan->step_count, 1);
	assert_string_equal(tdxupd_outcome_to_string(upload_unchecked(&scene)),
			    "succeeded");
	world_assert_reads(&scene.world, WORLD_HOST "version", "1.5.16\n");
	tear_down(&scene);
}

static void test_checks_save_what_is_lost_without_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
		const struct cause *cause = &causes[i];
		struct scene scene;
		enum tdxupd_outcome outcome;

		set_up(&scene, cause);
		make_plan(&scene);
		if (scene.plan->result != TDXUPD_PLAN_BLOCKED)
			fail_msg("%s: planned all the same", cause->name);
		assert_refused_for(&scene, cause);
		assert_untouched(&scene);

		outcome = upload_unchecked(&scene);
		if (outcome != TDXUPD_OUTCOME_LOST)
			fail_msg("%s: %s without the check", cause->name,
				 tdxupd_outcome_to_string(outcome));
		tear_down(&scene);
		print_message("%-30s %s\n", cause->name,
			      tdxupd_check_to_string(cause->check));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_right_passes),
		cmocka_unit_test(test_checks_save_what_is_lost_without_them),
	};

	if (!world_is_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
