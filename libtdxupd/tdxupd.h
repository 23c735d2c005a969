/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libtdxupd: choose, check, stage and confirm an update of the Intel TDX module.
 *
 * Data flows one way, and so does this header:
 *
 *   version, check, digest -> host, policy, image -> catalog -> compat -> plan -> upload
 * -> confirm
 *
 * Two kinds of "no" are never mixed. A function that could not do its work returns a
 * negative errno and leaves its outputs alone. A function that did its work and found a
 * reason against an update returns 0 and adds a verdict to a report; the caller must
 * look. -EINVAL is the caller's mistake, -EBADMSG bad bytes, -ENODATA an absent
 * attribute, -ENOMEM no memory.
 *
 * Structures are allocated by the library only and are read by callers; new members are
 * only ever appended. No function but those of "upload" changes anything on the host. The
 * library starts no threads and keeps no state but the log level; objects may be used
 * from any thread, one thread at a time.
 */
#ifndef TDXUPD_H
#define TDXUPD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- version ---- */

/**
 * struct tdxupd_version - version of a TDX module or of P-SEAMLDR
 *
 * As the kernel's `version` and `seamldr_version` attributes print it: "1.5.06", the
 * update part with at least two digits
 * (drivers/virt/coco/tdx-host/tdx-host.c:version_show()). Since: 0.1
 */
struct tdxupd_version {
	uint16_t major;
	uint16_t minor;
	uint16_t update;
};

/** Bytes, the closing NUL included, that any formatted version fits in. Since: 0.1 */
#define TDXUPD_VERSION_TEXT_BYTES 20

/**
 * tdxupd_version_parse() - read "MAJOR.MINOR.UPDATE"
 * @text: three decimal numbers up to 65535, one trailing newline allowed, nothing else
 * @ret: the version
 *
 * Return: 0; -EINVAL a NULL argument; -EBADMSG anything else than a version.
 * Since: 0.1
 */
int tdxupd_version_parse(const char *text, struct tdxupd_version *ret);

/**
 * tdxupd_version_compare() - order two versions
 * Return: <0, 0, >0 as @a is older than, equal to, newer than @b.
 * Since: 0.1
 */
int tdxupd_version_compare(const struct tdxupd_version *a,
			   const struct tdxupd_version *b);

/**
 * tdxupd_version_format() - write a version as the kernel does
 * @ret: at least TDXUPD_VERSION_TEXT_BYTES
 * Return: @ret.
 * Since: 0.1
 */
const char *tdxupd_version_format(const struct tdxupd_version *v, char *ret);

/* ---- check: reasons against an update, and lists of them ---- */

/**
 * enum tdxupd_check - everything that is looked at before an image may reach the kernel
 *
 * The numbers may change between releases; the names of tdxupd_check_describe() never do.
 * Since: 0.1
 */
enum tdxupd_check {
	/* the file */
	TDXUPD_CHECK_FILE_UNSAFE,
	TDXUPD_CHECK_FILE_UNREADABLE,
	/* the container */
	TDXUPD_CHECK_IMAGE_SIZE,
	TDXUPD_CHECK_IMAGE_VERSION,
	TDXUPD_CHECK_IMAGE_MAGIC,
	TDXUPD_CHECK_IMAGE_RESERVED,
	TDXUPD_CHECK_IMAGE_PAGES,
	TDXUPD_CHECK_IMAGE_LENGTH,
	TDXUPD_CHECK_IMAGE_CHECKSUM,
	/* SIGSTRUCT */
	TDXUPD_CHECK_SIGSTRUCT_HEADER,
	TDXUPD_CHECK_SIGSTRUCT_SIZES,
	TDXUPD_CHECK_SIGSTRUCT_VENDOR,
	TDXUPD_CHECK_SIGSTRUCT_RESERVED,
	TDXUPD_CHECK_SIGSTRUCT_HANDOFF,
	TDXUPD_CHECK_MODULE_DEBUG,
	TDXUPD_CHECK_CPU_TABLE_EMPTY,
	/* trust */
	TDXUPD_CHECK_SIGNER_UNTRUSTED,
	TDXUPD_CHECK_SIGNATURE_INVALID,
	TDXUPD_CHECK_HASH_MISMATCH,
	TDXUPD_CHECK_VERSION_UNKNOWN,
	TDXUPD_CHECK_VERSION_MISMATCH,
	TDXUPD_CHECK_VERSION_AMBIGUOUS,
	TDXUPD_CHECK_MRSEAM_NOT_ALLOWED,
	TDXUPD_CHECK_BLOCKED,
	TDXUPD_CHECK_HELD,
	TDXUPD_CHECK_FAILED,
	TDXUPD_CHECK_PINNED,
	/* the host, whatever the image */
	TDXUPD_CHECK_TDX_ABSENT,
	TDXUPD_CHECK_TDX_LOST,
	TDXUPD_CHECK_UPDATE_UNSUPPORTED,
	TDXUPD_CHECK_INTERFACE_MISSING,
	TDXUPD_CHECK_CPU_BUG,
	TDXUPD_CHECK_RUNNING_DISPUTED,
	TDXUPD_CHECK_CPU_OFFLINE,
	TDXUPD_CHECK_CPU_ABSENT,
	TDXUPD_CHECK_UPDATES_EXHAUSTED,
	/* the image on this host */
	TDXUPD_CHECK_CPU_UNSUPPORTED,
	TDXUPD_CHECK_SVN_MAJOR,
	TDXUPD_CHECK_SVN_LOWER,
	TDXUPD_CHECK_HANDOFF_RANGE,
	TDXUPD_CHECK_MAPPING_MISSING,
	TDXUPD_CHECK_SEAMLDR_TOO_OLD,
	TDXUPD_CHECK_MODULE_TOO_OLD,
	TDXUPD_CHECK_SERIES_MISMATCH,
	TDXUPD_CHECK_FEATURES_LOST,
	TDXUPD_CHECK_MAPPING_OUTDATED,
	_TDXUPD_CHECK_MAX,
	_TDXUPD_CHECK_INVALID = -22, /* -EINVAL */
};

/**
 * enum tdxupd_severity - how much a verdict weighs
 * @TDXUPD_SEVERITY_WARN: worth saying; the update may go
 * @TDXUPD_SEVERITY_UNKNOWN: could not be decided; refuses, as unknown is never safe
 * @TDXUPD_SEVERITY_REFUSE: known to be wrong
 * Since: 0.1
 */
enum tdxupd_severity {
	TDXUPD_SEVERITY_WARN,
	TDXUPD_SEVERITY_UNKNOWN,
	TDXUPD_SEVERITY_REFUSE,
	_TDXUPD_SEVERITY_MAX,
	_TDXUPD_SEVERITY_INVALID = -22,
};

/**
 * struct tdxupd_check_info - what one check is; static text
 * @code: the stable name, "cpu-offline"
 * @title: a few words for a table
 * @compares: what is held against what
 * @source: where the fact comes from
 * @override: the configuration key that turns a refusal into a warning, or NULL
 * @advice: one sentence on what to do
 * @is_last_moment: cheap, and repeated right before the commit
 * Since: 0.1
 */
struct tdxupd_check_info {
	const char *code;
	const char *title;
	const char *compares;
	const char *source;
	const char *override;
	const char *advice;
	bool is_last_moment;
};

