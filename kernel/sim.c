// SPDX-License-Identifier: GPL-2.0-only
/*
 * Backend of tdx-host-sim.ko: a machine with TDX in software (tdx-model.h), for machines
 * without. What is real here is what a model cannot have: CPUs that stop_machine() halts,
 * functions that probes attach to, and the locks and clocks of a kernel. sim-update.c has
 * the CPUs, sim-control.c the commands.
 *
 * Nothing is protected by any of it, and the log says so.
 */
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/panic.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include <asm/cpufeature.h>

#include "backend.h"
#include "build-watch.h"
#include "sim.h"
#include "tdx-model.h"

/* More than the simulated machine has keys for. */
#define TD_MAX 1024

static char *setup;
module_param(setup, charp, 0400);
MODULE_PARM_DESC(setup,
		 "commands for the simulated machine before it boots, between ';'");

static bool mainline;
module_param(mainline, bool, 0444);
MODULE_PARM_DESC(mainline, "have mainline's files and its carelessness, and no more");

/*
 * @lock: lets one thread at a time into the model
 * @builds: makes the calls of the TD builds that are due
 * @unseen: calls of MNG.INIT that no probe is to see
 * @keys: of the TDs, for readers without the lock
 */
static struct {
	struct mutex lock;
	struct tdx_model *model;
	struct delayed_work builds;
	unsigned int caps;
	unsigned int unseen;
	unsigned int keys;
} sim = {
	.lock = __MUTEX_INITIALIZER(sim.lock),
};

/* Keys are taken and given back with the lock held. */
static void sim_keys_changed(void *userdata)
{
	WRITE_ONCE(sim.keys, sim.model ? tdx_model_td_count(sim.model) : 0);
}

static int start_watch(void)
{
	static const unsigned long watched[BUILD_WATCH_CALL_MAX] = {
		[BUILD_WATCH_MNG_CREATE] = (unsigned long)tdh_mng_create,
		[BUILD_WATCH_MNG_INIT] = (unsigned long)tdh_mng_init,
		[BUILD_WATCH_MNG_KEY_FREEID] = (unsigned long)tdh_mng_key_freeid,
		[BUILD_WATCH_MNG_VPFLUSHDONE] = (unsigned long)tdh_mng_vpflushdone,
		[BUILD_WATCH_MR_FINALIZE] = (unsigned long)tdh_mr_finalize,
	};

	return build_watch_start(watched, TD_MAX);
}

/* The builds' next call, if there is one. Called with the lock held. */
static void schedule_builds(void)
{
	u64 next = tdx_model_next_nsec(sim.model), now = ktime_get_ns();

	if (next != ~0ULL)
		mod_delayed_work(system_long_wq, &sim.builds,
				 next > now ? nsecs_to_jiffies(next - now) : 0);
}

static void run_builds(struct work_struct *work)
{
	mutex_lock(&sim.lock);
	tdx_model_advance(sim.model, ktime_get_ns());
	schedule_builds();
	mutex_unlock(&sim.lock);
}

/*
 * Commands for what the kernel's own probes can suffer, which the model has no idea of:
 *
 *	watch off|on	the driver is unloaded, or loaded, with the TDs that there are
 *	watch blind	the probes stay where they are, and none fires
 *	watch lose N	the next N calls of MNG.INIT are seen by none
 */
static int watch_command(const char *word)
{
	if (!strcmp(word, "off")) {
		build_watch_stop();
		return 0;
	}
	if (!strcmp(word, "on")) {
		build_watch_blind(false);
		return start_watch();
	}
	if (!strcmp(word, "blind")) {
		build_watch_blind(true);
		return 0;
	}
	if (str_has_prefix(word, "lose "))
		return kstrtouint(word + strlen("lose "), 10, &sim.unseen);

	return -EINVAL;
}

static int run_command(const char *line, char *ret, size_t size)
{
	int error;

	if (str_has_prefix(line, "watch ")) {
		error = watch_command(line + strlen("watch "));
		scnprintf(ret, size,
			  error ? "error EINVAL watch off|on|blind|lose N\n" : "ok\n");
		return error;
	}

	error = tdx_model_command(sim.model, line, ret, size);
	sim_keys_changed(NULL);
	/* A boot takes the TDs away without a call that could be seen. */
	if (!error && str_has_prefix(line, "boot"))
		build_watch_forget();

	return error;
}

