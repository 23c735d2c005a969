// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the checks are worth. For every cause of a fatal update that can be known
 * beforehand: the check sees it, and it alone; with that check disabled the same image
 * goes to the kernel, and the host is lost. On mainline's interface, which asks for
 * nothing but a good header.
 */
#include <errno.h>
#include <unistd.h>

#include "test.h"
#include "tdxupd.h"
#include "testimage.h"
#include "world.h"

#define TARGET    "1.5.16"
#define SIGSTRUCT 4096
#define MODULE    8192

/*
 * @command: what makes the host unfit
 * @change: what makes the image unfit, before or after it is built
 * @checks: the ones that see it
 */
struct cause {
	const char *name;
	const char *command;
	void (*change_spec)(struct testimage_spec *spec);
	void (*change_bytes)(uint8_t *bytes, size_t count);
	enum tdxupd_check checks[2];
	uint16_t running_hv;
	const char *min_seamldr;
};

/* ---- images that are unfit ---- */

static void raise_handoff(struct testimage_spec *spec)
{
	spec->module_hv = 2;
	spec->min_update_hv = 1;
}

static void lower_svn(struct testimage_spec *spec)
{
	spec->svn = 0x0105;
}

static void change_svn_major(struct testimage_spec *spec)
{
	spec->svn = 0x020b;
}

static void drop_svn_major(struct testimage_spec *spec)
{
	spec->svn = 0x000b;
}

static void change_cpus(struct testimage_spec *spec)
{
	spec->cpu_count = 1;
	spec->cpus[0] = 0xa06d0;
}

static void drop_cpus(struct testimage_spec *spec)
{
	spec->cpu_count = 0;
}

static void use_foreign_key(struct testimage_spec *spec)
{
	spec->key = TESTIMAGE_KEY_FOREIGN;
}

static void be_debug(struct testimage_spec *spec)
{
	spec->module_type = TESTIMAGE_DEBUG;
}

static void damage_signature(uint8_t *bytes, size_t count)
{
	bytes[SIGSTRUCT + 516] ^= 1;
	testimage_fix_checksum(bytes, count);
}

static void damage_module(uint8_t *bytes, size_t count)
{
	bytes[MODULE + 4000] ^= 1;
	testimage_fix_checksum(bytes, count);
}

static void set_signed(uint8_t *bytes, size_t count, size_t offset, uint8_t value)
{
	bytes[SIGSTRUCT + offset] = value;
	testimage_sign(bytes, count, TESTIMAGE_KEY_TRUSTED);
}

static void change_header(uint8_t *bytes, size_t count)
{
	set_signed(bytes, count, 0, 7);
}

static void change_vendor(uint8_t *bytes, size_t count)
{
	set_signed(bytes, count, 16, 0x87);
}

static void change_size(uint8_t *bytes, size_t count)
{
	set_signed(bytes, count, 24, 1);
}

static void change_reserved(uint8_t *bytes, size_t count)
{
	set_signed(bytes, count, 40, 1);
}

static void empty_handoff_range(uint8_t *bytes, size_t count)
{
	set_signed(bytes, count, 986, 1);
}

static void change_type(uint8_t *bytes, size_t count)
{
	set_signed(bytes, count, 12, 1);
}

static void overfill_cpus(uint8_t *bytes, size_t count)
{
	set_signed(bytes, count, 1025, 1); /* 256 more than there are */
}

static void damage_signed_field(uint8_t *bytes, size_t count)
{
	bytes[SIGSTRUCT + 1003] ^= 1;
	testimage_fix_checksum(bytes, count);
}

