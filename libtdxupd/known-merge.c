// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Records of several origins put together. What the earlier one knows counts; the later
 * one fills in what the earlier one does not know. A contradiction is never averaged: it
 * is noted, and the earlier one wins.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "known.h"

/* One fact of a record: it is known where the bytes at @has are not all zero. */
struct fact {
	const char *name;
	size_t has, has_bytes;
	size_t value, value_bytes;
};

#define END_OF(member)                                  \
	(offsetof(struct tdxupd_known_module, member) + \
	 sizeof(((struct tdxupd_known_module *)0)->member))
/* From member @first to member @last, which stand next to each other. */
#define FACT(name, has, first, last)                                                \
	{                                                                           \
		name, offsetof(struct tdxupd_known_module, has),                    \
			sizeof(((struct tdxupd_known_module *)0)->has),             \
			offsetof(struct tdxupd_known_module, first),                \
			END_OF(last) - offsetof(struct tdxupd_known_module, first), \
	}

static const struct fact facts[] = {
	FACT("mrseam", has_mrseam, mrseam, mrseam),
	FACT("svn", has_svn, svn, svn),
	FACT("module_hv and no_downgrade", has_handoff, module_hv, no_downgrade),
	FACT("min_update_hv", has_min_update_hv, min_update_hv, min_update_hv),
	FACT("crypto_context", has_crypto_context, crypto_context, crypto_context),
	FACT("features0", has_features0, features0, features0),
	FACT("superseded_features0", superseded_count, superseded_features0,
	     superseded_features0),
	FACT("cpus", cpu_count, cpus, cpus),
	FACT("min_seamldr_versions", min_seamldr_count, min_seamldr_versions,
	     min_seamldr_versions),
	FACT("min_module_version", has_min_module_version, min_module_version,
	     min_module_version),
	FACT("advisories", has_advisories, advisory_count, advisories),
	FACT("date", has_date, date, date),
};

static bool has(const struct tdxupd_known_module *module, const struct fact *fact)
{
	const uint8_t *bytes = (const uint8_t *)module + fact->has;

	for (size_t i = 0; i < fact->has_bytes; i++)
		if (bytes[i])
			return true;
	return false;
}

static bool is_equal(const struct tdxupd_known_module *a,
		     const struct tdxupd_known_module *b, size_t at, size_t bytes)
{
	return memcmp((const uint8_t *)a + at, (const uint8_t *)b + at, bytes) == 0;
}

static void copy(struct tdxupd_known_module *to, const struct tdxupd_known_module *from,
		 size_t at, size_t bytes)
{
	memcpy((uint8_t *)to + at, (const uint8_t *)from + at, bytes);
}

/* A date is information: no one contradicts anyone with it. */
static bool matters(const struct fact *fact)
{
	return fact->value != offsetof(struct tdxupd_known_module, date);
}

/*
 * A record with another MRSEAM or SVN describes another build than ours: nothing of it
 * may be mixed in.
 */
static bool is_other_build(const struct tdxupd_known_module *known,
			   const struct tdxupd_known_module *more)
{
	return (known->has_mrseam && more->has_mrseam &&
		!tdxupd_digest_is_equal(&known->mrseam, &more->mrseam)) ||
	       (known->has_svn && more->has_svn && known->svn != more->svn);
}

static int add_note(struct notes *notes, const char *origin, const char *what,
		    const struct tdxupd_version *version)
{
	char text[TDXUPD_VERSION_TEXT_BYTES];

	return notes_add(notes, "record-contradicts",
			 "%s: its %s of %s contradicts the record that counts", origin,
			 what, tdxupd_version_format(version, text));
}

static int fill_in(struct tdxupd_known_module *known,
		   const struct tdxupd_known_module *more, const char *origin,
		   struct notes *notes)
{
	bool is_other = is_other_build(known, more);
	bool knew_cpus = known->cpu_count;
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(facts); i++) {
		const struct fact *fact = &facts[i];

		if (!has(more, fact))
			continue;
		if (has(known, fact)) {
			if (matters(fact) &&
			    (!is_equal(known, more, fact->has, fact->has_bytes) ||
			     !is_equal(known, more, fact->value, fact->value_bytes)))
				r = add_note(notes, origin, fact->name, &more->version);
		} else if (!is_other) {
			copy(known, more, fact->has, fact->has_bytes);
			copy(known, more, fact->value, fact->value_bytes);
		}
	}
	if (!knew_cpus && !is_other)
		known->has_more_cpus = more->has_more_cpus;
	return r;
}

const struct tdxupd_known_module *known_find(const struct tdxupd_known_module *known,
					     size_t count,
					     const struct tdxupd_version *version)
{
	for (size_t i = 0; i < count; i++)
		if (tdxupd_version_compare(&known[i].version, version) == 0)
			return &known[i];
	return NULL;
}

const struct tdxupd_known_module *
known_find_mrseam(const struct tdxupd_known_module *known, size_t count,
		  const struct tdxupd_digest *mrseam)
{
	for (size_t i = 0; i < count; i++)
		if (known[i].has_mrseam &&
		    tdxupd_digest_is_equal(&known[i].mrseam, mrseam))
			return &known[i];
	return NULL;
}

static int compare_versions(const void *a, const void *b)
{
	const struct tdxupd_known_module *one = a, *other = b;

	return tdxupd_version_compare(&one->version, &other->version);
}

static int add(struct tdxupd_known_module **known, size_t *count,
	       const struct tdxupd_known_module *more)
{
	struct tdxupd_known_module *modules =
		reallocarray(*known, *count + 1, sizeof(*modules));

	if (!modules)
		return -ENOMEM;
	modules[(*count)++] = *more;
	*known = modules;
	return 0;
}

static int merge_one(struct tdxupd_known_module **known, size_t *count, size_t sorted,
		     const struct tdxupd_known_module *more, const char *origin,
		     struct notes *notes)
{
	const struct tdxupd_known_module *same =
		known_find(*known, sorted, &more->version);
	const struct tdxupd_known_module *twin =
		more->has_mrseam ? known_find_mrseam(*known, sorted, &more->mrseam)
				 : NULL;

	/* One measurement is one module: its version is settled. */
	if (twin && twin != same)
		return add_note(notes, origin, "version for the MRSEAM", &twin->version);
	if (!same)
		return add(known, count, more);
	return fill_in(*known + (same - *known), more, origin, notes);
}

int known_merge(struct tdxupd_known_module **known, size_t *count,
		const struct tdxupd_known_module *more, size_t more_count,
		const char *origin, struct notes *notes)
{
	size_t sorted = *count;
	int r = 0;

	for (size_t i = 0; r == 0 && i < more_count; i++)
		r = merge_one(known, count, sorted, &more[i], origin, notes);
	if (*count)
		qsort(*known, *count, sizeof(**known), compare_versions);
	return r;
}
