// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>

#include "test.h"
#include "job.h"
#include "tree.h"

struct scene {
	struct tree tree;
	struct config *config;
	struct job_context context;
	unsigned told;
	int record_error;
	enum job_state recorded;
};

static int on_record(void *userdata, const struct job *job, enum job_state after)
{
	struct scene *scene = userdata;

	(void)job;
	if (scene->record_error == 0)
		scene->recorded = after;
	return scene->record_error;
}

static void on_changed(void *userdata, struct job *job)
{
	(void)job;
	((struct scene *)userdata)->told++;
}

static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	tree_new(&scene->tree);
	scene->context = (struct job_context){
		.record = on_record,
		.changed = on_changed,
		.userdata = scene,
	};
	*state = scene;
	return config_load(scene->tree.path, &scene->config, NULL);
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	config_unref(scene->config);
	tree_remove(&scene->tree);
	free(scene);
	return 0;
}

static struct job *new_job(struct scene *scene)
{
	struct job_request request;
	struct job *job;

	job_request_init(&request, scene->config);
	assert_int_equal(job_new(&scene->context, 1, scene->config, &request, &job), 0);
	return job;
}

static void test_each_state_is_recorded_and_told(void **state)
{
	struct scene *scene = *state;
	struct job *job = new_job(scene);

	assert_true(job_set(job, JOB_EVENT_START));
	assert_int_equal(job->state, JOB_PLANNING);
	assert_int_equal(scene->recorded, JOB_PLANNING);
	assert_int_equal(scene->told, 1);
	assert_false(job_set(job, JOB_EVENT_COMMITTED));
	assert_int_equal(job->state, JOB_PLANNING);
	assert_int_equal(scene->told, 1);
	job_free(job);
}

/* Between the open gate and the write nobody is told; the record comes all the same. */
static void test_the_commit_is_told_afterwards(void **state)
{
	struct scene *scene = *state;
	struct job *job = new_job(scene);

	job->state = JOB_WAITING;
	assert_true(job_set(job, JOB_EVENT_OPENED));
	assert_int_equal(job->state, JOB_COMMITTING);
	assert_int_equal(scene->recorded, JOB_COMMITTING);
	assert_int_equal(scene->told, 0);
	assert_false(job_can_cancel(job));
	job_free(job);
}

static void test_what_cannot_be_recorded_is_not_committed(void **state)
{
	static const struct {
		enum job_state before;
		enum job_event event;
		bool happens;
	} table[] = {
		{ JOB_STAGING, JOB_EVENT_STAGED, false },
		{ JOB_WAITING, JOB_EVENT_OPENED, false },
		/* What has happened has, recorded or not. */
		{ JOB_COMMITTING, JOB_EVENT_COMMITTED, true },
		{ JOB_CONFIRMING, JOB_EVENT_SUCCEEDED, true },
		{ JOB_WAITING, JOB_EVENT_CANCEL, true },
	};
	struct scene *scene = *state;

	scene->record_error = -ENOSPC;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct job *job = new_job(scene);

		job->state = table[i].before;
		assert_int_equal(job_set(job, table[i].event), table[i].happens);
		if (!table[i].happens) {
			assert_int_equal(job->state, table[i].before);
			assert_int_equal(job->failure, FAILURE_UNKNOWN);
		}
		job_free(job);
	}
}

static void test_the_first_failure_stays(void **state)
{
	struct job *job = new_job(*state);

	assert_string_equal(job_get_result(job), "");
	job_set_failure(job, FAILURE_LOST, strdup("first"));
	job_set_failure(job, FAILURE_BUSY, strdup("second"));
	assert_string_equal(job->detail, "first");
	job->state = JOB_LOST;
	assert_string_equal(job_get_result(job), FAILURE_PREFIX "Lost");
	job_free(job);
}

static void test_progress_is_whole_only_when_done(void **state)
{
	struct job *job = new_job(*state);

	for (int i = 0; i < _JOB_STATE_MAX; i++) {
		job->state = (enum job_state)i;
		if (!job_state_is_end(job->state))
			job->phase = job->state;
		assert_int_equal(job_get_progress(job) == 100, i == JOB_DONE);
	}
	job->state = JOB_DONE;
	assert_string_equal(job_get_result(job), "done");
	job_free(job);
}

/* Over all hops of a path, and where it ends it stays. */
static void test_progress_does_not_fall(void **state)
{
	static const enum job_state phases[] = { JOB_PLANNING, JOB_STAGING, JOB_WAITING,
						 JOB_COMMITTING, JOB_CONFIRMING };
	struct job *job = new_job(*state);
	unsigned last = 0;

	job->step_count = 3;
	for (job->steps_left = 3; job->steps_left; job->steps_left--)
		for (size_t i = 0; i < ARRAY_SIZE(phases); i++) {
			job->state = job->phase = phases[i];
			assert_true(job_get_progress(job) > last);
			last = job_get_progress(job);
		}
	assert_true(last < 100);
	job->steps_left = 1;
	job->state = JOB_FAILED;
	assert_int_equal(job_get_progress(job), last);
	job_free(job);
}

static void test_where_it_ended_is_kept(void **state)
{
	static const enum job_event events[] = {
		JOB_EVENT_START,
		JOB_EVENT_PLANNED,
		JOB_EVENT_BUSY,
		JOB_EVENT_CANCEL,
	};
	static const enum job_state phases[] = {
		JOB_PLANNING,
		JOB_STAGING,
		JOB_WAITING,
		JOB_WAITING,
	};
	struct job *job = new_job(*state);

	assert_int_equal(job->phase, JOB_QUEUED);
	for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
		assert_true(job_set(job, events[i]));
		assert_int_equal(job->phase, phases[i]);
	}
	assert_int_equal(job->state, JOB_CANCELLED);
	job_free(job);
}

static void test_which_requests_are_the_same(void **state)
{
	const struct tdxupd_version newer = { 1, 5, 16 }, older = { 1, 5, 8 };
	struct scene *scene = *state;
	struct job_request a, b;

	job_request_init(&a, scene->config);
	b = a;
	assert_true(job_request_is_same(&a, &b));
	b.has_target = true;
	b.target = newer;
	assert_false(job_request_is_same(&a, &b));
	a = b;
	assert_true(job_request_is_same(&a, &b));
	b.target = older;
	assert_false(job_request_is_same(&a, &b));
	b = a;
	b.guard = GATE_OFF;
	assert_false(job_request_is_same(&a, &b));
	b = a;
	b.has_reserve = true;
	b.reserve_updates = 2;
	assert_false(job_request_is_same(&a, &b));
	b = a;
	b.deadline_usec = 5; /* whoever joins waits as long as the first */
	assert_true(job_request_is_same(&a, &b));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_each_state_is_recorded_and_told),
		TEST(test_the_commit_is_told_afterwards),
		TEST(test_what_cannot_be_recorded_is_not_committed),
		TEST(test_the_first_failure_stays),
		TEST(test_progress_is_whole_only_when_done),
		TEST(test_progress_does_not_fall),
		TEST(test_where_it_ended_is_kept),
		TEST(test_which_requests_are_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