/* clang-format off */
static const struct cause causes[] = {
	{ "a CPU is offline", .command = "lp offline 3",
	  .checks = { TDXUPD_CHECK_CPU_OFFLINE } },
	{ "no update is left", .command = "set remaining=0",
	  .checks = { TDXUPD_CHECK_UPDATES_EXHAUSTED } },
	{ "a socket holds another CPU", .command = "set cpu=0xC06F2,0xA06D1",
	  .checks = { TDXUPD_CHECK_CPU_UNSUPPORTED } },
	{ "handoff is too old", .change_spec = raise_handoff,
	  .checks = { TDXUPD_CHECK_HANDOFF_RANGE } },
	{ "handoff is too new", .running_hv = 1,
	  .checks = { TDXUPD_CHECK_HANDOFF_RANGE } },
	{ "SVN is lower", .change_spec = lower_svn,
	  .checks = { TDXUPD_CHECK_SVN_LOWER } },
	{ "SVN is of another series", .change_spec = change_svn_major,
	  .checks = { TDXUPD_CHECK_SVN_MAJOR } },
	{ "SVN is of no series", .change_spec = drop_svn_major,
	  .checks = { TDXUPD_CHECK_SVN_MAJOR } },
	{ "CPU is not listed", .change_spec = change_cpus,
	  .checks = { TDXUPD_CHECK_CPU_UNSUPPORTED } },
	{ "no CPU is listed", .change_spec = drop_cpus,
	  .checks = { TDXUPD_CHECK_CPU_TABLE_EMPTY, TDXUPD_CHECK_CPU_UNSUPPORTED } },
	{ "signer is another", .change_spec = use_foreign_key,
	  .checks = { TDXUPD_CHECK_SIGNER_UNTRUSTED } },
	{ "module is for debugging", .change_spec = be_debug,
	  .checks = { TDXUPD_CHECK_MODULE_DEBUG } },
	{ "signature is damaged", .change_bytes = damage_signature,
	  .checks = { TDXUPD_CHECK_SIGNATURE_INVALID } },
	{ "what was signed is damaged", .change_bytes = damage_signed_field,
	  .checks = { TDXUPD_CHECK_SIGNATURE_INVALID } },
	{ "module is damaged", .change_bytes = damage_module,
	  .checks = { TDXUPD_CHECK_HASH_MISMATCH } },
	{ "header is another", .change_bytes = change_header,
	  .checks = { TDXUPD_CHECK_SIGSTRUCT_HEADER } },
	{ "vendor is another", .change_bytes = change_vendor,
	  .checks = { TDXUPD_CHECK_SIGSTRUCT_VENDOR } },
	{ "sizes are wrong", .change_bytes = change_size,
	  .checks = { TDXUPD_CHECK_SIGSTRUCT_SIZES } },
	{ "CPU table is too long", .change_bytes = overfill_cpus,
	  .checks = { TDXUPD_CHECK_SIGSTRUCT_SIZES, TDXUPD_CHECK_CPU_UNSUPPORTED } },
	{ "module type is none", .change_bytes = change_type,
	  .checks = { TDXUPD_CHECK_SIGSTRUCT_RESERVED } },
	{ "reserved bytes are in use", .change_bytes = change_reserved,
	  .checks = { TDXUPD_CHECK_SIGSTRUCT_RESERVED } },
	{ "handoff range is empty", .change_bytes = empty_handoff_range,
	  .checks = { TDXUPD_CHECK_SIGSTRUCT_HANDOFF, TDXUPD_CHECK_HANDOFF_RANGE } },
	{ "loader is too old", .min_seamldr = "1.5.04",
	  .checks = { TDXUPD_CHECK_SEAMLDR_TOO_OLD } },
};
/* clang-format on */

/* ---- a host ---- */

struct scene {
	const struct cause *cause;
	struct world world;
	struct tdxupd_policy *policy;
	struct tdxupd_host *host;
	struct tdxupd_catalog *catalog;
	struct tdxupd_plan *plan;
};

/* Nothing in an image tells which loader can load it: the mapping does, and the machine
 * has to be told. */
static void tell_min_seamldr(struct scene *scene, const uint8_t *image)
{
	char hex[TDXUPD_DIGEST_TEXT_BYTES];
	struct tdxupd_digest mrseam;

	memcpy(mrseam.bytes, image + SIGSTRUCT + 900, sizeof(mrseam.bytes));
	world_do(&scene->world, "known %s version=" TARGET " min_seamldr=%s",
		 tdxupd_digest_format(&mrseam, hex), scene->cause->min_seamldr);
}

