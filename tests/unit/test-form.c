// SPDX-License-Identifier: LGPL-2.1-or-later
/* Modules in every form in which they come, and in forms that are none. */
#include <errno.h>
#include <stdarg.h>

#include "form.h"
#include "packer.h"
#include "tdxupd.h"
#include "test.h"
#include "testimage.h"
#include "tree.h"
#include "util.h"

#define IMAGES "images"

static struct tdxupd_policy *policy;
static uint8_t *image; /* a container 0x100 */
static size_t image_count;
static const uint8_t *module, *sigstruct;
static size_t module_count;
static const uint8_t zeros[PACK_BYTES_MAX + 1];

static int setup(void **state)
{
	const struct tdxupd_digest signer = testimage_signer(TESTIMAGE_KEY_TRUSTED);
	struct testimage_spec spec = testimage_default_text("1.5.34");

	(void)state;
	assert_int_equal(tdxupd_policy_new(&policy), 0);
	assert_int_equal(tdxupd_policy_trust(policy, &signer), 0);
	assert_int_equal(testimage_build(&spec, &image, &image_count), 0);
	sigstruct = image + 4096;
	module = image + 8192;
	module_count = image_count - 8192;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(image);
	tdxupd_policy_free(policy);
	return 0;
}

/* What a builder writes who is not root is not safe, and reads the same. */
static unsigned safe(void)
{
	return geteuid() == 0 ? TDXUPD_CATALOG_REQUIRE_SAFE : 0;
}

static struct tdxupd_catalog *read_catalog(struct tree *tree)
{
	struct tdxupd_catalog *catalog = NULL;
	char *why = NULL;

	if (tdxupd_catalog_read(tree->fd, IMAGES, NULL, policy, safe(), &catalog, &why) <
	    0)
		fail_msg("%s", why);
	return catalog;
}

static void put(struct tree *tree, const char *name, const char *filter,
		const void *bytes, size_t count)
{
	char path[256];
	uint8_t *packed = NULL;

	snprintf(path, sizeof(path), IMAGES "/%s", name);
	if (filter) {
		packer_file(bytes, count, filter, &packed, &count);
		bytes = packed;
	}
	tree_put_bytes(tree, path, bytes, count);
	free(packed);
}

static void put_tar(struct tree *tree, const char *name, const char *filter,
		    const struct packer_member *members, size_t count)
{
	uint8_t *packed;
	size_t packed_count;

	packer_tar(members, count, filter, &packed, &packed_count);
	put(tree, name, NULL, packed, packed_count);
	free(packed);
}

/* A form: up to two files, or an archive. */
static const struct form_case {
	const char *name, *filter;
	const char *partner, *partner_filter; /* NULL: a container */
	const char *archive;                  /* filter of an archive of both */
} cases[] = {
	{ "tdx_module_1.5.34.blob", NULL, NULL, NULL, NULL },
	{ "any name", NULL, NULL, NULL, NULL },
	{ "tdx_module_1.5.34.blob.zst", "zstd", NULL, NULL, NULL },
	{ "tdx_module_1.5.34.blob.xz", "xz", NULL, NULL, NULL },
	{ "x.gz", "gzip", NULL, NULL, NULL },
	{ "joined_files/1.5/tdx_module_1.5.34.blob", NULL, NULL, NULL, NULL },
	{ "intel_tdx_module.so", NULL, "intel_tdx_module.so.sigstruct", NULL, NULL },
	{ "TDX-SEAM.so", NULL, "TDX-SEAM.so.sigstruct", NULL, NULL },
	{ "tdx_module_1.5.34.bin", NULL, "tdx_module_1.5.34.sigstruct", NULL, NULL },
	{ "a/b/c/x.bin", NULL, "a/b/c/x.sigstruct", NULL, NULL },
	{ "x.so.zst", "zstd", "x.so.sigstruct.zst", "zstd", NULL },
	{ "x.so.xz", "xz", "x.so.sigstruct", NULL, NULL },
	{ "intel_tdx_module.tar.gz", "gzip", NULL, NULL,
	  "TDX-Module/intel_tdx_module.so" },
	{ "x.tgz", "gzip", NULL, NULL, "./x.so" },
	{ "x.tar", "none", NULL, NULL, "x.so" },
	{ "x.tar.zst", "zstd", NULL, NULL, "x.so" },
};

