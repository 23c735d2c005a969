/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef HOLDS_H
#define HOLDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tdxupd.h"
#include "util.h"

#define HOLDS_FILE "holds.json"
#define HOLDS_ALL  "all"

/* Of a reason, and of who gave it: as many as there may be holds of this size fit into
 * the file. */
#define HOLDS_REASON_BYTES_MAX 512
#define HOLDS_BY_BYTES_MAX     96

/*
 * A version, or HOLDS_ALL, that is not to be loaded.
 * @by: who said so, "root (uid 0)"; "" where nobody did, or where an older release wrote
 *it down. Once it is among holds, neither this nor @reason is NULL
 * @until_usec: CLOCK_REALTIME; until somebody ends it where that is UINT64_MAX, or a time
 *	that only a clock which was never set could have meant
 * @is_automatic: it failed, rather than that somebody said so
 */
struct hold {
	char *what;
	char *reason;
	uint64_t since_usec;
	char *by;
	uint64_t until_usec;
	bool is_automatic;
};

/* The one version where updates may end. @reason, @by: never NULL among holds. */
struct pin {
	bool is_set;
	struct tdxupd_version version;
	char *reason;
	uint64_t since_usec;
	char *by;
};

/*
 * @has_unlisted: a version failed, and there was no room or no memory to list it: all is
 *	held until that is forgiven
 */
struct holds {
	size_t count;
	struct hold *items;
	struct pin pin;
	bool has_unlisted;
};

void holds_done(struct holds *holds);
/* Return: 0; -ENOMEM. */
int holds_copy(const struct holds *holds, struct holds *ret);
/* Replaces the one of the same @what. Return: 0; -EINVAL neither a version nor
 * HOLDS_ALL; -EMSGSIZE a longer reason; -ENOSPC too many; -ENOMEM. On error all is as it
 * was. */
int holds_add(struct holds *holds, const struct hold *hold);
/* HOLDS_ALL ends what could not be listed, too. Return: 0; -ENOENT; -EINVAL as above. */
int holds_remove(struct holds *holds, const char *what);
/* Forget what is over at @now_usec (CLOCK_REALTIME). Return: whether anything was. */
bool holds_expire(struct holds *holds, uint64_t now_usec);
/* Forget versions that are held because they failed. What a file that could not be read
 * holds is somebody's to end by name. Return: whether any was forgotten. */
bool holds_forgive(struct holds *holds);
/* When holds_expire() has something to do; UINT64_MAX never. */
uint64_t holds_get_next(const struct holds *holds);
/* Replaces the one before. Return: 0; -EMSGSIZE a reason that is too long; -ENOMEM. */
int holds_pin(struct holds *holds, const struct pin *pin);
/* Return: 0; -ENOENT nothing is pinned. */
int holds_unpin(struct holds *holds);
/* What keeps @version from being loaded: all or itself. NULL: nothing. @version may be
 * NULL for any. */
const struct hold *holds_find(const struct holds *holds,
			      const struct tdxupd_version *version);
/* One after the other, all that holds_find() may find; NULL: there are no more. */
const struct hold *holds_get(const struct holds *holds, size_t i);

/* Let a policy know: these are its holds and no others, and the pin is its pin. Return:
 * 0; -ENOMEM. */
int holds_apply(const struct holds *holds, struct tdxupd_policy *policy);

/*
 * Read and write HOLDS_FILE in the state directory. A file that can't be read or makes no
 * sense holds everything: what it forbade is not known. Return: 0, with @ret_note about
 * that, or NULL; -ENOMEM. Reading makes no directory. Saving: 0; an errno: the file is as
 * it was.
 */
int holds_load(int root_fd, struct holds *ret, char **ret_note);
int holds_save(int root_fd, const struct holds *holds);

#endif
