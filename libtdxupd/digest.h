/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DIGEST_H
#define DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tdxupd.h"

#define DIGEST_RSA_BYTES 384 /* RSA-3072: modulus and signature */

/*
 * Before anything else, by a program of our own: the process's OpenSSL loads neither
 * openssl.cnf, which has no say in who signed an image, nor the texts of its errors,
 * which nobody reads: half a megabyte of a process that lives for months. A library must
 * not decide that for others.
 */
void digest_be_lean(void);

/* Return: 0, -EINVAL, -ENOMEM. */
int digest_sha384(const void *bytes, size_t count, struct tdxupd_digest *ret);

/*
 * The same in two steps, for whoever has most of the bytes well before the rest, and is
 * in a hurry then. Return: 0; -ENOMEM.
 */
struct digest_state;
int digest_begin(const void *bytes, size_t count, struct digest_state **ret);
/* Once. */
int digest_end(struct digest_state *state, const void *bytes, size_t count,
	       struct tdxupd_digest *ret);
struct digest_state *digest_state_free(struct digest_state *state);

/*
 * Whether @signature is the RSA-3072 PKCS#1 v1.5 SHA-384 signature of @bytes. Modulus and
 * signature are little endian, as SIGSTRUCT stores them. A key that is none (an even
 * modulus, a short one) signs nothing: the answer is false, not an error.
 * Return: 0 and the answer; -EINVAL; -ENOMEM.
 */
int digest_verify_rsa(const uint8_t *modulus, uint32_t exponent, const uint8_t *signature,
		      const void *bytes, size_t count, bool *ret_is_valid);

#endif
