// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli.h"

#include <fcntl.h>
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

#define ARGS_MAX     24
#define PATIENCE_SEC 30

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

static _Noreturn void exec_program(char **argv, int out, int err)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(PATIENCE_SEC);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	unsetenv("COLUMNS");
	setenv("LC_ALL", "C.UTF-8", 1);
	execv(argv[0], argv);
	_exit(127);
}

static char *read_back(int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);
	char *text = malloc((size_t)size + 1);

	assert_non_null(text);
	assert_int_equal(pread(fd, text, (size_t)size, 0), size);
	text[size] = '\0';
	close(fd);
	return text;
}

static void run(struct cli *ret, char **argv)
{
	int out = memfd_create("out", MFD_CLOEXEC);
	int err = memfd_create("err", MFD_CLOEXEC);
	pid_t pid = fork();
	int status;

	assert_true(out >= 0 && err >= 0 && pid >= 0);
	if (pid == 0)
		exec_program(argv, out, err);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	ret->out = read_back(out);
	ret->err = read_back(err);
	if (!WIFEXITED(status))
		fail_msg("tdxupdctl ended by signal %d: %s", WTERMSIG(status), ret->err);
	ret->code = WEXITSTATUS(status);
}

void cli_run(struct cli *ret, const char *root, ...)
{
	char *argv[ARGS_MAX + 1] = { (char *)(uintptr_t)program() };
	size_t count = 1;
	va_list args;

	if (root) {
		argv[count++] = (char *)(uintptr_t) "--root";
		argv[count++] = (char *)(uintptr_t)root;
	}
	va_start(args, root);
	while (count < ARGS_MAX && (argv[count] = va_arg(args, char *)))
		count++;
	va_end(args);
	argv[count] = NULL;
	run(ret, argv);
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
