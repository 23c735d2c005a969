// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <unistd.h>

#include "test.h"
#include "duration.h"
#include "handover.h"
#include "tree.h"

static struct config *new_config(void)
{
	struct config *config;
	struct tree tree;

	tree_new(&tree);
	tree_put(&tree, "etc/tdxupd/tdxupd.conf",
		 "[Update]\nAcceptUnmapped=yes\nReserveUpdates=2\nTarget=1.5.13\n");
	assert_int_equal(config_load(tree.path, &config, NULL), 0);
	tree_remove(&tree);
	return config;
}

static struct job *new_job(struct config *config, uint32_t id)
{
	static const struct job_context context = { 0 };
	struct job_request request;
	struct job *job;

	job_request_init(&request, config);
	request.has_target = request.is_target_named = true;
	request.target = (struct tdxupd_version){ 1, 5, 16 };
	strcpy(request.token, "rollout \"7\"");
	strcpy(request.plan_id, "0123");
	request.deadline_usec = UINT64_C(123456789012345);
	request.guard = GATE_OBSERVED;
	request.has_strategy = true;
	request.strategy = TDXUPD_STRATEGY_SMALLEST;
	request.has_reserve = true;
	request.reserve_updates = 1;
	request.drain = true;
	request.starter = 1000;
	request.caller = (char *)"uid 1000, pid 7";
	assert_int_equal(job_new(&context, id, config, &request, &job), 0);
	return job;
}

static void test_all_of_it_comes_back(void **state)
{
	struct config *config = new_config();
	struct job *jobs[3];
	struct handover handover;
	const struct handover_job *back;
	int fd;

	(void)state;
	for (uint32_t i = 0; i < ARRAY_SIZE(jobs); i++)
		jobs[i] = new_job(config, i + 7);
	jobs[0]->state = JOB_DONE;
	jobs[1]->state = JOB_WAITING;
	jobs[1]->is_shared = true;
	jobs[1]->has_versions = true;
	jobs[1]->from = (struct tdxupd_version){ 1, 5, 6 };
	jobs[1]->to = (struct tdxupd_version){ 1, 5, 16 };
	jobs[1]->step_count = 2;
	jobs[1]->attempts = 3;
	strcpy(jobs[1]->plan_id, "abcd");
	assert_int_equal(handover_write(jobs, ARRAY_SIZE(jobs), &fd), 0);
	/* Nobody changes it on its way. */
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(handover_read(fd, &handover), 0);
	close(fd);
	assert_int_equal(handover.count, 2);
	back = &handover.jobs[0];
	assert_int_equal(back->id, 8);
	assert_true(back->is_shared);
	assert_true(back->has_versions);
	assert_int_equal(back->from.update, 6);
	assert_int_equal(back->to.update, 16);
	assert_string_equal(back->plan_id, "abcd");
	assert_int_equal(back->step_count, 2);
	assert_int_equal(back->attempts, 3);
	assert_true(job_request_is_same(&back->request, &jobs[1]->request));
	assert_true(job_request_is_repeated(&back->request, &jobs[1]->request));
	assert_string_equal(back->request.token, jobs[1]->request.token);
	assert_string_equal(back->request.caller, "uid 1000, pid 7");
	assert_true(back->request.deadline_usec == jobs[1]->request.deadline_usec);
	assert_true(back->request.terms.accepted == jobs[1]->request.terms.accepted);
	assert_true(back->request.terms.accepted);
	assert_int_equal(back->request.terms.reserve_updates, 2);
	assert_true(back->request.terms.has_target);
	assert_int_equal(back->request.terms.target.update, 13);
	assert_false(handover.jobs[1].has_versions);
	handover_done(&handover);
	for (size_t i = 0; i < ARRAY_SIZE(jobs); i++)
		job_free(jobs[i]);
	config_unref(config);
}

static void test_what_makes_no_sense(void **state)
{
	static const char *const texts[] = {
		"",
		"x",
		"{}",
		"{\"jobs\":{}}",
		"{\"jobs\":[]}",
		"{\"jobs\":[{}]}",
		"{\"jobs\":[7]}",
		"{\"jobs\":[{\"id\":0,\"guard\":\"strict\"}]}",
		"{\"jobs\":[{\"id\":1,\"guard\":\"lax\"}]}",
		"{\"jobs\":[{\"id\":1,\"guard\":\"strict\",\"strategy\":\"x\"}]}",
		"{\"jobs\":[{\"id\":1,\"guard\":\"strict\",\"is_target_named\":true}]}",
		"{\"jobs\":[{\"id\":1,\"guard\":\"strict\",\"accepted\":[\"no-such\"]}]}",
		"{\"jobs\":[{\"id\":1,\"guard\":\"strict\"}]} x",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct handover handover;
		FILE *file = tmpfile();

		assert_non_null(file);
		fputs(texts[i], file);
		fflush(file);
		if (handover_read(fileno(file), &handover) != -EBADMSG)
			fail_msg("%s", texts[i]);
		fclose(file);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_of_it_comes_back),
		cmocka_unit_test(test_what_makes_no_sense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
