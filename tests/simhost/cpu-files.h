/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CPU_FILES_H
#define CPU_FILES_H

#include <stdio.h>

#include "host.h"

/* What these files of a host say; each returns 0. */
int cpu_show_info(struct host *host, FILE *text);
int cpu_show_online(struct host *host, FILE *text);
int cpu_show_offline(struct host *host, FILE *text);
int cpu_show_present(struct host *host, FILE *text);
int cpu_show_possible(struct host *host, FILE *text);
int cpu_show_controllers(struct host *host, FILE *text);

#endif
