// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDs by the calls that were seen, and how far they can be trusted. A build counts from
 * the call that may begin it: the TDX module has begun it when the SEAMCALL returns, and
 * an update can stop the CPU before the call does.
 *
 * Three things make the number unknown. TDs from before, until the machine has none.
 * Calls that went by unseen, the same. And more TDs with a key than MNG.INIT was called
 * for: KVM takes the key a moment before, so that a short difference is a TD that is
 * about to be built.
 */
#include "build-table.h"

/* From the key to MNG.INIT KVM makes the TD and configures its key: milliseconds. */
#define SHORT_MSEC_MAX 2000

void build_table_start(struct build_table *table, struct build_td *tds, unsigned int size)
{
	*table = (struct build_table){
		.tds = tds,
		.size = size,
		.is_doubted = true,
	};
}

static struct build_td *find(struct build_table *table, unsigned long td)
{
	unsigned int i;

	for (i = 0; i < table->count; i++)
		if (table->tds[i].td == td)
			return &table->tds[i];

	return NULL;
}

static struct build_td *add(struct build_table *table, unsigned long td)
{
	struct build_td *known = find(table, td);

	if (known)
		return known;

	if (table->count == table->size) {
		table->is_doubted = true;
		return NULL;
	}

	known = &table->tds[table->count++];
	*known = (struct build_td){ .td = td };
	return known;
}

static void set_building(struct build_table *table, struct build_td *known,
			 bool is_building)
{
	if (known->is_building != is_building)
		table->building += is_building ? 1 : -1;
	known->is_building = is_building;
}

static void drop(struct build_table *table, struct build_td *known)
{
	set_building(table, known, false);
	*known = table->tds[--table->count];
}

/* Of several calls for one TD the TDX module lets one succeed, once. */
static void begin(struct build_table *table, struct build_td *known,
		  enum build_event event)
{
	if (event == BUILD_INIT_ENTERED) {
		known->entered++;
		set_building(table, known, !known->is_begun || known->is_building);
		return;
	}

	if (known->entered)
		known->entered--;
	if (event == BUILD_INIT_DONE && !known->is_begun) {
		known->is_begun = true;
		set_building(table, known, true);
	} else if (!known->entered && !known->is_begun)
		set_building(table, known, false);
}

static void take(struct build_table *table, enum build_event event, unsigned long td)
{
	struct build_td *known = find(table, td);

	switch (event) {
	case BUILD_CREATED:
		/* An address that was another TD's, whose end nobody saw. */
		if (known)
			drop(table, known);
		return;
	case BUILD_INIT_ENTERED:
	case BUILD_INIT_DONE:
		/* Either will do, where the other was missed; an end is the end. */
		if (!known)
			known = add(table, td);
		if (known)
			begin(table, known, event);
		return;
	case BUILD_INIT_FAILED:
		if (known)
			begin(table, known, event);
		return;
	case BUILD_ENDED:
		if (!known)
			return;
		known->is_begun = true;
		set_building(table, known, false);
		return;
	case BUILD_KEY_FREED:
		if (known)
			drop(table, known);
		return;
	}
}

bool build_table_take(struct build_table *table, enum build_event event, unsigned long td)
{
	unsigned int before = table->building;

	table->event_count++;
	take(table, event, td);

	return table->building != before;
}

/* No key is in use: whatever came unseen has gone. */
static void settle(struct build_table *table)
{
	table->count = 0;
	table->building = 0;
	table->is_doubted = false;
	table->is_short = false;
}

/* TDs that have a key and were not seen coming; none where it is not known. */
static long long unseen(struct build_table *table, const struct build_look *look)
{
	long long keys = look->keys + (long long)table->refused;

	if (!look->is_counted || look->event_count != table->event_count)
		return 0;

	/* A key is counted before the call and given back after it: never too few. */
	if (keys < table->count) {
		table->refused += (unsigned long)(table->count - keys);
		return 0;
	}

	return keys - table->count;
}

static bool is_empty(const struct build_table *table, const struct build_look *look)
{
	return look->is_live && look->is_counted &&
	       look->event_count == table->event_count &&
	       look->keys + (long long)table->refused <= 0;
}

int build_table_judge(struct build_table *table, const struct build_look *look)
{
	long long more;

	if (!look->is_live || look->has_missed)
		table->is_doubted = true;
	if (table->is_doubted) {
		if (!is_empty(table, look) || look->has_missed)
			return -ENODATA;
		settle(table);
	}

	more = unseen(table, look);
	if (!more) {
		table->is_short = false;
		return (int)table->building;
	}

	if (!table->is_short) {
		table->is_short = true;
		table->short_msec = look->now_msec;
	}
	if (look->now_msec - table->short_msec > SHORT_MSEC_MAX)
		return -ENODATA;

	return (int)(table->building + more);
}
