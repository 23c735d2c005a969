/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SIMHOST_TRACING_H
#define SIMHOST_TRACING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/* The functions of this kernel that a kprobe can be on, and the names of the events that
 * files exist for: <function> and <function>_ret are not it, so they are spelt. */
enum tracing_function {
	TRACING_LIST, /* kprobe_seq_start(): somebody reads kprobes/list */
	TRACING_FREEID,
	TRACING_VPFLUSHDONE,
	TRACING_FINALIZE,
	TRACING_INIT,
	_TRACING_FUNCTION_MAX,
};

/* Two events a function at the most: at its entry, and at its return. */
#define TRACING_EVENTS                     (2 * _TRACING_FUNCTION_MAX)
#define TRACING_EVENT(function, is_return) (2 * (unsigned)(function) + (is_return))

/*
 * struct tracing - ftrace, kprobes and one tracing instance of a kernel
 *
 * @is_there: this kernel shows tracefs
 * @ftrace_enabled, @kprobes_enabled: what silences all probes of the machine
 * @has_instance: instances/tdxupd
 * @tracing_on, @pids, @text: the instance's
 * @lost: events that had no room
 * @events: a probe by its function; @filter is kept and, unless "0", keeps all events
 */
struct tracing {
	bool is_there;
	bool ftrace_enabled;
	bool kprobes_enabled;
	bool has_instance;
	bool tracing_on;
	char pids[32];
	char text[16384];
	size_t used;
	unsigned lost;
	struct {
		bool is_there;
		bool is_enabled;
		char filter[64];
		uint64_t hits;
	} events[TRACING_EVENTS];
};

void tracing_init(struct tracing *tracing);

/* A thread enters @function with this first argument, or returns from it. */
void tracing_enter(struct tracing *tracing, enum tracing_function function,
		   const char *task, pid_t pid, uint64_t argument, uint64_t nsec);
void tracing_return(struct tracing *tracing, enum tracing_function function,
		    const char *task, pid_t pid, uint64_t argument, uint64_t result,
		    uint64_t nsec);

/* One line written to kprobe_events. Return: 0 or -errno. */
int tracing_change(struct tracing *tracing, const char *line);
#define TRACING_INSTANCE "sys/kernel/tracing/instances/tdxupd"
int tracing_make_instance(struct tracing *tracing);
int tracing_remove_instance(struct tracing *tracing);
/* trace_pipe: bytes, whole lines; -EAGAIN none. */
ssize_t tracing_read(struct tracing *tracing, char *ret, size_t count);
void tracing_clear(struct tracing *tracing);

const char *tracing_event_name(unsigned event);
void tracing_show_events(const struct tracing *tracing, FILE *text);
void tracing_show_profile(const struct tracing *tracing, FILE *text);
void tracing_show_list(const struct tracing *tracing, FILE *text);

#endif
