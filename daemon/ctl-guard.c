// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * tdxupdctl guard: holds a build lease around a launch. A launch must never fail for the
 * sake of an update, nor wait longer than the bound for one that waits itself; only one
 * that is being made is waited for. Whatever goes wrong with the lease, it goes without.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>

#include "clock.h"
#include "config.h"
#include "ctl-bus.h"
#include "ctl-command.h"
#include "ctl.h"
#include "duration.h"
#include "lock.h"

/* Where tdxupd.conf can't be read: its default. */
#define BOUND_USEC (5 * USEC_PER_SEC)

/* An update is waited for, whatever the bound: it takes seconds, and a launch in the
 * middle of it builds a TD that measures wrong. The daemon gives up after a minute. */
#define UPDATE_USEC (65 * USEC_PER_SEC)

/* Between two looks at what wakes nobody. */
#define LOOK_USEC (100 * USEC_PER_MSEC)

/* A holder in the background whose launch nobody tells of any more. */
#define BACKGROUND_USEC (10 * 60 * USEC_PER_SEC)

/* ---- the lease ---- */

/*
 * @is_daemon_gone: there is nobody to answer, or nobody any more
 * @lease: -1 until there is one
 */
struct request {
	bool is_answered;
	bool is_daemon_gone;
	int lease;
	char trouble[128];
};

static int on_answer(sd_bus_message *answer, void *userdata, sd_bus_error *unused)
{
	struct request *request = userdata;
	const sd_bus_error *error = sd_bus_message_get_error(answer);
	int fd;

	(void)unused;
	request->is_answered = true;
	request->is_daemon_gone =
		error && (strcmp(error->name, SD_BUS_ERROR_SERVICE_UNKNOWN) == 0 ||
			  strcmp(error->name, SD_BUS_ERROR_NAME_HAS_NO_OWNER) == 0 ||
			  strcmp(error->name, SD_BUS_ERROR_NO_REPLY) == 0);
	if (error)
		text_make_printable(request->trouble, sizeof(request->trouble),
				    error->message ? error->message : error->name);
	else if (sd_bus_message_read_basic(answer, 'h', &fd) >= 0)
		request->lease = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return 1;
}

/* It is not started for this. */
static int ask(sd_bus *bus, const char *vm, struct request *request)
{
	_cleanup_(cleanup_sd_bus_message)
	sd_bus_message *call = NULL;
	int r;

	r = sd_bus_message_new_method_call(bus, &call, BUS_NAME, BUS_PATH, BUS_MANAGER,
					   "BeginBuild");
	if (r >= 0)
		r = sd_bus_message_append(call, "sa{sv}", vm, 0);
	if (r >= 0)
		r = sd_bus_message_set_auto_start(call, false);
	return r < 0 ? r
		     : sd_bus_call_async(bus, NULL, call, on_answer, request, UINT64_MAX);
}

/* By our own clock: neither the daemon nor the bus itself needs to be well. */
static int await(sd_bus *bus, const struct request *request, uint64_t until_usec)
{
	while (!request->is_answered) {
		uint64_t now = clock_usec(CLOCK_MONOTONIC);
		int r = sd_bus_process(bus, NULL);

		if (r < 0)
			return r;
		if (r > 0)
			continue;
		if (now >= until_usec)
			return -ETIMEDOUT;
		r = sd_bus_wait(bus, until_usec - now);
		if (r < 0 && r != -EINTR)
			return r;
	}
	return 0;
}

static uint64_t read_bound(const struct ctl *ctl)
{
	struct config *config;
	uint64_t usec;

	if (config_load(ctl->root, &config, NULL) < 0)
		return BOUND_USEC;
	usec = config->barrier_max_usec;
	config_unref(config);
	return usec;
}

/*
 * Whether an update is under way, without a daemon to ask: one that was killed leaves the
 * kernel at work, one that commits by the trigger answers nobody, and --direct has no
 * bus.
 */
static bool is_updating(const struct ctl *ctl)
{
	return lock_is_kernel_updating(ctl->root_fd) ||
	       lock_is_committing(ctl->root_fd, clock_usec(CLOCK_MONOTONIC));
}

/* As await(), but an update that is under way is waited for. */
static int await_update(const struct ctl *ctl, sd_bus *bus, const struct request *request,
			uint64_t until_usec, uint64_t last_usec)
{
	int r = await(bus, request, until_usec);
	bool was_updating = false;

	while (r == -ETIMEDOUT && is_updating(ctl) &&
	       clock_usec(CLOCK_MONOTONIC) < last_usec) {
		was_updating = true;
		r = await(bus, request, clock_usec(CLOCK_MONOTONIC) + LOOK_USEC);
	}
	/* It is over: the answer is on its way. */
	if (r == -ETIMEDOUT && was_updating && clock_usec(CLOCK_MONOTONIC) < last_usec)
		r = await(bus, request, clock_usec(CLOCK_MONOTONIC) + USEC_PER_SEC);
	return r;
}

/* Once. Return: 0 there is an answer in @request; a negative errno. */
static int ask_once(struct ctl *ctl, const char *vm, uint64_t last_usec,
		    struct request *request)
{
	uint64_t until = clock_usec(CLOCK_MONOTONIC) + read_bound(ctl);
	struct ctl silent = *ctl;
	sd_bus *bus = NULL;
	int r;

	*request = (struct request){ .lease = -1 };
	silent.is_silent = true;
	if (ctl_bus_open(&silent, &bus) != CTL_EXIT_OK)
		return -ENOTCONN;
	r = ask(bus, vm, request);
	if (r >= 0)
		r = await_update(ctl, bus, request, until, last_usec);
	/* Not flushed: that could wait. A call that is still open ends with this. */
	sd_bus_close_unref(bus);
	return r;
}

