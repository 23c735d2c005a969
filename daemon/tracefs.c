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
#include "probe-line.h"
#include "tracefs.h"
#include "util.h"

#define INSTANCE "instances/tdxupd"
#define GROUP    "tdxupd"

/* Some 80 bytes a call; a CPU that makes 400 calls before anyone reads loses some, and
 * that is seen. The default would be 1.4 MiB a CPU. */
#define BUFFER_KIB "32"

/* Room for some 200 probes of others. */
#define PROFILE_BYTES (16 * 1024)

/* What is probed, in the order of arming. All have a TD as their first argument. */
static const struct {
	enum probe_call call;
	const char *function;
} probes[] = {
	{ PROBE_FREEID, "tdh_mng_key_freeid" },
	{ PROBE_VPFLUSHDONE, "tdh_mng_vpflushdone" },
	{ PROBE_FINALIZE, "tdh_mr_finalize" },
	{ PROBE_INIT, "tdh_mng_init" },
};

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

static int add_probe(int base_fd, enum probe_call call, const char *function)
{
	char line[128];

	snprintf(line, sizeof(line), "r:" GROUP "/%s %s td=$arg1 ret=$retval\n",
		 probe_call_to_string(call), function);
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
	for (size_t i = ARRAY_SIZE(probes); instance_fd >= 0 && i-- > 0;)
		(void)set_probe(instance_fd, probes[i].call, "0");
	(void)unlinkat(base_fd, INSTANCE, AT_REMOVEDIR);
	for (size_t i = ARRAY_SIZE(probes); i-- > 0;)
		(void)remove_probe(base_fd, probes[i].call);
}

static void clear_leftovers(int base_fd)
{
	_cleanup_(cleanup_close)
	int instance_fd = openat(base_fd, INSTANCE, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	clear(base_fd, instance_fd);
}

static int fail(int r, char *why, const char *what)
{
	snprintf(why, TRACEFS_WHY_BYTES, "%s: %s", what, strerror(-r));
	return r;
}

static int open_base(int root_fd, int *ret_fd, char *why)
{
	int fd = io_open_dir(root_fd, TRACEFS_DIR, 0);

	if (fd < 0)
		return fail(fd, why, "tracefs");
	*ret_fd = fd;
	if (faccessat(fd, "kprobe_events", F_OK, 0) < 0)
		return fail(-errno, why, "tracefs has no kprobe_events");
	return 0;
}

static int open_instance(int base_fd, int *ret_fd, char *why)
{
	int fd;

	/* One that a reader keeps from being removed is taken over, without its events.
	 */
	if (mkdirat(base_fd, INSTANCE, 0700) < 0 &&
	    (errno != EEXIST || write_file(base_fd, INSTANCE "/trace", O_TRUNC, "") < 0))
		return fail(-errno, why, "tracefs: no instance of our own");
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
	for (size_t i = 0; i < ARRAY_SIZE(probes); i++) {
		int r = add_probe(base_fd, probes[i].call, probes[i].function);

		if (r < 0) {
			snprintf(why, TRACEFS_WHY_BYTES, "no probe on %s: %s%s",
				 probes[i].function, strerror(-r),
				 r == -EINVAL ? NEEDS : "");
			return r;
		}
	}
	return 0;
}

/* Event times are to be CLOCK_MONOTONIC, as all others here; where that can't be had they
 * order events still, so only the ages shown would be wrong: refuse. */
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
	for (size_t i = 0; i < ARRAY_SIZE(probes); i++) {
		int r = set_probe(instance_fd, probes[i].call, "1");

		if (r < 0)
			return fail(r, why, "tracefs: enabling a probe");
	}
	return 0;
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
	if (r == 0) {
		tracefs.pipe_fd = openat(tracefs.instance_fd, "trace_pipe",
					 O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		r = tracefs.pipe_fd < 0 ? fail(-errno, why, "tracefs: trace_pipe") : 0;
	}
	if (r == 0) {
		tracefs.profile_fd =
			openat(tracefs.base_fd, "kprobe_profile", O_RDONLY | O_CLOEXEC);
		r = tracefs.profile_fd < 0 ? fail(-errno, why, "kprobe_profile") : 0;
	}
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
	if (tracefs->pipe_fd >= 0)
		close(TAKE_FD(tracefs->pipe_fd));
	if (tracefs->profile_fd >= 0)
		close(TAKE_FD(tracefs->profile_fd));
	if (tracefs->base_fd >= 0)
		clear(tracefs->base_fd, tracefs->instance_fd);
	if (tracefs->instance_fd >= 0)
		close(TAKE_FD(tracefs->instance_fd));
	if (tracefs->base_fd >= 0)
		close(TAKE_FD(tracefs->base_fd));
}

/* Lines "  NAME HITS MISSES"; trace_kprobe.c:probes_profile_seq_show(). */
int tracefs_parse_misses(const char *text, uint64_t *ret)
{
	unsigned seen = 0;
	uint64_t sum = 0;

	/* Whole lines only: a number that is cut short is another number. */
	for (const char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
		unsigned long long hits, misses;
		char name[32];

		if (sscanf(line, "%31s %llu %llu", name, &hits, &misses) != 3)
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(probes); i++)
			if (strcmp(name, probe_call_to_string(probes[i].call)) == 0) {
				seen |= 1U << i;
				sum += misses;
			}
	}
	if (seen != (1U << ARRAY_SIZE(probes)) - 1)
		return -ENODATA;
	*ret = sum;
	return 0;
}

int tracefs_read_misses(const struct tracefs *tracefs, uint64_t *ret)
{
	char text[PROFILE_BYTES];
	size_t used = 0;
	ssize_t n;

	do {
		n = pread(tracefs->profile_fd, text + used, sizeof(text) - 1 - used,
			  (off_t)used);
		if (n < 0)
			return -errno;
		used += (size_t)n;
		text[used] = '\0';
	} while (tracefs_parse_misses(text, ret) < 0 && n > 0 && used < sizeof(text) - 1);
	return tracefs_parse_misses(text, ret);
}

static bool is_on(int dir_fd, const char *path)
{
	_cleanup_(cleanup_close)
	int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC);
	char text[8];

	return fd >= 0 && io_read_text_fd(fd, text, sizeof(text)) == 0 && text[0] == '1';
}

bool tracefs_is_live(const struct tracefs *tracefs)
{
	return is_on(tracefs->instance_fd, "tracing_on") &&
	       is_on(tracefs->instance_fd, "events/" GROUP "/enable");
}
