// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Text that fits a terminal, and that came from one. Knows nothing of tables.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

#include "ctl-text.h"
#include "duration.h"

/*
 * The character at @text: its bytes, at least 1, and its columns. A byte that is no
 * character in this locale counts as one column: what we print has been made printable,
 * so this is UTF-8 in the C locale, and too much room is better than too little.
 */
static size_t next_character(const char *text, size_t *ret_width)
{
	mbstate_t state = { 0 };
	wchar_t character;
	size_t bytes = mbrtowc(&character, text, MB_CUR_MAX, &state);
	int width;

	if (bytes == 0 || bytes == (size_t)-1 || bytes == (size_t)-2) {
		*ret_width = 1;
		return 1;
	}
	width = wcwidth(character);
	*ret_width = width < 0 ? 1 : (size_t)width;
	return bytes;
}

size_t text_get_width(const char *text)
{
	size_t total = 0;

	while (*text) {
		size_t width;

		text += next_character(text, &width);
		total += width;
	}
	return total;
}

/* The bytes of @text that make one line, without what is dropped at the break. */
static size_t measure_line(const char *text, size_t limit)
{
	size_t used = 0, bytes = 0, last_space = 0;

	while (text[bytes] && text[bytes] != '\n') {
		size_t width;
		size_t length = next_character(text + bytes, &width);

		if (used + width > limit && bytes > 0) {
			if (text[bytes] == ' ')
				return bytes;
			return last_space ? last_space : bytes;
		}
		if (text[bytes] == ' ')
			last_space = bytes;
		used += width;
		bytes += length;
	}
	return bytes;
}

char *text_wrap(const char *text, size_t width)
{
	/* At worst a newline after each byte. */
	char *wrapped = malloc(2 * strlen(text) + 1);
	char *end = wrapped;

	if (!wrapped)
		return NULL;
	if (width == 0)
		width = 1;
	while (*text) {
		size_t bytes = measure_line(text, width);

		memcpy(end, text, bytes);
		end += bytes;
		text += bytes;
		while (*text && *text != '\n' && end > wrapped && end[-1] == ' ')
			end--;
		if (*text == '\n') {
			*end++ = *text++;
		} else if (*text) {
			*end++ = '\n';
			while (*text == ' ')
				text++;
		}
	}
	*end = '\0';
	return wrapped;
}

bool text_parse_number(const char *text, uint64_t max, uint64_t *ret)
{
	unsigned long long number;

	if (!*text || strspn(text, "0123456789") != strlen(text))
		return false;
	errno = 0;
	number = strtoull(text, NULL, 10);
	if (errno || number > max)
		return false;
	*ret = number;
	return true;
}

const char *text_format_time(uint64_t usec, char *ret)
{
	time_t seconds = (time_t)(usec / USEC_PER_SEC);
	struct tm tm;

	if (!localtime_r(&seconds, &tm) ||
	    strftime(ret, TEXT_TIME_BYTES, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		return "?";
	return ret;
}
