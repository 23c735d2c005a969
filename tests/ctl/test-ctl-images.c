// SPDX-License-Identifier: LGPL-2.1-or-later
/* tdxupdctl and Intel's published images: what they are, what becomes of them in the
 * other container, and which of them may follow 1.5.06 on an Emerald Rapids host. */
#include "test.h"
#include "cli.h"
#include "io.h"
#include "json.h"
#include "realimage.h"
#include "schema.h"
#include "world.h"

#include <fcntl.h>

#include <json-c/json.h>

static int images_fd;

static const char *const versions[] = { "1.5.01", "1.5.05", "1.5.06",
					"1.5.16", "2.0.02", "2.0.05" };

/* A file of the published ones; free() it. */
static void read_published(const char *name, uint8_t **ret, size_t *ret_bytes)
{
	assert_int_equal(io_read_file(images_fd, name, 4u << 20, ret, ret_bytes), 0);
}

static void copy_published(const struct tree *tree, const char *name, const char *path)
{
	uint8_t *bytes;
	size_t count;

	read_published(name, &bytes, &count);
	tree_put_bytes(tree, path, bytes, count);
	free(bytes);
}

static void put_known_modules(const struct tree *tree)
{
	int fd = open(getenv("TDXUPD_SOURCE"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint8_t *bytes;
	size_t count;

	assert_true(fd >= 0);
	assert_int_equal(io_read_file(fd, "libtdxupd/known-modules.json", 1u << 20,
				      &bytes, &count),
			 0);
	tree_put_bytes(tree, "usr/share/tdxupd/known-modules.json", bytes, count);
	free(bytes);
	close(fd);
}

static void blob_name(const char *version, char *ret, size_t size)
{
	snprintf(ret, size, "tdx_module_%s.blob", version);
}

static void put_all(const struct tree *tree)
{
	put_known_modules(tree);
	copy_published(tree, "mapping_file.json", WORLD_IMAGES "/mapping_file.json");
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		char name[64], path[128];

		blob_name(versions[i], name, sizeof(name));
		snprintf(path, sizeof(path), WORLD_IMAGES "/%s", name);
		copy_published(tree, name, path);
	}
}

/* The name says nothing: the file is called otherwise. */
static void test_an_image_is_known_by_its_measurement(void **state)
{
	struct tree tree;

	(void)state;
	tree_new(&tree);
	put_known_modules(&tree);
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		char name[64], path[128];
		struct json_object *files, *file;
		struct cli cli;

		blob_name(versions[i], name, sizeof(name));
		copy_published(&tree, name, "some.bin");
		snprintf(path, sizeof(path), "%s/some.bin", tree.path);
		cli_run(&cli, tree.path, "--json", "image", "verify", path, NULL);
		assert_int_equal(cli.code, 0);
		files = cli_parse(&cli);
		schema_assert(files, "image-show");
		file = json_object_array_get_idx(files, 0);
		assert_string_equal(json_get_text(file, "version"), versions[i]);
		assert_true(json_get_bool(file, "is_sound"));
		json_object_put(files);
		cli_done(&cli);
	}
	tree_remove(&tree);
}

static void convert(const struct tree *tree, const char *from, const char *container,
		    const char *to)
{
	char from_path[128], to_path[128], option[32];
	struct cli cli;

	snprintf(from_path, sizeof(from_path), "%s/%s", tree->path, from);
	snprintf(to_path, sizeof(to_path), "%s/%s", tree->path, to);
	snprintf(option, sizeof(option), "--container=%s", container);
	cli_run(&cli, tree->path, "image", "convert", option, from_path, to_path, NULL);
	if (cli.code)
		fail_msg("convert left with %d: %s", cli.code, cli.err);
	cli_done(&cli);
}

static void assert_same(const struct tree *tree, const char *one, const char *other)
{
	uint8_t *bytes, *other_bytes;
	size_t count, other_count;

	assert_int_equal(io_read_file(tree->fd, one, 4u << 20, &bytes, &count), 0);
	assert_int_equal(
		io_read_file(tree->fd, other, 4u << 20, &other_bytes, &other_count), 0);
	assert_int_equal(count, other_count);
	assert_memory_equal(bytes, other_bytes, count);
	free(bytes);
	free(other_bytes);
}

