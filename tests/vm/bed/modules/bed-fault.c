// SPDX-License-Identifier: GPL-2.0-only
/*
 * One function of the kernel that is slow, or fails, when one program calls it: what a
 * test cannot wait for to happen by itself. Loaded with what is to happen, unloaded when
 * it has.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/delay.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/string.h>

static char *at;
module_param(at, charp, 0444);
MODULE_PARM_DESC(at, "the function");

static char *comm = "";
module_param(comm, charp, 0444);
MODULE_PARM_DESC(comm, "only in this program; default any");

static uint skip;
module_param(skip, uint, 0444);
MODULE_PARM_DESC(skip, "calls that are spared first");

static uint delay;
module_param(delay, uint, 0444);
MODULE_PARM_DESC(delay, "ms that one call takes longer");

static long result = 1;
module_param(result, long, 0444);
MODULE_PARM_DESC(result,
		 "what one call returns, after it was made; default what it does");

static atomic_t calls = ATOMIC_INIT(0);
static int hit;
module_param(hit, int, 0444);
MODULE_PARM_DESC(hit, "read: it has happened");

/* Only the calls that are counted get to on_return(). */
static int on_entry(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	if (*comm && strcmp(current->comm, comm))
		return 1;

	if (atomic_inc_return(&calls) != (int)skip + 1)
		return 1;

	WRITE_ONCE(hit, 1);
	mdelay(delay);
	return 0;
}
NOKPROBE_SYMBOL(on_entry);

static int on_return(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	if (result <= 0)
		regs_set_return_value(regs, (unsigned long)result);
	return 0;
}
NOKPROBE_SYMBOL(on_return);

static struct kretprobe probe = {
	.entry_handler = on_entry,
	.handler = on_return,
	.maxactive = 8,
};

static int __init bed_fault_init(void)
{
	if (!at)
		return -EINVAL;

	probe.kp.symbol_name = at;
	return register_kretprobe(&probe);
}
module_init(bed_fault_init);

static void __exit bed_fault_exit(void)
{
	unregister_kretprobe(&probe);
}
module_exit(bed_fault_exit);

MODULE_DESCRIPTION("A fault of the kernel, for tests");
MODULE_LICENSE("GPL");
