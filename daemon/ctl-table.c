// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Tables for people, through libsmartcols. The last column may be wrapped at words into
 * what room the terminal leaves, which libsmartcols by itself does not do.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <libsmartcols.h>

#include "ctl-table.h"
#include "ctl-text.h"

#define SEPARATOR        "  "
#define WRAP_COLUMNS_MIN 19 /* narrower is no longer read but spelt */

struct row {
	char **cells;
	const char *colour;
};

struct ctl_table {
	const struct ctl *ctl;
	const struct ctl_column *columns;
	size_t column_count;
	bool has_head;
	size_t row_count;
	struct row *rows;
};

int ctl_table_new(const struct ctl *ctl, const struct ctl_column *columns, size_t count,
		  bool has_head, struct ctl_table **ret)
{
	struct ctl_table *table = calloc(1, sizeof(*table));

	if (!table)
		return -ENOMEM;
	table->ctl = ctl;
	table->columns = columns;
	table->column_count = count;
	table->has_head = has_head && !ctl->has_no_legend;
	*ret = table;
	return 0;
}

static void free_cells(char **cells, size_t count)
{
	for (size_t i = 0; cells && i < count; i++)
		free(cells[i]);
	free(cells);
}

struct ctl_table *ctl_table_free(struct ctl_table *table)
{
	if (!table)
		return NULL;
	for (size_t i = 0; i < table->row_count; i++)
		free_cells(table->rows[i].cells, table->column_count);
	free(table->rows);
	free(table);
	return NULL;
}

int ctl_table_add(struct ctl_table *table, const char *const *cells, const char *colour)
{
	struct row *rows = reallocarray(table->rows, table->row_count + 1, sizeof(*rows));
	char **copies;

	if (!rows)
		return -ENOMEM;
	table->rows = rows;
	copies = calloc(table->column_count, sizeof(*copies));
	if (!copies)
		return -ENOMEM;
	for (size_t i = 0; i < table->column_count; i++) {
		copies[i] = strdup(cells[i] && *cells[i] ? cells[i] : "-");
		if (!copies[i]) {
			free_cells(copies, table->column_count);
			return -ENOMEM;
		}
	}
	rows[table->row_count++] = (struct row){ .cells = copies, .colour = colour };
	return 0;
}

static size_t column_width(const struct ctl_table *table, size_t column)
{
	size_t width = table->has_head ? text_get_width(table->columns[column].name) : 0;

	for (size_t i = 0; i < table->row_count; i++) {
		size_t cell = text_get_width(table->rows[i].cells[column]);

		if (cell > width)
			width = cell;
	}
	return width;
}

/* All but the last column, with what separates them from it. */
static size_t width_of_others(const struct ctl_table *table)
{
	size_t used = 0;

	for (size_t i = 0; i + 1 < table->column_count; i++)
		used += column_width(table, i) + strlen(SEPARATOR);
	return used;
}

/* What the other columns leave for the last one. */
static size_t room_for_last(const struct ctl_table *table)
{
	size_t last = table->column_count - 1;
	size_t used = width_of_others(table);

	if (!table->columns[last].is_wrapped)
		return column_width(table, last);
	if (used + WRAP_COLUMNS_MIN > table->ctl->width)
		return WRAP_COLUMNS_MIN;
	return table->ctl->width - used;
}

static int add_columns(struct ctl_table *table, struct libscols_table *out)
{
	for (size_t i = 0; i < table->column_count; i++) {
		const struct ctl_column *column = &table->columns[i];
		int flags = (column->is_right ? SCOLS_FL_RIGHT : 0) |
			    (column->is_wrapped ? SCOLS_FL_WRAP : 0);
		struct libscols_column *made = scols_table_new_column(
			out, table->has_head ? column->name : "", 0, flags);

		if (!made)
			return -ENOMEM;
		if (column->is_wrapped &&
		    (scols_column_set_safechars(made, "\n") < 0 ||
		     scols_column_set_wrapfunc(made, scols_wrapnl_chunksize,
					       scols_wrapnl_nextchunk, NULL) < 0))
			return -ENOMEM;
	}
	return 0;
}

