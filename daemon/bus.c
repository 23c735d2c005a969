// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The connection: its name, and what is told when. Who may do what is in bus-auth.c, the
 * interfaces are in bus-manager.c and bus-job.c.
 *
 * A bus that goes away takes no job with it: the daemon works on and comes back to the
 * bus when there is one again.
 */
#include <errno.h>
#include <string.h>

#include "bus-job.h"
#include "bus-manager.h"
#include "bus-read.h"
#include "bus-wait.h"
#include "bus.h"
#include "clock.h"
#include "duration.h"
#include "journal.h"
#include "manager-jobs.h"

#define RETRY_USEC (1 * USEC_PER_SEC)

/* After all else: however many ask, the gate that opens is heard first. */
#define BUS_PRIORITY (SD_EVENT_PRIORITY_NORMAL + 10)

static int open_bus(struct bus *bus);

/* ---- for the interfaces ---- */

int bus_fail(sd_bus_error *error, enum failure failure, char *detail)
{
	_cleanup_(cleanup_free)
	char *text = detail;

	return sd_bus_error_set(error, failure_to_string(failure), text ? text : "");
}

int bus_reply_array(sd_bus_message *message, const char *type,
		    int (*append)(sd_bus_message *reply, void *userdata), void *userdata)
{
	sd_bus_message *reply = NULL;
	int r = sd_bus_message_new_method_return(message, &reply);

	if (r >= 0)
		r = sd_bus_message_open_container(reply, 'a', type);
	if (r >= 0)
		r = append(reply, userdata);
	if (r >= 0)
		r = sd_bus_message_close_container(reply);
	if (r >= 0)
		r = sd_bus_send(NULL, reply, NULL);
	sd_bus_message_unref(reply);
	return r;
}

int bus_track_sender(sd_bus_message *message, sd_bus_track_handler_t on_gone,
		     void *userdata, sd_bus_track **ret)
{
	sd_bus_track *track;
	int r;

	r = sd_bus_track_new(sd_bus_message_get_bus(message), &track, on_gone, userdata);
	if (r < 0)
		return r;
	r = sd_bus_track_add_sender(track, message);
	if (r < 0) {
		sd_bus_track_unref(track);
		return r;
	}
	*ret = track;
	return 0;
}

static int append_source(sd_bus_message *reply, const struct gate_source *word)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < word->blocker_count; i++) {
		const struct gate_blocker *blocker = &word->blockers[i];

		r = sd_bus_message_append(reply, "(ssut)", word->name, blocker->who,
					  (uint32_t)blocker->pid, blocker->since_usec);
	}
	return r;
}

