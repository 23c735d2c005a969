// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Both ways into the kernel, on a simulated host: what is staged, who takes it away, what
 * the last look sees, and what confirm makes of every end.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "test.h"
#include "tdxupd.h"
#include "testimage.h"
#include "world.h"

struct scene {
	struct world world;
	struct tdxupd_host *before;
	struct tdxupd_image *image;
	struct tdxupd_upload *upload;
};

static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	world_start(&scene->world, 4, NULL);
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	tdxupd_upload_free(scene->upload);
	tdxupd_image_free(scene->image);
	tdxupd_host_free(scene->before);
	world_stop(&scene->world);
	free(scene);
	return 0;
}

static struct tdxupd_image *make_image(const struct testimage_spec *spec)
{
	struct tdxupd_report *report;
	struct tdxupd_image *image = NULL;
	uint8_t *bytes;
	size_t count;

	assert_int_equal(testimage_build(spec, &bytes, &count), 0);
	assert_int_equal(tdxupd_report_new(&report), 0);
	assert_int_equal(tdxupd_image_parse(bytes, count, report, &image), 0);
	assert_non_null(image);
	tdxupd_report_free(report);
	free(bytes);
	return image;
}

/* As the job does: a snapshot, then the image staged. */
static void stage(struct scene *scene, enum tdxupd_transport transport)
{
	struct testimage_spec spec = testimage_default_text("1.5.16");

	if (!scene->image)
		scene->image = make_image(&spec);
	scene->before = tdxupd_host_free(scene->before);
	assert_int_equal(tdxupd_host_read(scene->world.tree.fd, &scene->before), 0);
	if (!scene->upload)
		assert_int_equal(tdxupd_upload_new(scene->world.tree.fd, transport,
						   &scene->upload),
				 0);
	assert_int_equal(tdxupd_upload_stage(scene->upload, scene->image), 0);
}

static enum tdxupd_upload_state get_state(struct scene *scene)
{
	struct tdxupd_upload_result result;

	assert_int_equal(tdxupd_upload_poll(scene->upload, &result), 0);
	return result.state;
}

/* Return: what the last look returned; the check that refused, if any. */
static int look(struct scene *scene, enum tdxupd_check *ret_check)
{
	struct tdxupd_report *report;
	int r;

	assert_int_equal(tdxupd_report_new(&report), 0);
	r = tdxupd_upload_check(scene->upload, scene->before, report);
	*ret_check = _TDXUPD_CHECK_MAX;
	if (tdxupd_report_count(report))
		*ret_check = tdxupd_report_get(report, 0)->check;
	tdxupd_report_free(report);
	return r;
}

static void assert_looks_good(struct scene *scene)
{
	enum tdxupd_check check;

	assert_int_equal(look(scene, &check), 0);
	assert_int_equal(check, _TDXUPD_CHECK_MAX);
}

static struct tdxupd_upload_result wait_for_end(struct scene *scene)
{
	struct tdxupd_upload_result result;

	for (int i = 0; i < 12000; i++) {
		assert_int_equal(tdxupd_upload_poll(scene->upload, &result), 0);
		if (result.state != TDXUPD_UPLOAD_RUNNING)
			break;
		usleep(10000);
	}
	assert_int_equal(result.state, TDXUPD_UPLOAD_ENDED);
	return result;
}

static enum tdxupd_outcome confirm(struct scene *scene,
				   const struct tdxupd_upload_result *result)
{
	const struct tdxupd_version target = { 1, 5, 16 };
	struct tdxupd_host *after;
	enum tdxupd_outcome outcome;

	assert_int_equal(tdxupd_host_read(scene->world.tree.fd, &after), 0);
	outcome = tdxupd_confirm(scene->before, after, &target, result);
	tdxupd_host_free(after);
	return outcome;
}

static void assert_outcome(struct scene *scene, enum tdxupd_upload_error error,
			   enum tdxupd_outcome outcome)
{
	struct tdxupd_upload_result result = wait_for_end(scene);

	assert_string_equal(tdxupd_upload_error_to_string(result.error),
			    tdxupd_upload_error_to_string(error));
	assert_string_equal(tdxupd_outcome_to_string(confirm(scene, &result)),
			    tdxupd_outcome_to_string(outcome));
}

static void commit(struct scene *scene)
{
	assert_int_equal(tdxupd_upload_commit(scene->upload), 0);
}

