// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Run a command with its output thrown away and print what it took:
 * milliseconds of wall clock, of processor time, and KiB of memory at its peak.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double to_msec(const struct timeval *time)
{
	return (double)time->tv_sec * 1e3 + (double)time->tv_usec / 1e3;
}

static double now_msec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static _Noreturn void run(char **argv)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0)
		err(126, "/dev/null");
	execvp(argv[0], argv);
	err(127, "%s", argv[0]);
}

int main(int argc, char **argv)
{
	double start = now_msec();
	struct rusage usage;
	pid_t pid;
	int status;

	if (argc < 2)
		errx(2, "usage: measure COMMAND...");
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (pid == 0)
		run(argv + 1);
	if (wait4(pid, &status, 0, &usage) != pid)
		err(1, "wait4");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		errx(1, "%s: status %#x", argv[1], (unsigned)status);
	printf("%.0f %.0f %ld\n", now_msec() - start,
	       to_msec(&usage.ru_utime) + to_msec(&usage.ru_stime), usage.ru_maxrss);
	return 0;
}