int bus_append_blockers(sd_bus_message *reply, const struct sources *sources,
			uint32_t mask)
{
	int r;

	r = sd_bus_message_open_container(reply, 'a', "(ssut)");
	for (size_t i = 0; r >= 0 && i < sources->count; i++)
		if (mask & (UINT32_C(1) << i))
			r = append_source(reply, &sources->words[i]);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

/* ---- what the manager tells ---- */

static void emit(struct bus *bus, const char *member, const char *types, ...)
{
	sd_bus_message *signal = NULL;
	va_list args;
	int r;

	if (!bus->bus)
		return;
	va_start(args, types);
	r = sd_bus_message_new_signal(bus->bus, &signal, BUS_PATH, BUS_MANAGER_INTERFACE,
				      member);
	if (r >= 0)
		r = sd_bus_message_appendv(signal, types, args);
	if (r >= 0)
		(void)sd_bus_send(bus->bus, signal, NULL);
	va_end(args);
	sd_bus_message_unref(signal);
}

static int on_tell(sd_event_source *source, void *userdata)
{
	struct bus *bus = userdata;
	const struct job *job = NULL;

	(void)source;
	for (size_t i = 0; i < bus->manager->job_count; i++)
		if (bus->manager->jobs[i]->id == bus->dirty_job)
			job = bus->manager->jobs[i];
	if (bus->bus && job)
		bus_job_tell(bus, job);
	if (bus->bus && bus->is_dirty)
		bus_manager_tell(bus);
	bus->is_dirty = false;
	bus->dirty_job = 0;
	return 0;
}

/* Thousands of events in a turn of the loop are one signal. */
static void tell_later(struct bus *bus)
{
	(void)sd_event_source_set_enabled(bus->teller, SD_EVENT_ONESHOT);
}

static void on_changed(void *userdata)
{
	struct bus *bus = userdata;

	bus->is_dirty = true;
	tell_later(bus);
}

static void on_gate_changed(void *userdata, enum gate_decision decision)
{
	emit(userdata, "GateChanged", "s", gate_decision_to_string(decision));
}

static void on_build_suspect(void *userdata, const char *source,
			     const struct gate_blocker *build,
			     enum tdxupd_build_harm harm,
			     enum tdxupd_strict_compat strict_compat)
{
	emit(userdata, "BuildSuspect", "ssutss", source, build->who, (uint32_t)build->pid,
	     build->since_usec, tdxupd_build_harm_to_string(harm),
	     tdxupd_strict_compat_to_string(strict_compat));
}

static void on_module_changed(void *userdata, const struct tdxupd_version *from,
			      const struct tdxupd_version *to, const char *cause)
{
	char a[TDXUPD_VERSION_TEXT_BYTES], b[TDXUPD_VERSION_TEXT_BYTES];

	emit(userdata, "ModuleChanged", "sss", tdxupd_version_format(from, a),
	     tdxupd_version_format(to, b), cause);
}

static void on_prepare(void *userdata, bool is_preparing)
{
	emit(userdata, "PrepareForUpdate", "b", (int)is_preparing);
	on_changed(userdata);
}

static void on_job_new(void *userdata, struct job *job)
{
	char path[BUS_JOB_PATH_BYTES];

	emit(userdata, "JobNew", "uo", job->id, bus_job_path(job->id, path));
	on_changed(userdata);
}

/* Each state is told at once, for whoever follows a job; the rest may wait. */
static void on_job_changed(void *userdata, struct job *job)
{
	struct bus *bus = userdata;

	logind_locks_set(&bus->logind_locks, bus->bus, logind_lock_mode_of(job->state));
	if (bus->bus && job->state_since_usec != bus->told_usec) {
		bus->told_usec = job->state_since_usec;
		bus_job_tell(bus, job);
	} else {
		bus->dirty_job = job->id;
	}
	if (job_state_is_end(job->state))
		bus_wait_tell(bus, job);
	on_changed(bus);
}

static void on_job_removed(void *userdata, struct job *job)
{
	char path[BUS_JOB_PATH_BYTES];

	emit(userdata, "JobRemoved", "uos", job->id, bus_job_path(job->id, path),
	     job_get_result(job));
}

/* ---- the connection ---- */

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata);

static void retry_later(struct bus *bus)
{
	bus->retry = sd_event_source_disable_unref(bus->retry);
	(void)sd_event_add_time_relative(bus->manager->event, &bus->retry,
					 CLOCK_MONOTONIC, RETRY_USEC, 0, on_retry, bus);
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct bus *bus = userdata;
	const struct job *job;

	(void)source;
	(void)usec;
	if (open_bus(bus) < 0) {
		retry_later(bus);
		return 0;
	}
	journal_say(LOG_NOTICE, NULL, "back on the bus");
	job = manager_get_current(bus->manager);
	if (job)
		logind_locks_set(&bus->logind_locks, bus->bus,
				 logind_lock_mode_of(job->state));
	return 0;
}

static int on_disconnected(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct bus *bus = userdata;

	(void)message;
	(void)error;
	journal_say(LOG_WARNING, NULL, "the bus has gone away; jobs go on without it");
	retry_later(bus);
	logind_locks_set(&bus->logind_locks, NULL, LOGIND_LOCK_NOTHING);
	bus_auth_done(bus);
	bus_wait_done(bus);
	bus_read_done(bus);
	sd_bus_detach_event(bus->bus);
	bus->bus = sd_bus_close_unref(bus->bus);
	return 0;
}

