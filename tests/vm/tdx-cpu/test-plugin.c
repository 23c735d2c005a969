// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The plugin in a QEMU that is this program: one vCPU's registers, a little memory that
 * is at the same place for vCPU and bus, and code of a few bytes.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "doorbell.h"
#include "machine.h"
#include "qemu-plugin-api.h"
#include "tdx-model-internal.h"
#include "vcpu.h"

#define MEMORY_BYTES (1ULL << 20)
#define CODE         0x1000ULL
#define LINE         0x2000ULL
#define ANSWER       0x3000ULL

/* ---- a QEMU ---- */

struct callback {
	qemu_plugin_vcpu_simple_cb_t call;
	enum qemu_plugin_cb_flags flags;
	void *userdata;
};

struct qemu_plugin_insn {
	uint64_t address;
	size_t size;
	struct callback callbacks[2];
	size_t callback_count;
};

struct qemu_plugin_tb {
	struct qemu_plugin_insn insns[4];
	size_t count;
};

struct qemu_plugin_register {
	uint64_t value;
};

static struct qemu_plugin_register registers[_VCPU_REGISTER_MAX];
static uint8_t memory[MEMORY_BYTES];
static qemu_plugin_vcpu_simple_cb_t on_init;
static qemu_plugin_vcpu_tb_trans_cb_t on_translate;
static enum qemu_plugin_cb_flags allowed;
static jmp_buf jump;
static uint64_t jumped_to;

void qemu_plugin_register_vcpu_init_cb(qemu_plugin_id_t id,
				       qemu_plugin_vcpu_simple_cb_t callback,
				       void *userdata)
{
	(void)id, (void)userdata;
	on_init = callback;
}

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
					   qemu_plugin_vcpu_tb_trans_cb_t callback,
					   void *userdata)
{
	(void)id, (void)userdata;
	on_translate = callback;
}

void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    qemu_plugin_vcpu_simple_cb_t callback,
					    enum qemu_plugin_cb_flags flags,
					    void *userdata)
{
	assert_true(insn->callback_count < 2);
	insn->callbacks[insn->callback_count++] =
		(struct callback){ callback, flags, userdata };
}

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb)
{
	return tb->count;
}

struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb,
						 size_t index)
{
	return (struct qemu_plugin_insn *)&tb->insns[index];
}

size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *ret, size_t count)
{
	count = count < insn->size ? count : insn->size;
	memcpy(ret, memory + insn->address, count);
	return count;
}

uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn)
{
	return insn->address;
}

GArray *qemu_plugin_get_registers(void)
{
	static const char *const names[_VCPU_REGISTER_MAX] = {
		"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8",
		"r9",  "r10", "r11", "r12", "r13", "r14", "r15", "cs",
	};
	GArray *list =
		g_array_new(FALSE, TRUE, sizeof(struct qemu_plugin_reg_descriptor));
	struct qemu_plugin_reg_descriptor one = { NULL, "eflags", NULL };
	unsigned int i;

	g_array_append_val(list, one);
	for (i = 0; i < _VCPU_REGISTER_MAX; i++) {
		one.handle = &registers[i];
		one.name = names[i];
		g_array_append_val(list, one);
	}

	return list;
}

int qemu_plugin_read_register(struct qemu_plugin_register *handle, GByteArray *ret)
{
	assert_true(allowed >= QEMU_PLUGIN_CB_R_REGS);
	g_byte_array_append(ret, (const guint8 *)&handle->value,
			    handle == &registers[CS] ? 4 : 8);
	return (int)ret->len;
}

int qemu_plugin_write_register(struct qemu_plugin_register *handle, GByteArray *bytes)
{
	assert_true(allowed >= QEMU_PLUGIN_CB_RW_REGS);
	memcpy(&handle->value, bytes->data, 8);
	return 8;
}

void qemu_plugin_set_pc(uint64_t address)
{
	assert_true(allowed == QEMU_PLUGIN_CB_RW_REGS_PC);
	jumped_to = address;
	longjmp(jump, 1);
}

