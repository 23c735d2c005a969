/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SIMHOST_CLIENT_H
#define SIMHOST_CLIENT_H

/*
 * The control socket of a simhost. Commands are those of tests/simhost/control.c and
 * kernel/tdx-model-command.c.
 */

/* A descriptor, or -errno. */
int simhost_client_connect(const char *root);
/*
 * One command. @ret_answer: newly allocated lines without the closing "ok"; after -EBADE
 * the host's own "NAME text". Return: 0; -EBADE the host says no; -EPIPE it went away.
 */
int simhost_client_ask(int fd, const char *line, char **ret_answer);

#endif
