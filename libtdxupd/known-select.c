// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Questions to the records: which one is the newest for this CPU, and which one ends an
 * advisory. Answers only ever inform; what may be loaded, compat decides on the image.
 */
#include <string.h>

#include "known-select.h"

#define STEPPING 0xfu

static bool lists_cpu(const struct tdxupd_known_module *known, uint32_t signature)
{
	for (size_t i = 0; i < known->cpu_count; i++)
		if ((known->cpus[i] & ~STEPPING) == (signature & ~STEPPING))
			return true;
	return false;
}

enum known_fit known_fits(const struct tdxupd_known_module *known,
			  const struct tdxupd_host *host)
{
	if (known->cpu_count == 0 || host->socket_count == 0)
		return KNOWN_FIT_UNKNOWN;
	for (size_t i = 0; i < host->socket_count; i++)
		if (!lists_cpu(known, host->sockets[i].signature))
			return known->has_more_cpus ? KNOWN_FIT_UNKNOWN : KNOWN_FIT_NO;
	return KNOWN_FIT_YES;
}

static bool is_same_series(const struct tdxupd_version *a, const struct tdxupd_version *b)
{
	return a->major == b->major && a->minor == b->minor;
}

const struct tdxupd_known_module *
known_find_newest(const struct tdxupd_known_module *known, size_t count,
		  const struct tdxupd_version *version, const struct tdxupd_host *host)
{
	for (size_t i = count; i-- > 0;)
		if (is_same_series(&known[i].version, version) &&
		    known_fits(&known[i], host) == KNOWN_FIT_YES)
			return &known[i];
	return NULL;
}

static bool is_affected(const struct tdxupd_known_module *known, const char *advisory)
{
	for (size_t i = 0; i < known->advisory_count; i++)
		if (strcmp(known->advisories[i], advisory) == 0)
			return true;
	return false;
}

const struct tdxupd_known_module *known_find_fix(const struct tdxupd_known_module *known,
						 size_t count,
						 const struct tdxupd_version *from,
						 const char *advisory,
						 const struct tdxupd_host *host)
{
	for (size_t i = 0; i < count; i++)
		if (is_same_series(&known[i].version, from) &&
		    tdxupd_version_compare(&known[i].version, from) > 0 &&
		    known[i].has_advisories && !is_affected(&known[i], advisory) &&
		    (!host || known_fits(&known[i], host) != KNOWN_FIT_NO))
			return &known[i];
	return NULL;
}
