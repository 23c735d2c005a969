// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The head of the history's chain in the journal. It is as good as the journal: root can
 * write both, but not one that was sealed, or sent elsewhere.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-journal.h>

#include "history-head.h"
#include "journal.h"
#include "util.h"

#define FIELD_BYTES 160

int history_head_parse(const char *sequence, const char *chain, struct history_head *ret)
{
	struct history_head head;
	char *end;

	if (*sequence < '0' || *sequence > '9')
		return -EBADMSG;
	errno = 0;
	head.sequence = strtoull(sequence, &end, 10);
	if (errno || *end || !head.sequence ||
	    tdxupd_digest_parse(chain, &head.chain) < 0)
		return -EBADMSG;
	*ret = head;
	return 0;
}

/* "NAME=value" becomes "value". */
static int get_field(sd_journal *journal, const char *name, char *ret, size_t size)
{
	size_t length = strlen(name) + 1, bytes;
	const void *data;
	int r = sd_journal_get_data(journal, name, &data, &bytes);

	if (r < 0)
		return r;
	if (bytes < length || bytes - length >= size)
		return -EBADMSG;
	memcpy(ret, (const char *)data + length, bytes - length);
	ret[bytes - length] = '\0';
	return 0;
}

static int find(sd_journal *journal, struct history_head *ret)
{
	char sequence[FIELD_BYTES], chain[FIELD_BYTES];
	int r;

	r = sd_journal_add_match(journal, "MESSAGE_ID=" MESSAGE_HISTORY_LINE, 0);
	/* The journal's own word for who said it. */
	if (r >= 0)
		r = sd_journal_add_match(journal, "_UID=0", 0);
	if (r >= 0)
		r = sd_journal_seek_tail(journal);
	if (r >= 0)
		r = sd_journal_previous(journal);
	if (r <= 0)
		return r < 0 ? r : -ENODATA;
	r = get_field(journal, HISTORY_HEAD_SEQUENCE, sequence, sizeof(sequence));
	if (r >= 0)
		r = get_field(journal, HISTORY_HEAD_CHAIN, chain, sizeof(chain));
	return r < 0 ? r : history_head_parse(sequence, chain, ret);
}

void history_head_find(struct history_head *ret)
{
	sd_journal *journal;

	*ret = (struct history_head){ 0 };
	if (sd_journal_open(&journal, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM) < 0)
		return;
	(void)find(journal, ret);
	sd_journal_close(journal);
}
