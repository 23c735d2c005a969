// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * SHA-384 and RSA signatures, through OpenSSL's EVP. Which key may sign is the policy's.
 */
#include <errno.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "digest.h"
#include "util.h"

DEFINE_CLEANUP(BIGNUM, bignum, BN_free)
DEFINE_CLEANUP(OSSL_PARAM_BLD, param_builder, OSSL_PARAM_BLD_free)
DEFINE_CLEANUP(OSSL_PARAM, params, OSSL_PARAM_free)
DEFINE_CLEANUP(EVP_PKEY_CTX, key_context, EVP_PKEY_CTX_free)
DEFINE_CLEANUP(EVP_PKEY, key, EVP_PKEY_free)
DEFINE_CLEANUP(EVP_MD_CTX, digest_context, EVP_MD_CTX_free)

_public_ int tdxupd_digest_parse(const char *hex, struct tdxupd_digest *ret)
{
	struct tdxupd_digest digest;

	if (!hex || !ret)
		return -EINVAL;
	if (bytes_parse(hex, digest.bytes, sizeof(digest.bytes)) < 0)
		return -EBADMSG;
	*ret = digest;
	return 0;
}

_public_ const char *tdxupd_digest_format(const struct tdxupd_digest *digest, char *ret)
{
	return bytes_format(digest->bytes, sizeof(digest->bytes), ret);
}

_public_ bool tdxupd_digest_is_equal(const struct tdxupd_digest *a,
				     const struct tdxupd_digest *b)
{
	return a && b && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

void digest_be_lean(void)
{
	(void)OPENSSL_init_crypto(
		OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS |
			OPENSSL_INIT_NO_ADD_ALL_CIPHERS | OPENSSL_INIT_NO_ADD_ALL_DIGESTS,
		NULL);
}

int digest_sha384(const void *bytes, size_t count, struct tdxupd_digest *ret)
{
	struct tdxupd_digest digest;

	if ((!bytes && count) || !ret)
		return -EINVAL;
	/* Fails only where OpenSSL finds no memory or no provider to hash with. */
	if (EVP_Digest(bytes, count, digest.bytes, NULL, EVP_sha384(), NULL) != 1) {
		ERR_clear_error();
		return -ENOMEM;
	}
	*ret = digest;
	return 0;
}

struct digest_state {
	EVP_MD_CTX *context;
};

struct digest_state *digest_state_free(struct digest_state *state)
{
	if (state)
		EVP_MD_CTX_free(state->context);
	free(state);
	return NULL;
}

int digest_begin(const void *bytes, size_t count, struct digest_state **ret)
{
	struct digest_state *state = calloc(1, sizeof(*state));

	if (state)
		state->context = EVP_MD_CTX_new();
	if (!state || !state->context ||
	    EVP_DigestInit_ex(state->context, EVP_sha384(), NULL) != 1 ||
	    EVP_DigestUpdate(state->context, bytes, count) != 1) {
		ERR_clear_error();
		digest_state_free(state);
		return -ENOMEM;
	}
	*ret = state;
	return 0;
}

int digest_end(struct digest_state *state, const void *bytes, size_t count,
	       struct tdxupd_digest *ret)
{
	struct tdxupd_digest digest;

	if (EVP_DigestUpdate(state->context, bytes, count) != 1 ||
	    EVP_DigestFinal_ex(state->context, digest.bytes, NULL) != 1) {
		ERR_clear_error();
		return -ENOMEM;
	}
	*ret = digest;
	return 0;
}

/* Return: 0; -EBADMSG numbers that make no key; -ENOMEM. */
static int make_public_key(const uint8_t *modulus, uint32_t exponent, EVP_PKEY **ret)
{
	_cleanup_(cleanup_bignum)
	BIGNUM *n = BN_lebin2bn(modulus, DIGEST_RSA_BYTES, NULL);
	_cleanup_(cleanup_bignum)
	BIGNUM *e = BN_new();
	_cleanup_(cleanup_param_builder)
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	_cleanup_(cleanup_params)
	OSSL_PARAM *params = NULL;
	_cleanup_(cleanup_key_context)
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);

	if (!n || !e || !builder || !context || BN_set_word(e, exponent) != 1 ||
	    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) != 1 ||
	    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) != 1)
		return -ENOMEM;
	params = OSSL_PARAM_BLD_to_param(builder);
	if (!params || EVP_PKEY_fromdata_init(context) != 1)
		return -ENOMEM;
	if (BN_num_bits(n) != 8 * DIGEST_RSA_BYTES || !BN_is_odd(n))
		return -EBADMSG;
	return EVP_PKEY_fromdata(context, ret, EVP_PKEY_PUBLIC_KEY, params) == 1
		       ? 0
		       : -EBADMSG;
}

static int verify(EVP_PKEY *key, const uint8_t *signature, const void *bytes,
		  size_t count, bool *ret_is_valid)
{
	_cleanup_(cleanup_digest_context)
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *key_context = NULL; /* the context's own */

	if (!context ||
	    EVP_DigestVerifyInit(context, &key_context, EVP_sha384(), NULL, key) != 1 ||
	    EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PADDING) != 1)
		return -ENOMEM;
	*ret_is_valid =
		EVP_DigestVerify(context, signature, DIGEST_RSA_BYTES, bytes, count) == 1;
	return 0;
}

int digest_verify_rsa(const uint8_t *modulus, uint32_t exponent, const uint8_t *signature,
		      const void *bytes, size_t count, bool *ret_is_valid)
{
	_cleanup_(cleanup_key)
	EVP_PKEY *key = NULL;
	uint8_t reversed[DIGEST_RSA_BYTES];
	bool is_valid = false;
	int rc;

	if (!modulus || !signature || (!bytes && count) || !ret_is_valid)
		return -EINVAL;
	for (size_t i = 0; i < sizeof(reversed); i++)
		reversed[i] = signature[sizeof(reversed) - 1 - i];
	rc = make_public_key(modulus, exponent, &key);
	if (rc == 0)
		rc = verify(key, reversed, bytes, count, &is_valid);
	ERR_clear_error();
	if (rc < 0 && rc != -EBADMSG)
		return rc;
	*ret_is_valid = is_valid;
	return 0;
}
