// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Instructions as assemblers write them, cut off, and bytes that are anything.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "decode.h"

static void test_knows_instructions(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
		struct instruction wanted;
	} rows[] = {
		{ "\x66\x0f\x01\xcf", 4, { INSTRUCTION_SEAMCALL, 4, 0, 0 } },
		{ "\x0f\x01\xc4", 3, { INSTRUCTION_VMXOFF, 3, 0, 0 } },
		{ "\xf3\x0f\xc7\x75\xf0", 5, { INSTRUCTION_VMXON, 5, 0, 0 } },
		{ "\xf3\x0f\xc7\x34\x24", 5, { INSTRUCTION_VMXON, 5, 0, 0 } },
		{ "\xf3\x41\x0f\xc7\xb6\x01\x02\x03\x04",
		  9,
		  { INSTRUCTION_VMXON, 9, 0, 0 } },
		{ "\xf3\x0f\xc7\x35\x01\x02\x03\x04", 8, { INSTRUCTION_VMXON, 8, 0, 0 } },
		{ "\xf3\x0f\xc7\x34\x25\x01\x02\x03\x04",
		  9,
		  { INSTRUCTION_VMXON, 9, 0, 0 } },
		{ "\x66\x0f\x38\x80\x04\x24", 6, { INSTRUCTION_INVALIDATE, 6, 0, 0 } },
		{ "\x66\x0f\x38\x81\x4c\x24\x08",
		  7,
		  { INSTRUCTION_INVALIDATE, 7, 0, 0 } },
		{ "\x66\x0f\x38\xf8\x02", 5, { INSTRUCTION_MOVDIR64B, 5, 0, 2 } },
		{ "\x66\x45\x0f\x38\xf8\x0a", 6, { INSTRUCTION_MOVDIR64B, 6, 9, 10 } },
		{ "\x0f\x22\xe0", 3, { INSTRUCTION_MOV_TO_CR4, 3, 0, 0 } },
		{ "\x41\x0f\x22\xe4", 4, { INSTRUCTION_MOV_TO_CR4, 4, 12, 0 } },
		{ "\x0f\xa2", 2, { INSTRUCTION_CPUID, 2, 0, 0 } },
		{ "\x0f\x32", 2, { INSTRUCTION_RDMSR, 2, 0, 0 } },
		/* None of ours: SEAMRET, XRSTOR, VMCLEAR, CR0, CR8, GETSEC, a register.
		 */
		{ "\x66\x0f\x01\xcd", 4, { 0 } },
		{ "\x0f\x01\xcf", 3, { 0 } },
		{ "\xf3\x0f\x01\xcf", 4, { 0 } },
		{ "\x0f\xc7\x74\x24\x08", 5, { 0 } },
		{ "\x66\x0f\xc7\x74\x24\x08", 6, { 0 } },
		{ "\xf3\x0f\xc7\xf0", 4, { 0 } },
		{ "\x0f\x22\xc0", 3, { 0 } },
		{ "\x44\x0f\x22\xe0", 4, { 0 } },
		{ "\x66\x0f\x38\xf8\x42\x08", 6, { 0 } },
		{ "\x66\x0f\x38\x80\xc0", 5, { 0 } },
		{ "\x0f\x37", 2, { 0 } },
		{ "\x90", 1, { 0 } },
	};
	struct instruction got;
	size_t i, size;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		got = instruction_decode((const uint8_t *)rows[i].bytes, rows[i].size);
		if (memcmp(&got, &rows[i].wanted, sizeof(got)))
			fail_msg("row %zu: kind %d length %u reg %u base %u", i, got.kind,
				 got.length, got.reg, got.base);
		/* Cut off anywhere it is nothing. */
		for (size = 0; size < rows[i].wanted.length; size++)
			assert_int_equal(
				instruction_decode((const uint8_t *)rows[i].bytes, size)
					.kind,
				INSTRUCTION_OTHER);
	}
}

static void test_knows_the_jump_behind_a_call(void **state)
{
	int64_t target = 0;

	(void)state;
	assert_int_equal(instruction_jc((const uint8_t *)"\x72\xfe", 2, &target), 2);
	assert_int_equal(target, 0);
	assert_int_equal(
		instruction_jc((const uint8_t *)"\x0f\x82\x10\0\0\x80", 6, &target), 6);
	assert_int_equal(target, 6 + 0x10 - 0x80000000LL);
	assert_int_equal(instruction_jc((const uint8_t *)"\x0f\x82\x10\0\0", 5, &target),
			 0);
	assert_int_equal(instruction_jc((const uint8_t *)"\x73\x10", 2, &target), 0);
	assert_int_equal(instruction_jc((const uint8_t *)"", 0, &target), 0);
}

/* Each in memory of its own, so that a sanitizer sees one byte too many. */
static void test_any_bytes(void **state)
{
	struct instruction got;
	uint8_t *bytes;
	size_t i, j, size;

	(void)state;
	srand(1);
	for (i = 0; i < 200000; i++) {
		size = (size_t)rand() % (INSTRUCTION_BYTES_MAX + 1);
		bytes = malloc(size ? size : 1);
		for (j = 0; j < size; j++)
			bytes[j] =
				(uint8_t)(rand() % 3 ? "\x66\xf3\x0f\x41\x01\x38\xc7\x22"
							       [rand() % 8]
						     : rand());
		got = instruction_decode(bytes, size);
		assert_true(got.length <= size);
		assert_true(got.kind ? got.length >= 2 : !got.length);
		free(bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_knows_instructions),
		cmocka_unit_test(test_knows_the_jump_behind_a_call),
		cmocka_unit_test(test_any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
