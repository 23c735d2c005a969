// SPDX-License-Identifier: LGPL-2.1-or-later
/* A command that runs while something is held. What that is, is its caller's business. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "ctl-command.h"
#include "duration.h"

/* As a shell does. */
#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NOT_FOUND      127
#define EXIT_SIGNAL_BASE    128

static const int forwarded[] = { SIGTERM, SIGHUP };

/* Interrupts from the terminal reach the command by themselves. */
static void block_signals(sigset_t *ret_old)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGQUIT);
	for (size_t i = 0; i < ARRAY_SIZE(forwarded); i++)
		sigaddset(&set, forwarded[i]);
	sigprocmask(SIG_BLOCK, &set, ret_old);
}

/* What there is to be done about. */
static void set_signals(sigset_t *ret)
{
	sigemptyset(ret);
	sigaddset(ret, SIGCHLD);
	for (size_t i = 0; i < ARRAY_SIZE(forwarded); i++)
		sigaddset(ret, forwarded[i]);
}

static void run_command(char **argv, const sigset_t *mask)
{
	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(argv[0], argv);
	fprintf(stderr, "tdxupdctl: %s: %s\n", argv[0], strerror(errno));
	_exit(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE);
}

static int exit_code_of(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status)
				 : EXIT_SIGNAL_BASE + WTERMSIG(status);
}

/* The other end is gone: what was held is not. */
static bool is_let_go(int fd)
{
	struct pollfd pollfd = { .fd = fd };

	return fd >= 0 && poll(&pollfd, 1, 0) > 0 && (pollfd.revents & POLLERR);
}

static void pass_on(int signals, pid_t child)
{
	struct signalfd_siginfo info;

	while (read(signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		for (size_t i = 0; i < ARRAY_SIZE(forwarded); i++)
			if (info.ssi_signo == (uint32_t)forwarded[i])
				kill(child, forwarded[i]);
}

/* Until a signal comes, the descriptor ends, or it is time. Poll tells of its end,
 * POLLERR, without being asked for it. */
static void rest(int signals, int fd, uint64_t until_usec)
{
	struct pollfd fds[] = { { .fd = signals, .events = POLLIN }, { .fd = fd } };
	struct timespec left = clock_left(until_usec);
	bool has_end = fd >= 0 && until_usec != USEC_INFINITY;

	(void)ppoll(fds, ARRAY_SIZE(fds), has_end ? &left : NULL, NULL);
}

/* Until @child ends; @fd is closed at @until_usec already, or when it holds nothing any
 * more, which is said. */
static int wait_for(pid_t child, int signals, int fd, uint64_t until_usec,
		    const char *what)
{
	int status;

	while (waitpid(child, &status, WNOHANG) != child) {
		rest(signals, fd, until_usec);
		pass_on(signals, child);
		if (is_let_go(fd)) {
			fprintf(stderr, "tdxupdctl: %s\n", what);
			close(TAKE_FD(fd));
		}
		if (fd >= 0 && until_usec != USEC_INFINITY &&
		    clock_usec(CLOCK_MONOTONIC) >= until_usec)
			close(TAKE_FD(fd));
	}
	if (fd >= 0)
		close(fd);
	return exit_code_of(status);
}

int ctl_command_run(struct ctl *ctl, int fd, uint64_t until_usec, const char *what,
		    char **argv)
{
	_cleanup_(cleanup_close)
	int signals = -1;
	sigset_t mask, set;
	pid_t child;

	block_signals(&mask);
	set_signals(&set);
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	child = signals < 0 ? -1 : fork();
	if (child < 0)
		return ctl_fail(ctl, CTL_EXIT_FAILURE, "fork-failed",
				"can't start %s: %s", argv[0], strerror(errno));
	if (child == 0)
		run_command(argv, &mask);
	return wait_for(child, signals, fd, until_usec, what);
}
