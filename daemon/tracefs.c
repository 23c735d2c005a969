// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The kernel's tracing files: puts our probes there and takes them away again. What they
 * report is read by watch-probes.c.
 *
 * kprobe_events belongs to everybody: opening it with O_TRUNC deletes all probes of the
 * machine, so it is only ever appended to. See Documentation/trace/kprobetrace.rst.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "io.h"
#include "tracefs.h"
#include "util.h"

#define INSTANCE "instances/tdxupd"
#define GROUP    "tdxupd"

/* Some 80 bytes a call; a CPU that makes 400 calls before anyone reads loses some, and
 * that is seen. The default would be 1.4 MiB a CPU. */
#define BUFFER_KIB "32"

/* Room for some thousand probes of others. */
#define LIST_BYTES (128 * 1024)

/* What the kernel hands out at a time, and the longest line of it that may not have had
 * room any more: what is shorter was all there is (seq_file.c:seq_read_iter()). */
#define READ_BYTES      4096
#define FULL_READ_BYTES (READ_BYTES - 640)

#define PROBES_LIST    "sys/kernel/debug/kprobes/list"
#define PROBES_ENABLED "sys/kernel/debug/kprobes/enabled"
#define FTRACE_ENABLED "proc/sys/kernel/ftrace_enabled"

static int write_file(int dir_fd, const char *path, int flags, const char *text)
{
	_cleanup_(cleanup_close)
	int fd = openat(dir_fd, path, O_WRONLY | O_CLOEXEC | flags);
	size_t length = strlen(text);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, text, length);
	if (n < 0)
		return -errno;
	return (size_t)n == length ? 0 : -EIO;
}

static int set_probe(int instance_fd, enum probe_call call, const char *value)
{
	char path[64];

	snprintf(path, sizeof(path), "events/" GROUP "/%s/enable",
		 probe_call_to_string(call));
	return write_file(instance_fd, path, 0, value);
}

/* Room for as many calls at a time that will be seen returning. */
#define RETURNS "r128:"

static int add_probe(int base_fd, enum probe_call call)
{
	bool is_entry = probe_call_is_entry(call);
	char line[128];

	snprintf(line, sizeof(line), "%s" GROUP "/%s %s td=$arg1%s\n",
		 is_entry ? "p:" : RETURNS, probe_call_to_string(call),
		 probe_call_get_function(call), is_entry ? "" : " ret=$retval");
	return write_file(base_fd, "kprobe_events", O_APPEND, line);
}

static int remove_probe(int base_fd, enum probe_call call)
{
	char line[64];

	snprintf(line, sizeof(line), "-:" GROUP "/%s\n", probe_call_to_string(call));
	return write_file(base_fd, "kprobe_events", O_APPEND, line);
}

/* An enabled probe can't be removed, nor an instance whose probes are. */
static void clear(int base_fd, int instance_fd)
{
	for (unsigned i = _PROBE_CALL_MAX; instance_fd >= 0 && i-- > 0;)
		(void)set_probe(instance_fd, i, "0");
	(void)unlinkat(base_fd, INSTANCE, AT_REMOVEDIR);
	for (unsigned i = _PROBE_CALL_MAX; i-- > 0;)
		(void)remove_probe(base_fd, i);
}