static void put_image(struct scene *scene, const char *version)
{
	const struct cause *cause = scene->cause;
	struct testimage_spec spec = testimage_default_text(version);
	bool is_target = strcmp(version, TARGET) == 0;
	uint8_t *bytes;
	size_t count;
	char name[64];

	if (!is_target)
		spec.module_hv = cause->running_hv;
	if (is_target && cause->change_spec)
		cause->change_spec(&spec);
	assert_int_equal(testimage_build(&spec, &bytes, &count), 0);
	if (is_target && cause->change_bytes)
		cause->change_bytes(bytes, count);
	if (is_target && cause->min_seamldr)
		tell_min_seamldr(scene, bytes);
	snprintf(name, sizeof(name), "tdx_module_%s.blob", version);
	world_put_image(&scene->world, name, bytes, count);
	free(bytes);
}

static void put_mapping(struct scene *scene)
{
	const char *seamldr = scene->cause->min_seamldr;
	char text[1024];

	snprintf(text, sizeof(text),
		 "{\"tdx_module_releases\": [{\"version\": \"1.5.06\", "
		 "\"min_module_version_for_td_preserving\": \"1.5.01\", "
		 "\"min_seamldr_versions\": [\"1.5.00\"], "
		 "\"tdx_feature0\": \"0x2E1F0FBF\"}, {\"version\": \"" TARGET "\", "
		 "\"min_module_version_for_td_preserving\": \"1.5.01\", "
		 "\"min_seamldr_versions\": [\"%s\"], "
		 "\"tdx_feature0\": \"0x226F3F0FBF\"}]}",
		 seamldr ? seamldr : "1.5.00");
	tree_put(&scene->world.tree, WORLD_IMAGES "/mapping_file.json", text);
}

static void scene_start(struct scene *scene, const struct cause *cause)
{
	const struct tdxupd_digest signer = testimage_signer(TESTIMAGE_KEY_TRUSTED);

	*scene = (struct scene){ .cause = cause };
	world_start(&scene->world, 4, "host kernel=mainline", NULL);
	world_do(&scene->world, "boot version=1.5.06 svn=0x0106 hv=%u",
		 cause->running_hv);
	if (cause->command)
		world_do(&scene->world, "%s", cause->command);
	put_image(scene, "1.5.06");
	put_image(scene, TARGET);
	put_mapping(scene);
	assert_int_equal(tdxupd_policy_new(&scene->policy), 0);
	assert_int_equal(tdxupd_policy_trust(scene->policy, &signer), 0);
}

static void scene_stop(struct scene *scene)
{
	tdxupd_plan_free(scene->plan);
	tdxupd_catalog_free(scene->catalog);
	tdxupd_host_free(scene->host);
	tdxupd_policy_free(scene->policy);
	world_stop(&scene->world);
}

static const struct tdxupd_version target = { 1, 5, 16 };

static void make_plan(struct scene *scene)
{
	int root_fd = scene->world.tree.fd;

	assert_int_equal(tdxupd_host_read(root_fd, &scene->host), 0);
	assert_int_equal(tdxupd_catalog_read(root_fd, WORLD_IMAGES, NULL, scene->policy,
					     0, &scene->catalog, NULL),
			 0);
	assert_int_equal(tdxupd_plan_new(scene->host, scene->catalog, scene->policy,
					 &target, &scene->plan),
			 0);
}

static const struct tdxupd_candidate *get_target(const struct scene *scene)
{
	return &scene->plan->candidates[scene->plan->candidate_count - 1];
}

static uint64_t get_refusals(const struct tdxupd_report *report)
{
	uint64_t refusals = 0;

	for (size_t i = 0; i < tdxupd_report_count(report); i++) {
		const struct tdxupd_verdict *verdict = tdxupd_report_get(report, i);

		if (verdict->severity != TDXUPD_SEVERITY_WARN)
			refusals |= UINT64_C(1) << verdict->check;
	}
	return refusals;
}

