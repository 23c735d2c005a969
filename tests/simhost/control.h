/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CONTROL_H
#define CONTROL_H

#include <stddef.h>

#include "host.h"

#define CONTROL_ANSWER_BYTES (64 * 1024)

/*
 * One command, of the host (control.c) or of the machine (kernel/tdx-model-command.c).
 * @ret: answer lines, the last one "ok" or "error NAME text". Takes the lock.
 */
void control_run(struct host *host, const char *line, char *ret, size_t size);

#endif
