/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef COMPAT_H
#define COMPAT_H

#include <stdint.h>

#include "tdxupd.h"

#define CHECK_BIT(check) (UINT64_C(1) << (check))

/*
 * The checks, as CHECK_BIT()s, that keep @entry from following @from on @host: those that
 * tdxupd_compat_check_image() would report as refusing or unknown, without the words.
 * Searching many paths takes many of these and no report.
 */
uint64_t compat_find_blockers(const struct tdxupd_host *host,
			      const struct tdxupd_module_facts *from,
			      const struct tdxupd_entry *entry,
			      const struct tdxupd_policy *policy);
/* What will be known of a module once it was updated to this entry; it has an image. */
void compat_get_facts(const struct tdxupd_entry *entry, struct tdxupd_module_facts *ret);
/* Might this image, whatever its version, be for this CPU and follow @from? */
bool compat_may_follow(const struct tdxupd_host *host,
		       const struct tdxupd_module_facts *from,
		       const struct tdxupd_image *image);
/* Adds what is disputed about the running module. Return: 0, -ENOMEM. */
int compat_check_running(const struct tdxupd_module_facts *running,
			 struct tdxupd_report *report);
/* Slots that may be used up: what remains minus the reserve; 0 where unknown. */
uint32_t compat_get_budget(const struct tdxupd_host *host,
			   const struct tdxupd_policy *policy);

#endif
