// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The commands that are about the host's kernel and not about the machine:
 *
 *   host kernel=mainline|patched|piece   which files there are
 *   host hidden=N                        the last N LPs are unknown to the kernel
 *   host tracing=yes|no                  there is tracefs with kprobes
 *   host cgroup=root|own|none            what /sys/fs/cgroup shows: the machine, or as in
 *                                        a cgroup namespace something without TDs
 *   host empty=N                         N more LPs are possible and not present
 *   upload PHASE=DURATION...             the worker takes its time: preparing,
 *                                        transferring (also before `update` begins),
 *                                        programming
 *   upload hold=PHASE|none               it stays there until told otherwise
 *   upload abort                         no memory for what is written to `data`: the
 *                                        kernel takes no upload any more
 *   loading VALUE                        someone else writes `loading`; udev has -1
 *   slow FILE DURATION                   reads and writes of that file take so long
 *   hang FILE                            they do not end
 *   deny FILE                            reads of it get ENFILE
 *   release                              no more of any of them
 *   times                                when the last TD build ended, and when `update`
 *                                        was last written to, in ns of CLOCK_MONOTONIC
 *   wait building N [TIMEOUT]            until so many TDs are being built
 *   wait td NAME STATE [TIMEOUT]         until that one is "running", "dead", "paused"...
 *   wait updates N [TIMEOUT]             until so many updates have gone through
 *   wait upload PHASE [TIMEOUT]          until the worker is there
 *   wait updating yes|no [TIMEOUT]       until someone is (not) replacing the module
 *
 * `wait` gives up after 10 s where nothing else is said (error ETIMEDOUT). All other
 * lines go to the machine.
 */
#include "control.h"

#include <stdlib.h>
#include <time.h>

#include "util.h"

#define WAIT_NSEC       UINT64_C(10000000000)
#define NSEC_PER_SECOND UINT64_C(1000000000)
#define WORDS_MAX       8

struct words {
	size_t count;
	char *word[WORDS_MAX];
};

static void say(char *ret, size_t size, const char *text)
{
	snprintf(ret, size, "%s\n", text);
}

static int parse_duration(const char *text, uint64_t *ret)
{
	u64 nsec;
	int error = tdx_model_parse_duration(text, &nsec);

	if (!error)
		*ret = nsec;
	return error;
}

static const char *do_host(struct host *host, struct words *words)
{
	for (size_t i = 1; i < words->count; i++) {
		const char *value = tdx_model_split_value(words->word[i]);
		int kernel;
		u64 hidden;

		if (value && strcmp(words->word[i], "kernel") == 0) {
			kernel = (int)host_kernel_from_string(value);
			if (kernel < 0)
				return "error EINVAL no such kernel";
			host->kernel = (enum host_kernel)kernel;
			host->model->host.is_guarding = kernel == HOST_PIECE;
			host->model->host.patch = TDX_MODEL_PATCH_NONE;
			host->upload.recovers = kernel == HOST_PATCHED;
			if (kernel == HOST_PATCHED)
				host->model->host.patch = TDX_MODEL_PATCH_BIT;
		} else if (value && strcmp(words->word[i], "hidden") == 0) {
			if (tdx_model_parse_number(
				    value, tdx_model_lp_count(host->model) - 1, &hidden))
				return "error EINVAL not that many LPs";
			host->hidden_lps = (unsigned)hidden;
		} else if (value && strcmp(words->word[i], "cgroup") == 0) {
			int cgroup = (int)host_cgroup_from_string(value);

			if (cgroup < 0)
				return "error EINVAL root, own or none";
			host->cgroup = (enum host_cgroup)cgroup;
		} else if (value && strcmp(words->word[i], "refused") == 0) {
			host->is_giving_back = strcmp(value, "given-back") == 0;
		} else if (value && strcmp(words->word[i], "tracing") == 0) {
			host->tracing.is_there = strcmp(value, "yes") == 0;
		} else if (value && strcmp(words->word[i], "empty") == 0) {
			if (tdx_model_parse_number(value, 64, &hidden))
				return "error EINVAL not that many LPs";
			host->empty_lps = (unsigned)hidden;
		} else {
			return "error EINVAL kernel=..., hidden=N, empty=N, cgroup=..., "
			       "refused=given-back or tracing=yes";
		}
	}

	return "ok";
}

static const char *do_upload(struct host *host, struct words *words)
{
	if (words->count == 2 && strcmp(words->word[1], "abort") == 0) {
		upload_abort(&host->upload);
		return "ok";
	}
	for (size_t i = 1; i < words->count; i++) {
		const char *value = tdx_model_split_value(words->word[i]);
		int phase = (int)upload_progress_from_string(words->word[i]);

		if (value && phase >= 0 &&
		    !parse_duration(value, &host->phase_nsec[phase]))
			continue;
		if (!value || strcmp(words->word[i], "hold") != 0)
			return "error EINVAL PHASE=DURATION or hold=PHASE";
		phase = (int)upload_progress_from_string(value);
		if (phase < 0 && strcmp(value, "none") != 0)
			return "error EINVAL no such phase";
		host->held_phase = _UPLOAD_PROGRESS_MAX;
		if (phase >= 0)
			host->held_phase = (enum upload_progress)phase;
	}

	return "ok";
}

static const char *do_loading(struct host *host, struct words *words)
{
	if (words->count != 2 || upload_write_loading(&host->upload, words->word[1]))
		return "error EINVAL loading VALUE";

	return "ok";
}

static const char *do_release(struct host *host, struct words *words)
{
	(void)words;
	while (host->delays) {
		struct host_delay *delay = host->delays;

		host->delays = delay->next;
		free(delay->file);
		free(delay);
	}

	return "ok";
}

