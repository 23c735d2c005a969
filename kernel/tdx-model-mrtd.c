// SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later
/*
 * MRTD is the SHA-384 of one stream of bytes, appended to by MEM.PAGE.ADD and MR.EXTEND
 * in the order in which the host makes these calls. This file says which bytes.
 */
#include "tdx-model-internal.h"

#define RECORD_BYTES 128
#define CHUNK_BYTES  256

static void add_record(struct tdx_port_sha384 *hash, const char *name, u64 gpa)
{
	u8 record[RECORD_BYTES] = { 0 };
	unsigned int i;

	memcpy(record, name, strlen(name));
	for (i = 0; i < 8; i++)
		record[16 + i] = (u8)(gpa >> (8 * i));

	tdx_port_sha384_add(hash, record, sizeof(record));
}

/* What the page holds is not measured; that is what MR.EXTEND is for. */
void tdx_model_mrtd_add_page(struct tdx_port_sha384 *hash, u64 gpa)
{
	add_record(hash, "MEM.PAGE.ADD", gpa);
}

void tdx_model_mrtd_extend(struct tdx_port_sha384 *hash, u64 gpa, const u8 content[256])
{
	add_record(hash, "MR.EXTEND", gpa);
	tdx_port_sha384_add(hash, content, CHUNK_BYTES);
}