/**
 * enum tdxupd_reason - what keeps a host from a newer module, in one word; the gravest
 * first
 * @TDXUPD_REASON_NONE: nothing does
 * @TDXUPD_REASON_LOST: TDX is lost until the next reboot
 * @TDXUPD_REASON_UNSUPPORTED: this host has no TDX, or can't update it at run time
 * @TDXUPD_REASON_EXHAUSTED: no update slots left until the next reboot
 * @TDXUPD_REASON_HELD: somebody holds this version, or all
 * @TDXUPD_REASON_FAILED: an update to this version failed, and it is held for that
 * @TDXUPD_REASON_PINNED: another version is pinned
 * @TDXUPD_REASON_FORBIDDEN: the configuration rules it out
 * @TDXUPD_REASON_UNTRUSTED: the image is damaged or not trusted
 * @TDXUPD_REASON_REFUSED: an image for this host is here, and the host, the running
 *	module or the mapping stands against it
 * @TDXUPD_REASON_NO_IMAGE: no image here is for this host
 * Since: 0.1
 */
enum tdxupd_reason {
	TDXUPD_REASON_NONE,
	TDXUPD_REASON_LOST,
	TDXUPD_REASON_UNSUPPORTED,
	TDXUPD_REASON_EXHAUSTED,
	TDXUPD_REASON_HELD,
	TDXUPD_REASON_FAILED,
	TDXUPD_REASON_PINNED,
	TDXUPD_REASON_FORBIDDEN,
	TDXUPD_REASON_UNTRUSTED,
	TDXUPD_REASON_REFUSED,
	TDXUPD_REASON_NO_IMAGE,
	_TDXUPD_REASON_MAX,
	_TDXUPD_REASON_INVALID = -22,
};
/** tdxupd_reason_to_string() - Return: "none", "lost", "no-image" ... or NULL. Since: 0.1
 */
const char *tdxupd_reason_to_string(enum tdxupd_reason reason);
/** tdxupd_check_get_reason() - Return: what a refusal of @check amounts to, NONE outside
 * the enum. Since: 0.1 */
enum tdxupd_reason tdxupd_check_get_reason(enum tdxupd_check check);

/** tdxupd_check_describe() - Return: the row of @check, NULL outside the enum. Since: 0.1
 */
const struct tdxupd_check_info *tdxupd_check_describe(enum tdxupd_check check);
/** tdxupd_check_to_string() - Return: the code of @check, NULL outside the enum. Since:
 * 0.1 */
const char *tdxupd_check_to_string(enum tdxupd_check check);
/** tdxupd_check_from_string() - Return: the check, or -EINVAL for an unknown code. Since:
 * 0.1 */
enum tdxupd_check tdxupd_check_from_string(const char *code);
/** tdxupd_severity_to_string() - Return: "warn", "unknown", "refuse" or NULL. Since: 0.1
 */
const char *tdxupd_severity_to_string(enum tdxupd_severity severity);

#define TDXUPD_VERDICT_TEXT_BYTES 128

/**
 * struct tdxupd_verdict - one reason, with the two values that disagree
 * @found: what this host or image has, printable, may be empty
 * @wanted: what it would need, printable, may be empty
 * Since: 0.1
 */
struct tdxupd_verdict {
	enum tdxupd_check check;
	enum tdxupd_severity severity;
	char found[TDXUPD_VERDICT_TEXT_BYTES];
	char wanted[TDXUPD_VERDICT_TEXT_BYTES];
};

/** tdxupd_verdict_format() - a sentence for people: what, found, wanted, advice.
 * Return: newly allocated text, free() it; NULL when out of memory. Since: 0.1 */
char *tdxupd_verdict_format(const struct tdxupd_verdict *verdict);

/**
 * struct tdxupd_report - all verdicts on one thing, in the order of enum tdxupd_check
 * Since: 0.1
 */
struct tdxupd_report;

/** tdxupd_report_new() - an empty report, tdxupd_report_free() it. Return: 0, -EINVAL,
 * -ENOMEM. Since: 0.1 */
int tdxupd_report_new(struct tdxupd_report **ret);
/** tdxupd_report_free() - takes NULL. Return: NULL. Since: 0.1 */
struct tdxupd_report *tdxupd_report_free(struct tdxupd_report *report);
/** tdxupd_report_add() - add a verdict; @found and @wanted may be NULL, are copied, cut
 * to TDXUPD_VERDICT_TEXT_BYTES and made printable. The same verdict twice is one. Return:
 * 0, -EINVAL, -ENOMEM. Since: 0.1 */
int tdxupd_report_add(struct tdxupd_report *report, enum tdxupd_check check,
		      enum tdxupd_severity severity, const char *found,
		      const char *wanted);
/** tdxupd_report_merge() - copy all verdicts of @from into @report. Since: 0.1 */
int tdxupd_report_merge(struct tdxupd_report *report, const struct tdxupd_report *from);
/** tdxupd_report_count() - Return: the number of verdicts, 0 for NULL. Since: 0.1 */
size_t tdxupd_report_count(const struct tdxupd_report *report);
/** tdxupd_report_get() - Return: verdict @i, owned by the report; NULL past the end.
 * Since: 0.1 */
const struct tdxupd_verdict *tdxupd_report_get(const struct tdxupd_report *report,
					       size_t i);
/** tdxupd_report_has() - Return: whether @check is among the verdicts, at any severity.
 * Since: 0.1 */
bool tdxupd_report_has(const struct tdxupd_report *report, enum tdxupd_check check);
/** tdxupd_report_is_passed() - Return: true when nothing refuses and nothing is unknown.
 * Since: 0.1 */
bool tdxupd_report_is_passed(const struct tdxupd_report *report);

/* ---- digest ---- */

/** struct tdxupd_digest - a SHA-384, as MRSEAM, SEAMHASH and signers are. Since: 0.1 */
struct tdxupd_digest {
	uint8_t bytes[48];
};
#define TDXUPD_DIGEST_TEXT_BYTES 97

/** tdxupd_digest_parse() - read 96 hex digits, either case. Return: 0, -EINVAL, -EBADMSG.
 * Since: 0.1 */
int tdxupd_digest_parse(const char *hex, struct tdxupd_digest *ret);
/** tdxupd_digest_format() - write 96 lower-case hex digits into @ret, at least
 * TDXUPD_DIGEST_TEXT_BYTES. Return: @ret. Since: 0.1 */
const char *tdxupd_digest_format(const struct tdxupd_digest *digest, char *ret);
/** tdxupd_digest_is_equal() - Return: whether all 48 bytes agree. Since: 0.1 */
bool tdxupd_digest_is_equal(const struct tdxupd_digest *a, const struct tdxupd_digest *b);

/* ---- host: one snapshot of a machine ---- */

#define TDXUPD_CPUS_MAX          8192 /* NR_CPUS of the largest distribution kernels */
#define TDXUPD_SOCKETS_MAX       64
#define TDXUPD_TEE_TCB_SVN_BYTES 16 /* as quotes have it */

/** struct tdxupd_cpuset - CPU numbers as a bit mask. Since: 0.1 */
struct tdxupd_cpuset {
	uint64_t bits[TDXUPD_CPUS_MAX / 64];
};
/** tdxupd_cpuset_parse() - read the kernel's list form "0-3,8" (empty is an empty set).
 * Return: 0, -EINVAL, -EBADMSG, -ERANGE a CPU above the maximum. Since: 0.1 */
