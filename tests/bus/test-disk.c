// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the daemon keeps on disk, and a disk that does not take it, gives it back wrong or
 * is somebody else's. A clear line, a safe state, nothing lost.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../unit/test.h"
#include "io.h"
#include "story.h"
#include "util.h"

/* ---- what is written ---- */

/* Enough to tell, after a crash, of what and for whom. */
static void test_what_a_record_says(void **state)
{
	_cleanup_(cleanup_free)
	char *job = NULL;
	_cleanup_(cleanup_free)
	char *boot_id = NULL;
	struct history_record record;
	struct scene scene;

	(void)state;
	scene_start(&scene, "fail step=shutdown", NULL);
	job = scene_update(&scene, NULL);
	scene_await_end(&scene, job, "Refused");
	record = story_find(&scene, "committing");
	assert_int_equal(
		world_read(&scene.world, "proc/sys/kernel/random/boot_id", &boot_id), 0);
	boot_id[strcspn(boot_id, "\n")] = '\0';
	assert_string_equal(record.boot_id, boot_id);
	assert_true(record.sequence && record.monotonic_usec && record.realtime_usec);
	assert_int_equal(record.job, 1);
	assert_int_equal(record.remaining, 10);
	assert_string_equal(record.from, "1.5.06");
	assert_string_equal(record.to, "1.5.16");
	assert_string_equal(record.step_to, "1.5.16");
	assert_string_equal(record.module, "1.5.06");
	assert_string_equal(record.path, "/" WORLD_IMAGES "/tdx_module_1.5.16.blob");
	assert_int_equal(strlen(record.mrseam), 2 * sizeof(struct tdxupd_digest));
	assert_non_null(strstr(record.caller, "uid 0"));
	assert_null(record.reason);
	history_record_done(&record);
	record = story_find(&scene, "failed");
	assert_string_equal(record.reason, "org.tdxupd1.Error.Refused");
	assert_string_equal(record.outcome, "refused");
	history_record_done(&record);
	scene_end(&scene);
}

/* ---- no room, no writing ---- */

static void state_path(const struct scene *scene, char *ret, size_t size)
{
	snprintf(ret, size, "%s/" STATE_DIR, scene->world.tree.path);
}

static void mount_state(struct scene *scene, const char *options, unsigned long flags)
{
	char path[128];

	tree_put(&scene->world.tree, STATE_DIR "/x", "");
	state_path(scene, path, sizeof(path));
	assert_int_equal(mount("tmpfs", path, "tmpfs", flags, options), 0);
}

static void unmount_state(struct scene *scene)
{
	char path[128];

	state_path(scene, path, sizeof(path));
	assert_int_equal(umount2(path, MNT_DETACH), 0);
}

