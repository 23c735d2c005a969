// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The daemon is killed at every moment of an update that can be told from another: before
 * each system call by which anything outside of it changes. Started again, what it says
 * of the update must be what the simulated machine knows. With TDXUPD_STEP=10 it is each
 * tenth.
 */
#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/ptrace.h>

#include "../unit/test.h"
#include "io.h"
#include "job-state.h"
#include "story.h"
#include "util.h"

/* Far more than an update makes; one that never ends is a failure. */
#define CALLS_MAX 1000

/* The least that HistoryMaxBytes= may be. */
#define HISTORY_BYTES 65536

/* ---- a daemon on a leash ---- */

static void await_stop(pid_t pid, int *ret_status)
{
	assert_int_equal(waitpid(pid, ret_status, __WALL), pid);
	if (!WIFSTOPPED(*ret_status))
		fail_msg("the daemon has gone: status %#x", (unsigned)*ret_status);
}

static void seize(pid_t pid)
{
	int status;

	assert_int_equal(ptrace(PTRACE_SEIZE, pid, NULL,
				PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL),
			 0);
	assert_int_equal(ptrace(PTRACE_INTERRUPT, pid, NULL, NULL), 0);
	await_stop(pid, &status);
}

/* On to where it is about to make a system call. */
static struct __ptrace_syscall_info go_on(pid_t pid)
{
	struct __ptrace_syscall_info info = { 0 };
	int status, signal = 0;

	do {
		assert_int_equal(ptrace(PTRACE_SYSCALL, pid, NULL, (long)signal), 0);
		await_stop(pid, &status);
		signal = WSTOPSIG(status) == (SIGTRAP | 0x80) ? 0 : WSTOPSIG(status);
		if (signal == SIGTRAP)
			signal = 0;
		if (WSTOPSIG(status) == (SIGTRAP | 0x80))
			assert_true(ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info),
					   &info) > 0);
	} while (info.op != PTRACE_SYSCALL_INFO_ENTRY);
	return info;
}

/* Nothing that others could see: they may as well not have happened. */
static bool is_seen_outside(const struct __ptrace_syscall_info *info)
{
	static const long calls[] = {
		SYS_write,    SYS_pwrite64,  SYS_writev,    SYS_sendmsg,
		SYS_sendto,   SYS_fsync,     SYS_fdatasync, SYS_ftruncate,
		SYS_renameat, SYS_renameat2, SYS_unlinkat,  SYS_mkdirat,
	};

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if ((long)info->entry.nr == calls[i])
			return true;
	return false;
}

/* Waits for events for as long as it takes, and not only to see whether there are any. */
static bool is_idle(const struct __ptrace_syscall_info *info)
{
	if (info->entry.nr == SYS_epoll_pwait2)
		return !info->entry.args[3];
	return info->entry.nr == SYS_epoll_wait && (int)info->entry.args[3] < 0;
}

/* ---- one death ---- */

/* Of a module that refuses an update which would meet a build. */
#define GUARDING " hv=1 features0=0x80002e1f0fbf"

/*
 * One update that is cut off again and again.
 * @host, @fault: commands for the simulated machine
 * @is_busy: a build keeps it in backoff; it does not end
 * @has_fence: it waits behind a fence for a build that takes no lease; all have one up
 *	while they commit
 * @room_bytes: left in the history's file before it is rotated; 0: plenty
 */
struct plot {
	const char *host;
	const char *fault;
	bool is_busy;
	bool has_fence;
	size_t room_bytes;
};

static bool is_over(struct scene *scene, const struct plot *plot)
{
	struct story story;

	story_read(scene, &story);
	if (plot->is_busy)
		return strcmp(story.phase, "backoff") == 0;
	return job_state_is_end(job_state_from_string(story.phase));
}

/* The slice's limit of TDs as it is when no fence is up. */
#define LIMIT_FILE "sys/fs/cgroup/machine.slice/misc.max"
#define LIMIT      "tdx 9\n"

static bool is_fence_up(struct scene *scene)
{
	_cleanup_(cleanup_free)
	char *limit = NULL;

	assert_int_equal(world_read(&scene->world, LIMIT_FILE, &limit), 0);
	return strcmp(limit, LIMIT) != 0;
}