static int add_row(struct ctl_table *table, const struct row *row, size_t room,
		   struct libscols_table *out)
{
	struct libscols_line *line = scols_table_new_line(out, NULL);

	if (!line)
		return -ENOMEM;
	for (size_t i = 0; i < table->column_count; i++) {
		_cleanup_(cleanup_free)
		char *wrapped = NULL;

		if (table->columns[i].is_wrapped) {
			wrapped = text_wrap(row->cells[i], room);
			if (!wrapped)
				return -ENOMEM;
		}
		if (scols_line_set_data(line, i, wrapped ? wrapped : row->cells[i]) < 0)
			return -ENOMEM;
	}
	if (row->colour && scols_line_set_color(line, row->colour) < 0)
		return -ENOMEM;
	return 0;
}

static int fill(struct ctl_table *table, struct libscols_table *out)
{
	size_t room = room_for_last(table);

	scols_table_enable_noheadings(out, !table->has_head);
	scols_table_enable_colors(out, table->ctl->has_colour);
	/*
	 * libsmartcols wraps on a terminal only, and cuts what is wider; we have wrapped
	 * already and cut nothing: a cut name misleads.
	 */
	scols_table_set_termforce(out, SCOLS_TERMFORCE_ALWAYS);
	scols_table_set_termwidth(out, width_of_others(table) + room);
	if (scols_table_set_column_separator(out, SEPARATOR) < 0 ||
	    add_columns(table, out) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < table->row_count; i++)
		if (add_row(table, &table->rows[i], room, out) < 0)
			return -ENOMEM;
	return 0;
}

char *ctl_table_format(struct ctl_table *table)
{
	struct libscols_table *out = scols_new_table();
	char *text = NULL;

	if (!out)
		return NULL;
	if (fill(table, out) < 0 || scols_print_table_to_string(out, &text) < 0)
		text = NULL;
	scols_unref_table(out);
	return text;
}

/* On a terminal that breaks each line of it, and would leave no table to be seen. */
static bool is_too_wide(const struct ctl_table *table)
{
	return table->ctl->is_terminal && table->has_head &&
	       width_of_others(table) + room_for_last(table) > table->ctl->width;
}

static int print_cell(FILE *out, const struct ctl_table *table, size_t column,
		      size_t indent, const char *cell)
{
	_cleanup_(cleanup_free)
	char *line = NULL;
	_cleanup_(cleanup_free)
	char *wrapped = NULL;

	if (asprintf(&line, "%-*s%s", (int)indent, table->columns[column].name, cell) < 0)
		return -ENOMEM;
	wrapped = text_wrap_lines(line, table->ctl->width, indent);
	if (!wrapped)
		return -ENOMEM;
	fprintf(out, "%s\n", wrapped);
	return 0;
}

/* One line a cell, and an empty one between rows. */
static int print_records(struct ctl_table *table)
{
	size_t indent = 0;
	int r = 0;

	for (size_t i = 0; i < table->column_count; i++)
		if (text_get_width(table->columns[i].name) > indent)
			indent = text_get_width(table->columns[i].name);
	indent += strlen(SEPARATOR);
	for (size_t i = 0; i < table->row_count; i++) {
		if (i)
			putchar('\n');
		for (size_t j = 0; r == 0 && j < table->column_count; j++)
			r = print_cell(stdout, table, j, indent, table->rows[i].cells[j]);
	}
	return r < 0 ? ctl_fail_memory(table->ctl) : CTL_EXIT_OK;
}

int ctl_table_print(struct ctl_table *table)
{
	_cleanup_(cleanup_free)
	char *text = NULL;

	if (!table->row_count || table->ctl->is_quiet)
		return CTL_EXIT_OK;
	if (is_too_wide(table))
		return print_records(table);
	text = ctl_table_format(table);
	if (!text)
		return ctl_fail_memory(table->ctl);
	fputs(text, stdout);
	/* The text of a single table ends without a newline. */
	if (*text && text[strlen(text) - 1] != '\n')
		putchar('\n');
	return CTL_EXIT_OK;
}
