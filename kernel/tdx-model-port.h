/* SPDX-License-Identifier: GPL-2.0-only OR LGPL-2.1-or-later */
/*
 * What the simulated TDX machine needs of its surroundings. sim.c implements it with the
 * kernel's crypto API, tests/simhost/port.c with OpenSSL; the model itself is the same
 * source in both.
 *
 * All of these may sleep. The model calls none of them from tdx_model_update_step(),
 * which runs under stop_machine().
 */
#ifndef TDX_MODEL_PORT_H
#define TDX_MODEL_PORT_H

#ifdef __KERNEL__
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/stdarg.h>
#include <linux/string.h>
#include <linux/types.h>
#else
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* The kernel's names, and its idea that 64 bits print with %llx everywhere. */
typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef unsigned long long u64;
#endif

#define TDX_PORT_SHA384_BYTES 48
#define TDX_PORT_RSA_BYTES    384

/* Zeroed memory of any size, or NULL; free takes NULL. */
void *tdx_port_alloc(size_t bytes);
void tdx_port_free(void *memory);

/* One running hash. start() forgets all that was added, as often as wanted. */
struct tdx_port_sha384;

int tdx_port_sha384_new(struct tdx_port_sha384 **ret);
void tdx_port_sha384_free(struct tdx_port_sha384 *sha);
void tdx_port_sha384_start(struct tdx_port_sha384 *sha);
void tdx_port_sha384_add(struct tdx_port_sha384 *sha, const void *bytes, size_t count);
void tdx_port_sha384_finish(struct tdx_port_sha384 *sha, u8 ret[TDX_PORT_SHA384_BYTES]);

/*
 * The raw public operation, @ret = @in ^ @exponent mod @modulus, all of
 * TDX_PORT_RSA_BYTES and big endian. -EBADMSG where the numbers are no RSA (even modulus,
 * @in not below it).
 */
int tdx_port_rsa_public(const u8 *modulus, u32 exponent, const u8 *in, u8 *ret);

void tdx_port_random(void *ret, size_t count);

#endif
