/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BUFFER_H
#define BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util.h"

/*
 * Bytes that grow at their end. Not open_memstream(): glibc's drops what it finds no
 * memory for and says nothing of it, also to ferror().
 * @is_short: something is missing; stays set
 */
struct buffer {
	uint8_t *bytes;
	size_t count;
	size_t size;
	bool is_short;
};

void buffer_put(struct buffer *buffer, const void *bytes, size_t count);
void buffer_print(struct buffer *buffer, const char *format, ...) _printf_(2, 3);
/* All of it, with a NUL behind it that is not counted; @ret_count may be NULL. The buffer
 * is empty afterwards. Return: 0; -ENOMEM something is missing. */
int buffer_take(struct buffer *buffer, char **ret, size_t *ret_count);
void buffer_done(struct buffer *buffer);

#endif
