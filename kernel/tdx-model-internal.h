/* SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later */
/*
 * The parts of the machine, and what they may ask of each other:
 *
 *   command -> build -> host -> seamldr, module -> td -> mrtd
 *                       cpu  -> the same
 *
 * The module and the loader see registers only; host is Linux's TDX core; build is the VM
 * manager and KVM. Where the machine has a real kernel, cpu stands in place of both.
 */
#ifndef TDX_MODEL_INTERNAL_H
#define TDX_MODEL_INTERNAL_H

#include "tdx-model.h"
#include "tdx-model-status.h"

#define TDX_MODEL_PACKAGES_MAX 8
#define TDX_MODEL_HKID_FIRST   64 /* simulation; the first one is the module's own */
#define TDX_MODEL_HKID_MAX     128
#define TDX_MODEL_TDCS_PAGES   4 /* simulation */
#define TDX_MODEL_TDVPS_PAGES  2 /* simulation: TDVPR and one more */
#define TDX_MODEL_TDMRS_MAX    64
#define TDX_MODEL_ADDRESS_MAX  (1ULL << 46)
#define TDX_MODEL_TRUST_MAX    4
#define TDX_MODEL_NAME_BYTES   64
#define TDX_MODEL_DIGEST_BYTES TDX_PORT_SHA384_BYTES
#define TDX_MODEL_NEVER        (~0ULL)

/*
 * What distinguishes one module image from another.
 *
 * @ctx: crypto_ctx_version, the layout of a hash in progress. No field of an image tells
 *	it (simulation: told by `known` or by the image's first line, else the SVN).
 * @min_seamldr: the oldest P-SEAMLDR that can load it; no field tells it either
 * @mrseam: the image's own hash; all zeros for a module of firmware whose hash was not
 *	given
 */
struct tdx_model_facts {
	struct tdx_model_version version;
	u64 features0;
	u16 ctx;
	u16 svn;
	u16 module_hv;
	u16 min_update_hv;
	bool no_downgrade;
	u16 handoff_pages;
	struct tdx_model_version min_seamldr;
	u8 mrseam[TDX_MODEL_DIGEST_BYTES];
};

/* ---- module (tdx-model-module.c) ---- */

enum tdx_model_sys_state {
	TDX_MODEL_SYS_INIT_PENDING,
	TDX_MODEL_SYS_INIT_DONE,
	TDX_MODEL_SYS_CONFIG_DONE,
	TDX_MODEL_SYS_READY,
	TDX_MODEL_SYS_SHUTDOWN,
};

/*
 * @is_detecting: SYS.UPDATE was told to find MRTDs begun under another crypto context
 * @packages: bit mask, those that have the module's own key
 */
struct tdx_model_module {
	struct tdx_model_facts facts;
	enum tdx_model_sys_state state;
	bool is_detecting;
	u32 packages;
	u16 td_build_count;
	u16 mig_interrupted_count;
	bool is_lp_init[TDX_MODEL_LPS_MAX];
};

/* In memory that outlives a module. The HKID table is part of it in reality; here it just
 * stays where it is. */
struct tdx_model_handoff {
	bool is_valid;
	u16 hv;
	u16 td_build_count;
	u16 mig_interrupted_count;
};

enum tdx_model_hkid_state {
	TDX_MODEL_HKID_FREE,
	TDX_MODEL_HKID_ASSIGNED,
	TDX_MODEL_HKID_FLUSHED,
};

/* @memory: what the page that an operand names holds, where that matters */
struct tdx_model_regs {
	u64 rcx;
	u64 rdx;
	u64 r8;
	u64 r9;
	u64 r10;
	u64 r11;
	u64 r12;
	const u8 *memory;
};

/* Start a module whose bytes are in place: first boot, or after an INSTALL. */
void tdx_model_module_load(struct tdx_model *model, const struct tdx_model_facts *facts);
u64 tdx_model_seamcall(struct tdx_model *model, unsigned int lp, u64 rax,
		       struct tdx_model_regs *regs);
bool tdx_model_counts_builds(const struct tdx_model *model);
/* SYS.RD (tdx-model-fields.c) */
u64 tdx_model_sys_rd(const struct tdx_model *model, struct tdx_model_regs *regs);

