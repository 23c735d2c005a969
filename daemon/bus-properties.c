// SPDX-License-Identifier: LGPL-2.1-or-later
/* What org.tdxupd1.Manager shows. */
#include <string.h>

#include "build-config.h"
#include "bus-job.h"
#include "bus-properties.h"
#include "manager-gate.h"
#include "manager-jobs.h"
#include "population.h"

static struct manager *manager_of(void *userdata)
{
	return ((struct bus *)userdata)->manager;
}

/* Texts, by name: each is "" while it is not known. */
static const char *text_of(const struct manager *manager, const char *property,
			   char *buffer)
{
	const struct tdxupd_host *host = manager->host;
	const char *text = NULL;

	if (strcmp(property, "Version") == 0)
		text = TDXUPD_VERSION;
	else if (strcmp(property, "TdxState") == 0)
		text = tdxupd_tdx_state_to_string(host->state);
	else if (strcmp(property, "ModuleVersion") == 0 && host->state == TDXUPD_TDX_LIVE)
		text = tdxupd_version_format(&host->module_version, buffer);
	else if (strcmp(property, "SeamldrVersion") == 0 && host->has_seamldr_version)
		text = tdxupd_version_format(&host->seamldr_version, buffer);
	else if (strcmp(property, "UpdateGuard") == 0 && host->has_update_guard)
		text = tdxupd_guard_to_string(host->update_guard);
	else if (strcmp(property, "GateDecision") == 0)
		text = gate_decision_to_string(manager->verdict.decision);
	else if (strcmp(property, "NextVersion") == 0 && manager->has_next)
		text = tdxupd_version_format(&manager->next, buffer);
	else if (strcmp(property, "State") == 0 && manager->is_awaiting)
		text = "recovering";
	else if (strcmp(property, "State") == 0)
		text = manager_get_current(manager) ? "updating" : "idle";
	else if (strcmp(property, "LastResult") == 0)
		text = manager_get_last_result(manager);
	return text ? text : "";
}

int bus_get_text(sd_bus *bus, const char *path, const char *interface,
		 const char *property, sd_bus_message *reply, void *userdata,
		 sd_bus_error *error)
{
	char buffer[TDXUPD_VERSION_TEXT_BYTES];

	(void)bus, (void)path, (void)interface, (void)error;
	if (strcmp(property, "GateDecision") == 0)
		manager_gate_look(manager_of(userdata));
	return sd_bus_message_append(reply, "s",
				     text_of(manager_of(userdata), property, buffer));
}

int bus_get_remaining(sd_bus *bus, const char *path, const char *interface,
		      const char *property, sd_bus_message *reply, void *userdata,
		      sd_bus_error *error)
{
	const struct tdxupd_host *host = manager_of(userdata)->host;
	bool is_known =
		host->has_remaining_updates && host->remaining_updates < INT32_MAX;

	(void)bus, (void)path, (void)interface, (void)property, (void)error;
	return sd_bus_message_append(reply, "i",
				     is_known ? (int32_t)host->remaining_updates : -1);
}

int bus_get_features0(sd_bus *bus, const char *path, const char *interface,
		      const char *property, sd_bus_message *reply, void *userdata,
		      sd_bus_error *error)
{
	const struct tdxupd_host *host = manager_of(userdata)->host;

	(void)bus, (void)path, (void)interface, (void)property, (void)error;
	return sd_bus_message_append(reply, "t",
				     host->has_features0 ? host->features0 : UINT64_C(0));
}

/* The kernel's count, which is the gate source of that name. */
int bus_get_builds(sd_bus *bus, const char *path, const char *interface,
		   const char *property, sd_bus_message *reply, void *userdata,
		   sd_bus_error *error)
{
	const struct sources *sources = &manager_of(userdata)->sources;
	int32_t count = -1;

	(void)bus, (void)path, (void)interface, (void)property, (void)error;
	for (size_t i = 0; i < sources->count; i++) {
		const struct gate_source *word = &sources->words[i];

		if (strcmp(word->name, "kernel") == 0 && word->state != GATE_UNKNOWN)
			count = word->count < INT32_MAX ? (int32_t)word->count
							: INT32_MAX;
	}
	return sd_bus_message_append(reply, "i", count);
}