int tdxupd_cpuset_parse(const char *list, struct tdxupd_cpuset *ret);
/** tdxupd_cpuset_format() - Return: newly allocated list form, free() it; NULL: no
 * memory. Since: 0.1 */
char *tdxupd_cpuset_format(const struct tdxupd_cpuset *set);
/** tdxupd_cpuset_has() - Return: whether @cpu is in @set; false above the maximum. Since:
 * 0.1 */
bool tdxupd_cpuset_has(const struct tdxupd_cpuset *set, unsigned cpu);
/** tdxupd_cpuset_count() - Return: the number of CPUs in @set. Since: 0.1 */
unsigned tdxupd_cpuset_count(const struct tdxupd_cpuset *set);

/**
 * enum tdxupd_tdx_state - what the kernel says of TDX
 * @TDXUPD_TDX_ABSENT: no tdx_host device
 * @TDXUPD_TDX_LIVE: a module runs
 * @TDXUPD_TDX_LOST: `version` reads ENXIO: an update failed after the shutdown of the old
 *	module; every TD is dead and only a reboot helps (arch/x86/virt/vmx/tdx/tdx.c)
 * @TDXUPD_TDX_UNKNOWN: the device is there and its version could not be read
 * Since: 0.1
 */
enum tdxupd_tdx_state {
	TDXUPD_TDX_ABSENT,
	TDXUPD_TDX_LIVE,
	TDXUPD_TDX_LOST,
	TDXUPD_TDX_UNKNOWN,
	_TDXUPD_TDX_MAX,
	_TDXUPD_TDX_INVALID = -22,
};
/** tdxupd_tdx_state_to_string() - Return: "absent", "live", "lost", "unknown" or NULL.
 * Since: 0.1 */
const char *tdxupd_tdx_state_to_string(enum tdxupd_tdx_state state);

/**
 * enum tdxupd_guard - who refuses an update that races a TD build (`update_guard`)
 * Since: 0.1
 */
enum tdxupd_guard {
	TDXUPD_GUARD_NONE,
	TDXUPD_GUARD_KERNEL,
	TDXUPD_GUARD_MODULE,
	_TDXUPD_GUARD_MAX,
	_TDXUPD_GUARD_INVALID = -22,
};
/** tdxupd_guard_to_string() - Return: "none", "kernel", "module" or NULL. Since: 0.1 */
const char *tdxupd_guard_to_string(enum tdxupd_guard guard);
/** tdxupd_guard_from_string() - Return: the guard, or -EINVAL for an unknown name. Since:
 * 0.1 */
enum tdxupd_guard tdxupd_guard_from_string(const char *text);

/** Bits of FEATURES0 that matter here (TDX module metadata 0A00000300000008). Since: 0.1
 */
#define TDXUPD_FEATURE_TD_PRESERVING        (UINT64_C(1) << 1)
#define TDXUPD_FEATURE_UPDATE_COMPATIBILITY (UINT64_C(1) << 47)
/** tdxupd_feature_to_string() - Return: name of FEATURES0 bit @bit, NULL where unnamed.
 * Since: 0.1 */
const char *tdxupd_feature_to_string(unsigned bit);

/** struct tdxupd_socket - one package of /proc/cpuinfo. @signature: CPUID.1 EAX. Since:
 * 0.1 */
struct tdxupd_socket {
	uint32_t physical_id;
	uint32_t signature;
};

/**
 * struct tdxupd_host - everything an update depends on, read once
 *
 * A member with a `has_` flag is meaningless while that flag is false: unknown, never
 * zero.
 * @has_fw_upload: /sys/class/firmware/tdx_module exists
 * @has_trigger: the `image` and `update` files exist
 * @sockets: distinct packages seen in cpuinfo (offline packages are not listed there)
 * @has_cpu_bug: cpuinfo lists "seamret_invd_vmcs"
 * @boot_id: of /proc/sys/kernel/random/boot_id, empty when unreadable
 * Since: 0.1
 */
struct tdxupd_host {
	enum tdxupd_tdx_state state;
	struct tdxupd_version module_version;
	bool has_seamldr_version;
	struct tdxupd_version seamldr_version;
	bool has_remaining_updates;
	uint32_t remaining_updates;
	bool has_features0;
	uint64_t features0;
	bool has_mrseam;
	struct tdxupd_digest mrseam; /* of the module that runs, from P-SEAMLDR */
	bool has_tee_tcb_svn;
	uint8_t tee_tcb_svn[TDXUPD_TEE_TCB_SVN_BYTES]; /* byte 1 and 0 are SVN */
	bool has_update_guard;
	enum tdxupd_guard update_guard;
	bool has_tds_building;
	uint32_t tds_building;
	bool has_td_count;
	uint64_t td_count; /* misc cgroup `tdx`, the root's current; or its subtree's sum
			    */
	bool has_fw_upload;
	bool has_trigger;
	size_t socket_count;
	struct tdxupd_socket sockets[TDXUPD_SOCKETS_MAX];
	bool has_cpu_bugs;
	bool has_cpu_bug;
	bool has_cpus;
	struct tdxupd_cpuset online;
	struct tdxupd_cpuset present;
	struct tdxupd_cpuset possible;
	char boot_id[37];
};

/**
 * tdxupd_host_read() - take a snapshot
 * @root_fd: directory that holds `sys` and `proc`; AT_FDCWD is the caller's mistake
 * @ret: the snapshot, tdxupd_host_free() it
 *
 * Only reads; blocks for as long as sysfs does. An absent TDX is an answer, not an error.
 * Without privileges seamldr_version and num_remaining_updates stay unknown (mode 0400).
 * Return: 0; -EINVAL; -ENOMEM; another errno of the root directory itself.
 * Since: 0.1
 */
int tdxupd_host_read(int root_fd, struct tdxupd_host **ret);
/** tdxupd_host_free() - takes NULL. Return: NULL. Since: 0.1 */
struct tdxupd_host *tdxupd_host_free(struct tdxupd_host *host);
/** tdxupd_host_open_builds() - Return: a descriptor of `tds_building` to poll for
 * POLLPRI, close() it; -ENODATA where the kernel has no such file; another errno. Since:
 * 0.1 */
int tdxupd_host_open_builds(int root_fd);
/** tdxupd_host_read_builds() - Read the count from a descriptor of
 * tdxupd_host_open_builds(); re-arms poll. Return: 0, -EBADMSG, another errno: then the
 * count is unknown. Since: 0.1 */
int tdxupd_host_read_builds(int fd, uint32_t *ret);
/** tdxupd_host_to_json() - describe a host for `--host-file`. Return: 0 and newly
 * allocated text; -ENOMEM. Since: 0.1 */
int tdxupd_host_to_json(const struct tdxupd_host *host, char **ret);
/** tdxupd_host_from_json() - the reverse. Absent members are unknown. @bytes is at most
 * 1 MiB. Return: 0; -EBADMSG with @ret_why (free() it, may be NULL); -ENOMEM. Since: 0.1
 */
int tdxupd_host_from_json(const char *text, size_t bytes, struct tdxupd_host **ret,
			  char **ret_why);

