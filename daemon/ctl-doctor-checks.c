// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What must be right on a host before its TDX module can be updated, from the bottom up,
 * each with the next step for somebody who has never seen TDX. Pure lookers: nothing is
 * changed.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ctl-doctor.h"
#include "driver.h"
#include "io.h"
#include "json.h"

#define CPUINFO_BYTES_MAX (16u << 20) /* thousands of CPUs at some 2 KiB */
#define KCONFIG_BYTES_MAX (4u << 20)

/* Messages of others may have several lines, and anything in them. */
static void take_line(char *ret, size_t size, char *text)
{
	for (char *p = text; *p; p++)
		if (*p == '\n')
			*p = ' ';
	text_make_printable(ret, size, text);
}

void doctor_say(struct doctor_finding *ret, enum doctor_state state, const char *next,
		const char *format, ...)
{
	char text[sizeof(ret->found)];
	va_list args;

	ret->state = state;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	take_line(ret->found, sizeof(ret->found), text);
	snprintf(text, sizeof(text), "%s", next ? next : "");
	take_line(ret->next, sizeof(ret->next), text);
}

/* ---- hardware and firmware ---- */

static void look_at_cpu(const struct doctor_patient *patient, struct doctor_finding *ret)
{
	_cleanup_(cleanup_free)
	uint8_t *bytes = NULL;
	size_t count;

	if (io_read_file(patient->root_fd, "proc/cpuinfo", CPUINFO_BYTES_MAX, &bytes,
			 &count) < 0) {
		doctor_say(ret, DOCTOR_UNKNOWN, "", "/proc/cpuinfo can't be read");
		return;
	}
	if (!strstr((const char *)bytes, ": GenuineIntel\n"))
		doctor_say(ret, DOCTOR_BAD,
			   "TDX needs an Intel Xeon of the 4th generation or later.",
			   "not an Intel CPU");
	else if (driver_is_tdx_offered(patient->root_fd) > 0)
		doctor_say(ret, DOCTOR_OK, "", "the BIOS offers TDX");
	else if (patient->facts->host->state != TDXUPD_TDX_ABSENT)
		doctor_say(ret, DOCTOR_OK, "", "TDX is in use");
	else
		doctor_say(
			ret, DOCTOR_BAD,
			"Turn on TME, TME-MT and TDX, with a key split that leaves keys "
			"to "
			"TDX, "
			"in the BIOS; or this CPU has no TDX.",
			"the BIOS offers no TDX (no tdx_host_platform in /proc/cpuinfo)");
}

static void look_at_cpu_bug(const struct doctor_patient *patient,
			    struct doctor_finding *ret)
{
	const struct tdxupd_host *host = patient->facts->host;

	if (!host->has_cpu_bugs)
		doctor_say(ret, DOCTOR_UNKNOWN, "", "/proc/cpuinfo can't be read");
	else if (host->has_cpu_bug)
		doctor_say(ret, DOCTOR_BAD,
			   "This CPU can't be updated at run time; a BIOS with newer "
			   "microcode "
			   "may "
			   "help. Else load the new module at boot.",
			   "P-SEAMLDR destroys the kernel's VMCS (seamret_invd_vmcs)");
	else
		doctor_say(ret, DOCTOR_OK, "", "calls to P-SEAMLDR are safe");
}

/* P-SEAMLDR waits for each of them. */
static void look_at_cpus(const struct doctor_patient *patient, struct doctor_finding *ret)
{
	const struct tdxupd_host *host = patient->facts->host;
	const struct config *config = patient->facts->config;
	bool is_accepted = config && config->policy->accepted &
					     (UINT64_C(1) << TDXUPD_CHECK_CPU_ABSENT);
	unsigned online, present, possible;

	if (!host->has_cpus) {
		doctor_say(ret, DOCTOR_UNKNOWN, "", "the CPU masks can't be read");
		return;
	}
	online = tdxupd_cpuset_count(&host->online);
	present = tdxupd_cpuset_count(&host->present);
	possible = tdxupd_cpuset_count(&host->possible);
	if (online < present)
		doctor_say(ret, DOCTOR_BAD,
			   tdxupd_check_describe(TDXUPD_CHECK_CPU_OFFLINE)->advice,
			   "%u of %u are offline", present - online, present);
	else if (present < possible && !is_accepted)
		doctor_say(ret, DOCTOR_BAD,
			   tdxupd_check_describe(TDXUPD_CHECK_CPU_ABSENT)->advice,
			   "all %u are online; %u more are possible and not present",
			   online, possible - present);
	else
		doctor_say(ret, DOCTOR_OK, "", "all %u are online%s", online,
			   present < possible ? "; AcceptAbsentCpus=yes" : "");
}

/* ---- kernel ---- */

