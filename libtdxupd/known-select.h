/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef KNOWN_SELECT_H
#define KNOWN_SELECT_H

#include "tdxupd.h"

/* Is a module for every socket of a host? */
enum known_fit {
	KNOWN_FIT_NO,
	KNOWN_FIT_YES,
	KNOWN_FIT_UNKNOWN,
};

enum known_fit known_fits(const struct tdxupd_known_module *known,
			  const struct tdxupd_host *host);
/* Return: the newest of the series of @version that surely is for @host; NULL: none. */
const struct tdxupd_known_module *
known_find_newest(const struct tdxupd_known_module *known, size_t count,
		  const struct tdxupd_version *version, const struct tdxupd_host *host);
/*
 * Return: the oldest later one of the series of @from that is not affected by @advisory
 * and for @host (NULL: for any host); NULL where none is on record.
 */
const struct tdxupd_known_module *known_find_fix(const struct tdxupd_known_module *known,
						 size_t count,
						 const struct tdxupd_version *from,
						 const char *advisory,
						 const struct tdxupd_host *host);

#endif
