// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Every allocation, every descriptor and every process of an update fails in its turn.
 * Nothing of ours crashes, and nothing is claimed that is not so: what an update says of
 * itself is held against the simulated machine, and so is what it wrote down.
 *
 * This program is the daemon, with everything of it but its main() and the bus.
 */
#include <errno.h>
#include <dlfcn.h>
#include <execinfo.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit/test.h"
#include "failing.h"
#include "history-read.h"
#include "journal.h"
#include "manager-jobs.h"
#include "manager.h"
#include "scene.h"
#include "util.h"

/* How a run ended that did not crash: the job's state, or that there was none. */
enum {
	NO_MANAGER = 100,
	NO_JOB,
	NO_LOOP,
	NO_END,
};

struct run {
	struct manager *manager;
	uint32_t id;
	int status;
};

static int on_turn(sd_event_source *source, void *userdata)
{
	struct run *run = userdata;
	const struct job *job = manager_find_job(run->manager, run->id);

	(void)source;
	if (job && job_state_is_end(job->state)) {
		run->status = (int)job->state;
		sd_event_exit(run->manager->event, 0);
	}
	return 0;
}

/* What has no memory to go on does not go on for ever. */
static int on_too_late(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct run *run = userdata;

	(void)source, (void)usec;
	sd_event_exit(run->manager->event, 0);
	return 0;
}

/* A worker's crash is nothing that whoever waits for it could tell from its end. */
static volatile unsigned *crashes;

/* Whose code it is: the first of these that is not the C library's. */
static bool is_ours(void *const *frames, int count)
{
	Dl_info here, info;

	if (!dladdr((void *)(uintptr_t)is_ours, &here))
		return true;
	for (int i = 3; i < count; i++) {
		if (!dladdr(frames[i], &info) || !info.dli_fname)
			continue;
		if (strstr(info.dli_fname, "/libc.so"))
			continue;
		return strcmp(info.dli_fname, here.dli_fname) == 0;
	}
	return true;
}

/* A parser that is somebody else's may crash where it finds no memory: in a worker, which
 * is there for that. */
static void on_crash(int number)
{
	char name[16] = "";
	void *frames[32];
	int count = backtrace(frames, 32);

	failing_disarm();
	(void)prctl(PR_GET_NAME, name);
	if (strcmp(name, "tdxupdd-worker") != 0 || is_ours(frames, count)) {
		__atomic_add_fetch(crashes, 1, __ATOMIC_RELAXED);
		backtrace_symbols_fd(frames, count, STDERR_FILENO);
	}
	_exit(128 + number);
}