/* ---- td (tdx-model-td*.c): a TD as the module sees it ---- */

enum tdx_model_life_cycle {
	TDX_MODEL_HKID_IS_ASSIGNED,
	TDX_MODEL_KEYS_CONFIGURED,
	TDX_MODEL_BLOCKED,
	TDX_MODEL_TEARDOWN,
};

enum tdx_model_op_state {
	TDX_MODEL_OP_UNINITIALIZED,
	TDX_MODEL_OP_INITIALIZED,
	TDX_MODEL_OP_RUNNABLE,
	TDX_MODEL_OP_LIVE_EXPORT,
	TDX_MODEL_OP_PAUSED_EXPORT,
	TDX_MODEL_OP_POST_EXPORT,
	TDX_MODEL_OP_MEMORY_IMPORT,
	TDX_MODEL_OP_STATE_IMPORT,
	TDX_MODEL_OP_POST_IMPORT,
	TDX_MODEL_OP_LIVE_IMPORT,
	TDX_MODEL_OP_FAILED_IMPORT,
	/* There are two more, 11 and 12, which nothing here brings about. */
};

enum tdx_model_page_kind {
	TDX_MODEL_PAGE_TDCX,
	TDX_MODEL_PAGE_VCPU,
	TDX_MODEL_PAGE_VCPU_EXTRA,
	TDX_MODEL_PAGE_SEPT,
	TDX_MODEL_PAGE_PRIVATE,
};

/*
 * @address: where it is in host memory; @gpa, @level: where in the TD's, if is_mapped
 * @blocked_epoch: the TD's when it was blocked, if is_blocked
 * @extra_count: pages of a vCPU beside this, its first one
 */
struct tdx_model_page {
	struct tdx_model_page *next;
	enum tdx_model_page_kind kind;
	u64 address;
	bool is_mapped;
	u64 gpa;
	unsigned int level;
	bool is_blocked;
	u64 blocked_epoch;
	bool is_vcpu_init;
	bool is_vcpu_associated;
	unsigned int extra_count;
	u8 *content;
};

/*
 * @packages: bit mask, keys configured (life cycle HKID_ASSIGNED) or caches still to be
 *	written back (BLOCKED)
 * @is_counted: in td_build_count
 * @epoch: of MEM.TRACK
 * @whole: the hash of all that was measured, whatever modules made of it; no machine has
 *	it, and @is_mrtd_right is what it says of @mrtd
 */
struct tdx_model_tdr {
	struct tdx_model_tdr *next;
	u64 address;
	u16 hkid;
	enum tdx_model_life_cycle life_cycle;
	enum tdx_model_op_state op_state;
	u8 uuid[32];
	u32 packages;
	unsigned int tdcx_count;
	unsigned int vcpu_count;
	struct tdx_model_page *pages;
	u16 mrtd_ctx;
	bool is_counted;
	bool is_mig_interrupted;
	u64 epoch;
	struct tdx_port_sha384 *hash;
	struct tdx_port_sha384 *whole;
	u8 mrtd[TDX_MODEL_DIGEST_BYTES];
	bool is_mrtd_right;
};

/* The leaves for TDs; the module is READY and the LP initialised. */
u64 tdx_model_td_leaf(struct tdx_model *model, unsigned int lp, u64 rax,
		      struct tdx_model_regs *regs);
u64 tdx_model_vp_create(struct tdx_model *model, struct tdx_model_tdr *td,
			const struct tdx_model_regs *regs);
/* Leaves that name a vCPU. */
u64 tdx_model_vcpu_leaf(struct tdx_model *model, u64 rax, struct tdx_model_regs *regs);
u64 tdx_model_sept_add(struct tdx_model *model, struct tdx_model_tdr *td,
		       const struct tdx_model_regs *regs);
/* MEM.RANGE.BLOCK, MEM.TRACK, MEM.PAGE.REMOVE */
u64 tdx_model_td_memory(struct tdx_model_tdr *td, unsigned int leaf,
			struct tdx_model_regs *regs);
/* Leaves that measure: MEM.PAGE.ADD, MR.EXTEND, MR.FINALIZE. */
u64 tdx_model_td_measure(struct tdx_model *model, struct tdx_model_tdr *td,
			 unsigned int leaf, struct tdx_model_regs *regs);