static void clear_leftovers(int base_fd)
{
	_cleanup_(cleanup_close)
	int instance_fd = openat(base_fd, INSTANCE, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	clear(base_fd, instance_fd);
}

/* Of what is missing it is said what is missing, not "No data available". */
#define NO_TRACEFS "there is no tracefs at /" TRACEFS_DIR
#define NO_LIST    "there is no /" PROBES_LIST ": is debugfs mounted?"

static int fail(int r, char *why, const char *what)
{
	if (r == -ENODATA)
		snprintf(why, TRACEFS_WHY_BYTES, "%s", what);
	else if (r == -E2BIG)
		snprintf(why, TRACEFS_WHY_BYTES, "%s: too many probes of others", what);
	else
		snprintf(why, TRACEFS_WHY_BYTES, "%s: %s", what, strerror(-r));
	return r;
}

static int open_base(int root_fd, int *ret_fd, char *why)
{
	int fd = io_open_dir(root_fd, TRACEFS_DIR, 0);

	if (fd < 0)
		return fail(fd, why, fd == -ENODATA ? NO_TRACEFS : "tracefs");
	*ret_fd = fd;
	if (faccessat(fd, "kprobe_events", F_OK, 0) < 0)
		return fail(-errno, why, "tracefs has no kprobe_events");
	return 0;
}

/* An instance that a reader keeps from being removed, without its events and what would
 * keep some from it. What else is odd about it shows, as it silences the canary. */
static int take_over_instance(int base_fd)
{
	static const char *const pids[] = { INSTANCE "/set_event_pid",
					    INSTANCE "/set_event_notrace_pid" };

	for (size_t i = 0; i < ARRAY_SIZE(pids); i++)
		(void)write_file(base_fd, pids[i], O_TRUNC, "");
	return write_file(base_fd, INSTANCE "/trace", O_TRUNC, "");
}

static int open_instance(int base_fd, int *ret_fd, char *why)
{
	int r = mkdirat(base_fd, INSTANCE, 0700) < 0 ? -errno : 0;
	int fd;

	if (r == -EEXIST)
		r = take_over_instance(base_fd);
	if (r < 0)
		return fail(r, why, "tracefs: no instance of our own");
	fd = openat(base_fd, INSTANCE, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fail(-errno, why, "tracefs: no instance of our own");
	*ret_fd = fd;
	return 0;
}

/* A function that is not there is ENOENT; what the kernel makes nothing of is EINVAL: the
 * arguments of a call at its return (trace_probe.c:store_trace_entry_data()). */
#define NEEDS " (arguments in return probes need Linux 6.9)"

static int place_probes(int base_fd, char *why)
{
	for (unsigned i = 0; i < _PROBE_CALL_MAX; i++) {
		int r = add_probe(base_fd, i);

		if (r < 0) {
			snprintf(why, TRACEFS_WHY_BYTES, "no probe on %s: %s%s",
				 probe_call_get_function(i), strerror(-r),
				 r == -EINVAL ? NEEDS : "");
			return r;
		}
	}
	return 0;
}

/* Event times are to be CLOCK_MONOTONIC, as all others here: the canary's is compared. */
static int set_up_instance(int instance_fd, char *why)
{
	int r = write_file(instance_fd, "trace_clock", 0, "mono");

	if (r == 0)
		r = write_file(instance_fd, "buffer_size_kb", 0, BUFFER_KIB);
	if (r == 0)
		r = write_file(instance_fd, "tracing_on", 0, "1");
	return r < 0 ? fail(r, why, "tracefs: instance") : 0;
}

static int enable_probes(int instance_fd, char *why)
{
	for (unsigned i = 0; i < _PROBE_CALL_MAX; i++) {
		int r = set_probe(instance_fd, i, "1");

		if (r < 0)
			return fail(r, why, "tracefs: enabling a probe");
	}
	return 0;
}

static int open_files(int root_fd, struct tracefs *tracefs, char *why)
{
	tracefs->list_fd = io_open(root_fd, PROBES_LIST, O_RDONLY);
	if (tracefs->list_fd < 0)
		return fail(tracefs->list_fd, why,
			    tracefs->list_fd == -ENODATA ? NO_LIST : "/" PROBES_LIST);
	tracefs->pipe_fd = openat(tracefs->instance_fd, "trace_pipe",
				  O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (tracefs->pipe_fd < 0)
		return fail(-errno, why, "tracefs: trace_pipe");
	tracefs->profile_fd =
		openat(tracefs->base_fd, "kprobe_profile", O_RDONLY | O_CLOEXEC);
	return tracefs->profile_fd < 0 ? fail(-errno, why, "kprobe_profile") : 0;
}

int tracefs_open(int root_fd, struct tracefs *ret, char *why)
{
	struct tracefs tracefs = TRACEFS_CLOSED;
	int r;

	r = open_base(root_fd, &tracefs.base_fd, why);
	if (r == 0) {
		clear_leftovers(tracefs.base_fd);
		r = place_probes(tracefs.base_fd, why);
	}
	if (r == 0)
		r = open_instance(tracefs.base_fd, &tracefs.instance_fd, why);
	if (r == 0)
		r = set_up_instance(tracefs.instance_fd, why);
	if (r == 0)
		r = open_files(root_fd, &tracefs, why);
	if (r == 0)
		r = enable_probes(tracefs.instance_fd, why);
	if (r < 0) {
		tracefs_close(&tracefs);
		return r;
	}
	*ret = tracefs;
	return 0;
}

void tracefs_close(struct tracefs *tracefs)
{
	int *files[] = { &tracefs->pipe_fd, &tracefs->profile_fd, &tracefs->list_fd };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (*files[i] >= 0)
			close(TAKE_FD(*files[i]));
	if (tracefs->base_fd >= 0)
		clear(tracefs->base_fd, tracefs->instance_fd);
	if (tracefs->instance_fd >= 0)
		close(TAKE_FD(tracefs->instance_fd));
	if (tracefs->base_fd >= 0)
		close(TAKE_FD(tracefs->base_fd));
}

/* A list that the kernel makes anew each time that it is read from its beginning. */
static int read_list(int fd, char text[static LIST_BYTES])
{
	size_t used = 0;
	ssize_t n;

	do {
		if (used + READ_BYTES >= LIST_BYTES)
			return -E2BIG;
		n = pread(fd, text + used, READ_BYTES, (off_t)used);
		if (n < 0)
			return -errno;
		used += (size_t)n;
	} while (n >= FULL_READ_BYTES);
	text[used] = '\0';
	return strlen(text) == used ? 0 : -EBADMSG;
}

int tracefs_read_counts(const struct tracefs *tracefs, struct probe_counts *ret)
{
	char text[LIST_BYTES];
	int r = read_list(tracefs->profile_fd, text);

	return r < 0 ? r : probe_counts_parse(text, ret);
}

int tracefs_check_probes(const struct tracefs *tracefs, char *why)
{
	char text[LIST_BYTES];
	int r = read_list(tracefs->list_fd, text);

	return r < 0 ? fail(r, why, "/" PROBES_LIST) : probe_list_check(text, why);
}

static bool is_zero(int root_fd, const char *path)
{
	char text[8];

	return io_read_text(root_fd, path, text, sizeof(text)) == 0 &&
	       strcmp(text, "0") == 0;
}

bool tracefs_explain_silence(int root_fd, char *why)
{
	const char *text = NULL;

	if (is_zero(root_fd, FTRACE_ENABLED))
		text = "kernel.ftrace_enabled is 0, so probes see nothing: "
		       "sysctl kernel.ftrace_enabled=1";
	else if (is_zero(root_fd, PROBES_ENABLED))
		text = "kprobes are switched off: echo 1 >/" PROBES_ENABLED;
	if (text)
		snprintf(why, TRACEFS_WHY_BYTES, "%s", text);
	return text;
}
