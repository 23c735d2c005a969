// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Images that come and go by mounts, as a merged system extension brings them, and by
 * directories that are exchanged. The daemon runs in a mount namespace of its own, as the
 * unit gives it one: what the host mounts propagates into it.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../unit/test.h"
#include "scene.h"
#include "util.h"

#define EXTENSION "run/extension"

static void get_path(const struct scene *scene, const char *path, char ret[256])
{
	snprintf(ret, 256, "%s/%s", scene->world.tree.path, path);
}

static void make_dir(const struct scene *scene, const char *path)
{
	char file[256];

	snprintf(file, sizeof(file), "%s/README", path);
	tree_put(&scene->world.tree, file, "no image\n");
}

/* What PrivateMounts= and ProtectSystem=strict do (systemd, src/core/namespace.c): a copy
 * of all mounts, whose propagation is one-way, becomes the root, and is shared again. */
static bool enter_namespace(const char *at)
{
	return unshare(CLONE_NEWNS) == 0 &&
	       mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) == 0 &&
	       mount("/", at, NULL, MS_BIND | MS_REC, NULL) == 0 && chdir(at) == 0 &&
	       mount(at, "/", NULL, MS_MOVE, NULL) == 0 && chroot(".") == 0 &&
	       mount(NULL, "/", NULL, MS_SHARED | MS_REC, NULL) == 0;
}

/* Its own directories can be written, and nothing else (StateDirectory= and the like). */
static bool close_the_rest(const struct scene *scene)
{
	static const char *const own[] = { "run/tdxupd", "var/lib/tdxupd",
					   "var/cache/tdxupd" };

	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		char path[256];

		get_path(scene, own[i], path);
		if (mount(path, path, NULL, MS_BIND | MS_REC, NULL) < 0)
			return false;
	}
	return mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == 0;
}

static void run(struct scene *scene)
{
	char at[256];
	pid_t pid;

	make_dir(scene, "at");
	make_dir(scene, "run/tdxupd");
	make_dir(scene, "var/lib/tdxupd");
	make_dir(scene, "var/cache/tdxupd");
	get_path(scene, "at", at);
	pid = scene_fork();
	if (pid == 0) {
		if (!enter_namespace(at) || !close_the_rest(scene))
			_exit(126);
		scene_become_daemon(scene);
	}
	scene->daemon = pid;
	scene_await_name(scene);
	scene_await_host(scene);
}

static void start(struct scene *scene, const char *config)
{
	scene_set(scene, NULL);
	scene_put_images(scene, "1.5.06,ctx=1", NULL);
	scene_put_config(scene, config);
	run(scene);
	scene_await(scene, SCENE_MANAGER, "NextVersion", "");
	/* The first look is over, and so is what it was told of. */
	usleep(300000);
}

static void mount_at(struct scene *scene, const char *path)
{
	char full[256];

	get_path(scene, path, full);
	assert_return_code(mount("tmpfs", full, "tmpfs", 0, "mode=0755"), errno);
}

static void unmount(struct scene *scene, const char *path)
{
	char full[256];

	get_path(scene, path, full);
	assert_return_code(umount2(full, MNT_DETACH | UMOUNT_NOFOLLOW), errno);
}

/* A disk that comes late. */
static void test_a_mount_over_the_images(void **state)
{
	struct scene scene;

	(void)state;
	start(&scene, "");
	mount_at(&scene, WORLD_IMAGES);
	scene_put_images(&scene, "1.5.06,ctx=1", "1.5.16,ctx=2", NULL);
	scene_await(&scene, SCENE_MANAGER, "NextVersion", "1.5.16");
	/* What is in it now is watched. */
	scene_put_images(&scene, "1.5.06,ctx=1", "1.5.16,ctx=2", "1.5.20,ctx=2", NULL);
	scene_await(&scene, SCENE_MANAGER, "NextVersion", "1.5.20");
	unmount(&scene, WORLD_IMAGES);
	scene_await(&scene, SCENE_MANAGER, "NextVersion", "");
	scene_end(&scene);
}

/* systemd-sysext: lower directories of the host and of extensions become one /usr. */
static void merge(struct scene *scene, const char *version)
{
	char usr[256], lower[256], options[600], from[512], to[512];

	get_path(scene, "usr", usr);
	get_path(scene, EXTENSION "/usr", lower);
	make_dir(scene, EXTENSION "/usr/lib/firmware/intel/tdx-module");
	snprintf(from, sizeof(from), "%s/spare/tdx_module_%s.blob",
		 scene->world.tree.path, version);
	snprintf(to, sizeof(to), "%s/lib/firmware/intel/tdx-module/tdx_module_%s.blob",
		 lower, version);
	assert_return_code(rename(from, to), errno);
	snprintf(options, sizeof(options), "lowerdir=%s:%s", lower, usr);
	assert_return_code(mount("overlay", usr, "overlay", MS_RDONLY, options), errno);
}

/* Images for later, of which the daemon knows nothing; Intel's mapping is on the host. */
static void spare(struct scene *scene)
{
	char images[256], to[256];

	get_path(scene, WORLD_IMAGES, images);
	get_path(scene, "spare", to);
	scene_put_images(scene, "1.5.06,ctx=1", "1.5.16,ctx=2", "1.5.20,ctx=2", NULL);
	assert_return_code(mkdir(to, 0755), errno);
	for (size_t i = 0; i < 2; i++) {
		const char *version = i ? "1.5.20" : "1.5.16";
		char from[512], spared[512];

		snprintf(from, sizeof(from), "%s/tdx_module_%s.blob", images, version);
		snprintf(spared, sizeof(spared), "%s/tdx_module_%s.blob", to, version);
		assert_return_code(rename(from, spared), errno);
	}
}

