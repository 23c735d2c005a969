// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Commands of a guest: out of its memory, to the machine, and the answer back.
 */
#include "doorbell.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "machine.h"
#include "vcpu.h"

/* Byte by byte, as the next page may not be there. */
static int read_line(uint64_t address, char ret[DOORBELL_LINE_BYTES])
{
	size_t i;

	for (i = 0; i < DOORBELL_LINE_BYTES; i++) {
		if (!vcpu_read(address + i, ret + i, 1))
			return -EFAULT;
		if (!ret[i])
			return 0;
	}

	return -E2BIG;
}

int doorbell_ring(void)
{
	static __thread char text[DOORBELL_ANSWER_BYTES];
	char line[DOORBELL_LINE_BYTES];
	uint64_t size = vcpu_get(RDX);
	int ret = read_line(vcpu_get(RBX), line), error;

	if (ret)
		return ret;
	if (size > sizeof(text))
		size = sizeof(text);
	if (size < 256)
		return -EINVAL;
	error = machine_command(line, text, size);
	if (!vcpu_write(vcpu_get(RCX), text, strlen(text) + 1))
		return -EFAULT;

	return error;
}
