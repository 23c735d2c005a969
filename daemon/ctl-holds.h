/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CTL_HOLDS_H
#define CTL_HOLDS_H

#include "ctl.h"

/* Say @text to people, {changed} to programs. Return: an exit code. */
int ctl_holds_say_changed(struct ctl *ctl, bool has_changed, const char *text);

#endif
