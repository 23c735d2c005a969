// SPDX-License-Identifier: LGPL-2.1-or-later
/* A command that runs while something is held. What that is, is its caller's business. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
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

/* Until @child ends; @fd is closed at @until_usec already. */
static int wait_for(pid_t child, int fd, uint64_t until_usec)
{
	sigset_t set;
	int status;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	for (size_t i = 0; i < ARRAY_SIZE(forwarded); i++)
		sigaddset(&set, forwarded[i]);
	while (waitpid(child, &status, WNOHANG) != child) {
		struct timespec left = clock_left(until_usec);
		bool has_end = fd >= 0 && until_usec != USEC_INFINITY;
		int signal = has_end ? sigtimedwait(&set, NULL, &left)
				     : sigwaitinfo(&set, NULL);

		if (signal < 0 && errno == EAGAIN)
			close(TAKE_FD(fd));
		for (size_t i = 0; i < ARRAY_SIZE(forwarded); i++)
			if (signal == forwarded[i])
				kill(child, signal);
	}
	if (fd >= 0)
		close(fd);
	return exit_code_of(status);
}

int ctl_command_run(struct ctl *ctl, int fd, uint64_t until_usec, char **argv)
{
	sigset_t mask;
	pid_t child;

	block_signals(&mask);
	child = fork();
	if (child < 0)
		return ctl_fail(ctl, CTL_EXIT_FAILURE, "fork-failed",
				"can't start %s: %s", argv[0], strerror(errno));
	if (child == 0)
		run_command(argv, &mask);
	return wait_for(child, fd, until_usec);
}