/* No daemon, or none any more: the next one is asked once more, when what is under way is
 * over. */
static bool is_worth_another(const struct ctl *ctl, int r, const struct request *request,
			     uint64_t last_usec)
{
	const struct timespec pause = { .tv_nsec = (long)(LOOK_USEC * 1000) };
	bool was_updating = false;

	if (r == -ETIMEDOUT || (r == 0 && !request->is_daemon_gone))
		return false;
	while (is_updating(ctl)) {
		if (clock_usec(CLOCK_MONOTONIC) >= last_usec)
			return false;
		was_updating = true;
		nanosleep(&pause, NULL);
	}
	return was_updating;
}

static void explain(const struct ctl *ctl, int r, const struct request *request)
{
	const char *end = is_updating(ctl)
				  ? "; an update is under way, and the build goes on "
				    "unprotected"
				  : ", going without";

	if (r == -ETIMEDOUT)
		fprintf(stderr, "tdxupdctl: no build lease within the bound%s\n", end);
	else if (r < 0)
		fprintf(stderr, "tdxupdctl: no build lease: %s%s\n",
			r == -ENOTCONN ? "no bus to be reached" : strerror(-r), end);
	else if (request->lease < 0)
		fprintf(stderr, "tdxupdctl: no build lease: %s%s\n", request->trouble,
			end);
}

/* Return: the lease, or -1, and has said why. A daemon that is not there makes no
 * updates, unless one is under way all the same. */
static int take_lease(struct ctl *ctl, const char *vm)
{
	uint64_t last = clock_usec(CLOCK_MONOTONIC) + UPDATE_USEC;
	struct request request;
	int r;

	do
		r = ask_once(ctl, vm, last, &request);
	while (is_worth_another(ctl, r, &request, last));
	explain(ctl, r, &request);
	return r < 0 ? -1 : request.lease;
}

/* ---- in the background, until a file is gone ---- */

static bool is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

/* Return: -1 where the user, or the machine, has no more instances or watches. */
static int watch_file(const char *path)
{
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	if (fd >= 0 && inotify_add_watch(fd, path, IN_DELETE_SELF | IN_ATTRIB) < 0)
		close(TAKE_FD(fd));
	return fd;
}

/* Without a watch the file is looked at by the clock: the lease holds either way. */
static void hold_until_removed(const char *path, int watch, uint64_t until_usec)
{
	char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));

	while (is_there(path) && clock_usec(CLOCK_MONOTONIC) < until_usec) {
		uint64_t next = clock_usec(CLOCK_MONOTONIC) + LOOK_USEC;
		struct pollfd pollfd = { .fd = watch, .events = POLLIN };
		struct timespec left =
			clock_left(watch < 0 && next < until_usec ? next : until_usec);

		if (ppoll(&pollfd, 1, &left, NULL) > 0 &&
		    read(watch, events, sizeof(events)) < 0)
			watch = -1;
	}
}

/* Whatever can't be had is no reason to let the lease go. */
static void detach(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)setsid();
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (null < 0 || dup2(null, fd) < 0)
			close(fd);
}

/* The file is there before this returns: whoever removes it finds it. */
static int guard_in_background(struct ctl *ctl, int lease, uint64_t until_usec)
{
	int fd = open(ctl->until_removed, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
		      0600);
	pid_t child;
	int watch;

	if (fd < 0)
		return ctl_fail(ctl, CTL_EXIT_FAILURE, "file-unwritable", "%s: %s",
				ctl->until_removed, strerror(errno));
	close(fd);
	watch = watch_file(ctl->until_removed);
	if (watch < 0)
		fprintf(stderr,
			"tdxupdctl: no inotify to be had (%s); %s is looked at every "
			"100 ms\n",
			strerror(errno), ctl->until_removed);
	child = fork();
	if (child < 0)
		return ctl_fail(ctl, CTL_EXIT_FAILURE, "fork-failed",
				"can't hold the lease: %s", strerror(errno));
	if (child == 0) {
		detach();
		hold_until_removed(ctl->until_removed, watch, until_usec);
		_exit(0);
	}
	close(lease);
	if (watch >= 0)
		close(watch);
	return CTL_EXIT_OK;
}

/* ---- the verb ---- */

static const char *name_of(const struct ctl *ctl, int argc, char **argv)
{
	if (ctl->vm)
		return ctl->vm;
	return argc > 1 ? argv[1] : "unnamed";
}

int ctl_guard(struct ctl *ctl, int argc, char **argv)
{
	uint64_t span = ctl->until_removed ? BACKGROUND_USEC : USEC_INFINITY;
	uint64_t now;
	int lease;

	if ((argc > 1) == (ctl->until_removed != NULL))
		return ctl_fail(ctl, CTL_EXIT_USAGE, "usage",
				"either a command to run, or --until-removed=FILE");
	if (ctl->release_after && duration_parse(ctl->release_after, &span) < 0)
		return ctl_fail(
			ctl, CTL_EXIT_USAGE, "usage",
			"--release-after is a time such as 90 or 5min, not \"%s\"",
			ctl->release_after);
	lease = take_lease(ctl, name_of(ctl, argc, argv));
	now = clock_usec(CLOCK_MONOTONIC);
	if (span != USEC_INFINITY)
		span = span < USEC_INFINITY - now ? now + span : USEC_INFINITY;
	if (argc > 1)
		return ctl_command_run(
			ctl, lease, span,
			"the build lease has ended with tdxupdd; the launch "
			"goes on without",
			argv + 1);
	return lease < 0 ? CTL_EXIT_OK : guard_in_background(ctl, lease, span);
}