int sim_command(const char *line, char *ret, size_t size)
{
	int error;

	mutex_lock(&sim.lock);
	tdx_model_advance(sim.model, ktime_get_ns());
	error = run_command(line, ret, size);
	schedule_builds();
	mutex_unlock(&sim.lock);

	if (error == -ENOENT)
		scnprintf(ret, size, "error ENOENT no such command\n");

	return error;
}

/* The probes of build-watch.c, like those of userspace, sit on these. */
static u64 td_call(void *userdata, enum tdx_model_td_call call, struct tdx_model_td *td)
{
	struct tdx_td *identity = (struct tdx_td *)td;

	switch (call) {
	case TDX_MODEL_MNG_CREATE:
		return tdh_mng_create(identity, tdx_model_td_hkid(td));
	case TDX_MODEL_MNG_INIT:
		if (!sim.unseen)
			return tdh_mng_init(identity, 0, NULL);
		sim.unseen--;
		break;
	case TDX_MODEL_MR_FINALIZE:
		return tdh_mr_finalize(identity);
	case TDX_MODEL_MNG_VPFLUSHDONE:
		return tdh_mng_vpflushdone(identity);
	case TDX_MODEL_MNG_KEY_FREEID:
		return tdh_mng_key_freeid(identity);
	}

	return tdx_model_td_call(sim.model, call, td);
}

static u64 seamcall(enum tdx_model_td_call call, struct tdx_td *td)
{
	return tdx_model_td_call(sim.model, call, (struct tdx_model_td *)td);
}

noinline u64 tdh_mng_create(struct tdx_td *td, u16 hkid)
{
	return seamcall(TDX_MODEL_MNG_CREATE, td);
}

noinline u64 tdh_mng_init(struct tdx_td *td, u64 td_params, u64 *extended_err)
{
	return seamcall(TDX_MODEL_MNG_INIT, td);
}

noinline u64 tdh_mr_finalize(struct tdx_td *td)
{
	return seamcall(TDX_MODEL_MR_FINALIZE, td);
}

noinline u64 tdh_mng_vpflushdone(struct tdx_td *td)
{
	return seamcall(TDX_MODEL_MNG_VPFLUSHDONE, td);
}

noinline u64 tdh_mng_key_freeid(struct tdx_td *td)
{
	return seamcall(TDX_MODEL_MNG_KEY_FREEID, td);
}

static struct tdx_host_version host_version(const struct tdx_model_version *v)
{
	return (struct tdx_host_version){
		.major = v->major,
		.minor = v->minor,
		.update = v->update,
	};
}

int tdx_backend_version(struct tdx_host_version *ret_version)
{
	struct tdx_model_version version;
	int ret;

	mutex_lock(&sim.lock);
	ret = tdx_model_version(sim.model, &version);
	mutex_unlock(&sim.lock);
	if (!ret)
		*ret_version = host_version(&version);

	return ret;
}

int tdx_backend_features0(u64 *ret_features)
{
	int ret;

	mutex_lock(&sim.lock);
	ret = tdx_model_features0(sim.model, ret_features);
	mutex_unlock(&sim.lock);

	return ret;
}

int tdx_backend_seamldr(struct tdx_host_version *ret_version, u32 *ret_remaining)
{
	struct tdx_model_version version;
	int ret;

	mutex_lock(&sim.lock);
	ret = tdx_model_seamldr(sim.model, &version, ret_remaining);
	mutex_unlock(&sim.lock);
	if (!ret)
		*ret_version = host_version(&version);

	return ret;
}

int tdx_backend_identity(struct tdx_host_identity *ret_identity)
{
	struct tdx_model_identity identity;
	int ret;

	mutex_lock(&sim.lock);
	ret = tdx_model_identity(sim.model, &identity);
	mutex_unlock(&sim.lock);
	if (ret)
		return ret;

	memcpy(ret_identity->tee_tcb_svn, identity.tee_tcb_svn,
	       sizeof(ret_identity->tee_tcb_svn));
	memcpy(ret_identity->mrseam, identity.mrseam, sizeof(ret_identity->mrseam));
	return 0;
}

enum tdx_host_guard tdx_backend_guard(void)
{
	enum tdx_model_guard guard;

	mutex_lock(&sim.lock);
	guard = tdx_model_guard(sim.model);
	mutex_unlock(&sim.lock);

