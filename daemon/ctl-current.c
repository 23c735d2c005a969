// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * tdxupdctl check, is-current: is there something to do? For scripts and timers. Needs no
 * daemon.
 */
#include <json-c/json.h>

#include "ctl-facts.h"
#include "ctl-reasons.h"
#include "ctl.h"
#include "describe.h"
#include "json.h"

/* {result, from, to}: what is to be known of a plan by somebody who only asks whether. */
static int describe_answer(const struct tdxupd_plan *plan, struct json_object **ret)
{
	_cleanup_(cleanup_json)
	struct json_object *answer = NULL;
	int r;

	r = json_new_object(&answer)
		?: json_add_text(answer, "result",
				 tdxupd_plan_result_to_string(plan->result))
		?: describe_version(answer, "from", &plan->from);
	if (r == 0 && plan->result == TDXUPD_PLAN_UPDATE)
		r = describe_version(answer, "to", &plan->to);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(answer);
	return 0;
}

/* Make the plan and print it as JSON where that is asked for. */
static int ask(struct ctl *ctl, const char *target, struct ctl_facts *facts)
{
	_cleanup_(cleanup_json)
	struct json_object *answer = NULL;
	int r = ctl_facts_make_plan(ctl, target, facts);

	if (r || ctl->json == CTL_JSON_OFF)
		return r;
	if (describe_answer(facts->plan, &answer) < 0)
		return ctl_fail_memory(ctl);
	return ctl_print_json(ctl, answer);
}

int ctl_check(struct ctl *ctl, int argc, char **argv)
{
	struct ctl_facts facts = { 0 };
	char text[TDXUPD_VERSION_TEXT_BYTES];
	int r = ask(ctl, NULL, &facts);

	(void)argc;
	(void)argv;
	if (r == CTL_EXIT_OK && facts.plan->result == TDXUPD_PLAN_UPDATE) {
		ctl_say(ctl, "%s", tdxupd_version_format(&facts.plan->to, text));
		r = ctl->is_exit_code ? CTL_EXIT_AVAILABLE : CTL_EXIT_OK;
	}
	ctl_facts_done(&facts);
	return r;
}

int ctl_is_current(struct ctl *ctl, int argc, char **argv)
{
	struct ctl_facts facts = { 0 };
	_cleanup_(cleanup_free)
	char *detail = NULL;
	int r = ask(ctl, argc > 1 ? argv[1] : NULL, &facts);

	if (r == CTL_EXIT_OK) {
		switch (facts.plan->result) {
		case TDXUPD_PLAN_CURRENT:
			ctl_say(ctl, "current");
			break;
		case TDXUPD_PLAN_UPDATE:
			ctl_say(ctl, "outdated");
			r = CTL_EXIT_AVAILABLE;
			break;
		default:
			ctl_say(ctl, "blocked");
			r = (int)ctl_exit_from_failure(
				failure_from_plan(facts.plan, &detail));
			break;
		}
	}
	ctl_facts_done(&facts);
	return r;
}