/* ---- both ---- */

static const enum tdxupd_transport both[] = { TDXUPD_TRANSPORT_FW_UPLOAD,
					      TDXUPD_TRANSPORT_TRIGGER };

static void test_stages_looks_commits_confirms(void **state)
{
	struct scene *scene = *state;

	for (size_t i = 0; i < 2; i++) {
		stage(scene, both[i]);
		assert_int_equal(tdxupd_upload_get_transport(scene->upload), both[i]);
		assert_int_equal(get_state(scene), TDXUPD_UPLOAD_STAGED);
		assert_looks_good(scene);
		commit(scene);
		assert_outcome(scene, TDXUPD_UPLOAD_ERROR_NONE, TDXUPD_OUTCOME_SUCCEEDED);
		assert_int_equal(tdxupd_upload_commit(scene->upload), -EINVAL);
		scene->upload = tdxupd_upload_free(scene->upload);
		world_do(&scene->world, "boot");
	}
}

static void test_takes_either_container(void **state)
{
	struct testimage_spec spec = testimage_default_text("1.5.16");
	struct scene *scene = *state;

	spec.container = TDXUPD_CONTAINER_KERNEL;
	scene->image = make_image(&spec);
	stage(scene, TDXUPD_TRANSPORT_FW_UPLOAD);
	commit(scene);
	assert_outcome(scene, TDXUPD_UPLOAD_ERROR_NONE, TDXUPD_OUTCOME_SUCCEEDED);
}

static void test_takes_the_way_that_is_there(void **state)
{
	struct scene *scene = *state;

	stage(scene, TDXUPD_TRANSPORT_AUTO);
	assert_int_equal(tdxupd_upload_get_transport(scene->upload),
			 TDXUPD_TRANSPORT_TRIGGER);
	scene->upload = tdxupd_upload_free(scene->upload);
	world_do(&scene->world, "host kernel=mainline");
	stage(scene, TDXUPD_TRANSPORT_AUTO);
	assert_int_equal(tdxupd_upload_get_transport(scene->upload),
			 TDXUPD_TRANSPORT_FW_UPLOAD);
	scene->upload = tdxupd_upload_free(scene->upload);
	assert_int_equal(tdxupd_upload_new(scene->world.tree.fd, TDXUPD_TRANSPORT_TRIGGER,
					   &scene->upload),
			 -ENODATA);
	assert_null(scene->upload);
}

static void test_the_last_look_sees_what_changed(void **state)
{
	struct scene *scene = *state;
	enum tdxupd_check check;

	for (size_t i = 0; i < 2; i++) {
		stage(scene, both[i]);
		world_do(&scene->world, "lp offline 2");
		assert_int_equal(look(scene, &check), 0);
		assert_int_equal(check, TDXUPD_CHECK_CPU_OFFLINE);
		world_do(&scene->world, "lp online 2");
		assert_looks_good(scene);
		world_do(&scene->world, "boot version=1.5.08");
		/* What fw_upload holds is gone with the boot as well. */
		assert_int_equal(look(scene, &check), both[i] == TDXUPD_TRANSPORT_TRIGGER
							      ? -EREMCHG
							      : -ESTALE);
		world_do(&scene->world, "boot version=1.5.06");
		scene->upload = tdxupd_upload_free(scene->upload);
	}
}

static void test_a_build_that_the_kernel_guards(void **state)
{
	struct scene *scene = *state;

	world_do(&scene->world, "td build vm1 manual");
	world_do(&scene->world, "td step vm1 init");
	for (size_t i = 0; i < 2; i++) {
		stage(scene, both[i]);
		commit(scene);
		assert_outcome(scene, TDXUPD_UPLOAD_ERROR_BUSY, TDXUPD_OUTCOME_BUSY);
		/* And again, by the same object. */
		stage(scene, both[i]);
		commit(scene);
		assert_outcome(scene, TDXUPD_UPLOAD_ERROR_BUSY, TDXUPD_OUTCOME_BUSY);
		scene->upload = tdxupd_upload_free(scene->upload);
	}
}

