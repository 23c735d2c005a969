// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * tdxupdctl check, is-current: is there something to do? For scripts and timers.
 */
#include <string.h>

#include <json-c/json.h>

#include "ctl-view.h"
#include "ctl.h"
#include "json.h"

/* {result, from, to, reason, why, advice}: what is to be known of a plan by somebody who
 * only asks whether. */
static int print_answer(const struct ctl *ctl, struct json_object *plan, int code)
{
	const char *to = code == CTL_EXIT_AVAILABLE ? json_get_text(plan, "to") : NULL;
	_cleanup_(cleanup_json)
	struct json_object *answer = NULL;

	if ((json_new_object(&answer) ?: ctl_view_copy_word(plan, answer)
		     ?: json_add_text(answer, "from", json_get_text(plan, "from"))
		     ?: json_add_text(answer, "to", to)) < 0)
		return ctl_fail_memory(ctl);
	return ctl_print_json(ctl, answer);
}

/* @word: what is printed; NULL for nothing. What is in the way is said beside it. */
static int answer(struct ctl *ctl, struct json_object *plan, const char *word, int code)
{
	_cleanup_(cleanup_free)
	char *text = NULL;

	if (ctl->json != CTL_JSON_OFF)
		return print_answer(ctl, plan, code);
	if (word)
		ctl_say(ctl, "%s", word);
	if (code == CTL_EXIT_OK || code == CTL_EXIT_AVAILABLE)
		return CTL_EXIT_OK;
	text = ctl_view_explain(plan);
	if (!text)
		return ctl_fail_memory(ctl);
	(void)ctl_fail_text(ctl, (enum ctl_exit)code, "blocked", text);
	return CTL_EXIT_OK;
}

int ctl_check(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(cleanup_json)
	struct json_object *plan = NULL;
	int code, r = ctl_view_plan(ctl, NULL, &plan);

	(void)argc;
	(void)argv;
	if (r)
		return r;
	code = ctl_view_exit(plan);
	r = answer(ctl, plan,
		   code == CTL_EXIT_AVAILABLE ? json_get_text(plan, "to") : NULL, code);
	if (r)
		return r;
	return code == CTL_EXIT_AVAILABLE && !ctl->is_exit_code ? CTL_EXIT_OK : code;
}

int ctl_is_current(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(cleanup_json)
	struct json_object *plan = NULL;
	const char *word;
	int code, r = ctl_view_plan(ctl, argc > 1 ? argv[1] : NULL, &plan);

	if (r)
		return r;
	code = ctl_view_exit(plan);
	word = code == CTL_EXIT_OK          ? "current"
	       : code == CTL_EXIT_AVAILABLE ? "outdated"
					    : json_get_text(plan, "reason");
	r = answer(ctl, plan, word, code);
	return r ? r : code;
}
