// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What speaks against any update of this host, whatever the image. All of it is known
 * before the old module is shut down, and most of it would be fatal after.
 */
#include <errno.h>
#include <stdio.h>

#include "compat.h"
#include "policy.h"
#include "util.h"

struct host_check {
	const struct tdxupd_host *host;
	const struct tdxupd_policy *policy;
	uint32_t updates_wanted;
	struct tdxupd_report *report;
};

static int refuse(const struct host_check *c, enum tdxupd_check check, const char *found,
		  const char *wanted)
{
	return tdxupd_report_add(c->report, check,
				 policy_weigh(c->policy, check, TDXUPD_SEVERITY_REFUSE),
				 found, wanted);
}

static int doubt(const struct host_check *c, enum tdxupd_check check, const char *found,
		 const char *wanted)
{
	return tdxupd_report_add(c->report, check,
				 policy_weigh(c->policy, check, TDXUPD_SEVERITY_UNKNOWN),
				 found, wanted);
}

static int check_state(const struct host_check *c)
{
	if (c->host->state == TDXUPD_TDX_LOST)
		return refuse(c, TDXUPD_CHECK_TDX_LOST, "no live module", "a live one");
	if (c->host->state != TDXUPD_TDX_LIVE)
		return doubt(c, TDXUPD_CHECK_TDX_LOST, "`version` can't be read", NULL);
	return 0;
}

/* The interface shows only where the module has the bit, so it stands for the bit where
 * the kernel doesn't tell FEATURES0. */
static int check_support(const struct host_check *c)
{
	char text[32];

	if (!c->host->has_features0 || c->host->features0 & TDXUPD_FEATURE_TD_PRESERVING)
		return 0;
	snprintf(text, sizeof(text), "FEATURES0 0x%llx",
		 (unsigned long long)c->host->features0);
	return refuse(c, TDXUPD_CHECK_UPDATE_UNSUPPORTED, text, "bit 1");
}

static int check_interface(const struct host_check *c)
{
	if (c->host->has_fw_upload || c->host->has_trigger)
		return 0;
	return refuse(c, TDXUPD_CHECK_INTERFACE_MISSING, "none", "fw_upload or trigger");
}

static int check_bug(const struct host_check *c)
{
	if (!c->host->has_cpu_bugs)
		return doubt(c, TDXUPD_CHECK_CPU_BUG, "/proc/cpuinfo can't be read",
			     NULL);
	if (c->host->has_cpu_bug)
		return refuse(c, TDXUPD_CHECK_CPU_BUG, "seamret_invd_vmcs", NULL);
	return 0;
}

/* Those of @set that are not in @without. */
static struct tdxupd_cpuset subtract(const struct tdxupd_cpuset *set,
				     const struct tdxupd_cpuset *without)
{
	struct tdxupd_cpuset rest;

	for (size_t i = 0; i < ARRAY_SIZE(rest.bits); i++)
		rest.bits[i] = set->bits[i] & ~without->bits[i];
	return rest;
}

static int add_cpus(const struct host_check *c, enum tdxupd_check check,
		    enum tdxupd_severity severity, const struct tdxupd_cpuset *cpus,
		    const char *what, const char *wanted)
{
	_cleanup_(cleanup_free)
	char *list = NULL;
	_cleanup_(cleanup_free)
	char *found = NULL;

	if (tdxupd_cpuset_count(cpus) == 0)
		return 0;
	list = tdxupd_cpuset_format(cpus);
	if (!list || asprintf(&found, "CPU %s %s", list, what) < 0)
		return -ENOMEM;
	return tdxupd_report_add(c->report, check, severity, found, wanted);
}

/*
 * P-SEAMLDR waits for every LP that firmware enabled. One that is present and offline
 * never calls: the machine is lost, and nobody may accept that. One that is possible and
 * not present may be an unplugged CPU, which P-SEAMLDR would wait for too, or just an
 * empty slot of the firmware's table, which it would not: unknown, and who knows the
 * machine may say so (AcceptAbsentCpus=).
 */
static int check_cpus(const struct host_check *c)
{
	const struct tdxupd_host *host = c->host;
	struct tdxupd_cpuset offline, absent;
	int r;

	if (!host->has_cpus)
		return tdxupd_report_add(c->report, TDXUPD_CHECK_CPU_OFFLINE,
					 TDXUPD_SEVERITY_UNKNOWN,
					 "CPU masks can't be read", NULL);
	if (tdxupd_cpuset_count(&host->online) == 0)
		return tdxupd_report_add(c->report, TDXUPD_CHECK_CPU_OFFLINE,
					 TDXUPD_SEVERITY_UNKNOWN, "no CPU is online",
					 NULL);
	offline = subtract(&host->present, &host->online);
	absent = subtract(&host->possible, &host->online);
	absent = subtract(&absent, &host->present);
	r = add_cpus(c, TDXUPD_CHECK_CPU_OFFLINE, TDXUPD_SEVERITY_REFUSE, &offline,
		     "offline", "all online");
	if (r < 0)
		return r;
	return add_cpus(
		c, TDXUPD_CHECK_CPU_ABSENT,
		policy_weigh(c->policy, TDXUPD_CHECK_CPU_ABSENT, TDXUPD_SEVERITY_UNKNOWN),
		&absent, "possible and not present", "all possible CPUs online");
}

uint32_t compat_get_budget(const struct tdxupd_host *host,
			   const struct tdxupd_policy *policy)
{
	if (!host->has_remaining_updates ||
	    host->remaining_updates <= policy->reserve_updates)
		return 0;
	return host->remaining_updates - policy->reserve_updates;
}

static int check_updates(const struct host_check *c)
{
	char found[64], wanted[32];

	if (!c->host->has_remaining_updates)
		return doubt(c, TDXUPD_CHECK_UPDATES_EXHAUSTED,
			     "num_remaining_updates can't be read", NULL);
	if (compat_get_budget(c->host, c->policy) >= c->updates_wanted)
		return 0;
	snprintf(found, sizeof(found), "%u left, %u of them in reserve",
		 c->host->remaining_updates, c->policy->reserve_updates);
	snprintf(wanted, sizeof(wanted), "%u", c->updates_wanted);
	return refuse(c, TDXUPD_CHECK_UPDATES_EXHAUSTED, found, wanted);
}

static int check_holds(const struct host_check *c)
{
	const struct tdxupd_hold *hold = policy_find_hold_of_all(c->policy);

	return hold ? policy_report_hold(hold, c->report) : 0;
}

_public_ int tdxupd_compat_check_host(const struct tdxupd_host *host,
				      const struct tdxupd_policy *policy,
				      uint32_t updates_wanted,
				      struct tdxupd_report *report)
{
	const struct host_check c = { host, policy, updates_wanted, report };
	int r;

	if (!host || !policy || !report)
		return -EINVAL;
	/* Nothing else that could be said of such a host is news. */
	if (host->state == TDXUPD_TDX_ABSENT)
		return refuse(&c, TDXUPD_CHECK_TDX_ABSENT, NULL, NULL);
	r = check_state(&c) ?: check_support(&c) ?: check_interface(&c) ?: check_bug(&c)
		?: check_cpus(&c) ?: check_updates(&c) ?: check_holds(&c);
	return r;
}
