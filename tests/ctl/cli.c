// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli.h"

#include <fcntl.h>
#include <grp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <json-c/json_tokener.h>

#include "util.h"

#define ARGS_MAX 24
/* For what takes milliseconds: longer than any load makes it. */
#define PATIENCE_SEC 120

static const char *program(void)
{
	const char *path = getenv("TDXUPD_CTL");

	return path ? path : "";
}

bool cli_is_possible(void)
{
	if (access(program(), X_OK) == 0)
		return true;
	printf("SKIPPED: TDXUPD_CTL names no program (run it with meson test)\n");
	return false;
}

static uid_t user;

void cli_set_user(uid_t uid)
{
	user = uid;
}

static void become_user(void)
{
	if (user &&
	    (setgroups(0, NULL) < 0 || setgid((gid_t)user) < 0 || setuid(user) < 0))
		_exit(126);
}

static _Noreturn void exec_program(char **argv, int out, int err)
{
	/* The build may be where only root gets: found first, run then. */
	int program_fd = open(argv[0], O_PATH | O_CLOEXEC);

	become_user();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(PATIENCE_SEC);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	unsetenv("COLUMNS");
	setenv("LC_ALL", "C.UTF-8", 1);
	execveat(program_fd, "", argv, environ, AT_EMPTY_PATH);
	_exit(127);
}

static char *read_back(int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);
	char *text = malloc((size_t)size + 1);

	assert_non_null(text);
	assert_int_equal(pread(fd, text, (size_t)size, 0), size);
	text[size] = '\0';
	return text;
}

static void start(struct cli *ret, const char *root, va_list args)
{
	char *argv[ARGS_MAX + 1] = { (char *)(uintptr_t)program() };
	size_t count = 1;

	if (root) {
		argv[count++] = (char *)(uintptr_t) "--root";
		argv[count++] = (char *)(uintptr_t)root;
	}
	while (count < ARGS_MAX && (argv[count] = va_arg(args, char *)))
		count++;
	argv[count] = NULL;
	*ret = (struct cli){ .out_fd = memfd_create("out", MFD_CLOEXEC),
			     .err_fd = memfd_create("err", MFD_CLOEXEC) };
	assert_true(ret->out_fd >= 0 && ret->err_fd >= 0);
	ret->pid = fork();
	assert_true(ret->pid >= 0);
	if (ret->pid == 0)
		exec_program(argv, ret->out_fd, ret->err_fd);
}

void cli_start(struct cli *ret, const char *root, ...)
{
	va_list args;

	va_start(args, root);
	start(ret, root, args);
	va_end(args);
}

void cli_finish(struct cli *cli)
{
	int status;

	assert_int_equal(waitpid(cli->pid, &status, 0), cli->pid);
	cli->out = read_back(cli->out_fd);
	cli->err = read_back(cli->err_fd);
	close(cli->out_fd);
	close(cli->err_fd);
	if (!WIFEXITED(status))
		fail_msg("tdxupdctl ended by signal %d: %s", WTERMSIG(status), cli->err);
	cli->code = WEXITSTATUS(status);
}

void cli_run(struct cli *ret, const char *root, ...)
{
	va_list args;

	va_start(args, root);
	start(ret, root, args);
	va_end(args);
	cli_finish(ret);
}

void cli_await(const struct cli *cli, const char *text)
{
	for (unsigned i = 0; i < 100 * PATIENCE_SEC; i++) {
		char *out = read_back(cli->out_fd);
		bool is_there = strstr(out, text);

		free(out);
		if (is_there)
			return;
		usleep(10000);
	}
	fail_msg("no \"%s\" within %d s", text, PATIENCE_SEC);
}

void cli_done(struct cli *cli)
{
	free(cli->out);
	free(cli->err);
}

struct json_object *cli_parse(const struct cli *cli)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *value;
	const char *rest;

	assert_non_null(tokener);
	value = json_tokener_parse_ex(tokener, cli->out, (int)strlen(cli->out));
	if (!value)
		fail_msg("no JSON: %s%s", cli->out, cli->err);
	rest = cli->out + json_tokener_get_parse_end(tokener);
	assert_string_equal(rest + strspn(rest, "\n"), "");
	json_tokener_free(tokener);
	return value;
}
