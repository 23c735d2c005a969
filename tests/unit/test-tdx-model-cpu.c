// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The simulated machine with memory and a host kernel of its own, which starts it,
 * updates it and calls it in every wrong way.
 */
#include "tdx-model-test.h"

#include <stdlib.h>

#define MEMORY_BYTES (4ULL << 20)
#define PARAMS       0x1000ULL
#define INFO         0x2100ULL
#define SIGSTRUCT    0x4000ULL
#define MODULE       0x10000ULL

struct machine {
	struct tdx_model *model;
	u8 *memory;
};

static bool is_inside(u64 address, size_t count)
{
	return address < MEMORY_BYTES && count <= MEMORY_BYTES - address;
}

static bool read_memory(void *userdata, u64 address, void *ret, size_t count)
{
	struct machine *machine = userdata;

	if (!is_inside(address, count))
		return false;
	memcpy(ret, machine->memory + address, count);
	return true;
}

static bool write_memory(void *userdata, u64 address, const void *bytes, size_t count)
{
	struct machine *machine = userdata;

	if (!is_inside(address, count))
		return false;
	memcpy(machine->memory + address, bytes, count);
	return true;
}

static int set_up(void **state)
{
	static const struct tdx_model_hooks hooks = { .read_memory = read_memory,
						      .write_memory = write_memory };
	struct tdxupd_digest signer = testimage_signer(TESTIMAGE_KEY_TRUSTED);
	struct machine *machine = calloc(1, sizeof(*machine));
	char line[128] = "trust ";

	machine->memory = calloc(1, MEMORY_BYTES);
	assert_int_equal(tdx_model_new(LPS, &hooks, machine, &machine->model), 0);
	tdxupd_digest_format(&signer, line + strlen(line));
	tell(machine->model, line);
	tdx_model_power_on(machine->model);
	*state = machine;
	return 0;
}

static int tear_down(void **state)
{
	struct machine *machine = *state;

	tdx_model_free(machine->model);
	free(machine->memory);
	free(machine);
	return 0;
}

static u64 ask(struct machine *machine, unsigned lp, u64 rax, struct tdx_model_regs *regs)
{
	return tdx_model_cpu_seamcall(machine->model, lp, rax, regs);
}

static u64 ask3(struct machine *machine, unsigned lp, u64 rax, u64 rcx, u64 rdx, u64 r8)
{
	struct tdx_model_regs regs = { .rcx = rcx, .rdx = rdx, .r8 = r8 };

	return ask(machine, lp, rax, &regs);
}

/* What Linux does with a module that nobody has called yet (tdx.c: init_tdx_module()). */
static void bring_up(struct machine *machine)
{
	struct tdx_model_regs regs = { .rcx = 1ULL << 30 };
	unsigned lp;

	assert_int_equal(ask3(machine, 0, TDH_SYS_RD, 0, TDX_FIELD_FEATURES0, 0),
			 TDX_SYS_LP_INIT_NOT_DONE);
	assert_int_equal(ask3(machine, 0, TDH_SYS_INIT, 0, 0, 0), 0);
	assert_int_equal(ask3(machine, 0, TDH_SYS_LP_INIT, 0, 0, 0), 0);
	assert_int_equal(ask3(machine, 0, TDH_SYS_CONFIG, 0x1000, 1, 64),
			 TDX_SYS_CONFIG_NOT_PENDING);
	for (lp = 1; lp < LPS; lp++)
		assert_int_equal(ask3(machine, lp, TDH_SYS_LP_INIT, 0, 0, 0), 0);
	assert_int_equal(ask3(machine, 0, TDH_SYS_CONFIG, 0x1001, 1, 64),
			 TDX_OPERAND_INVALID | 1);
	assert_int_equal(ask3(machine, 0, TDH_SYS_CONFIG, 0x1000, 65, 64),
			 TDX_OPERAND_INVALID | 2);
	assert_int_equal(ask3(machine, 0, TDH_SYS_CONFIG, 0x1000, 1, 63),
			 TDX_OPERAND_INVALID | 8);
	assert_int_equal(ask3(machine, 0, TDH_SYS_CONFIG, 0x1000, 1, 64), 0);
	assert_int_equal(ask3(machine, 0, TDH_SYS_KEY_CONFIG, 0, 0, 0), 0);
	if (machine->model->package_count == 2) {
		assert_int_equal(ask3(machine, 0, TDH_SYS_TDMR_INIT, 0, 0, 0),
				 TDX_SYS_NOT_READY);
		assert_int_equal(ask3(machine, 1, TDH_SYS_KEY_CONFIG, 0, 0, 0),
				 TDX_KEY_CONFIGURED);
		assert_int_equal(ask3(machine, 3, TDH_SYS_KEY_CONFIG, 0, 0, 0), 0);
	}
	assert_int_equal(ask(machine, 0, TDH_SYS_TDMR_INIT, &regs), 0);
	assert_true(regs.rdx > 64ULL << 30);
}

