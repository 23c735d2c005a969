/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SIMHOST_TRACING_FILES_H
#define SIMHOST_TRACING_FILES_H

#include "files.h"

/* The files of tracefs, of kprobes in debugfs, and what switches ftrace off; sorted. */
extern const struct file tracing_files[];
extern const size_t tracing_file_count;

#endif
