// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the daemon does between the event that opens the gate and the write that commits:
 * every system call of it, traced. Each is named in job-run.c, and nothing else may come
 * in between.
 */
#include <sys/epoll.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit/test.h"
#include "scene.h"
#include "util.h"

#define CALLS_MAX 8

/*
 * @opens: the file whose read tells that the gate is open, where no event does
 * @commits: the file whose write commits
 */
struct trace {
	pid_t pid;
	const char *opens;
	const char *commits;
	bool is_open;
	unsigned count;
	char calls[1024];
};

static const struct {
	long number;
	const char *name;
} names[] = {
	{ SYS_pread64, "pread" },       { SYS_read, "read" },
	{ SYS_pwrite64, "pwrite" },     { SYS_write, "write" },
	{ SYS_sendmsg, "sendmsg" },     { SYS_epoll_wait, "epoll_wait" },
	{ SYS_epoll_ctl, "epoll_ctl" }, { SYS_newfstatat, "fstat" },
	{ SYS_poll, "poll" },
};

static const char *name_of(long number)
{
	static char text[32];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].number == number)
			return names[i].name;
	snprintf(text, sizeof(text), "call-%ld", number);
	return text;
}

/* Memory of the C library and of the sanitizers. */
static bool is_memory(long number)
{
	return number == SYS_mmap || number == SYS_munmap || number == SYS_brk ||
	       number == SYS_madvise || number == SYS_mprotect;
}

static const char *file_of(pid_t pid, long fd)
{
	static char target[512];
	char link[64];
	const char *slash;
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%d/fd/%ld", (int)pid, fd);
	n = readlink(link, target, sizeof(target) - 1);
	if (n < 0)
		return "?";
	target[n] = '\0';
	slash = strrchr(target, '/');
	return slash ? slash + 1 : target;
}

/* Return: whether this is the call that commits. */
static bool enter(struct trace *trace, const struct __ptrace_syscall_info *info)
{
	long number = (long)info->entry.nr;
	const char *file = file_of(trace->pid, (long)info->entry.args[0]);
	size_t used = strlen(trace->calls);

	if (number == SYS_pwrite64 && strcmp(file, trace->commits) == 0)
		return true;
	if (is_memory(number))
		return false;
	trace->count++;
	/* A timer of somebody else's that fired in the same turn of the loop. */
	if (number == SYS_read && strcmp(file, "anon_inode:[timerfd]") == 0)
		return false;
	snprintf(trace->calls + used, sizeof(trace->calls) - used, "%s %s\n",
		 name_of(number), file);
	return false;
}

static void begin_anew(struct trace *trace)
{
	trace->count = 0;
	trace->calls[0] = '\0';
}

/* What has returned since the last event may be the event itself. */
static void leave(struct trace *trace, long number, const char *file)
{
	if (number == SYS_epoll_wait) {
		trace->is_open = false;
		begin_anew(trace);
	} else if (trace->opens && !trace->is_open && strcmp(file, trace->opens) == 0) {
		trace->is_open = true;
		begin_anew(trace);
	}
}

static void resume(const struct trace *trace)
{
	assert_int_equal(ptrace(PTRACE_SYSCALL, trace->pid, NULL, NULL), 0);
}

static void start_tracing(const struct trace *trace)
{
	int status;

	assert_int_equal(ptrace(PTRACE_SEIZE, trace->pid, NULL, PTRACE_O_TRACESYSGOOD),
			 0);
	assert_int_equal(ptrace(PTRACE_INTERRUPT, trace->pid, NULL, NULL), 0);
	assert_int_equal(waitpid(trace->pid, &status, __WALL), trace->pid);
	resume(trace);
}

static void trace_until_commit(struct trace *trace)
{
	struct __ptrace_syscall_info info;
	char file[512] = "";
	long number = -1;
	int status;

	for (;; resume(trace)) {
		assert_int_equal(waitpid(trace->pid, &status, __WALL), trace->pid);
		assert_true(WIFSTOPPED(status));
		assert_true(ptrace(PTRACE_GET_SYSCALL_INFO, trace->pid, sizeof(info),
				   &info) > 0);
		if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
			number = (long)info.entry.nr;
			snprintf(file, sizeof(file), "%s",
				 file_of(trace->pid, (long)info.entry.args[0]));
			if (enter(trace, &info))
				break;
		} else if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
			leave(trace, number, file);
		}
	}
	assert_int_equal(ptrace(PTRACE_DETACH, trace->pid, NULL, NULL), 0);
}

static void watch_commit(const char *kernel, const char *config, struct trace *trace,
			 const char *end)
{
	struct scene scene;
	_cleanup_(cleanup_free)
	char *job = NULL;

	scene_set(&scene, kernel, NULL);
	scene_put_config(&scene, config);
	scene_run(&scene);
	scene_begin_build(&scene);
	job = scene_update(&scene, NULL);
	scene_await(&scene, job, "State", "waiting");
	usleep(100000); /* whatever it still tells of that */
	trace->pid = scene.daemon;
	start_tracing(trace);
	world_do(&scene.world, "%s", end);
	trace_until_commit(trace);
	scene_await_end(&scene, job, "done");
	print_message("%s", trace->calls);
	scene_end(&scene);
}

