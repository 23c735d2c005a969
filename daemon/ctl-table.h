/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CTL_TABLE_H
#define CTL_TABLE_H

#include <stddef.h>

#include "ctl.h"

/* @is_right: for numbers. @is_wrapped: takes the room that the others leave; the last. */
struct ctl_column {
	const char *name;
	bool is_right;
	bool is_wrapped;
};

struct ctl_table;

/* @columns must outlive the table. @has_head: column names, unless --no-legend. */
int ctl_table_new(const struct ctl *ctl, const struct ctl_column *columns, size_t count,
		  bool has_head, struct ctl_table **ret);
struct ctl_table *ctl_table_free(struct ctl_table *table);
DEFINE_CLEANUP(struct ctl_table, ctl_table, ctl_table_free)
/* @cells: one a column, NULL shows as "-", copied. @colour: "green" or NULL. */
int ctl_table_add(struct ctl_table *table, const char *const *cells, const char *colour);
/* Return: newly allocated text, free() it; NULL when memory ran out. */
char *ctl_table_format(struct ctl_table *table);
/* Prints it; an empty one and --quiet print nothing. Returns an exit code. */
int ctl_table_print(struct ctl_table *table);

#endif