/* Leaves that take a TD down: VPFLUSHDONE, CACHE.WB, KEY.FREEID, and those for any page:
 * RECLAIM, RDMD, WBINVD. */
u64 tdx_model_td_teardown(struct tdx_model *model, unsigned int lp, unsigned int leaf,
			  struct tdx_model_regs *regs);
/* 0 when @address can become a page of some TD; else the status for operand @operand. */
u64 tdx_model_check_new_page(struct tdx_model *model, u64 address, u64 operand);
/* Keys are there, the control structure is complete, the state is one of @op_states (a
 * bit mask of enum tdx_model_op_state). */
u64 tdx_model_check_td(const struct tdx_model_tdr *td, unsigned int op_states);
struct tdx_model_tdr *tdx_model_td_find(struct tdx_model *model, u64 address);
/* What the TD's page tables have at @gpa: a private page (level 0) or a table. */
struct tdx_model_page *tdx_model_td_find_gpa(struct tdx_model_tdr *td, u64 gpa,
					     unsigned int level);
bool tdx_model_page_is_used(struct tdx_model *model, u64 address);
/* NULL without memory. */
struct tdx_model_page *tdx_model_td_add_page(struct tdx_model_tdr *td,
					     enum tdx_model_page_kind kind, u64 address);
void tdx_model_page_free(struct tdx_model_page *page);
void tdx_model_td_end_build(struct tdx_model *model, struct tdx_model_tdr *td);
/* Forget a TD with all of its pages, whatever its state: the power went away. */
struct tdx_model_tdr *tdx_model_td_free(struct tdx_model_tdr *td);
/* An EXPORT.STATE or IMPORT.STATE call stopped half-way, or went on. 0 or a status. */
u64 tdx_model_td_migrate(struct tdx_model *model, struct tdx_model_tdr *td,
			 bool is_interrupted);

/* ---- mrtd (tdx-model-mrtd.c): the byte stream of a launch measurement ---- */

void tdx_model_mrtd_add_page(struct tdx_port_sha384 *hash, u64 gpa);
void tdx_model_mrtd_extend(struct tdx_port_sha384 *hash, u64 gpa, const u8 content[256]);

/* ---- image and SIGSTRUCT (tdx-model-sigstruct.c) ---- */

/* SEAMLDR_PARAMS: one page of memory. */
struct tdx_model_params {
	u32 version;
	u32 scenario;
	u64 sigstruct;
	u8 reserved[104];
	u64 page_count;
	u64 pages[TDX_MODEL_MODULE_PAGES_MAX];
};

#define TDX_MODEL_SCENARIO_LOAD   0
#define TDX_MODEL_SCENARIO_UPDATE 1

/*
 * @seamhash: the hash that the module pages have; @is_signed: the signature is the
 * SIGSTRUCT's own modulus's, whoever that is; @is_described: @facts know the version
 */
struct tdx_model_image {
	struct tdx_model_params params;
	u8 sigstruct[2048];
	struct tdx_model_facts facts;
	bool is_described;
	u8 signer[TDX_MODEL_DIGEST_BYTES];
	u8 seamhash[TDX_MODEL_DIGEST_BYTES];
	bool is_signed;
};

/* An image of its parts, hashed; @bytes of @module are whole pages. 0, -ENOMEM */
int tdx_model_image_assemble(struct tdx_model *model,
			     const struct tdx_model_params *params, const u8 *sigstruct,
			     const u8 *module, size_t bytes,
			     struct tdx_model_image **ret);
/* 0 or the loader's status, in its order of looking: all before the memory layout. */
u64 tdx_model_sigstruct_check(const struct tdx_model *model,
			      const struct tdx_model_image *image);
/* Pages of SEAM memory that the module would need. */
u64 tdx_model_sigstruct_memory_pages(const struct tdx_model *model,
				     const struct tdx_model_image *image);
bool tdx_model_sigstruct_has_hash(const struct tdx_model_image *image);