/* ---- policy ---- */

/** enum tdxupd_strategy - which path a plan takes where there are several. Since: 0.1 */
enum tdxupd_strategy {
	TDXUPD_STRATEGY_FEWEST,   /* fewest updates: slots are finite */
	TDXUPD_STRATEGY_SMALLEST, /* the smallest step at a time */
	_TDXUPD_STRATEGY_MAX,
	_TDXUPD_STRATEGY_INVALID = -22,
};
/** tdxupd_strategy_to_string() - Return: "fewest", "smallest" or NULL. Since: 0.1 */
const char *tdxupd_strategy_to_string(enum tdxupd_strategy strategy);
/** tdxupd_strategy_from_string() - Return: the strategy, or -EINVAL for an unknown name.
 * Since: 0.1 */
enum tdxupd_strategy tdxupd_strategy_from_string(const char *text);

/**
 * struct tdxupd_hold - a version that is not to be loaded for now
 * @is_all: all versions are, and @version means nothing
 * @is_failed: an update to it failed, rather than that somebody said so
 * @since_usec: CLOCK_REALTIME, 0 where that is unknown
 * @reason, @by: why, and who said so; never NULL, may be empty
 * Since: 0.1
 */
struct tdxupd_hold {
	bool is_all;
	bool is_failed;
	struct tdxupd_version version;
	uint64_t since_usec;
	char *reason;
	char *by;
};

/**
 * struct tdxupd_policy - what the administrator trusts and allows
 * @trusted_signers: SHA-384 of RSA moduli as stored in SIGSTRUCT; Intel's key built in
 * @allowed_mrseams: where not empty, only these may be loaded
 * @blocked_mrseams, @blocked_versions: never loaded; stronger than all else
 * @reserve_updates: update slots never used up
 * @accepted: bit mask, 1 << check: refusals of overridable checks taken as warnings
 * @has_pin, @pin: the one version where an update may end, other targets are refused
 * @holds: what is not to be loaded for now; at most one for all, and one a version
 * @pin_since_usec, @pin_reason, @pin_by: of the pin, as those of a hold; NULL: not told
 * Since: 0.1
 */
struct tdxupd_policy {
	size_t trusted_signer_count;
	struct tdxupd_digest *trusted_signers;
	size_t allowed_mrseam_count;
	struct tdxupd_digest *allowed_mrseams;
	size_t blocked_mrseam_count;
	struct tdxupd_digest *blocked_mrseams;
	size_t blocked_version_count;
	struct tdxupd_version *blocked_versions;
	uint32_t reserve_updates;
	enum tdxupd_strategy strategy;
	uint64_t accepted;
	bool has_pin;
	struct tdxupd_version pin;
	size_t hold_count;
	struct tdxupd_hold *holds;
	uint64_t pin_since_usec;
	char *pin_reason;
	char *pin_by;
};

/** tdxupd_policy_new() - the built-in policy: Intel's signer, nothing overridden. Since:
 * 0.1 */
int tdxupd_policy_new(struct tdxupd_policy **ret);
/** tdxupd_policy_free() - takes NULL. Return: NULL. Since: 0.1 */
struct tdxupd_policy *tdxupd_policy_free(struct tdxupd_policy *policy);
/** tdxupd_policy_trust() - trust one more signer. Return: 0, -ENOMEM. Since: 0.1 */
int tdxupd_policy_trust(struct tdxupd_policy *policy, const struct tdxupd_digest *signer);
/** tdxupd_policy_trust_nobody() - forget all signers, the built-in one too. Since: 0.1 */
void tdxupd_policy_trust_nobody(struct tdxupd_policy *policy);
/** tdxupd_policy_allow() - add to the MRSEAMs that may be loaded; from the first one on,
 * only those may. Return: 0, -EINVAL, -ENOMEM. Since: 0.1 */
int tdxupd_policy_allow(struct tdxupd_policy *policy, const struct tdxupd_digest *mrseam);
/** tdxupd_policy_block() - @text: a version or 96 hex digits. Return: 0, -EBADMSG,
 * -ENOMEM. Since: 0.1 */
int tdxupd_policy_block(struct tdxupd_policy *policy, const char *text);
/** tdxupd_policy_accept() - take a check's refusal as a warning. Return: 0; -EPERM where
 * the check's row has no override. Since: 0.1 */
int tdxupd_policy_accept(struct tdxupd_policy *policy, enum tdxupd_check check);
/** tdxupd_policy_pin() - let updates end at @version only, by any steps that lead there;
 * NULL: at any. Since: 0.1 */
void tdxupd_policy_pin(struct tdxupd_policy *policy,
		       const struct tdxupd_version *version);
/** tdxupd_policy_explain_pin() - say since when, why and by whom; the texts are copied
 * and may be NULL. Return: 0, -EINVAL nothing is pinned, -ENOMEM. Since: 0.1 */
int tdxupd_policy_explain_pin(struct tdxupd_policy *policy, uint64_t since_usec,
			      const char *reason, const char *by);
/** tdxupd_policy_hold() - add a hold; one of the same version, or of all, is replaced.
 * Copies; the texts may be NULL. Return: 0, -EINVAL, -ENOMEM. Since: 0.1 */
int tdxupd_policy_hold(struct tdxupd_policy *policy, const struct tdxupd_hold *hold);
/** tdxupd_policy_hold_nothing() - forget all holds. Since: 0.1 */
void tdxupd_policy_hold_nothing(struct tdxupd_policy *policy);
/** tdxupd_policy_is_trusted() - Return: whether @signer is among the trusted ones. Since:
 * 0.1 */
bool tdxupd_policy_is_trusted(const struct tdxupd_policy *policy,
			      const struct tdxupd_digest *signer);

/* ---- image ---- */

#define TDXUPD_PAGE_BYTES          4096
#define TDXUPD_IMAGE_BYTES_MAX     (4u << 20) /* far above header + SIGSTRUCT + 496 pages */
#define TDXUPD_MODULE_PAGES_MAX    496        /* SEAMLDR_PARAMS holds no more addresses */
#define TDXUPD_SIGSTRUCT_BYTES     2048
#define TDXUPD_SIGSTRUCT_CPUS_MAX  255
#define TDXUPD_CONTAINER_PUBLISHED 0x100 /* as Intel publishes */
#define TDXUPD_CONTAINER_KERNEL    0x200 /* as Linux takes */

/**
 * struct tdxupd_image - one module image, parsed
 * @bytes, @bytes_count: the file as it was read; NULL once dropped
 * @file_digest: SHA-384 of those bytes
 * @module_pages: pages of the module proper
 * @signer: SHA-384 of the modulus as stored
 * @mrseam: SEAMHASH of SIGSTRUCT, what a quote will carry
 * @svn: low byte minor, high byte major
 * @date: BCD, 0x20250219
 * @cpus: CPUID.1 EAX values, low 4 bits to be ignored
 * Since: 0.1
 */
struct tdxupd_image {
	size_t bytes_count;
	uint8_t *bytes;
	struct tdxupd_digest file_digest;
	uint16_t container;
	uint32_t module_pages;
	struct tdxupd_digest signer;
	struct tdxupd_digest mrseam;
	uint32_t module_type;
	uint32_t date;
	uint64_t attributes;
	uint16_t svn;
	uint16_t module_hv;
	uint16_t min_update_hv;
	bool no_downgrade;
	size_t cpu_count;
	uint32_t cpus[TDXUPD_SIGSTRUCT_CPUS_MAX];
};

