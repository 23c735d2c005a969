// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Text that fits a terminal, and that came from one. Knows nothing of tables.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

#include "ctl-text.h"
#include "duration.h"
#include "util.h"

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

/* One line: its head stays, its text is wrapped beside it. */
static int print_line(FILE *out, const char *line, size_t width, size_t indent)
{
	_cleanup_(cleanup_free)
	char *wrapped = NULL;
	size_t head = strnlen(line, indent);

	if (text_get_width(line) <= width)
		return fputs(line, out) < 0 ? -1 : 0;
	wrapped = text_wrap(line + head, width > indent ? width - indent : 1);
	if (!wrapped)
		return -1;
	fprintf(out, "%.*s", (int)head, line);
	for (const char *p = wrapped; *p; p++) {
		fputc(*p, out);
		if (*p == '\n')
			fprintf(out, "%*s", (int)indent, "");
	}
	return 0;
}

char *text_wrap_lines(const char *text, size_t width, size_t indent)
{
	_cleanup_(cleanup_free)
	char *lines = strdup(text);
	char *wrapped = NULL, *line = lines;
	size_t size;
	FILE *out = lines ? open_memstream(&wrapped, &size) : NULL;
	int r = out ? 0 : -1;

	while (r == 0) {
		char *end = strchr(line, '\n');

		if (end)
			*end = '\0';
		r = print_line(out, line, width, indent);
		if (!end)
			break;
		fputc('\n', out);
		line = end + 1;
	}
	if (out && fclose(out) == EOF)
		r = -1;
	if (r < 0) {
		free(wrapped);
		return NULL;
	}
	return wrapped;
}
