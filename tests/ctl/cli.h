/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_H
#define CLI_H

#include <stdbool.h>
#include <sys/types.h>

#include <json-c/json_object.h>

#include "ctl.h"

/* What a run of tdxupdctl left: its exit code and what it printed. */
struct cli {
	int code;
	char *out;
	char *err;

	/* while it runs */
	pid_t pid;
	int out_fd;
	int err_fd;
};

/* Prints why not: the program is not where meson says. */
bool cli_is_possible(void);

/* Run tdxupdctl with these arguments, up to NULL; below @root where that is not NULL. A
 * run that takes longer than 30 s fails the test. */
void cli_run(struct cli *ret, const char *root, ...) __attribute__((sentinel));
/* The same in two parts. */
void cli_start(struct cli *ret, const char *root, ...) __attribute__((sentinel));
void cli_finish(struct cli *cli);
void cli_done(struct cli *cli);
/* Both beside the daemon of a struct scene. */
#define CLI_RUN(cli, scene, ...)                                                  \
	cli_run(cli, (scene)->world.tree.path, "--bus-address", (scene)->address, \
		__VA_ARGS__, NULL)
#define CLI_START(cli, scene, ...)                                                  \
	cli_start(cli, (scene)->world.tree.path, "--bus-address", (scene)->address, \
		  __VA_ARGS__, NULL)
/* Until it has printed @text, for at most 10 s. */
void cli_await(const struct cli *cli, const char *text);

/* Those that are started from now on are this user's, and nobody's group. */
void cli_set_user(uid_t uid);

/* The one JSON value that was printed; fails the test where there is another number. */
struct json_object *cli_parse(const struct cli *cli);

#endif