/* Let it run and kill it before the call @index. Return: false when it is over before. */
static bool run_and_kill(struct scene *scene, const struct plot *plot, unsigned index)
{
	pid_t pid = scene->daemon;
	bool is_building = plot->has_fence;
	unsigned count = 0;

	for (;;) {
		struct __ptrace_syscall_info info = go_on(pid);

		if (is_idle(&info) && is_over(scene, plot))
			break;
		/* The gap that it has made. */
		if (is_idle(&info) && is_building && is_fence_up(scene)) {
			world_do(&scene->world, "td step vm1 finalize");
			is_building = false;
		}
		if (is_seen_outside(&info) && count++ == index)
			break;
		assert_true(count < CALLS_MAX);
	}
	/* At the entry of a call, which is not made any more. */
	scene_kill(scene);
	return count > index;
}

/* Records of nothing, up to where @room bytes are left. */
static void fill_history(struct scene *scene, size_t room)
{
	static const struct history_limits limits = { .file_bytes = HISTORY_BYTES };
	char padding[512] = "";
	struct history_record record = { .boot_id = (char[]){ "another" },
					 .phase = (char[]){ "started" },
					 .detail = padding };
	char *note = NULL;
	struct history *history;
	struct stat st;

	assert_int_equal(history_open(scene->world.tree.fd, &limits, &history, &note), 0);
	do {
		assert_int_equal(history_append(history, &record, false), 0);
		assert_int_equal(fstatat(scene->world.tree.fd, STORY_FILE, &st, 0), 0);
		memset(padding, 'x', 200);
	} while ((size_t)st.st_size + 500 + room < HISTORY_BYTES);
	history_free(history);
}

/* As if the host had just been booted for the first time. */
static void prepare(struct scene *scene, const struct plot *plot)
{
	world_do(&scene->world, "boot version=1.5.06 svn=0x0106 ctx=1%s",
		 plot->is_busy ? GUARDING : "");
	world_do(&scene->world, "set remaining=10");
	world_do(&scene->world, "fail none");
	if (plot->fault)
		world_do(&scene->world, "%s", plot->fault);
	if (plot->is_busy || plot->has_fence)
		scene_begin_build(scene);
	assert_int_equal(world_write(&scene->world, LIMIT_FILE, LIMIT), 0);
	tree_drop(&scene->world.tree, STORY_FILE);
	tree_drop(&scene->world.tree, STORY_FILE ".1");
	tree_drop(&scene->world.tree, STATE_DIR "/holds.json");
	if (plot->room_bytes)
		fill_history(scene, plot->room_bytes);
}

/* No answer is waited for: the daemon stands still. */
static void ask_for_update(struct scene *scene, const struct plot *plot)
{
	assert_true(sd_bus_call_method_async(
			    scene->bus, NULL, "org.tdxupd1", SCENE_MANAGER,
			    "org.tdxupd1.Manager", "Update", NULL, NULL, "sa{sv}", "", 2,
			    "guard", "s", plot->is_busy ? "off" : "strict", "drain", "b",
			    plot->has_fence) >= 0);
	assert_true(sd_bus_flush(scene->bus) >= 0);
}

/* What failed is not tried again, however little of that could be written down. */
static void must_be_held(struct scene *scene)
{
	struct story story;

	story_read(scene, &story);
	if (strcmp(story.end, "lost") == 0)
		scene_update_fails(scene, "Lost", "1.5.16");
	else if (strcmp(story.end, "refused") == 0 || strcmp(story.end, "failed") == 0)
		scene_update_refused(scene, "org.tdxupd1.Error.Failed", "1.5.16", 0);
}

/* What a daemon was killed in the middle of. */
struct seen {
	bool states[_JOB_STATE_MAX];
	bool has_fence;
};

/* Return: whether there was still a call to die before. */
static bool die_before(struct scene *scene, const struct plot *plot, unsigned index,
		       struct seen *seen)
{
	struct truth before;
	struct story story;
	enum job_state phase;
	char what[160];
	bool is_cut;

