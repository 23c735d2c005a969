// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the command line of tdxupdctl may say: verbs, the options that each takes, and the
 * help made from these tables. The manual page is held against them by a test.
 */
#include <stdio.h>
#include <string.h>

#include "ctl-text.h"
#include "ctl-verbs.h"

#define FLAG(member) CTL_OPTION_FLAG, offsetof(struct ctl, member)
#define TEXT(member) CTL_OPTION_TEXT, offsetof(struct ctl, member)

/* What decides which host and which images are meant. */
#define WHERE "host-file images mapping"

const struct ctl_option ctl_options[] = {
	/* every verb */
	{ "root", 0, "DIR", "look at the host below DIR instead of /", TEXT(root), true },
	{ "bus-address", 0, "ADDRESS", "talk to the daemon on this bus",
	  TEXT(bus_address), true },
	{ "json", 0, "[MODE]", "print JSON: short, pretty or seq", CTL_OPTION_JSON, 0,
	  true },
	{ "no-start", 0, NULL, "do not start tdxupdd to ask it", FLAG(is_no_start),
	  true },
	{ "no-legend", 0, NULL, "no column names, no closing remarks",
	  FLAG(has_no_legend), true },
	{ "no-pager", 0, NULL, "do not page what log prints", FLAG(is_no_pager), true },
	{ "quiet", 'q', NULL, "print errors only; see the exit code", FLAG(is_quiet),
	  true },
	{ "help", 'h', NULL, "print this", CTL_OPTION_HELP, 0, true },
	{ "version", 0, NULL, "print the version of tdxupdctl", CTL_OPTION_VERSION, 0,
	  true },
	/* some verbs */
	{ "host", 'H', "HOST", "the daemon of that host, through ssh", TEXT(remote),
	  false },
	{ "host-file", 0, "FILE", "plan for the host that FILE describes",
	  TEXT(host_file), false },
	{ "images", 0, "DIR", "take images from DIR, below the root", TEXT(images),
	  false },
	{ "mapping", 0, "FILE", "take this mapping_file.json, below the root",
	  TEXT(mapping), false },
	{ "all", 'a', NULL, "also releases whose image is not here", FLAG(is_all),
	  false },
	{ "why", 0, NULL, "every reason, in full", FLAG(is_why), false },
	{ "strategy", 0, "HOW", "fewest updates, or the smallest steps", TEXT(strategy),
	  false },
	{ "exit-code", 0, NULL, "leave with 31 where an update is there",
	  FLAG(is_exit_code), false },
	{ "deadline", 0, "TIME", "give up when builds leave no gap for TIME",
	  TEXT(deadline), false },
	{ "guard", 0, "HOW", "strict, observed or off for this update", TEXT(guard),
	  false },
	{ "drain", 0, NULL, "make a gap at once; new builds wait", FLAG(is_drain),
	  false },
	{ "plan-id", 0, "ID", "only if the plan is still this one", TEXT(plan_id),
	  false },
	{ "direct", 0, NULL, "without tdxupdd; same lock, checks and gate",
	  FLAG(is_direct), false },
	{ "no-wait", 0, NULL, "do not wait for the job to end", FLAG(is_no_wait), false },
	{ "export-host", 0, NULL, "print the host as JSON for --host-file",
	  FLAG(is_export_host), false },
	{ "for", 0, "TIME", "how long: 90, 5min, 3d", TEXT(duration), false },
	{ "vm", 0, "NAME", "what the TD that is built is called", TEXT(vm), false },
	{ "release-after", 0, "TIME", "give the lease back then, whatever goes on",
	  TEXT(release_after), false },
	{ "until-removed", 0, "FILE", "hold in the background until FILE is gone",
	  TEXT(until_removed), false },
	{ "reason", 0, "TEXT", "why, for those who see it", TEXT(why_text), false },
	{ "who", 0, "NAME", "who keeps updates off, for those who see it", TEXT(who),
	  false },
	{ "mode", 0, "MODE", "block updates, or only delay them", TEXT(mode), false },
	{ "list", 0, NULL, "who keeps updates off", FLAG(is_list), false },
	{ "count", 'n', "NUMBER", "the last so many", TEXT(count), false },
	{ "job", 0, "JOB", "of this update only", TEXT(job), false },
	{ "since", 0, "TIME", "of the last TIME only", TEXT(since), false },
	{ "container", 0, "KIND", "kernel (0x200, the default) or published",
	  TEXT(container), false },
	{ "force", 'f', NULL, "overwrite an existing file", FLAG(is_force), false },
	{ "dot", 0, NULL, "print for graphviz", FLAG(is_dot), false },
};
const size_t ctl_option_count = ARRAY_SIZE(ctl_options);

