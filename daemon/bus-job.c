// SPDX-License-Identifier: LGPL-2.1-or-later
/* /org/tdxupd1/job/_N: jobs as anybody may watch them, and root may end them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bus-job.h"
#include "bus-wait.h"
#include "clock.h"
#include "duration.h"
#include "job-run.h"
#include "manager-jobs.h"
#include "text.h"

const char *bus_job_path(uint32_t id, char *ret)
{
	if (id == 0)
		return strcpy(ret, "/");
	snprintf(ret, BUS_JOB_PATH_BYTES, BUS_JOB_PREFIX "/_%u", id);
	return ret;
}

static int find_job(sd_bus *bus, const char *path, const char *interface, void *userdata,
		    void **ret_found, sd_bus_error *error)
{
	struct manager *manager = ((struct bus *)userdata)->manager;
	char expected[BUS_JOB_PATH_BYTES];
	struct job *job;
	unsigned id;

	(void)bus;
	(void)interface;
	(void)error;
	if (sscanf(path, BUS_JOB_PREFIX "/_%10u", &id) != 1)
		return 0;
	job = manager_find_job(manager, id);
	if (!job || strcmp(bus_job_path(id, expected), path) != 0)
		return 0;
	*ret_found = job;
	return 1;
}

static int enumerate(sd_bus *bus, const char *prefix, void *userdata, char ***ret_nodes,
		     sd_bus_error *error)
{
	struct manager *manager = ((struct bus *)userdata)->manager;
	char **nodes = calloc(manager->job_count + 1, sizeof(*nodes));

	(void)bus;
	(void)prefix;
	(void)error;
	if (!nodes)
		return -ENOMEM;
	for (size_t i = 0; i < manager->job_count; i++)
		nodes[i] = text_new(BUS_JOB_PREFIX "/_%u", manager->jobs[i]->id);
	*ret_nodes = nodes; /* sd-bus frees it, down to the first that had no memory */
	return 0;
}

/* ---- methods ---- */

static int answer(sd_bus_message *message, sd_bus_error *error, int r)
{
	if (r == -EBUSY)
		return bus_fail(error, FAILURE_BUSY,
				strdup("the update has been committed; it ends by itself "
				       "within seconds"));
	if (r == -ESRCH)
		return bus_fail(error, FAILURE_NO_SUCH_JOB,
				strdup("the job has ended already"));
	return r < 0 ? r : sd_bus_reply_method_return(message, NULL);
}

/* By its path: it may be gone by the time that polkit has answered. */
static int find_target(sd_bus_message *message, struct bus *bus, struct job **ret,
		       sd_bus_error *error)
{
	void *found;

	if (find_job(NULL, sd_bus_message_get_path(message), NULL, bus, &found, error) <=
	    0)
		return bus_fail(error, FAILURE_NO_SUCH_JOB,
				strdup("the job has ended already"));
	*ret = found;
	return 0;
}

/* Whoever asked for it, as long as nobody else has asked for the same. */
static bool is_starter(sd_bus_message *message, const struct job *job)
{
	struct bus_caller caller;

	bus_find_caller(message, &caller);
	return !job->is_shared && caller.uid != (uid_t)-1 &&
	       caller.uid == job->request.starter;
}

/* May the sender change that job? Return: as bus_authorize(). */
static int authorize(struct bus *bus, sd_bus_message *message,
		     sd_bus_message_handler_t resume, struct job **ret,
		     sd_bus_error *error)
{
	static const struct bus_question about_jobs = { .action = BUS_ACTION_CANCEL };
	int r = find_target(message, bus, ret, error);

	if (r < 0 || is_starter(message, *ret))
		return r < 0 ? r : 1;
	return bus_authorize(bus, message, &about_jobs, resume, error);
}

static int cancel(sd_bus_message *message, void *bus, sd_bus_error *error)
{
	struct job *job;
	int r = authorize(bus, message, cancel, &job, error);

	if (r <= 0)
		return r < 0 ? r : 1;
	return answer(message, error, job_cancel(job));
}

