/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is used of QEMU's interface for TCG plugins, as its documentation has it
 * (docs/devel/tcg-plugins). Debian builds QEMU with plugins but has no package with the
 * header. QEMU checks the version that a plugin says it was made for.
 */
#ifndef QEMU_PLUGIN_API_H
#define QEMU_PLUGIN_API_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QEMU_PLUGIN_API_VERSION 7
#define QEMU_PLUGIN_EXPORT      __attribute__((visibility("default")))

typedef uint64_t qemu_plugin_id_t;

struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_register;

struct qemu_info {
	const char *target_name;
	struct {
		int min;
		int cur;
	} version;
	bool system_emulation;
	struct {
		int smp_vcpus;
		int max_vcpus;
	} system;
};

struct qemu_plugin_reg_descriptor {
	struct qemu_plugin_register *handle;
	const char *name;
	const char *feature;
};

/* What a callback may do with registers; the last also with the program counter. */
enum qemu_plugin_cb_flags {
	QEMU_PLUGIN_CB_NO_REGS,
	QEMU_PLUGIN_CB_R_REGS,
	QEMU_PLUGIN_CB_RW_REGS,
	QEMU_PLUGIN_CB_RW_REGS_PC,
};

typedef void (*qemu_plugin_vcpu_simple_cb_t)(unsigned int vcpu, void *userdata);
typedef void (*qemu_plugin_vcpu_tb_trans_cb_t)(struct qemu_plugin_tb *tb, void *userdata);

/* In the plugin. */
extern QEMU_PLUGIN_EXPORT int qemu_plugin_version;
QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id,
					   const struct qemu_info *info, int argc,
					   char **argv);

/* In QEMU. */
void qemu_plugin_register_vcpu_init_cb(qemu_plugin_id_t id,
				       qemu_plugin_vcpu_simple_cb_t callback,
				       void *userdata);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
					   qemu_plugin_vcpu_tb_trans_cb_t callback,
					   void *userdata);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    qemu_plugin_vcpu_simple_cb_t callback,
					    enum qemu_plugin_cb_flags flags,
					    void *userdata);

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb,
						 size_t index);
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *ret,
			     size_t count);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);

/* An array of struct qemu_plugin_reg_descriptor, for the vCPU whose callback asks; of a
 * larger one, as the structure grows at its end. */
GArray *qemu_plugin_get_registers(void);
int qemu_plugin_read_register(struct qemu_plugin_register *handle, GByteArray *ret);
int qemu_plugin_write_register(struct qemu_plugin_register *handle, GByteArray *bytes);
/* Goes on at @address, and does not come back. */
__attribute__((noreturn)) void qemu_plugin_set_pc(uint64_t address);

bool qemu_plugin_read_memory_vaddr(uint64_t address, GByteArray *ret, size_t count);
bool qemu_plugin_write_memory_vaddr(uint64_t address, GByteArray *bytes);
/* 0 for success. */
int qemu_plugin_read_memory_hwaddr(uint64_t address, GByteArray *ret, size_t count);
int qemu_plugin_write_memory_hwaddr(uint64_t address, GByteArray *bytes);

#endif