static void put_case(struct tree *tree, const struct form_case *c)
{
	char partner[128];
	const struct packer_member members[] = {
		{ "TDX-Module", NULL, 0, PACKER_FOLDER },
		{ "TDX-Module/README", "hello", 5, PACKER_FILE },
		{ c->archive, module, module_count, PACKER_FILE },
		{ partner, sigstruct, TDXUPD_SIGSTRUCT_BYTES, PACKER_FILE },
	};

	if (c->archive) {
		snprintf(partner, sizeof(partner), "%s.sigstruct", c->archive);
		put_tar(tree, c->name, c->filter, members, ARRAY_SIZE(members));
	} else if (c->partner) {
		put(tree, c->name, c->filter, module, module_count);
		put(tree, c->partner, c->partner_filter, sigstruct,
		    TDXUPD_SIGSTRUCT_BYTES);
	} else {
		put(tree, c->name, c->filter, image, image_count);
	}
}

static void test_every_form_is_the_same_image(void **state)
{
	struct tdxupd_digest digest = {};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tdxupd_catalog *catalog;
		struct tdxupd_image *loaded = NULL;
		struct tdxupd_report *report;
		struct tree tree;

		print_message("%s\n", cases[i].name);
		tree_new(&tree);
		put_case(&tree, &cases[i]);
		catalog = read_catalog(&tree);
		assert_int_equal(catalog->left_out, 0);
		assert_int_equal(catalog->entry_count, 1);
		assert_string_equal(catalog->entries[0].name, cases[i].name);
		assert_non_null(catalog->entries[0].image);
		if (i == 0)
			digest = catalog->entries[0].image->file_digest;
		assert_true(tdxupd_digest_is_equal(
			&digest, &catalog->entries[0].image->file_digest));
		/* What is staged is read anew, in the same form. */
		assert_int_equal(tdxupd_report_new(&report), 0);
		assert_int_equal(tdxupd_catalog_load(tree.fd, IMAGES,
						     &catalog->entries[0], policy, safe(),
						     report, &loaded),
				 0);
		assert_int_equal(loaded->bytes_count, image_count);
		assert_memory_equal(loaded->bytes, image, image_count);
		tdxupd_image_free(loaded);
		tdxupd_report_free(report);
		tdxupd_catalog_free(catalog);
		tree_remove(&tree);
	}
}

/* What is left out, and the words for it. */
static void assert_left_out(struct tree *tree, const char *name, const char *why)
{
	struct tdxupd_catalog *catalog = read_catalog(tree);

	assert_int_equal(catalog->entry_count, 0);
	assert_int_equal(catalog->left_out, 1);
	assert_string_equal(catalog->left_outs[0].name, name);
	print_message("%s: %s\n", name, catalog->left_outs[0].why);
	if (!strstr(catalog->left_outs[0].why, why))
		fail_msg("no \"%s\" in \"%s\"", why, catalog->left_outs[0].why);
	assert_null(strchr(catalog->left_outs[0].why, '\n'));
	tdxupd_catalog_free(catalog);
	tree_remove(tree);
}

#define SO                                                \
	{                                                 \
		"x.so", module, module_count, PACKER_FILE \
	}
#define SIG                                                                      \
	{                                                                        \
		"x.so.sigstruct", sigstruct, TDXUPD_SIGSTRUCT_BYTES, PACKER_FILE \
	}
#define TAR(...)                                                        \
	(const struct packer_member[]){ __VA_ARGS__ },                  \
		sizeof((const struct packer_member[]){ __VA_ARGS__ }) / \
			sizeof(struct packer_member)

static void check_tar(const char *why, const struct packer_member *members, size_t count)
{
	struct tree tree;

	tree_new(&tree);
	put_tar(&tree, "x.tar.gz", "gzip", members, count);
	assert_left_out(&tree, "x.tar.gz", why);
}

