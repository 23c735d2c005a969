/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CTL_REASONS_H
#define CTL_REASONS_H

#include "ctl.h"
#include "failure.h"

/* What a D-Bus error or a refused plan means for our caller. */
enum ctl_exit ctl_exit_from_failure(enum failure failure);

/* A few words: the title of the gravest of an array of verdicts, and how many more. */
char *ctl_reasons_summarize(struct json_object *verdicts);
/* Sentences of all verdicts, one a line, the gravest first. @prefix: of each line. Both
 * return newly allocated text, NULL when memory ran out. */
char *ctl_reasons_join(struct json_object *verdicts, const char *prefix);

#endif
