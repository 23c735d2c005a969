/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CTL_TEXT_H
#define CTL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Columns that printable text takes on a terminal. */
size_t text_get_width(const char *text);

/*
 * Break text at spaces so that no line is wider than @width where its words allow;
 * newlines in it stay. A word that is wider by itself is cut. Return: newly allocated,
 * free() it; NULL when memory ran out.
 */
char *text_wrap(const char *text, size_t width);

/* Digits and nothing else, at most @max. */
bool text_parse_number(const char *text, uint64_t max, uint64_t *ret);

#define TEXT_TIME_BYTES 32
/* Microseconds of CLOCK_REALTIME as local time, "2026-11-24 19:05:00"; "?" for what is
 * none. @ret: TEXT_TIME_BYTES. */
const char *text_format_time(uint64_t usec, char *ret);

/*
 * Each line of @text wrapped at @width, what does not fit below the column @indent, which
 * is that of the line's own text. free() it; NULL when out of memory.
 */
char *text_wrap_lines(const char *text, size_t width, size_t indent);

#endif
