// SPDX-License-Identifier: LGPL-2.1-or-later
/* `image vacuum` beside updates that wait, are queued, or are made without the daemon. */
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit/test.h"
#include "lock.h"
#include "scene.h"
#include "util.h"

static int run_ctl(struct scene *scene, const char *verb, char ret[4096])
{
	char command[512];
	FILE *pipe;
	size_t count;

	snprintf(command, sizeof(command), "%s --bus-address %s --root %s %s 2>&1",
		 getenv("TDXUPD_CTL"), scene->address, scene->world.tree.path, verb);
	pipe = popen(command, "re");
	assert_non_null(pipe);
	count = fread(ret, 1, 4095, pipe);
	ret[count] = '\0';
	return WEXITSTATUS(pclose(pipe));
}

/* Images of which the store has all and the vendor's directory none; what runs is in
 * between. */
static void start(struct scene *scene)
{
	char verb[256], text[4096];

	scene_set(scene, "boot version=1.5.08 svn=0x0106 ctx=1", NULL);
	scene_put_images(scene, "1.5.06,ctx=1,svn=0x0106", "1.5.08,ctx=1,svn=0x0106",
			 "1.5.16,ctx=2,svn=0x0106", NULL);
	/* Names are no part of the store: records tell which is which. */
	scene_put_records(scene, NULL, NULL);
	snprintf(verb, sizeof(verb), "image import %s/" WORLD_IMAGES,
		 scene->world.tree.path);
	assert_int_equal(run_ctl(scene, verb, text), 0);
	for (size_t i = 0; i < 3; i++) {
		static const char *const versions[] = { "1.5.06", "1.5.08", "1.5.16" };
		char path[128];

		snprintf(path, sizeof(path), WORLD_IMAGES "/tdx_module_%s.blob",
			 versions[i]);
		tree_drop(&scene->world.tree, path);
	}
}

static void assert_vacuum(struct scene *scene, const char *said)
{
	char text[4096];

	(void)run_ctl(scene, "image vacuum", text);
	if (!strstr(text, said))
		fail_msg("no \"%s\" in: %s", said, text);
}

static void test_a_queued_downgrade_keeps_its_image(void **state)
{
	_cleanup_(cleanup_free)
	char *first = NULL;
	_cleanup_(cleanup_free)
	char *second = NULL;
	struct scene scene;

	(void)state;
	start(&scene);
	scene_begin_build(&scene);
	scene_run(&scene);
	first = scene_update(&scene, NULL);
	scene_await(&scene, first, "State", "waiting");
	second = scene_update(&scene, "1.5.06");
	scene_assert(&scene, second, "State", "queued");
	assert_vacuum(&scene, "Nothing in");
	/* The one that is queued alone. */
	assert_null(scene_call(&scene, first, "Cancel"));
	scene_await(&scene, second, "State", "waiting");
	assert_vacuum(&scene, "Nothing in");
	assert_null(scene_call(&scene, second, "Cancel"));
	scene_await_end(&scene, second, "Cancelled");
	assert_vacuum(&scene, "removed 1.5.06");
	assert_vacuum(&scene, "Nothing in");
	scene_end(&scene);
}

/* Whoever has the lock without being on the bus says nothing of what it needs. */
static void test_nothing_is_removed_beside_an_unknown_update(void **state)
{
	struct scene scene;
	struct lock lock;

	(void)state;
	start(&scene);
	assert_int_equal(lock_take(scene.world.tree.fd, &lock), 0);
	assert_vacuum(&scene, "nothing is removed while it is not known");
	lock_release(&lock);
	assert_vacuum(&scene, "removed 1.5.06");
	scene_end(&scene);
}

/* An update that is not possible today may be so tomorrow. */
static void test_an_offline_cpu_costs_no_image(void **state)
{
	struct scene scene;

	(void)state;
	start(&scene);
	world_do(&scene.world, "lp offline 1");
	assert_vacuum(&scene, "removed 1.5.06");
	assert_vacuum(&scene, "Nothing in");
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_queued_downgrade_keeps_its_image),
		cmocka_unit_test(test_nothing_is_removed_beside_an_unknown_update),
		cmocka_unit_test(test_an_offline_cpu_costs_no_image),
	};

	if (!scene_is_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
