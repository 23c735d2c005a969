// SPDX-License-Identifier: LGPL-2.1-or-later
/* Spans of time as people write them; systemd has this and exports none of it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "duration.h"
#include "util.h"

/* Largest first: duration_format() takes the first two that are not zero. */
static const struct {
	const char *name;
	uint64_t usec;
} units[] = {
	{ "d", 86400 * USEC_PER_SEC }, { "h", 3600 * USEC_PER_SEC },
	{ "min", 60 * USEC_PER_SEC },  { "s", USEC_PER_SEC },
	{ "ms", USEC_PER_MSEC },       { "us", 1 },
};

static const char *skip_blanks(const char *p)
{
	return p + strspn(p, " \t");
}

static int parse_unit(const char **text, uint64_t *ret)
{
	size_t length = strspn(*text, "abcdefghijklmnopqrstuvwxyz");

	if (!length) {
		*ret = USEC_PER_SEC;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (strlen(units[i].name) == length &&
		    strncmp(units[i].name, *text, length) == 0) {
			*text += length;
			*ret = units[i].usec;
			return 0;
		}
	return -EBADMSG;
}

static int parse_number(const char **text, uint64_t *ret)
{
	const char *p = *text;
	uint64_t value = 0;

	if (*p < '0' || *p > '9')
		return -EBADMSG;
	for (; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value))
			return -ERANGE;
	*text = p;
	*ret = value;
	return 0;
}

int duration_parse(const char *text, uint64_t *ret_usec)
{
	uint64_t sum = 0;
	int r;

	text = skip_blanks(text);
	if (strcmp(text, "infinity") == 0) {
		*ret_usec = USEC_INFINITY;
		return 0;
	}
	do {
		uint64_t number, unit, part;

		r = parse_number(&text, &number);
		if (r < 0)
			return r;
		text = skip_blanks(text);
		r = parse_unit(&text, &unit);
		if (r < 0)
			return r;
		if (__builtin_mul_overflow(number, unit, &part) ||
		    __builtin_add_overflow(sum, part, &sum) || sum == USEC_INFINITY)
			return -ERANGE;
		text = skip_blanks(text);
	} while (*text);
	*ret_usec = sum;
	return 0;
}

const char *duration_format(uint64_t usec, char *ret)
{
	size_t used = 0;
	int parts = 0;

	if (usec == USEC_INFINITY)
		return strcpy(ret, "infinity");
	for (size_t i = 0; i < ARRAY_SIZE(units) && parts < 2; i++) {
		uint64_t value = usec / units[i].usec;

		usec %= units[i].usec;
		if (!value && !parts)
			continue;
		parts++;
		if (value)
			used += (size_t)snprintf(ret + used, DURATION_TEXT_BYTES - used,
						 "%s%llu%s", used ? " " : "",
						 (unsigned long long)value,
						 units[i].name);
	}
	return used ? ret : strcpy(ret, "0s");
}
