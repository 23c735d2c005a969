/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PLAN_VERDICT_H
#define PLAN_VERDICT_H

#include "plan-graph.h"
#include "tdxupd.h"

/*
 * Say in one word where a host stands: sets from, to, result and reason of a plan whose
 * candidates have been judged by all but the pin. @named: the version that was asked for,
 * NULL for none. Pure.
 */
void verdict_decide(struct tdxupd_plan *plan, const struct graph_facts *facts,
		    const struct tdxupd_version *named);
/* Say the same in a sentence, and what helps: sets why and advice of a plan that is
 * blocked. Return: 0; -ENOMEM. */
int verdict_explain(struct tdxupd_plan *plan, const struct graph_facts *facts);

#endif