/**
 * tdxupd_image_parse() - read an image from memory
 * @bytes: container 0x100 or 0x200; copied
 * @report: gets a verdict for everything in the container or SIGSTRUCT that is not as the
 *	loader or the kernel wants it
 * @ret: the image; NULL when the verdicts leave nothing to parse
 *
 * Return: 0 even when @report refuses; -EINVAL; -ENOMEM.
 * Since: 0.1
 */
int tdxupd_image_parse(const void *bytes, size_t bytes_count,
		       struct tdxupd_report *report, struct tdxupd_image **ret);
/** tdxupd_image_free() - takes NULL. Return: NULL. Since: 0.1 */
struct tdxupd_image *tdxupd_image_free(struct tdxupd_image *image);
/** tdxupd_image_drop_bytes() - keep the facts, free the bytes. Since: 0.1 */
void tdxupd_image_drop_bytes(struct tdxupd_image *image);
/**
 * tdxupd_image_verify() - signer, RSA signature, SEAMHASH, allowed and blocked lists
 * Needs the bytes. Return: 0; -ENODATA after tdxupd_image_drop_bytes(); -ENOMEM.
 * Since: 0.1
 */
int tdxupd_image_verify(const struct tdxupd_image *image,
			const struct tdxupd_policy *policy, struct tdxupd_report *report);
/**
 * tdxupd_image_convert() - the same image in the other container
 * @container: TDXUPD_CONTAINER_KERNEL or TDXUPD_CONTAINER_PUBLISHED
 * @ret: newly allocated bytes of @image->bytes_count, free() them; only page 0 differs
 *
 * Return: 0; -EINVAL; -ENODATA no bytes; -ENOMEM.
 * Since: 0.1
 */
int tdxupd_image_convert(const struct tdxupd_image *image, uint16_t container,
			 uint8_t **ret);
/**
 * tdxupd_image_join() - build a container from a module and its SIGSTRUCT
 * @module: whole pages; @sigstruct: TDXUPD_SIGSTRUCT_BYTES
 *
 * Return: 0; -EBADMSG sizes that no container can hold; -EINVAL; -ENOMEM.
 * Since: 0.1
 */
int tdxupd_image_join(const void *module, size_t module_bytes, const void *sigstruct,
		      size_t sigstruct_bytes, uint16_t container, uint8_t **ret,
		      size_t *ret_bytes);

/* ---- catalog: releases known, images there ---- */

/**
 * struct tdxupd_release - one row of Intel's mapping_file.json, held against the record
 * @min_seamldr_versions: one a loader major; the loader must reach the one of its own
 *	major
 * @features0: the record's value where the file's is known to be superseded
 * @claimed_features0: the file's own value; equal to @features0 but in that case
 * @is_features0_disputed: file and record differ and neither is known to be wrong:
 *	@features0 is the file's, @recorded_features0 the record's
 * @is_from_record: the file has no such row; loader and predecessor are the record's
 * @strict_compat_versions: Intel's list of versions before this one; what it promises is
 *	not published, so it decides nothing
 * Since: 0.1
 */
struct tdxupd_release {
	struct tdxupd_version version;
	struct tdxupd_version min_module_version;
	size_t min_seamldr_count;
	struct tdxupd_version *min_seamldr_versions;
	bool has_features0;
	uint64_t features0;
	uint64_t claimed_features0;
	bool is_features0_disputed;
	uint64_t recorded_features0;
	bool is_from_record;
	bool has_strict_compat;
	size_t strict_compat_count;
	struct tdxupd_version *strict_compat_versions;
};

#define TDXUPD_KNOWN_CPUS_MAX       16
#define TDXUPD_KNOWN_SUPERSEDED_MAX 4
#define TDXUPD_KNOWN_SEAMLDRS_MAX   8
#define TDXUPD_KNOWN_ADVISORIES_MAX 16
#define TDXUPD_ADVISORY_BYTES       24

/**
 * struct tdxupd_known_module - the record of a published module
 * A member with a `has_` flag, and a list with a count of 0, is unknown.
 * @has_handoff: @module_hv and @no_downgrade are known
 * @date: of SIGSTRUCT or of the release page, BCD; information only
 * @min_update_hv: the oldest handoff version that it takes over from
 * @crypto_context: of a build's hash state; where it differs, a build is hurt
 * @superseded_features0: what earlier mapping files wrongly claimed
 * @cpus: CPUID.1 EAX without stepping; complete only where @has_more_cpus is false
 * @min_seamldr_versions, @min_module_version: what a mapping entry says
 * @advisories: security advisories that affect it
 * Since: 0.1
 */
struct tdxupd_known_module {
	struct tdxupd_digest mrseam;
	struct tdxupd_version version;
	uint16_t svn;
	uint32_t date;
	bool has_handoff;
	uint16_t module_hv;
	bool no_downgrade;
	bool has_mrseam;
	bool has_svn;
	bool has_date;
	bool has_min_update_hv;
	uint16_t min_update_hv;
	bool has_crypto_context;
	uint16_t crypto_context;
	bool has_features0;
	uint64_t features0;
	size_t superseded_count;
	uint64_t superseded_features0[TDXUPD_KNOWN_SUPERSEDED_MAX];
	bool has_more_cpus;
	size_t cpu_count;
	uint32_t cpus[TDXUPD_KNOWN_CPUS_MAX];
	size_t min_seamldr_count;
	struct tdxupd_version min_seamldr_versions[TDXUPD_KNOWN_SEAMLDRS_MAX];
	bool has_min_module_version;
	struct tdxupd_version min_module_version;
	bool has_advisories;
	size_t advisory_count;
	char advisories[TDXUPD_KNOWN_ADVISORIES_MAX][TDXUPD_ADVISORY_BYTES];
};

/**
 * struct tdxupd_note - something about the files that were read, that no entry can carry
 * @code: a stable name, "record-contradicts"
 * @text: one sentence that names the file
 * Since: 0.1
 */
struct tdxupd_note {
	const char *code;
	char *text;
};

/**
 * struct tdxupd_entry - one image of the images directory, in whatever form it comes
 * @name: path below the images directory, as found, or of an image of the store; of a
 *pair that of the module, of an archive its own
 * @has_version: whether anything tells which version this is: a known MRSEAM, else the
 * name
 * @is_known: @version comes from the known modules, not from the unsigned name
 * @image: facts without bytes; NULL when nothing could be parsed
 * @report: verdicts on the file, the container, SIGSTRUCT and trust
 * @release: its row of the mapping, or what the record says in its place; or NULL
 * @known: the record of this module, NULL without one
 * Since: 0.1
 */
struct tdxupd_entry {
	char *name;
	bool has_version;
	bool is_known;
	struct tdxupd_version version;
	struct tdxupd_image *image;
	struct tdxupd_report *report;
	const struct tdxupd_release *release;
	const struct tdxupd_known_module *known;
};

/** struct tdxupd_left_out - a file that is no image at all. @why: a few words. Since: 0.1
 */
struct tdxupd_left_out {
	char *name;
	char *why;
};

