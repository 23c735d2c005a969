// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The functions of the patched kernel that decide over an update, taken out of its source
 * (patched.inc) and run with what they call played here: when the flag is passed, what
 * each answer of the module becomes, what is refused before the shutdown.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef uint64_t u64;
typedef uint32_t u32;
typedef uint8_t u8;

#define BIT_ULL(n) (1ULL << (n))

/* ---- what the functions see of a kernel ---- */

struct tdx_sys_info {
	struct {
		u64 tdx_features0;
	} features;
};

struct tdx_sys_info_handoff {
	uint16_t module_hv;
};

struct tdx_module_args {
	u64 rcx;
};

struct seamldr_info {
	u32 num_remaining_updates;
};

struct fw_upload;

enum fw_upload_err {
	FW_UPLOAD_ERR_NONE,
	FW_UPLOAD_ERR_HW_ERROR,
	FW_UPLOAD_ERR_BUSY,
	FW_UPLOAD_ERR_WEAROUT,
	FW_UPLOAD_ERR_FW_INVALID,
};

#define TDH_SYS_SHUTDOWN 52
#define CPUS             4

static struct tdx_sys_info tdx_sysinfo;
static struct {
	bool initialized;
} tdx_module_state;
static bool tdx_lp_initialized[CPUS];
static unsigned int cpu_present_mask, cpu_online_mask, nr_cpu_ids = CPUS;

static struct {
	int handoff_result, info_result, install_result;
	u64 shutdown_status, shutdown_rcx;
	u32 remaining;
	unsigned int messages;
} machine;

#define per_cpu(variable, cpu)     ((variable)[cpu])
#define for_each_possible_cpu(cpu) for ((cpu) = 0; (cpu) < CPUS; (cpu)++)
#define lockdep_assert_cpus_held() ((void)0)
#define pr_err(...)                ((void)machine.messages++)

static unsigned int cpumask_first_andnot(unsigned int a, unsigned int b)
{
	unsigned int left = a & ~b;

	return left ? (unsigned int)__builtin_ctz(left) : nr_cpu_ids;
}

static int get_tdx_sys_info_handoff(struct tdx_sys_info_handoff *ret)
{
	ret->module_hv = 3;
	return machine.handoff_result;
}

static u64 seamcall(u64 leaf, struct tdx_module_args *args)
{
	if (leaf != TDH_SYS_SHUTDOWN)
		return BIT_ULL(63);

	machine.shutdown_rcx = args->rcx;
	return machine.shutdown_status;
}

static void seamcall_err(u64 leaf, u64 status, struct tdx_module_args *args)
{
	(void)leaf, (void)status, (void)args;
	machine.messages++;
}

static int seamldr_get_info(struct seamldr_info *ret)
{
	ret->num_remaining_updates = machine.remaining;
	return machine.info_result;
}

static int seamldr_install_module(const u8 *data, u32 size)
{
	(void)data, (void)size;
	return machine.install_result;
}

#include "patched.inc"

/* ---- the cases ---- */

static int failures;

static void expect(bool is_right, const char *format, ...)
{
	va_list arguments;

	if (is_right)
		return;

	failures++;
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
}

static void test_shutdown(void)
{
	static const struct {
		u64 features0, status, rcx;
		int handoff_result, result;
		unsigned int messages;
	} table[] = {
		/* the flag is passed to a module with the bit, and to no other */
		{ BIT_ULL(47), 0, 0x10003, 0, 0, 0 },
		{ ~BIT_ULL(47), 0, 3, 0, 0, 0 },
		{ 0x226f3f0fbf, 0, 3, 0, 0, 0 },
		/* a refusal because of two TDs, and of a migration, is no cause for alarm
		 */
		{ BIT_ULL(47), 0x8000051200020000, 0x10003, 0, -EBUSY, 0 },
		{ BIT_ULL(47), 0x8000051200010001, 0x10003, 0, -EBUSY, 0 },
		/* others are, and have their own errno */
		{ BIT_ULL(47), 0xC000010000000001, 0x10003, 0, -EIO, 1 },
		{ 0, 0x8000020200000000, 3, 0, -EIO, 1 },
		/* no shutdown without a handoff version */
		{ BIT_ULL(47), 0, 0, -EIO, -EIO, 0 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int result;

		memset(&machine, 0, sizeof(machine));
		machine.handoff_result = table[i].handoff_result;
		machine.shutdown_status = table[i].status;
		tdx_sysinfo.features.tdx_features0 = table[i].features0;
		tdx_module_state.initialized = true;
		memset(tdx_lp_initialized, true, sizeof(tdx_lp_initialized));

		result = tdx_module_shutdown();
		expect(result == table[i].result, "shutdown %zu: %d", i, result);
		expect(machine.shutdown_rcx == table[i].rcx, "shutdown %zu: rcx %llx", i,
		       (unsigned long long)machine.shutdown_rcx);
		expect(machine.messages == table[i].messages, "shutdown %zu: %u messages",
		       i, machine.messages);
		/* only a success may make the kernel forget the module */
		expect(tdx_module_state.initialized == !!result &&
			       tdx_lp_initialized[CPUS - 1] == !!result,
		       "shutdown %zu: module state", i);
	}
}

static void test_preconditions(void)
{
	static const struct {
		unsigned int present, online;
		u32 remaining;
		int info_result, result;
	} table[] = {
		{ 0xf, 0xf, 1, 0, 0 },
		{ 0x7, 0x7, 1, 0, 0 }, /* a slot for a CPU that is not there */
		{ 0xf, 0xe, 1, 0, -EAGAIN },
		{ 0xf, 0x7, 1, 0, -EAGAIN },
		{ 0xf, 0x5, 0, 0, -EAGAIN },
		{ 0xf, 0xf, 0, 0, -ENOSPC },
		{ 0xf, 0xf, 1, -EIO, -EIO },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int result;

		memset(&machine, 0, sizeof(machine));
		machine.remaining = table[i].remaining;
		machine.info_result = table[i].info_result;
		cpu_present_mask = table[i].present;
		cpu_online_mask = table[i].online;

		result = check_update_preconditions();
		expect(result == table[i].result, "preconditions %zu: %d", i, result);
	}
}

static void test_upload_errors(void)
{
	static const struct {
		int result;
		enum fw_upload_err error;
	} table[] = {
		{ 0, FW_UPLOAD_ERR_NONE },
		{ -EBUSY, FW_UPLOAD_ERR_BUSY },
		{ -EAGAIN, FW_UPLOAD_ERR_HW_ERROR },
		{ -ENOSPC, FW_UPLOAD_ERR_WEAROUT },
		{ -EINVAL, FW_UPLOAD_ERR_FW_INVALID },
		{ -EIO, FW_UPLOAD_ERR_FW_INVALID },
		{ -ENODEV, FW_UPLOAD_ERR_FW_INVALID },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		enum fw_upload_err error;
		u32 written = 0;

		machine.install_result = table[i].result;
		error = tdx_fw_write(NULL, NULL, 0, 7, &written);
		expect(error == table[i].error, "upload %zu: %d", i, error);
		expect(written == (table[i].result ? 0 : 7), "upload %zu: %u", i,
		       written);
	}
}

int main(void)
{
	test_shutdown();
	test_preconditions();
	test_upload_errors();
	return failures ? 1 : 0;
}