/* What is told about a measurement from outside. */
struct tdx_model_known {
	struct tdx_model_known *next;
	u8 mrseam[TDX_MODEL_DIGEST_BYTES];
	struct tdx_model_version version;
	bool has_features0;
	u64 features0;
	bool has_ctx;
	u16 ctx;
	struct tdx_model_version min_seamldr;
};

/* ---- text (tdx-model-text.c) ---- */

/* Text that is being written into a buffer; what does not fit is cut off. */
struct tdx_model_text {
	char *buffer;
	size_t size;
	size_t used;
};

__attribute__((format(printf, 2, 3))) void tdx_model_text_add(struct tdx_model_text *text,
							      const char *format, ...);
void tdx_model_text_add_hex(struct tdx_model_text *text, const u8 *bytes, size_t count);

/* Each takes all of @text or returns -EINVAL. Numbers: decimal, or hexadecimal with 0x.
 */
int tdx_model_parse_number(const char *text, u64 max, u64 *ret);
int tdx_model_parse_signature(const char *text, u32 *ret);
int tdx_model_parse_version(const char *text, struct tdx_model_version *ret);
int tdx_model_parse_digest(const char *text, u8 ret[TDX_MODEL_DIGEST_BYTES]);
int tdx_model_parse_bool(const char *text, bool *ret);
/* "3s", "250ms", "10us", "5ns", "2m"; a bare number is seconds; one decimal point. */
int tdx_model_parse_duration(const char *text, u64 *ret_nsec);
/* Cut the next word off *@cursor, in place; NULL at the end. */
char *tdx_model_next_word(char **cursor);
/* Split "key=value" in place; NULL where there is no '='. */
char *tdx_model_split_value(char *word);
/* version, features0, ctx, svn, hv, min_hv, no_downgrade, min_seamldr, mrseam; -ENOENT:
 * none. A version takes away the mrseam given for another. */
int tdx_model_facts_set(struct tdx_model_facts *facts, const char *key,
			const char *value);

/* ---- P-SEAMLDR (tdx-model-seamldr.c) ---- */

/*
 * @is_seam_ready: the CPU lets SEAMCALLs through to the module
 * @has_old_module: it did when the session began
 * @is_session_open, @has_called, @called_count: an INSTALL waits for the other LPs
 */
struct tdx_model_loader {
	struct tdx_model_version version;
	u32 remaining;
	bool is_seam_ready;
	bool has_old_module;
	bool is_session_open;
	bool has_called[TDX_MODEL_LPS_MAX];
	unsigned int called_count;
	u64 seam_pages;
	bool is_anyone_trusted;
	unsigned int trust_count;
	u8 trust[TDX_MODEL_TRUST_MAX][TDX_MODEL_DIGEST_BYTES];
};

#define TDX_MODEL_INFO_BYTES 256

/* Where SEAMLDR.INFO has what it knows of the loaded module: SEAM_INFO, 128 bytes. */
#define TDX_MODEL_INFO_SEAM_VALID  32
#define TDX_MODEL_INFO_TEE_TCB_SVN 40
#define TDX_MODEL_INFO_MRSEAM      56

u64 tdx_model_seamldr_info(struct tdx_model *model, u8 ret[TDX_MODEL_INFO_BYTES]);
/* The same, whatever fault was asked for. */
void tdx_model_seamldr_fill_info(const struct tdx_model *model,
				 u8 ret[TDX_MODEL_INFO_BYTES]);
/* Whether what this LP's INSTALL says of an image will be looked at. */
bool tdx_model_seamldr_is_last(const struct tdx_model *model, unsigned int lp);
/* @image: NULL for parameters that are none
 * @ret_rdx: on failure 0, the old module could be made ready again, or 1, it could not */
u64 tdx_model_seamldr_install(struct tdx_model *model, unsigned int lp,
			      const struct tdx_model_image *image, u64 *ret_rdx);

/* ---- host (tdx-model-host.c): Linux's TDX core ---- */

enum tdx_model_patch {
	TDX_MODEL_PATCH_NONE,  /* 7.3: the flag is never passed */
	TDX_MODEL_PATCH_BLIND, /* passed to any module */
	TDX_MODEL_PATCH_BIT,   /* passed where FEATURES0 has the bit */
};

