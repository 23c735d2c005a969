// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a kernel does for tracefs' kprobe events: probes that run or do not, and are
 * counted when they run, and events that something may keep from being written or read.
 * The order in which that is looked at is the kernel's: kernel/trace/trace_kprobe.c:
 * kprobe_dispatcher() counts, then the event file's flags, filter and pids are asked.
 */
#include "tracing.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

static const struct {
	const char *function;
	const char *entry;
	const char *ret;
} functions[_TRACING_FUNCTION_MAX] = {
	[TRACING_LIST] = { "kprobe_seq_start", "tdxupd_canary", "tdxupd_canary_ret" },
	[TRACING_FREEID] = { "tdh_mng_key_freeid", NULL, "tdxupd_freeid" },
	[TRACING_VPFLUSHDONE] = { "tdh_mng_vpflushdone", NULL, "tdxupd_vpflushdone" },
	[TRACING_FINALIZE] = { "tdh_mr_finalize", NULL, "tdxupd_finalize" },
	[TRACING_INIT] = { "tdh_mng_init", "tdxupd_init", "tdxupd_init_ret" },
};

void tracing_init(struct tracing *tracing)
{
	*tracing = (struct tracing){ .ftrace_enabled = true, .kprobes_enabled = true };
}

const char *tracing_event_name(unsigned event)
{
	return event % 2 ? functions[event / 2].ret : functions[event / 2].entry;
}

/* ---- events ---- */

static bool is_kept_out(const struct tracing *tracing, unsigned event, pid_t pid)
{
	char own[16];

	if (!tracing->has_instance || !tracing->tracing_on)
		return true;
	if (strcmp(tracing->events[event].filter, "0") != 0 &&
	    tracing->events[event].filter[0])
		return true;
	snprintf(own, sizeof(own), "%d", (int)pid);
	return tracing->pids[0] && strcmp(tracing->pids, own) != 0;
}

/* Runs the probe: whether it is there to be run, and its event may be written. */
static bool fire(struct tracing *tracing, unsigned event, pid_t pid)
{
	if (!tracing->events[event].is_there || !tracing->events[event].is_enabled ||
	    !tracing->ftrace_enabled || !tracing->kprobes_enabled)
		return false;
	tracing->events[event].hits++;
	return !is_kept_out(tracing, event, pid);
}

static void add_line(struct tracing *tracing, const char *line)
{
	size_t length = strlen(line);

	if (length > sizeof(tracing->text) - tracing->used) {
		tracing->lost++;
		return;
	}
	memcpy(tracing->text + tracing->used, line, length);
	tracing->used += length;
}

static void stamp(char *ret, size_t size, const char *task, pid_t pid, uint64_t nsec,
		  const char *name)
{
	uint64_t usec = (nsec + 500) / 1000;

	snprintf(ret, size,
		 "%16s-%-7d [000] ...1. %5" PRIu64 ".%06" PRIu64 ": %s: ", task, (int)pid,
		 usec / 1000000, usec % 1000000, name);
}

void tracing_enter(struct tracing *tracing, enum tracing_function function,
		   const char *task, pid_t pid, uint64_t argument, uint64_t nsec)
{
	unsigned event = TRACING_EVENT(function, false);
	char start[128], line[256];

	if (!fire(tracing, event, pid))
		return;
	stamp(start, sizeof(start), task, pid, nsec, tracing_event_name(event));
	snprintf(line, sizeof(line), "%s(%s+0x4/0x20) td=0x%" PRIx64 "\n", start,
		 functions[function].function, argument);
	add_line(tracing, line);
}

void tracing_return(struct tracing *tracing, enum tracing_function function,
		    const char *task, pid_t pid, uint64_t argument, uint64_t result,
		    uint64_t nsec)
{
	unsigned event = TRACING_EVENT(function, true);
	char start[128], line[256];

	if (!fire(tracing, event, pid))
		return;
	stamp(start, sizeof(start), task, pid, nsec, tracing_event_name(event));
	snprintf(line, sizeof(line),
		 "%s(caller+0x28/0xd0 <- %s) td=0x%" PRIx64 " ret=0x%" PRIx64 "\n", start,
		 functions[function].function, argument, result);
	add_line(tracing, line);
}

void tracing_clear(struct tracing *tracing)
{
	tracing->used = 0;
	tracing->lost = 0;
}