int bus_get_lacks(sd_bus *bus, const char *path, const char *interface,
		  const char *property, sd_bus_message *reply, void *userdata,
		  sd_bus_error *error)
{
	const struct manager *manager = manager_of(userdata);
	int r = sd_bus_message_open_container(reply, 'a', "s");

	(void)bus, (void)path, (void)interface, (void)property, (void)error;
	for (size_t i = 0; r >= 0 && i < _LACK_MAX; i++)
		if (manager->lacks[i])
			r = sd_bus_message_append(reply, "s", manager->lacks[i]);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

/* Asked for anew each time. */
int bus_get_tds(sd_bus *bus, const char *path, const char *interface,
		const char *property, sd_bus_message *reply, void *userdata,
		sd_bus_error *error)
{
	uint64_t count;
	bool is_known = population_read(manager_of(userdata)->root_fd, &count) == 0 &&
			count < INT32_MAX;

	(void)bus, (void)path, (void)interface, (void)property, (void)error;
	return sd_bus_message_append(reply, "i", is_known ? (int32_t)count : -1);
}

int bus_get_sources(sd_bus *bus, const char *path, const char *interface,
		    const char *property, sd_bus_message *reply, void *userdata,
		    sd_bus_error *error)
{
	struct manager *manager = manager_of(userdata);
	const struct sources *sources = &manager->sources;
	int r;

	(void)bus, (void)path, (void)interface, (void)property, (void)error;
	manager_gate_look(manager);
	r = sd_bus_message_open_container(reply, 'a', "(sssus)");
	for (size_t i = 0; r >= 0 && i < sources->count; i++) {
		const struct gate_source *word = &sources->words[i];

		r = sd_bus_message_append(reply, "(sssus)", word->name,
					  gate_state_to_string(word->state),
					  gate_confidence_to_string(word->confidence),
					  word->count, word->reason);
	}
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

int bus_get_blockers(sd_bus *bus, const char *path, const char *interface,
		     const char *property, sd_bus_message *reply, void *userdata,
		     sd_bus_error *error)
{
	struct manager *manager = manager_of(userdata);

	(void)bus, (void)path, (void)interface, (void)property, (void)error;
	manager_gate_look(manager);
	return bus_append_blockers(reply, &manager->sources, manager->verdict.blocking);
}

int bus_get_current_job(sd_bus *bus, const char *path, const char *interface,
			const char *property, sd_bus_message *reply, void *userdata,
			sd_bus_error *error)
{
	const struct job *job = manager_get_current(manager_of(userdata));
	char buffer[BUS_JOB_PATH_BYTES];

	(void)bus, (void)path, (void)interface, (void)property, (void)error;
	return sd_bus_message_append(reply, "o", bus_job_path(job ? job->id : 0, buffer));
}

/* What is not known is absent. */
static int append_last_update(sd_bus_message *reply, const struct manager *manager)
{
	const struct last_update *last = &manager->last;
	char from[TDXUPD_VERSION_TEXT_BYTES], to[TDXUPD_VERSION_TEXT_BYTES];
	int r;

	if (!*manager_get_last_result(manager))
		return 0;
	r = sd_bus_message_append(reply, "{sv}{sv}{sv}", "id", "u", last->id, "result",
				  "s", last_update_get_result(last), "ended_usec", "t",
				  last->ended_usec);
	if (r >= 0 && last->has_versions)
		r = sd_bus_message_append(reply, "{sv}{sv}", "from", "s",
					  tdxupd_version_format(&last->from, from), "to",
					  "s", tdxupd_version_format(&last->to, to));
	if (r >= 0 && last->detail)
		r = sd_bus_message_append(reply, "{sv}", "detail", "s", last->detail);
	return r;
}

int bus_get_last_update(sd_bus *bus, const char *path, const char *interface,
			const char *property, sd_bus_message *reply, void *userdata,
			sd_bus_error *error)
{
	int r = sd_bus_message_open_container(reply, 'a', "{sv}");

	(void)bus, (void)path, (void)interface, (void)property, (void)error;
	if (r >= 0)
		r = append_last_update(reply, manager_of(userdata));
	return r < 0 ? r : sd_bus_message_close_container(reply);
}