static bool is_inside(uint64_t address, size_t count)
{
	return address < MEMORY_BYTES && count <= MEMORY_BYTES - address;
}

bool qemu_plugin_read_memory_vaddr(uint64_t address, GByteArray *ret, size_t count)
{
	if (is_inside(address, count))
		g_byte_array_append(ret, memory + address, (guint)count);
	return is_inside(address, count);
}

bool qemu_plugin_write_memory_vaddr(uint64_t address, GByteArray *bytes)
{
	if (is_inside(address, bytes->len))
		memcpy(memory + address, bytes->data, bytes->len);
	return is_inside(address, bytes->len);
}

int qemu_plugin_read_memory_hwaddr(uint64_t address, GByteArray *ret, size_t count)
{
	return !qemu_plugin_read_memory_vaddr(address, ret, count);
}

int qemu_plugin_write_memory_hwaddr(uint64_t address, GByteArray *bytes)
{
	return !qemu_plugin_write_memory_vaddr(address, bytes);
}

/* The callbacks before instruction @index of @tb: whether one of them jumped. */
static bool run(struct qemu_plugin_tb *tb, size_t index)
{
	volatile size_t i;

	for (i = 0; i < tb->insns[index].callback_count; i++) {
		struct callback *callback = &tb->insns[index].callbacks[i];

		if (setjmp(jump)) {
			allowed = QEMU_PLUGIN_CB_NO_REGS;
			return true;
		}
		allowed = callback->flags;
		callback->call(0, callback->userdata);
		allowed = QEMU_PLUGIN_CB_NO_REGS;
	}

	return false;
}

/* ---- its guest ---- */

/* @text at CODE, one instruction of @size bytes and a NOP; as QEMU, which does not know
 * the instruction, the plugin is told of its first @told bytes only. */
static void translate(struct qemu_plugin_tb *tb, const void *text, size_t size,
		      size_t told)
{
	memset(memory + CODE, 0x90, 64);
	memcpy(memory + CODE, text, size);
	*tb = (struct qemu_plugin_tb){
		.insns = { { .address = CODE, .size = told },
			   { .address = CODE + told, .size = 1 } },
		.count = 2,
	};
	on_translate(tb, NULL);
}

static bool execute(const void *text, size_t size)
{
	struct qemu_plugin_tb tb;

	translate(&tb, text, size, size < 3 ? size : 3);
	return run(&tb, 0);
}

static void vmx(bool on)
{
	assert_true(execute(on ? "\xf3\x0f\xc7\x34\x24" : "\x0f\x01\xc4", on ? 5 : 3));
	assert_int_equal(jumped_to, CODE + (on ? 5 : 3));
}

static bool seamcall(uint64_t rax)
{
	registers[RAX].value = rax;
	return execute("\x66\x0f\x01\xcf\x72\x20", 6);
}

static void set_kernel(bool is_kernel)
{
	registers[CS].value = is_kernel ? 0x10 : 0x33;
}

static int set_up(void **state)
{
	(void)state;
	memset(registers, 0, sizeof(registers));
	set_kernel(true);
	vmx(true);
	return 0;
}

static void test_seamcall_where_there_is_none(void **state)
{
	(void)state;
	set_kernel(false);
	assert_false(seamcall(TDH_SYS_RD));
	set_kernel(true);
	vmx(false);
	assert_false(seamcall(TDH_SYS_RD));
	assert_int_equal(registers[RAX].value, TDH_SYS_RD);
}

static void test_seamcall_answers(void **state)
{
	(void)state;
	assert_true(seamcall(TDH_SYS_RD));
	assert_int_equal(registers[RAX].value, TDX_SYS_LP_INIT_NOT_DONE);
	assert_int_equal(jumped_to, CODE + 6);
	/* P-SEAMLDR's session has begun: no module until all have called. */
	registers[R8].value = 5;
	assert_true(seamcall(SEAMLDR_INSTALL));
	assert_int_equal(registers[RAX].value, 0);
	assert_true(seamcall(TDH_SYS_RD));
	assert_int_equal(jumped_to, CODE + 6 + 0x20);
	assert_int_equal(registers[RAX].value, TDH_SYS_RD);
	assert_int_equal(registers[R8].value, 5);
}