static void test_a_system_extension(void **state)
{
	struct scene scene;

	(void)state;
	scene_set(&scene, NULL);
	spare(&scene);
	scene_put_config(&scene, "AutoUpdate=apply\n");
	run(&scene);
	scene_await(&scene, SCENE_MANAGER, "NextVersion", "");
	usleep(300000);
	merge(&scene, "1.5.16");
	scene_await(&scene, SCENE_MANAGER, "ModuleVersion", "1.5.16");
	scene_await(&scene, SCENE_MANAGER, "LastResult", "done");
	/* Refreshed: the same mount, with other things in it. */
	unmount(&scene, "usr");
	merge(&scene, "1.5.20");
	scene_await(&scene, SCENE_MANAGER, "ModuleVersion", "1.5.20");
	scene_await(&scene, SCENE_MANAGER, "LastResult", "done");
	unmount(&scene, "usr");
	scene_end(&scene);
}

/* Where there was not even a directory. */
static void test_a_mount_brings_the_directory(void **state)
{
	char from[256], to[256];
	struct scene scene;

	(void)state;
	start(&scene, "ImagesDirectory=/opt/vendor/images\n");
	make_dir(&scene, "opt");
	mount_at(&scene, "opt");
	scene_put_images(&scene, "1.5.06,ctx=1", "1.5.16,ctx=2", NULL);
	make_dir(&scene, "opt/vendor/images");
	get_path(&scene, WORLD_IMAGES, from);
	get_path(&scene, "opt/vendor/images", to);
	assert_return_code(mount(from, to, NULL, MS_BIND, NULL), errno);
	scene_await(&scene, SCENE_MANAGER, "NextVersion", "1.5.16");
	unmount(&scene, "opt/vendor/images");
	unmount(&scene, "opt");
	scene_await(&scene, SCENE_MANAGER, "NextVersion", "");
	scene_end(&scene);
}

/* The store is below a directory that the unit binds to itself. */
static void test_a_mount_over_the_store(void **state)
{
	char from[256], to[256];
	struct scene scene;

	(void)state;
	scene_set(&scene, NULL);
	spare(&scene);
	make_dir(&scene, "var/lib/tdxupd/images");
	run(&scene);
	scene_await(&scene, SCENE_MANAGER, "NextVersion", "");
	usleep(300000);
	get_path(&scene, "spare", from);
	get_path(&scene, "var/lib/tdxupd/images", to);
	assert_return_code(mount(from, to, NULL, MS_BIND, NULL), errno);
	scene_await(&scene, SCENE_MANAGER, "NextVersion", "1.5.20");
	unmount(&scene, "var/lib/tdxupd/images");
	scene_await(&scene, SCENE_MANAGER, "NextVersion", "");
	scene_end(&scene);
}

/* No mount, but the same blindness: what is above is moved away with all that is in it.
 */
static void test_a_directory_above_is_exchanged(void **state)
{
	char intel[256], old[256], other[256];
	struct scene scene;

	(void)state;
	start(&scene, "");
	get_path(&scene, "usr/lib/firmware/intel", intel);
	get_path(&scene, "usr/lib/firmware/old", old);
	get_path(&scene, "other", other);
	assert_return_code(rename(intel, old), errno);
	scene_await(&scene, SCENE_MANAGER, "NextVersion", "");
	scene_put_images(&scene, "1.5.06,ctx=1", "1.5.16,ctx=2", NULL);
	scene_await(&scene, SCENE_MANAGER, "NextVersion", "1.5.16");
	/* And a symlink that leads elsewhere from now on. */
	assert_return_code(rename(intel, other), errno);
	assert_return_code(symlink("old", intel), errno);
	scene_await(&scene, SCENE_MANAGER, "NextVersion", "");
	assert_return_code(unlink(intel), errno);
	assert_return_code(rename(other, intel), errno);
	scene_await(&scene, SCENE_MANAGER, "NextVersion", "1.5.16");
	scene_end(&scene);
}

/* Containers come and go all day. */
static void test_mounts_elsewhere_are_of_no_account(void **state)
{
	struct scene scene;
	int journal;

	(void)state;
	start(&scene, "AutoUpdate=stage\n");
	assert_int_equal(scene_stop(&scene), 0);
	journal = scene_run_with_journal(&scene);
	scene_await(&scene, SCENE_MANAGER, "NextVersion", "");
	make_dir(&scene, "elsewhere");
	for (unsigned i = 0; i < 20; i++) {
		mount_at(&scene, "elsewhere");
		unmount(&scene, "elsewhere");
	}
	usleep(2500000);
	assert_false(scene_has_text(journal, "have changed"));
	mount_at(&scene, WORLD_IMAGES);
	usleep(2500000);
	assert_true(scene_has_text(journal, "is on tmpfs now"));
	unmount(&scene, WORLD_IMAGES);
	close(journal);
	scene_end(&scene);
}

/* Mounts of a host: its own, and propagated to those who ask for that. */
static bool be_a_host(void)
{
	return unshare(CLONE_NEWNS) == 0 &&
	       mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) == 0 &&
	       mount(NULL, "/", NULL, MS_SHARED | MS_REC, NULL) == 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_mount_over_the_images),
		cmocka_unit_test(test_a_system_extension),
		cmocka_unit_test(test_a_mount_brings_the_directory),
		cmocka_unit_test(test_a_mount_over_the_store),
		cmocka_unit_test(test_a_directory_above_is_exchanged),
		cmocka_unit_test(test_mounts_elsewhere_are_of_no_account),
	};

	if (!scene_is_possible())
		return TEST_SKIPPED;
	if (!be_a_host()) {
		print_message("SKIPPED: no mount namespace to be had: %s\n",
			      strerror(errno));
		return TEST_SKIPPED;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
