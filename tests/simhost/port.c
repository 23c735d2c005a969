// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The model's surroundings in userspace: memory, OpenSSL's SHA-384, RSA and random bytes.
 * sim.c has the same for the kernel.
 */
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>

#include "tdx-model-port.h"

struct tdx_port_sha384 {
	EVP_MD_CTX *context;
};

void *tdx_port_alloc(size_t bytes)
{
	return calloc(1, bytes);
}

void tdx_port_free(void *memory)
{
	free(memory);
}

/* OpenSSL fails these only for lack of memory, after which a simulation has no use. */
static void must(int result)
{
	if (result != 1)
		abort();
}

int tdx_port_sha384_new(struct tdx_port_sha384 **ret)
{
	struct tdx_port_sha384 *sha = calloc(1, sizeof(*sha));

	if (!sha)
		return -ENOMEM;
	sha->context = EVP_MD_CTX_new();
	if (!sha->context) {
		free(sha);
		return -ENOMEM;
	}

	*ret = sha;
	return 0;
}

void tdx_port_sha384_free(struct tdx_port_sha384 *sha)
{
	if (sha)
		EVP_MD_CTX_free(sha->context);
	free(sha);
}

void tdx_port_sha384_start(struct tdx_port_sha384 *sha)
{
	must(EVP_DigestInit_ex(sha->context, EVP_sha384(), NULL));
}

void tdx_port_sha384_add(struct tdx_port_sha384 *sha, const void *bytes, size_t count)
{
	must(EVP_DigestUpdate(sha->context, bytes, count));
}

void tdx_port_sha384_finish(struct tdx_port_sha384 *sha, u8 ret[TDX_PORT_SHA384_BYTES])
{
	must(EVP_DigestFinal_ex(sha->context, ret, NULL));
}

int tdx_port_rsa_public(const u8 *modulus, u32 exponent, const u8 *in, u8 *ret)
{
	BN_CTX *context = BN_CTX_new();
	BIGNUM *n = BN_bin2bn(modulus, TDX_PORT_RSA_BYTES, NULL);
	BIGNUM *x = BN_bin2bn(in, TDX_PORT_RSA_BYTES, NULL);
	BIGNUM *e = BN_new();
	int result = -EBADMSG;

	if (!context || !n || !x || !e || !BN_set_word(e, exponent)) {
		result = -ENOMEM;
	} else if (BN_is_odd(n) && BN_cmp(x, n) < 0 && BN_mod_exp(x, x, e, n, context) &&
		   BN_bn2binpad(x, ret, TDX_PORT_RSA_BYTES) == TDX_PORT_RSA_BYTES) {
		result = 0;
	}

	BN_free(e);
	BN_free(x);
	BN_free(n);
	BN_CTX_free(context);
	return result;
}

void tdx_port_random(void *ret, size_t count)
{
	must(RAND_bytes(ret, (int)count));
}
