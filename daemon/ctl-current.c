// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * tdxupdctl check, is-current: is there something to do? For scripts and timers.
 */
#include <string.h>

#include <json-c/json.h>

#include "ctl-view.h"
#include "ctl.h"
#include "json.h"

/* {result, from, to}: what is to be known of a plan by somebody who only asks whether. */
static int print_answer(const struct ctl *ctl, struct json_object *plan, int code)
{
	const char *to = code == CTL_EXIT_AVAILABLE ? json_get_text(plan, "to") : NULL;
	_cleanup_(cleanup_json)
	struct json_object *answer = NULL;

	if ((json_new_object(&answer)
		     ?: json_add_text(answer, "result", json_get_text(plan, "result"))
		     ?: json_add_text(answer, "from", json_get_text(plan, "from"))
		     ?: json_add_text(answer, "to", to)) < 0)
		return ctl_fail_memory(ctl);
	return ctl_print_json(ctl, answer);
}

/* Ask, and print the answer as JSON where that is asked for. */
static int ask(struct ctl *ctl, const char *target, struct json_object **ret,
	       int *ret_code)
{
	int r = ctl_view_plan(ctl, target, ret);

	if (r)
		return r;
	*ret_code = ctl_view_exit(*ret);
	return ctl->json == CTL_JSON_OFF ? CTL_EXIT_OK
					 : print_answer(ctl, *ret, *ret_code);
}

int ctl_check(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(cleanup_json)
	struct json_object *plan = NULL;
	int code = CTL_EXIT_OK, r = ask(ctl, NULL, &plan, &code);

	(void)argc;
	(void)argv;
	if (r || code != CTL_EXIT_AVAILABLE)
		return r;
	ctl_say(ctl, "%s", json_get_text(plan, "to"));
	return ctl->is_exit_code ? CTL_EXIT_AVAILABLE : CTL_EXIT_OK;
}

int ctl_is_current(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_(cleanup_json)
	struct json_object *plan = NULL;
	int code, r = ask(ctl, argc > 1 ? argv[1] : NULL, &plan, &code);

	if (r)
		return r;
	ctl_say(ctl, code == CTL_EXIT_OK          ? "current"
		     : code == CTL_EXIT_AVAILABLE ? "outdated"
						  : "blocked");
	return code;
}
