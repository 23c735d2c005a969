// SPDX-License-Identifier: LGPL-2.1-or-later
/* Every error of org.tdxupd1, by what leads to it: none is there only on paper. */
#include <unistd.h>

#include "../unit/test.h"
#include "failure.h"
#include "scene.h"
#include "util.h"

/* The error of a call to the manager, free() it; NULL where there was none. */
#define CALL(scene, ...) copy(scene_call_with(scene, SCENE_MANAGER, __VA_ARGS__))

static char *copy(const char *error)
{
	return error ? strdup(error) : NULL;
}

static char *update(struct scene *scene, const char *target)
{
	_cleanup_(cleanup_free)
	char *job = scene_update(scene, target);

	return scene_await_result(scene, job);
}

/* On a host that was told @command. */
static char *update_after(struct scene *scene, const char *command)
{
	scene_start(scene, command, NULL);
	return update(scene, "1.5.16");
}

/* ---- one function an error ---- */

static char *no_such_job(struct scene *scene)
{
	scene_start(scene, NULL);
	return CALL(scene, "GetJob", "u", 99u);
}

static char *no_such_version(struct scene *scene)
{
	scene_start(scene, NULL);
	return update(scene, "9.9.99");
}

static char *no_path(struct scene *scene)
{
	return update_after(scene, "lp offline 3");
}

static char *stale(struct scene *scene)
{
	_cleanup_(cleanup_free)
	char *job = NULL;

	scene_start(scene, NULL);
	job = scene_update_with(scene, NULL, 1, "plan_id", "s",
				"00000000000000000000000000000000");
	return scene_await_result(scene, job);
}

static char *unsupported(struct scene *scene)
{
	scene_set_bare(scene);
	scene_run(scene);
	return update(scene, NULL);
}

static char *lost(struct scene *scene)
{
	return update_after(scene, "fail loader-entropy=1");
}

static char *untrusted(struct scene *scene)
{
	scene_set(scene, NULL);
	scene_put_images(scene, "1.5.16,key=foreign", NULL);
	scene_run(scene);
	return update(scene, "1.5.16");
}

static char *exhausted(struct scene *scene)
{
	return update_after(scene, "set remaining=0");
}

static char *busy(struct scene *scene)
{
	_cleanup_(cleanup_free)
	char *job = NULL;
	char *error;

	scene_start(scene, "host kernel=mainline", NULL);
	world_do(&scene->world, "upload hold=programming");
	job = scene_update(scene, NULL);
	scene_await(scene, job, "State", "confirming");
	error = strdup(scene_call(scene, job, "Cancel"));
	world_do(&scene->world, "upload hold=none");
	scene_await_end(scene, job, "done");
	return error;
}

static char *expired(struct scene *scene)
{
	_cleanup_(cleanup_free)
	char *job = NULL;

	scene_start(scene, NULL);
	job = scene_update_with(scene, NULL, 1, "deadline_usec", "t", UINT64_C(0));
	return scene_await_result(scene, job);
}

static char *cancelled(struct scene *scene)
{
	_cleanup_(cleanup_free)
	char *job = NULL;

	scene_start(scene, NULL);
	job = scene_update_waiting(scene);
	assert_null(scene_call(scene, job, "Cancel"));
	return scene_await_result(scene, job);
}

static char *held(struct scene *scene)
{
	scene_start(scene, NULL);
	assert_null(scene_hold(scene, "all", 0));
	return CALL(scene, "Update", "sa{sv}", "1.5.16", 0);
}

static char *no_image(struct scene *scene)
{
	scene_set(scene, NULL);
	tree_drop(&scene->world.tree, WORLD_IMAGES "/tdx_module_1.5.16.blob");
	tree_drop(&scene->world.tree, WORLD_IMAGES "/tdx_module_1.5.06.blob");
	scene_run(scene);
	return update(scene, NULL);
}

static char *failed(struct scene *scene)
{
	free(update_after(scene, "fail step=shutdown"));
	return update(scene, NULL);
}

static char *forbidden(struct scene *scene)
{
	scene_set(scene, NULL);
	scene_put_config(scene, "Blocked=1.5.16\n");
	scene_run(scene);
	return CALL(scene, "Update", "sa{sv}", "1.5.16", 0);
}