static int set_deadline(sd_bus_message *message, void *bus, sd_bus_error *error)
{
	uint64_t now = clock_usec(CLOCK_MONOTONIC), usec;
	struct job *job;
	int r = sd_bus_message_read(message, "t", &usec);

	if (r >= 0)
		r = authorize(bus, message, set_deadline, &job, error);
	if (r <= 0)
		return r < 0 ? r : 1;
	usec = usec < USEC_INFINITY - now ? now + usec : USEC_INFINITY;
	return answer(message, error, job_set_deadline(job, usec));
}

static int expedite(sd_bus_message *message, void *bus, sd_bus_error *error)
{
	struct job *job;
	int r = authorize(bus, message, expedite, &job, error);

	if (r <= 0)
		return r < 0 ? r : 1;
	return answer(message, error, job_expedite(job));
}

/*
 * The vtable's userdata is the job; what is resumed gets the bus, and looks for the job
 * itself.
 */
static struct bus *bus_of(sd_bus_message *message)
{
	sd_bus *bus = sd_bus_message_get_bus(message);

	return sd_bus_slot_get_userdata(sd_bus_get_current_slot(bus));
}

static int on_cancel(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	(void)userdata;
	return cancel(message, bus_of(message), error);
}

static int on_expedite(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	(void)userdata;
	return expedite(message, bus_of(message), error);
}

static int on_set_deadline(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	(void)userdata;
	return set_deadline(message, bus_of(message), error);
}

static int on_wait(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	int r = bus_wait_for(bus_of(message), message, userdata);

	if (r == -EDQUOT || r == -ENOBUFS)
		return bus_fail(error, FAILURE_LIMIT,
				strdup("too many wait for jobs; follow their properties "
				       "instead"));
	return r;
}

/* ---- properties ---- */

static int get_id(sd_bus *bus, const char *path, const char *interface,
		  const char *property, sd_bus_message *reply, void *userdata,
		  sd_bus_error *error)
{
	const struct job *job = userdata;

	(void)bus, (void)path, (void)interface, (void)property, (void)error;
	return sd_bus_message_append(reply, "u", job->id);
}

/* Texts, by name: each is "" while it is not known. */
static const char *text_of(const struct job *job, const char *property, char *buffer)
{
	const char *text = NULL;

	if (strcmp(property, "Target") == 0 && job->request.has_target)
		text = tdxupd_version_format(&job->request.target, buffer);
	else if (strcmp(property, "From") == 0 && job->has_versions)
		text = tdxupd_version_format(&job->from, buffer);
	else if (strcmp(property, "To") == 0 && job->has_versions)
		text = tdxupd_version_format(&job->to, buffer);
	else if (strcmp(property, "PlanId") == 0)
		text = job->plan_id;
	else if (strcmp(property, "State") == 0)
		text = job_state_to_string(job->state);
	else if (strcmp(property, "Phase") == 0)
		text = job_state_to_string(job->phase);
	else if (strcmp(property, "Outcome") == 0)
		text = tdxupd_outcome_to_string(job->outcome);
	else if (strcmp(property, "Result") == 0)
		text = job_get_result(job);
	else if (strcmp(property, "Detail") == 0)
		text = job->detail;
	return text ? text : "";
}

static int get_text(sd_bus *bus, const char *path, const char *interface,
		    const char *property, sd_bus_message *reply, void *userdata,
		    sd_bus_error *error)
{
	char buffer[TDXUPD_VERSION_TEXT_BYTES];

	(void)bus, (void)path, (void)interface, (void)error;
	return sd_bus_message_append(reply, "s", text_of(userdata, property, buffer));
}

static int get_time(sd_bus *bus, const char *path, const char *interface,
		    const char *property, sd_bus_message *reply, void *userdata,
		    sd_bus_error *error)
{
	const struct job *job = userdata;

	(void)bus, (void)path, (void)interface, (void)error;
	return sd_bus_message_append(reply, "t",
				     strcmp(property, "StateSince") == 0
					     ? job->state_since_usec
					     : job->next_attempt_usec);
}

static int get_number(sd_bus *bus, const char *path, const char *interface,
		      const char *property, sd_bus_message *reply, void *userdata,
		      sd_bus_error *error)
{
	const struct job *job = userdata;

	(void)bus, (void)path, (void)interface, (void)error;
	return sd_bus_message_append(
		reply, "u",
		strcmp(property, "Attempt") == 0 ? job->attempts : job_get_progress(job));
}

