// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The table of everything that may speak against an update, and lists of what did.
 * Whether something does is decided by the stages; this file knows only the words.
 * docs/checks.md is made from the table.
 *
 * "P-SEAMLDR" as a source is the loader's INSTALL leaf, which looks at an image after the
 * old module is gone: what it refuses costs every TD on the host.
 */
#include <errno.h>
#include <string.h>

#include "tdxupd.h"
#include "util.h"

#define GET_AGAIN "Get this file again from its distributor."

static const struct tdxupd_check_info checks[_TDXUPD_CHECK_MAX] = {
	/* ---- the file ---- */
	[TDXUPD_CHECK_FILE_UNSAFE] = {
		.code = "file-unsafe",
		.title = "file not root's alone",
		.compares = "owner, mode and kind of the file and of every directory above it, "
			    "against root's, written by root only",
		.source = "fstat(2), openat2(2)",
		.advice = "Give the file and all directories above it to root and take the "
			  "write permission of others away; no symlink may lead out of the "
			  "images directory.",
	},
	[TDXUPD_CHECK_FILE_UNREADABLE] = {
		.code = "file-unreadable",
		.title = "file cannot be read",
		.compares = "what reading the file gives, against a regular file of at most "
			    "4 MiB",
		.source = "open(2), read(2)",
		.advice = "See that this is a regular file that can be read, or take it out of "
			  "the images directory.",
	},
	/* ---- the container ---- */
	[TDXUPD_CHECK_IMAGE_SIZE] = {
		.code = "image-size",
		.title = "no image by its size",
		.compares = "bytes in the file, against header, SIGSTRUCT and one module page",
		.source = "Linux arch/x86/virt/vmx/tdx/seamldr.c",
		.advice = GET_AGAIN,
	},
	[TDXUPD_CHECK_IMAGE_VERSION] = {
		.code = "image-version",
		.title = "unknown container version",
		.compares = "u16 at 0, against 0x100 (as published) and 0x200 (as Linux takes)",
		.source = "Linux arch/x86/virt/vmx/tdx/seamldr.c; all published images",
		.advice = "This needs a newer tdxupd, or is no TDX module image.",
	},
	[TDXUPD_CHECK_IMAGE_MAGIC] = {
		.code = "image-magic",
		.title = "not a TDX module image",
		.compares = "8 bytes at 4 (0x200) or 8 (0x100), against \"TDX-BLOB\"",
		.source = "Linux arch/x86/virt/vmx/tdx/seamldr.c; all published images",
		.advice = GET_AGAIN,
	},
	[TDXUPD_CHECK_IMAGE_RESERVED] = {
		.code = "image-reserved",
		.title = "reserved bytes of the container in use",
		.compares = "bytes 20 to 4095 and what follows SIGSTRUCT in its page, against "
			    "zero",
		.source = "Linux arch/x86/virt/vmx/tdx/seamldr.c; all published images",
		.advice = GET_AGAIN,
	},
	[TDXUPD_CHECK_IMAGE_PAGES] = {
		.code = "image-pages",
		.title = "page counts that cannot be loaded",
		.compares = "SIGSTRUCT and module pages, against 1 and 1 to 496",
		.source = "Linux arch/x86/virt/vmx/tdx/seamldr.c; P-SEAMLDR's parameters have "
			  "room for no more",
		.advice = GET_AGAIN,
	},
	[TDXUPD_CHECK_IMAGE_LENGTH] = {
		.code = "image-length",
		.title = "length differs from the header's",
		.compares = "bytes in the file, against what the header says",
		.source = "Linux arch/x86/virt/vmx/tdx/seamldr.c; all published images",
		.advice = "The file is cut short or was added to. " GET_AGAIN,
	},
	[TDXUPD_CHECK_IMAGE_CHECKSUM] = {
		.code = "image-checksum",
		.title = "checksum does not fit",
		.compares = "sum of all u16 words of the file modulo 65536, against 0",
		.source = "all published images; Linux ignores it",
		.advice = GET_AGAIN,
	},
	/* ---- SIGSTRUCT ---- */
	[TDXUPD_CHECK_SIGSTRUCT_HEADER] = {
		.code = "sigstruct-header",
		.title = "not a SEAM SIGSTRUCT",
		.compares = "header type, length and version, against 6, 0xE1 and 0x10000",
		.source = "P-SEAMLDR: EBADSIG",
		.advice = GET_AGAIN,
	},
	[TDXUPD_CHECK_SIGSTRUCT_SIZES] = {
		.code = "sigstruct-sizes",
		.title = "sizes or exponent of SIGSTRUCT are wrong",
		.compares = "size 0x200, key 0x60, modulus 0x60, exponent 1 (dwords), exponent "
			    "65537, at most 255 CPUs",
		.source = "P-SEAMLDR: EBADSIG",
		.advice = GET_AGAIN,
	},
	[TDXUPD_CHECK_SIGSTRUCT_VENDOR] = {
		.code = "sigstruct-vendor",
		.title = "vendor is not Intel",
		.compares = "module vendor, against 0x8086",
		.source = "P-SEAMLDR: EBADSIG",
		.advice = "Use a module that Intel published.",
	},
	[TDXUPD_CHECK_SIGSTRUCT_RESERVED] = {
		.code = "sigstruct-reserved",
		.title = "reserved bytes of SIGSTRUCT in use",
		.compares = "bytes 40 to 127, 978 to 983 and 989, attributes, type bits 0 to 30, "
			    "against zero",
		.source = "P-SEAMLDR: EBADSIG; all published images",
		.advice = GET_AGAIN,
	},
	[TDXUPD_CHECK_SIGSTRUCT_HANDOFF] = {
		.code = "sigstruct-handoff",
		.title = "handoff range is empty",
		.compares = "min_update_hv, against module_hv; no_downgrade, against 0 and 1",
		.source = "TDX module specification, TD-preserving update",
		.advice = GET_AGAIN,
	},
	[TDXUPD_CHECK_MODULE_DEBUG] = {
		.code = "module-debug",
		.title = "debug module",
		.compares = "bit 31 of the module type, against 0",
		.source = "P-SEAMLDR: EBADSIG on a production platform",
		.advice = "A debug module protects no TD: use the production image.",
	},
	[TDXUPD_CHECK_CPU_TABLE_EMPTY] = {
		.code = "cpu-table-empty",
		.title = "no CPU listed",
		.compares = "CPUs listed in SIGSTRUCT of a production module, against at least 1",
		.source = "P-SEAMLDR: EBADSIG",
		.advice = GET_AGAIN,
	},
	/* ---- trust ---- */
	[TDXUPD_CHECK_SIGNER_UNTRUSTED] = {
		.code = "signer-untrusted",
		.title = "signed by a key that is not trusted",
		.compares = "SHA-384 of the RSA modulus, against TrustedSigner=",
		.source = "P-SEAMLDR: EBADSIG, it knows its signer",
		.advice = "Use a module that Intel published; only test machines trust others.",
	},
	[TDXUPD_CHECK_SIGNATURE_INVALID] = {
		.code = "signature-invalid",
		.title = "signature does not fit",
		.compares = "RSA-3072 PKCS#1 v1.5 signature, against SHA-384 of bytes 0 to 127 "
			    "and 900 to 2047 of SIGSTRUCT",
		.source = "P-SEAMLDR: EBADSIG",
		.advice = "The file is damaged or forged. " GET_AGAIN,
	},
	[TDXUPD_CHECK_HASH_MISMATCH] = {
		.code = "hash-mismatch",
		.title = "module differs from what was signed",
		.compares = "SHA-384 of all module pages, against SEAMHASH",
		.source = "P-SEAMLDR: EBADHASH, after the old module was overwritten",
		.advice = "The file is damaged or forged. " GET_AGAIN,
	},
	[TDXUPD_CHECK_VERSION_UNKNOWN] = {
		.code = "version-unknown",
		.title = "version is not known for sure",
		.compares = "MRSEAM, against the known modules; else the file name, which nobody "
			    "signs",
		.source = "known-modules.json",
		.advice = "Put a record with its MRSEAM into /etc/tdxupd/known-modules.d, "
			  "or name the file as Intel does, tdx_module_VERSION.blob; "
			  "tdxupdctl image show says what it holds.",
	},
	[TDXUPD_CHECK_VERSION_MISMATCH] = {
		.code = "version-mismatch",
		.title = "not the version that its name claims",
		.compares = "version and SVN of the known module with this MRSEAM, against file "
			    "name and SIGSTRUCT",
		.source = "known-modules.json",
		.advice = "Rename the file after what it holds, or take it away.",
	},
	[TDXUPD_CHECK_VERSION_AMBIGUOUS] = {
		.code = "version-ambiguous",
		.title = "several modules claim this version",
		.compares = "MRSEAMs of all files that claim one version, against each other",
		.source = "images directory",
		.advice = "Leave one of these files in the images directory.",
	},
	[TDXUPD_CHECK_MRSEAM_NOT_ALLOWED] = {
		.code = "mrseam-not-allowed",
		.title = "measurement is not on the list",
		.compares = "MRSEAM, against AllowedMrSeam=",
		.source = "tdxupd.conf",
		.advice = "Add this MRSEAM to AllowedMrSeam= once your verifiers accept it.",
	},
	[TDXUPD_CHECK_BLOCKED] = {
		.code = "blocked",
		.title = "blocked by the administrator",
		.compares = "version and MRSEAM, against Blocked=",
		.source = "tdxupd.conf",
		.advice = "Take it out of Blocked= if that is no longer wanted.",
	},
	[TDXUPD_CHECK_HELD] = {
		.code = "held",
		.title = "held",
		.compares = "version, against what is held, or all is",
		.source = "tdxupdctl hold",
		.advice = "End the hold with `tdxupdctl unhold` and the version, or all.",
	},
	[TDXUPD_CHECK_FAILED] = {
		.code = "failed",
		.title = "held, as an update to it failed",
		.compares = "version, against those whose update was refused, lost TDX or led "
			    "elsewhere",
		.source = "history of updates",
		.advice = "See `tdxupdctl history` for what happened; `tdxupdctl reset-failed` "
			  "lets it be tried again.",
	},
	[TDXUPD_CHECK_PINNED] = {
		.code = "pinned",
		.title = "another version is pinned",
		.compares = "version, against the pinned one",
		.source = "tdxupdctl pin",
		.advice = "Unpin it with `tdxupdctl unpin` to let updates go to any version.",
	},
	/* ---- the host, whatever the image ---- */
	[TDXUPD_CHECK_TDX_ABSENT] = {
		.code = "tdx-absent",
		.title = "no TDX on this host",
		.compares = "/sys/devices/faux/tdx_host, against being there",
		.source = "Linux drivers/virt/coco/tdx-host/tdx-host.c",
		.advice = "Enable TDX in the BIOS, boot a kernel with CONFIG_INTEL_TDX_HOST and "
			  "load tdx_host.",
		.is_last_moment = true,
	},
	[TDXUPD_CHECK_TDX_LOST] = {
		.code = "tdx-lost",
		.title = "TDX is lost until the next reboot",
		.compares = "`version`, against ENXIO",
		.source = "Linux drivers/virt/coco/tdx-host/tdx-host.c: version_show()",
		.advice = "An update failed after the shutdown of the old module: reboot.",
		.is_last_moment = true,
	},
	[TDXUPD_CHECK_UPDATE_UNSUPPORTED] = {
		.code = "update-unsupported",
		.title = "running module cannot be updated",
		.compares = "FEATURES0 bit 1 (TD_PRESERVING) of the running module, against 1",
		.source = "Linux drivers/virt/coco/tdx-host/tdx-host.c",
		.advice = "Boot with a module that supports updates at run time.",
	},
	[TDXUPD_CHECK_INTERFACE_MISSING] = {
		.code = "interface-missing",
		.title = "kernel offers no update",
		.compares = "/sys/class/firmware/tdx_module or the trigger files, against being "
			    "there",
		.source = "Linux drivers/virt/coco/tdx-host/tdx-host.c",
		.advice = "Boot a kernel with CONFIG_TDX_HOST_SERVICES and CONFIG_FW_UPLOAD and "
			  "load tdx_host.",
	},
	[TDXUPD_CHECK_CPU_BUG] = {
		.code = "cpu-bug",
		.title = "CPU clobbers KVM's state when P-SEAMLDR is called",
		.compares = "bugs in /proc/cpuinfo, against seamret_invd_vmcs",
		.source = "Linux X86_BUG_SEAMRET_INVD_VMCS",
		.advice = "Install new microcode or BIOS; until then update by rebooting.",
	},
	[TDXUPD_CHECK_RUNNING_DISPUTED] = {
		.code = "running-disputed",
		.title = "sources disagree on which module runs",
		.compares = "MRSEAM and TEE_TCB_SVN that the kernel shows, images of the running "
			    "version and its record, against each other",
		.source = "mrseam and tee_tcb_svn of the kernel, images directory, "
			  "known-modules.json",
		.advice = "Remove the file or record that is wrong; until then only a reboot "
			  "changes the module.",
	},
	[TDXUPD_CHECK_CPU_OFFLINE] = {
		.code = "cpu-offline",
		.title = "a CPU is offline",
		.compares = "online CPUs, against present ones",
		.source = "P-SEAMLDR installs only once every CPU has called it; Linux lets only "
			  "online ones call",
		.advice = "Bring every CPU online, SMT siblings too (nosmt and maxcpus= need a "
			  "reboot without them).",
		.is_last_moment = true,
	},
	[TDXUPD_CHECK_CPU_ABSENT] = {
		.code = "cpu-absent",
		.title = "a possible CPU is not present",
		.compares = "present CPUs, against possible ones",
		.source = "P-SEAMLDR waits for every CPU that firmware enabled; Linux counts "
			  "empty slots of the firmware's table as possible, too",
		.override = "AcceptAbsentCpus",
		.advice = "Where these are empty slots of the firmware's table and no CPU was "
			  "unplugged since boot, set AcceptAbsentCpus=yes in tdxupd.conf; "
			  "where one was, plug it in again or reboot without it.",
	},
	[TDXUPD_CHECK_UPDATES_EXHAUSTED] = {
		.code = "updates-exhausted",
		.title = "no update left before the next reboot",
		.compares = "num_remaining_updates minus ReserveUpdates=, against the updates "
			    "wanted",
		.source = "P-SEAMLDR: its log of measurements is full, EBADCALL",
		.advice = "Reboot the host: that empties the log.",
	},
	/* ---- the image on this host ---- */
	[TDXUPD_CHECK_CPU_UNSUPPORTED] = {
		.code = "cpu-unsupported",
		.title = "not for this CPU",
		.compares = "CPUID.1 EAX without stepping of every socket, against the CPUs "
			    "listed in SIGSTRUCT",
		.source = "P-SEAMLDR: EUNSUPCPU",
		.advice = "Use a module of the series for this CPU.",
	},
	[TDXUPD_CHECK_SVN_MAJOR] = {
		.code = "svn-major",
		.title = "security version of another series",
		.compares = "major SVN, against the running module's; never 0",
		.source = "P-SEAMLDR: EUNSUPPORTED",
		.advice = "Load this module at boot instead.",
	},
	[TDXUPD_CHECK_SVN_LOWER] = {
		.code = "svn-lower",
		.title = "security version is lower",
		.compares = "minor SVN, against the running module's",
		.source = "P-SEAMLDR: EBADSIG",
		.advice = "Going back in security takes a reboot.",
	},
	[TDXUPD_CHECK_HANDOFF_RANGE] = {
		.code = "handoff-range",
		.title = "modules do not understand each other's handoff data",
		.compares = "module_hv of the running module, against min_update_hv to module_hv "
			    "of the new one; where only the former is unknown, a later module "
			    "of the series that takes over from 0 passes with a warning, as "
			    "handoff versions never fell within a series so far",
		.source = "P-SEAMLDR: EBADHANDOFF; TDX module: SYS.SHUTDOWN, SYS.UPDATE",
		.override = "AcceptUnknownHandoff",
		.advice = "Use a version between the two; where it is unknown, put an image of "
			  "the running module into the images directory or a record of it "
			  "into /etc/tdxupd/known-modules.d.",
	},
	[TDXUPD_CHECK_MAPPING_MISSING] = {
		.code = "mapping-missing",
		.title = "neither mapping nor record of this version",
		.compares = "version, against the releases in mapping_file.json and the records "
			    "that know loader and least predecessor",
		.source = "mapping_file.json, known-modules.json",
		.override = "AcceptUnmapped",
		.advice = "Install a newer mapping_file.json or a record of this version in "
			  "/etc/tdxupd/known-modules.d.",
	},
	[TDXUPD_CHECK_SEAMLDR_TOO_OLD] = {
		.code = "seamldr-too-old",
		.title = "P-SEAMLDR is too old",
		.compares = "P-SEAMLDR's version, against min_seamldr_versions of its series",
		.source = "mapping_file.json, known-modules.json",
		.advice = "Install a BIOS or EFI loader with a newer P-SEAMLDR.",
	},
	[TDXUPD_CHECK_MODULE_TOO_OLD] = {
		.code = "module-too-old",
		.title = "running module is too old for this step",
		.compares = "running version, against min_module_version_for_td_preserving",
		.source = "mapping_file.json, known-modules.json",
		.advice = "Go by a version between the two, or load this one at boot.",
	},
	[TDXUPD_CHECK_SERIES_MISMATCH] = {
		.code = "series-mismatch",
		.title = "another series",
		.compares = "major and minor version, against the running module's",
		.source = "mapping_file.json; P-SEAMLDR compares major SVNs",
		.advice = "Load this module at boot instead.",
	},
	[TDXUPD_CHECK_MAPPING_OUTDATED] = {
		.code = "mapping-outdated",
		.title = "mapping_file.json is outdated",
		.compares = "tdx_feature0 of mapping_file.json, against what a newer mapping file "
			    "has; only a warning, where the old value alone would refuse",
		.source = "mapping_file.json, known-modules.json",
		.advice = "Install the newest mapping_file.json, or remove this one.",
	},
	[TDXUPD_CHECK_FEATURES_LOST] = {
		.code = "features-lost",
		.title = "features would vanish under running TDs",
		.compares = "FEATURES0 of the running module, against the new one's superset",
		.source = "features0 of the kernel, tdx_feature0 of mapping_file.json, "
			  "known-modules.json",
		.override = "AcceptFeaturesLost",
		.advice = "Install the newest mapping_file.json if file and record differ; else "
			  "stay, or accept it if no TD and no kernel here uses them.",
	},
};