static void test_msrs(void **state)
{
	(void)state;
	registers[RCX].value = 0x3A;
	assert_true(execute("\x0f\x32", 2));
	assert_int_equal(registers[RAX].value, 5);
	assert_int_equal(registers[RDX].value, 0);
	assert_int_equal(jumped_to, CODE + 2);
	registers[RCX].value = 0x10;
	assert_false(execute("\x0f\x32", 2));
	set_kernel(false);
	registers[RCX].value = 0x3A;
	assert_false(execute("\x0f\x32", 2));
}

static void test_cr4_without_vmxe(void **state)
{
	(void)state;
	registers[R12].value = 0x2020;
	assert_false(execute("\x41\x0f\x22\xe4", 4));
	assert_int_equal(registers[R12].value, 0x20);
}

static void test_movdir64b(void **state)
{
	(void)state;
	memset(memory + LINE, 7, 64);
	registers[RDX].value = LINE;
	registers[RAX].value = ANSWER;
	assert_true(execute("\x66\x0f\x38\xf8\x02", 5));
	assert_memory_equal(memory + LINE, memory + ANSWER, 64);
	registers[RDX].value = MEMORY_BYTES;
	assert_false(execute("\x66\x0f\x38\xf8\x02", 5));
}

/* Whatever QEMU answers; after the next leaf nothing is added twice. */
static void test_cpuid(void **state)
{
	struct qemu_plugin_tb tb;

	(void)state;
	translate(&tb, "\x0f\xa2", 2, 2);
	registers[RAX].value = 1;
	assert_false(run(&tb, 0));
	registers[RCX].value = registers[RDX].value = 1U << 31;
	assert_false(run(&tb, 1));
	assert_int_equal(registers[RCX].value, 1U << 31 | 1U << 5);
	assert_int_equal(registers[RDX].value, 1U << 31 | 1U << 27);
	registers[RCX].value = 0;
	assert_false(run(&tb, 1));
	assert_int_equal(registers[RCX].value, 0);
}

/* CPUID, and what comes after it. */
static int ring_here(void)
{
	struct qemu_plugin_tb tb;

	translate(&tb, "\x0f\xa2", 2, 2);
	registers[RAX].value = DOORBELL_LEAF;
	assert_false(run(&tb, 0));
	registers[RAX].value = 0;
	assert_false(run(&tb, 1));
	return (int)registers[RAX].value;
}

static int ring(const char *line, uint64_t at, uint64_t answer, uint64_t size)
{
	if (is_inside(at, strlen(line) + 1))
		memcpy(memory + at, line, strlen(line) + 1);
	registers[RBX].value = at;
	registers[RCX].value = answer;
	registers[RDX].value = size;
	return ring_here();
}

/* A block that ends with it: the next one, which QEMU translates when it gets there. */
static void test_cpuid_at_the_end_of_a_page(void **state)
{
	struct qemu_plugin_tb tb = { .insns = { { .address = CODE + 0x200, .size = 2 } },
				     .count = 1 };

	(void)state;
	memcpy(memory + CODE + 0x200, "\x0f\xa2\x90", 3);
	on_translate(&tb, NULL);
	registers[RAX].value = 1;
	assert_false(run(&tb, 0));
	tb = (struct qemu_plugin_tb){ .insns = { { .address = CODE + 0x202, .size = 1 } },
				      .count = 1 };
	on_translate(&tb, NULL);
	registers[RCX].value = 0;
	assert_false(run(&tb, 0));
	assert_int_equal(registers[RCX].value, 1U << 5);
}

