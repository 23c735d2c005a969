// SPDX-License-Identifier: GPL-2.0-only
/*
 * An update of the simulated module on the real CPUs of this machine: what is looked at
 * beforehand, and the lock-step that the kernel's own TDX core has: every online CPU
 * makes every step, and no CPU begins a step before all have made the one before.
 */
#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/nmi.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/stop_machine.h>

#include "build-watch.h"
#include "sim.h"
#include "tdx-model.h"

/* All LPs' time for a step must not add up to what looks like a CPU that hangs. */
#define INSTALL_NSEC_MAX (50 * NSEC_PER_MSEC)

/*
 * @turn: a step of the model is made on one CPU at a time
 * @done: CPUs that have made @step
 */
struct update {
	struct tdx_model *model;
	const struct tdx_model_image *image;
	raw_spinlock_t turn;
	atomic_t done;
	int step;
	int error;
};

static void make_step(struct update *update, int step, unsigned int lp)
{
	int ret;

	raw_spin_lock(&update->turn);
	if (step == TDX_MODEL_STEP_CPU_INSTALL)
		mdelay(min_t(u64, tdx_model_install_nsec(update->model),
			     INSTALL_NSEC_MAX) /
		       NSEC_PER_MSEC);
	ret = tdx_model_update_step(update->model, update->image, step, lp);
	if (ret && !update->error)
		update->error = ret;
	raw_spin_unlock(&update->turn);
}

/* The last CPU to have made a step lets all go on, or all stop. */
static void end_step(struct update *update, int step)
{
	if (atomic_inc_return(&update->done) < num_online_cpus())
		return;

	atomic_set(&update->done, 0);
	smp_store_release(&update->step, update->error ? _TDX_MODEL_STEP_MAX : step + 1);
}

static int update_on_cpu(void *data)
{
	struct update *update = data;
	unsigned int lp = smp_processor_id();
	int step;

	for (step = 0; step < _TDX_MODEL_STEP_MAX;) {
		make_step(update, step, lp);
		end_step(update, step);
		while (smp_load_acquire(&update->step) == step) {
			cpu_relax();
			touch_nmi_watchdog();
		}
		step = smp_load_acquire(&update->step);
	}

	return 0;
}

static int run_steps(struct tdx_model *model, const struct tdx_model_image *image)
{
	struct update update = {
		.model = model,
		.image = image,
		.done = ATOMIC_INIT(0),
	};

	raw_spin_lock_init(&update.turn);

	return stop_machine(update_on_cpu, &update, cpu_online_mask) ?: update.error;
}

int sim_update_check(struct tdx_model *model)
{
	int ret = tdx_model_check_update(model);

	if (ret)
		return ret;

	return cpumask_equal(cpu_online_mask, cpu_present_mask) ? 0 : -EAGAIN;
}

/* What native.c looks at before it begins, and at the last moment once more. */
static int check_again(struct tdx_model *model)
{
	int ret = sim_update_check(model);

	if (ret)
		return ret;
	if (tdx_model_guard(model) == TDX_MODEL_GUARD_KERNEL && build_watch_count() > 0)
		return -EBUSY;

	return 0;
}

int sim_update(struct tdx_model *model, const u8 *bytes, u32 size, bool is_mainline)
{
	struct tdx_model_image *image;
	int ret = is_mainline ? 0 : check_again(model);

	if (ret)
		return ret;

	ret = tdx_model_image_new(model, bytes, size, &image);
	if (ret)
		return ret;

	ret = run_steps(model, image);
	tdx_model_image_free(image);

	return ret;
}