/*
 * @features0: as read at boot; 7.3 does not read it again after an update
 * @can_update: decided when the driver binds, and never again
 * @is_guarding: our kernel piece is there and counts builds
 * @is_detecting: SYS.UPDATE asks the new module to look for foreign hashes in progress
 */
struct tdx_model_host {
	bool is_live;
	struct tdx_model_version version;
	u64 features0;
	bool can_update;
	bool has_cpu_bug;
	bool is_guarding;
	bool is_detecting;
	bool is_sysinit_done;
	int sysinit_result;
	enum tdx_model_patch patch;
	unsigned int building;
	unsigned int updates;
	struct tdx_model_status last;
	bool has_last;
	u64 install_nsec;
};

/* A SEAMCALL of the host kernel: tried again for entropy, remembered if it fails. */
u64 tdx_model_host_call(struct tdx_model *model, unsigned int lp, u64 rax,
			struct tdx_model_regs *regs);
void tdx_model_host_boot(struct tdx_model *model);
/* A failure that was asked for, in place of the call that this LP would make now; or 0.
 */
u64 tdx_model_take_step_fault(struct tdx_model *model, enum tdx_model_step step,
			      unsigned int lp);

/* ---- build (tdx-model-build*.c): VM managers and KVM ---- */

enum tdx_model_build_state {
	TDX_MODEL_BUILD_GOING,
	TDX_MODEL_BUILD_PAUSED, /* nothing happens until someone says so */
	TDX_MODEL_BUILD_HUNG,   /* as paused, but its VM manager will never go on */
	TDX_MODEL_BUILD_DONE,   /* finalised: it can run */
	TDX_MODEL_BUILD_DEAD,   /* a call failed: KVM has given the VM up */
};

/* The calls of a launch, in order; some are made several times in a row. */
enum tdx_model_build_call {
	TDX_MODEL_CALL_CREATE,
	TDX_MODEL_CALL_KEY_CONFIG,
	TDX_MODEL_CALL_ADDCX,
	TDX_MODEL_CALL_INIT,
	TDX_MODEL_CALL_VP_CREATE,
	TDX_MODEL_CALL_VP_ADDCX,
	TDX_MODEL_CALL_VP_INIT,
	TDX_MODEL_CALL_SEPT_ADD,
	TDX_MODEL_CALL_PAGE_ADD,
	TDX_MODEL_CALL_EXTEND,
	TDX_MODEL_CALL_FINALIZE,
	_TDX_MODEL_CALL_MAX,
};

/*
 * @duration_nsec: from MNG.INIT to MR.FINALIZE
 * @lifetime_nsec: from there to the end of the VM; TDX_MODEL_NEVER
 * @stop_after: pause, or hang, when this call has been made; _MAX for never
 */
struct tdx_model_build_spec {
	bool is_timed;
	bool is_measured;
	bool does_hang;
	u64 duration_nsec;
	u64 lifetime_nsec;
	unsigned int vcpu_count;
	unsigned int page_count;
	enum tdx_model_build_call stop_after;
};

/*
 * @done: calls made so far; which one comes next follows from that
 * @start_nsec: MNG.INIT, moved on by the pauses since
 * @hash, @expected: of what was asked for, whatever the module made of it
 */
struct tdx_model_td {
	struct tdx_model_td *next;
	struct tdx_model *model;
	struct tdx_model_build_spec spec;
	char name[TDX_MODEL_NAME_BYTES];
	enum tdx_model_build_state state;
	u64 address;
	u16 hkid;
	unsigned int done;
	bool is_building;
	bool holds_hkid;
	u64 start_nsec;
	u64 paused_nsec;
	u64 end_nsec;
	u64 failed_status;
	struct tdx_port_sha384 *hash;
	u8 expected[TDX_MODEL_DIGEST_BYTES];
};

/* -EEXIST, -EINVAL, -ENOSPC no HKID, -ENOMEM */
int tdx_model_build_new(struct tdx_model *model, const char *name,
			const struct tdx_model_build_spec *spec,
			struct tdx_model_td **ret);