static void look_at_kernel(const struct doctor_patient *patient,
			   struct doctor_finding *ret)
{
	static const char *const wanted[] = { "CONFIG_INTEL_TDX_HOST",
					      "CONFIG_KVM_INTEL_TDX",
					      "CONFIG_FW_UPLOAD" };
	_cleanup_(cleanup_free)
	uint8_t *bytes = NULL;
	char release[96], path[128], line[64];
	size_t count;

	if (io_read_text(patient->root_fd, "proc/sys/kernel/osrelease", release,
			 sizeof(release)) < 0) {
		doctor_say(ret, DOCTOR_UNKNOWN, "", "the kernel's version can't be read");
		return;
	}
	snprintf(path, sizeof(path), "boot/config-%s", release);
	if (io_read_file(patient->root_fd, path, KCONFIG_BYTES_MAX, &bytes, &count) < 0) {
		doctor_say(ret, DOCTOR_UNKNOWN, "", "%s; no /boot/config-%s to look at",
			   release, release);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		snprintf(line, sizeof(line), "\n%s=", wanted[i]);
		if (strstr((const char *)bytes, line))
			continue;
		doctor_say(
			ret, DOCTOR_BAD,
			"Install a kernel of 7.2 or later that has TDX host support and "
			"firmware "
			"upload.",
			"%s was built without %s", release, wanted[i]);
		return;
	}
	doctor_say(ret, DOCTOR_OK, "", "%s has what it takes", release);
}

static void look_at_kvm(const struct doctor_patient *patient, struct doctor_finding *ret)
{
	char value[16];
	int r = io_read_text(patient->root_fd, "sys/module/kvm_intel/parameters/tdx",
			     value, sizeof(value));

	if (r == 0 && strcmp(value, "Y") == 0)
		doctor_say(ret, DOCTOR_OK, "", "KVM runs TDs (kvm_intel.tdx=Y)");
	else if (r == 0)
		doctor_say(ret, DOCTOR_WARN,
			   "Add kvm_intel.tdx=1 to the kernel's command line and reboot.",
			   "KVM runs no TDs (kvm_intel.tdx=%s)", value);
	else
		doctor_say(ret, DOCTOR_UNKNOWN, "",
			   "kvm_intel is not loaded, or knows no TDX");
}

/* The device comes with the kernel's driver. */
static void look_at_driver(const struct doctor_patient *patient,
			   struct doctor_finding *ret)
{
	const struct config *config = patient->facts->config;
	const char *module = NULL, *why = "it can't be told which";

	(void)driver_choose(patient->root_fd,
			    config ? config->load_driver : LOAD_DRIVER_AUTO, &module,
			    &why);
	if (module)
		doctor_say(
			ret, DOCTOR_BAD,
			"`systemctl start tdx-host-load.service` loads it, or says why "
			"it "
			"can't; then see `dmesg | grep -i tdx`.",
			"no device /sys/devices/faux/tdx_host; driver %s is not loaded",
			module);
	else
		doctor_say(ret, DOCTOR_BAD,
			   "See `dmesg | grep -i tdx`, and LoadDriver= in tdxupd.conf.",
			   "no device /sys/devices/faux/tdx_host; no driver to load: %s",
			   why);
}

static void look_at_module(const struct doctor_patient *patient,
			   struct doctor_finding *ret)
{
	const struct tdxupd_host *host = patient->facts->host;
	char text[TDXUPD_VERSION_TEXT_BYTES];

	switch (host->state) {
	case TDXUPD_TDX_LIVE:
		doctor_say(ret, DOCTOR_OK, "", "%s runs",
			   tdxupd_version_format(&host->module_version, text));
		break;
	case TDXUPD_TDX_LOST:
		doctor_say(ret, DOCTOR_BAD,
			   "Reboot. Then see `tdxupdctl log` for what went wrong.",
			   "LOST: an update failed half way, every TD is dead");
		break;
	case TDXUPD_TDX_ABSENT:
		look_at_driver(patient, ret);
		break;
	default:
		doctor_say(ret, DOCTOR_BAD, "See `dmesg | grep -i tdx`.",
			   "the device is there, its version can't be read");
		break;
	}
}

static void look_at_upload(const struct doctor_patient *patient,
			   struct doctor_finding *ret)
{
	const struct tdxupd_host *host = patient->facts->host;

	if (host->has_trigger)
		doctor_say(ret, DOCTOR_OK, "", "upload and trigger");
	else if (host->has_fw_upload)
		doctor_say(ret, DOCTOR_OK, "", "upload (/sys/class/firmware/tdx_module)");
	else if (host->state == TDXUPD_TDX_ABSENT)
		doctor_say(ret, DOCTOR_UNKNOWN, "", "comes with the module");
	else
		doctor_say(
			ret, DOCTOR_BAD,
			"The running module or CPU can't be updated at run time: load a "
			"newer "
			"module at boot.",
			"no /sys/class/firmware/tdx_module");
}