/* To the last byte that a file of 512 bytes could take. */
static void fill_state(struct scene *scene)
{
	int fd = openat(scene->world.tree.fd, STATE_DIR "/fill",
			O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	char zeros[512] = { 0 };

	assert_true(fd >= 0);
	while (write(fd, zeros, sizeof(zeros)) > 0)
		;
	assert_int_equal(errno, ENOSPC);
	close(fd);
}

static void must_not_commit(struct scene *scene)
{
	_cleanup_(cleanup_free)
	char *job = NULL;

	scene_run(scene);
	job = scene_update(scene, NULL);
	scene_await_end(scene, job, "Unknown");
	scene_assert(scene, job, "Attempt", "0");
	scene_assert_host(scene, "1.5.06", 0);
	assert_int_equal(scene_stop(scene), 0);
	unmount_state(scene);
	scene_end(scene);
}

static void test_a_full_disk(void **state)
{
	struct scene scene;

	(void)state;
	scene_set(&scene, NULL);
	mount_state(&scene, "size=64k,mode=0755", 0);
	fill_state(&scene);
	must_not_commit(&scene);
}

static void test_a_read_only_disk(void **state)
{
	struct scene scene;

	(void)state;
	scene_set(&scene, NULL);
	mount_state(&scene, "mode=0755", MS_RDONLY);
	must_not_commit(&scene);
}

/*
 * A history that ends between @at and 300 bytes later in its page, so that some more
 * lines fit on a full disk and one more does not.
 */
static void put_history(struct scene *scene, off_t at)
{
	static const struct history_limits limits = { .file_bytes = 1 << 20 };
	struct history_record record = { .boot_id = (char[]){ "another" },
					 .phase = (char[]){ "started" } };
	struct history *history;
	char *note = NULL;
	struct stat st;

	assert_int_equal(history_open(scene->world.tree.fd, &limits, &history, &note), 0);
	do {
		assert_int_equal(history_append(history, &record, false), 0);
		assert_int_equal(fstatat(scene->world.tree.fd, STORY_FILE, &st, 0), 0);
	} while (st.st_size % 4096 < at || st.st_size % 4096 > at + 300);
	history_free(history);
}

/* `waiting` fitted; `committing` does not, and so there is no commit. */
static void test_a_disk_that_fills_up_in_the_wait(void **state)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = NULL;
	_cleanup_(cleanup_free)
	char *detail = NULL;

	(void)state;
	scene_set(&scene, "host kernel=mainline", NULL);
	mount_state(&scene, "size=64k,mode=0755", 0);
	put_history(&scene, 1950);
	scene_run(&scene);
	job = scene_update_waiting(&scene);
	fill_state(&scene);
	world_do(&scene.world, "td abort vm1");
	scene_await_end(&scene, job, "Unknown");
	detail = scene_get(&scene, job, "Detail");
	assert_non_null(strstr(detail, "could not record the attempt: No space"));
	scene_assert(&scene, job, "Attempt", "0");
	scene_assert_host(&scene, "1.5.06", 0);
	assert_int_equal(scene_stop(&scene), 0);
	unmount_state(&scene);
	scene_end(&scene);
}

/* The commit was recorded, its end was not: it is told all the same, and later written.
 */
static void test_a_disk_that_fills_up_in_the_update(void **state)
{
	static const char job[] = "/org/tdxupd1/job/_1";
	struct scene scene;
	struct story story;

	(void)state;
	scene_set(&scene, "host kernel=mainline", "upload hold=programming", NULL);
	mount_state(&scene, "size=64k,mode=0755", 0);
	put_history(&scene, 800);
	scene_run(&scene);
	free(scene_update(&scene, NULL));
	scene_await(&scene, job, "State", "confirming");
	fill_state(&scene);
	world_do(&scene.world, "upload hold=none");
	scene_await_end(&scene, job, "done");
	story_read(&scene, &story);
	assert_string_equal(story.end, "confirming");
	for (unsigned i = 0; i < 2; i++) {
		scene_kill(&scene);
		scene_run(&scene);
		scene_assert(&scene, job, "Result", "done");
		scene_assert_host(&scene, "1.5.16", 1);
	}
	scene_kill(&scene);
	tree_drop(&scene.world.tree, STATE_DIR "/fill");
	scene_run(&scene);
	story_read(&scene, &story);
	assert_string_equal(story.end, "succeeded");
	assert_int_equal(scene_stop(&scene), 0);
	unmount_state(&scene);
	scene_end(&scene);
}

/* ---- not ours ---- */

static void test_a_directory_of_somebody_else(void **state)
{
	struct scene scene;

	(void)state;
	scene_set(&scene, NULL);
	tree_put(&scene.world.tree, STATE_DIR "/x", "");
	assert_int_equal(fchownat(scene.world.tree.fd, STATE_DIR, 1, 1, 0), 0);
	scene_run(&scene);
	scene_update_fails(&scene, "Held", NULL);
	scene_assert_host(&scene, "1.5.06", 0);
	scene_end(&scene);
}

