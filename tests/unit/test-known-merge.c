// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "build-config.h"
#include "facts.h"
#include "io.h"
#include "known-select.h"
#include "known.h"
#include "test.h"
#include "tree.h"
#include "util.h"

#define HEX_A              "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEX_B              "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define FILE_OF(rows)      "{\"known_modules\":[" rows "]}"
#define ROW(version, rest) "{\"version\":\"" version "\"" rest "}"
#define BUILT_IN \
	FILE_OF(ROW("1.5.20", ",\"svn\":\"0x010C\",\"mrseam\":\"" HEX_A HEX_A "\""))

#define DATA (&TDXUPD_DATADIR "/known-modules.json"[1])
#define ETC  "etc/tdxupd/known-modules.d/"
#define RUN  "run/tdxupd/known-modules.d/"
#define LIB  "usr/lib/tdxupd/known-modules.d/"

struct scene {
	struct tree tree;
	struct tdxupd_known_module *known;
	size_t count;
	struct notes notes;
};

static void scene_new(struct scene *scene)
{
	*scene = (struct scene){};
	tree_new(&scene->tree);
	tree_put(&scene->tree, DATA, BUILT_IN);
}

static void scene_read(struct scene *scene)
{
	free(TAKE_PTR(scene->known));
	notes_done(&scene->notes);
	scene->count = 0;
	/* What a builder writes who is not root is not safe, and reads the same. */
	assert_int_equal(known_read(scene->tree.fd, geteuid() == 0 ? IO_REQUIRE_SAFE : 0,
				    &scene->notes, &scene->known, &scene->count, NULL),
			 0);
}

static void scene_done(struct scene *scene)
{
	free(scene->known);
	notes_done(&scene->notes);
	tree_remove(&scene->tree);
}

static const struct tdxupd_known_module *find(const struct scene *scene,
					      const char *version)
{
	const struct tdxupd_version wanted = facts_version(version);

	return known_find(scene->known, scene->count, &wanted);
}

static void assert_note(const struct scene *scene, const char *code, const char *text)
{
	for (size_t i = 0; i < scene->notes.count; i++)
		if (strcmp(scene->notes.items[i].code, code) == 0 &&
		    strstr(scene->notes.items[i].text, text))
			return;
	fail_msg("no note %s with \"%s\"", code, text);
}

static void test_an_add_on_fills_in_and_adds(void **state)
{
	struct scene scene;

	(void)state;
	scene_new(&scene);
	tree_put(&scene.tree, ETC "mine.json",
		 FILE_OF(ROW("1.5.40", ",\"svn\":\"0x0110\"") "," ROW(
			 "1.5.20", ",\"module_hv\":1,\"no_downgrade\":true")));
	scene_read(&scene);
	assert_int_equal(scene.notes.count, 0);
	assert_int_equal(scene.count, 2);
	assert_int_equal(find(&scene, "1.5.20")->svn, 0x010c);
	assert_true(find(&scene, "1.5.20")->has_handoff);
	assert_int_equal(find(&scene, "1.5.20")->module_hv, 1);
	assert_true(find(&scene, "1.5.20")->no_downgrade);
	assert_int_equal(find(&scene, "1.5.40")->svn, 0x0110);
	scene_done(&scene);
}

