/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CTL_DIRECT_H
#define CTL_DIRECT_H

#include "ctl.h"

/* Update without a daemon. @target: "" for the configured one. Returns the exit code that
 * the job deserves, and has said everything. */
int ctl_direct_update(struct ctl *ctl, const char *target);

#endif
