// SPDX-License-Identifier: LGPL-2.1-or-later
/* What other tests build on; that P-SEAMLDR's rules hold is shown by test-image. */
#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "digest.h"
#include "test.h"
#include "testimage.h"
#include "tree.h"

struct image {
	uint8_t *bytes;
	size_t count;
};

static struct image build(const struct testimage_spec *spec)
{
	struct image image = { 0 };

	assert_int_equal(testimage_build(spec, &image.bytes, &image.count), 0);
	return image;
}

static void test_same_specification_gives_same_bytes(void **state)
{
	struct testimage_spec spec = testimage_default_text("1.5.16");
	struct image a = build(&spec), b = build(&spec), c;

	(void)state;
	assert_int_equal(a.count, 6 * 4096);
	assert_int_equal(b.count, a.count);
	assert_memory_equal(a.bytes, b.bytes, a.count);
	spec.salt = 1;
	c = build(&spec);
	assert_memory_not_equal(a.bytes + 4096 + 900, c.bytes + 4096 + 900, 48);
	free(a.bytes);
	free(b.bytes);
	free(c.bytes);
}

static void test_facts_are_where_they_belong(void **state)
{
	static const char line[] =
		"TDXUPD-TEST-MODULE version=1.5.16 features0=0x226f3f0fbf ctx=7\n";
	struct testimage_spec spec = testimage_default_text("1.5.16");
	struct tdxupd_digest digest, signer = testimage_signer(TESTIMAGE_KEY_TRUSTED);
	struct image image;
	uint16_t sum = 0;

	(void)state;
	spec.ctx = 7;
	spec.container = 0x200;
	image = build(&spec);
	for (size_t i = 0; i < image.count; i += 2)
		sum = (uint16_t)(sum + image.bytes[i] + image.bytes[i + 1] * 256);
	assert_int_equal(sum, 0);
	assert_memory_equal(image.bytes + 8192, line, sizeof(line) - 1);
	assert_memory_equal(image.bytes + 4, "TDX-BLOB", 8);
	assert_memory_equal(image.bytes + 4096 + 948, "\x0b\x01", 2);
	assert_int_equal(digest_sha384(image.bytes + 4096 + 128, 384, &digest), 0);
	assert_true(tdxupd_digest_is_equal(&digest, &signer));
	assert_int_equal(digest_sha384(image.bytes + 8192, image.count - 8192, &digest),
			 0);
	assert_memory_equal(image.bytes + 4096 + 900, digest.bytes, 48);
	free(image.bytes);
}

static void test_impossible_specifications(void **state)
{
	struct testimage_spec spec = testimage_default_text("1.5.16");
	struct image image = { 0 };

	(void)state;
	spec.module_pages = 497;
	assert_int_equal(testimage_build(&spec, &image.bytes, &image.count), -EINVAL);
	spec.module_pages = 0;
	assert_int_equal(testimage_build(&spec, &image.bytes, &image.count), -EINVAL);
	spec.module_pages = 1;
	spec.container = 0x300;
	assert_int_equal(testimage_build(&spec, &image.bytes, &image.count), -EINVAL);
	assert_null(image.bytes);
}

/* Return: the exit status of mkimage with these arguments. */
static int run_mkimage(const char *const argv[])
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY);

		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		execv(getenv("TDXUPD_MKIMAGE"), (char *const *)argv);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_mkimage_writes_images_and_mapping(void **state)
{
	static const char *const spec =
		"1.5.20,svn=0x010c,ctx=2,cpus=C06F0,file=odd name";
	struct testimage_spec expected = testimage_default_text("1.5.20");
	struct image image;
	uint8_t *bytes;
	struct tree tree;
	int fd;

	(void)state;
	assert_non_null(getenv("TDXUPD_MKIMAGE"));
	tree_new(&tree);
	assert_int_equal(run_mkimage((const char *[]){ "mkimage", tree.path, spec,
						       "1.5.06", NULL }),
			 0);
	expected.svn = 0x010c;
	expected.ctx = 2;
	expected.cpu_count = 1;
	expected.cpus[0] = 0xc06f0;
	image = build(&expected);
	bytes = malloc(image.count);
	fd = openat(tree.fd, "odd name", O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(fd, bytes, image.count), image.count);
	assert_memory_equal(bytes, image.bytes, image.count);
	close(fd);
	assert_int_equal(faccessat(tree.fd, "tdx_module_1.5.06.blob", R_OK, 0), 0);
	assert_int_equal(faccessat(tree.fd, "mapping_file.json", R_OK, 0), 0);
	free(bytes);
	free(image.bytes);
	tree_remove(&tree);
}

static void test_mkimage_refuses_nonsense(void **state)
{
	static const char *const bad[] = { "1.5",           "1.5.06,svn",
					   "1.5.06,svn=x",  "1.5.06,svn=70000",
					   "1.5.06,what=1", "1.5.06,file=a/b",
					   "1.5.06,pages=0" };
	struct tree tree;

	(void)state;
	tree_new(&tree);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(run_mkimage((const char *[]){ "mkimage", tree.path,
							       bad[i], NULL }),
				 2);
	}
	tree_remove(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_specification_gives_same_bytes),
		cmocka_unit_test(test_facts_are_where_they_belong),
		cmocka_unit_test(test_impossible_specifications),
		cmocka_unit_test(test_mkimage_writes_images_and_mapping),
		cmocka_unit_test(test_mkimage_refuses_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