static void watch_crashes(void)
{
	static const int numbers[] = { SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		(void)signal(numbers[i], on_crash);
}

static int update(const struct scene *scene, enum failing_kind kind, unsigned long nth,
		  unsigned long *ret_count)
{
	struct run run = { .status = NO_END };
	struct job_request request;
	struct job *job = NULL;
	sd_event *event = NULL;
	char *why = NULL;
	int r;

	watch_crashes();
	journal_be_silent();
	if (sd_event_new(&event) < 0 ||
	    manager_new(event, scene->world.tree.path, 0, &run.manager, &why) < 0 ||
	    sd_event_add_post(event, NULL, on_turn, &run) < 0 ||
	    sd_event_add_time_relative(event, NULL, CLOCK_MONOTONIC, 120 * 1000000, 0,
				       on_too_late, &run) < 0)
		return NO_MANAGER;
	job_request_init(&request, run.manager->config);
	/* What the first call of it loads is loaded before. */
	(void)backtrace((void *[1]){ NULL }, 1);
	failing_arm(kind, nth, 1);
	r = manager_add_job(run.manager, &request, &job);
	if (r == 0) {
		run.id = job->id;
		r = sd_event_loop(event);
	} else {
		run.status = NO_JOB;
	}
	*ret_count = failing_disarm();
	if (r < 0 && run.status == NO_END)
		run.status = NO_LOOP;
	manager_free(run.manager);
	sd_event_unref(event);
	return run.status;
}

/* The last thing written down: the chain holds, whatever failed. */
static void assert_history(const struct scene *scene, unsigned long nth)
{
	const struct history_query query = { .count = 1, .bytes = UINT64_MAX };
	struct history_excerpt excerpt;

	assert_int_equal(history_read(scene->world.tree.fd, &query, &excerpt), 0);
	if (excerpt.breaks)
		fail_msg("call %lu: the history breaks at %s", nth, excerpt.first_break);
	history_excerpt_done(&excerpt);
}

static bool is_host_at(const struct scene *scene, const char *version)
{
	_cleanup_(cleanup_free)
	char *text = NULL;

	assert_int_equal(world_read(&scene->world, WORLD_HOST "version", &text), 0);
	return strncmp(text, version, strlen(version)) == 0;
}

/* What it says is so. It may say that it does not know. */
static void judge(const struct scene *scene, enum failing_kind kind, unsigned long nth,
		  int status)
{
	bool is_new = is_host_at(scene, "1.5.16");

	if (!is_new && !is_host_at(scene, "1.5.06"))
		fail_msg("kind %d, call %lu: the host runs something else", kind, nth);
	if (status == JOB_DONE && !is_new)
		fail_msg("kind %d, call %lu: said to be done, and is not", kind, nth);
	if ((status == JOB_FAILED || status == JOB_CANCELLED || status == JOB_EXPIRED ||
	     status == NO_JOB) &&
	    is_new)
		fail_msg("kind %d, call %lu: said to have failed, and was done", kind,
			 nth);
	if (status == JOB_LOST)
		fail_msg("kind %d, call %lu: nothing was lost", kind, nth);
	if (status == NO_END)
		fail_msg("kind %d, call %lu: it came to no end", kind, nth);
}

/* Return: how many calls there were, those of workers included. */
static unsigned long run_one(struct scene *scene, enum failing_kind kind,
			     unsigned long nth, int *ret_status)
{
	unsigned long count = 0;
	int pipes[2], status;
	pid_t pid;

	assert_int_equal(pipe(pipes), 0);
	pid = scene_fork();
	if (pid == 0) {
		int code = update(scene, kind, nth, &count);

		(void)!write(pipes[1], &count, sizeof(count));
		_exit(code);
	}
	close(pipes[1]);
	(void)!read(pipes[0], &count, sizeof(count));
	close(pipes[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (*crashes || !WIFEXITED(status))
		fail_msg("kind %d, call %lu: a crash, see above", kind, nth);
	*ret_status = WEXITSTATUS(status);
	return count;
}

static void boot(struct scene *scene)
{
	world_do(&scene->world, "boot version=1.5.06 svn=0x0106 ctx=1");
	world_do(&scene->world, "set remaining=10");
	tree_drop(&scene->world.tree, "var/lib/tdxupd/holds.json");
}

static void fail_each(enum failing_kind kind)
{
	const char *step = getenv("TDXUPD_EXHAUSTION_STEP");
	unsigned long step_count = step ? strtoul(step, NULL, 10) : 1;
	unsigned long all, ends[JOB_UNKNOWN + 1] = { 0 };
	struct scene scene;
	int status;

	scene_set(&scene, NULL);
	boot(&scene);
	all = run_one(&scene, kind, 0, &status);
	assert_int_equal(status, JOB_DONE);
	assert_true(all > 0);
	for (unsigned long nth = 1; nth <= all; nth += step_count) {
		boot(&scene);
		(void)run_one(&scene, kind, nth, &status);
		judge(&scene, kind, nth, status);
		assert_history(&scene, nth);
		if (status <= JOB_UNKNOWN)
			ends[status]++;
	}
	print_message("kind %d: %lu calls; %lu updates done, %lu failed, %lu unknown\n",
		      kind, all, ends[JOB_DONE], ends[JOB_FAILED], ends[JOB_UNKNOWN]);
	scene_end(&scene);
}

static void test_memory(void **state)
{
	(void)state;
	fail_each(FAILING_MEMORY);
}

static void test_descriptors(void **state)
{
	(void)state;
	fail_each(FAILING_DESCRIPTORS);
}

static void test_processes(void **state)
{
	(void)state;
	fail_each(FAILING_PROCESSES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_processes),
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_memory),
	};

	if (!scene_is_possible())
		return TEST_SKIPPED;
	crashes = mmap(NULL, sizeof(*crashes), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (crashes == MAP_FAILED)
		return EXIT_FAILURE;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
