// SPDX-License-Identifier: GPL-2.0-only
/*
 * The calls with which KVM makes and builds TDs, seen by probes on the functions of the
 * kernel's TDX core; what follows from them is build-table.c's.
 *
 * Silence is no evidence, so every look at the number sets off a canary: a function of
 * this module under each of the probes, called by the look and seen by it. Between two
 * looks nothing may silence the probes and wake them again: a permanent ftrace_ops makes
 * the kernel refuse kernel.ftrace_enabled=0, which newer ones do anyway.
 */
#include <linux/fprobe.h>
#include <linux/ftrace.h>
#include <linux/jiffies.h>
#include <linux/mutex.h>
#include <linux/ptrace.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/version.h>
#include <linux/workqueue.h>

#include "backend.h"
#include "build-table.h"
#include "build-watch.h"

/* How soon a number that is unknown, or too high, is looked at again. */
#define LOOK_AGAIN_MSEC 250

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
#define PROBE_RESERVE        .nr_maxactive = 512,
#endif

static int probe_entry(struct fprobe *fprobe, unsigned long ip, unsigned long ret_ip,
		       probe_regs *regs, void *data);
static void probe_exit(struct fprobe *fprobe, unsigned long ip, unsigned long ret_ip,
		       probe_regs *regs, void *data);

/*
 * A probe for each meaning. MNG.INIT has a second one on its entry alone: from 6.14 on a
 * return can be lost without being counted (no return stack, recursion), and that one
 * needs none.
 */
enum probe_kind {
	PROBE_CREATE,
	PROBE_INIT_ENTRY,
	PROBE_INIT,
	PROBE_KEY_FREEID,
	PROBE_END,
	PROBE_MAX,
};

#define PROBE(kind, size)                                      \
	[kind] = { .entry_handler = probe_entry,               \
		   .exit_handler = (size) ? probe_exit : NULL, \
		   .entry_data_size = (size),                  \
		   PROBE_RESERVE }
static const struct fprobe probes_as_new[PROBE_MAX] = {
	PROBE(PROBE_CREATE, sizeof(unsigned long)),
	PROBE(PROBE_INIT_ENTRY, 0),
	PROBE(PROBE_INIT, sizeof(unsigned long)),
	PROBE(PROBE_KEY_FREEID, sizeof(unsigned long)),
	PROBE(PROBE_END, sizeof(unsigned long)),
};

static struct fprobe probes[PROBE_MAX];

#define CANARY_NAME "tdx_host_build_canary"

/* What each probe sits on, beside the canary. Names sorted, as fprobe wants them. */
static const struct {
	unsigned int count;
	enum build_watch_call calls[2];
	const char *names[3];
} places[PROBE_MAX] = {
	[PROBE_CREATE] = { 1,
			   { BUILD_WATCH_MNG_CREATE },
			   { CANARY_NAME, "tdh_mng_create" } },
	[PROBE_INIT_ENTRY] = { 1,
			       { BUILD_WATCH_MNG_INIT },
			       { CANARY_NAME, "tdh_mng_init" } },
	[PROBE_INIT] = { 1, { BUILD_WATCH_MNG_INIT }, { CANARY_NAME, "tdh_mng_init" } },
	[PROBE_KEY_FREEID] = { 1,
			       { BUILD_WATCH_MNG_KEY_FREEID },
			       { CANARY_NAME, "tdh_mng_key_freeid" } },
	[PROBE_END] = { 2,
			{ BUILD_WATCH_MNG_VPFLUSHDONE, BUILD_WATCH_MR_FINALIZE },
			{ CANARY_NAME, "tdh_mng_vpflushdone", "tdh_mr_finalize" } },
};

/*
 * @table_lock: also taken in the probes, which may run with preemption off
 * @look_lock: one look at a time, and all of what follows
 * @canary_task: whose canary is on its way, NULL for none
 * @seen: what has been seen of it, a bit for each handler
 * @missed: calls that PROBE_INIT_ENTRY had missed at the last look
 * @answer: of the last look
 */
static struct {
	raw_spinlock_t table_lock;
	struct build_table table;
	struct mutex look_lock;
	struct task_struct *canary_task;
	unsigned long seen;
	unsigned long missed;
	bool is_permanent;
	int answer;
	bool is_started;
	struct delayed_work again;
} watch = {
	.table_lock = __RAW_SPIN_LOCK_UNLOCKED(watch.table_lock),
	.look_lock = __MUTEX_INITIALIZER(watch.look_lock),
};

/* ---- the canary ---- */

#define SEEN_ENTRY(kind) BIT(2 * (kind))
#define SEEN_EXIT(kind)  BIT(2 * (kind) + 1)
#define SEEN_PERMANENT   BIT(2 * PROBE_MAX)
#define SEEN_ALL         ((SEEN_PERMANENT << 1) - 1 - SEEN_EXIT(PROBE_INIT_ENTRY))

