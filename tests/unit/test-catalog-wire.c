// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>

#include "catalog-wire.h"
#include "test.h"
#include "testimage.h"
#include "tree.h"

#define IMAGES "images"

static const char mapping[] =
	"{\"tdx_module_releases\": ["
	"{\"version\": \"1.5.06\", \"min_module_version_for_td_preserving\": \"1.5.01\", "
	"\"min_seamldr_versions\": [\"1.5.00\"]}, "
	"{\"version\": \"1.5.16\", \"min_module_version_for_td_preserving\": \"1.5.01\", "
	"\"min_seamldr_versions\": [\"1.5.00\", \"2.0.01\"], "
	"\"tdx_feature0\": \"0x226F3F0FBF\"}]}";

static const char known[] =
	"{\"known_modules\": [{\"version\": \"1.5.08\", \"svn\": \"0x0107\", "
	"\"module_hv\": 0, \"no_downgrade\": false}]}";

static struct tree tree;
static struct tdxupd_policy *policy;
static struct tdxupd_catalog *catalog;
static char *bytes;
static size_t count;

static void put_image(const char *name, const char *version)
{
	struct testimage_spec spec = testimage_default_text(version);
	char path[256];
	uint8_t *image;
	size_t image_bytes;

	snprintf(path, sizeof(path), IMAGES "/%s", name);
	assert_int_equal(testimage_build(&spec, &image, &image_bytes), 0);
	tree_put_bytes(&tree, path, image, image_bytes);
	free(image);
}

static void write_catalog(const struct tdxupd_catalog *from, char **ret,
			  size_t *ret_count)
{
	struct buffer buffer = { 0 };

	catalog_put(&buffer, from);
	assert_int_equal(buffer_take(&buffer, ret, ret_count), 0);
}

static int setup(void **state)
{
	char *why = NULL;

	(void)state;
	tree_new(&tree);
	tree_put(&tree, IMAGES "/mapping_file.json", mapping);
	tree_put(&tree, "usr/share/tdxupd/known-modules.json", known);
	put_image("tdx_module_1.5.06.blob", "1.5.06");
	put_image("tdx_module_1.5.16.blob", "1.5.16");
	put_image("another name", "1.5.07");
	tree_put(&tree, IMAGES "/tdx_module_1.5.17.blob", "no image");
	tree_put(&tree, IMAGES "/README", "Hello");
	assert_int_equal(tdxupd_policy_new(&policy), 0);
	if (tdxupd_catalog_read(tree.fd, IMAGES, NULL, policy, 0, &catalog, &why) < 0)
		fail_msg("%s", why);
	assert_int_equal(catalog->entry_count, 4);
	assert_int_equal(catalog->left_out, 1);
	write_catalog(catalog, &bytes, &count);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(bytes);
	tdxupd_catalog_free(catalog);
	tdxupd_policy_free(policy);
	tree_remove(&tree);
	return 0;
}

/* @wire: @size bytes of their own, so that a look past their end is seen. */
static int read_wire(const char *wire, size_t size, struct tdxupd_catalog **ret)
{
	uint8_t *exact = malloc(size + !size);
	int r;

	assert_non_null(exact);
	memcpy(exact, wire, size);
	r = catalog_get(exact, size, ret);
	free(exact);
	return r;
}

static void test_what_is_written_is_read(void **state)
{
	struct tdxupd_catalog *back;
	char *again;
	size_t again_count;

	(void)state;
	assert_int_equal(read_wire(bytes, count, &back), 0);
	write_catalog(back, &again, &again_count);
	assert_int_equal(again_count, count);
	assert_memory_equal(again, bytes, count);
	assert_int_equal(back->release_count, 2);
	assert_int_equal(back->releases[1].min_seamldr_count, 2);
	assert_int_equal(back->known_count, catalog->known_count);
	assert_int_equal(back->entry_count, 4);
	for (size_t i = 0; i < back->entry_count; i++) {
		const struct tdxupd_entry *a = &catalog->entries[i];
		const struct tdxupd_entry *b = &back->entries[i];

		assert_string_equal(a->name, b->name);
		assert_int_equal(a->has_version, b->has_version);
		assert_int_equal(!a->image, !b->image);
		assert_int_equal(tdxupd_report_count(a->report),
				 tdxupd_report_count(b->report));
		/* Links lead into the catalog that they are in. */
		assert_int_equal(a->release ? a->release - catalog->releases : -1,
				 b->release ? b->release - back->releases : -1);
	}
	assert_string_equal(back->left_outs[0].name, "README");
	assert_string_equal(back->left_outs[0].why, catalog->left_outs[0].why);
	free(again);
	tdxupd_catalog_free(back);
}

