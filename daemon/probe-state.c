// SPDX-License-Identifier: LGPL-2.1-or-later
/* What the kernel shows of each of our probes, from the texts of its files. Pure. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "probe-state.h"
#include "util.h"

/* ---- kprobe_profile ---- */

/* Lines "  NAME HITS MISSES"; trace_kprobe.c:probes_profile_seq_show(). */
int probe_counts_parse(const char *text, struct probe_counts *ret)
{
	struct probe_counts counts = { 0 };
	unsigned seen = 0;

	/* Whole lines only: a number that is cut short is another number. */
	for (const char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
		unsigned long long hits, misses;
		char name[32];

		if (sscanf(line, "%31s %llu %llu", name, &hits, &misses) != 3)
			continue;
		for (unsigned i = 0; i < _PROBE_CALL_MAX; i++) {
			if (strcmp(name, probe_call_to_string(i)) != 0)
				continue;
			if (seen & (1U << i))
				return -EEXIST;
			seen |= 1U << i;
			counts.hits[i] = hits;
			if (i != PROBE_CANARY && i != PROBE_CANARY_RETURN)
				counts.misses += misses;
		}
	}
	if (seen != (1U << _PROBE_CALL_MAX) - 1)
		return -ENODATA;
	*ret = counts;
	return 0;
}

/* ---- kprobes/list ---- */

/* A kprobe that works through ftrace stops with it; one that does not, does not. */
struct listed {
	bool is_there;
	bool is_off;
	bool is_gone;
	bool is_ftrace;
};

static bool has_flag(const char *line, const char *end, const char *flag)
{
	const char *at = strstr(line, flag);

	return at && at < end;
}

/* "ADDRESS  r  SYMBOL+0x4  MODULE [DISABLED][FTRACE]"; kprobes.c:report_probe(). */
static void take_line(struct listed *listed, const char *line, const char *end)
{
	char kind, symbol[64];

	if (sscanf(line, "%*s %c %63[^+ \n]", &kind, symbol) != 2)
		return;
	for (unsigned i = 0; i < _PROBE_CALL_MAX; i++) {
		if (kind != (probe_call_is_entry(i) ? 'k' : 'r') ||
		    strcmp(symbol, probe_call_get_function(i)) != 0)
			continue;
		listed[i].is_there = true;
		listed[i].is_off |= has_flag(line, end, "[DISABLED]");
		listed[i].is_gone |= has_flag(line, end, "[GONE]");
		listed[i].is_ftrace = has_flag(line, end, "[FTRACE]");
	}
}

static int judge(const struct listed *listed, char *why)
{
	for (unsigned i = 0; i < _PROBE_CALL_MAX; i++) {
		const char *state =
			!listed[i].is_there ? "is not there"
			: listed[i].is_gone ? "is gone with its module"
			: listed[i].is_off  ? "is switched off"
			: listed[i].is_ftrace != listed[PROBE_CANARY].is_ftrace
				? "is of another kind than the canary's"
				: NULL;

		if (!state)
			continue;
		snprintf(why, PROBE_STATE_WHY_BYTES, "the probe on %s %s",
			 probe_call_get_function(i), state);
		return -ENODATA;
	}
	return 0;
}

int probe_list_check(const char *text, char *why)
{
	struct listed listed[_PROBE_CALL_MAX] = { 0 };

	for (const char *line = text, *end; (end = strchr(line, '\n')); line = end + 1)
		take_line(listed, line, end);
	return judge(listed, why);
}