noinline __noclone u64 tdx_host_build_canary(void *nothing);

/* Nobody else calls it. Its result is neither a success nor a failure of a TDX call. */
noinline __noclone u64 tdx_host_build_canary(void *nothing)
{
	barrier();
	return ~0ULL;
}

/* The address may have an ENDBR in front of what ftrace calls its own. */
static bool is_canary(unsigned long ip)
{
	return ip - (unsigned long)tdx_host_build_canary < 16;
}

/* A handler runs in the thread that makes the call, and only a look makes this one. */
static void see_canary(unsigned long what)
{
	if (READ_ONCE(watch.canary_task) == current)
		watch.seen |= what;
}

static void permanent_entry(unsigned long ip, unsigned long parent_ip,
			    struct ftrace_ops *ops, struct ftrace_regs *regs)
{
	see_canary(SEEN_PERMANENT);
}

static const struct ftrace_ops permanent_as_new = {
	.func = permanent_entry,
	.flags = FTRACE_OPS_FL_PERMANENT,
};

static struct ftrace_ops permanent;

/* Not to be had while ftrace is switched off; then it is tried again. */
static void hold_ftrace(void)
{
	if (watch.is_permanent)
		return;

	watch.is_permanent = !register_ftrace_function(&permanent);
}

/* Whether every probe fires. Called with the look's lock held. */
static bool is_live(void)
{
	hold_ftrace();
	watch.seen = 0;
	WRITE_ONCE(watch.canary_task, current);
	tdx_host_build_canary(NULL);
	WRITE_ONCE(watch.canary_task, NULL);

	return watch.is_permanent && watch.seen == SEEN_ALL;
}

/* ---- the calls ---- */

static void take(enum build_event event, unsigned long td)
{
	unsigned long flags;
	bool changed;

	raw_spin_lock_irqsave(&watch.table_lock, flags);
	changed = build_table_take(&watch.table, event, td);
	raw_spin_unlock_irqrestore(&watch.table_lock, flags);

	if (changed)
		tdx_host_building_changed();
}

/* May run with preemption off, as the exit may: nothing in here sleeps. */
static int probe_entry(struct fprobe *fprobe, unsigned long ip, unsigned long ret_ip,
		       probe_regs *regs, void *data)
{
	enum probe_kind kind = fprobe - probes;
	unsigned long td = probe_argument(regs);

	if (data)
		*(unsigned long *)data = td;
	if (is_canary(ip))
		see_canary(SEEN_ENTRY(kind));
	else if (kind == PROBE_INIT_ENTRY)
		take(BUILD_INIT_ENTERED, td);

	return 0;
}

static void probe_exit(struct fprobe *fprobe, unsigned long ip, unsigned long ret_ip,
		       probe_regs *regs, void *data)
{
	static const enum build_event events[PROBE_MAX] = {
		[PROBE_CREATE] = BUILD_CREATED,
		[PROBE_INIT] = BUILD_INIT_DONE,
		[PROBE_KEY_FREEID] = BUILD_KEY_FREED,
		[PROBE_END] = BUILD_ENDED,
	};
	enum probe_kind kind = fprobe - probes;
	unsigned long td = *(unsigned long *)data;

	if (is_canary(ip))
		see_canary(SEEN_EXIT(kind));
	else if (!probe_result(regs))
		take(events[kind], td);
	else if (kind == PROBE_INIT)
		take(BUILD_INIT_FAILED, td);
}

static int arm(enum probe_kind kind, const unsigned long *addresses)
{
	unsigned long ips[ARRAY_SIZE(places[0].names)];
	const char *names[ARRAY_SIZE(places[0].names)];
	unsigned int i;

	/* A kernel's own functions are not exported to this module: by name. */
	if (!addresses) {
		memcpy(names, places[kind].names, sizeof(names));
		return register_fprobe_syms(&probes[kind], names, places[kind].count + 1);
	}

	for (i = 0; i < places[kind].count; i++)
		ips[i] = addresses[places[kind].calls[i]];
	ips[i] = (unsigned long)tdx_host_build_canary;

	return register_fprobe_ips(&probes[kind], ips, i + 1);
}

/* ---- looking ---- */

static unsigned long long now_msec(void)
{
	return jiffies_to_msecs(get_jiffies_64() - INITIAL_JIFFIES);
}

