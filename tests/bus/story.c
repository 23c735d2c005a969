// SPDX-License-Identifier: LGPL-2.1-or-later
#include "story.h"

#include "../unit/test.h"
#include "util.h"

static void take(const struct history_record *record, struct story *story)
{
	static const char *const others[] = { "started",  "held",   "unheld",
					      "external", "pinned", "unpinned" };

	if (strcmp(record->phase, "recovered") == 0) {
		story->was_recovered = true;
		snprintf(story->end, sizeof(story->end), "%s", record->outcome);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (strcmp(record->phase, others[i]) == 0)
			return;
	snprintf(story->phase, sizeof(story->phase), "%s", record->phase);
	snprintf(story->end, sizeof(story->end), "%s",
		 strcmp(record->phase, "done") == 0 ? "succeeded" : record->phase);
}

/* The next record of @lines, of which it is taken; asserts that it is one. */
static bool take_record(char **lines, struct history_record *ret)
{
	struct tdxupd_digest chain;
	char *line = strsep(lines, "\n");

	if (!line || !*line)
		return false;
	assert_int_equal(history_line_parse(line, strlen(line), NULL, ret, &chain), 0);
	return true;
}

static void read_file(struct scene *scene, const char *path, struct story *story)
{
	_cleanup_(cleanup_free)
	char *text = NULL;
	struct history_record record;

	if (world_read(&scene->world, path, &text) < 0)
		return;
	for (char *lines = text; take_record(&lines, &record);) {
		take(&record, story);
		history_record_done(&record);
	}
}

static bool find(struct scene *scene, const char *phase, struct history_record *ret)
{
	_cleanup_(cleanup_free)
	char *text = NULL;

	assert_int_equal(world_read(&scene->world, STORY_FILE, &text), 0);
	for (char *lines = text; take_record(&lines, ret);) {
		if (strcmp(ret->phase, phase) == 0)
			return true;
		history_record_done(ret);
	}
	return false;
}

struct history_record story_find(struct scene *scene, const char *phase)
{
	struct history_record record;

	if (!find(scene, phase, &record))
		fail_msg("no record of `%s'", phase);
	return record;
}

bool story_has(struct scene *scene, const char *phase)
{
	struct history_record record;

	if (!find(scene, phase, &record))
		return false;
	history_record_done(&record);
	return true;
}

void story_read(struct scene *scene, struct story *ret)
{
	*ret = (struct story){ .end = "none", .phase = "none" };
	read_file(scene, STORY_FILE ".1", ret);
	read_file(scene, STORY_FILE, ret);
}

struct truth story_ask_truth(struct scene *scene)
{
	_cleanup_(cleanup_free)
	char *status = world_ask(&scene->world, "status");
	struct truth truth = { .is_live = strstr(status, "tdx live"),
			       .was_refused = strstr(status, "\nlast ") };
	_cleanup_(cleanup_free)
	char *times = world_ask(&scene->world, "times");
	const char *updates = strstr(status, " updates ");
	const char *commit = strstr(times, " commit ");

	assert_non_null(updates);
	assert_non_null(commit);
	assert_int_equal(sscanf(updates, " updates %u", &truth.updates), 1);
	assert_int_equal(sscanf(commit, " commit %ju", &truth.trigger_nsec), 1);
	return truth;
}

static bool is_one_of(const char *text, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(text, *list) == 0)
			return true;
	return false;
}

/* "unchanged" is either: the trigger does not tell whether it has been pulled. */
static bool is_true(const struct story *story, const struct truth *before,
		    const struct truth *now)
{
	bool was_refused = now->was_refused || now->trigger_nsec != before->trigger_nsec;
	static const char *const refused[] = { "refused", "failed", "unchanged", NULL };
	static const char *const untried[] = { "none", "never-committed", "unchanged",
					       NULL };

	if (!now->is_live)
		return strcmp(story->end, "lost") == 0;
	if (now->updates != before->updates)
		return strcmp(story->end, "succeeded") == 0;
	return is_one_of(story->end, was_refused ? refused : untried);
}

void story_must_be_true(struct scene *scene, const struct truth *before, const char *what)
{
	struct truth now = story_ask_truth(scene);
	struct story story;

	story_read(scene, &story);
	if (!is_true(&story, before, &now))
		fail_msg("%s: told `%s'; the machine is %s after %u updates%s", what,
			 story.end, now.is_live ? "live" : "lost",
			 now.updates - before->updates,
			 now.was_refused ? " and refused one" : "");
}