static void test_bad_archives(void **state)
{
	struct packer_member many[PACK_MEMBERS_MAX + 2];

	(void)state;
	check_tar("a link", TAR(SO, SIG, { "link", NULL, 0, PACKER_SYMLINK }));
	check_tar("a link", TAR(SO, SIG, { "link", NULL, 0, PACKER_HARDLINK }));
	check_tar("a device", TAR(SO, SIG, { "fifo", NULL, 0, PACKER_FIFO }));
	check_tar("outside", TAR(SO, SIG, { "/etc/x", "x", 1, PACKER_FILE }));
	check_tar("outside", TAR(SO, SIG, { "a/../../x", "x", 1, PACKER_FILE }));
	check_tar("holds 2 modules", TAR(SO, SIG, { "y.so", module, module_count, 0 },
					 { "y.so.sigstruct", sigstruct, 2048, 0 }));
	check_tar("holds no module", TAR({ "README", "x", 1, PACKER_FILE }));
	check_tar("holds no module", TAR(SO));
	check_tar("2047 bytes", TAR(SO, { "x.so.sigstruct", sigstruct, 2047, 0 }));
	check_tar("no module of", TAR({ "x.so", module, 4097, 0 }, SIG));
	check_tar("more than", TAR(SO, SIG, { "bomb", zeros, sizeof(zeros), 0 }));
	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = (struct packer_member){ "x", "x", 1, PACKER_FILE };
	check_tar("more than 64 members", many, ARRAY_SIZE(many));
}

static void check_file(const char *name, const char *filter, const void *bytes,
		       size_t count, const char *why)
{
	struct tree tree;

	tree_new(&tree);
	put(&tree, name, filter, bytes, count);
	assert_left_out(&tree, name, why);
}

static void test_bad_files(void **state)
{
	uint8_t *packed;
	size_t count;
	struct tree tree;

	(void)state;
	check_file("x.so.sigstruct", NULL, sigstruct, 2048, "without its module");
	check_file("x.so", NULL, module, module_count, "without its SIGSTRUCT");
	check_file("bomb.zst", "zstd", zeros, sizeof(zeros), "more than");
	check_file("bomb.xz", "xz", zeros, sizeof(zeros), "more than");
	check_file("plain.zst", NULL, image, image_count, "not compressed");
	check_file("text.gz", "gzip", "hello", 5, "no TDX module image");
	check_file("empty.tar.gz", NULL, "", 0, "");
	packer_file(image, image_count, "zstd", &packed, &count);
	check_file("cut.zst", NULL, packed, count / 2, "cannot be unpacked");
	free(packed);
	tree_new(&tree);
	put(&tree, "x.so", NULL, module, module_count);
	put(&tree, "x.so.sigstruct", NULL, sigstruct, 2047);
	assert_left_out(&tree, "x.so", "its SIGSTRUCT has 2047 bytes");
	/* Too deep, and a symlink that leads away: named, not entered. */
	tree_new(&tree);
	put(&tree, "a/b/c/d/x", NULL, image, image_count);
	assert_left_out(&tree, "a/b/c/d", "");
}

static void test_a_foreign_pair_is_refused(void **state)
{
	struct testimage_spec spec = testimage_default_text("1.5.28");
	struct tdxupd_catalog *catalog;
	struct tree tree;
	uint8_t *other;
	size_t count;

	(void)state;
	spec.salt = 7;
	assert_int_equal(testimage_build(&spec, &other, &count), 0);
	tree_new(&tree);
	put(&tree, "x.so", NULL, module, module_count);
	put(&tree, "x.so.sigstruct", NULL, other + 4096, TDXUPD_SIGSTRUCT_BYTES);
	catalog = read_catalog(&tree);
	assert_int_equal(catalog->entry_count, 1);
	assert_true(tdxupd_report_has(catalog->entries[0].report,
				      TDXUPD_CHECK_HASH_MISMATCH));
	tdxupd_catalog_free(catalog);
	tree_remove(&tree);
	free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_form_is_the_same_image),
		cmocka_unit_test(test_bad_archives),
		cmocka_unit_test(test_bad_files),
		cmocka_unit_test(test_a_foreign_pair_is_refused),
	};

	if (!pack_is_supported()) {
		print_message("skipped: built without libarchive\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, setup, teardown);
}
