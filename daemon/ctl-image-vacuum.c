// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * tdxupdctl image remove, vacuum: take images out of the store. The images directory is
 * the package manager's, and is left alone.
 */
#include <errno.h>
#include <string.h>

#include <json-c/json.h>

#include "catalog-files.h"
#include "ctl-bus.h"
#include "ctl-facts.h"
#include "ctl-image.h"
#include "ctl.h"
#include "image-need.h"
#include "image-store.h"
#include "job-state.h"
#include "json.h"
#include "lock.h"

#define DIGEST_DIGITS_MIN 8 /* of a name, before it stands for an image */

static int open_store(struct ctl *ctl, int *ret_fd)
{
	int r = image_store_open(ctl->root_fd, ret_fd);

	if (r == -EACCES)
		return ctl_fail(ctl, CTL_EXIT_NOT_AUTHORISED, "store-unwritable",
				STORE_DIR " is root's: run this as root");
	if (r < 0)
		return ctl_fail(ctl, CTL_EXIT_FAILURE, "store-unwritable",
				"can't open " STORE_DIR ": %s", strerror(-r));
	return CTL_EXIT_OK;
}

static const char *stored_name(const struct tdxupd_entry *entry)
{
	return files_is_stored(entry->name) ? entry->name + strlen(STORE_DIR "/") : NULL;
}

static int drop(struct ctl *ctl, int store_fd, const struct tdxupd_entry *entry,
		struct json_object *removed)
{
	char version[TDXUPD_VERSION_TEXT_BYTES];
	const char *name = stored_name(entry);
	int r = image_store_remove(store_fd, name);

	if (r < 0 && r != -ENOENT)
		return ctl_fail(ctl, CTL_EXIT_FAILURE, "store-unwritable",
				"can't remove %s: %s", entry->name, strerror(-r));
	ctl_say(ctl, "removed %s, %s",
		entry->has_version ? tdxupd_version_format(&entry->version, version)
				   : "of no known version",
		entry->name);
	return json_append_text(removed, entry->name) < 0 ? ctl_fail_memory(ctl)
							  : CTL_EXIT_OK;
}

/* A version, or the first digits of the name in the store. */
static bool is_meant(const struct tdxupd_entry *entry, const char *word)
{
	struct tdxupd_version version;
	const char *name = stored_name(entry);

	if (!name)
		return false;
	if (tdxupd_version_parse(word, &version) == 0)
		return entry->has_version &&
		       tdxupd_version_compare(&version, &entry->version) == 0;
	if (files_is_stored(word))
		word += strlen(STORE_DIR "/");
	return strlen(word) >= DIGEST_DIGITS_MIN &&
	       strncmp(name, word, strlen(word)) == 0;
}

static int remove_word(struct ctl *ctl, int store_fd,
		       const struct tdxupd_catalog *catalog, const char *word,
		       struct json_object *removed)
{
	size_t count = 0;
	int r = CTL_EXIT_OK;

	for (size_t i = 0; r == CTL_EXIT_OK && i < catalog->entry_count; i++) {
		if (!is_meant(&catalog->entries[i], word))
			continue;
		r = drop(ctl, store_fd, &catalog->entries[i], removed);
		count++;
	}
	if (r == CTL_EXIT_OK && count == 0)
		return ctl_fail(ctl, CTL_EXIT_NO_IMAGE, "not-stored",
				"\"%s\" is neither the version of an image in " STORE_DIR
				" nor the first %d digits of its name",
				word, DIGEST_DIGITS_MIN);
	return r;
}

int ctl_image_remove(struct ctl *ctl, int argc, char **argv)
{
	struct ctl_facts facts = { 0 };
	_cleanup_(cleanup_json)
	struct json_object *removed = NULL;
	_cleanup_(cleanup_close)
	int store_fd = -1;
	int r = open_store(ctl, &store_fd);

	if (r == CTL_EXIT_OK)
		r = ctl_facts_read_catalog(ctl, &facts);
	if (r == CTL_EXIT_OK && json_new_array(&removed) < 0)
		r = ctl_fail_memory(ctl);
	for (int i = 1; r == CTL_EXIT_OK && i < argc; i++)
		r = remove_word(ctl, store_fd, facts.catalog, argv[i], removed);
	if (r == CTL_EXIT_OK && ctl->json != CTL_JSON_OFF)
		r = ctl_print_json(ctl, removed);
	ctl_facts_done(&facts);
	return r;
}

/* ---- vacuum ---- */

#define JOBS_MAX 64 /* more than the daemon queues */

/* @lock: taken where no daemon has it, so that nobody else begins an update meanwhile */
struct vacuum {
	struct ctl *ctl;
	struct ctl_facts facts;
	struct lock lock;
	size_t job_count;
	struct image_range jobs[JOBS_MAX];
};

static void add_version(struct image_range *range, const char *text)
{
	struct tdxupd_version version;

	if (tdxupd_version_parse(text, &version) == 0)
		image_range_add(range, &version);
}

/* A job that is queued knows where to, and not yet from where: that is what runs. */
static int add_target(sd_bus *bus, const char *path, struct image_range *range)
{
	_cleanup_(cleanup_free)
	char *target = NULL;
	int r = sd_bus_get_property_string(bus, BUS_NAME, path, BUS_JOB, "Target", NULL,
					   &target);

	if (r >= 0)
		add_version(range, target);
	return r;
}

