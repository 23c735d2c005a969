// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The plugin: finds the instructions of a TDX host in the code that QEMU is about to
 * translate, and does them in its place.
 *
 *	-plugin tdx-cpu.so[,trace=FILE][,setup=FILE]
 *
 * setup is a file of commands (kernel/tdx-model-command.c), done before the power comes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "doorbell.h"
#include "identity.h"
#include "machine.h"
#include "qemu-plugin-api.h"
#include "vcpu.h"

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_API_VERSION;

/*
 * One of our instructions at its place in the guest's memory. Nobody says when QEMU drops
 * the translation that it is for, so all are kept. One translation may serve the same
 * code at several addresses: the kernel has its own at one, and CPUID, which programs
 * have as well, is not skipped.
 *
 * @jc: where the `jc` behind a SEAMCALL goes
 */
struct site {
	struct site *older;
	struct instruction insn;
	uint64_t next;
	uint64_t after_jc;
	uint64_t jc;
};

#define SPLITS 64

static struct site *sites;
static uint64_t splits[SPLITS];
static unsigned int split_count;
static __thread bool is_vmx_on;
static __thread bool is_cpuid_pending;
static __thread struct identity_cpuid cpuid_asked;
static __thread int doorbell_answer;

static void find_registers(unsigned int vcpu, void *userdata)
{
	(void)vcpu, (void)userdata;
	vcpu_find_registers();
}

/*
 * CF cannot be written by a plugin, since QEMU computes it when it is asked for; the `jc`
 * that Linux has behind every SEAMCALL is done with it. Outside VMX operation and outside
 * the kernel QEMU's own CPU answers: #UD.
 */
static void on_seamcall(unsigned int vcpu, void *userdata)
{
	const struct site *site = userdata;
	struct machine_call call;

	if (!is_vmx_on || !vcpu_is_kernel())
		return;
	call = (struct machine_call){ .rax = vcpu_get(RAX),
				      .rcx = vcpu_get(RCX),
				      .rdx = vcpu_get(RDX),
				      .r8 = vcpu_get(R8),
				      .r9 = vcpu_get(R9),
				      .r10 = vcpu_get(R10),
				      .r11 = vcpu_get(R11),
				      .r12 = vcpu_get(R12) };
	if (!machine_seamcall(vcpu, &call))
		qemu_plugin_set_pc(site->jc);
	vcpu_set(RAX, call.rax);
	vcpu_set(RCX, call.rcx);
	vcpu_set(RDX, call.rdx);
	vcpu_set(R8, call.r8);
	vcpu_set(R9, call.r9);
	vcpu_set(R10, call.r10);
	vcpu_set(R11, call.r11);
	vcpu_set(R12, call.r12);
	qemu_plugin_set_pc(site->after_jc);
}

static void on_vmx(unsigned int vcpu, void *userdata)
{
	const struct site *site = userdata;

	(void)vcpu;
	if (!vcpu_is_kernel())
		return;
	if (site->insn.kind != INSTRUCTION_INVALIDATE)
		is_vmx_on = site->insn.kind == INSTRUCTION_VMXON;
	qemu_plugin_set_pc(site->next);
}

static void on_movdir64b(unsigned int vcpu, void *userdata)
{
	const struct site *site = userdata;
	uint8_t bytes[64];

	(void)vcpu;
	if (!vcpu_is_kernel() || !vcpu_read(vcpu_get(site->insn.base), bytes, 64) ||
	    !vcpu_write(vcpu_get(site->insn.reg), bytes, 64))
		return;
	qemu_plugin_set_pc(site->next);
}

/* QEMU's CPU has no CR4.VMXE and would fault. */
static void on_cr4(unsigned int vcpu, void *userdata)
{
	const struct site *site = userdata;
	uint64_t value = vcpu_get(site->insn.reg);

	(void)vcpu;
	if (vcpu_is_kernel() && value & 1U << 13)
		vcpu_set(site->insn.reg, value & ~(1ULL << 13));
}

static void on_rdmsr(unsigned int vcpu, void *userdata)
{
	const struct site *site = userdata;
	uint64_t value;

	(void)vcpu;
	if (!vcpu_is_kernel() || !identity_msr((uint32_t)vcpu_get(RCX), &value))
		return;
	vcpu_set(RAX, value & 0xFFFFFFFF);
	vcpu_set(RDX, value >> 32);
	qemu_plugin_set_pc(site->next);
}

static void before_cpuid(unsigned int vcpu, void *userdata)
{
	(void)vcpu, (void)userdata;
	cpuid_asked.leaf = (uint32_t)vcpu_get(RAX);
	cpuid_asked.subleaf = (uint32_t)vcpu_get(RCX);
	if (cpuid_asked.leaf == DOORBELL_LEAF)
		doorbell_answer = doorbell_ring();
	is_cpuid_pending = true;
}

static void after_cpuid(unsigned int vcpu, void *userdata)
{
	uint64_t ecx, edx;

	(void)vcpu, (void)userdata;
	if (!is_cpuid_pending)
		return;
	is_cpuid_pending = false;
	if (cpuid_asked.leaf == DOORBELL_LEAF) {
		vcpu_set(RAX, (uint32_t)doorbell_answer);
		return;
	}
	ecx = vcpu_get(RCX);
	edx = vcpu_get(RDX);
	identity_cpuid_amend(&cpuid_asked, &ecx, &edx);
	vcpu_set(RCX, ecx);
	vcpu_set(RDX, edx);
}

/* QEMU's idea of where such an instruction ends is not to be relied on. */
static struct instruction look(const struct qemu_plugin_insn *insn)
{
	uint8_t bytes[INSTRUCTION_BYTES_MAX] = { 0 };
	uint64_t address = qemu_plugin_insn_vaddr(insn);
	size_t count = qemu_plugin_insn_data(insn, bytes, sizeof(bytes)), at = 0;