static const char *do_slow(struct host *host, struct words *words)
{
	bool does_hang = strcmp(words->word[0], "hang") == 0;
	bool does_deny = strcmp(words->word[0], "deny") == 0;
	struct host_delay *delay;
	uint64_t nsec = does_deny ? HOST_DENIES : HOST_HANGS;
	bool has_duration = !does_hang && !does_deny;

	if (words->count != (has_duration ? 3 : 2) ||
	    (has_duration && parse_duration(words->word[2], &nsec)))
		return "error EINVAL slow FILE DURATION, hang FILE, deny FILE";

	delay = calloc(1, sizeof(*delay));
	if (!delay)
		return "error ENOMEM no memory";
	delay->file = strdup(words->word[1]);
	if (!delay->file) {
		free(delay);
		return "error ENOMEM no memory";
	}
	delay->nsec = nsec;
	delay->next = host->delays;
	host->delays = delay;

	return "ok";
}

/* 1, 0, or -1: no such condition. */
static int holds(struct host *host, const struct words *words)
{
	const char *what = words->count > 2 ? words->word[1] : "";
	struct tdx_model_td *td;
	u64 number;

	if (strcmp(what, "td") == 0) {
		if (words->count < 4)
			return -1;
		td = tdx_model_build_find(host->model, words->word[2]);
		return td && strcmp(tdx_model_build_state_name(td), words->word[3]) == 0;
	}
	if (strcmp(what, "upload") == 0) {
		int phase = (int)upload_progress_from_string(words->word[2]);

		if (phase < 0)
			return -1;
		return host->upload.progress == (enum upload_progress)phase;
	}
	if (strcmp(what, "updating") == 0)
		return host->is_updating == (strcmp(words->word[2], "yes") == 0);
	if (!*what || tdx_model_parse_number(words->word[2], UINT32_MAX, &number))
		return -1;
	if (strcmp(what, "building") == 0)
		return tdx_model_building(host->model) == number;
	if (strcmp(what, "updates") == 0)
		return host->model->host.updates == number;

	return -1;
}

static const char *do_wait(struct host *host, struct words *words)
{
	bool is_td = words->count > 1 && strcmp(words->word[1], "td") == 0;
	size_t last = is_td ? 4 : 3;
	uint64_t nsec = WAIT_NSEC;
	struct timespec until;
	int held;

	if (words->count > last && parse_duration(words->word[last], &nsec))
		return "error EINVAL not a duration";
	nsec += host_now_nsec();
	until.tv_sec = (time_t)(nsec / NSEC_PER_SECOND);
	until.tv_nsec = (long)(nsec % NSEC_PER_SECOND);

	while (!(held = holds(host, words)) && !host->is_stopping) {
		if (host_now_nsec() >= nsec)
			return "error ETIMEDOUT it did not come to that";
		pthread_cond_timedwait(&host->changed, &host->lock, &until);
	}

	return held < 0 ? "error EINVAL nothing to wait for" : "ok";
}

static const struct {
	const char *name;
	const char *(*run)(struct host *host, struct words *words);
} commands[] = {
	{ "deny", do_slow },       { "hang", do_slow },       { "host", do_host },
	{ "loading", do_loading }, { "release", do_release }, { "slow", do_slow },
	{ "upload", do_upload },   { "wait", do_wait },
};

static void split(char *line, struct words *ret)
{
	char *word;

	ret->count = 0;
	while (ret->count < WORDS_MAX && (word = tdx_model_next_word(&line)))
		ret->word[ret->count++] = word;
}

static void say_times(const struct host *host, char *ret, size_t size)
{
	snprintf(ret, size, "open %ju commit %ju\nok\n", (uintmax_t)host->open_nsec,
		 (uintmax_t)host->commit_nsec);
}

/* misc_cg_try_charge() refuses what KVM asks it for (tdx.c:__tdx_td_init()). */
static bool is_over_limit(const struct host *host, const struct words *words)
{
	return words->count > 1 && strcmp(words->word[0], "td") == 0 &&
	       strcmp(words->word[1], "build") == 0 && host->slice_max != HOST_NO_MAX &&
	       (int64_t)host_charged(host) >= (int64_t)host->slice_max;
}

static void refuse_charge(struct host *host)
{
	host->refused++;
	host->refused_event++;
	host->given_back += host->is_giving_back;
	if (host->wake_pollers)
		host->wake_pollers(host->userdata);
}

static void run_on_model(struct host *host, const char *line, const struct words *words,
			 char *ret, size_t size)
{
	int error;

	if (is_over_limit(host, words)) {
		refuse_charge(host);
		say(ret, size, "error EBUSY machine.slice has as many TDs as it may");
		return;
	}
	error = tdx_model_command(host->model, line, ret, size);
	if (error == -ENOENT)
		say(ret, size, "error ENOENT no such command");
	if (!error && strcmp(words->word[0], "boot") == 0)
		host_booted(host);
}

void control_run(struct host *host, const char *line, char *ret, size_t size)
{
	_cleanup_(cleanup_free)
	char *copy = strdup(line);
	struct words words;

	if (!copy) {
		say(ret, size, "error ENOMEM no memory");
		return;
	}
	split(copy, &words);
	if (!words.count) {
		say(ret, size, "error EINVAL an empty line");
		return;
	}

	pthread_mutex_lock(&host->lock);
	host_advance(host);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(words.word[0], commands[i].name) != 0)
			continue;
		say(ret, size, commands[i].run(host, &words));
		goto out;
	}
	if (strcmp(words.word[0], "times") == 0)
		say_times(host, ret, size);
	else
		run_on_model(host, line, &words, ret, size);
out:
	host_changed(host);
	pthread_mutex_unlock(&host->lock);
}