/* A state of a newer daemon's is none that we know the end of. */
static bool is_over(const char *text)
{
	enum job_state state = job_state_from_string(text);

	return state >= 0 && job_state_is_end(state);
}

static int read_job(struct vacuum *vacuum, sd_bus *bus, sd_bus_message *reply)
{
	const char *path, *state, *from, *to;
	struct image_range range = { 0 };
	uint32_t id;
	int r = sd_bus_message_read(reply, "(uosss)", &id, &path, &state, &from, &to);

	if (r <= 0 || is_over(state))
		return r;
	image_range_add(&range, &vacuum->facts.host->module_version);
	add_version(&range, from);
	add_version(&range, to);
	r = add_target(bus, path, &range);
	if (r < 0)
		return r;
	if (vacuum->job_count >= JOBS_MAX)
		return -E2BIG;
	vacuum->jobs[vacuum->job_count++] = range;
	return 1;
}

static int ask_jobs(struct vacuum *vacuum, sd_bus *bus, sd_bus_error *ret_error)
{
	_cleanup_(cleanup_sd_bus_message)
	sd_bus_message *reply = NULL;
	int r = ctl_bus_ask_list(bus, "ListJobs", ret_error, &reply);

	if (r < 0 || (r = sd_bus_message_enter_container(reply, 'a', "(uosss)")) < 0)
		return r;
	while ((r = read_job(vacuum, bus, reply)) > 0)
		;
	return r;
}

/* Return: whether there is no daemon to ask. */
static bool is_nobody_there(const struct ctl *ctl)
{
	struct ctl silent = *ctl;
	_cleanup_(cleanup_sd_bus)
	sd_bus *bus = NULL;

	silent.is_silent = true;
	return !ctl_bus_is_ours(ctl) || ctl_bus_open(&silent, &bus) != CTL_EXIT_OK;
}

/* No daemon: nobody else may be at an update, and nobody may begin one. */
static int take_lock(struct vacuum *vacuum)
{
	int r = lock_take(vacuum->ctl->root_fd, &vacuum->lock);

	if (r == 0)
		return CTL_EXIT_OK;
	return ctl_fail(vacuum->ctl, CTL_EXIT_FAILURE, "busy",
			"nothing is removed while it is not known which images an update "
			"needs: %s",
			lock_explain(r) ? lock_explain(r) : strerror(-r));
}

/* What updates that are under way or queued lead through. */
static int find_jobs(struct vacuum *vacuum)
{
	struct ctl *ctl = vacuum->ctl;
	_cleanup_(cleanup_sd_bus)
	sd_bus *bus = NULL;
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int r;

	if (is_nobody_there(ctl))
		return take_lock(vacuum);
	r = ctl_bus_open(ctl, &bus);
	if (r)
		return r;
	r = ask_jobs(vacuum, bus, &error);
	if (r < 0 && (sd_bus_error_has_name(&error, SD_BUS_ERROR_SERVICE_UNKNOWN) ||
		      sd_bus_error_has_name(&error, SD_BUS_ERROR_NAME_HAS_NO_OWNER)))
		r = take_lock(vacuum);
	else
		r = r < 0 ? ctl_bus_fail(ctl, &error, r) : CTL_EXIT_OK;
	sd_bus_error_free(&error);
	return r;
}

static int remove_needless(struct vacuum *vacuum, int store_fd,
			   struct json_object *removed)
{
	const struct tdxupd_plan *plan = vacuum->facts.plan;
	int r = CTL_EXIT_OK;

	for (size_t i = 0; r == CTL_EXIT_OK && i < plan->candidate_count; i++) {
		const struct tdxupd_entry *entry = plan->candidates[i].entry;

		if (stored_name(entry) &&
		    !image_is_needed(plan, i, vacuum->facts.host,
				     vacuum->facts.config->policy, vacuum->jobs,
				     vacuum->job_count))
			r = drop(vacuum->ctl, store_fd, entry, removed);
	}
	return r;
}

static void vacuum_done(struct vacuum *vacuum)
{
	lock_release(&vacuum->lock);
	ctl_facts_done(&vacuum->facts);
}

int ctl_image_vacuum(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(vacuum_done)
	struct vacuum vacuum = { .ctl = ctl };
	_cleanup_(cleanup_json)
	struct json_object *removed = NULL;
	_cleanup_(cleanup_close)
	int store_fd = -1;
	int r;

	(void)argc;
	(void)argv;
	lock_init(&vacuum.lock);
	r = open_store(ctl, &store_fd);
	if (r == CTL_EXIT_OK)
		r = ctl_facts_make_plan(ctl, NULL, &vacuum.facts);
	if (r == CTL_EXIT_OK)
		r = find_jobs(&vacuum);
	if (r == CTL_EXIT_OK && json_new_array(&removed) < 0)
		r = ctl_fail_memory(ctl);
	if (r == CTL_EXIT_OK)
		r = remove_needless(&vacuum, store_fd, removed);
	if (r == CTL_EXIT_OK && json_count(removed) == 0)
		ctl_say(ctl, "Nothing in " STORE_DIR " is superfluous.");
	if (r == CTL_EXIT_OK && ctl->json != CTL_JSON_OFF)
		r = ctl_print_json(ctl, removed);
	return r;
}
