// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "build-config.h"
#include "test.h"
#include "catalog-entry.h"
#include "tdxupd.h"
#include "testimage.h"
#include "tree.h"

#define IMAGES  "usr/lib/firmware/intel/tdx-module"
#define MAPPING IMAGES "/mapping_file.json"

static struct tree tree;
static struct tdxupd_policy *policy;

static const char mapping[] =
	"{\"tdx_module_releases\": ["
	"{\"version\": \"1.5.06\", \"min_module_version_for_td_preserving\": \"1.5.01\", "
	"\"min_seamldr_versions\": [\"1.5.00\"], \"tdx_feature0\": \"0x2E1F0FBF\"}, "
	"{\"version\": \"1.5.16\", \"min_module_version_for_td_preserving\": \"1.5.01\", "
	"\"min_seamldr_versions\": [\"1.5.00\"], \"tdx_feature0\": \"0x226F3F0FBF\"}]}";

static int setup(void **state)
{
	struct tdxupd_digest signer = testimage_signer(TESTIMAGE_KEY_TRUSTED);

	(void)state;
	umask(022);
	tree_new(&tree);
	assert_int_equal(fchmod(tree.fd, 0755), 0);
	tree_put(&tree, MAPPING, mapping);
	assert_int_equal(tdxupd_policy_new(&policy), 0);
	assert_int_equal(tdxupd_policy_trust(policy, &signer), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tdxupd_policy_free(policy);
	tree_remove(&tree);
	return 0;
}

static void put_spec(const char *name, const struct testimage_spec *spec)
{
	char path[256];
	uint8_t *bytes;
	size_t count;

	snprintf(path, sizeof(path), IMAGES "/%s", name);
	assert_int_equal(testimage_build(spec, &bytes, &count), 0);
	tree_put_bytes(&tree, path, bytes, count);
	free(bytes);
}

static void put_image(const char *name, const char *version)
{
	struct testimage_spec spec = testimage_default_text(version);

	put_spec(name, &spec);
}

static struct tdxupd_catalog *read_catalog(unsigned flags)
{
	struct tdxupd_catalog *catalog = NULL;
	char *why = NULL;

	if (tdxupd_catalog_read(tree.fd, IMAGES, NULL, policy, flags, &catalog, &why) < 0)
		fail_msg("%s", why);
	return catalog;
}

static void assert_has(const struct tdxupd_entry *entry, enum tdxupd_check check)
{
	if (!tdxupd_report_has(entry->report, check))
		fail_msg("%s: no verdict %s", entry->name, tdxupd_check_to_string(check));
}

static void test_finds_images_whatever_their_name(void **state)
{
	struct tdxupd_catalog *catalog;

	(void)state;
	put_image("tdx_module_1.5.16.blob", "1.5.16");
	put_image("another name", "1.5.06");
	put_image("tdx_module_1.5.06.blob", "1.5.06");
	put_image("tdx_module_1.5.07.blob", "1.5.07");
	tree_put(&tree, IMAGES "/README", "Hello");
	tree_put(&tree, IMAGES "/empty", "");
	put_image("sub/tdx_module_1.5.06.blob", "1.5.06");
	catalog = read_catalog(0);
	assert_int_equal(catalog->release_count, 2);
	assert_int_equal(catalog->entry_count, 5);
	/* Copies of one module are harmless. */
	assert_string_equal(catalog->entries[0].name, "sub/tdx_module_1.5.06.blob");
	assert_string_equal(catalog->entries[1].name, "tdx_module_1.5.06.blob");
	assert_string_equal(catalog->entries[2].name, "tdx_module_1.5.07.blob");
	assert_string_equal(catalog->entries[3].name, "tdx_module_1.5.16.blob");
	assert_string_equal(catalog->entries[4].name, "another name");
	assert_true(tdxupd_report_is_passed(catalog->entries[0].report));
	assert_true(tdxupd_report_is_passed(catalog->entries[3].report));
	assert_int_equal(catalog->entries[3].image->svn, 0x010b);
	assert_null(catalog->entries[3].image->bytes);
	assert_ptr_equal(catalog->entries[3].release, &catalog->releases[1]);
	/* The mapping says nothing of it. */
	assert_null(catalog->entries[2].release);
	/* Nothing tells which version this is, so it is none. */
	assert_false(catalog->entries[4].has_version);
	assert_has(&catalog->entries[4], TDXUPD_CHECK_VERSION_UNKNOWN);
	assert_false(tdxupd_report_is_passed(catalog->entries[4].report));
	tdxupd_catalog_free(catalog);
}

static void test_says_what_was_left_out(void **state)
{
	struct tdxupd_catalog *catalog;

	(void)state;
	tree_put(&tree, IMAGES "/README", "Hello");
	tree_put(&tree, IMAGES "/sub/file", "");
	catalog = read_catalog(0);
	assert_int_equal(catalog->entry_count, 0);
	assert_int_equal(catalog->left_out, 2);
	assert_string_equal(catalog->left_outs[0].name, "README");
	assert_string_equal(catalog->left_outs[0].why, "no TDX module image");
	assert_string_equal(catalog->left_outs[1].name, "sub/file");
	assert_string_not_equal(catalog->left_outs[1].why, "");
	tdxupd_catalog_free(catalog);
}

static void test_a_name_makes_an_entry_of_what_can_not_be_read(void **state)
{
	struct tdxupd_catalog *catalog;

	(void)state;
	tree_put(&tree, IMAGES "/tdx_module_1.5.16.blob", "no image");
	assert_int_equal(mkfifoat(tree.fd, IMAGES "/tdx_module_1.5.17.blob", 0644), 0);
	tree_put(&tree, IMAGES "/tdx_module_1.5.18.blob", "");
	catalog = read_catalog(0);
	assert_int_equal(catalog->entry_count, 3);
	assert_int_equal(catalog->left_out, 0);
	assert_int_equal(catalog->entries[0].version.update, 16);
	assert_null(catalog->entries[0].image);
	assert_has(&catalog->entries[1], TDXUPD_CHECK_FILE_UNSAFE);
	for (size_t i = 0; i < 3; i++)
		assert_false(tdxupd_report_is_passed(catalog->entries[i].report));
	tdxupd_catalog_free(catalog);
}

static void test_files_of_any_size_are_bounded(void **state)
{
	struct tdxupd_catalog *catalog;
	int fd;

	(void)state;
	tree_put(&tree, IMAGES "/tdx_module_1.5.16.blob", "");
	fd = openat(tree.fd, IMAGES "/tdx_module_1.5.16.blob", O_WRONLY | O_CLOEXEC);
	assert_int_equal(ftruncate(fd, (off_t)1 << 40), 0);
	close(fd);
	catalog = read_catalog(0);
	assert_has(&catalog->entries[0], TDXUPD_CHECK_FILE_UNREADABLE);
	tdxupd_catalog_free(catalog);
}

static void test_copies_of_one_module_are_harmless(void **state)
{
	struct testimage_spec spec = testimage_default_text("1.5.16");
	struct tdxupd_catalog *catalog;

	(void)state;
	put_spec("tdx_module_1.5.16.blob", &spec);
	spec.container = TDXUPD_CONTAINER_KERNEL;
	put_spec("tdx_module_1.5.016.blob", &spec);
	catalog = read_catalog(0);
	assert_int_equal(catalog->entry_count, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(catalog->entries[i].version.update, 16);
		assert_true(tdxupd_report_is_passed(catalog->entries[i].report));
	}
	tdxupd_catalog_free(catalog);
}

static void test_two_modules_of_one_version_are_refused(void **state)
{
	struct testimage_spec spec = testimage_default_text("1.5.16");
	struct tdxupd_catalog *catalog;

	(void)state;
	put_spec("tdx_module_1.5.16.blob", &spec);
	spec.salt = 42;
	put_spec("tdx_module_1.5.016.blob", &spec);
	/* A damaged one is refused for what it is, and is no rival. */
	put_image("tdx_module_1.5.06.blob", "1.5.06");
	tree_put(&tree, IMAGES "/tdx_module_1.5.6.blob", "TDX-BLOB");
	catalog = read_catalog(0);
	assert_int_equal(catalog->entry_count, 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(tdxupd_report_has(catalog->entries[i].report,
						   TDXUPD_CHECK_VERSION_AMBIGUOUS),
				 catalog->entries[i].version.update == 16);
	assert_true(tdxupd_report_is_passed(catalog->entries[0].report));
	tdxupd_catalog_free(catalog);
}

static void test_what_is_known_beats_what_is_claimed(void **state)
{
	struct testimage_spec spec = testimage_default_text("1.5.16");
	struct tdxupd_known_module known = {
		.version = { 1, 5, 16 },
		.svn = spec.svn,
		.date = spec.date,
		.has_mrseam = true,
	};
	const struct entry_rules rules = {
		.policy = policy,
		.known = &known,
		.known_count = 1,
	};
	static const struct {
		const char *name;
		bool is_mismatch;
	} cases[] = {
		{ "tdx_module_1.5.16.blob", false },
		{ "any", false },
		{ "tdx_module_1.5.18.blob", true },
	};
	int dir_fd;

	(void)state;
	for (size_t i = 0; i < 3; i++)
		put_spec(cases[i].name, &spec);
	dir_fd = openat(tree.fd, IMAGES, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < 3; i++) {
		struct tdxupd_entry entry = {};
		bool is_image = false;

		assert_int_equal(entry_read(dir_fd, cases[i].name, &rules, &entry,
					    &is_image, NULL),
				 0);
		assert_true(is_image);
		known.mrseam = entry.image->mrseam;
		assert_int_equal(entry_find_version(&entry, &rules), 0);
		assert_true(entry.is_known);
		assert_int_equal(entry.version.update, 16);
		assert_int_equal(
			tdxupd_report_has(entry.report, TDXUPD_CHECK_VERSION_MISMATCH),
			cases[i].is_mismatch);
		assert_int_equal(tdxupd_report_is_passed(entry.report),
				 !cases[i].is_mismatch);
		entry_done(&entry);
	}
	close(dir_fd);
}

/* Another module under the name of a published one: signed, and still not that one. */
static void test_a_claim_against_the_record_is_refused(void **state)
{
	struct tdxupd_known_module known = { .version = { 1, 5, 16 },
					     .has_mrseam = true };
	const struct entry_rules rules = {
		.policy = policy,
		.known = &known,
		.known_count = 1,
	};
	struct tdxupd_entry entry = {};
	bool is_image = false;
	int dir_fd;

	(void)state;
	put_image("tdx_module_1.5.16.blob", "1.5.05");
	dir_fd = openat(tree.fd, IMAGES, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(entry_read(dir_fd, "tdx_module_1.5.16.blob", &rules, &entry,
				    &is_image, NULL),
			 0);
	assert_int_equal(entry_find_version(&entry, &rules), 0);
	assert_has(&entry, TDXUPD_CHECK_VERSION_MISMATCH);
	assert_false(tdxupd_report_is_passed(entry.report));
	entry_done(&entry);

	/* Never measured: then its SVN has to be that version's at least. */
	known.has_mrseam = false;
	for (unsigned i = 0; i < 2; i++) {
		known.has_svn = true;
		known.svn = i ? 0x010b : 0x0105;
		assert_int_equal(entry_read(dir_fd, "tdx_module_1.5.16.blob", &rules,
					    &entry, &is_image, NULL),
				 0);
		assert_int_equal(entry_find_version(&entry, &rules), 0);
		assert_has(&entry, TDXUPD_CHECK_VERSION_UNKNOWN);
		assert_false(entry.is_known);
		assert_int_equal(tdxupd_report_is_passed(entry.report), i == 0);
		entry_done(&entry);
	}
	close(dir_fd);
}

#define RECORD TDXUPD_DATADIR "/known-modules.json"

/* The record is read from where it is installed, and is believed before the name. */
static void test_the_record_of_modules_is_read(void **state)
{
	struct testimage_spec spec = testimage_default_text("1.5.06");
	struct tdxupd_catalog *catalog;
	char mrseam[TDXUPD_DIGEST_TEXT_BYTES], text[512];

	(void)state;
	if (geteuid() != 0) {
		print_message("SKIPPED: what is safe is root's: run as root\n");
		skip();
	}
	put_spec("tdx_module_1.5.16.blob", &spec);
	catalog = read_catalog(TDXUPD_CATALOG_REQUIRE_SAFE);
	assert_int_equal(catalog->known_count, 0);
	assert_int_equal(catalog->entries[0].version.update, 16);
	assert_true(tdxupd_report_is_passed(catalog->entries[0].report));
	snprintf(text, sizeof(text),
		 "{\"known_modules\": [{\"version\": \"1.5.06\", \"svn\": \"0x0106\", "
		 "\"date\": \"2024-04-07\", \"mrseam\": \"%s\"}]}",
		 tdxupd_digest_format(&catalog->entries[0].image->mrseam, mrseam));
	tdxupd_catalog_free(catalog);

	tree_put(&tree, &RECORD[1], text);
	catalog = read_catalog(TDXUPD_CATALOG_REQUIRE_SAFE);
	assert_int_equal(catalog->known_count, 1);
	assert_int_equal(catalog->entries[0].version.update, 6);
	assert_true(catalog->entries[0].is_known);
	assert_has(&catalog->entries[0], TDXUPD_CHECK_VERSION_MISMATCH);
	assert_false(tdxupd_report_is_passed(catalog->entries[0].report));
	tdxupd_catalog_free(catalog);
}

static void test_a_record_that_is_none_is_an_error(void **state)
{
	struct tdxupd_catalog *catalog = NULL;
	char *why = NULL;

	(void)state;
	tree_put(&tree, &RECORD[1], "{");
	assert_int_equal(
		tdxupd_catalog_read(tree.fd, IMAGES, NULL, policy, 0, &catalog, &why),
		-EBADMSG);
	assert_null(catalog);
	assert_non_null(strstr(why, RECORD));
	free(why);
}

static void test_blocked_versions_are_refused(void **state)
{
	struct tdxupd_catalog *catalog;

	(void)state;
	put_image("tdx_module_1.5.06.blob", "1.5.06");
	put_image("tdx_module_1.5.16.blob", "1.5.16");
	assert_int_equal(tdxupd_policy_block(policy, "1.5.16"), 0);
	catalog = read_catalog(0);
	assert_true(tdxupd_report_is_passed(catalog->entries[0].report));
	assert_has(&catalog->entries[1], TDXUPD_CHECK_BLOCKED);
	assert_false(tdxupd_report_is_passed(catalog->entries[1].report));
	tdxupd_catalog_free(catalog);
}

static void test_errors_name_the_file(void **state)
{
	struct tdxupd_catalog *catalog = NULL;
	char *why = NULL;

	(void)state;
	assert_int_equal(tdxupd_catalog_read(tree.fd, "usr/lib/nowhere", NULL, policy, 0,
					     &catalog, &why),
			 -ENOENT);
	assert_string_equal(why, "usr/lib/nowhere: no such directory");
	free(why);
	why = NULL;
	assert_int_equal(tdxupd_catalog_read(tree.fd, IMAGES, "etc/mapping.json", policy,
					     0, &catalog, &why),
			 -ENOENT);
	assert_non_null(strstr(why, "etc/mapping.json: "));
	free(why);
	why = NULL;
	tree_put(&tree, MAPPING, "{");
	assert_int_equal(
		tdxupd_catalog_read(tree.fd, IMAGES, NULL, policy, 0, &catalog, &why),
		-EBADMSG);
	assert_non_null(strstr(why, MAPPING ": ends too early"));
	free(why);
	assert_null(catalog);
	/* Intel's newer releases come without one: only one that is asked for must be. */
	tree_drop(&tree, MAPPING);
	assert_int_equal(
		tdxupd_catalog_read(tree.fd, IMAGES, NULL, policy, 0, &catalog, NULL), 0);
	assert_false(catalog->has_mapping);
	tdxupd_catalog_free(catalog);
}

static void test_a_huge_mapping_is_refused(void **state)
{
	struct tdxupd_catalog *catalog = NULL;
	int fd = openat(tree.fd, MAPPING, O_WRONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(ftruncate(fd, 100 << 20), 0);
	close(fd);
	assert_int_equal(
		tdxupd_catalog_read(tree.fd, IMAGES, NULL, policy, 0, &catalog, NULL),
		-EFBIG);
}

static void test_the_mapping_may_be_elsewhere(void **state)
{
	struct tdxupd_catalog *catalog = NULL;

	(void)state;
	tree_drop(&tree, MAPPING);
	tree_put(&tree, "etc/tdx/m.json", mapping);
	assert_int_equal(tdxupd_catalog_read(tree.fd, IMAGES, "etc/tdx/m.json", policy, 0,
					     &catalog, NULL),
			 0);
	assert_int_equal(catalog->release_count, 2);
	tdxupd_catalog_free(catalog);
	assert_int_equal(tdxupd_catalog_read(tree.fd, IMAGES, "/etc/tdx/m.json", policy,
					     0, &catalog, NULL),
			 0);
	tdxupd_catalog_free(catalog);
}

/* ---- what only root could have put there ---- */

static void test_only_roots_files_are_safe(void **state)
{
	struct tdxupd_catalog *catalog = NULL;
	const struct tdxupd_entry *entries;

	(void)state;
	if (geteuid() != 0)
		skip();
	put_image("tdx_module_1.5.06.blob", "1.5.06");
	put_image("tdx_module_1.5.08.blob", "1.5.08");
	assert_int_equal(fchmodat(tree.fd, IMAGES "/tdx_module_1.5.08.blob", 0664, 0), 0);
	tree_put(&tree, "srv/outside", "");
	assert_int_equal(
		symlinkat("/srv/outside", tree.fd, IMAGES "/tdx_module_1.5.09.blob"), 0);
	catalog = read_catalog(TDXUPD_CATALOG_REQUIRE_SAFE);
	entries = catalog->entries;
	assert_int_equal(catalog->entry_count, 3);
	assert_true(tdxupd_report_is_passed(entries[0].report));
	assert_has(&entries[1], TDXUPD_CHECK_FILE_UNSAFE);
	assert_has(&entries[2], TDXUPD_CHECK_FILE_UNSAFE);
	tdxupd_catalog_free(catalog);

	assert_int_equal(fchmodat(tree.fd, "usr/lib", 0777, 0), 0);
	assert_int_equal(tdxupd_catalog_read(tree.fd, IMAGES, NULL, policy,
					     TDXUPD_CATALOG_REQUIRE_SAFE, &catalog, NULL),
			 -EPERM);
	assert_int_equal(fchmodat(tree.fd, "usr/lib", 0755, 0), 0);
	assert_int_equal(fchmodat(tree.fd, MAPPING, 0666, 0), 0);
	assert_int_equal(tdxupd_catalog_read(tree.fd, IMAGES, NULL, policy,
					     TDXUPD_CATALOG_REQUIRE_SAFE, &catalog, NULL),
			 -EPERM);
}

/* ---- loading what was listed ---- */

static int load(const struct tdxupd_entry *entry, struct tdxupd_report **ret_report,
		struct tdxupd_image **ret)
{
	assert_int_equal(tdxupd_report_new(ret_report), 0);
	return tdxupd_catalog_load(tree.fd, IMAGES, entry, policy, 0, *ret_report, ret);
}

static void test_loads_what_was_listed(void **state)
{
	struct tdxupd_catalog *catalog;
	struct tdxupd_report *report;
	struct tdxupd_image *image = NULL;

	(void)state;
	put_image("tdx_module_1.5.16.blob", "1.5.16");
	catalog = read_catalog(0);
	assert_int_equal(load(&catalog->entries[0], &report, &image), 0);
	assert_true(tdxupd_report_is_passed(report));
	assert_non_null(image->bytes);
	tdxupd_image_free(image);
	tdxupd_report_free(report);

	/* Blocked since: the same bytes, and another answer. */
	assert_int_equal(tdxupd_policy_block(policy, "1.5.16"), 0);
	assert_int_equal(load(&catalog->entries[0], &report, &image), 0);
	assert_true(tdxupd_report_has(report, TDXUPD_CHECK_BLOCKED));
	tdxupd_image_free(image);
	tdxupd_report_free(report);
	tdxupd_catalog_free(catalog);
}

static void test_other_bytes_than_listed_are_stale(void **state)
{
	struct tdxupd_catalog *catalog;
	struct tdxupd_report *report;
	struct tdxupd_image *image = NULL;

	(void)state;
	put_image("tdx_module_1.5.16.blob", "1.5.16");
	catalog = read_catalog(0);
	put_image("tdx_module_1.5.16.blob", "1.5.17");
	assert_int_equal(load(&catalog->entries[0], &report, &image), -ESTALE);
	tdxupd_report_free(report);
	tree_drop(&tree, IMAGES "/tdx_module_1.5.16.blob");
	assert_int_equal(load(&catalog->entries[0], &report, &image), -ESTALE);
	tdxupd_report_free(report);
	assert_null(image);
	tdxupd_catalog_free(catalog);
}

static void test_swapping_the_file_later_changes_nothing(void **state)
{
	struct tdxupd_catalog *catalog;
	struct tdxupd_report *report;
	struct tdxupd_image *image = NULL;
	uint8_t *before;

	(void)state;
	put_image("tdx_module_1.5.16.blob", "1.5.16");
	catalog = read_catalog(0);
	assert_int_equal(load(&catalog->entries[0], &report, &image), 0);
	before = malloc(image->bytes_count);
	memcpy(before, image->bytes, image->bytes_count);
	put_image("tdx_module_1.5.16.blob", "1.5.05");
	assert_memory_equal(before, image->bytes, image->bytes_count);
	assert_int_equal(tdxupd_image_verify(image, policy, report), 0);
	assert_true(tdxupd_report_is_passed(report));
	free(before);
	tdxupd_image_free(image);
	tdxupd_report_free(report);
	tdxupd_catalog_free(catalog);
}

static void test_names(void **state)
{
	static const struct {
		const char *name;
		bool is_named;
	} cases[] = {
		{ "tdx_module_1.5.16.blob", true },
		{ "tdx_module_1.5.blob", false },
		{ "tdx_module_1.5.999999999999.blob", false },
		{ "tdx_module_.blob", false },
		{ "tdx_module_1.5.16.blob ", false },
		{ "tdx_module_1.5.16\n.blob", false },
		{ "tdx_module_1.5.16.bin", true },
		{ "1.5/tdx_module_1.5.16.blob.zst", true },
		{ "tdx_module_1.5.16.so", false },
		{ "xtdx_module_1.5.16.blob", false },
		{ "", false },
	};
	struct tdxupd_version version;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(entry_parse_name(cases[i].name, &version),
				 cases[i].is_named);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_finds_images_whatever_their_name),
		TEST(test_says_what_was_left_out),
		TEST(test_a_name_makes_an_entry_of_what_can_not_be_read),
		TEST(test_files_of_any_size_are_bounded),
		TEST(test_copies_of_one_module_are_harmless),
		TEST(test_two_modules_of_one_version_are_refused),
		TEST(test_what_is_known_beats_what_is_claimed),
		TEST(test_a_claim_against_the_record_is_refused),
		TEST(test_the_record_of_modules_is_read),
		TEST(test_a_record_that_is_none_is_an_error),
		TEST(test_blocked_versions_are_refused),
		TEST(test_errors_name_the_file),
		TEST(test_a_huge_mapping_is_refused),
		TEST(test_the_mapping_may_be_elsewhere),
		TEST(test_only_roots_files_are_safe),
		TEST(test_loads_what_was_listed),
		TEST(test_other_bytes_than_listed_are_stale),
		TEST(test_swapping_the_file_later_changes_nothing),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
