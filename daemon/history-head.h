/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef HISTORY_HEAD_H
#define HISTORY_HEAD_H

#include <stdint.h>

#include "tdxupd.h"

/*
 * The last line of the history, as it was told to somebody else: what shows that lines
 * are missing at its end, which the chain alone can't.
 * @sequence: 0 for none known
 */
struct history_head {
	uint64_t sequence;
	struct tdxupd_digest chain;
};

/* The two fields of the journal that carry it. */
#define HISTORY_HEAD_SEQUENCE "TDXUPD_HISTORY_LINE"
#define HISTORY_HEAD_CHAIN    "TDXUPD_HISTORY_CHAIN"

/* Read from texts as those fields have them. Return: 0; -EBADMSG. */
int history_head_parse(const char *sequence, const char *chain, struct history_head *ret);
/* The latest that root's daemon told this machine's journal; none where it told none, or
 * where the journal can't be read. */
void history_head_find(struct history_head *ret);

#endif
