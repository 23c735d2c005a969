/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PROBE_LINE_H
#define PROBE_LINE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The calls that make and end TD builds; the names of their probes in tracefs. */
enum probe_call {
	PROBE_INIT,        /* begins one: TDH.MNG.INIT */
	PROBE_FINALIZE,    /* ends one: TDH.MR.FINALIZE */
	PROBE_VPFLUSHDONE, /* ends one that is given up: TDH.MNG.VPFLUSHDONE */
	PROBE_FREEID,      /* the TD's identity ends: TDH.MNG.KEY.FREEID */
	_PROBE_CALL_MAX,
	_PROBE_CALL_INVALID = -22,
};

enum probe_event_kind {
	PROBE_EVENT_RETURNED, /* a call has returned */
	PROBE_EVENT_LOST,     /* the kernel dropped events before anyone read them */
};

/*
 * One line of trace_pipe. All but @kind is of PROBE_EVENT_RETURNED only.
 * @td: the kernel's pointer to the TD, its identity until PROBE_FREEID
 * @result: the call's TDX status, 0 is success
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

const char *probe_call_to_string(enum probe_call call);

#endif