const struct ctl_verb ctl_verbs[] = {
	{ "status", "", 0, 0, WHERE " host export-host",
	  "what runs here, and what goes on", ctl_status },
	{ "list", "", 0, 0, WHERE " host all why", "every image, and why (not)",
	  ctl_list },
	{ "plan", "[VERSION]", 0, 1, WHERE " host strategy exit-code",
	  "what an update would do", ctl_plan },
	{ "update", "[VERSION]", 0, 1,
	  "host strategy deadline guard drain plan-id direct no-wait",
	  "do it; waits for TDs under build", ctl_update },
	{ "check", "", 0, 0, WHERE " host exit-code",
	  "print the version that is offered, if any", ctl_check },
	{ "is-current", "[VERSION]", 0, 1, WHERE " host",
	  "exit code 0: nothing to do, 31: outdated", ctl_is_current },
	{ "jobs", "", 0, 0, "host", "updates under way and just ended", ctl_jobs },
	{ "watch", "[JOB]", 0, 1, "host", "come back to an update", ctl_watch },
	{ "cancel", "[JOB]", 0, 1, "host", "stop an update that was not committed yet",
	  ctl_cancel },
	{ "blockers", "", 0, 0, "host", "who builds a TD, and who says so",
	  ctl_blockers },
	{ "guard", "[-- COMMAND...]", 0, -1, "vm release-after until-removed",
	  "no update while COMMAND launches a TD", ctl_guard },
	{ "inhibit", "[-- COMMAND...]", 0, -1, "host list who reason mode for",
	  "no update while COMMAND runs; who wants none", ctl_inhibit },
	{ "hold", "[VERSION|all]", 0, 1, "host for reason", "load nothing, or not this",
	  ctl_hold },
	{ "unhold", "[VERSION|all]", 0, 1, "host", "end a hold", ctl_unhold },
	{ "holds", "", 0, 0, "host", "what is held, and why", ctl_holds },
	{ "reset-failed", "", 0, 0, "host", "end holds of what failed",
	  ctl_reset_failed },
	{ "pin", "VERSION", 1, 1, "host reason", "let updates end there only", ctl_pin },
	{ "unpin", "", 0, 0, "host", "let them end anywhere", ctl_unpin },
	{ "history", "", 0, 0, "host count job since", "what was done to this host",
	  ctl_history },
	{ "log", "[ARGUMENT...]", 0, -1, "", "the daemon's journal, by journalctl",
	  ctl_log },
	{ "attest show", "[VERSION]", 0, 1, WHERE " host",
	  "what quotes carry now and after an update", ctl_attest_show },
	{ "attest export", "[VERSION]", 0, 1, WHERE " host",
	  "the same as CoRIM-shaped reference values", ctl_attest_export },
	{ "doctor", "", 0, 0, "images mapping", "what is right here, what is missing",
	  ctl_doctor },
	{ "config show", "", 0, 0, "", "tdxupd.conf as it counts", ctl_config_show },
	{ "version", "", 0, 0, "host", "of tdxupdctl and of the daemon", ctl_version },
	{ "image show", "FILE...", 1, -1, "", "what an image file holds",
	  ctl_image_show },
	{ "image verify", "FILE...", 1, -1, "", "is it genuine?", ctl_image_verify },
	{ "image convert", "FILE NEW", 2, 2, "container force",
	  "the same image in the other container", ctl_image_convert },
	{ "image join", "MODULE SIGSTRUCT NEW", 3, 3, "container force",
	  "an image from its two parts", ctl_image_join },
	{ "image import", "FILE|DIR|-...", 1, -1, "",
	  "check images of any form and store them", ctl_image_import },
	{ "image remove", "VERSION|DIGEST...", 1, -1, "", "remove stored images",
	  ctl_image_remove },
	{ "image vacuum", "", 0, 0, "", "remove stored images that nothing needs",
	  ctl_image_vacuum },
	{ "catalog check", "", 0, 0, "images mapping", "are images and mapping sound?",
	  ctl_catalog_check },
	{ "catalog graph", "", 0, 0, WHERE " dot", "which image may follow which here",
	  ctl_catalog_graph },
};
const size_t ctl_verb_count = ARRAY_SIZE(ctl_verbs);