static void test_doorbell(void **state)
{
	(void)state;
	set_kernel(false);
	assert_int_equal(ring("status", LINE, ANSWER, 4096), 0);
	assert_non_null(strstr((char *)memory + ANSWER, "version 1.5.06\n"));
	assert_int_equal(ring("fail step=install", LINE, ANSWER, 4096), 0);
	assert_int_equal(ring("fail none", LINE, ANSWER, 4096), 0);
	assert_int_equal(ring("stall 21 1us", LINE, ANSWER, 4096), 0);
	assert_int_equal(ring("stall 21 0", LINE, ANSWER, 4096), 0);
	assert_int_equal(ring("stall 21", LINE, ANSWER, 4096), -EINVAL);
	assert_int_equal(ring("nonsense", LINE, ANSWER, 4096), -ENOENT);
	assert_string_equal((char *)memory + ANSWER, "error ENOENT no such command\n");
	assert_int_equal(ring("", LINE, ANSWER, 4096), -ENOENT);
}

static void test_doorbell_of_a_hostile_guest(void **state)
{
	(void)state;
	set_kernel(false);
	assert_int_equal(ring("status", MEMORY_BYTES, ANSWER, 4096), -EFAULT);
	assert_int_equal(ring("status", ~0ULL, ANSWER, 4096), -EFAULT);
	assert_int_equal(ring("status", LINE, ~0ULL - 8, 4096), -EFAULT);
	assert_int_equal(ring("status", LINE, MEMORY_BYTES - 8, 4096), -EFAULT);
	assert_int_equal(ring("status", LINE, ANSWER, 0), -EINVAL);
	assert_int_equal(ring("status", LINE, ANSWER, ~0ULL), 0);
	memset(memory + LINE, 'x', MEMORY_BYTES - LINE);
	registers[RBX].value = LINE;
	assert_int_equal(ring_here(), -E2BIG);
	registers[RBX].value = MEMORY_BYTES - 16;
	assert_int_equal(ring_here(), -EFAULT);
}

static void *call_at_random(void *userdata)
{
	unsigned int seed = (unsigned int)(uintptr_t)userdata, i;
	struct machine_call call;
	uint64_t *operand;
	char answer[4096];

	for (i = 0; i < 20000; i++) {
		call.rax = (uint64_t)rand_r(&seed) % 128;
		if (!(rand_r(&seed) % 16))
			call.rax =
				(uint64_t)rand_r(&seed) << 40 | (uint64_t)rand_r(&seed);
		for (operand = &call.rcx; operand <= &call.r12; operand++)
			*operand = rand_r(&seed) % 2
					   ? (uint64_t)(rand_r(&seed) % 300) << 12
					   : (uint64_t)rand_r(&seed)
						     << (rand_r(&seed) % 34);
		machine_seamcall((unsigned int)rand_r(&seed) % 6, &call);
		if (!(i % 500))
			machine_command("tdr list", answer, sizeof(answer));
	}

	return NULL;
}

/* All vCPUs, and a seventh that is not there, with anything. */
static void test_calls_at_random_from_everywhere(void **state)
{
	pthread_t threads[8];
	uintptr_t i;

	(void)state;
	for (i = 0; i < 8; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, call_at_random, (void *)i), 0);
	for (i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_seamcall_where_there_is_none, set_up),
		cmocka_unit_test_setup(test_seamcall_answers, set_up),
		cmocka_unit_test_setup(test_msrs, set_up),
		cmocka_unit_test_setup(test_cr4_without_vmxe, set_up),
		cmocka_unit_test_setup(test_movdir64b, set_up),
		cmocka_unit_test_setup(test_cpuid, set_up),
		cmocka_unit_test_setup(test_cpuid_at_the_end_of_a_page, set_up),
		cmocka_unit_test_setup(test_doorbell, set_up),
		cmocka_unit_test_setup(test_doorbell_of_a_hostile_guest, set_up),
		cmocka_unit_test_setup(test_calls_at_random_from_everywhere, set_up),
	};
	struct qemu_info info = { .system = { .smp_vcpus = 4 } };

	if (qemu_plugin_install(0, &info, 0, NULL))
		return 1;
	allowed = QEMU_PLUGIN_CB_R_REGS;
	on_init(0, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