static void test_there_and_back_gives_the_same_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		char name[64];
		struct tree tree;

		tree_new(&tree);
		blob_name(versions[i], name, sizeof(name));
		copy_published(&tree, name, "published");
		convert(&tree, "published", "kernel", "kernel");
		convert(&tree, "kernel", "kernel", "again");
		assert_same(&tree, "kernel", "again");
		convert(&tree, "kernel", "published", "back");
		assert_same(&tree, "published", "back");
		tree_remove(&tree);
	}
}

static void test_join_makes_the_published_file(void **state)
{
	char module[128], sigstruct[128], joined[128];
	struct tree tree;
	struct cli cli;

	(void)state;
	tree_new(&tree);
	copy_published(&tree, "separate_1.5.06/tdx_module_1.5.06.bin", "module");
	copy_published(&tree, "separate_1.5.06/tdx_module_1.5.06.sigstruct", "sigstruct");
	copy_published(&tree, "tdx_module_1.5.06.blob", "published");
	snprintf(module, sizeof(module), "%s/module", tree.path);
	snprintf(sigstruct, sizeof(sigstruct), "%s/sigstruct", tree.path);
	snprintf(joined, sizeof(joined), "%s/joined", tree.path);
	cli_run(&cli, tree.path, "image", "join", "--container=published", module,
		sigstruct, joined, NULL);
	assert_int_equal(cli.code, 0);
	cli_done(&cli);
	assert_same(&tree, "joined", "published");
	tree_remove(&tree);
}

static void test_exactly_1_5_16_is_offered(void **state)
{
	struct json_object *list, *candidates;
	struct world world;
	struct cli cli;

	(void)state;
	world_start(&world, 4, "set cpu=0xC06F2",
		    "boot version=1.5.06 features0=0x2E1F0FBF svn=0x0106", NULL);
	put_all(&world.tree);
	cli_run(&cli, world.tree.path, "--json", "list", NULL);
	assert_int_equal(cli.code, 0);
	list = cli_parse(&cli);
	schema_assert(list, "list");
	candidates = json_get(list, "candidates");
	assert_int_equal(json_count(candidates), ARRAY_SIZE(versions));
	for (size_t i = 0; i < json_count(candidates); i++) {
		struct json_object *candidate = json_object_array_get_idx(candidates, i);
		const char *version = json_get_text(candidate, "version");
		const char *wanted = strcmp(version, "1.5.16") == 0   ? "offered"
				     : strcmp(version, "1.5.06") == 0 ? "running"
								      : "refused";

		assert_string_equal(version, versions[i]);
		assert_string_equal(json_get_text(candidate, "state"), wanted);
		assert_int_equal(json_count(json_get(candidate, "verdicts")) > 0,
				 strcmp(wanted, "refused") == 0);
	}
	json_object_put(list);
	cli_done(&cli);
	world_stop(&world);
}

/* MRSIGNERSEAM is zero for what Intel signed. */
static void test_what_quotes_carry(void **state)
{
	struct json_object *shown, *next;
	struct world world;
	struct cli cli;

	(void)state;
	world_start(&world, 4, "set cpu=0xC06F2",
		    "boot version=1.5.06 features0=0x2E1F0FBF svn=0x0106", NULL);
	put_all(&world.tree);
	cli_run(&cli, world.tree.path, "--json", "attest", "show", NULL);
	assert_int_equal(cli.code, 0);
	shown = cli_parse(&cli);
	schema_assert(shown, "attest-show");
	next = json_get(shown, "next");
	assert_string_equal(json_get_text(next, "version"), "1.5.16");
	assert_int_equal(strspn(json_get_text(next, "mrsigner_seam"), "0"), 96);
	json_object_put(shown);
	cli_done(&cli);
	world_stop(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_image_is_known_by_its_measurement),
		cmocka_unit_test(test_there_and_back_gives_the_same_bytes),
		cmocka_unit_test(test_join_makes_the_published_file),
		cmocka_unit_test(test_exactly_1_5_16_is_offered),
		cmocka_unit_test(test_what_quotes_carry),
	};

	if (!cli_is_possible() || !world_is_possible())
		return TEST_SKIPPED;
	images_fd = realimage_open_or_skip();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