static int get_cancellable(sd_bus *bus, const char *path, const char *interface,
			   const char *property, sd_bus_message *reply, void *userdata,
			   sd_bus_error *error)
{
	(void)bus, (void)path, (void)interface, (void)property, (void)error;
	return sd_bus_message_append(reply, "b", job_can_cancel(userdata));
}

static int get_blockers(sd_bus *bus, const char *path, const char *interface,
			const char *property, sd_bus_message *reply, void *userdata,
			sd_bus_error *error)
{
	const struct job *job = userdata;
	bool is_waiting = job->state == JOB_WAITING || job->state == JOB_BACKOFF;

	(void)bus, (void)path, (void)interface, (void)property, (void)error;
	return bus_append_blockers(reply, job->context->sources,
				   is_waiting ? job->verdict.blocking : 0);
}

static int get_suspects(sd_bus *bus, const char *path, const char *interface,
			const char *property, sd_bus_message *reply, void *userdata,
			sd_bus_error *error)
{
	const struct job *job = userdata;
	int r = sd_bus_message_open_container(reply, 'a', "s");

	(void)bus, (void)path, (void)interface, (void)property, (void)error;
	for (size_t i = 0; r >= 0 && i < job->suspect_count; i++)
		r = sd_bus_message_append(reply, "s", job->suspects[i]);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

/* ---- the interface ---- */

#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("Id", "u", get_id, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("Target", "s", get_text, 0, CHANGES),
	SD_BUS_PROPERTY("From", "s", get_text, 0, CHANGES),
	SD_BUS_PROPERTY("To", "s", get_text, 0, CHANGES),
	SD_BUS_PROPERTY("PlanId", "s", get_text, 0, CHANGES),
	SD_BUS_PROPERTY("State", "s", get_text, 0, CHANGES),
	SD_BUS_PROPERTY("Phase", "s", get_text, 0, CHANGES),
	SD_BUS_PROPERTY("StateSince", "t", get_time, 0, CHANGES),
	SD_BUS_PROPERTY("Attempt", "u", get_number, 0, CHANGES),
	SD_BUS_PROPERTY("Progress", "u", get_number, 0, CHANGES),
	SD_BUS_PROPERTY("NextAttempt", "t", get_time, 0, CHANGES),
	SD_BUS_PROPERTY("Blockers", "a(ssut)", get_blockers, 0, CHANGES),
	SD_BUS_PROPERTY("Cancellable", "b", get_cancellable, 0, CHANGES),
	SD_BUS_PROPERTY("Outcome", "s", get_text, 0, CHANGES),
	SD_BUS_PROPERTY("Result", "s", get_text, 0, CHANGES),
	SD_BUS_PROPERTY("Detail", "s", get_text, 0, CHANGES),
	SD_BUS_PROPERTY("Suspects", "as", get_suspects, 0, CHANGES),
	SD_BUS_METHOD("Cancel", "", "", on_cancel, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("Expedite", "", "", on_expedite, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("SetDeadline", SD_BUS_ARGS("t", usec), SD_BUS_NO_RESULT,
				on_set_deadline, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Wait", SD_BUS_NO_ARGS,
				SD_BUS_RESULT("s", result, "s", detail), on_wait,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END
};

int bus_job_add(struct bus *bus)
{
	int r;

	r = sd_bus_add_fallback_vtable(bus->bus, NULL, BUS_JOB_PREFIX, BUS_JOB_INTERFACE,
				       vtable, find_job, bus);
	if (r >= 0)
		r = sd_bus_add_node_enumerator(bus->bus, NULL, BUS_JOB_PREFIX, enumerate,
					       bus);
	return r;
}

void bus_job_tell(struct bus *bus, const struct job *job)
{
	char path[BUS_JOB_PATH_BYTES];

	/* Without names: all that may change. */
	(void)sd_bus_emit_properties_changed_strv(bus->bus, bus_job_path(job->id, path),
						  BUS_JOB_INTERFACE, NULL);
}
