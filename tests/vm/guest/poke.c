// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * One system call at a time on the files of sysfs, and the errno by its name: what shell
 * redirections hide. With one of the kernel's allocations failing, where it can do that.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* This task's fail-nth, once it counts. */
static int nth_fd = -1;

/* What fails is to be the call's: a page of this program that is not there yet makes an
 * EFAULT of it. */
static int arm(const char *nth)
{
	if (mlockall(MCL_CURRENT | MCL_FUTURE) < 0)
		return -1;
	nth_fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	return nth_fd < 0 || pwrite(nth_fd, nth, strlen(nth), 0) < 0 ? -1 : 0;
}

/* Before anything is printed, which may take memory too. */
static void disarm(void)
{
	char left[16] = "";
	int error = errno;

	if (nth_fd < 0)
		return;

	if (pread(nth_fd, left, sizeof(left) - 1, 0) < 0 || pwrite(nth_fd, "0", 1, 0) < 0)
		abort();
	nth_fd = -1;
	printf("%s ", atoi(left) ? "spared" : "hit");
	errno = error;
}

static int answer(ssize_t got)
{
	disarm();
	if (got < 0) {
		printf("%s\n", strerrorname_np(errno));
		return 1;
	}

	printf("%zd\n", got);
	return 0;
}

/* write PATH OFFSET TEXT: one write; how much went, or the errno */
static int do_write(char **argv)
{
	int fd = open(argv[0], O_WRONLY | O_CLOEXEC);
	ssize_t got;

	if (fd < 0)
		return answer(-1);

	got = pwrite(fd, argv[2], strlen(argv[2]), atoll(argv[1]));
	/* A file of debugfs has no offsets. */
	if (got < 0 && errno == ESPIPE)
		got = write(fd, argv[2], strlen(argv[2]));
	return answer(got);
}

static ssize_t read_all(int fd, char *buffer, size_t size)
{
	size_t length = 0;
	ssize_t got;

	while (length < size && (got = read(fd, buffer + length, size - length)) > 0)
		length += (size_t)got;

	return length;
}

/* copy FILE PATH [OFFSET [CHUNK]]: all of FILE, a write of CHUNK bytes at a time; stops
 * at the first that fails */
static int do_copy(char **argv)
{
	static char buffer[4 << 20];
	long long offset = argv[2] ? atoll(argv[2]) : 0;
	size_t chunk = argv[2] && argv[3] ? (size_t)atoll(argv[3]) : sizeof(buffer);
	int from = open(argv[0], O_RDONLY | O_CLOEXEC);
	int to = open(argv[1], O_WRONLY | O_CLOEXEC);
	ssize_t size, done = 0, got;

	if (from < 0 || to < 0)
		return answer(-1);

	size = read_all(from, buffer, sizeof(buffer));
	while (done < size) {
		size_t want =
			(size_t)(size - done) < chunk ? (size_t)(size - done) : chunk;

		got = pwrite(to, buffer + done, want, offset + done);
		if (got <= 0)
			return answer(-1);
		done += got;
	}

	return answer(done);
}

/* read PATH: its text, or the errno */
static int do_read(char **argv)
{
	char buffer[65536];
	int fd = open(argv[0], O_RDONLY | O_CLOEXEC);
	ssize_t got;

	if (fd < 0)
		return answer(-1);
	got = read(fd, buffer, sizeof(buffer));
	if (got < 0)
		return answer(-1);

	disarm();
	fwrite(buffer, 1, (size_t)got, stdout);
	return 0;
}

/* load FILE PARAMETERS: a module */
static int do_load(char **argv)
{
	int fd = open(argv[0], O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return answer(-1);

	return answer(syscall(SYS_finit_module, fd, argv[1], 0));
}

/* poll PATH COUNT: its text, and again after each of COUNT notifications */
static int do_poll(char **argv)
{
	struct pollfd pollfd = { .events = POLLPRI };
	int count = atoi(argv[1]);
	char buffer[4096];
	ssize_t got;

	pollfd.fd = open(argv[0], O_RDONLY | O_CLOEXEC);
	if (pollfd.fd < 0)
		return answer(-1);

	for (;;) {
		got = pread(pollfd.fd, buffer, sizeof(buffer), 0);
		if (got < 0)
			return answer(-1);
		fwrite(buffer, 1, (size_t)got, stdout);
		fflush(stdout);
		if (!count--)
			return 0;
		do {
			if (poll(&pollfd, 1, -1) < 0)
				return answer(-1);
		} while (!(pollfd.revents & POLLPRI));
	}
}

int main(int argc, char **argv)
{
	/* nth N COMMAND...: with the N-th allocation for it failing; the answer begins
	 * with "hit", or "spared" where there were not that many */
	if (argc > 3 && !strcmp(argv[1], "nth")) {
		if (arm(argv[2]))
			return 2;
		argc -= 2;
		argv += 2;
	}

	if (argc == 5 && !strcmp(argv[1], "write"))
		return do_write(argv + 2);
	if (argc >= 4 && argc <= 6 && !strcmp(argv[1], "copy"))
		return do_copy(argv + 2);
	if (argc == 3 && !strcmp(argv[1], "read"))
		return do_read(argv + 2);
	if (argc == 4 && !strcmp(argv[1], "poll"))
		return do_poll(argv + 2);
	if (argc == 4 && !strcmp(argv[1], "load"))
		return do_load(argv + 2);

	fputs("usage: poke [nth N] write PATH OFFSET TEXT | copy FILE PATH [OFFSET "
	      "[CHUNK]] |\n"
	      "       read PATH | poll PATH COUNT | load FILE PARAMETERS\n",
	      stderr);
	return 2;
}
