// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Follows one job of the daemon to its end. What is shown of it is ctl-job-show.c's.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>
#include <systemd/sd-event.h>

#include "clock.h"
#include "ctl-bus.h"
#include "ctl-job-show.h"
#include "ctl-job.h"
#include "duration.h"
#include "json.h"

/* The daemon's one write is the update: on a big host it hears nobody for a while. What
 * was asked for stands, so it is waited for, and said so. */
#define SILENCE_USEC (10 * USEC_PER_SEC)

/*
 * @path: NULL until the job is known
 * @has_all: all properties have been read once
 * @job: its properties, merged from all answers and signals
 * @timer: for a look at what lasts
 * @silence: until something has come from the daemon
 * @patience: for a daemon that has gone, @is_gone
 * @deadline: of our own, for a job that goes on without us
 */
struct ctl_job_watch {
	struct ctl *ctl;
	sd_bus *bus;
	sd_event *event;
	char *path;
	bool has_all;
	struct json_object *job;
	sd_event_source *timer;
	sd_event_source *silence;
	sd_event_source *patience;
	sd_event_source *deadline;
	bool is_gone;
	struct ctl_progress progress;
};

/* A daemon that is restarted is back within a second; systemd gives it some more. */
#define RETURN_USEC (15 * USEC_PER_SEC)

/* The daemon looks at a deadline first, and says more about it. */
#define DEADLINE_SLACK_USEC (2 * USEC_PER_SEC)

/* ---- the end ---- */

static int end_loop(struct ctl_job_watch *watch, int code)
{
	return sd_event_exit(watch->event, code);
}

static const char *state_of(const struct ctl_job_watch *watch)
{
	return json_get_text(watch->job, "state") ?: "new";
}

static int say_gone(struct ctl_job_watch *watch)
{
	return end_loop(watch,
			ctl_fail(watch->ctl, CTL_EXIT_UNREACHABLE, "daemon-gone",
				 "tdxupdd went away while the job was %s; `tdxupdctl "
				 "status` says what became of it",
				 state_of(watch)));
}

/* ---- news ---- */

static int show(struct ctl_job_watch *watch)
{
	bool has_ended = false;
	int code;

	/* Signals do not carry what never changes: wait until all is there. */
	if (!watch->has_all)
		return 0;
	code = ctl_job_show(watch->ctl, &watch->progress, watch->job, &has_ended);
	return has_ended || code ? end_loop(watch, code) : 0;
}

static int on_lasting(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct ctl_job_watch *watch = userdata;

	(void)source;
	(void)usec;
	/* Programs are told of changes, and this is none. */
	return watch->ctl->json == CTL_JSON_OFF ? show(watch) : 0;
}

/* Look once more at what a change led to. */
static int look_later(struct ctl_job_watch *watch)
{
	int r;

	watch->timer = sd_event_source_unref(watch->timer);
	r = sd_event_add_time_relative(watch->event, &watch->timer, CLOCK_MONOTONIC,
				       CTL_PROGRESS_DOUBT_USEC, 0, on_lasting, watch);
	return r < 0 ? end_loop(watch, ctl_bus_fail(watch->ctl, NULL, r)) : 0;
}

/* Merge a{sv} at the message's position. */
static int take_properties(struct ctl_job_watch *watch, sd_bus_message *message)
{
	int r = ctl_bus_read_properties(message, watch->job);

	if (r < 0)
		return end_loop(watch, ctl_bus_fail(watch->ctl, NULL, r));
	r = show(watch);
	return r < 0 ? r : look_later(watch);
}

static int on_changed(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct ctl_job_watch *watch = userdata;
	const char *interface;

	(void)error;
	if (!watch->path || strcmp(sd_bus_message_get_path(message), watch->path) != 0 ||
	    sd_bus_message_read(message, "s", &interface) < 0 ||
	    strcmp(interface, BUS_JOB) != 0)
		return 0;
	return take_properties(watch, message);
}

static int on_all(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct ctl_job_watch *watch = userdata;
	const sd_bus_error *answer = sd_bus_message_get_error(message);

	(void)error;
	if (answer && watch->has_all)
		return say_gone(watch);
	if (answer)
		return end_loop(watch, ctl_bus_fail(watch->ctl, answer, 0));
	watch->has_all = true;
	return take_properties(watch, message);
}

/* ---- the daemon's restart ---- */

