// SPDX-License-Identifier: LGPL-2.1-or-later
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "simhost-client.h"
#include "util.h"

#define COMMANDS_MAX 32

/* Set by tests/meson.build. */
static const char *simhost_path(void)
{
	return getenv("TDXUPD_SIMHOST");
}

bool world_is_possible(void)
{
	const char *why = NULL;

	if (!simhost_path() || access(simhost_path(), X_OK))
		why = "TDXUPD_SIMHOST names no program (run it with meson test)";
	else if (geteuid() != 0)
		why = "mounting a simulated host takes root";
	else if (access("/dev/fuse", R_OK | W_OK))
		why = "there is no /dev/fuse";
	if (why)
		printf("SKIPPED: %s\n", why);

	return !why;
}

static void exec_simhost(const struct world *world, const char *lps, int notify_fd,
			 char **commands)
{
	char *argv[8 + 2 * COMMANDS_MAX], fd[16], command[] = "--command";
	size_t count = 0;

	snprintf(fd, sizeof(fd), "%d", notify_fd);
	fcntl(notify_fd, F_SETFD, 0);
	argv[count++] = (char *)(uintptr_t)simhost_path();
	argv[count++] = (char[]){ "--die-with-parent" };
	argv[count++] = (char[]){ "--lps" };
	argv[count++] = (char *)(uintptr_t)lps;
	argv[count++] = (char[]){ "--notify-fd" };
	argv[count++] = fd;
	for (; *commands; commands++) {
		argv[count++] = command;
		argv[count++] = *commands;
	}
	argv[count++] = (char *)(uintptr_t)world->tree.path;
	argv[count] = NULL;
	execv(argv[0], argv);
	_exit(127);
}

static void start(struct world *world, unsigned lp_count, va_list args)
{
	char *commands[COMMANDS_MAX + 1], lps[16], byte;
	size_t count = 0;
	int ready[2];

	while (count < COMMANDS_MAX && (commands[count] = va_arg(args, char *)))
		count++;
	commands[count] = NULL;

	snprintf(lps, sizeof(lps), "%u", lp_count);
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	world->simhost = fork();
	assert_int_not_equal(world->simhost, -1);
	if (!world->simhost)
		exec_simhost(world, lps, ready[1], commands);

	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		fail_msg("simhost did not start; what it said is above");
	close(ready[0]);
	world->control = simhost_client_connect(world->tree.path);
	assert_true(world->control >= 0);
}

void world_start(struct world *ret, unsigned lp_count, ...)
{
	va_list args;

	tree_new(&ret->tree);
	va_start(args, lp_count);
	start(ret, lp_count, args);
	va_end(args);
}

void world_start_at(struct world *world, unsigned lp_count, ...)
{
	va_list args;

	va_start(args, lp_count);
	start(world, lp_count, args);
	va_end(args);
}

void world_stop(struct world *world)
{
	int status;

	close(world->control);
	kill(world->simhost, SIGTERM);
	assert_int_equal(waitpid(world->simhost, &status, 0), world->simhost);
	assert_int_equal(status, 0);
	tree_remove(&world->tree);
}

static char *ask(struct world *world, const char *line, int expected)
{
	char *answer = NULL;
	int error = simhost_client_ask(world->control, line, &answer);

	if (error != expected)
		fail_msg("%s: %s", line, answer ? answer : strerror(-error));

	return answer;
}

__attribute__((format(printf, 2, 0))) static char *
ask_format(struct world *world, const char *format, va_list args)
{
	_cleanup_(cleanup_free)
	char *line = NULL;

	assert_true(vasprintf(&line, format, args) >= 0);
	return ask(world, line, 0);
}

void world_do(struct world *world, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	free(ask_format(world, format, args));
	va_end(args);
}

char *world_ask(struct world *world, const char *format, ...)
{
	va_list args;
	char *answer;

	va_start(args, format);
	answer = ask_format(world, format, args);
	va_end(args);

	return answer;
}

void world_refuse(struct world *world, const char *name, const char *command)
{
	_cleanup_(cleanup_free)
	char *answer = ask(world, command, -EBADE);

	if (strncmp(answer, name, strlen(name)) != 0)
		fail_msg("%s: %s instead of %s", command, answer, name);
}

int world_read(const struct world *world, const char *path, char **ret)
{
	_cleanup_(cleanup_close)
	int fd = openat(world->tree.fd, path, O_RDONLY | O_CLOEXEC);
	_cleanup_(cleanup_free)
	char *text = NULL;
	size_t size = 0;
	ssize_t length;

	if (fd < 0)
		return -errno;
	do {
		char *more = realloc(text, size + 4096 + 1);

		if (!more)
			return -ENOMEM;
		text = more;
		length = read(fd, text + size, 4096);
		if (length < 0)
			return -errno;
		size += (size_t)length;
	} while (length);

	text[size] = '\0';
	*ret = TAKE_PTR(text);
	return 0;
}

int world_write_bytes(const struct world *world, const char *path, const void *bytes,
		      size_t count)
{
	_cleanup_(cleanup_close)
	int fd = openat(world->tree.fd, path, O_WRONLY | O_CLOEXEC);
	const uint8_t *at = bytes;

	if (fd < 0)
		return -errno;
	while (count) {
		ssize_t length = write(fd, at, count);

		if (length < 0)
			return -errno;
		at += length;
		count -= (size_t)length;
	}

	return 0;
}

int world_write(const struct world *world, const char *path, const char *text)
{
	return world_write_bytes(world, path, text, strlen(text));
}

void world_assert_reads(const struct world *world, const char *path, const char *text)
{
	_cleanup_(cleanup_free)
	char *found = NULL;
	int error = world_read(world, path, &found);

	if (error)
		fail_msg("%s: %s", path, strerror(-error));
	assert_string_equal(found, text);
}

void world_upload(struct world *world, const void *bytes, size_t count)
{
	assert_int_equal(world_write(world, WORLD_UPLOAD "loading", "1\n"), 0);
	assert_int_equal(world_write_bytes(world, WORLD_UPLOAD "data", bytes, count), 0);
	assert_int_equal(world_write(world, WORLD_UPLOAD "loading", "0\n"), 0);
	world_wait(world, "upload idle");
}

void world_assert_mrtd(struct world *world, const char *td, bool is_right)
{
	_cleanup_(cleanup_free)
	char *answer = world_ask(world, "td mrtd %s", td);
	const char *verdict = strstr(answer, is_right ? "\nright\n" : "\nwrong\n");

	if (!verdict)
		fail_msg("MRTD of %s: %s", td, answer);
}

void world_put_image(const struct world *world, const char *name, const void *bytes,
		     size_t count)
{
	_cleanup_(cleanup_free)
	char *path = NULL;

	assert_true(asprintf(&path, WORLD_IMAGES "/%s", name) >= 0);
	tree_put_bytes(&world->tree, path, bytes, count);
}