static void look_at_budget(const struct doctor_patient *patient,
			   struct doctor_finding *ret)
{
	const struct tdxupd_host *host = patient->facts->host;
	struct json_object *told = json_get(patient->daemon, "remaining_updates");
	int64_t count = host->has_remaining_updates ? (int64_t)host->remaining_updates
			: json_object_is_type(told, json_type_int)
				? json_object_get_int64(told)
				: -1;

	if (count < 0)
		doctor_say(ret, DOCTOR_UNKNOWN,
			   "Run this as root, or start tdxupdd: only root may read it.",
			   "the number of updates left can't be read");
	else if (count == 0)
		doctor_say(ret, DOCTOR_BAD, "Reboot: it begins anew.", "no updates left");
	else
		doctor_say(ret, DOCTOR_OK, "", "%jd updates left", (intmax_t)count);
}

static void look_at_guard(const struct doctor_patient *patient,
			  struct doctor_finding *ret)
{
	const struct tdxupd_host *host = patient->facts->host;
	struct json_object *told = json_get(patient->daemon, "tds_building");
	bool is_doubted = json_object_is_type(told, json_type_int) &&
			  json_object_get_int64(told) < 0;

	if (host->has_tds_building && is_doubted)
		doctor_say(
			ret, DOCTOR_WARN, "`tdxupdctl blockers` says why.",
			"the kernel shows a count of TDs being built, and tdxupdd does "
			"not go by it");
	else if (host->has_tds_building)
		doctor_say(ret, DOCTOR_OK, "", "the kernel counts TDs under build");
	else if (host->has_trigger)
		doctor_say(
			ret, DOCTOR_WARN,
			"It is known again when no TD is left that is older than the "
			"driver, and only while kernel.ftrace_enabled is 1.",
			"the kernel cannot tell at present how many TDs are being built");
	else
		doctor_say(ret, DOCTOR_WARN,
			   "tdxupdd watches with probes and leases instead. The kernel "
			   "module tdx-host of this project counts exactly; the kernel's "
			   "own cannot be unloaded, so replacing it takes a reboot.",
			   "the kernel does not tell whether a TD is being built");
}

static void look_at_cgroup(const struct doctor_patient *patient,
			   struct doctor_finding *ret)
{
	uint64_t count = patient->facts->host->td_count;

	if (patient->facts->host->has_td_count)
		doctor_say(ret, DOCTOR_OK, "", "the misc cgroup counts %ju TD%s",
			   (uintmax_t)count, count == 1 ? "" : "s");
	else
		doctor_say(ret, DOCTOR_WARN, "Build the kernel with CONFIG_CGROUP_MISC.",
			   "the misc cgroup does not count TDs");
}

const struct doctor_check doctor_checks[] = {
	{ "BIOS and CPU", CTL_EXIT_UNSUPPORTED, look_at_cpu },
	{ "CPU bug", CTL_EXIT_UNSUPPORTED, look_at_cpu_bug },
	{ "CPUs online", CTL_EXIT_REFUSED, look_at_cpus },
	{ "Kernel", CTL_EXIT_UNSUPPORTED, look_at_kernel },
	{ "KVM", CTL_EXIT_UNSUPPORTED, look_at_kvm },
	{ "TDX module", CTL_EXIT_UNSUPPORTED, look_at_module },
	{ "Interface", CTL_EXIT_UNSUPPORTED, look_at_upload },
	{ "Budget", CTL_EXIT_EXHAUSTED, look_at_budget },
	{ "Build counter", CTL_EXIT_FAILURE, look_at_guard },
	{ "cgroup", CTL_EXIT_FAILURE, look_at_cgroup },
	{ "Configuration", CTL_EXIT_CONFIG, doctor_look_at_config },
	{ "Images", CTL_EXIT_NO_IMAGE, doctor_look_at_images },
	{ "Holds", CTL_EXIT_HELD, doctor_look_at_holds },
	{ "Update", CTL_EXIT_FAILURE, doctor_look_at_plan },
	{ "Units", CTL_EXIT_FAILURE, doctor_look_at_units },
	{ "Daemon", CTL_EXIT_FAILURE, doctor_look_at_daemon },
	{ "Service", CTL_EXIT_FAILURE, doctor_look_at_lacks },
	{ "Sources", CTL_EXIT_FAILURE, doctor_look_at_sources },
	{ "Gate", CTL_EXIT_FAILURE, doctor_look_at_gate },
};
const size_t doctor_check_count = ARRAY_SIZE(doctor_checks);
