/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DAEMON_CONFIG_KEYS_H
#define DAEMON_CONFIG_KEYS_H

#include "config.h"

/* Key @i in the order of tdxupd.conf(5) and its default; NULL past the last. The keys
 * that make a warning of a check's refusal are the table of checks'. */
const char *config_key_name(size_t i, const char **ret_fallback);
/* Return: 0; -EBADMSG with @ret_trouble, static text; -ENOMEM. */
int config_key_apply(struct config *config, const char *key, const char *value,
		     const char **ret_trouble);

#endif