static const char *const reasons[_TDXUPD_REASON_MAX] = {
	[TDXUPD_REASON_NONE] = "none",
	[TDXUPD_REASON_LOST] = "lost",
	[TDXUPD_REASON_UNSUPPORTED] = "unsupported",
	[TDXUPD_REASON_EXHAUSTED] = "exhausted",
	[TDXUPD_REASON_HELD] = "held",
	[TDXUPD_REASON_FAILED] = "failed",
	[TDXUPD_REASON_PINNED] = "pinned",
	[TDXUPD_REASON_FORBIDDEN] = "forbidden",
	[TDXUPD_REASON_UNTRUSTED] = "untrusted",
	[TDXUPD_REASON_REFUSED] = "refused",
	[TDXUPD_REASON_NO_IMAGE] = "no-image",
};

static const char *const severities[_TDXUPD_SEVERITY_MAX] = {
	[TDXUPD_SEVERITY_WARN] = "warn",
	[TDXUPD_SEVERITY_UNKNOWN] = "unknown",
	[TDXUPD_SEVERITY_REFUSE] = "refuse",
};

_public_ const struct tdxupd_check_info *tdxupd_check_describe(enum tdxupd_check check)
{
	if ((int)check < 0 || check >= _TDXUPD_CHECK_MAX)
		return NULL;
	return &checks[check];
}