struct tdx_model_td *tdx_model_build_find(struct tdx_model *model, const char *name);
/* The next call; -EIO: it failed, now or before; -ENODATA: there is none left. */
int tdx_model_build_step(struct tdx_model_td *td);
/* -EINVAL: it is not in a state that this makes sense for */
int tdx_model_build_pause(struct tdx_model_td *td, bool does_hang);
int tdx_model_build_resume(struct tdx_model_td *td);
/* The VM manager closes its last descriptor and @td is gone; -EIO: the module would not
 * let go of the TD, which stays as it is. */
int tdx_model_build_close(struct tdx_model_td *td);
/* Run its first vCPU: the status of VP.ENTER. */
u64 tdx_model_build_enter(struct tdx_model_td *td);
struct tdx_model_tdr *tdx_model_build_tdr(struct tdx_model_td *td);
/* What comes next, _MAX when all is done. */
enum tdx_model_build_call tdx_model_build_next(const struct tdx_model_td *td);
const char *tdx_model_build_call_name(enum tdx_model_build_call call);
enum tdx_model_build_call tdx_model_build_call_find(const char *name);
const char *tdx_model_build_state_name(struct tdx_model_td *td);
struct tdx_model_td *tdx_model_build_free(struct tdx_model_td *td);

/* One call of a launch, number @index of its kind (tdx-model-build-call.c). */
u64 tdx_model_build_make_call(struct tdx_model_td *td, enum tdx_model_build_call call,
			      unsigned int index);
/* VP.FLUSH* to RECLAIM*: 0, or the status that stopped it. */
u64 tdx_model_build_teardown(struct tdx_model_td *td);
/* Pages that a TD of this shape takes, the TDR included. */
unsigned int tdx_model_build_pages(const struct tdx_model_build_spec *spec);
unsigned int tdx_model_build_tables(const struct tdx_model_build_spec *spec);

#define TDX_MODEL_BUILD_PAGES_MAX 1024 /* below 4 GiB, where firmware sits */
#define TDX_MODEL_BUILD_VCPUS_MAX 64

/* ---- the machine (tdx-model.c) ---- */

/* Each counts down to zero, failing one call at a time. */
struct tdx_model_faults {
	unsigned int module_entropy;
	unsigned int loader_entropy;
	unsigned int sys_busy;
	unsigned int loader_info;
	unsigned int td_init;
	u64 loader_info_status;
	unsigned int step_count;
	enum tdx_model_step step;
	unsigned int step_lp;
	u64 step_status;
};

struct tdx_model_counts {
	unsigned int right;
	unsigned int wrong;
	unsigned int aborted;
	unsigned int dead;
};

/* What no host can see: for tests that ask whether an update came at a bad moment. */
struct tdx_model_seen {
	unsigned int shutdowns;
	unsigned int shutdowns_in_build;
	unsigned int finalized;
	unsigned int wrong_mrtd;
};

struct tdx_model {
	struct tdx_model_hooks hooks;
	void *userdata;
	unsigned int lp_count;
	bool is_offline[TDX_MODEL_LPS_MAX];
	unsigned int package_count;
	u32 signatures[TDX_MODEL_PACKAGES_MAX];
	struct tdx_model_facts boot_facts;
	struct tdx_model_module module;
	struct tdx_model_handoff handoff;
	enum tdx_model_hkid_state hkids[TDX_MODEL_HKID_MAX];
	struct tdx_model_tdr *tdrs;
	struct tdx_model_loader loader;
	struct tdx_model_host host;
	struct tdx_model_known *known;
	struct tdx_model_td *tds;
	u64 next_address;
	u64 now_nsec;
	struct tdx_model_faults faults;
	struct tdx_model_counts counts;
	struct tdx_model_seen seen;
	u8 source_page[TDX_MODEL_PAGE_BYTES];
};

unsigned int tdx_model_package_of(const struct tdx_model *model, unsigned int lp);
/* Power off and on: no TD survives, module and host start afresh. */
void tdx_model_reboot(struct tdx_model *model);
/*
 * The same for a machine whose host is no part of the model: as firmware leaves it, the
 * module is there and nobody has called it.
 */
void tdx_model_power_on(struct tdx_model *model);

/* ---- cpu (tdx-model-cpu.c): the SEAMCALL instruction of a machine with memory ---- */

u64 tdx_model_cpu_seamcall(struct tdx_model *model, unsigned int lp, u64 rax,
			   struct tdx_model_regs *regs);

#endif
