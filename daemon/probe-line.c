// SPDX-License-Identifier: LGPL-2.1-or-later
/* What one line of trace_pipe says. What follows from it is build-tracker.c's business.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "probe-line.h"
#include "util.h"

/* kprobe_profile shows an event's name and not its group, hence the prefix. The canary's
 * function is what reads each probe of /sys/kernel/debug/kprobes/list, which only root
 * may open: nobody else can set it off or keep its return from being seen. */
static const struct {
	const char *name;
	const char *function;
	bool is_entry;
} calls[] = {
	[PROBE_CANARY] = { "tdxupd_canary", "kprobe_seq_start", true },
	[PROBE_CANARY_RETURN] = { "tdxupd_canary_ret", "kprobe_seq_start", false },
	[PROBE_FREEID] = { "tdxupd_freeid", "tdh_mng_key_freeid", false },
	[PROBE_VPFLUSHDONE] = { "tdxupd_vpflushdone", "tdh_mng_vpflushdone", false },
	[PROBE_FINALIZE] = { "tdxupd_finalize", "tdh_mr_finalize", false },
	[PROBE_INIT_RETURN] = { "tdxupd_init_ret", "tdh_mng_init", false },
	[PROBE_INIT] = { "tdxupd_init", "tdh_mng_init", true },
};

const char *probe_call_to_string(enum probe_call call)
{
	return calls[call].name;
}

const char *probe_call_get_function(enum probe_call call)
{
	return calls[call].function;
}

bool probe_call_is_entry(enum probe_call call)
{
	return calls[call].is_entry;
}

/* The part of a line that is not read yet: everything before @end. */
struct rest {
	const char *begin;
	const char *end;
};

/* Finds the last @what, gives what follows it as [*ret, *ret_end) and cuts both off. */
static bool cut_after_last(struct rest *rest, const char *what, const char **ret,
			   const char **ret_end)
{
	size_t length = strlen(what);

	for (const char *end = rest->end; end - rest->begin >= (ptrdiff_t)length; end--) {
		if (memcmp(end - length, what, length) != 0)
			continue;
		*ret = end;
		*ret_end = rest->end;
		rest->end = end - length;
		return true;
	}
	return false;
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

static bool read_number(const char *p, const char *end, unsigned base, uint64_t *ret)
{
	uint64_t value = 0;

	if (p >= end || end - p > (base == 16 ? 16 : 18))
		return false;
	for (; p < end; p++) {
		unsigned digit = (unsigned)digit_value(*p);

		if (digit >= base)
			return false;
		value = value * base + digit;
	}
	*ret = value;
	return true;
}

static bool cut_hex(struct rest *rest, const char *label, uint64_t *ret)
{
	const char *p, *end;

	return cut_after_last(rest, label, &p, &end) && read_number(p, end, 16, ret);
}

/* ": tdxupd_init_ret: (RETURN ADDRESS <- FUNCTION)", or of an entry (FUNCTION), what is
 * left of it; trace_kprobe.c:print_kretprobe_event(), print_kprobe_event(). */
static bool cut_call(struct rest *rest, enum probe_call *ret)
{
	const char *p, *end;

	if (rest->end == rest->begin || rest->end[-1] != ')' ||
	    !cut_after_last(rest, ": (", &p, &end) ||
	    !cut_after_last(rest, ": ", &p, &end))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (strlen(calls[i].name) == (size_t)(end - p) &&
		    memcmp(calls[i].name, p, (size_t)(end - p)) == 0) {
			*ret = (enum probe_call)i;
			return true;
		}
	return false;
}

/* "   812.345678" */
static bool cut_time(struct rest *rest, uint64_t *ret)
{
	const char *p, *end;
	uint64_t sec, usec;

	if (!cut_after_last(rest, ".", &p, &end) || end - p != 6 ||
	    !read_number(p, end, 10, &usec) || !cut_after_last(rest, " ", &p, &end) ||
	    end - p > 12 || !read_number(p, end, 10, &sec))
		return false;
	*ret = sec * 1000000 + usec;
	return true;
}

static void trim_end(struct rest *rest)
{
	while (rest->end > rest->begin && rest->end[-1] == ' ')
		rest->end--;
}

/* "   qemu-kvm-4242    [001] d..1. ": trace_output.c:trace_print_context() */
static bool cut_task(struct rest *rest, struct probe_event *event)
{
	char task[sizeof(event->task)];
	const char *p, *end;
	uint64_t number;

	if (!cut_after_last(rest, "[", &p, &end) || p >= end ||
	    !(end = memchr(p, ']', (size_t)(end - p))) ||
	    !read_number(p, end, 10, &number))
		return false;
	trim_end(rest);
	if (!cut_after_last(rest, "-", &p, &end) || !read_number(p, end, 10, &number) ||
	    number > INT32_MAX)
		return false;
	event->pid = (pid_t)number;
	for (p = rest->begin; p < rest->end && *p == ' '; p++)
		;
	if (rest->end - p >= (ptrdiff_t)sizeof(task))
		return false;
	memcpy(task, p, (size_t)(rest->end - p));
	task[rest->end - p] = '\0';
	text_make_printable(event->task, sizeof(event->task), task);
	return true;
}

/* "CPU:3 [LOST 12 EVENTS]" or, where even their number is lost, "CPU:3 [LOST EVENTS]";
 * trace.c:print_trace_line(). No call's line ends like this. */
static bool is_loss(const char *line, size_t length)
{
	static const char end[] = " EVENTS]";

	return strncmp(line, "CPU:", 4) == 0 && length > strlen(end) &&
	       strcmp(line + length - strlen(end), end) == 0;
}

int probe_line_parse(const char *line, struct probe_event *ret)
{
	struct rest rest = { .begin = line, .end = line + strlen(line) };
	struct probe_event event = { .kind = PROBE_EVENT_CALL };
	bool has_result;

	if (is_loss(line, strlen(line))) {
		*ret = (struct probe_event){ .kind = PROBE_EVENT_LOST };
		return 0;
	}
	has_result = cut_hex(&rest, " ret=0x", &event.result);
	if (!has_result)
		rest.end = line + strlen(line);
	if (!cut_hex(&rest, " td=0x", &event.td) || !cut_call(&rest, &event.call) ||
	    has_result == calls[event.call].is_entry || !cut_time(&rest, &event.usec) ||
	    !cut_task(&rest, &event))
		return -EBADMSG;
	*ret = event;
	return 0;
}
