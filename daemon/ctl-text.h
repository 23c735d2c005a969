/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CTL_TEXT_H
#define CTL_TEXT_H

#include <stddef.h>

/* Columns that printable text takes on a terminal. */
size_t text_get_width(const char *text);

/*
 * Break text at spaces so that no line is wider than @width where its words allow;
 * newlines in it stay. A word that is wider by itself is cut. Return: newly allocated,
 * free() it; NULL when memory ran out.
 */
char *text_wrap(const char *text, size_t width);

#endif
