// SPDX-License-Identifier: LGPL-2.1-or-later
/* Prints docs/checks.md from the library's own table. */
#include <stdio.h>

#include "tdxupd.h"

static const struct group {
	enum tdxupd_check first;
	const char *title;
} groups[] = {
	{ TDXUPD_CHECK_FILE_UNSAFE, "The file" },
	{ TDXUPD_CHECK_IMAGE_SIZE, "The container" },
	{ TDXUPD_CHECK_SIGSTRUCT_HEADER, "SIGSTRUCT" },
	{ TDXUPD_CHECK_SIGNER_UNTRUSTED, "Trust" },
	{ TDXUPD_CHECK_TDX_ABSENT, "The host, whatever the image" },
	{ TDXUPD_CHECK_CPU_UNSUPPORTED, "The image on this host" },
};

static const char head[] =
	"<!-- SPDX-License-Identifier: LGPL-2.1-or-later -->\n"
	"<!-- Made from libtdxupd/check.c: build/tests/lib/list-checks >docs/checks.md "
	"-->\n"
	"# Checks\n\n"
	"Everything that is looked at before an image may reach the kernel. Every check "
	"runs\n"
	"for every image and all reasons are told, not just the first. A check that "
	"cannot be\n"
	"decided refuses as well: unknown is never safe. \"P-SEAMLDR\" as a source is "
	"what the\n"
	"loader would have answered, after the old module is gone and every TD with it. "
	"Checks\n"
	"marked \\* are repeated in the last moment before the commit.\n\n"
	"`tdxupdctl list --why` shows them for each image of a host.\n";

static void print_check(const struct tdxupd_check_info *info)
{
	printf("| `%s`%s | %s | %s | %s%s%s | %s | %s |\n", info->code,
	       info->is_last_moment ? " \\*" : "", info->title, info->compares,
	       info->override ? "`" : "", info->override ? info->override : "none",
	       info->override ? "=yes`" : "", info->advice, info->source);
}

int main(void)
{
	size_t group = 0;

	fputs(head, stdout);
	for (int i = 0; i < _TDXUPD_CHECK_MAX; i++) {
		if (group < sizeof(groups) / sizeof(groups[0]) &&
		    groups[group].first == (enum tdxupd_check)i)
			printf("\n## %s\n\n"
			       "| code | what it says | what is compared | override | "
			       "what to do | source of the fact |\n"
			       "|---|---|---|---|---|---|\n",
			       groups[group++].title);
		print_check(tdxupd_check_describe((enum tdxupd_check)i));
	}
	return 0;
}
