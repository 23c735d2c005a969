/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CTL_COMMAND_H
#define CTL_COMMAND_H

#include "ctl.h"

/*
 * Run @argv and leave as it does. @fd is closed when it ends, or at @until_usec
 * (CLOCK_MONOTONIC, USEC_INFINITY for not before), and is not handed to it; -1 is none.
 * @what: said when its other end goes before that: the command runs on, and what was
 *	promised to it does not hold any more
 */
int ctl_command_run(struct ctl *ctl, int fd, uint64_t until_usec, const char *what,
		    char **argv);

#endif
