/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is known of the TDs of a machine from the calls that were seen, and what may be
 * concluded from it. Plain C without locks and clocks: build-watch.c has those, and a
 * test of its own runs it outside of a kernel.
 */
#ifndef TDX_HOST_BUILD_TABLE_H
#define TDX_HOST_BUILD_TABLE_H

#ifdef __KERNEL__
#include <linux/errno.h>
#include <linux/types.h>
#else
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#endif

/*
 * @td: address of KVM's struct tdx_td, the TD's own from MNG.CREATE to MNG.KEY.FREEID
 * @entered: calls of MNG.INIT under way
 * @is_begun: one of them worked, whether the build is going on or has ended
 * @is_building: MNG.INIT was entered, and neither has it failed nor has the build ended
 */
struct build_td {
	unsigned long td;
	unsigned int entered;
	bool is_begun;
	bool is_building;
};

/*
 * @size: TDs that there is room for; one more and nothing is known any more
 * @count: TDs with a key for which MNG.INIT was called
 * @building: of these
 * @event_count: a look whose facts were gathered while this changed compares nothing
 * @is_doubted: TDs may have come unseen: not before the machine has none is it known
 *	again which it has
 * @is_short: more TDs have a key, since @short_msec
 * @refused: keys that KVM has given back to the misc cgroup and never had: before its
 *	mending, each launch that a limit refuses makes the count one too low for good
 */
struct build_table {
	struct build_td *tds;
	unsigned int size;
	unsigned int count;
	unsigned int building;
	unsigned long event_count;
	bool is_doubted;
	bool is_short;
	unsigned long long short_msec;
	unsigned long refused;
};

enum build_event {
	BUILD_CREATED,      /* MNG.CREATE returned 0 */
	BUILD_INIT_ENTERED, /* MNG.INIT was called */
	BUILD_INIT_DONE,    /* ... and returned 0 */
	BUILD_INIT_FAILED,  /* ... or did not */
	BUILD_ENDED,        /* MR.FINALIZE or MNG.VPFLUSHDONE returned 0 */
	BUILD_KEY_FREED,    /* MNG.KEY.FREEID returned 0 */
};

/*
 * @is_live: every probe fires, shown just now
 * @has_missed: a call that begins a build may have gone by unseen since the last look
 * @is_counted: @keys is what the machine counted while the table had @event_count
 * @keys: TDs that have a key, whoever made them
 */
struct build_look {
	bool is_live;
	bool has_missed;
	bool is_counted;
	long long keys;
	unsigned long event_count;
	unsigned long long now_msec;
};

/* TDs come from nowhere when a table starts: whether there were any says the first look.
 */
void build_table_start(struct build_table *table, struct build_td *tds,
		       unsigned int size);
/* Return: whether the number of builds has changed. */
bool build_table_take(struct build_table *table, enum build_event event,
		      unsigned long td);
/*
 * Return: TDs that are being built, or may be, at the most; -ENODATA when that cannot be
 * known.
 */
int build_table_judge(struct build_table *table, const struct build_look *look);

#endif
