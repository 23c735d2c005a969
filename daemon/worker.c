// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * One process that works for the daemon, and its answer: a file in memory that is read
 * when the process has ended. What is worked on, and by how many, reader.c decides.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "clock.h"
#include "duration.h"
#include "tdxupd.h"
#include "worker.h"

#define FDS_MAX 4

/* A hundred thousand files, each with all there is to say of it. */
#define ANSWER_BYTES_MAX (256u << 20)

/* Of one that gets on, but comes to no end. */
#define WORK_USEC (10 * 60 * USEC_PER_SEC)

/* It is looked at so often in the time that it may take to get on. */
#define LOOKS 4

/*
 * @task.done: NULL once nobody waits for it
 * @cpu_usec: processor time that it had used when it was looked at last
 */
struct worker {
	struct worker_task task;
	pid_t pid;
	int answer_fd;
	sd_event_source *timer;
	uint64_t until_usec;
	uint64_t cpu_usec;
	unsigned idle_looks;
};

/* ---- the count ---- */

struct worker_count *worker_count_new(void)
{
	struct worker_count *count = calloc(1, sizeof(*count));

	if (count)
		count->refs = 1;
	return count;
}

void worker_count_unref(struct worker_count *count)
{
	if (count && --count->refs == 0)
		free(count);
}

/* ---- in the worker ---- */

/* All but 0 to 2 and @fds, which get in order. */
static void close_others(int *fds, size_t count)
{
	unsigned next = 3;

	for (size_t i = 0; i < count; i++)
		for (size_t j = i + 1; j < count; j++)
			if (fds[j] < fds[i]) {
				int fd = fds[i];

				fds[i] = fds[j];
				fds[j] = fd;
			}
	for (size_t i = 0; i < count; i++) {
		if (fds[i] < (int)next)
			continue;
		if (fds[i] > (int)next && close_range(next, (unsigned)fds[i] - 1, 0) < 0)
			_exit(EXIT_FAILURE);
		next = (unsigned)fds[i] + 1;
	}
	if (close_range(next, ~0U, 0) < 0)
		_exit(EXIT_FAILURE);
}

/* The daemon is among the last that the OOM killer takes; this one may go first. */
static void be_expendable(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)!write(fd, "500", 3);
	close(fd);
}

