// SPDX-License-Identifier: GPL-2.0-only
/*
 * Backend of tdx-host.ko: the running kernel's own TDX core (7.2 and newer, built with
 * CONFIG_INTEL_TDX_HOST). This module takes the place of the in-tree driver; its name
 * gives it the functions that are exported to "tdx-host" and to nobody else.
 */
#include <linux/cgroup.h>
#include <linux/cpu.h>
#include <linux/misc_cgroup.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <asm/asm.h>
#include <asm/cpu_device_id.h>
#include <asm/msr.h>
#include <asm/seamldr.h>
#include <asm/tdx.h>

#include "backend.h"
#include "build-watch.h"

/* Of MKTME and TDX together: KeyIDs have at most 15 bits. */
#define TD_KEYS_MAX BIT(15)

#define TDH_SYS_RD       34
#define MD_TDX_FEATURES0 0x0A00000300000008ULL

static const struct x86_cpu_id tdx_host_ids[] = {
	X86_MATCH_FEATURE(X86_FEATURE_TDX_HOST_PLATFORM, NULL), {}
};
MODULE_DEVICE_TABLE(x86cpu, tdx_host_ids);

static unsigned int caps;

int tdx_backend_version(struct tdx_host_version *ret_version)
{
	const struct tdx_sys_info *info = tdx_get_sysinfo();

	if (!info)
		return -ENXIO;

	/* No torn version: the core writes it while an update has all CPUs stopped. */
	seamldr_lock_module_update();
	*ret_version = (struct tdx_host_version){
		.major = info->version.major_version,
		.minor = info->version.minor_version,
		.update = info->version.update_version,
	};
	seamldr_unlock_module_update();

	return 0;
}

/*
 * TDH.SYS.RD. The core does not read the features again after an update, and exports none
 * of its SEAMCALL helpers to this module, hence one of our own. What those do beside the
 * call, and why it can be done without here:
 *
 * - They mark the caches of this CPU as dirty with a TD's lines, for kexec: SYS.RD writes
 *   no memory of any TD, and reads what was never mapped with a private key.
 * - They keep an update out by disabling preemption (stop_machine() waits for this CPU),
 *   and so does who calls this: SYS.RD in the middle of one would only fail.
 * - They try again for entropy: SYS.RD takes none.
 *
 * TDX keeps every CPU in VMX operation from boot on. RAX tells all: 0 is success, an
 * error of the TDX module has bit 63, a fault leaves its number there (the exception
 * table), and VMfailInvalid leaves the leaf number.
 */
static u64 sys_rd(u64 field, u64 *ret_value)
{
	u64 rax = TDH_SYS_RD, rcx = 0, rdx = field;
	register u64 r8 asm("r8") = 0;
	register u64 r9 asm("r9") = 0;
	register u64 r10 asm("r10") = 0;
	register u64 r11 asm("r11") = 0;

	asm volatile("1:\n\t"
		     ".byte 0x66, 0x0f, 0x01, 0xcf\n"
		     "2:\n\t" _ASM_EXTABLE_FAULT(1b, 2b)
		     : "+a"(rax), "+c"(rcx), "+d"(rdx), "+r"(r8), "+r"(r9), "+r"(r10),
		       "+r"(r11)
		     :
		     : "cc", "memory");

	if (!rax)
		*ret_value = r8;

	return rax;
}

int tdx_backend_features0(u64 *ret_features)
{
	u64 status;

	if (!tdx_get_sysinfo())
		return -ENXIO;

	seamldr_lock_module_update();
	status = sys_rd(MD_TDX_FEATURES0, ret_features);
	seamldr_unlock_module_update();

	return status ? -EIO : 0;
}

int tdx_backend_seamldr(struct tdx_host_version *ret_version, u32 *ret_remaining)
{
	struct seamldr_info info;
	int ret = seamldr_get_info(&info);

	if (ret)
		return ret;

	*ret_version = (struct tdx_host_version){
		.major = info.major_version,
		.minor = info.minor_version,
		.update = info.update_version,
	};
	*ret_remaining = info.num_remaining_updates;

	return 0;
}

/*
 * SEAM_INFO of SEAMLDR_INFO: what P-SEAMLDR knows of the module that it loaded. The core
 * takes it for opaque.
 */
struct seam_info {
	u64 valid;
	u8 tee_tcb_svn[16];
	u8 mrseam[48];
	u8 mrsigner[48];
	u64 attributes;
} __packed;
static_assert(sizeof(struct seam_info) == sizeof_field(struct seamldr_info, seam_info));

static int read_identity(struct tdx_host_identity *ret)
{
	struct seamldr_info info;
	struct seam_info seam;
	int error = seamldr_get_info(&info);

	if (error)
		return error;

	memcpy(&seam, info.seam_info, sizeof(seam));
	if (!info.seam_ready || !seam.valid)
		return -ENODATA;

	memcpy(ret->tee_tcb_svn, seam.tee_tcb_svn, sizeof(ret->tee_tcb_svn));
	memcpy(ret->mrseam, seam.mrseam, sizeof(ret->mrseam));
	return 0;
}