static bool is_verb(const struct ctl_verb *verb, int argc, char **argv, int *ret_words)
{
	const char *space = strchr(verb->name, ' ');
	size_t first = space ? (size_t)(space - verb->name) : strlen(verb->name);

	if (argc < 1 || strlen(argv[0]) != first ||
	    strncmp(argv[0], verb->name, first) != 0)
		return false;
	if (space && (argc < 2 || strcmp(argv[1], space + 1) != 0))
		return false;
	*ret_words = space ? 2 : 1;
	return true;
}

const struct ctl_verb *ctl_verb_find(int argc, char **argv, int *ret_words)
{
	for (size_t i = 0; i < ctl_verb_count; i++)
		if (is_verb(&ctl_verbs[i], argc, argv, ret_words))
			return &ctl_verbs[i];
	return NULL;
}

bool ctl_verb_takes(const struct ctl_verb *verb, const struct ctl_option *option)
{
	size_t length = strlen(option->name);

	if (option->is_global)
		return true;
	for (const char *p = verb->options; *p; p += strcspn(p, " ")) {
		p += strspn(p, " ");
		if (strcspn(p, " ") == length && strncmp(p, option->name, length) == 0)
			return true;
	}
	return false;
}

static void print_verbs(void)
{
	puts("Verbs:");
	for (size_t i = 0; i < ctl_verb_count; i++) {
		char usage[64];

		snprintf(usage, sizeof(usage), "%s %s", ctl_verbs[i].name,
			 ctl_verbs[i].arguments);
		printf("  %-32s %s\n", usage, ctl_verbs[i].help);
	}
}

static void print_options(const char *title, bool is_global)
{
	printf("\n%s:\n", title);
	for (size_t i = 0; i < ctl_option_count; i++) {
		const struct ctl_option *option = &ctl_options[i];
		bool is_optional = option->kind == CTL_OPTION_JSON;
		char letter[8] = "    ";
		char usage[64];

		if (option->is_global != is_global)
			continue;
		if (option->letter)
			snprintf(letter, sizeof(letter), "-%c, ", option->letter);
		if (is_optional)
			snprintf(usage, sizeof(usage), "%s--%s[=MODE]", letter,
				 option->name);
		else
			snprintf(usage, sizeof(usage), "%s--%s%s%s", letter, option->name,
				 option->argument ? "=" : "",
				 option->argument ? option->argument : "");
		printf("  %-32s %s\n", usage, option->help);
	}
}

void ctl_print_help(const struct ctl *ctl)
{
	(void)ctl;
	puts("tdxupdctl [OPTION...] VERB [ARGUMENT...]\n\n"
	     "Keep the TDX module of this host current without hurting its TDs.\n");
	print_verbs();
	print_options("Options", true);
	print_options("Options of some verbs", false);
	puts("\nExit codes:");
	for (int code = 0; code <= CTL_EXIT_DETACHED; code++)
		if (ctl_exit_describe(code))
			printf("  %3d  %s\n", code, ctl_exit_describe(code));
}