_public_ const char *tdxupd_check_to_string(enum tdxupd_check check)
{
	const struct tdxupd_check_info *info = tdxupd_check_describe(check);

	return info ? info->code : NULL;
}

_public_ enum tdxupd_check tdxupd_check_from_string(const char *code)
{
	for (int i = 0; code && i < _TDXUPD_CHECK_MAX; i++)
		if (strcmp(checks[i].code, code) == 0)
			return (enum tdxupd_check)i;
	return _TDXUPD_CHECK_INVALID;
}

_public_ enum tdxupd_reason tdxupd_check_get_reason(enum tdxupd_check check)
{
	switch (check) {
	case TDXUPD_CHECK_TDX_LOST:
		return TDXUPD_REASON_LOST;
	case TDXUPD_CHECK_TDX_ABSENT:
	case TDXUPD_CHECK_UPDATE_UNSUPPORTED:
	case TDXUPD_CHECK_INTERFACE_MISSING:
	case TDXUPD_CHECK_CPU_BUG:
		return TDXUPD_REASON_UNSUPPORTED;
	case TDXUPD_CHECK_UPDATES_EXHAUSTED:
		return TDXUPD_REASON_EXHAUSTED;
	case TDXUPD_CHECK_HELD:
		return TDXUPD_REASON_HELD;
	case TDXUPD_CHECK_FAILED:
		return TDXUPD_REASON_FAILED;
	case TDXUPD_CHECK_PINNED:
		return TDXUPD_REASON_PINNED;
	case TDXUPD_CHECK_BLOCKED:
	case TDXUPD_CHECK_MRSEAM_NOT_ALLOWED:
		return TDXUPD_REASON_FORBIDDEN;
	default:
		break;
	}
	if (!tdxupd_check_describe(check))
		return TDXUPD_REASON_NONE;
	/* The file, the container, SIGSTRUCT and trust come first in the enum. */
	return check < TDXUPD_CHECK_TDX_ABSENT ? TDXUPD_REASON_UNTRUSTED
					       : TDXUPD_REASON_REFUSED;
}

PUBLIC_STRING_TABLE_TO(tdxupd_reason, enum tdxupd_reason, reasons)
PUBLIC_STRING_TABLE_TO(tdxupd_severity, enum tdxupd_severity, severities)