static char *pinned(struct scene *scene)
{
	scene_start(scene, NULL);
	assert_null(scene_pin(scene, "1.5.06"));
	return CALL(scene, "Update", "sa{sv}", "1.5.16", 0);
}

static char *interrupted(struct scene *scene)
{
	_cleanup_(cleanup_free)
	char *job = NULL;

	scene_start(scene, NULL);
	job = scene_update_waiting(scene);
	scene_kill(scene);
	scene_run(scene);
	return scene_await_result(scene, job);
}

static char *refused(struct scene *scene)
{
	return update_after(scene, "fail step=shutdown");
}

/* The measurement of 1.5.16, from the list of the images that were made. */
static void read_mrseam(struct scene *scene, char *ret, size_t size)
{
	_cleanup_(cleanup_free)
	char *list = NULL;
	const char *line;

	assert_int_equal(world_read(&scene->world, "images", &list), 0);
	line = strstr(list, " 1.5.16 ");
	assert_non_null(line);
	snprintf(ret, size, "%.96s", line + strlen(" 1.5.16 "));
}

/* The file is what the mapping says; what it makes of the host is something else. */
static char *mismatch(struct scene *scene)
{
	char mrseam[128];

	scene_start(scene, NULL);
	read_mrseam(scene, mrseam, sizeof(mrseam));
	world_do(&scene->world, "known %s version=1.5.17", mrseam);
	return update(scene, "1.5.16");
}

/* What can't be recorded is not committed. */
static char *unknown(struct scene *scene)
{
	scene_set(scene, NULL);
	tree_put(&scene->world.tree, "var/lib/tdxupd/history.jsonl/x", "");
	scene_run(scene);
	return update(scene, NULL);
}

static char *config(struct scene *scene)
{
	scene_start(scene, NULL);
	scene_put_config(scene, "Guard=maybe\n");
	return CALL(scene, "Reload", "");
}

/* One user's jobs, which are kept for a while after they have ended. */
static char *limit(struct scene *scene)
{
	char *error = NULL, target[16];

	scene_start(scene, NULL);
	/* Of versions that differ: who asks for the same joins the job that there is. */
	for (unsigned i = 0; !error && i < 2000; i++) {
		snprintf(target, sizeof(target), "9.%u.%u", i / 100, i % 100);
		error = CALL(scene, "Update", "sa{sv}", target, 0);
	}
	return error;
}

/* ---- the table ---- */

static char *(*const causes[_FAILURE_MAX])(struct scene *scene) = {
	[FAILURE_NO_SUCH_JOB] = no_such_job,
	[FAILURE_NO_SUCH_VERSION] = no_such_version,
	[FAILURE_NO_IMAGE] = no_image,
	[FAILURE_NO_PATH] = no_path,
	[FAILURE_STALE] = stale,
	[FAILURE_UNSUPPORTED] = unsupported,
	[FAILURE_LOST] = lost,
	[FAILURE_UNTRUSTED] = untrusted,
	[FAILURE_EXHAUSTED] = exhausted,
	[FAILURE_BUSY] = busy,
	[FAILURE_EXPIRED] = expired,
	[FAILURE_CANCELLED] = cancelled,
	[FAILURE_HELD] = held,
	[FAILURE_FAILED] = failed,
	[FAILURE_PINNED] = pinned,
	[FAILURE_FORBIDDEN] = forbidden,
	[FAILURE_INTERRUPTED] = interrupted,
	[FAILURE_REFUSED] = refused,
	[FAILURE_MISMATCH] = mismatch,
	[FAILURE_UNKNOWN] = unknown,
	[FAILURE_CONFIG] = config,
	[FAILURE_LIMIT] = limit,
};

static void test_every_error_comes_of_something(void **state)
{
	(void)state;
	for (int i = FAILURE_NONE + 1; i < _FAILURE_MAX; i++) {
		const char *name = failure_to_string((enum failure)i);
		_cleanup_(cleanup_free)
		char *found = NULL;
		struct scene scene;

		if (!causes[i])
			fail_msg("nothing here leads to %s", name);
		found = causes[i](&scene);
		if (!found || strcmp(found, name) != 0)
			fail_msg("%s instead of %s", found ? found : "success", name);
		scene_end(&scene);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_error_comes_of_something),
	};

	if (!scene_is_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