static void settle_in(const struct worker *worker, pid_t parent)
{
	int fds[FDS_MAX + 1];
	sigset_t none;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
	(void)prctl(PR_SET_NAME, "tdxupdd-worker");
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	fds[0] = worker->answer_fd;
	for (size_t i = 0; i < worker->task.fd_count; i++)
		fds[i + 1] = worker->task.fds[i];
	/* The library's log would go to a descriptor that is something else now. */
	tdxupd_set_log(NULL, NULL);
	close_others(fds, worker->task.fd_count + 1);
	be_expendable();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static int write_all(int fd, const void *bytes, size_t count)
{
	const char *p = bytes;

	while (count) {
		ssize_t n = write(fd, p, count);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -EIO;
		p += n;
		count -= (size_t)n;
	}
	return 0;
}

static void __attribute__((noreturn)) work(const struct worker *worker, pid_t parent)
{
	struct buffer out = { 0 };
	int32_t r;

	settle_in(worker, parent);
	r = worker->task.run(worker->task.userdata, &out);
	if (r == 0 && out.is_short)
		r = -ENOMEM;
	if (write_all(worker->answer_fd, &r, sizeof(r)) < 0 ||
	    write_all(worker->answer_fd, out.bytes, out.count) < 0)
		_exit(EXIT_FAILURE);
	_exit(EXIT_SUCCESS);
}

/* ---- the answer ---- */

/* Into memory of our own: whoever wrote it could change it while we look. */
static int read_answer(const struct worker *worker, uint8_t **ret, size_t *ret_count)
{
	_cleanup_(cleanup_free)
	uint8_t *bytes = NULL;
	struct stat st;
	size_t count;

	if (fstat(worker->answer_fd, &st) < 0)
		return -errno;
	if (st.st_size < (off_t)sizeof(int32_t) || st.st_size > ANSWER_BYTES_MAX)
		return WORKER_CRASHED;
	count = (size_t)st.st_size;
	bytes = malloc(count + 1);
	if (!bytes)
		return -ENOMEM;
	bytes[count] = '\0'; /* what is text has an end, whatever the worker wrote */
	if (pread(worker->answer_fd, bytes, count, 0) != (ssize_t)count)
		return WORKER_CRASHED;
	*ret = TAKE_PTR(bytes);
	*ret_count = count;
	return 0;
}

/* What run() returned. A number that is no errno is nothing that run() returns. */
static int read_result(const uint8_t *bytes)
{
	int32_t r;

	memcpy(&r, bytes, sizeof(r));
	return r > 0 || r < -4095 ? WORKER_CRASHED : r;
}

static void tell(struct worker *worker, int r)
{
	struct worker_task task = worker->task;
	_cleanup_(cleanup_free)
	uint8_t *bytes = NULL;
	size_t count = sizeof(int32_t);

	worker->task.done = NULL;
	if (r == 0)
		r = read_answer(worker, &bytes, &count);
	if (r == 0)
		r = read_result(bytes);
	worker->timer = sd_event_source_disable_unref(worker->timer);
	if (!bytes)
		task.done(task.userdata, r, NULL, 0);
	else
		task.done(task.userdata, r, bytes + sizeof(int32_t),
			  count - sizeof(int32_t));
}

/* ---- in the daemon ---- */

static void worker_free(void *userdata)
{
	struct worker *worker = userdata;

	sd_event_source_disable_unref(worker->timer);
	if (worker->answer_fd >= 0)
		close(worker->answer_fd);
	worker->task.count->running--;
	worker_count_unref(worker->task.count);
	free(worker);
}

static int on_exit_of(sd_event_source *source, const siginfo_t *info, void *userdata)
{
	struct worker *worker = userdata;
	bool has_failed = info->si_code != CLD_EXITED || info->si_status != EXIT_SUCCESS;

	if (worker->task.done)
		tell(worker, has_failed ? WORKER_CRASHED : 0);
	/* Frees it: see watch(). */
	sd_event_source_disable_unref(source);
	return 0;
}

static uint64_t get_cpu_usec(pid_t pid)
{
	clockid_t clock;

	return clock_getcpuclockid(pid, &clock) == 0 ? clock_usec(clock) : 0;
}

/*
 * On a busy machine it takes long, but it gets on. One that waits for a file system that
 * does not answer takes no processor time at all.
 */
static int on_look(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct worker *worker = userdata;
	uint64_t cpu_usec = get_cpu_usec(worker->pid);
	int r;

	worker->idle_looks = cpu_usec > worker->cpu_usec ? 0 : worker->idle_looks + 1;
	worker->cpu_usec = cpu_usec;
	if (worker->idle_looks < LOOKS && usec < worker->until_usec) {
		r = sd_event_source_set_time_relative(source,
						      worker->task.patience_usec / LOOKS);
		return r < 0 ? r : sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	}
	(void)kill(worker->pid, SIGKILL);
	tell(worker, WORKER_HUNG);
	return 0;
}

/* With descriptors of its own, and counted from here on. */
static int worker_new(const struct worker_task *task, struct worker **ret)
{
	struct worker *worker = calloc(1, sizeof(*worker));

	if (!worker)
		return -ENOMEM;
	worker->task = *task;
	worker->answer_fd = memfd_create("tdxupdd-answer", MFD_CLOEXEC);
	if (worker->answer_fd < 0) {
		int r = -errno;

		free(worker);
		return r;
	}
	worker->task.count->refs++;
	worker->task.count->running++;
	*ret = worker;
	return 0;
}

static int watch(struct worker *worker, sd_event *event)
{
	sd_event_source *child;
	int r;

	worker->until_usec = clock_usec(CLOCK_MONOTONIC) + WORK_USEC;
	r = sd_event_add_time_relative(event, &worker->timer, CLOCK_MONOTONIC,
				       worker->task.patience_usec / LOOKS, 0, on_look,
				       worker);
	if (r >= 0)
		r = sd_event_add_child(event, &child, worker->pid, WEXITED, on_exit_of,
				       worker);
	if (r < 0)
		return r;
	/* One that can't be ended outlives whoever started it: the event loop has it. */
	(void)sd_event_source_set_destroy_callback(child, worker_free);
	(void)sd_event_source_set_floating(child, true);
	sd_event_source_unref(child);
	return 0;
}

int worker_start(sd_event *event, const struct worker_task *task, struct worker **ret)
{
	pid_t parent = getpid();
	struct worker *worker = NULL;
	sigset_t child;
	int r;

	if (task->fd_count > FDS_MAX)
		return -EINVAL;
	/* As sd_event_add_child() wants it. */
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	r = worker_new(task, &worker);
	if (r < 0)
		return r;
	worker->pid = fork();
	if (worker->pid == 0)
		work(worker, parent);
	r = worker->pid < 0 ? -errno : watch(worker, event);
	if (r < 0) {
		if (worker->pid > 0) {
			(void)kill(worker->pid, SIGKILL);
			(void)waitpid(worker->pid, NULL, WNOHANG);
		}
		worker_free(worker);
		return r;
	}
	*ret = worker;
	return 0;
}

struct worker *worker_stop(struct worker *worker)
{
	if (!worker)
		return NULL;
	(void)kill(worker->pid, SIGKILL);
	worker->task.done = NULL;
	worker->timer = sd_event_source_disable_unref(worker->timer);
	return NULL;
}
