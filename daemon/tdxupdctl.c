// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * tdxupdctl: reads the command line and calls the verb. What it may say is in
 * ctl-verbs.c, what each verb does in ctl-<verb>.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "build-config.h"
#include "ctl-verbs.h"
#include "ctl.h"

#define OPTIONS_MAX   48
#define WIDTH_DEFAULT 80
#define WIDTH_MIN     20
#define WIDTH_MAX     1000

/* getopt's value of option i; letters stay below. */
#define OPTION_BASE 256

static void make_getopt(struct option *ret, char *ret_letters)
{
	char *letter = ret_letters;

	*letter++ = '-'; /* hand out arguments in their place among the options */
	*letter++ = ':'; /* tell a missing value from an unknown option */
	for (size_t i = 0; i < ctl_option_count && i < OPTIONS_MAX - 1; i++) {
		const struct ctl_option *option = &ctl_options[i];

		ret[i] = (struct option){
			.name = option->name,
			.has_arg = option->kind == CTL_OPTION_JSON ? optional_argument
				   : option->argument              ? required_argument
								   : no_argument,
			.val = OPTION_BASE + (int)i,
		};
		if (option->letter)
			*letter++ = option->letter;
		if (option->letter && option->argument)
			*letter++ = ':';
	}
	*letter = '\0';
}

static const struct ctl_option *find_letter(int letter)
{
	for (size_t i = 0; i < ctl_option_count; i++)
		if (ctl_options[i].letter && ctl_options[i].letter == letter)
			return &ctl_options[i];
	return NULL;
}

static int set_option(struct ctl *ctl, const struct ctl_option *option, const char *value)
{
	char *member = (char *)ctl + option->offset;

	switch (option->kind) {
	case CTL_OPTION_FLAG:
		*(bool *)member = true;
		break;
	case CTL_OPTION_TEXT:
		*(const char **)member = value;
		break;
	case CTL_OPTION_JSON:
		ctl->json = value ? ctl_json_from_string(value) : CTL_JSON_SHORT;
		if (ctl->json < 0) {
			ctl->json = CTL_JSON_OFF;
			return ctl_fail(ctl, CTL_EXIT_USAGE, "usage",
					"--json= is short, pretty or seq, not \"%s\"",
					value);
		}
		break;
	default:
		break;
	}
	return CTL_EXIT_OK;
}

static int fail_option(struct ctl *ctl, int c, const char *word)
{
	return ctl_fail(ctl, CTL_EXIT_USAGE, "usage",
			c == ':' ? "%s needs a value; see --help"
				 : "unknown option %s; see --help",
			word);
}

/*
 * What a command line said. @given: one flag an option; @words: the verb and its
 * arguments
 */
struct line {
	bool given[OPTIONS_MAX];
	int count;
	char **words;
};

/* Everything behind the verb is for another program. */
static bool is_for_another(const struct line *line)
{
	static const char *const verbs[] = { "guard", "inhibit", "log" };

	return line->count == 1 &&
	       string_table_find(verbs, ARRAY_SIZE(verbs), line->words[0]) >= 0;
}

/* -1 when it was answered already. */
static int take_option(struct ctl *ctl, const struct ctl_option *option,
		       struct line *line)
{
	if (option->kind == CTL_OPTION_HELP) {
		ctl_print_help(ctl);
		return -1;
	}
	if (option->kind == CTL_OPTION_VERSION) {
		puts("tdxupdctl " TDXUPD_VERSION);
		return -1;
	}
	line->given[option - ctl_options] = true;
	return set_option(ctl, option, optarg);
}

static int parse_line(struct ctl *ctl, int argc, char **argv, struct line *line)
{
	struct option options[OPTIONS_MAX] = { 0 };
	char letters[2 * OPTIONS_MAX + 3];
	int c, r = CTL_EXIT_OK;

	make_getopt(options, letters);
	while (r == CTL_EXIT_OK &&
	       (c = getopt_long(argc, argv, letters, options, NULL)) >= 0) {
		const struct ctl_option *option;

		if (c == 1) {
			bool is_last = is_for_another(line);

			line->words[line->count++] = optarg;
			if (is_last)
				break;
			continue;
		}
		option =
			c >= OPTION_BASE ? &ctl_options[c - OPTION_BASE] : find_letter(c);
		r = c == '?' || c == ':' || !option
			    ? fail_option(ctl, c, argv[optind - 1])
			    : take_option(ctl, option, line);
	}
	while (r == CTL_EXIT_OK && optind < argc)
		line->words[line->count++] = argv[optind++];
	return r;
}