static void test_a_fatal_end_is_told_as_such(void **state)
{
	struct scene *scene = *state;

	for (size_t i = 0; i < 2; i++) {
		stage(scene, both[i]);
		world_do(&scene->world, "fail loader-entropy=100");
		commit(scene);
		assert_outcome(scene,
			       both[i] == TDXUPD_TRANSPORT_TRIGGER
				       ? TDXUPD_UPLOAD_ERROR_LOST
				       : TDXUPD_UPLOAD_ERROR_INVALID,
			       TDXUPD_OUTCOME_LOST);
		scene->upload = tdxupd_upload_free(scene->upload);
		world_do(&scene->world, "fail none");
		world_do(&scene->world, "boot");
	}
}

static void test_a_harmless_refusal_is_told_as_such(void **state)
{
	struct scene *scene = *state;

	for (size_t i = 0; i < 2; i++) {
		stage(scene, both[i]);
		world_do(&scene->world, "fail sys-busy=100");
		commit(scene);
		assert_outcome(scene,
			       both[i] == TDXUPD_TRANSPORT_TRIGGER
				       ? TDXUPD_UPLOAD_ERROR_OTHER
				       : TDXUPD_UPLOAD_ERROR_INVALID,
			       TDXUPD_OUTCOME_REFUSED);
		world_do(&scene->world, "fail none");
		scene->upload = tdxupd_upload_free(scene->upload);
	}
}

/* ---- fw_upload ---- */

static void test_staged_data_that_vanished(void **state)
{
	static const char *const others[] = { "loading -1", "loading 1", "loading 0" };
	struct scene *scene = *state;
	enum tdxupd_check check;

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		world_do(&scene->world, "host kernel=mainline");
		stage(scene, TDXUPD_TRANSPORT_FW_UPLOAD);
		assert_looks_good(scene);
		world_do(&scene->world, "%s", others[i]);
		world_wait(&scene->world, "upload idle");
		assert_int_equal(look(scene, &check), -ESTALE);
		assert_int_equal(get_state(scene), TDXUPD_UPLOAD_IDLE);
		assert_int_equal(tdxupd_upload_commit(scene->upload), -EINVAL);
	}
}

/* An earlier one had no memory: that is nothing to wait for. */
static void test_an_upload_that_was_aborted(void **state)
{
	struct scene *scene = *state;

	world_do(&scene->world, "host kernel=mainline");
	stage(scene, TDXUPD_TRANSPORT_FW_UPLOAD);
	world_do(&scene->world, "upload abort");
	assert_int_equal(get_state(scene), TDXUPD_UPLOAD_IDLE);
	assert_int_equal(tdxupd_upload_stage(scene->upload, scene->image),
			 -ENOTRECOVERABLE);
	world_do(&scene->world, "boot version=1.5.06");
	assert_int_equal(tdxupd_upload_stage(scene->upload, scene->image), 0);
}

/* The look saw it, then somebody dropped it: a commit of nothing starts nothing. */
static void test_a_commit_of_nothing_is_not_taken_for_a_success(void **state)
{
	struct scene *scene = *state;

	stage(scene, TDXUPD_TRANSPORT_FW_UPLOAD);
	assert_looks_good(scene);
	world_do(&scene->world, "loading -1");
	commit(scene);
	assert_outcome(scene, TDXUPD_UPLOAD_ERROR_NONE, TDXUPD_OUTCOME_NOT_STARTED);
}

static void test_nothing_is_staged_while_an_update_runs(void **state)
{
	struct scene *scene = *state;

	world_do(&scene->world, "upload hold=transferring");
	stage(scene, TDXUPD_TRANSPORT_FW_UPLOAD);
	commit(scene);
	world_wait(&scene->world, "upload transferring");
	assert_int_equal(get_state(scene), TDXUPD_UPLOAD_RUNNING);
	assert_int_equal(tdxupd_upload_drop(scene->upload), -EBUSY);
	assert_int_equal(tdxupd_upload_stage(scene->upload, scene->image), -EBUSY);
	/* Nor by another object. */
	scene->upload = tdxupd_upload_free(scene->upload);
	assert_int_equal(tdxupd_upload_new(scene->world.tree.fd,
					   TDXUPD_TRANSPORT_FW_UPLOAD, &scene->upload),
			 0);
	assert_int_equal(tdxupd_upload_stage(scene->upload, scene->image), -EBUSY);
	assert_int_equal(tdxupd_upload_drop(scene->upload), -EBUSY);
	world_do(&scene->world, "upload hold=none");
	world_wait(&scene->world, "upload idle");
	world_assert_reads(&scene->world, WORLD_HOST "version", "1.5.16\n");
}

