/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PLAN_ADVICE_H
#define PLAN_ADVICE_H

#include "plan-graph.h"
#include "tdxupd.h"

/*
 * What would open a path to plan->to, or to anything newer where that is none of the
 * catalog's. Return: 0 and newly allocated text; -ENOMEM.
 */
int plan_get_advice(const struct tdxupd_plan *plan, const struct graph_facts *facts,
		    char **ret);

#endif