/* Of the module that runs, once somebody has asked. @lock is held for an update. */
static struct {
	struct mutex lock;
	bool is_known;
	struct tdx_host_identity identity;
} running = {
	.lock = __MUTEX_INITIALIZER(running.lock),
};

int tdx_backend_identity(struct tdx_host_identity *ret_identity)
{
	int ret = 0;

	guard(mutex)(&running.lock);

	if (!tdx_get_sysinfo())
		return -ENXIO;
	if (!running.is_known)
		ret = read_identity(&running.identity);
	if (ret)
		return ret;

	running.is_known = true;
	*ret_identity = running.identity;
	return 0;
}

/*
 * KVM charges each TD's key to the misc cgroup of its creator, and with it to every
 * ancestor, of which the last is the machine's. Signed: see struct build_table.
 */
int tdx_backend_keys(long long *ret_keys)
{
	struct misc_cg *own = get_current_misc_cg(), *root;

	if (!own)
		return -ENODATA;

	for (root = own; root->css.parent;)
		root = css_misc(root->css.parent);
	*ret_keys = atomic64_read(&root->res[MISC_CG_RES_TDX].usage);
	put_misc_cg(own);

	return 0;
}

/* A kernel that passes the avoid-compat-sensitive flag does not tell this module. */
enum tdx_host_guard tdx_backend_guard(void)
{
	if (caps & TDX_BACKEND_COUNTS && build_watch_count() >= 0)
		return TDX_HOST_GUARD_KERNEL;

	return TDX_HOST_GUARD_NONE;
}

int tdx_backend_tds_building(void)
{
	return build_watch_count();
}

/* The core prints the status of a SEAMCALL that failed, and keeps it to itself. */
bool tdx_backend_last_seamcall(struct tdx_host_seamcall *ret_call)
{
	return false;
}

/* What the loader finds only after the old module is gone. */
int tdx_backend_check(void)
{
	struct tdx_host_version version;
	u32 remaining;
	int ret;

	if (!tdx_get_sysinfo())
		return -ENXIO;

	ret = tdx_backend_seamldr(&version, &remaining);
	if (ret)
		return ret;
	if (!remaining)
		return -ENOSPC;

	/* P-SEAMLDR waits for a call from every CPU that the firmware enabled. */
	if (!cpumask_equal(cpu_online_mask, cpu_present_mask))
		return -EAGAIN;

	return 0;
}

/*
 * No CPU goes or comes from the look at them until all is over: one that was offline
 * while the others called the loader costs TDX.
 *
 * The window that is left: a TDH.MNG.INIT that is entered between the look at the count
 * and the moment stop_machine() has all CPUs is not seen; the core allocates one page and
 * walks the image in between. seamldr_lock_module_update() cannot close it: it only
 * disables preemption, and stop_machine() sleeps. The avoid-compat-sensitive flag closes
 * it, in a kernel and a TDX module that have it (patches/).
 */
int tdx_backend_install(const u8 *image, u32 size)
{
	int ret;

	guard(mutex)(&running.lock);
	cpu_hotplug_disable();

	ret = tdx_backend_check();
	if (!ret && caps & TDX_BACKEND_COUNTS && build_watch_count() > 0)
		ret = -EBUSY;
	if (!ret) {
		running.is_known = false;
		ret = seamldr_install_module(image, size);
	}

	cpu_hotplug_enable();
	return ret;
}

unsigned int tdx_backend_caps(void)
{
	return caps;
}

/* As in the in-tree driver: with this bug P-SEAMLDR calls break KVM. */
static bool can_update(void)
{
	const struct tdx_sys_info *info = tdx_get_sysinfo();

	return info && tdx_supports_runtime_update(info) &&
	       !boot_cpu_has_bug(X86_BUG_SEAMRET_INVD_VMCS);
}

/* As the core reads it, of which KVM alone is told. */
static unsigned int count_td_keys(void)
{
	u64 partitioning;

	if (rdmsrq_safe(MSR_IA32_MKTME_KEYID_PARTITIONING, &partitioning))
		return TD_KEYS_MAX;

	return min_t(u64, partitioning >> 32, TD_KEYS_MAX) ?: TD_KEYS_MAX;
}

int tdx_backend_init(void)
{
	int ret;

	if (!x86_match_cpu(tdx_host_ids) || !tdx_get_sysinfo())
		return -ENODEV;

	caps = TDX_BACKEND_EXTRAS;
	if (can_update())
		caps |= TDX_BACKEND_UPDATES;

	ret = build_watch_start(NULL, count_td_keys());
	if (ret)
		pr_warn("tdx-host: TD builds cannot be watched (%d)\n", ret);
	else
		caps |= TDX_BACKEND_COUNTS;

	return 0;
}

void tdx_backend_exit(void)
{
	if (caps & TDX_BACKEND_COUNTS)
		build_watch_stop();
}

MODULE_DESCRIPTION("TDX host services");