static unsigned get_width(bool is_terminal)
{
	const char *columns = getenv("COLUMNS");
	unsigned long width = columns ? strtoul(columns, NULL, 10) : 0;
	struct winsize size;

	if (!width && is_terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
		width = size.ws_col;
	if (!width)
		width = WIDTH_DEFAULT;
	if (width < WIDTH_MIN)
		return WIDTH_MIN;
	return width > WIDTH_MAX ? WIDTH_MAX : (unsigned)width;
}

static void look_at_terminal(struct ctl *ctl)
{
	const char *no_colour = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	ctl->is_terminal = isatty(STDOUT_FILENO);
	ctl->has_colour = ctl->is_terminal && !(no_colour && *no_colour) && term &&
			  strcmp(term, "dumb") != 0;
	ctl->width = get_width(ctl->is_terminal);
}

static int check_usage(struct ctl *ctl, const struct ctl_verb *verb, int count,
		       const bool *given)
{
	if (count < verb->min_arguments)
		return ctl_fail(ctl, CTL_EXIT_USAGE, "usage",
				"too few arguments: tdxupdctl %s %s", verb->name,
				verb->arguments);
	if (verb->max_arguments >= 0 && count > verb->max_arguments)
		return ctl_fail(ctl, CTL_EXIT_USAGE, "usage",
				"too many arguments: tdxupdctl %s%s%s", verb->name,
				*verb->arguments ? " " : "", verb->arguments);
	for (size_t i = 0; i < ctl_option_count; i++)
		if (given[i] && !ctl_verb_takes(verb, &ctl_options[i]))
			return ctl_fail(ctl, CTL_EXIT_USAGE, "usage",
					"%s does not take --%s", verb->name,
					ctl_options[i].name);
	return CTL_EXIT_OK;
}

static int run_verb(struct ctl *ctl, int argc, char **argv, const bool *given)
{
	const struct ctl_verb *verb;
	int words = 0;
	int r;

	if (argc == 0)
		return ctl_fail(ctl, CTL_EXIT_USAGE, "usage",
				"no verb; `tdxupdctl status` is a good start, --help "
				"lists all");
	verb = ctl_verb_find(argc, argv, &words);
	if (!verb)
		return ctl_fail(ctl, CTL_EXIT_USAGE, "usage",
				"unknown verb \"%s\"; see --help", argv[0]);
	r = check_usage(ctl, verb, argc - words, given);
	if (r)
		return r;
	ctl->root_fd = open(ctl->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ctl->root_fd < 0)
		return ctl_fail(ctl, CTL_EXIT_FAILURE, "root-unreadable",
				"can't open the root directory %s: %s", ctl->root,
				strerror(errno));
	r = verb->run(ctl, argc - words + 1, argv + words - 1);
	close(ctl->root_fd);
	return r;
}

int main(int argc, char **argv)
{
	struct ctl ctl = { .root = "/", .root_fd = -1 };
	struct line line = { .words = calloc((size_t)argc + 1, sizeof(*line.words)) };
	int r;

	setlocale(LC_ALL, "");
	look_at_terminal(&ctl);
	r = line.words ? parse_line(&ctl, argc, argv, &line) : ctl_fail_memory(&ctl);
	if (r == CTL_EXIT_OK)
		r = run_verb(&ctl, line.count, line.words, line.given);
	free(line.words);
	if (r < 0)
		return CTL_EXIT_OK;
	/* What a flush before this one could not write is gone, and only this tells. */
	if ((fflush(stdout) == EOF || ferror(stdout)) && r == CTL_EXIT_OK)
		r = ctl_fail(&ctl, CTL_EXIT_FAILURE, "unwritable",
			     "can't write all of the answer");
	return r;
}
