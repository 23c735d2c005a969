// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Sets of CPU numbers in the kernel's list form, "0-3,8", as the files below
 * /sys/devices/system/cpu hold them. Which CPUs must be online is decided in compat.
 */
#include <errno.h>
#include <stdio.h>

#include "tdxupd.h"
#include "buffer.h"
#include "util.h"

/* One CPU number; advances *text past it. */
static int parse_cpu(const char **text, unsigned *ret)
{
	const char *p = *text;
	unsigned cpu = 0;

	if (*p < '0' || *p > '9')
		return -EBADMSG;
	for (; *p >= '0' && *p <= '9'; p++) {
		cpu = cpu * 10 + (unsigned)(*p - '0');
		if (cpu >= TDXUPD_CPUS_MAX)
			return -ERANGE;
	}
	*text = p;
	*ret = cpu;
	return 0;
}

/* "3" or "0-3"; advances *text past it. */
static int parse_range(const char **text, struct tdxupd_cpuset *set)
{
	unsigned first, last;
	int r;

	r = parse_cpu(text, &first);
	if (r < 0)
		return r;
	last = first;
	if (**text == '-') {
		(*text)++;
		r = parse_cpu(text, &last);
		if (r < 0)
			return r;
		if (last < first)
			return -EBADMSG;
	}
	for (unsigned cpu = first; cpu <= last; cpu++)
		set->bits[cpu / 64] |= UINT64_C(1) << cpu % 64;
	return 0;
}

_public_ int tdxupd_cpuset_parse(const char *list, struct tdxupd_cpuset *ret)
{
	struct tdxupd_cpuset set = {};

	if (!list || !ret)
		return -EINVAL;
	if (*list && *list != '\n') {
		for (;;) {
			int r = parse_range(&list, &set);

			if (r < 0)
				return r;
			if (*list != ',')
				break;
			list++;
		}
	}
	if (*list == '\n')
		list++;
	if (*list)
		return -EBADMSG;
	*ret = set;
	return 0;
}

_public_ char *tdxupd_cpuset_format(const struct tdxupd_cpuset *set)
{
	_cleanup_(buffer_done)
	struct buffer list = { 0 };
	const char *comma = "";
	char *text;

	for (unsigned cpu = 0; cpu < TDXUPD_CPUS_MAX; cpu++) {
		unsigned last = cpu;

		if (!tdxupd_cpuset_has(set, cpu))
			continue;
		while (tdxupd_cpuset_has(set, last + 1))
			last++;
		buffer_print(&list, "%s%u", comma, cpu);
		if (last > cpu)
			buffer_print(&list, "-%u", last);
		comma = ",";
		cpu = last;
	}
	return buffer_take(&list, &text, NULL) < 0 ? NULL : text;
}

_public_ bool tdxupd_cpuset_has(const struct tdxupd_cpuset *set, unsigned cpu)
{
	return cpu < TDXUPD_CPUS_MAX && set->bits[cpu / 64] >> cpu % 64 & 1;
}

_public_ unsigned tdxupd_cpuset_count(const struct tdxupd_cpuset *set)
{
	unsigned count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(set->bits); i++)
		count += (unsigned)__builtin_popcountll(set->bits[i]);
	return count;
}