static ssize_t read_loss(struct tracing *tracing, char *ret, size_t count)
{
	int n = snprintf(ret, count, "CPU:0 [LOST %u EVENTS]\n", tracing->lost);

	tracing->lost = 0;
	return n;
}

ssize_t tracing_read(struct tracing *tracing, char *ret, size_t count)
{
	size_t end;

	if (count > 4096)
		count = 4096;
	for (end = tracing->used < count ? tracing->used : count;
	     end && tracing->text[end - 1] != '\n'; end--)
		;
	if (!end)
		return tracing->lost ? read_loss(tracing, ret, count) : -EAGAIN;
	memcpy(ret, tracing->text, end);
	memmove(tracing->text, tracing->text + end, tracing->used - end);
	tracing->used -= end;
	return (ssize_t)end;
}

/* ---- probes ---- */

static int find_event(const char *name)
{
	for (unsigned i = 0; i < TRACING_EVENTS; i++)
		if (tracing_event_name(i) && strcmp(tracing_event_name(i), name) == 0)
			return (int)i;
	return -1;
}

static int remove_probe(struct tracing *tracing, const char *name)
{
	int event = find_event(name);

	if (event < 0 || !tracing->events[event].is_there)
		return -ENOENT;
	if (tracing->events[event].is_enabled)
		return -EBUSY;
	tracing->events[event].is_there = false;
	return 0;
}

/* "p:tdxupd/NAME FUNCTION ..." or "r128:tdxupd/NAME FUNCTION ..." */
int tracing_change(struct tracing *tracing, const char *line)
{
	char name[64], function[64];
	int event;

	if (sscanf(line, "-:tdxupd/%63s", name) == 1)
		return remove_probe(tracing, name);
	if (sscanf(line, "%*[pr0-9]:tdxupd/%63s %63s", name, function) != 2)
		return -EINVAL;
	event = find_event(name);
	if (event < 0 || (line[0] == 'r') != event % 2)
		return -EINVAL;
	if (strcmp(functions[event / 2].function, function) != 0)
		return -ENOENT;
	if (tracing->events[event].is_there)
		return -EEXIST;
	memset(&tracing->events[event], 0, sizeof(tracing->events[event]));
	tracing->events[event].is_there = true;
	return 0;
}

int tracing_make_instance(struct tracing *tracing)
{
	if (tracing->has_instance)
		return -EEXIST;
	tracing->has_instance = true;
	tracing->tracing_on = true;
	tracing->pids[0] = '\0';
	tracing_clear(tracing);
	for (unsigned i = 0; i < TRACING_EVENTS; i++) {
		tracing->events[i].is_enabled = false;
		tracing->events[i].filter[0] = '\0';
	}
	return 0;
}

int tracing_remove_instance(struct tracing *tracing)
{
	if (!tracing->has_instance)
		return -ENOENT;
	tracing->has_instance = false;
	for (unsigned i = 0; i < TRACING_EVENTS; i++)
		tracing->events[i].is_enabled = false;
	return 0;
}

void tracing_show_events(const struct tracing *tracing, FILE *text)
{
	for (unsigned i = 0; i < TRACING_EVENTS; i++)
		if (tracing->events[i].is_there)
			fprintf(text, "%s:tdxupd/%s %s td=$arg1%s\n",
				i % 2 ? "r128" : "p", tracing_event_name(i),
				functions[i / 2].function, i % 2 ? " ret=$retval" : "");
}

/* trace_kprobe.c:probes_profile_seq_show() */
void tracing_show_profile(const struct tracing *tracing, FILE *text)
{
	for (unsigned i = 0; i < TRACING_EVENTS; i++)
		if (tracing->events[i].is_there)
			fprintf(text, "  %-44s %15" PRIu64 " %15d\n",
				tracing_event_name(i), tracing->events[i].hits, 0);
}

/* kprobes.c:report_probe() */
void tracing_show_list(const struct tracing *tracing, FILE *text)
{
	for (unsigned i = 0; i < TRACING_EVENTS; i++)
		if (tracing->events[i].is_there)
			fprintf(text, "ffffffff8600d4d4  %c  %s+0x4    %s[FTRACE]\n",
				i % 2 ? 'r' : 'k', functions[i / 2].function,
				tracing->events[i].is_enabled ? "" : "[DISABLED]");
}
