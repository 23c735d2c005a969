// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Registers and memory of a vCPU, in plain values. QEMU hands them out in arrays of
 * GLib's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qemu-plugin-api.h"
#include "vcpu.h"

static const char *const names[_VCPU_REGISTER_MAX] = {
	"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8",
	"r9",  "r10", "r11", "r12", "r13", "r14", "r15", "cs",
};

static __thread struct qemu_plugin_register *handles[_VCPU_REGISTER_MAX];

static void free_bytes(void *bytes)
{
	g_byte_array_free(bytes, TRUE);
}

/* One for each thread: every instruction of ours takes several. */
static GByteArray *emptied(void)
{
	static GPrivate scratch = G_PRIVATE_INIT(free_bytes);
	GByteArray *bytes = g_private_get(&scratch);

	if (!bytes) {
		bytes = g_byte_array_new();
		g_private_set(&scratch, bytes);
	}
	g_byte_array_set_size(bytes, 0);

	return bytes;
}

void vcpu_find_registers(void)
{
	GArray *list = qemu_plugin_get_registers();
	const struct qemu_plugin_reg_descriptor *found;
	unsigned int i, which;

	for (i = 0; i < list->len; i++) {
		found = (void *)(list->data + (size_t)i * g_array_get_element_size(list));
		for (which = 0; which < _VCPU_REGISTER_MAX; which++)
			if (!strcmp(found->name, names[which]))
				handles[which] = found->handle;
	}
	g_array_free(list, TRUE);

	for (which = 0; which < _VCPU_REGISTER_MAX; which++)
		if (!handles[which]) {
			fprintf(stderr, "tdx-cpu: QEMU has no register %s\n",
				names[which]);
			exit(1);
		}
}

uint64_t vcpu_get(enum vcpu_register which)
{
	GByteArray *bytes = emptied();
	uint64_t value = 0;

	qemu_plugin_read_register(handles[which], bytes);
	memcpy(&value, bytes->data, bytes->len < 8 ? bytes->len : 8);

	return value;
}

void vcpu_set(enum vcpu_register which, uint64_t value)
{
	GByteArray *bytes = emptied();

	g_byte_array_append(bytes, (const guint8 *)&value, sizeof(value));
	qemu_plugin_write_register(handles[which], bytes);
}

bool vcpu_is_kernel(void)
{
	return !(vcpu_get(CS) & 3);
}

bool vcpu_read(uint64_t address, void *ret, size_t count)
{
	GByteArray *bytes = emptied();

	if (!qemu_plugin_read_memory_vaddr(address, bytes, count) || bytes->len < count)
		return false;
	memcpy(ret, bytes->data, count);

	return true;
}

bool vcpu_write(uint64_t address, const void *from, size_t count)
{
	GByteArray *bytes = emptied();

	g_byte_array_append(bytes, from, (guint)count);
	return qemu_plugin_write_memory_vaddr(address, bytes);
}

bool bus_read(uint64_t address, void *ret, size_t count)
{
	GByteArray *bytes = emptied();

	if (qemu_plugin_read_memory_hwaddr(address, bytes, count) || bytes->len < count)
		return false;
	memcpy(ret, bytes->data, count);

	return true;
}

bool bus_write(uint64_t address, const void *from, size_t count)
{
	GByteArray *bytes = emptied();

	g_byte_array_append(bytes, from, (guint)count);
	return !qemu_plugin_write_memory_hwaddr(address, bytes);
}
