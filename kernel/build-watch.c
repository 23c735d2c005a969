// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDs under construction, as seen from the functions with which KVM builds them: a TD is
 * being built from a TDH.MNG.INIT that returned 0 to a TDH.MR.FINALIZE that returned 0,
 * or to its teardown.
 *
 * A build that began before the probes were there is not seen: load this module before
 * the first VMM starts. Whatever else could make the count too low makes it unknown
 * instead.
 */
#include <linux/fprobe.h>
#include <linux/ftrace.h>
#include <linux/ptrace.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/version.h>

#include "backend.h"
#include "build-watch.h"

/* A host has a key for some hundred TDs at most; that many are never built at once. */
#define MAX_BUILDS 512

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 14, 0)
typedef struct ftrace_regs probe_regs;
#define probe_argument(regs) ftrace_regs_get_argument(regs, 0)
#define probe_result(regs)   ftrace_regs_get_return_value(regs)
#define PROBE_RESERVE
#else
typedef struct pt_regs probe_regs;
#define probe_argument(regs) regs_get_kernel_argument(regs, 0)
#define probe_result(regs)   regs_return_value(regs)
/* Calls under way at a time that are sure to be seen returning; later kernels see all. */
#define PROBE_RESERVE        .nr_maxactive = MAX_BUILDS,
#endif

static int probe_entry(struct fprobe *fprobe, unsigned long ip, unsigned long ret_ip,
		       probe_regs *regs, void *data);
static void probe_exit(struct fprobe *fprobe, unsigned long ip, unsigned long ret_ip,
		       probe_regs *regs, void *data);

/*
 * One for the ends and one for the beginning: whatever is armed costs a wait for all
 * CPUs. Ends first, since an end that was seen without its beginning does no harm.
 */
static struct fprobe ends = { .entry_handler = probe_entry,
			      .exit_handler = probe_exit,
			      .entry_data_size = sizeof(unsigned long),
			      PROBE_RESERVE };

static struct fprobe begins = { .entry_handler = probe_entry,
				.exit_handler = probe_exit,
				.entry_data_size = sizeof(unsigned long),
				PROBE_RESERVE };

/* Sorted, as register_fprobe_syms() wants them. */
static const char *symbols[BUILD_WATCH_CALL_MAX] = {
	[BUILD_WATCH_MNG_KEY_FREEID] = "tdh_mng_key_freeid",
	[BUILD_WATCH_MNG_VPFLUSHDONE] = "tdh_mng_vpflushdone",
	[BUILD_WATCH_MR_FINALIZE] = "tdh_mr_finalize",
	[BUILD_WATCH_MNG_INIT] = "tdh_mng_init",
};

/* Identity is the address of KVM's struct tdx_td, its own from creation to key release.
 */
static DEFINE_RAW_SPINLOCK(builds_lock);
static unsigned long builds[MAX_BUILDS];
static unsigned int build_count;
static bool overflowed;

static bool begin_build(unsigned long td)
{
	int i, slot = -1;

	for (i = 0; i < MAX_BUILDS; i++) {
		if (builds[i] == td)
			return false;
		if (!builds[i] && slot < 0)
			slot = i;
	}

	if (slot < 0) {
		overflowed = true;
		return true;
	}

	builds[slot] = td;
	build_count++;
	return true;
}

static bool end_build(unsigned long td)
{
	int i;

	for (i = 0; build_count && i < MAX_BUILDS; i++) {
		if (builds[i] == td) {
			builds[i] = 0;
			build_count--;
			return true;
		}
	}

	return false;
}

static int probe_entry(struct fprobe *fprobe, unsigned long ip, unsigned long ret_ip,
		       probe_regs *regs, void *data)
{
	*(unsigned long *)data = probe_argument(regs);
	return 0;
}

/* May run with preemption off: nothing here sleeps. */
static void probe_exit(struct fprobe *fprobe, unsigned long ip, unsigned long ret_ip,
		       probe_regs *regs, void *data)
{
	unsigned long td = *(unsigned long *)data;
	unsigned long flags;
	bool changed;

	if (probe_result(regs))
		return;

	raw_spin_lock_irqsave(&builds_lock, flags);
	changed = fprobe == &begins ? begin_build(td) : end_build(td);
	raw_spin_unlock_irqrestore(&builds_lock, flags);

	if (changed)
		tdx_host_building_changed();
}

static int arm(struct fprobe *fprobe, const unsigned long *addresses, int first,
	       int count)
{
	/* A kernel's own functions are not exported to this module: by name. */
	if (!addresses)
		return register_fprobe_syms(fprobe, symbols + first, count);

	return register_fprobe_ips(fprobe, (unsigned long *)addresses + first, count);
}

/**
 * build_watch_start - count TD builds from now on
 * @addresses: the functions to watch, NULL for those of the running kernel
 *
 * Return: 0, or why they cannot be watched; then nothing is.
 */
int build_watch_start(const unsigned long addresses[BUILD_WATCH_CALL_MAX])
{
	int ret = arm(&ends, addresses, 0, BUILD_WATCH_ENDS);

	if (ret)
		return ret;

	ret = arm(&begins, addresses, BUILD_WATCH_MNG_INIT, 1);
	if (ret)
		unregister_fprobe(&ends);

	return ret;
}

void build_watch_stop(void)
{
	unregister_fprobe(&begins);
	unregister_fprobe(&ends);

	/* A call still under way has its return handler cut off, but one may be running.
	 */
	synchronize_rcu();
}

/**
 * build_watch_count - TDs being built now
 *
 * Return: their number, or -ENODATA when a call went by unseen and the number can no
 * longer be known.
 */
int build_watch_count(void)
{
	if (READ_ONCE(ends.nmissed) || READ_ONCE(begins.nmissed) || READ_ONCE(overflowed))
		return -ENODATA;

	return READ_ONCE(build_count);
}

/**
 * build_watch_forget - no TD is being built, whatever was seen
 *
 * For a machine that boots under a kernel that does not.
 */
void build_watch_forget(void)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&builds_lock, flags);
	memset(builds, 0, sizeof(builds));
	WRITE_ONCE(build_count, 0);
	WRITE_ONCE(overflowed, false);
	raw_spin_unlock_irqrestore(&builds_lock, flags);

	tdx_host_building_changed();
}