/* The signal of its return may have come before the job was known. */
static int ask_for_all(struct ctl_job_watch *watch)
{
	return sd_bus_call_method_async(watch->bus, NULL, BUS_NAME, watch->path,
					"org.freedesktop.DBus.Properties", "GetAll",
					on_all, watch, "s", BUS_JOB);
}

static int on_no_return(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct ctl_job_watch *watch = userdata;

	(void)source;
	(void)usec;
	return say_gone(watch);
}

/* A daemon that dies takes no update back: the next one says what became of it, and goes
 * on with a job that a restart has met. Nobody starts one for this. */
static int on_owner(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct ctl_job_watch *watch = userdata;
	const char *name, *before, *after;
	int r;

	(void)error;
	if (sd_bus_message_read(message, "sss", &name, &before, &after) < 0 ||
	    !watch->path)
		return 0;
	if (*after && watch->is_gone) {
		watch->is_gone = false;
		watch->patience = sd_event_source_disable_unref(watch->patience);
		r = ask_for_all(watch);
		return r < 0 ? end_loop(watch, ctl_bus_fail(watch->ctl, NULL, r)) : 0;
	}
	if (*after || !*before)
		return 0;
	watch->is_gone = true;
	watch->patience = sd_event_source_disable_unref(watch->patience);
	r = sd_event_add_time_relative(watch->event, &watch->patience, CLOCK_MONOTONIC,
				       RETURN_USEC, 0, on_no_return, watch);
	return r < 0 ? end_loop(watch, ctl_bus_fail(watch->ctl, NULL, r)) : 0;
}

/* ---- our own deadline ---- */

static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct ctl_job_watch *watch = userdata;
	const char *state = state_of(watch);
	uint64_t id = 0;
	int r;

	(void)usec;
	/* A commit ends within seconds, and whoever asked for it wants to know; a daemon
	 * that does not answer yet is in one. */
	if (!watch->path || strcmp(state, "committing") == 0 ||
	    strcmp(state, "confirming") == 0) {
		r = sd_event_source_set_time_relative(source, DEADLINE_SLACK_USEC);
		return r < 0 ? r : sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	}
	json_get_number(watch->job, "id", &id);
	return end_loop(watch,
			ctl_fail(watch->ctl, CTL_EXIT_BLOCKED, "expired",
				 "the deadline has passed; job %ju, which somebody else "
				 "has asked for too, goes on",
				 (uintmax_t)id));
}

int ctl_job_watch_set_deadline(struct ctl_job_watch *watch, uint64_t usec)
{
	int r;

	if (usec >= USEC_INFINITY - DEADLINE_SLACK_USEC)
		return CTL_EXIT_OK;
	r = sd_event_add_time_relative(watch->event, &watch->deadline, CLOCK_MONOTONIC,
				       usec + DEADLINE_SLACK_USEC, 0, on_deadline, watch);
	return r < 0 ? ctl_bus_fail(watch->ctl, NULL, r) : CTL_EXIT_OK;
}

static int on_interrupt(sd_event_source *source, const struct signalfd_siginfo *info,
			void *userdata)
{
	struct ctl_job_watch *watch = userdata;
	uint64_t id = 0;

	(void)source;
	(void)info;
	if (!watch->path) {
		ctl_say(watch->ctl, "\nInterrupted before tdxupdd has answered; "
				    "`tdxupdctl jobs` says "
				    "whether\nthe update goes on.");
		return end_loop(watch, CTL_EXIT_DETACHED);
	}
	json_get_number(watch->job, "id", &id);
	ctl_say(watch->ctl,
		"\nDetached; the update goes on without you. `tdxupdctl update` comes "
		"back\n"
		"to it, `tdxupdctl cancel %ju` stops it.",
		(uintmax_t)id);
	return end_loop(watch, CTL_EXIT_DETACHED);
}

/* ---- setting up ---- */

static int add_matches(struct ctl_job_watch *watch)
{
	int r = sd_bus_add_match(watch->bus, NULL,
				 "type='signal',sender='" BUS_NAME "',"
				 "interface='org.freedesktop.DBus.Properties',"
				 "member='PropertiesChanged',"
				 "path_namespace='" BUS_JOB_PATHS "'",
				 on_changed, watch);

	if (r < 0)
		return r;
	return sd_bus_add_match(watch->bus, NULL,
				"type='signal',sender='org.freedesktop.DBus',"
				"interface='org.freedesktop.DBus',"
				"member='NameOwnerChanged',arg0='" BUS_NAME "'",
				on_owner, watch);
}