	switch (guard) {
	case TDX_MODEL_GUARD_MODULE:
		return TDX_HOST_GUARD_MODULE;
	case TDX_MODEL_GUARD_KERNEL:
		return build_watch_count() < 0 ? TDX_HOST_GUARD_NONE
					       : TDX_HOST_GUARD_KERNEL;
	case TDX_MODEL_GUARD_NONE:
		break;
	}

	return TDX_HOST_GUARD_NONE;
}

int tdx_backend_keys(long long *ret_keys)
{
	*ret_keys = READ_ONCE(sim.keys);
	return 0;
}

int tdx_backend_tds_building(void)
{
	return build_watch_count();
}

bool tdx_backend_last_seamcall(struct tdx_host_seamcall *ret_call)
{
	struct tdx_model_status status;
	bool any;

	mutex_lock(&sim.lock);
	any = tdx_model_last_status(sim.model, &status);
	mutex_unlock(&sim.lock);
	if (any)
		*ret_call = (struct tdx_host_seamcall){ status.leaf, status.status };

	return any;
}

int tdx_backend_check(void)
{
	int ret;

	mutex_lock(&sim.lock);
	ret = sim_update_check(sim.model);
	mutex_unlock(&sim.lock);

	return ret;
}

int tdx_backend_install(const u8 *image, u32 size)
{
	int ret;

	mutex_lock(&sim.lock);
	ret = sim_update(sim.model, image, size, mainline);
	mutex_unlock(&sim.lock);

	return ret;
}

unsigned int tdx_backend_caps(void)
{
	return sim.caps;
}

/* No hook for builds: build-watch.c has seen the calls itself. */
static const struct tdx_model_hooks hooks = {
	.td_call = td_call,
	.population_changed = sim_keys_changed,
};

/* What sets up the machine before the driver binds, as a BIOS would. */
static int run_setup(void)
{
	char *copy, *rest, *line, answer[256];
	int ret = 0;

	copy = rest = kstrdup(setup ?: "", GFP_KERNEL);
	if (!copy)
		return -ENOMEM;

	while (!ret && (line = strsep(&rest, ";"))) {
		line = strim(line);
		if (*line)
			ret = sim_command(line, answer, sizeof(answer));
		if (ret)
			pr_err("tdx-host-sim: %s: %s", line, answer);
	}

	kfree(copy);
	return ret == -ENOENT ? -EINVAL : ret;
}

/* What was set up has run before there was a driver: no probe has seen it. */
static int start_machine(void)
{
	int ret = run_setup();

	if (ret)
		return ret;

	/* Mainline has none, and what it holds keeps userspace's own from going blind. */
	ret = mainline ? 0 : start_watch();
	if (ret)
		return ret;

	/* From here on commands come through debugfs. */
	sim.caps = mainline ? 0
			    : TDX_BACKEND_COUNTS | TDX_BACKEND_LAST_STATUS |
				      TDX_BACKEND_EXTRAS;
	if (tdx_model_can_update(sim.model))
		sim.caps |= TDX_BACKEND_UPDATES;

	ret = sim_control_create();
	if (ret)
		goto err_watch;

	return 0;

err_watch:
	build_watch_stop();
	return ret;
}

static bool has_real_tdx(void)
{
#ifdef X86_FEATURE_TDX_HOST_PLATFORM
	return boot_cpu_has(X86_FEATURE_TDX_HOST_PLATFORM);
#else
	return false;
#endif
}

int tdx_backend_init(void)
{
	int ret;

	if (has_real_tdx()) {
		pr_err("tdx-host-sim: this CPU has TDX; a simulated one beside it would "
		       "only be mistaken for it\n");
		return -ENODEV;
	}

	INIT_DELAYED_WORK(&sim.builds, run_builds);
	ret = tdx_model_new(num_present_cpus(), &hooks, NULL, &sim.model);
	if (ret)
		return ret;

	ret = start_machine();
	if (ret) {
		cancel_delayed_work_sync(&sim.builds);
		sim.model = tdx_model_free(sim.model);
		return ret;
	}

	add_taint(TAINT_TEST, LOCKDEP_STILL_OK);
	pr_warn("tdx-host-sim: this TDX is simulated: nothing is protected\n");
	return 0;
}

void tdx_backend_exit(void)
{
	sim_control_remove();
	cancel_delayed_work_sync(&sim.builds);
	build_watch_stop();
	sim.model = tdx_model_free(sim.model);
}

MODULE_DESCRIPTION("TDX host services on a simulated TDX");
