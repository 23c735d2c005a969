/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PROBE_LINE_H
#define PROBE_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * What is probed, in the order of arming: ends before beginnings, so that no build is
 * seen to begin and not to end. All are at a function's return but for PROBE_INIT and
 * PROBE_CANARY, which are at its entry.
 */
enum probe_call {
	PROBE_CANARY, /* our own look at the list of probes */
	PROBE_CANARY_RETURN,
	PROBE_FREEID,      /* the TD's identity ends: TDH.MNG.KEY.FREEID */
	PROBE_VPFLUSHDONE, /* ends a build that is given up: TDH.MNG.VPFLUSHDONE */
	PROBE_FINALIZE,    /* ends one: TDH.MR.FINALIZE */
	PROBE_INIT_RETURN, /* takes one back that failed to begin */
	PROBE_INIT,        /* begins one: TDH.MNG.INIT */
	_PROBE_CALL_MAX,
	_PROBE_CALL_INVALID = -22,
};

enum probe_event_kind {
	PROBE_EVENT_CALL, /* a probed function was entered or has returned */
	PROBE_EVENT_LOST, /* the kernel dropped events before anyone read them */
};

/*
 * One line of trace_pipe. All but @kind is of PROBE_EVENT_CALL only.
 * @td: the function's first argument: the kernel's pointer to the TD, its identity until
 *	PROBE_FREEID; of the canary, the open file that was read
 * @result: the call's TDX status, 0 is success; 0 at an entry
 * @usec: of the instance's clock
 * @pid, @task: the thread that called and its name, printable
 */
struct probe_event {
	enum probe_event_kind kind;
	enum probe_call call;
	uint64_t td;
	uint64_t result;
	uint64_t usec;
	pid_t pid;
	char task[32];
};

/*
 * Read one line, without its newline. The task's name stands first in it and is whatever
 * that task likes to be called, so the line is read from its end.
 *
 * Return: 0, -EBADMSG anything but a line of our own probes.
 */
int probe_line_parse(const char *line, struct probe_event *ret);

/* The probe's name in tracefs; no other event of the machine has it. */
const char *probe_call_to_string(enum probe_call call);
/* The kernel's function that it is on. */
const char *probe_call_get_function(enum probe_call call);
bool probe_call_is_entry(enum probe_call call);

#endif