static void test_what_is_cut_short_is_none(void **state)
{
	struct tdxupd_catalog *back;

	(void)state;
	for (size_t i = 0; i < count; i++)
		assert_int_equal(read_wire(bytes, i, &back), -EBADMSG);
}

/* Whatever one byte says, the answer is a catalog that can be written, or none. */
static void test_any_byte_may_be_wrong(void **state)
{
	static const unsigned char masks[] = { 0x01, 0x80, 0xff };
	char *wrong = malloc(count);

	(void)state;
	assert_non_null(wrong);
	memcpy(wrong, bytes, count);
	for (size_t i = 0; i < count * sizeof(masks); i++) {
		struct tdxupd_catalog *back = NULL;
		size_t at = i / sizeof(masks);
		int r;

		wrong[at] = (char)(bytes[at] ^ masks[i % sizeof(masks)]);
		r = read_wire(wrong, count, &back);
		wrong[at] = bytes[at];
		assert_true(r == 0 || r == -EBADMSG);
		if (r == 0) {
			char *text;
			size_t size;

			write_catalog(back, &text, &size);
			free(text);
			tdxupd_catalog_free(back);
		}
	}
	free(wrong);
}

static void assert_refused(struct tdxupd_catalog *wrong)
{
	struct tdxupd_catalog *back;
	char *text;
	size_t size;

	write_catalog(wrong, &text, &size);
	assert_int_equal(read_wire(text, size, &back), -EBADMSG);
	free(text);
}

static void swap_entries(size_t a, size_t b)
{
	struct tdxupd_entry entry = catalog->entries[a];

	catalog->entries[a] = catalog->entries[b];
	catalog->entries[b] = entry;
}

/* What the rest of the program relies on without looking. */
static void test_lies_are_refused(void **state)
{
	static const char *const names[] = {
		"",     ".",         "..",          "a/../b",
		"a//b", "a/b/c/d/e", "/etc/passwd", "/var/lib/tdxupd/images/../x"
	};
	struct tdxupd_release release;
	char *name = catalog->entries[0].name;

	(void)state;
	swap_entries(0, 1);
	assert_refused(catalog);
	swap_entries(0, 1);
	swap_entries(0, 3);
	assert_refused(catalog);
	swap_entries(0, 3);
	release = catalog->releases[0];
	catalog->releases[0] = catalog->releases[1];
	assert_refused(catalog);
	catalog->releases[0] = release;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		catalog->entries[0].name = (char *)names[i];
		assert_refused(catalog);
	}
	catalog->entries[0].name = name;
}

/* Nothing could be parsed, and nothing speaks against it: nobody could have found that.
 */
static void test_no_image_is_never_sound(void **state)
{
	struct tdxupd_image *image = catalog->entries[0].image;
	struct tdxupd_report *report = catalog->entries[0].report, *empty;

	(void)state;
	assert_int_equal(tdxupd_report_new(&empty), 0);
	catalog->entries[0].image = NULL;
	catalog->entries[0].report = empty;
	assert_refused(catalog);
	catalog->entries[0].image = image;
	catalog->entries[0].report = report;
	tdxupd_report_free(empty);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_written_is_read),
		cmocka_unit_test(test_what_is_cut_short_is_none),
		cmocka_unit_test(test_any_byte_may_be_wrong),
		cmocka_unit_test(test_lies_are_refused),
		cmocka_unit_test(test_no_image_is_never_sound),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
