// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"
#include "catalog-cache.h"
#include "catalog-record.h"
#include "testimage.h"
#include "tree.h"

#define CACHE_FILE "var/cache/tdxupd/verified"
#define IMAGES     "images"
#define NAME       "tdx_module_1.5.16.blob"
#define FILE_PATH  IMAGES "/" NAME

static struct tree tree;
static struct tdxupd_policy *policy;

static int setup(void **state)
{
	struct tdxupd_digest signer = testimage_signer(TESTIMAGE_KEY_TRUSTED);

	(void)state;
	tree_new(&tree);
	tree_put(&tree, "var/cache/README", "");
	tree_put(&tree, IMAGES "/mapping_file.json", "{\"tdx_module_releases\": []}");
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

static struct stat put_image(bool is_damaged)
{
	struct testimage_spec spec = testimage_default_text("1.5.16");
	struct stat st;
	uint8_t *bytes;
	size_t count;

	assert_int_equal(testimage_build(&spec, &bytes, &count), 0);
	if (is_damaged)
		bytes[count - 1] ^= 1;
	tree_put_bytes(&tree, FILE_PATH, bytes, count);
	free(bytes);
	assert_int_equal(fstatat(tree.fd, FILE_PATH, &st, 0), 0);
	return st;
}

/* At a time when all files here have been at rest for long. */
static struct cache *open_cache(void)
{
	struct cache *cache = NULL;

	assert_int_equal(cache_new(tree.fd, policy, time(NULL) + 10, &cache), 0);
	return cache;
}

/* An image with a warning. */
static struct tdxupd_entry make_entry(void)
{
	struct tdxupd_entry entry = { .image = calloc(1, sizeof(*entry.image)) };

	assert_non_null(entry.image);
	entry.image->svn = 0x0142;
	entry.image->cpu_count = 2;
	entry.image->cpus[1] = 0xc06f0;
	assert_int_equal(tdxupd_report_new(&entry.report), 0);
	assert_int_equal(tdxupd_report_add(entry.report, TDXUPD_CHECK_VERSION_UNKNOWN,
					   TDXUPD_SEVERITY_WARN, "a", "b"),
			 0);
	return entry;
}

static void entry_free(struct tdxupd_entry *entry)
{
	tdxupd_image_free(entry->image);
	tdxupd_report_free(entry->report);
	*entry = (struct tdxupd_entry){};
}

static void keep(const struct stat *st)
{
	struct cache *cache = open_cache();
	struct tdxupd_entry entry = make_entry();

	assert_int_equal(cache_add(cache, st, NULL, &entry), 0);
	cache_save(cache, tree.fd);
	cache_free(cache);
	entry_free(&entry);
}

static bool is_kept(const struct stat *st)
{
	struct cache *cache = open_cache();
	struct tdxupd_entry entry = {};
	int r = cache_find(cache, st, NULL, &entry);

	assert_true(r >= 0);
	if (r) {
		assert_int_equal(entry.image->svn, 0x0142);
		assert_int_equal(entry.image->cpus[1], 0xc06f0);
		assert_null(entry.image->bytes);
		assert_int_equal(tdxupd_report_count(entry.report), 1);
		assert_string_equal(tdxupd_report_get(entry.report, 0)->wanted, "b");
	}
	entry_free(&entry);
	cache_free(cache);
	return r;
}

static void test_what_was_kept_is_found(void **state)
{
	struct stat st = put_image(false);

	(void)state;
	assert_false(is_kept(&st));
	keep(&st);
	assert_true(is_kept(&st));
}

static void test_any_change_of_the_file_counts(void **state)
{
	struct stat st = put_image(false), other;

	(void)state;
	keep(&st);
	other = st, other.st_dev++;
	assert_false(is_kept(&other));
	other = st, other.st_ino++;
	assert_false(is_kept(&other));
	other = st, other.st_size++;
	assert_false(is_kept(&other));
	other = st, other.st_mtim.tv_nsec ^= 1;
	assert_false(is_kept(&other));
	other = st, other.st_ctim.tv_sec++;
	assert_false(is_kept(&other));
	assert_true(is_kept(&st));
}

static void test_another_policy_has_other_verdicts(void **state)
{
	struct stat st = put_image(false);

	(void)state;
	keep(&st);
	tdxupd_policy_trust_nobody(policy);
	assert_false(is_kept(&st));
}

static void test_a_file_that_just_changed_is_not_kept(void **state)
{
	struct tdxupd_entry entry = make_entry();
	struct stat st = put_image(false);
	struct cache *cache;

	(void)state;
	assert_int_equal(cache_new(tree.fd, policy, st.st_ctim.tv_sec + 1, &cache), 0);
	assert_int_equal(cache_add(cache, &st, NULL, &entry), 0);
	cache_save(cache, tree.fd);
	cache_free(cache);
	entry_free(&entry);
	assert_false(is_kept(&st));
}

static void test_a_bad_file_is_an_empty_cache(void **state)
{
	struct stat st = put_image(false);
	uint8_t text[4096];
	ssize_t size;
	int fd;

	(void)state;
	keep(&st);
	fd = openat(tree.fd, CACHE_FILE, O_RDONLY | O_CLOEXEC);
	size = read(fd, text, sizeof(text));
	close(fd);
	assert_true(size > 200 && size < (ssize_t)sizeof(text));
	for (ssize_t i = 0; i < size; i += 7) {
		tree_put_bytes(&tree, CACHE_FILE, text, (size_t)i);
		assert_false(is_kept(&st));
		text[i] ^= 1;
		tree_put_bytes(&tree, CACHE_FILE, text, (size_t)size);
		assert_false(is_kept(&st));
		text[i] ^= 1;
	}
	tree_put_bytes(&tree, CACHE_FILE, text, (size_t)size);
	assert_true(is_kept(&st));
	/* Anybody could have written this. */
	assert_int_equal(fchmodat(tree.fd, CACHE_FILE, 0666, 0), 0);
	assert_false(is_kept(&st));
}

/* Its digest is of no help against bytes that were made on purpose. */
static void test_records_are_read_with_care(void **state)
{
	static const struct record_key key = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
	struct tdxupd_entry entry = make_entry();
	struct record_key back;
	char *text;
	size_t size;
	struct buffer buffer = { 0 };

	(void)state;
	record_put(&buffer, &key, entry.image, entry.report);
	assert_int_equal(buffer_take(&buffer, &text, &size), 0);
	for (size_t i = 0; i < size; i++) {
		struct record_reader reader = { (const uint8_t *)text, i, false };

		assert_int_equal(record_get(&reader, &back, NULL, NULL), -EBADMSG);
	}
	for (size_t i = 0; i < size; i++) {
		struct record_reader reader = { (const uint8_t *)text, size, false };
		int r;

		text[i] ^= 0xff;
		r = record_get(&reader, &back, NULL, NULL);
		assert_true(r == 0 || r == -EBADMSG);
		text[i] ^= 0xff;
	}
	free(text);
	entry_free(&entry);
}

static struct tdxupd_catalog *list(void)
{
	struct tdxupd_catalog *catalog = NULL;

	assert_int_equal(tdxupd_catalog_read(tree.fd, IMAGES, NULL, policy,
					     TDXUPD_CATALOG_USE_CACHE, &catalog, NULL),
			 0);
	assert_int_equal(catalog->entry_count, 1);
	return catalog;
}

/* What the cache says is listed, and not what is staged. */
static void test_a_lie_goes_no_further_than_the_list(void **state)
{
	struct stat st = put_image(true);
	struct tdxupd_catalog *catalog;
	struct tdxupd_report *report;
	struct tdxupd_image *image = NULL;
	int r;

	(void)state;
	keep(&st);
	catalog = list();
	assert_int_equal(catalog->entries[0].image->svn, 0x0142);
	assert_false(tdxupd_report_has(catalog->entries[0].report,
				       TDXUPD_CHECK_HASH_MISMATCH));
	assert_int_equal(tdxupd_report_new(&report), 0);
	/* A digest of other bytes, to begin with. */
	r = tdxupd_catalog_load(tree.fd, IMAGES, &catalog->entries[0], policy,
				TDXUPD_CATALOG_USE_CACHE, report, &image);
	assert_int_equal(r, -ESTALE);
	tdxupd_report_free(report);
	tdxupd_catalog_free(catalog);
	/* Changed in the least, it is looked at again. */
	assert_int_equal(fchmodat(tree.fd, FILE_PATH, 0600, 0), 0);
	catalog = list();
	assert_true(tdxupd_report_has(catalog->entries[0].report,
				      TDXUPD_CHECK_HASH_MISMATCH));
	tdxupd_catalog_free(catalog);
}

static void test_a_list_is_the_same_with_and_without(void **state)
{
	struct tdxupd_catalog *first, *second;
	struct stat st = put_image(false), kept;

	(void)state;
	sleep(3); /* until it counts as settled */
	first = list();
	assert_int_equal(fstatat(tree.fd, CACHE_FILE, &kept, 0), 0);
	assert_int_equal(kept.st_mode & 0777, 0644);
	second = list();
	assert_memory_equal(first->entries[0].image, second->entries[0].image,
			    sizeof(*first->entries[0].image));
	assert_int_equal(tdxupd_report_count(first->entries[0].report),
			 tdxupd_report_count(second->entries[0].report));
	assert_true(second->entries[0].has_version);
	/* It has been kept, and not written again. */
	assert_int_equal(fstatat(tree.fd, CACHE_FILE, &st, 0), 0);
	assert_int_equal(st.st_ino, kept.st_ino);
	tdxupd_catalog_free(first);
	tdxupd_catalog_free(second);
}

static void test_without_a_place_nothing_is_kept(void **state)
{
	struct stat st = put_image(false);

	(void)state;
	tree_drop(&tree, "var/cache/README");
	tree_drop(&tree, "var/cache");
	keep(&st);
	assert_false(is_kept(&st));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_what_was_kept_is_found),
		TEST(test_any_change_of_the_file_counts),
		TEST(test_another_policy_has_other_verdicts),
		TEST(test_a_file_that_just_changed_is_not_kept),
		TEST(test_a_bad_file_is_an_empty_cache),
		TEST(test_records_are_read_with_care),
		TEST(test_a_lie_goes_no_further_than_the_list),
		TEST(test_a_list_is_the_same_with_and_without),
		TEST(test_without_a_place_nothing_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
