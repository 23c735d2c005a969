/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CTL_VERBS_H
#define CTL_VERBS_H

#include "ctl.h"

enum ctl_option_kind {
	CTL_OPTION_FLAG,
	CTL_OPTION_TEXT,
	CTL_OPTION_JSON,    /* --json[=MODE] */
	CTL_OPTION_HELP,    /* print and leave */
	CTL_OPTION_VERSION, /* the same */
};

/*
 * @letter: the short form, 0 for none
 * @argument: shown in the help, NULL for a flag
 * @offset: of the member of struct ctl that it sets
 * @is_global: every verb takes it
 */
struct ctl_option {
	const char *name;
	char letter;
	const char *argument;
	const char *help;
	enum ctl_option_kind kind;
	size_t offset;
	bool is_global;
};

/*
 * @name: one or two words
 * @arguments: shown in the help
 * @options: the names of those that are not global, separated by spaces
 */
struct ctl_verb {
	const char *name;
	const char *arguments;
	int min_arguments;
	int max_arguments; /* -1: any number */
	const char *options;
	const char *help;
	ctl_run_fn run;
};

extern const struct ctl_option ctl_options[];
extern const size_t ctl_option_count;
extern const struct ctl_verb ctl_verbs[];
extern const size_t ctl_verb_count;

/* The verb that @argv begins with; @ret_words: how many of argv its name takes. */
const struct ctl_verb *ctl_verb_find(int argc, char **argv, int *ret_words);
bool ctl_verb_takes(const struct ctl_verb *verb, const struct ctl_option *option);
/* Verbs, options and exit codes. */
void ctl_print_help(const struct ctl *ctl);

#endif