/**
 * struct tdxupd_catalog - what could be loaded
 * @releases: by rising version
 * @entries: sorted by version, then name; files without a version last
 * @left_out, @left_outs: files of the directory that are no images, neither by content
 *	nor by name; the mapping is not counted
 * @releases: of the mapping, and records that can stand in for a row
 * @has_mapping: false where there is no mapping file and none was asked for by path
 * @notes: remarks on mapping and records
 * Since: 0.1
 */
struct tdxupd_catalog {
	size_t release_count;
	struct tdxupd_release *releases;
	size_t known_count;
	struct tdxupd_known_module *known;
	size_t entry_count;
	struct tdxupd_entry *entries;
	size_t left_out;
	struct tdxupd_left_out *left_outs;
	bool has_mapping;
	size_t note_count;
	struct tdxupd_note *notes;
};

enum tdxupd_catalog_flags {
	/** refuse what others than root could have written (daemon) */
	TDXUPD_CATALOG_REQUIRE_SAFE = 1 << 0,
	/** believe what an earlier run found out of a file that has not changed since,
	 * and keep what this one finds, below var/cache/tdxupd; tdxupd_catalog_load()
	 * never does */
	TDXUPD_CATALOG_USE_CACHE = 1 << 1,
	/** and the images of the store, /var/lib/tdxupd/images, which then suffices;
	 * the names of their entries begin with it */
	TDXUPD_CATALOG_WITH_STORE = 1 << 2,
};

/**
 * tdxupd_catalog_read() - read the mapping and every image of a directory
 * @root_fd: both paths are looked up below it
 * @images: directory; every image counts, whatever its name: containers, modules beside
 *	their SIGSTRUCT, archives with one module; also compressed, and up to 3 folders
 *deep
 * @mapping: path of mapping_file.json; NULL for the one inside @images, if there is one
 * @ret_why: on error a sentence that names the file and the trouble, free() it; may be
 * NULL
 *
 * One file's bytes are held at a time. Return: 0; -ENOENT no directory or no @mapping;
 * -EBADMSG a malformed mapping; -EFBIG; -ENOMEM; another errno of the file system.
 * Since: 0.1
 */
int tdxupd_catalog_read(int root_fd, const char *images, const char *mapping,
			const struct tdxupd_policy *policy, unsigned flags,
			struct tdxupd_catalog **ret, char **ret_why);
/** tdxupd_catalog_free() - takes NULL. Plans made from it must be freed before. Return:
 * NULL. Since: 0.1 */
struct tdxupd_catalog *tdxupd_catalog_free(struct tdxupd_catalog *catalog);
/**
 * tdxupd_catalog_load() - read one entry's file again, whole, and check it again
 * @ret: image with its bytes: exactly these are to be staged
 * @report: all verdicts on these bytes; -ESTALE when they are not the bytes listed
 * Since: 0.1
 */
int tdxupd_catalog_load(int root_fd, const char *images, const struct tdxupd_entry *entry,
			const struct tdxupd_policy *policy, unsigned flags,
			struct tdxupd_report *report, struct tdxupd_image **ret);
/** tdxupd_catalog_find_release() - Return: the row of the mapping for @version, owned by
 * the catalog; NULL where there is none. Since: 0.1 */
const struct tdxupd_release *
tdxupd_catalog_find_release(const struct tdxupd_catalog *catalog,
			    const struct tdxupd_version *version);

/* ---- compat ---- */

/**
 * enum tdxupd_identity - how the running module was told from others
 * @TDXUPD_IDENTITY_NONE: by its version only, and nothing is known of that
 * @TDXUPD_IDENTITY_RECORD: by the record of its version
 * @TDXUPD_IDENTITY_IMAGE: by an image of its version
 * @TDXUPD_IDENTITY_MRSEAM: by the MRSEAM that the kernel shows
 * @TDXUPD_IDENTITY_DISPUTED: kernel, images and record contradict each other
 * Since: 0.1
 */
enum tdxupd_identity {
	TDXUPD_IDENTITY_NONE,
	TDXUPD_IDENTITY_RECORD,
	TDXUPD_IDENTITY_IMAGE,
	TDXUPD_IDENTITY_MRSEAM,
	TDXUPD_IDENTITY_DISPUTED,
	_TDXUPD_IDENTITY_MAX,
	_TDXUPD_IDENTITY_INVALID = -22,
};
/** tdxupd_identity_to_string() - Return: "none", "record", "image", "mrseam", "disputed"
 * or NULL. Since: 0.1 */
const char *tdxupd_identity_to_string(enum tdxupd_identity identity);

/**
 * struct tdxupd_module_facts - what is known of the module that runs, now or after a hop
 * @features0: that its TDs may use; of a disputed value every bit that anybody claims
 * @offered_features0: that it surely has; of a disputed value the bits that all claim
 * @claimed_features0: what the mapping file says, right or wrong
 * @dispute: what contradicts what, where @identity is disputed; else empty
 * Since: 0.1
 */
struct tdxupd_module_facts {
	struct tdxupd_version version;
	bool has_svn;
	uint16_t svn;
	bool has_handoff;
	uint16_t module_hv;
	bool no_downgrade;
	bool has_features0;
	uint64_t features0;
	uint64_t offered_features0;
	uint64_t claimed_features0;
	bool is_features0_disputed;
	bool has_mrseam;
	struct tdxupd_digest mrseam;
	bool has_crypto_context;
	uint16_t crypto_context;
	enum tdxupd_identity identity;
	char dispute[TDXUPD_VERDICT_TEXT_BYTES];
};

/** tdxupd_compat_running() - the facts of the running module: what the kernel shows, then
 * an image of it in the catalog, then its record. Where these contradict each other, SVN
 * and handoff version are unknown. Since: 0.1 */
void tdxupd_compat_running(const struct tdxupd_host *host,
			   const struct tdxupd_catalog *catalog,
			   struct tdxupd_module_facts *ret);

/**
 * enum tdxupd_build_harm - what an update does to a TD under build that it hits
 * Since: 0.1
 */
enum tdxupd_build_harm {
	TDXUPD_BUILD_HARM_UNKNOWN,
	TDXUPD_BUILD_HARM_NONE,
	TDXUPD_BUILD_HARM_CERTAIN,
	_TDXUPD_BUILD_HARM_MAX,
	_TDXUPD_BUILD_HARM_INVALID = -22,
};
/** tdxupd_build_harm_to_string() - Return: "unknown", "none", "certain" or NULL. Since:
 * 0.1 */
const char *tdxupd_build_harm_to_string(enum tdxupd_build_harm harm);
/** tdxupd_compat_build_harm() - from the crypto contexts of both modules. Since: 0.1 */
enum tdxupd_build_harm tdxupd_compat_build_harm(const struct tdxupd_module_facts *from,
						const struct tdxupd_module_facts *to);

/**
 * enum tdxupd_strict_compat - is a pair of modules on Intel's list
 *strict_compat_versions?
 * @TDXUPD_STRICT_COMPAT_UNKNOWN: no mapping file, one without that list, or a step back,
 *	of which it tells nothing
 *
 * What that list promises is not published: it is shown, and decides nothing.
 * Since: 0.1
 */
