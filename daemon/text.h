/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TEXT_H
#define TEXT_H

#include "util.h"

/* Newly allocated text; NULL when memory ran out. */
char *text_new(const char *format, ...) _printf_(1, 2);

#endif