/* Which word is noted, and what counts afterwards. */
static void test_the_built_in_record_wins(void **state)
{
	static const struct {
		const char *row, *what;
	} cases[] = {
		{ ROW("1.5.20", ",\"svn\":\"0x010D\",\"crypto_context\":7"), "svn" },
		{ ROW("1.5.20", ",\"mrseam\":\"" HEX_B HEX_B "\",\"crypto_context\":7"),
		  "mrseam" },
		{ ROW("1.5.24", ",\"mrseam\":\"" HEX_A HEX_A "\",\"crypto_context\":7"),
		  "version for the MRSEAM" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *text = NULL;
		struct scene scene;

		assert_true(asprintf(&text, FILE_OF("%s"), cases[i].row) > 0);
		scene_new(&scene);
		tree_put(&scene.tree, LIB "vendor.json", text);
		scene_read(&scene);
		assert_note(&scene, "record-contradicts", cases[i].what);
		assert_note(&scene, "record-contradicts",
			    "/usr/lib/tdxupd/known-modules.d/vendor.json");
		assert_int_equal(scene.count, 1);
		assert_int_equal(scene.known[0].svn, 0x010c);
		assert_int_equal(scene.known[0].mrseam.bytes[0], 0xaa);
		/* Nothing of another build is mixed in. */
		assert_false(scene.known[0].has_crypto_context);
		scene_done(&scene);
		free(text);
	}
}

static void test_a_higher_place_wins_and_hides(void **state)
{
	struct scene scene;

	(void)state;
	scene_new(&scene);
	tree_put(&scene.tree, LIB "a.json",
		 FILE_OF(ROW("1.5.40", ",\"svn\":\"0x0111\"")));
	tree_put(&scene.tree, RUN "b.json",
		 FILE_OF(ROW("1.5.40", ",\"svn\":\"0x0112\"")));
	tree_put(&scene.tree, ETC "c.json",
		 FILE_OF(ROW("1.5.40", ",\"svn\":\"0x0113\"")));
	scene_read(&scene);
	assert_int_equal(find(&scene, "1.5.40")->svn, 0x0113);
	assert_int_equal(scene.notes.count, 2);
	assert_note(&scene, "record-contradicts", RUN "b.json");
	assert_note(&scene, "record-contradicts", LIB "a.json");
	/* An empty file of the same name takes one away. */
	tree_put(&scene.tree, ETC "a.json", "");
	tree_put(&scene.tree, ETC "b.json", "");
	tree_put(&scene.tree, ETC "c.json", "");
	scene_read(&scene);
	assert_int_equal(scene.notes.count, 0);
	assert_int_equal(scene.count, 1);
	scene_done(&scene);
}

static void test_a_bad_add_on_costs_no_other(void **state)
{
	struct scene scene;

	(void)state;
	if (geteuid() != 0) {
		print_message("SKIPPED: what is safe is root's: run as root\n");
		skip();
	}
	scene_new(&scene);
	tree_put(&scene.tree, ETC "a.json", "{");
	tree_put(&scene.tree, ETC "b.json", FILE_OF(ROW("1.5.40", "")));
	tree_put(&scene.tree, ETC "c.json", FILE_OF(ROW("1.5.41", "")));
	tree_put(&scene.tree, ETC ".d.json", "{");
	tree_put(&scene.tree, ETC "e.txt", "{");
	assert_int_equal(fchmodat(scene.tree.fd, ETC "c.json", 0666, 0), 0);
	scene_read(&scene);
	assert_int_equal(scene.notes.count, 2);
	assert_note(&scene, "record-malformed", ETC "a.json");
	assert_note(&scene, "record-unusable", ETC "c.json");
	assert_int_equal(scene.count, 2);
	assert_non_null(find(&scene, "1.5.40"));
	scene_done(&scene);
}

static void test_fits_and_fixes(void **state)
{
	static const struct {
		uint32_t signature;
		const char *newest, *fix; /* NULL: none */
	} cases[] = {
		{ 0x806f8, "1.5.34", "1.5.24" }, /* Sapphire Rapids */
		{ 0xc06f2, "1.5.34", "1.5.24" }, /* Emerald Rapids */
		{ 0xa06f3, "1.5.34", "1.5.25" }, /* Sierra Forest */
		{ 0xb06f0, NULL, NULL },
	};
	_cleanup_(cleanup_free)
	uint8_t *text = NULL;
	_cleanup_(cleanup_free)
	struct tdxupd_known_module *known = NULL;
	const struct tdxupd_version from = facts_version("1.5.20");
	_cleanup_(cleanup_close)
	int fd = open(getenv("TDXUPD_SOURCE"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct tdxupd_host *host = facts_host();
	size_t bytes = 0, count = 0;

	(void)state;
	assert_int_equal(io_read_file(fd, "libtdxupd/known-modules.json", KNOWN_BYTES_MAX,
				      &text, &bytes),
			 0);
	assert_int_equal(known_parse((char *)text, bytes, &known, &count, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct tdxupd_known_module *newest, *fix;

		host->sockets[0].signature = cases[i].signature;
		newest = known_find_newest(known, count, &from, host);
		fix = known_find_fix(known, count, &from, "INTEL-SA-01397", host);
		assert_int_equal(!newest, !cases[i].newest);
		assert_int_equal(!fix, !cases[i].fix);
		if (newest)
			assert_int_equal(newest->version.update,
					 facts_version(cases[i].newest).update);
		if (fix)
			assert_int_equal(fix->version.update,
					 facts_version(cases[i].fix).update);
	}
	/* CPUs whose signature is not on record: nobody can tell. */
	host->sockets[0].signature = 0xd06d0;
	assert_int_equal(known_fits(&known[count - 1], host), KNOWN_FIT_UNKNOWN);
	host->socket_count = 0;
	assert_int_equal(known_fits(&known[0], host), KNOWN_FIT_UNKNOWN);
	free(host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_add_on_fills_in_and_adds),
		cmocka_unit_test(test_the_built_in_record_wins),
		cmocka_unit_test(test_a_higher_place_wins_and_hides),
		cmocka_unit_test(test_a_bad_add_on_costs_no_other),
		cmocka_unit_test(test_fits_and_fixes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