enum tdxupd_strict_compat {
	TDXUPD_STRICT_COMPAT_UNKNOWN,
	TDXUPD_STRICT_COMPAT_UNLISTED,
	TDXUPD_STRICT_COMPAT_LISTED,
	_TDXUPD_STRICT_COMPAT_MAX,
	_TDXUPD_STRICT_COMPAT_INVALID = -22,
};
/** tdxupd_strict_compat_to_string() - Return: "unknown", "unlisted", "listed" or NULL.
 * Since: 0.1 */
const char *tdxupd_strict_compat_to_string(enum tdxupd_strict_compat listing);
/** tdxupd_release_strict() - of going from @from to @release, which may be NULL.
 * Since: 0.1 */
enum tdxupd_strict_compat tdxupd_release_strict(const struct tdxupd_release *release,
						const struct tdxupd_version *from);

/** tdxupd_compat_check_host() - what speaks against any update here. @updates_wanted:
 * slots the caller means to use. Return: 0, -ENOMEM. Since: 0.1 */
int tdxupd_compat_check_host(const struct tdxupd_host *host,
			     const struct tdxupd_policy *policy, uint32_t updates_wanted,
			     struct tdxupd_report *report);
/** tdxupd_compat_check_image() - what speaks against going from @from to @entry on @host.
 * Return: 0, -ENOMEM. Since: 0.1 */
int tdxupd_compat_check_image(const struct tdxupd_host *host,
			      const struct tdxupd_module_facts *from,
			      const struct tdxupd_entry *entry,
			      const struct tdxupd_policy *policy,
			      struct tdxupd_report *report);

/* ---- plan ---- */

/** enum tdxupd_candidate_state - what a plan makes of one entry. Since: 0.1 */
enum tdxupd_candidate_state {
	TDXUPD_CANDIDATE_REFUSED,
	TDXUPD_CANDIDATE_RUNNING,
	TDXUPD_CANDIDATE_OLDER,     /* would pass, is no progress */
	TDXUPD_CANDIDATE_OFFERED,   /* passes in one step */
	TDXUPD_CANDIDATE_REACHABLE, /* passes after other steps */
	_TDXUPD_CANDIDATE_MAX,
	_TDXUPD_CANDIDATE_INVALID = -22,
};
/** tdxupd_candidate_state_to_string() - Return: "refused", "running", "older", "offered",
 * "reachable" or NULL. Since: 0.1 */
const char *tdxupd_candidate_state_to_string(enum tdxupd_candidate_state state);

/** struct tdxupd_candidate - @report: every reason, those of the entry included. Since:
 * 0.1 */
struct tdxupd_candidate {
	const struct tdxupd_entry *entry;
	enum tdxupd_candidate_state state;
	struct tdxupd_report *report;
};

enum tdxupd_plan_result {
	TDXUPD_PLAN_UPDATE,  /* there are steps to take */
	TDXUPD_PLAN_CURRENT, /* nothing to do; see tdxupd_plan_new() */
	TDXUPD_PLAN_BLOCKED, /* neither: see the plan's reason */
	_TDXUPD_PLAN_MAX,
	_TDXUPD_PLAN_INVALID = -22,
};
/** tdxupd_plan_result_to_string() - Return: "update", "current", "blocked" or NULL.
 * Since: 0.1 */
const char *tdxupd_plan_result_to_string(enum tdxupd_plan_result result);

#define TDXUPD_PLAN_ID_BYTES 33

/**
 * struct tdxupd_plan - where to go, how, and why not elsewhere
 * @id: 32 hex digits, a digest of all facts that the plan rests on: equal facts, equal id
 * @step_count, @steps: the images to load, in order; indices into @candidates
 * @candidates: one an entry of the catalog, in its order; point into the catalog, which
 *	must outlive the plan
 * @host_report: reasons that hold for every image
 * @advice: what would open a path when there is none; may be NULL
 * @reason: why it is blocked, NONE where it is not
 * @why: the same as a sentence with the facts, without a full stop; NULL where it is not
 * @running: what the plan takes to be running
 * @running_record: its record, of the catalog; NULL where there is none
 * @newest_record: the newest of its series on record that is for this CPU, or NULL
 * @fixes: for each advisory of @running_record the first later record for this CPU that
 *	is not affected, or NULL
 * Since: 0.1
 */
struct tdxupd_plan {
	char id[TDXUPD_PLAN_ID_BYTES];
	enum tdxupd_plan_result result;
	struct tdxupd_version from;
	struct tdxupd_version to;
	size_t step_count;
	size_t *steps;
	size_t candidate_count;
	struct tdxupd_candidate *candidates;
	struct tdxupd_report *host_report;
	char *advice;
	enum tdxupd_reason reason;
	char *why;
	struct tdxupd_module_facts running;
	const struct tdxupd_known_module *running_record;
	const struct tdxupd_known_module *newest_record;
	const struct tdxupd_known_module *fixes[TDXUPD_KNOWN_ADVISORIES_MAX];
};

/**
 * tdxupd_plan_new() - decide
 * @target: the version wanted, NULL for the pinned one or else for the newest that can be
 * reached. Naming or pinning one is also what allows going to an older one.
 *
 * There is nothing to do (TDXUPD_PLAN_CURRENT) where the target that was named runs, and
 * else only where at least one image that is for this CPU and series could be judged,
 * what runs is at least as new as all of those that may be used, and none that is newer
 * is left out because it is held, has failed or another version is pinned.
 *
 * Pure: reads nothing but its arguments. Return: 0 whatever was decided; -EINVAL;
 * -ENOMEM. Since: 0.1
 */
int tdxupd_plan_new(const struct tdxupd_host *host, const struct tdxupd_catalog *catalog,
		    const struct tdxupd_policy *policy,
		    const struct tdxupd_version *target, struct tdxupd_plan **ret);
/** tdxupd_plan_build_harm() - what step @step does to a TD under build that it hits.
 * Since: 0.1 */
enum tdxupd_build_harm tdxupd_plan_build_harm(const struct tdxupd_plan *plan,
					      size_t step);
/** tdxupd_plan_strict_compat() - whether step @step is on Intel's list. Since: 0.1 */
enum tdxupd_strict_compat tdxupd_plan_strict_compat(const struct tdxupd_plan *plan,
						    size_t step);
/** tdxupd_plan_free() - takes NULL. Return: NULL. Since: 0.1 */
struct tdxupd_plan *tdxupd_plan_free(struct tdxupd_plan *plan);

/* ---- upload: the only part that changes the host ---- */

/** enum tdxupd_transport - the kernel's two ways in. Since: 0.1 */
enum tdxupd_transport {
	TDXUPD_TRANSPORT_AUTO, /* the trigger where it exists */
	TDXUPD_TRANSPORT_FW_UPLOAD,
	TDXUPD_TRANSPORT_TRIGGER,
	_TDXUPD_TRANSPORT_MAX,
	_TDXUPD_TRANSPORT_INVALID = -22,
};
/** tdxupd_transport_to_string() - Return: "auto", "fw-upload", "trigger" or NULL. Since:
 * 0.1 */
const char *tdxupd_transport_to_string(enum tdxupd_transport transport);

struct tdxupd_upload;

