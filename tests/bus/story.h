/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORY_H
#define STORY_H

#include "history.h"
#include "scene.h"

#define STORY_FILE STATE_DIR "/" HISTORY_FILE

/*
 * What the history tells of the last update: how it ended, "succeeded" for one that is
 * done, or "none" where it never began. Asserts that each line is one.
 * @phase: the last one that was recorded of a job, "none" where there is none
 */
struct story {
	char end[64];
	char phase[32];
	bool was_recovered;
};

void story_read(struct scene *scene, struct story *ret);
/* Whether there is a record in @phase. */
bool story_has(struct scene *scene, const char *phase);
/* The first record in @phase, history_record_done() it; asserts that there is one. */
struct history_record story_find(struct scene *scene, const char *phase);

/*
 * What the simulated machine knows.
 * @was_refused: since its boot, the module or the loader refused a call
 * @trigger_nsec: when its trigger was last pulled
 * @updates: that have ever gone through; a boot does not reset them
 */
struct truth {
	bool is_live;
	bool was_refused;
	uintmax_t trigger_nsec;
	unsigned updates;
};

struct truth story_ask_truth(struct scene *scene);

/* Fails the test where the story is not what happened since @before. @what: for people.
 */
void story_must_be_true(struct scene *scene, const struct truth *before,
			const char *what);

#endif
