// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Small things that every stage needs: names of enums, printable text, the debug log.
 * Knows nothing of TDX.
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "tdxupd.h"
#include "util.h"

static tdxupd_log_fn log_fn;
static void *log_userdata;

const char *string_table_lookup(const char *const *table, size_t count, int value)
{
	if (value < 0 || (size_t)value >= count)
		return NULL;
	return table[value];
}

int string_table_find(const char *const *table, size_t count, const char *text)
{
	if (!text)
		return -EINVAL;
	for (size_t i = 0; i < count; i++)
		if (table[i] && strcmp(table[i], text) == 0)
			return (int)i;
	return -EINVAL;
}

/* Bytes of the well-formed UTF-8 character at p (Unicode table 3-7), 0 where there is
 * none. */
static size_t utf8_length(const unsigned char *p)
{
	size_t length;
	unsigned char low = 0x80, high = 0xbf;

	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		length = 2;
	else if (p[0] >= 0xe0 && p[0] <= 0xef)
		length = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		length = 4;
	else
		return 0;
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	if (p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++)
		if (p[i] < 0x80 || p[i] > 0xbf)
			return 0;
	return length;
}

/* The code point of a well-formed character. */
static uint32_t utf8_decode(const unsigned char *p, size_t length)
{
	static const unsigned char masks[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t code = p[0] & masks[length];

	for (size_t i = 1; i < length; i++)
		code = code << 6 | (p[i] & 0x3f);
	return code;
}

/*
 * What a terminal would act upon, and what it shows in another order or not at all, so
 * that two names look like one: Unicode's Bidi_Control and Default_Ignorable_Code_Point,
 * line ends, and marks that annotate.
 */
static bool is_control(uint32_t code)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
		{ 0x0000, 0x001f },   /* C0 */
		{ 0x007f, 0x009f },   /* DEL, C1 */
		{ 0x00ad, 0x00ad },   /* soft hyphen */
		{ 0x034f, 0x034f },   /* combining grapheme joiner */
		{ 0x061c, 0x061c },   /* Arabic letter mark */
		{ 0x115f, 0x1160 },   /* Hangul fillers */
		{ 0x17b4, 0x17b5 },   /* Khmer inherent vowels */
		{ 0x180b, 0x180f },   /* Mongolian selectors */
		{ 0x200b, 0x200f },   /* zero width, and writing direction */
		{ 0x2028, 0x202e },   /* line ends, embeddings, overrides */
		{ 0x2060, 0x206f },   /* joiners, isolates, invisible operators */
		{ 0x3164, 0x3164 },   /* Hangul filler */
		{ 0xfe00, 0xfe0f },   /* variation selectors */
		{ 0xfeff, 0xfeff },   /* zero width no-break space */
		{ 0xffa0, 0xffa0 },   /* halfwidth Hangul filler */
		{ 0xfff0, 0xfffb },   /* specials, interlinear annotation */
		{ 0x1bca0, 0x1bca3 }, /* shorthand format controls */
		{ 0x1d173, 0x1d17a }, /* musical format controls */
		{ 0xe0000, 0xe0fff }, /* tags, more variation selectors */
	};

	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
		if (code >= ranges[i].first && code <= ranges[i].last)
			return true;
	return false;
}

void text_make_printable(char *ret, size_t size, const char *text)
{
	const unsigned char *p = (const unsigned char *)(text ? text : "");
	size_t used = 0;

	if (!size)
		return;
	while (*p) {
		size_t length = utf8_length(p);
		bool is_bad = length == 0 || is_control(utf8_decode(p, length));
		size_t out = is_bad ? 1 : length;

		if (used + out >= size)
			break;
		if (is_bad)
			ret[used] = '?';
		else
			memcpy(ret + used, p, length);
		used += out;
		p += length ? length : 1;
	}
	ret[used] = '\0';
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int bytes_parse(const char *hex, uint8_t *ret, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int high = hex_value(hex[2 * i]);
		int low = high < 0 ? -1 : hex_value(hex[2 * i + 1]);

		if (low < 0)
			return -EBADMSG;
		ret[i] = (uint8_t)(high << 4 | low);
	}
	return hex[2 * count] ? -EBADMSG : 0;
}

const char *bytes_format(const uint8_t *bytes, size_t count, char *ret)
{
	static const char digits[] = "0123456789abcdef";
	char *p = ret;

	for (size_t i = 0; i < count; i++) {
		*p++ = digits[bytes[i] >> 4];
		*p++ = digits[bytes[i] & 15];
	}
	*p = '\0';
	return ret;
}

int why_set(char **ret_why, int error, const char *format, ...)
{
	char *why;
	va_list args;
	int n;

	if (!ret_why)
		return error;
	va_start(args, format);
	n = vasprintf(&why, format, args);
	va_end(args);
	if (n < 0)
		return -ENOMEM;
	free(*ret_why);
	*ret_why = why;
	return error;
}

void log_debug(const char *format, ...)
{
	char line[512];
	va_list args;

	if (!log_fn)
		return;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	log_fn(log_userdata, line);
}

_public_ void tdxupd_set_log(tdxupd_log_fn fn, void *userdata)
{
	log_fn = fn;
	log_userdata = userdata;
}