/* The facts of one moment: what the table had before the keys were counted. */
static void gather(struct build_look *ret)
{
	unsigned long missed = READ_ONCE(probes[PROBE_INIT_ENTRY].nmissed);
	unsigned long flags;

	*ret = (struct build_look){
		.is_live = is_live(),
		.has_missed = missed != watch.missed,
		.now_msec = now_msec(),
	};
	watch.missed = missed;
	raw_spin_lock_irqsave(&watch.table_lock, flags);
	ret->event_count = watch.table.event_count;
	raw_spin_unlock_irqrestore(&watch.table_lock, flags);
	ret->is_counted = !tdx_backend_keys(&ret->keys);
}

static int look(void)
{
	struct build_look look;
	unsigned long flags;
	bool is_final;
	int count;

	gather(&look);
	raw_spin_lock_irqsave(&watch.table_lock, flags);
	count = build_table_judge(&watch.table, &look);
	is_final = count >= 0 && count == watch.table.building;
	raw_spin_unlock_irqrestore(&watch.table_lock, flags);

	/* What ends this is no call, so that nothing else would tell. */
	if (!is_final)
		schedule_delayed_work(&watch.again, msecs_to_jiffies(LOOK_AGAIN_MSEC));

	watch.answer = count;
	return count;
}

static void look_again(struct work_struct *work)
{
	int before, count;

	guard(mutex)(&watch.look_lock);

	if (!watch.is_started)
		return;

	before = watch.answer;
	count = look();
	if (count != before)
		tdx_host_building_changed();
}

/**
 * build_watch_count - TDs being built now
 *
 * Looks whether the probes fire, and compares with the keys that are in use.
 *
 * Return: how many, or may be, at the most; -ENODATA when that cannot be known.
 */
int build_watch_count(void)
{
	guard(mutex)(&watch.look_lock);

	return watch.is_started ? look() : -ENODATA;
}

static void disarm(int kind)
{
	while (kind-- > 0)
		unregister_fprobe(&probes[kind]);

	/* A call still under way has its return handler cut off, but one may be running.
	 */
	synchronize_rcu();
}

static int arm_all(const unsigned long *addresses)
{
	int kind, ret = 0;

	for (kind = 0; kind < PROBE_MAX; kind++) {
		ret = arm(kind, addresses);
		if (ret)
			break;
	}
	if (ret)
		disarm(kind);

	return ret;
}

/**
 * build_watch_start - count TD builds from now on
 * @addresses: the functions to watch, NULL for those of the running kernel
 * @td_max: TDs that the machine can have
 *
 * Return: 0; -EBUSY they are counted; or why they cannot be, and then nothing is.
 */
int build_watch_start(const unsigned long addresses[BUILD_WATCH_CALL_MAX],
		      unsigned int td_max)
{
	struct build_td *tds;
	int ret;

	if (watch.is_started)
		return -EBUSY;
	tds = kvcalloc(td_max, sizeof(*tds), GFP_KERNEL);
	if (!tds)
		return -ENOMEM;

	build_table_start(&watch.table, tds, td_max);
	INIT_DELAYED_WORK(&watch.again, look_again);
	watch.missed = 0;
	/* 6.12 leaves pointers to what it has freed in those that were in use before. */
	memcpy(probes, probes_as_new, sizeof(probes));
	permanent = permanent_as_new;
	ret = ftrace_set_filter_ip(&permanent, (unsigned long)tdx_host_build_canary, 0,
				   0);
	if (!ret)
		ret = arm_all(addresses);
	if (ret) {
		ftrace_free_filter(&permanent);
		kvfree(tds);
		return ret;
	}

	mutex_lock(&watch.look_lock);
	watch.is_started = true;
	look();
	mutex_unlock(&watch.look_lock);
	tdx_host_building_changed();

	return 0;
}

void build_watch_stop(void)
{
	if (!watch.is_started)
		return;

	mutex_lock(&watch.look_lock);
	watch.is_started = false;
	mutex_unlock(&watch.look_lock);
	tdx_host_building_changed();
	cancel_delayed_work_sync(&watch.again);
	disarm(PROBE_MAX);
	if (watch.is_permanent)
		unregister_ftrace_function(&permanent);
	watch.is_permanent = false;
	ftrace_free_filter(&permanent);
	kvfree(watch.table.tds);
}

/**
 * build_watch_forget - the TDs that were seen have gone without a call
 *
 * For a machine that boots under a kernel that does not.
 */
void build_watch_forget(void)
{
	unsigned long flags;

	if (!watch.is_started)
		return;

	raw_spin_lock_irqsave(&watch.table_lock, flags);
	build_table_start(&watch.table, watch.table.tds, watch.table.size);
	raw_spin_unlock_irqrestore(&watch.table_lock, flags);

	tdx_host_building_changed();
}

void build_watch_blind(bool is_blind)
{
	int kind;

	for (kind = 0; kind < PROBE_MAX; kind++)
		if (is_blind)
			disable_fprobe(&probes[kind]);
		else
			enable_fprobe(&probes[kind]);
}