/* Each part of the way to it. */
static void test_a_directory_behind_a_symlink(void **state)
{
	static const char *const parts[] = { "var", "var/lib", STATE_DIR };
	struct scene scene;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		scene_set(&scene, NULL);
		tree_put(&scene.world.tree, STATE_DIR "/x", "");
		assert_int_equal(renameat(scene.world.tree.fd, parts[i],
					  scene.world.tree.fd, "elsewhere"),
				 0);
		assert_int_equal(symlinkat(i == 0   ? "elsewhere"
					   : i == 1 ? "../elsewhere"
						    : "../../elsewhere",
					   scene.world.tree.fd, parts[i]),
				 0);
		scene_run(&scene);
		scene_update_fails(&scene, "Held", NULL);
		scene_assert_host(&scene, "1.5.06", 0);
		assert_int_equal(scene_stop(&scene), 0);
		tree_drop(&scene.world.tree, parts[i]);
		scene_end(&scene);
	}
}

/* What is written would go to a file of an attacker's choice. */
static void test_a_history_that_is_not_ours(void **state)
{
	struct scene scene;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		_cleanup_(cleanup_free)
		char *job = NULL;

		scene_set(&scene, NULL);
		tree_put(&scene.world.tree, STORY_FILE, "");
		if (i == 0) {
			tree_drop(&scene.world.tree, STORY_FILE);
			tree_put(&scene.world.tree, "etc/precious", "");
			assert_int_equal(symlinkat("../../../etc/precious",
						   scene.world.tree.fd, STORY_FILE),
					 0);
		} else if (i == 1) {
			assert_int_equal(
				fchownat(scene.world.tree.fd, STORY_FILE, 1, 1, 0), 0);
		} else if (i == 2) {
			assert_int_equal(
				fchmodat(scene.world.tree.fd, STORY_FILE, 0666, 0), 0);
		} else {
			tree_drop(&scene.world.tree, STORY_FILE);
			assert_int_equal(mkfifoat(scene.world.tree.fd, STORY_FILE, 0600),
					 0);
		}
		scene_run(&scene);
		job = scene_update(&scene, NULL);
		scene_await_end(&scene, job, "Unknown");
		scene_assert(&scene, job, "Attempt", "0");
		scene_assert_host(&scene, "1.5.06", 0);
		if (i == 0)
			world_assert_reads(&scene.world, "etc/precious", "");
		scene_end(&scene);
	}
}

/* ---- a history that says something else ---- */

static void put_line(struct scene *scene, const char *line)
{
	int fd = openat(scene->world.tree.fd, STORY_FILE,
			O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, line, strlen(line)), strlen(line));
	close(fd);
}

/* A daemon with AutoUpdate=apply that was killed while its job waited. */
static void leave_waiting(struct scene *scene)
{
	scene_set(scene, "host kernel=mainline", NULL);
	scene_put_config(scene, "AutoUpdate=apply\n");
	scene_begin_build(scene);
	scene_run(scene);
	scene_await(scene, SCENE_MANAGER, "CurrentJob", "/org/tdxupd1/job/_1");
	scene_await(scene, "/org/tdxupd1/job/_1", "State", "waiting");
	scene_kill(scene);
	world_do(&scene->world, "td abort vm1");
}

/* Nothing begins by itself, what is asked for does, and the bytes are kept. */
static void must_be_at_rest(struct scene *scene, const char *end, const char *file,
			    const char *text)
{
	struct story story;
	_cleanup_(cleanup_free)
	char *kept = NULL;
	_cleanup_(cleanup_free)
	char *job = NULL;

	scene_run(scene);
	scene_await(scene, SCENE_MANAGER, "NextVersion", "1.5.16");
	usleep(200000);
	scene_assert(scene, SCENE_MANAGER, "CurrentJob", "/");
	story_read(scene, &story);
	assert_string_equal(story.end, end);
	assert_int_equal(world_read(&scene->world, file, &kept), 0);
	assert_non_null(strstr(kept, text));
	job = scene_update(scene, NULL);
	scene_await_end(scene, job, "done");
	scene_assert_host(scene, "1.5.16", 1);
	scene_end(scene);
}