	prepare(scene, plot);
	before = story_ask_truth(scene);
	scene_run(scene);
	seize(scene->daemon);
	ask_for_update(scene, plot);
	is_cut = run_and_kill(scene, plot, index);
	story_read(scene, &story);
	phase = job_state_from_string(story.phase);
	seen->states[phase < 0 ? JOB_QUEUED : phase] = true;
	seen->has_fence |= is_fence_up(scene);
	snprintf(what, sizeof(what), "%s, %s: call %u, during `%s'", plot->host,
		 plot->fault ? plot->fault : "no fault", index, story.phase);
	scene_run(scene);
	story_must_be_true(scene, &before, what);
	scene_assert(scene, SCENE_MANAGER, "CurrentJob", "/");
	world_assert_reads(&scene->world, LIMIT_FILE, LIMIT);
	world_assert_reads(&scene->world, WORLD_UPLOAD "loading", "0\n");
	if (!plot->is_busy)
		must_be_held(scene);
	assert_int_equal(scene_stop(scene), 0);
	return is_cut;
}

static void must_have_seen_all(const struct seen *seen, const struct plot *plot)
{
	static const enum job_state states[] = { JOB_PLANNING, JOB_STAGING, JOB_WAITING,
						 JOB_COMMITTING, JOB_CONFIRMING };

	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		if (!seen->states[states[i]])
			fail_msg("not once in `%s'", job_state_to_string(states[i]));
	assert_true(seen->states[JOB_QUEUED]); /* before the first record */
	assert_true(!plot->is_busy || seen->states[JOB_BACKOFF]);
	assert_true(plot->is_busy || seen->has_fence);
}

static void die_everywhere(const struct plot *plot)
{
	const char *text = getenv("TDXUPD_STEP");
	unsigned step = text && *text ? (unsigned)strtoul(text, NULL, 10) : 1;
	struct seen seen = { 0 };
	struct scene scene;
	unsigned index = 0;

	scene_set(&scene, plot->host, NULL);
	if (plot->is_busy)
		scene_put_images(&scene, "1.5.16,hv=1,features0=0x80226f3f0fbf", NULL);
	scene_put_config(&scene, "HistoryMaxBytes=65536\nDrainMethod=fence\n"
				 "BarrierMaxSec=1min\n");
	while (die_before(&scene, plot, index, &seen))
		index += step;
	print_message("%s, %s: %u calls\n", plot->host,
		      plot->fault ? plot->fault : "no fault", index);
	if (step == 1)
		must_have_seen_all(&seen, plot);
	assert_true(!plot->room_bytes ||
		    io_is_present(scene.world.tree.fd, STORY_FILE ".1"));
	scene_end(&scene);
}

static void test_mainline(void **state)
{
	(void)state;
	die_everywhere(&(struct plot){ .host = "host kernel=mainline" });
	die_everywhere(&(struct plot){ .host = "host kernel=mainline",
				       .fault = "fail loader-entropy=1" });
	die_everywhere(&(struct plot){ .host = "host kernel=mainline",
				       .fault = "fail step=shutdown" });
}

static void test_the_kernel_piece(void **state)
{
	(void)state;
	die_everywhere(&(struct plot){ .host = "host kernel=piece" });
	die_everywhere(&(struct plot){ .host = "host kernel=piece",
				       .fault = "fail loader-entropy=1" });
	die_everywhere(&(struct plot){ .host = "host kernel=piece",
				       .fault = "fail step=shutdown" });
}

static void test_in_backoff(void **state)
{
	(void)state;
	die_everywhere(&(struct plot){ .host = "host kernel=patched", .is_busy = true });
	die_everywhere(&(struct plot){ .host = "host kernel=piece", .is_busy = true });
}

/* A fence outlives nobody: the next daemon puts the slice's limit back. */
static void test_behind_a_fence(void **state)
{
	(void)state;
	die_everywhere(&(struct plot){ .host = "host kernel=piece", .has_fence = true });
}

/* The file is full just when it matters most. */
static void test_while_the_history_is_rotated(void **state)
{
	(void)state;
	/* The file has no room for `waiting`, and none even for "started". */
	die_everywhere(
		&(struct plot){ .host = "host kernel=mainline", .room_bytes = 1000 });
	die_everywhere(&(struct plot){ .host = "host kernel=piece", .room_bytes = 1 });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mainline),
		cmocka_unit_test(test_the_kernel_piece),
		cmocka_unit_test(test_in_backoff),
		cmocka_unit_test(test_behind_a_fence),
		cmocka_unit_test(test_while_the_history_is_rotated),
	};

	if (!scene_is_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