static int add_signals(struct ctl_job_watch *watch)
{
	static const int signals[] = { SIGINT, SIGTERM };
	sigset_t mask;
	int r = 0;

	sigemptyset(&mask);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaddset(&mask, signals[i]);
	if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
		return -errno;
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(signals); i++)
		r = sd_event_add_signal(watch->event, NULL, signals[i], on_interrupt,
					watch);
	return r;
}

static int set_up(struct ctl_job_watch *watch)
{
	int r = json_new_object(&watch->job);

	if (r < 0 || (r = sd_event_new(&watch->event)) < 0 ||
	    (r = sd_bus_attach_event(watch->bus, watch->event, 0)) < 0 ||
	    (r = add_matches(watch)) < 0)
		return r;
	return add_signals(watch);
}

int ctl_job_watch_new(struct ctl *ctl, sd_bus *bus, struct ctl_job_watch **ret)
{
	_cleanup_(cleanup_ctl_job_watch)
	struct ctl_job_watch *watch = calloc(1, sizeof(*watch));
	int r;

	if (!watch)
		return ctl_fail_memory(ctl);
	watch->ctl = ctl;
	watch->bus = sd_bus_ref(bus);
	ctl_progress_init(&watch->progress);
	r = set_up(watch);
	if (r < 0)
		return ctl_bus_fail(ctl, NULL, r);
	*ret = TAKE_PTR(watch);
	return CTL_EXIT_OK;
}

struct ctl_job_watch *ctl_job_watch_free(struct ctl_job_watch *watch)
{
	if (!watch)
		return NULL;
	sd_event_source_unref(watch->timer);
	sd_event_source_unref(watch->silence);
	sd_event_source_unref(watch->patience);
	sd_event_source_unref(watch->deadline);
	sd_bus_detach_event(watch->bus);
	sd_bus_unref(watch->bus);
	sd_event_unref(watch->event);
	json_object_put(watch->job);
	ctl_progress_done(&watch->progress);
	free(watch->path);
	free(watch);
	return NULL;
}

/* Without a limit: whoever asked waits for the update, not for an answer. */
static int call(struct ctl_job_watch *watch, sd_bus_message *message,
		sd_bus_message_handler_t handler)
{
	return sd_bus_call_async(watch->bus, NULL, message, handler, watch,
				 USEC_INFINITY);
}

/*
 * Asynchronous, so that its answer keeps its place among the signals: those before it are
 * older, those after it newer.
 */
static int get_all(struct ctl_job_watch *watch, const char *path)
{
	_cleanup_(cleanup_sd_bus_message)
	sd_bus_message *message = NULL;
	int r;

	watch->path = strdup(path);
	if (!watch->path)
		return -ENOMEM;
	r = sd_bus_message_new_method_call(watch->bus, &message, BUS_NAME, path,
					   "org.freedesktop.DBus.Properties", "GetAll");
	if (r < 0 || (r = sd_bus_message_append(message, "s", BUS_JOB)) < 0)
		return r;
	return call(watch, message, on_all);
}

static int on_answer(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct ctl_job_watch *watch = userdata;
	const sd_bus_error *answer = sd_bus_message_get_error(message);
	const char *path;
	int r;

	(void)error;
	watch->silence = sd_event_source_disable_unref(watch->silence);
	if (answer)
		return end_loop(watch, ctl_bus_fail(watch->ctl, answer, 0));
	r = sd_bus_message_read(message, "o", &path);
	if (r >= 0)
		r = get_all(watch, path);
	return r < 0 ? end_loop(watch, ctl_bus_fail(watch->ctl, NULL, r)) : 0;
}

static int on_silence(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct ctl_job_watch *watch = userdata;

	(void)source;
	(void)usec;
	ctl_say(watch->ctl, "tdxupdd does not answer yet, as while it updates; waiting "
			    "for it");
	return 0;
}

static int run(struct ctl_job_watch *watch, int r)
{
	if (r < 0 || (r = sd_event_loop(watch->event)) < 0)
		return ctl_bus_fail(watch->ctl, NULL, r);
	return r;
}

int ctl_job_watch_run(struct ctl_job_watch *watch, const char *path)
{
	return run(watch, get_all(watch, path));
}

int ctl_job_watch_call(struct ctl_job_watch *watch, sd_bus_message *message)
{
	int r = sd_event_add_time_relative(watch->event, &watch->silence, CLOCK_MONOTONIC,
					   SILENCE_USEC, 0, on_silence, watch);

	if (r >= 0)
		r = call(watch, message, on_answer);
	return run(watch, r);
}