static void run(const char *kernel, struct trace *trace, const char *end,
		const char *expected)
{
	watch_commit(kernel, "", trace, end);
	assert_string_equal(trace->calls, expected);
	assert_true(trace->count <= CALLS_MAX);
}

static void test_the_trigger(void **state)
{
	struct trace trace = { .commits = "update" };

	(void)state;
	run("host kernel=piece", &trace, "td step vm1 finalize",
	    "pread version\n"
	    "pread online\n"
	    "pread tds_building\n"
	    "write history.jsonl\n"
	    "pwrite lock\n");
}

/* The misc cgroup wakes nobody: the event is the look by the clock that finds it empty,
 * and that ends in a poll of the limits' events. */
#define LOOK_ENDS "?"

static void test_fw_upload(void **state)
{
	struct trace trace = { .commits = "loading", .opens = LOOK_ENDS };

	(void)state;
	run("host kernel=mainline", &trace, "td abort vm1",
	    "pread data\n"
	    "pread version\n"
	    "pread online\n"
	    "pread misc.current\n"
	    "fstat cgroup\n"
	    "poll ?\n"
	    "write history.jsonl\n");
}

/* A limit that is set after the last look lets a TD in between. */
static void test_the_limit_comes_before_the_last_look(void **state)
{
	static const char last_look[] = "pread data\n"
					"pread version\n"
					"pread online\n"
					"pread misc.current\n"
					"fstat cgroup\n"
					"poll ?\n"
					"write history.jsonl\n";
	struct trace trace = { .commits = "loading", .opens = LOOK_ENDS };
	const char *look, *limit;

	(void)state;
	watch_commit("host kernel=mainline", "DrainMethod=fence\n", &trace,
		     "td abort vm1");
	look = strstr(trace.calls, last_look);
	limit = strstr(trace.calls, " misc.max\n");
	assert_true(look && limit && limit < look);
	assert_string_equal(look, last_look);
}

/* Those that are open stay so; there is none to be had. */
static void shut_out(pid_t pid, struct rlimit *ret_before)
{
	struct rlimit none;

	assert_int_equal(prlimit(pid, RLIMIT_NOFILE, NULL, ret_before), 0);
	none = *ret_before;
	none.rlim_cur = 3;
	assert_int_equal(prlimit(pid, RLIMIT_NOFILE, &none, NULL), 0);
}

/* An update that the kernel has not finished; free() the job. */
static char *start_and_hold(struct scene *scene)
{
	char *job;

	scene_start(scene, "host kernel=mainline", NULL);
	world_do(&scene->world, "upload hold=programming");
	job = scene_update(scene, NULL);
	scene_await(scene, job, "State", "confirming");
	return job;
}

static void must_have_succeeded(struct scene *scene, char *job)
{
	scene_await_end(scene, job, "done");
	scene_assert(scene, job, "Outcome", "succeeded");
	scene_assert_host(scene, "1.5.16", 1);
	free(job);
	scene_end(scene);
}

/* The module runs; that no file can be opened says nothing of it. */
static void test_no_descriptors_at_the_confirming_look(void **state)
{
	struct rlimit before;
	struct scene scene;
	char *job = start_and_hold(&scene);

	(void)state;
	shut_out(scene.daemon, &before);
	world_do(&scene.world, "upload hold=none");
	scene_await_end(&scene, job, "done");
	assert_int_equal(prlimit(scene.daemon, RLIMIT_NOFILE, &before, NULL), 0);
	must_have_succeeded(&scene, job);
}

/* Nor does it that one cannot be read for a while. */
static void test_the_confirming_look_is_repeated(void **state)
{
	static const char *const files[] = { "version", "num_remaining_updates",
					     "error" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		struct scene scene;
		char *job = start_and_hold(&scene);

		world_do(&scene.world, "deny %s", files[i]);
		world_do(&scene.world, "upload hold=none");
		usleep(300000);
		scene_assert(&scene, job, "State", "confirming");
		world_do(&scene.world, "release");
		must_have_succeeded(&scene, job);
	}
}

/* And where it never can, nobody claims anything. */
static void test_what_cannot_be_confirmed_is_unknown(void **state)
{
	struct scene scene;
	char *job = start_and_hold(&scene);

	(void)state;
	world_do(&scene.world, "deny version");
	world_do(&scene.world, "upload hold=none");
	scene_await_end(&scene, job, "Unknown");
	scene_assert(&scene, job, "Outcome", "unknown");
	free(job);
	scene_end(&scene);
}

/* The canary is the read of the list. */
static void test_fw_upload_and_probes(void **state)
{
	struct trace trace = { .commits = "loading" };

	(void)state;
	run("host kernel=mainline tracing=yes", &trace, "td step vm1 finalize",
	    "pread data\n"
	    "pread version\n"
	    "pread online\n"
	    "pread list\n"
	    "read trace_pipe\n"
	    "pread kprobe_profile\n"
	    "pread misc.current\n"
	    "write history.jsonl\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_limit_comes_before_the_last_look),
		cmocka_unit_test(test_the_trigger),
		cmocka_unit_test(test_fw_upload),
		cmocka_unit_test(test_no_descriptors_at_the_confirming_look),
		cmocka_unit_test(test_the_confirming_look_is_repeated),
		cmocka_unit_test(test_what_cannot_be_confirmed_is_unknown),
		cmocka_unit_test(test_fw_upload_and_probes),
	};

	if (!scene_is_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
