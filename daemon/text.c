// SPDX-License-Identifier: LGPL-2.1-or-later
/* Sentences for people, where asprintf()'s two results would get in the way. */
#include <stdarg.h>

#include "text.h"

char *text_new(const char *format, ...)
{
	char *text;
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	return n < 0 ? NULL : text;
}