/** enum tdxupd_upload_state - Since: 0.1 */
enum tdxupd_upload_state {
	TDXUPD_UPLOAD_IDLE,    /* nothing staged */
	TDXUPD_UPLOAD_STAGED,  /* one write away */
	TDXUPD_UPLOAD_RUNNING, /* committed, the kernel has not finished */
	TDXUPD_UPLOAD_ENDED,   /* see the result */
	_TDXUPD_UPLOAD_MAX,
	_TDXUPD_UPLOAD_INVALID = -22,
};
/** tdxupd_upload_state_to_string() - Return: "idle", "staged", "running", "ended" or
 * NULL. Since: 0.1 */
const char *tdxupd_upload_state_to_string(enum tdxupd_upload_state state);

/** enum tdxupd_upload_error - what the kernel said. Since: 0.1 */
enum tdxupd_upload_error {
	TDXUPD_UPLOAD_ERROR_NONE,
	TDXUPD_UPLOAD_ERROR_BUSY,     /* a TD is being built: nothing lost, try again */
	TDXUPD_UPLOAD_ERROR_INVALID,  /* firmware-invalid: anything from harmless to fatal
				       */
	TDXUPD_UPLOAD_ERROR_NO_SLOTS, /* trigger only: ENOSPC */
	TDXUPD_UPLOAD_ERROR_CPU_OFFLINE, /* trigger only: EAGAIN */
	TDXUPD_UPLOAD_ERROR_LOST,        /* trigger only: ENXIO */
	TDXUPD_UPLOAD_ERROR_ALREADY,     /* another update runs */
	TDXUPD_UPLOAD_ERROR_OTHER,       /* see the text */
	_TDXUPD_UPLOAD_ERROR_MAX,
	_TDXUPD_UPLOAD_ERROR_INVALID = -22,
};
/** tdxupd_upload_error_to_string() - Return: a name like "busy" or "no-slots", NULL
 * outside the enum. Since: 0.1 */
const char *tdxupd_upload_error_to_string(enum tdxupd_upload_error error);

/** struct tdxupd_upload_result - @text: the `error` file or the errno's name. Since: 0.1
 */
struct tdxupd_upload_result {
	enum tdxupd_upload_state state;
	enum tdxupd_upload_error error;
	char text[64];
};

/**
 * tdxupd_upload_new() - open the kernel's files below @root_fd
 * Return: 0; -ENODATA no such interface; -EACCES; another errno.
 * Since: 0.1
 */
int tdxupd_upload_new(int root_fd, enum tdxupd_transport transport,
		      struct tdxupd_upload **ret);
/** tdxupd_upload_free() - close; staged data is dropped, a running update goes on. Since:
 * 0.1 */
struct tdxupd_upload *tdxupd_upload_free(struct tdxupd_upload *upload);
/** tdxupd_upload_get_transport() - Return: the way that was taken, never AUTO. Since: 0.1
 */
enum tdxupd_transport tdxupd_upload_get_transport(const struct tdxupd_upload *upload);
/**
 * tdxupd_upload_stage() - give the kernel the image, re-wrapped as 0x200 where needed
 * Return: 0 staged and read back as staged; -EBUSY the kernel is updating; -ESTALE
 * somebody else's write got in between; -ENOTRECOVERABLE an upload once had no memory,
 * and the kernel takes none until its driver is loaded anew; another errno. Since: 0.1
 */
int tdxupd_upload_stage(struct tdxupd_upload *upload, const struct tdxupd_image *image);
/**
 * tdxupd_upload_check() - the last look before the commit: staged data is still there,
 * every CPU of @host is still online, the module is still the one of @host
 * @host: the snapshot that the plan rests on, of a live module and with its CPUs known
 * @report: gets what changed for the worse
 *
 * Costs four system calls. Return: 0; -ESTALE staged data is gone; -EREMCHG another
 * module runs, so the plan is void; -ENODEV the driver is gone, or was loaded anew;
 * -EINVAL; another errno: unknown, do not commit. Since: 0.1
 */
int tdxupd_upload_check(struct tdxupd_upload *upload, const struct tdxupd_host *host,
			struct tdxupd_report *report);
/**
 * tdxupd_upload_commit() - the point of no return: one write
 * With fw_upload the kernel goes on in the background: tdxupd_upload_poll(). With the
 * trigger this blocks until the update is over. Return: 0, the outcome is in
 * tdxupd_upload_poll(); -EINVAL nothing staged. Since: 0.1
 */
int tdxupd_upload_commit(struct tdxupd_upload *upload);
/** tdxupd_upload_poll() - where it stands. The kernel wakes nobody: ask again while
 * RUNNING. Return: 0; an errno: unknown. Since: 0.1 */
int tdxupd_upload_poll(struct tdxupd_upload *upload, struct tdxupd_upload_result *ret);
/** tdxupd_upload_drop() - take staged data back. Return: 0; -EBUSY committed already.
 * Since: 0.1 */
int tdxupd_upload_drop(struct tdxupd_upload *upload);

/* ---- confirm ---- */

/**
 * enum tdxupd_outcome - what really happened
 * @TDXUPD_OUTCOME_SUCCEEDED: version is the target, a slot was used, no error
 * @TDXUPD_OUTCOME_BUSY: refused for a TD build; nothing lost; retry
 * @TDXUPD_OUTCOME_REFUSED: refused before the shutdown; nothing lost; do not retry
 * blindly
 * @TDXUPD_OUTCOME_NOT_STARTED: nothing was committed: old module, no slot used, no error
 * @TDXUPD_OUTCOME_LOST: TDX is gone until reboot, every TD is dead
 * @TDXUPD_OUTCOME_MISMATCH: an update went through and the facts are not the target's
 * @TDXUPD_OUTCOME_UNKNOWN: the facts contradict each other or could not be read
 * Since: 0.1
 */
enum tdxupd_outcome {
	TDXUPD_OUTCOME_SUCCEEDED,
	TDXUPD_OUTCOME_BUSY,
	TDXUPD_OUTCOME_REFUSED,
	TDXUPD_OUTCOME_NOT_STARTED,
	TDXUPD_OUTCOME_LOST,
	TDXUPD_OUTCOME_MISMATCH,
	TDXUPD_OUTCOME_UNKNOWN,
	_TDXUPD_OUTCOME_MAX,
	_TDXUPD_OUTCOME_INVALID = -22,
};
/** tdxupd_outcome_to_string() - Return: a name like "succeeded" or "lost", NULL outside
 * the enum. Since: 0.1 */
const char *tdxupd_outcome_to_string(enum tdxupd_outcome outcome);

/**
 * tdxupd_confirm() - decide from evidence
 * @before: the snapshot that the commit rested on
 * @after: a snapshot taken after the kernel was done
 * @result: what the upload said, NULL when nobody saw it (a crash in between)
 *
 * Pure. Since: 0.1
 */
enum tdxupd_outcome tdxupd_confirm(const struct tdxupd_host *before,
				   const struct tdxupd_host *after,
				   const struct tdxupd_version *target,
				   const struct tdxupd_upload_result *result);

/* ---- logging ---- */

/** tdxupd_log_fn - @message: one line, no newline. Since: 0.1 */
typedef void (*tdxupd_log_fn)(void *userdata, const char *message);
/** tdxupd_set_log() - get the library's debug lines; NULL for none. Since: 0.1 */
void tdxupd_set_log(tdxupd_log_fn fn, void *userdata);

#ifdef __cplusplus
}
#endif
#endif