static void test_a_line_that_makes_no_sense(void **state)
{
	struct scene scene;

	(void)state;
	leave_waiting(&scene);
	put_line(&scene, "{\"v\":1,\"phase\":\"committing\"}\n");
	must_be_at_rest(&scene, "none", STORY_FILE ".damaged", "\"phase\":\"waiting\"");
}

static void test_a_line_of_a_newer_release(void **state)
{
	static const char line[] =
		"{\"v\":2,\"phase\":\"waiting\",\"chain\":\""
		"000000000000000000000000000000000000000000000000"
		"000000000000000000000000000000000000000000000000\"}\n";
	struct scene scene;

	(void)state;
	leave_waiting(&scene);
	put_line(&scene, line);
	must_be_at_rest(&scene, "none", STORY_FILE ".damaged", line);
}

/* What was being written when the power went; the line before it counts. */
static void test_a_line_that_is_torn(void **state)
{
	struct scene scene;

	(void)state;
	leave_waiting(&scene);
	put_line(&scene, "{\"v\":1,\"seq\":6,\"mono");
	must_be_at_rest(&scene, "never-committed", STORY_FILE ".torn",
			"\"seq\":6,\"mono\n");
}

/* "VmHWM:": the most that it ever had in memory, in kB. */
static unsigned read_peak(const struct scene *scene)
{
	char path[64], line[256];
	unsigned peak = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", scene->daemon);
	file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		(void)!sscanf(line, "VmHWM: %u", &peak);
	fclose(file);
	assert_true(peak);
	return peak;
}

/* 1 GiB, of which the end counts, and of which no more than that is read. */
static void test_a_huge_history(void **state)
{
	_cleanup_(cleanup_free)
	char *line = NULL;
	struct scene scene;
	struct story story;
	unsigned small, huge;
	int fd;

	(void)state;
	leave_waiting(&scene);
	assert_int_equal(world_read(&scene.world, STORY_FILE, &line), 0);
	line[strlen(line) - 1] = '\0';
	scene_run(&scene);
	small = read_peak(&scene);
	assert_int_equal(scene_stop(&scene), 0);
	fd = openat(scene.world.tree.fd, STORY_FILE, O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_int_equal(ftruncate(fd, 1 << 30), 0);
	close(fd);
	put_line(&scene, strrchr(line, '\n'));
	put_line(&scene, "\n");
	scene_run(&scene);
	huge = read_peak(&scene);
	print_message("at most %u kB in memory, %u kB without\n", huge, small);
	assert_true(huge < small + 1024);
	/* It has made room for itself, and tells of what the last line left open. */
	assert_true(io_is_present(scene.world.tree.fd, STORY_FILE ".1"));
	tree_drop(&scene.world.tree, STORY_FILE ".1");
	story_read(&scene, &story);
	assert_string_equal(story.end, "never-committed");
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_a_record_says),
		cmocka_unit_test(test_a_full_disk),
		cmocka_unit_test(test_a_read_only_disk),
		cmocka_unit_test(test_a_disk_that_fills_up_in_the_wait),
		cmocka_unit_test(test_a_disk_that_fills_up_in_the_update),
		cmocka_unit_test(test_a_directory_of_somebody_else),
		cmocka_unit_test(test_a_directory_behind_a_symlink),
		cmocka_unit_test(test_a_history_that_is_not_ours),
		cmocka_unit_test(test_a_line_that_makes_no_sense),
		cmocka_unit_test(test_a_line_of_a_newer_release),
		cmocka_unit_test(test_a_line_that_is_torn),
		cmocka_unit_test(test_a_huge_history),
	};

	if (!scene_is_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