/* From systemd-logind: the host is about to go down or to sleep, or woke up again. */
static int on_leaving(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct bus *bus = userdata;
	int is_leaving;

	(void)error;
	if (sd_bus_message_read(message, "b", &is_leaving) < 0)
		return 0;
	if (is_leaving)
		manager_let_go(bus->manager);
	else
		(void)manager_refresh(bus->manager, "external");
	return 0;
}

static int watch_logind(struct bus *bus)
{
	static const char *const members[] = { "PrepareForShutdown", "PrepareForSleep" };
	int r = 0;

	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(members); i++)
		r = sd_bus_match_signal_async(bus->bus, NULL, "org.freedesktop.login1",
					      "/org/freedesktop/login1",
					      "org.freedesktop.login1.Manager",
					      members[i], on_leaving, NULL, bus);
	return r;
}

static int connect_bus(const char *address, sd_bus **ret)
{
	sd_bus *bus;
	int r;

	if (!address)
		return sd_bus_open_system(ret);
	r = sd_bus_new(&bus);
	if (r < 0)
		return r;
	r = sd_bus_set_address(bus, address);
	if (r >= 0)
		r = sd_bus_set_bus_client(bus, true);
	if (r >= 0)
		r = sd_bus_start(bus);
	if (r < 0) {
		sd_bus_unref(bus);
		return r;
	}
	*ret = bus;
	return 0;
}

static int open_bus(struct bus *bus)
{
	int r;

	r = connect_bus(bus->address, &bus->bus);
	if (r < 0)
		return r;
	r = sd_bus_match_signal_async(bus->bus, NULL, "org.freedesktop.DBus.Local",
				      "/org/freedesktop/DBus/Local",
				      "org.freedesktop.DBus.Local", "Disconnected",
				      on_disconnected, NULL, bus);
	if (r >= 0)
		r = watch_logind(bus);
	if (r >= 0)
		r = bus_manager_add(bus);
	if (r >= 0)
		r = bus_job_add(bus);
	if (r >= 0)
		r = sd_bus_request_name(bus->bus, BUS_NAME, 0);
	if (r >= 0)
		r = sd_bus_attach_event(bus->bus, bus->manager->event, BUS_PRIORITY);
	if (r < 0)
		bus->bus = sd_bus_flush_close_unref(bus->bus);
	return r;
}

struct bus *bus_free(struct bus *bus)
{
	if (!bus)
		return NULL;
	bus->manager->listener = (struct manager_listener){ 0 };
	logind_locks_set(&bus->logind_locks, NULL, LOGIND_LOCK_NOTHING);
	sd_event_source_disable_unref(bus->teller);
	sd_event_source_disable_unref(bus->retry);
	bus_auth_done(bus);
	bus_wait_done(bus);
	bus_read_done(bus);
	sd_bus_flush_close_unref(bus->bus);
	free(bus);
	return NULL;
}

int bus_new(struct manager *manager, const char *address, struct bus **ret)
{
	_cleanup_(cleanup_bus)
	struct bus *bus = calloc(1, sizeof(*bus));
	int r;

	if (!bus)
		return -ENOMEM;
	bus->manager = manager;
	bus->address = address;
	r = sd_event_add_defer(manager->event, &bus->teller, on_tell, bus);
	if (r >= 0)
		r = open_bus(bus);
	if (r < 0)
		return r;
	manager->listener = (struct manager_listener){
		.changed = on_changed,
		.gate_changed = on_gate_changed,
		.build_suspect = on_build_suspect,
		.module_changed = on_module_changed,
		.prepare = on_prepare,
		.job_new = on_job_new,
		.job_changed = on_job_changed,
		.job_removed = on_job_removed,
		.userdata = bus,
	};
	*ret = TAKE_PTR(bus);
	return 0;
}