static uint64_t get_expected(const struct cause *cause)
{
	uint64_t expected = 0;

	for (size_t i = 0; i < 2; i++)
		if (cause->checks[i])
			expected |= UINT64_C(1) << cause->checks[i];
	return expected;
}

/* ---- with the check ---- */

static void assert_kept(struct scene *scene)
{
	const struct cause *cause = scene->cause;
	uint64_t refusals;

	make_plan(scene);
	assert_int_equal(scene->plan->result, TDXUPD_PLAN_BLOCKED);
	assert_int_equal(scene->plan->step_count, 0);
	assert_non_null(scene->plan->advice);
	refusals = get_refusals(scene->plan->host_report) |
		   get_refusals(get_target(scene)->report);
	/* No other check would have stepped in. */
	if (refusals != get_expected(cause))
		fail_msg("%s: refused by %#llx, expected %#llx", cause->name,
			 (unsigned long long)refusals,
			 (unsigned long long)get_expected(cause));
	world_assert_reads(&scene->world, WORLD_HOST "version", "1.5.06\n");
	world_assert_reads(&scene->world, WORLD_UPLOAD "loading", "0\n");
}

/* ---- without it ---- */

static struct tdxupd_upload_result upload(struct scene *scene)
{
	int root_fd = scene->world.tree.fd;
	struct tdxupd_upload_result result;
	struct tdxupd_report *report;
	struct tdxupd_upload *upload;
	struct tdxupd_image *image = NULL;

	assert_int_equal(tdxupd_report_new(&report), 0);
	assert_int_equal(tdxupd_catalog_load(root_fd, WORLD_IMAGES,
					     get_target(scene)->entry, scene->policy, 0,
					     report, &image),
			 0);
	assert_int_equal(tdxupd_upload_new(root_fd, TDXUPD_TRANSPORT_AUTO, &upload), 0);
	assert_int_equal(tdxupd_upload_stage(upload, image), 0);
	assert_int_equal(tdxupd_upload_commit(upload), 0);
	do {
		usleep(2000);
		assert_int_equal(tdxupd_upload_poll(upload, &result), 0);
	} while (result.state == TDXUPD_UPLOAD_RUNNING);
	tdxupd_upload_free(upload);
	tdxupd_image_free(image);
	tdxupd_report_free(report);
	return result;
}

static void assert_lost(struct scene *scene)
{
	struct tdxupd_upload_result result = upload(scene);
	struct tdxupd_host *after;
	enum tdxupd_outcome outcome;

	assert_int_equal(tdxupd_host_read(scene->world.tree.fd, &after), 0);
	outcome = tdxupd_confirm(scene->host, after, &target, &result);
	if (after->state != TDXUPD_TDX_LOST || outcome != TDXUPD_OUTCOME_LOST)
		fail_msg("%s: the check is for nothing: %s", scene->cause->name,
			 tdxupd_outcome_to_string(outcome));
	/* The kernel says the same of all of them. */
	assert_string_equal(result.text, "transferring:firmware-invalid");
	tdxupd_host_free(after);
}

static void test_each_check_keeps_the_host_that_would_be_lost(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
		struct scene scene;

		print_message("%s\n", causes[i].name);
		scene_start(&scene, &causes[i]);
		assert_kept(&scene);
		assert_lost(&scene);
		scene_stop(&scene);
	}
}

/* Else the above would prove that this host is lost whatever one does. */
static void test_a_good_image_is_no_loss(void **state)
{
	static const struct cause none = { .name = "none" };
	struct tdxupd_upload_result result;
	struct scene scene;

	(void)state;
	scene_start(&scene, &none);
	make_plan(&scene);
	assert_int_equal(scene.plan->result, TDXUPD_PLAN_UPDATE);
	result = upload(&scene);
	assert_int_equal(result.error, TDXUPD_UPLOAD_ERROR_NONE);
	world_assert_reads(&scene.world, WORLD_HOST "version", TARGET "\n");
	scene_stop(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_good_image_is_no_loss),
		cmocka_unit_test(test_each_check_keeps_the_host_that_would_be_lost),
	};

	if (!world_is_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
