/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What host.c (sysfs, fw_upload, uevents) asks of a backend, and the little a backend may
 * ask of host.c. The two are linked into one module, so this is a set of functions and
 * not a table: tdx-host.ko has native.c behind it, tdx-host-sim.ko has sim.c.
 */
#ifndef TDX_HOST_BACKEND_H
#define TDX_HOST_BACKEND_H

#include <linux/bits.h>
#include <linux/types.h>

/* Header page, one sigstruct page and at most 496 module pages: SEAMLDR_PARAMS has no
 * more. */
#define TDX_HOST_IMAGE_MAX ((1 + 1 + 496) * 4096UL)

struct tdx_host_version {
	u16 major;
	u16 minor;
	u16 update;
};

/* As mainline's TDX_VERSION_FMT. */
#define TDX_HOST_VERSION_FMT    "%u.%u.%02u"
#define TDX_HOST_VERSION_ARG(v) (v).major, (v).minor, (v).update

/* Which module runs, as quotes have it. */
struct tdx_host_identity {
	u8 tee_tcb_svn[16];
	u8 mrseam[48];
};

struct tdx_host_seamcall {
	u64 leaf;
	u64 status;
};

/* Who refuses an update that would land in the middle of a TD build. */
enum tdx_host_guard {
	TDX_HOST_GUARD_NONE,
	TDX_HOST_GUARD_KERNEL,
	TDX_HOST_GUARD_MODULE,
};

/* Fixed once tdx_backend_init() has succeeded, as mainline fixes visibility when it
 * binds. */
#define TDX_BACKEND_UPDATES     BIT(0) /* the module can be replaced at run time */
#define TDX_BACKEND_COUNTS      BIT(1) /* tdx_backend_tds_building() has an answer */
#define TDX_BACKEND_LAST_STATUS BIT(2) /* tdx_backend_last_seamcall() has an answer */
#define TDX_BACKEND_EXTRAS      BIT(3) /* beside mainline's files and events: our own */

int tdx_backend_init(void);
void tdx_backend_exit(void);
unsigned int tdx_backend_caps(void);

/* All may sleep. -ENXIO: no live TDX module (any more). */
int tdx_backend_version(struct tdx_host_version *ret_version);
int tdx_backend_features0(u64 *ret_features);
int tdx_backend_seamldr(struct tdx_host_version *ret_version, u32 *ret_remaining);
/* Asks the loader no more than once for each module that runs: everybody may read it. */
int tdx_backend_identity(struct tdx_host_identity *ret_identity);

enum tdx_host_guard tdx_backend_guard(void);
/*
 * TDs of the whole machine that have a key, as something else than this module counts
 * them; an errno when that is not known. Takes no lock that a caller of build_watch_*()
 * might hold.
 */
int tdx_backend_keys(long long *ret_keys);
/* Their number, or -ENODATA when it can no longer be known. */
int tdx_backend_tds_building(void);

/* The last SEAMCALL that failed; false when none has. */
bool tdx_backend_last_seamcall(struct tdx_host_seamcall *ret_call);

/*
 * What is knowable before the old module is shut down and fatal afterwards: 0, or the
 * errno with which `update` refuses. Nothing has been changed.
 */
int tdx_backend_check(void);

/*
 * Replace the module. @image is memory of vmalloc(): the kernel's loader walks its pages.
 * -EBUSY: a TD is being built; -EINVAL: not an image; anything else: see whether
 * tdx_backend_version() still has a version. Never called twice at a time.
 */
int tdx_backend_install(const u8 *image, u32 size);

/* Tell readers that poll `tds_building`. Any context but NMI; also before the file
 * exists. */
void tdx_host_building_changed(void);

#endif
