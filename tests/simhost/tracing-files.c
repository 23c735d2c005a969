// SPDX-License-Identifier: LGPL-2.1-or-later
/* tracefs and its kin as files: what is written to them really stops events. */
#include "tracing-files.h"

#include "util.h"

#define TRACEFS  "sys/kernel/tracing/"
#define INSTANCE TRACEFS "instances/tdxupd/"
#define EVENTS   INSTANCE "events/tdxupd/"
#define KPROBES  "sys/kernel/debug/kprobes/"

static bool is_there(const struct host *host)
{
	return host->tracing.is_there;
}

static bool has_instance(const struct host *host)
{
	return is_there(host) && host->tracing.has_instance;
}

static int show_switch(FILE *text, bool is_on)
{
	fprintf(text, "%d\n", is_on);
	return 0;
}

static int store_switch(const char *text, bool *ret)
{
	if (text[0] != '0' && text[0] != '1')
		return -EINVAL;
	*ret = text[0] == '1';
	return 0;
}

#define SWITCH(name, place)                                          \
	static int show_##name(struct host *host, FILE *text)        \
	{                                                            \
		return show_switch(text, host->tracing.place);       \
	}                                                            \
	static int store_##name(struct host *host, const char *text) \
	{                                                            \
		return store_switch(text, &host->tracing.place);     \
	}

SWITCH(ftrace, ftrace_enabled)
SWITCH(kprobes, kprobes_enabled)
SWITCH(tracing_on, tracing_on)

/* Whoever reads the list is the caller of the function that the canary is on. */
static int show_list(struct host *host, FILE *text)
{
	tracing_enter(&host->tracing, TRACING_LIST, "reader", host->reader_pid,
		      host->reader_file, host_now_nsec());
	tracing_return(&host->tracing, TRACING_LIST, "reader", host->reader_pid,
		       host->reader_file, 1, host_now_nsec());
	tracing_show_list(&host->tracing, text);
	return 0;
}

static int show_probes(struct host *host, FILE *text)
{
	tracing_show_events(&host->tracing, text);
	return 0;
}

static ssize_t write_probes(struct host *host, const void *bytes, size_t count,
			    size_t offset)
{
	char line[256];
	int error;

	(void)offset;
	if (count >= sizeof(line))
		return -E2BIG;
	memcpy(line, bytes, count);
	line[count] = '\0';
	error = tracing_change(&host->tracing, line);
	return error ? error : (ssize_t)count;
}

static int show_profile(struct host *host, FILE *text)
{
	tracing_show_profile(&host->tracing, text);
	return 0;
}

static int show_nothing(struct host *host, FILE *text)
{
	(void)host;
	(void)text;
	return 0;
}

static int store_anything(struct host *host, const char *text)
{
	(void)host;
	(void)text;
	return 0;
}

static int store_trace(struct host *host, const char *text)
{
	(void)text;
	tracing_clear(&host->tracing);
	return 0;
}

static ssize_t read_pipe(struct host *host, void *ret, size_t count, size_t offset)
{
	(void)offset;
	return tracing_read(&host->tracing, ret, count);
}

static bool has_events(const struct host *host)
{
	return host->tracing.used || host->tracing.lost;
}

static int show_pids(struct host *host, FILE *text)
{
	fprintf(text, "%s\n", host->tracing.pids);
	return 0;
}

static int store_pids(struct host *host, const char *text)
{
	snprintf(host->tracing.pids, sizeof(host->tracing.pids), "%.*s",
		 (int)strcspn(text, "\n"), text);
	return 0;
}

/* Each event's `enable` and `filter`. */
#define EVENT(name, event)                                                         \
	static bool has_##name(const struct host *host)                            \
	{                                                                          \
		return has_instance(host) && host->tracing.events[event].is_there; \
	}                                                                          \
	static int show_filter_##name(struct host *host, FILE *text)               \
	{                                                                          \
		fprintf(text, "%s\n", host->tracing.events[event].filter);         \
		return 0;                                                          \
	}                                                                          \
	static int store_filter_##name(struct host *host, const char *text)        \
	{                                                                          \
		snprintf(host->tracing.events[event].filter,                       \
			 sizeof(host->tracing.events[event].filter), "%.*s",       \
			 (int)strcspn(text, "\n"), text);                          \
		return 0;                                                          \
	}                                                                          \
	SWITCH(name, events[event].is_enabled)

EVENT(canary, TRACING_EVENT(TRACING_LIST, false))
EVENT(canary_ret, TRACING_EVENT(TRACING_LIST, true))
EVENT(finalize, TRACING_EVENT(TRACING_FINALIZE, true))
EVENT(freeid, TRACING_EVENT(TRACING_FREEID, true))
EVENT(init, TRACING_EVENT(TRACING_INIT, false))
EVENT(init_ret, TRACING_EVENT(TRACING_INIT, true))
EVENT(vpflushdone, TRACING_EVENT(TRACING_VPFLUSHDONE, true))

#define EVENT_FILES(name)                                                            \
	{ EVENTS "tdxupd_" #name "/enable", 0644, .is_there = has_##name,            \
	  .show = show_##name, .store = store_##name },                              \
	{                                                                            \
		EVENTS "tdxupd_" #name "/filter", 0644, .is_there = has_##name,      \
							.show = show_filter_##name,  \
							.store = store_filter_##name \
	}

const struct file tracing_files[] = {
	{ "proc/sys/kernel/ftrace_enabled", 0644, .is_there = is_there,
	  .show = show_ftrace, .store = store_ftrace },
	{ KPROBES "enabled", 0600, .is_there = is_there, .show = show_kprobes,
	  .store = store_kprobes },
	{ KPROBES "list", 0400, .is_there = is_there, .show = show_list },
	{ TRACEFS "instances/.keep", 0400, .is_there = is_there, .show = show_nothing },
	{ INSTANCE "buffer_size_kb", 0640, .is_there = has_instance, .show = show_nothing,
	  .store = store_anything },
	EVENT_FILES(canary),
	EVENT_FILES(canary_ret),
	EVENT_FILES(finalize),
	EVENT_FILES(freeid),
	EVENT_FILES(init),
	EVENT_FILES(init_ret),
	EVENT_FILES(vpflushdone),
	{ INSTANCE "set_event_pid", 0640, .is_there = has_instance, .show = show_pids,
	  .store = store_pids },
	{ INSTANCE "trace", 0640, .is_there = has_instance, .show = show_nothing,
	  .store = store_trace },
	{ INSTANCE "trace_clock", 0640, .is_there = has_instance, .show = show_nothing,
	  .store = store_anything },
	{ INSTANCE "trace_pipe", 0440, .is_there = has_instance, .read = read_pipe,
	  .has_input = has_events },
	{ INSTANCE "tracing_on", 0640, .is_there = has_instance, .show = show_tracing_on,
	  .store = store_tracing_on },
	{ TRACEFS "kprobe_events", 0640, .is_there = is_there, .show = show_probes,
	  .write = write_probes },
	{ TRACEFS "kprobe_profile", 0440, .is_there = is_there, .show = show_profile },
};

const size_t tracing_file_count = ARRAY_SIZE(tracing_files);