static void test_comes_up_as_linux_does_it(void **state)
{
	struct machine *machine = *state;

	bring_up(machine);
	tell(machine->model, "set cpu=C06F2,0xC06F2");
	tdx_model_power_on(machine->model);
	bring_up(machine);
}

static void test_tells_of_the_loader_in_memory(void **state)
{
	struct machine *machine = *state;

	assert_int_equal(ask3(machine, 0, SEAMLDR_INFO, INFO, 0, 0), 0);
	assert_int_equal(machine->memory[INFO + 18], 5);
	assert_int_equal(machine->memory[INFO + 28], 14);
	assert_int_equal(ask3(machine, 0, SEAMLDR_INFO, INFO + 8, 0, 0),
			 SEAMLDR_EBADPARAM);
	assert_int_equal(ask3(machine, 0, SEAMLDR_INFO, MEMORY_BYTES, 0, 0),
			 SEAMLDR_EBADPARAM);
	assert_int_equal(ask3(machine, 0, SEAMLDR_INFO, ~0ULL << 8, 0, 0),
			 SEAMLDR_EBADPARAM);
	assert_int_equal(ask3(machine, 0, SEAMLDR_INFO | 2, 0, 0, 0), SEAMLDR_EBADCALL);
}

/* As Linux's seamldr.c lays an image out, but in pages that are in no order. */
static void lay_out(struct machine *machine, const char *version, uint16_t ctx)
{
	struct testimage_spec spec = spec_of(version, ctx);
	struct tdx_model_params params = { .scenario = TDX_MODEL_SCENARIO_UPDATE,
					   .sigstruct = SIGSTRUCT };
	uint8_t *bytes;
	size_t size, i;

	assert_int_equal(testimage_build(&spec, &bytes, &size), 0);
	memcpy(machine->memory + SIGSTRUCT, bytes + 4096, 4096);
	params.page_count = size / 4096 - 2;
	for (i = 0; i < params.page_count; i++) {
		params.pages[i] = MODULE + (params.page_count - 1 - i) * 4096;
		memcpy(machine->memory + params.pages[i], bytes + (2 + i) * 4096, 4096);
	}
	memcpy(machine->memory + PARAMS, &params, sizeof(params));
	free(bytes);
}

static u64 install_from(struct machine *machine, u64 address)
{
	u64 status = 0;
	unsigned lp;

	assert_int_equal(ask3(machine, 0, TDH_SYS_SHUTDOWN, 0, 0, 0), 0);
	for (lp = 0; lp < LPS; lp++)
		status = ask3(machine, lp, SEAMLDR_INSTALL, address, 0, 0);

	return status;
}

static void test_installs_from_memory(void **state)
{
	struct machine *machine = *state;
	struct tdx_model_regs regs = { .rdx = TDX_FIELD_UPDATE_VERSION };
	unsigned lp;

	bring_up(machine);
	lay_out(machine, "1.5.16", 7);
	assert_int_equal(install_from(machine, PARAMS), 0);
	assert_int_equal(ask3(machine, 0, TDH_SYS_INIT, 0, 0, 0), 0);
	for (lp = 0; lp < LPS; lp++)
		assert_int_equal(ask3(machine, lp, TDH_SYS_LP_INIT, 0, 0, 0), 0);
	assert_int_equal(ask3(machine, 0, TDH_SYS_UPDATE, 0, 0, 0), 0);
	assert_int_equal(ask(machine, 0, TDH_SYS_RD, &regs), 0);
	assert_int_equal(regs.r8, 16);
}

/* None of these is an image; the old module is there, for good in SHUTDOWN. */
static void test_bad_parameters_are_refused(void **state)
{
	static const struct {
		size_t offset;
		u64 value;
		u64 address;
	} rows[] = {
		{ 0, 1, PARAMS }, /* version */
		{ 4, 2, PARAMS }, /* scenario */
		{ 8, SIGSTRUCT + 1, PARAMS },
		{ 8, MEMORY_BYTES, PARAMS },
		{ 8, ~0ULL << 12, PARAMS },
		{ 16, 1, PARAMS },
		{ 112, 1ULL << 63, PARAMS },
		{ 120, 0, PARAMS },
		{ 120, 497, PARAMS },
		{ 120, ~0ULL, PARAMS },
		{ 128, MODULE + 8, PARAMS },
		{ 128, 1ULL << 63, PARAMS },
		{ 2048, 0, PARAMS + 8 },
		{ 2048, 0, MEMORY_BYTES },
		{ 2048, 0, ~0ULL },
	};
	struct machine *machine = *state;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		tdx_model_power_on(machine->model);
		bring_up(machine);
		lay_out(machine, "1.5.16", 7);
		memcpy(machine->memory + PARAMS + rows[i].offset, &rows[i].value,
		       rows[i].offset < 8 ? 4 : 8);
		if (install_from(machine, rows[i].address) != SEAMLDR_EBADPARAM)
			fail_msg("row %zu was taken", i);
		assert_int_equal(ask3(machine, 0, TDH_SYS_RD, 0, 0, 0), TDX_SYS_SHUTDOWN);
	}
}