static void test_drop_and_free_leave_nothing_behind(void **state)
{
	struct scene *scene = *state;

	stage(scene, TDXUPD_TRANSPORT_FW_UPLOAD);
	world_assert_reads(&scene->world, WORLD_UPLOAD "loading", "1\n");
	assert_int_equal(tdxupd_upload_drop(scene->upload), 0);
	world_assert_reads(&scene->world, WORLD_UPLOAD "loading", "0\n");
	assert_int_equal(get_state(scene), TDXUPD_UPLOAD_IDLE);
	stage(scene, TDXUPD_TRANSPORT_FW_UPLOAD);
	scene->upload = tdxupd_upload_free(scene->upload);
	world_assert_reads(&scene->world, WORLD_UPLOAD "loading", "0\n");

	/* What a crash left behind, another run takes away. */
	stage(scene, TDXUPD_TRANSPORT_FW_UPLOAD);
	{
		struct tdxupd_upload *other = NULL;

		assert_int_equal(tdxupd_upload_new(scene->world.tree.fd,
						   TDXUPD_TRANSPORT_FW_UPLOAD, &other),
				 0);
		assert_int_equal(tdxupd_upload_drop(other), 0);
		tdxupd_upload_free(other);
	}
	world_assert_reads(&scene->world, WORLD_UPLOAD "loading", "0\n");
	world_assert_reads(&scene->world, WORLD_HOST "version", "1.5.06\n");
}

/* ---- trigger ---- */

static void test_the_trigger_tells_why(void **state)
{
	struct scene *scene = *state;

	stage(scene, TDXUPD_TRANSPORT_TRIGGER);
	world_do(&scene->world, "lp offline 1");
	commit(scene);
	assert_int_equal(wait_for_end(scene).error, TDXUPD_UPLOAD_ERROR_CPU_OFFLINE);
	world_do(&scene->world, "lp online 1");
	scene->upload = tdxupd_upload_free(scene->upload);

	stage(scene, TDXUPD_TRANSPORT_TRIGGER);
	world_do(&scene->world, "set remaining=0");
	commit(scene);
	assert_int_equal(wait_for_end(scene).error, TDXUPD_UPLOAD_ERROR_NO_SLOTS);
	world_assert_reads(&scene->world, WORLD_HOST "version", "1.5.06\n");
}

static void test_bad_arguments(void **state)
{
	struct scene *scene = *state;
	struct tdxupd_upload_result result;
	int fd = scene->world.tree.fd;

	assert_int_equal(tdxupd_upload_new(-1, TDXUPD_TRANSPORT_AUTO, &scene->upload),
			 -EINVAL);
	assert_int_equal(tdxupd_upload_new(fd, _TDXUPD_TRANSPORT_MAX, &scene->upload),
			 -EINVAL);
	assert_int_equal(tdxupd_upload_new(fd, TDXUPD_TRANSPORT_AUTO, &scene->upload), 0);
	assert_int_equal(tdxupd_upload_commit(scene->upload), -EINVAL);
	assert_int_equal(tdxupd_upload_stage(scene->upload, NULL), -EINVAL);
	assert_int_equal(tdxupd_upload_poll(scene->upload, NULL), -EINVAL);
	assert_int_equal(tdxupd_upload_poll(scene->upload, &result), 0);
	assert_int_equal(result.state, TDXUPD_UPLOAD_IDLE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_stages_looks_commits_confirms),
		TEST(test_takes_either_container),
		TEST(test_takes_the_way_that_is_there),
		TEST(test_the_last_look_sees_what_changed),
		TEST(test_a_build_that_the_kernel_guards),
		TEST(test_a_fatal_end_is_told_as_such),
		TEST(test_a_harmless_refusal_is_told_as_such),
		TEST(test_staged_data_that_vanished),
		TEST(test_an_upload_that_was_aborted),
		TEST(test_a_commit_of_nothing_is_not_taken_for_a_success),
		TEST(test_nothing_is_staged_while_an_update_runs),
		TEST(test_drop_and_free_leave_nothing_behind),
		TEST(test_the_trigger_tells_why),
		TEST(test_bad_arguments),
	};

	if (!world_is_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
