// SPDX-License-Identifier: LGPL-2.1-or-later
/* Bytes that grow at their end, and one answer for all of them: is everything there? */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "buffer.h"

#define BYTES_FIRST 256

/* Room for @count more bytes and a NUL. */
static bool grow(struct buffer *buffer, size_t count)
{
	size_t size = buffer->size ? buffer->size : BYTES_FIRST;
	uint8_t *bytes;

	if (buffer->is_short || count >= SIZE_MAX / 4 - buffer->count)
		return false;
	while (size < buffer->count + count + 1)
		size *= 2;
	if (size == buffer->size)
		return true;
	bytes = realloc(buffer->bytes, size);
	if (!bytes)
		return false;
	buffer->bytes = bytes;
	buffer->size = size;
	return true;
}

void buffer_put(struct buffer *buffer, const void *bytes, size_t count)
{
	if (!grow(buffer, count)) {
		buffer->is_short = true;
		return;
	}
	if (count)
		memcpy(buffer->bytes + buffer->count, bytes, count);
	buffer->count += count;
}

void buffer_print(struct buffer *buffer, const char *format, ...)
{
	va_list args, again;
	int n;

	va_start(args, format);
	va_copy(again, args);
	n = vsnprintf(NULL, 0, format, args);
	if (n >= 0 && grow(buffer, (size_t)n)) {
		(void)vsnprintf((char *)buffer->bytes + buffer->count, (size_t)n + 1,
				format, again);
		buffer->count += (size_t)n;
	} else {
		buffer->is_short = true;
	}
	va_end(again);
	va_end(args);
}

int buffer_take(struct buffer *buffer, char **ret, size_t *ret_count)
{
	if (!grow(buffer, 0)) {
		buffer_done(buffer);
		return -ENOMEM;
	}
	buffer->bytes[buffer->count] = '\0';
	*ret = (char *)buffer->bytes;
	if (ret_count)
		*ret_count = buffer->count;
	*buffer = (struct buffer){ 0 };
	return 0;
}

void buffer_done(struct buffer *buffer)
{
	free(buffer->bytes);
	*buffer = (struct buffer){ 0 };
}