static u64 number(u64 *seed)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return *seed >> 20;
}

/* Bits of SEAMLDR_PARAMS at random: it is refused or it is the image. */
static void test_any_parameters_are_survived(void **state)
{
	struct machine *machine = *state;
	u64 seed = 1, taken = 0, i;
	unsigned flips;

	for (i = 0; i < 100; i++) {
		tdx_model_power_on(machine->model);
		bring_up(machine);
		lay_out(machine, "1.5.16", 7);
		for (flips = 1 + number(&seed) % 3; flips; flips--)
			machine->memory[PARAMS + number(&seed) % 4096] ^=
				1U << number(&seed) % 8;
		taken += !install_from(machine, PARAMS);
	}
	/* Those beyond the last page's address are not looked at. */
	assert_true(taken > 0 && taken < 100);
}

static void test_any_call_is_answered(void **state)
{
	static const u64 addresses[] = { 0,       1,          0x1000,      0x10000,
					 0x90000, 1ULL << 45, ~0ULL << 12, ~0ULL };
	struct machine *machine = *state;
	struct tdx_model_regs regs;
	u64 seed = 2, i, rax, status, *operand;
	size_t n;

	bring_up(machine);
	for (i = 0; i < 100000; i++) {
		rax = number(&seed) % 256;
		if (rax == TDH_SYS_DISABLE || rax == TDH_SYS_SHUTDOWN)
			continue;
		rax |= number(&seed) % 4 ? 0 : number(&seed) % 3 << 16;
		rax |= number(&seed) % 64 ? 0 : 1ULL << 63;
		for (operand = &regs.rcx; operand <= &regs.r12; operand++) {
			n = number(&seed) % (sizeof(addresses) / sizeof(addresses[0]));
			*operand =
				number(&seed) % 4 ? addresses[n] : 64 + number(&seed) % 8;
		}
		status = ask(machine, number(&seed) % (LPS + 1), rax, &regs);
		/* Success, a warning, or an error: nothing else has these bits. */
		assert_true(status >> 63 || !(status >> 61));
	}
}

static void test_faults_are_for_this_cpu_too(void **state)
{
	struct machine *machine = *state;

	bring_up(machine);
	tell(machine->model, "fail step=shutdown");
	assert_int_equal(ask3(machine, 0, TDH_SYS_SHUTDOWN, 0, 0, 0), TDX_SYS_BUSY);
	lay_out(machine, "1.5.16", 7);
	tell(machine->model, "fail step=install lp=3");
	assert_int_equal(install_from(machine, PARAMS), SEAMLDR_EUNSPECERR);
	/* It never called. */
	assert_int_equal(ask3(machine, 0, TDH_SYS_RD, 0, 0, 0),
			 TDX_SEAMCALL_VMFAILINVALID);
}

static void test_sees_an_update_inside_a_build(void **state)
{
	struct machine *machine = *state;
	char answer[1024];

	tdx_model_reboot(machine->model);
	tell(machine->model, "td build a manual");
	tell(machine->model, "td step a page-add");
	lay_out(machine, "1.5.16", 7);
	assert_int_equal(install_from(machine, PARAMS), 0);
	assert_int_equal(ask3(machine, 0, TDH_SYS_INIT, 0, 0, 0), 0);
	for (unsigned lp = 0; lp < LPS; lp++)
		assert_int_equal(ask3(machine, lp, TDH_SYS_LP_INIT, 0, 0, 0), 0);
	assert_int_equal(ask3(machine, 0, TDH_SYS_UPDATE, 0, 0, 0), 0);
	tell(machine->model, "td step a finalize");
	tell(machine->model, "td build b manual");
	tell(machine->model, "td step b finalize");
	assert_int_equal(
		tdx_model_command(machine->model, "tdr list", answer, sizeof(answer)), 0);
	assert_non_null(
		strstr(answer, "shutdowns 1 in-build 1\nfinalized 2 wrong-mrtd 1\n"));
	assert_non_null(strstr(answer, "hkid=65 runnable wrong mrtd="));
	assert_non_null(strstr(answer, "hkid=66 runnable right mrtd="));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_comes_up_as_linux_does_it, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_tells_of_the_loader_in_memory,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_installs_from_memory, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_bad_parameters_are_refused, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_any_parameters_are_survived, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_any_call_is_answered, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_faults_are_for_this_cpu_too, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_sees_an_update_inside_a_build,
						set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