	while (at < count && at < 2 && bytes[at] != 0x0F)
		at++;
	if (at >= count || bytes[at] != 0x0F)
		return (struct instruction){ 0 };
	if (vcpu_read(address, bytes, sizeof(bytes)))
		count = sizeof(bytes);

	return instruction_decode(bytes, count);
}

static struct site *site_new(const struct qemu_plugin_insn *insn,
			     struct instruction decoded)
{
	struct site *site = calloc(1, sizeof(*site));
	uint8_t bytes[6];
	int64_t target = 0;
	size_t count = sizeof(bytes);

	if (!site)
		abort();
	site->insn = decoded;
	site->next = qemu_plugin_insn_vaddr(insn) + decoded.length;
	while (count && !vcpu_read(site->next, bytes, count))
		count--;
	site->after_jc = site->next + instruction_jc(bytes, count, &target);
	site->jc = site->next + (uint64_t)target;
	site->older = __atomic_exchange_n(&sites, site, __ATOMIC_ACQ_REL);

	return site;
}

static void hook_after_cpuid(struct qemu_plugin_insn *insn)
{
	qemu_plugin_register_vcpu_insn_exec_cb(insn, after_cpuid, QEMU_PLUGIN_CB_RW_REGS,
					       NULL);
}

/*
 * A block ends at the end of a page, and so may end with a CPUID. The block that goes on
 * there is translated later, when the vCPU gets to it.
 */
static void remember_split(uint64_t address)
{
	unsigned int at = __atomic_fetch_add(&split_count, 1, __ATOMIC_RELAXED);

	splits[at % SPLITS] = address;
}

static bool is_split(uint64_t address)
{
	unsigned int i;

	for (i = 0; i < SPLITS; i++)
		if (splits[i] == address)
			return true;

	return false;
}

static void hook(struct qemu_plugin_tb *tb, size_t index, struct instruction decoded)
{
	static const struct {
		qemu_plugin_vcpu_simple_cb_t callback;
		enum qemu_plugin_cb_flags flags;
	} hooks[] = {
		[INSTRUCTION_SEAMCALL] = { on_seamcall, QEMU_PLUGIN_CB_RW_REGS_PC },
		[INSTRUCTION_VMXON] = { on_vmx, QEMU_PLUGIN_CB_RW_REGS_PC },
		[INSTRUCTION_VMXOFF] = { on_vmx, QEMU_PLUGIN_CB_RW_REGS_PC },
		[INSTRUCTION_INVALIDATE] = { on_vmx, QEMU_PLUGIN_CB_RW_REGS_PC },
		[INSTRUCTION_MOVDIR64B] = { on_movdir64b, QEMU_PLUGIN_CB_RW_REGS_PC },
		[INSTRUCTION_MOV_TO_CR4] = { on_cr4, QEMU_PLUGIN_CB_RW_REGS },
		[INSTRUCTION_CPUID] = { before_cpuid, QEMU_PLUGIN_CB_R_REGS },
		[INSTRUCTION_RDMSR] = { on_rdmsr, QEMU_PLUGIN_CB_RW_REGS_PC },
	};
	struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, index);

	qemu_plugin_register_vcpu_insn_exec_cb(insn, hooks[decoded.kind].callback,
					       hooks[decoded.kind].flags,
					       site_new(insn, decoded));
	if (decoded.kind != INSTRUCTION_CPUID)
		return;

	/* The answer is there when the next instruction begins. */
	if (index + 1 < qemu_plugin_tb_n_insns(tb))
		hook_after_cpuid(qemu_plugin_tb_get_insn(tb, index + 1));
	else
		remember_split(qemu_plugin_insn_vaddr(insn) + decoded.length);
}

static void on_translate(struct qemu_plugin_tb *tb, void *userdata)
{
	size_t count = qemu_plugin_tb_n_insns(tb), i;
	struct instruction decoded;

	(void)userdata;
	if (count && is_split(qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(tb, 0))))
		hook_after_cpuid(qemu_plugin_tb_get_insn(tb, 0));
	for (i = 0; i < count; i++) {
		decoded = look(qemu_plugin_tb_get_insn(tb, i));
		if (decoded.kind)
			hook(tb, i, decoded);
	}
}

static FILE *open_argument(const char *argument, const char *key, const char *mode)
{
	size_t length = strlen(key);
	FILE *file;

	if (strncmp(argument, key, length) || argument[length] != '=')
		return NULL;
	file = fopen(argument + length + 1, mode);
	if (!file) {
		fprintf(stderr, "tdx-cpu: %s: %s\n", argument, strerror(errno));
		exit(1);
	}

	return file;
}

QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id,
					   const struct qemu_info *info, int argc,
					   char **argv)
{
	FILE *trace = NULL, *setup = NULL, *file;
	int i, ret;

	for (i = 0; i < argc; i++) {
		if ((file = open_argument(argv[i], "trace", "we"))) {
			trace = file;
		} else if ((file = open_argument(argv[i], "setup", "re"))) {
			setup = file;
		} else {
			fprintf(stderr, "tdx-cpu: no such argument: %s\n", argv[i]);
			return 1;
		}
	}
	ret = machine_power_on((unsigned int)info->system.smp_vcpus, trace);
	if (!ret && setup)
		ret = machine_set_up(setup);
	if (setup)
		fclose(setup);
	if (ret)
		return 1;

	qemu_plugin_register_vcpu_init_cb(id, find_registers, NULL);
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate, NULL);
	return 0;
}
