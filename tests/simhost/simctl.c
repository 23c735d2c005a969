// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * simctl ROOT COMMAND...: one command for the simhost at ROOT. "-" in place of a command
 * reads them from standard input, one a line. Exit status 0 when the host took them all.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "simhost-client.h"
#include "util.h"

static bool run(int host, const char *line)
{
	_cleanup_(cleanup_free)
	char *answer = NULL;
	int error = simhost_client_ask(host, line, &answer);

	if (error)
		fprintf(stderr, "simctl: %s: %s\n", line,
			answer ? answer : strerror(-error));
	else
		fputs(answer, stdout);

	return !error;
}

static bool run_lines(int host)
{
	_cleanup_(cleanup_free)
	char *line = NULL;
	size_t size = 0;
	bool is_good = true;

	while (getline(&line, &size, stdin) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (*line && *line != '#')
			is_good &= run(host, line);
		fflush(stdout);
	}

	return is_good;
}

static bool run_words(int host, char **words)
{
	_cleanup_(cleanup_free)
	char *line = NULL;
	size_t bytes = 0;
	FILE *text = open_memstream(&line, &bytes);

	for (; text && *words; words++)
		fprintf(text, "%s%s", *words, words[1] ? " " : "");
	if (!text || fclose(text))
		return false;

	return run(host, line);
}

int main(int argc, char **argv)
{
	_cleanup_(cleanup_close)
	int host = -1;

	if (argc < 3) {
		fputs("usage: simctl ROOT COMMAND... | simctl ROOT -\n", stderr);
		return 2;
	}
	host = simhost_client_connect(argv[1]);
	if (host < 0) {
		fprintf(stderr, "simctl: no simhost at %s: %s\n", argv[1],
			strerror(-host));
		return 1;
	}
	if (strcmp(argv[2], "-") == 0)
		return run_lines(host) ? 0 : 1;

	return run_words(host, argv + 2) ? 0 : 1;
}
