// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * tdxupdctl image remove, vacuum: take images out of the store. The images directory is
 * the package manager's, and is left alone.
 */
#include <errno.h>
#include <string.h>

#include <json-c/json.h>

#include "catalog-files.h"
#include "ctl-facts.h"
#include "ctl-image.h"
#include "ctl.h"
#include "describe.h"
#include "image-store.h"
#include "io.h"
#include "json.h"

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

/* What runs, what is pinned, and what an update may go to or over. */
static bool is_needed(const struct ctl_facts *facts, size_t candidate)
{
	const struct tdxupd_candidate *image = &facts->plan->candidates[candidate];
	const struct tdxupd_policy *policy = facts->config->policy;
	const struct tdxupd_host *host = facts->host;

	for (size_t i = 0; i < facts->plan->step_count; i++)
		if (facts->plan->steps[i] == candidate)
			return true;
	if (policy->has_pin && image->entry->has_version &&
	    tdxupd_version_compare(&policy->pin, &image->entry->version) == 0)
		return true;
	if (host->has_mrseam && image->entry->image &&
	    tdxupd_digest_is_equal(&host->mrseam, &image->entry->image->mrseam))
		return true;
	return image->state == TDXUPD_CANDIDATE_RUNNING ||
	       image->state == TDXUPD_CANDIDATE_OFFERED ||
	       image->state == TDXUPD_CANDIDATE_REACHABLE;
}

int ctl_image_vacuum(struct ctl *ctl, int argc, char **argv)
{
	struct ctl_facts facts = { 0 };
	_cleanup_(cleanup_json)
	struct json_object *removed = NULL;
	_cleanup_(cleanup_close)
	int store_fd = -1;
	int r = open_store(ctl, &store_fd);

	(void)argc;
	(void)argv;
	if (r == CTL_EXIT_OK)
		r = ctl_facts_make_plan(ctl, NULL, &facts);
	if (r == CTL_EXIT_OK && json_new_array(&removed) < 0)
		r = ctl_fail_memory(ctl);
	for (size_t i = 0; r == CTL_EXIT_OK && i < facts.plan->candidate_count; i++) {
		const struct tdxupd_entry *entry = facts.plan->candidates[i].entry;

		if (stored_name(entry) && !is_needed(&facts, i))
			r = drop(ctl, store_fd, entry, removed);
	}
	if (r == CTL_EXIT_OK && json_count(removed) == 0)
		ctl_say(ctl, "Nothing in " STORE_DIR " is superfluous.");
	if (r == CTL_EXIT_OK && ctl->json != CTL_JSON_OFF)
		r = ctl_print_json(ctl, removed);
	ctl_facts_done(&facts);
	return r;
}
