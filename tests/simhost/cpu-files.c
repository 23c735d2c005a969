// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * /proc/cpuinfo and the CPU masks of the host. A CPU that is offline is not in cpuinfo,
 * so a package whose CPUs are all offline shows nowhere.
 */
#include "cpu-files.h"

/* arch/x86/lib/cpu.c: x86_family(), x86_model() */
static unsigned cpu_family(uint32_t signature)
{
	unsigned family = signature >> 8 & 0xF;

	return family == 0xF ? family + (signature >> 20 & 0xFF) : family;
}

static unsigned cpu_model(uint32_t signature)
{
	unsigned model = signature >> 4 & 0xF;

	return cpu_family(signature) >= 6 ? model | (signature >> 16 & 0xF) << 4 : model;
}

static void show_cpu(const struct host *host, unsigned cpu, FILE *text)
{
	const struct tdx_model *model = host->model;
	unsigned package = tdx_model_package_of(model, cpu);
	uint32_t signature = model->signatures[package];
	unsigned siblings = model->lp_count / model->package_count;

	fprintf(text, "processor\t: %u\n", cpu);
	fprintf(text, "vendor_id\t: GenuineIntel\n");
	fprintf(text, "cpu family\t: %u\n", cpu_family(signature));
	fprintf(text, "model\t\t: %u\n", cpu_model(signature));
	fprintf(text, "model name\t: Simulated TDX host\n");
	fprintf(text, "stepping\t: %u\n", signature & 0xF);
	fprintf(text, "physical id\t: %u\n", package);
	fprintf(text, "siblings\t: %u\n", siblings);
	fprintf(text, "core id\t\t: %u\n", cpu % (siblings ? siblings : 1) / 2);
	fprintf(text, "cpu cores\t: %u\n", (siblings + 1) / 2);
	fprintf(text, "flags\t\t: fpu vme de pse tsc msr vmx tdx_host_platform\n");
	fprintf(text, "bugs\t\t: spectre_v1 spectre_v2%s\n\n",
		model->host.has_cpu_bug ? " seamret_invd_vmcs" : "");
}

int cpu_show_info(struct host *host, FILE *text)
{
	for (unsigned cpu = 0; cpu < host_cpu_count(host); cpu++)
		if (host_is_cpu_online(host, cpu))
			show_cpu(host, cpu, text);

	return 0;
}

/* The kernel's list form, "0-3,8"; CPUs of which is_online is @wanted. */
static void show_list(const struct host *host, bool wanted, FILE *text)
{
	unsigned count = host_cpu_count(host);
	const char *separator = "";

	for (unsigned first = 0; first < count; first++) {
		unsigned last = first;

		if (host_is_cpu_online(host, first) != wanted)
			continue;
		while (last + 1 < count && host_is_cpu_online(host, last + 1) == wanted)
			last++;
		if (first == last)
			fprintf(text, "%s%u", separator, first);
		else
			fprintf(text, "%s%u-%u", separator, first, last);
		separator = ",";
		first = last;
	}
	fputc('\n', text);
}

int cpu_show_online(struct host *host, FILE *text)
{
	show_list(host, true, text);
	return 0;
}

int cpu_show_offline(struct host *host, FILE *text)
{
	show_list(host, false, text);
	return 0;
}

static void show_up_to(unsigned last, FILE *text)
{
	fprintf(text, last ? "0-%u\n" : "%u\n", last);
}

int cpu_show_present(struct host *host, FILE *text)
{
	show_up_to(host_cpu_count(host) - 1, text);
	return 0;
}

/* arch/x86/kernel/acpi/boot.c: what the MADT lists as disabled is counted as possible */
int cpu_show_possible(struct host *host, FILE *text)
{
	show_up_to(host_cpu_count(host) + host->empty_lps - 1, text);
	return 0;
}

int cpu_show_controllers(struct host *host, FILE *text)
{
	(void)host;
	fputs("cpuset cpu io memory pids misc\n", text);
	return 0;
}
