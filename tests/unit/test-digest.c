// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "digest.h"
#include "test.h"
#include "testimage-keys.h"

#define SHA384_OF_ABC                                      \
	"cb00753f45a35e8bb5a03d699ac65007272c32ab0eded163" \
	"1a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"

struct key {
	EVP_PKEY *key;
	uint8_t modulus[DIGEST_RSA_BYTES];
};

static int make_key(void **state)
{
	struct key *key = calloc(1, sizeof(*key));
	BIO *bio = BIO_new_mem_buf(key_trusted, -1);
	BIGNUM *n = NULL;

	assert_non_null(key);
	key->key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	BIO_free(bio);
	assert_non_null(key->key);
	assert_int_equal(EVP_PKEY_get_bn_param(key->key, OSSL_PKEY_PARAM_RSA_N, &n), 1);
	assert_int_equal(BN_bn2lebinpad(n, key->modulus, DIGEST_RSA_BYTES),
			 DIGEST_RSA_BYTES);
	BN_free(n);
	*state = key;
	return 0;
}

static int free_key(void **state)
{
	struct key *key = *state;

	EVP_PKEY_free(key->key);
	free(key);
	return 0;
}

/* Signs with the given padding and digest, little endian. */
static void sign(const struct key *key, const EVP_MD *md, int padding, const void *bytes,
		 size_t count, uint8_t *ret)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *key_context = NULL;
	uint8_t big[DIGEST_RSA_BYTES];
	size_t size = sizeof(big);

	assert_int_equal(EVP_DigestSignInit(context, &key_context, md, NULL, key->key),
			 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(key_context, padding), 1);
	assert_int_equal(EVP_DigestSign(context, big, &size, bytes, count), 1);
	assert_int_equal(size, sizeof(big));
	for (size_t i = 0; i < size; i++)
		ret[i] = big[size - 1 - i];
	EVP_MD_CTX_free(context);
}

static bool is_valid(const uint8_t *modulus, uint32_t exponent, const uint8_t *signature,
		     const char *text)
{
	bool valid = true;

	assert_int_equal(digest_verify_rsa(modulus, exponent, signature, text,
					   strlen(text), &valid),
			 0);
	return valid;
}

static void test_hex(void **state)
{
	struct tdxupd_digest digest, untouched = { { 7 } };
	char text[TDXUPD_DIGEST_TEXT_BYTES];
	char upper[] = SHA384_OF_ABC;

	(void)state;
	assert_int_equal(tdxupd_digest_parse(SHA384_OF_ABC, &digest), 0);
	assert_string_equal(tdxupd_digest_format(&digest, text), SHA384_OF_ABC);
	for (char *p = upper; *p; p++)
		if (*p >= 'a')
			*p = (char)(*p - 'a' + 'A');
	assert_int_equal(tdxupd_digest_parse(upper, &digest), 0);
	assert_string_equal(tdxupd_digest_format(&digest, text), SHA384_OF_ABC);

	assert_int_equal(tdxupd_digest_parse(SHA384_OF_ABC "0", &untouched), -EBADMSG);
	assert_int_equal(tdxupd_digest_parse(&SHA384_OF_ABC[1], &untouched), -EBADMSG);
	assert_int_equal(tdxupd_digest_parse(&SHA384_OF_ABC[2], &untouched), -EBADMSG);
	upper[95] = 'g';
	assert_int_equal(tdxupd_digest_parse(upper, &untouched), -EBADMSG);
	assert_int_equal(tdxupd_digest_parse("", &untouched), -EBADMSG);
	assert_int_equal(tdxupd_digest_parse(NULL, &untouched), -EINVAL);
	assert_int_equal(untouched.bytes[0], 7);
	assert_false(tdxupd_digest_is_equal(&digest, &untouched));
	assert_true(tdxupd_digest_is_equal(&digest, &digest));
}

static void test_sha384(void **state)
{
	struct tdxupd_digest digest;
	char text[TDXUPD_DIGEST_TEXT_BYTES];

	(void)state;
	assert_int_equal(digest_sha384("abc", 3, &digest), 0);
	assert_string_equal(tdxupd_digest_format(&digest, text), SHA384_OF_ABC);
	assert_int_equal(digest_sha384(NULL, 0, &digest), 0);
	assert_memory_equal(tdxupd_digest_format(&digest, text), "38b060a751ac9638", 16);
	assert_int_equal(digest_sha384(NULL, 1, &digest), -EINVAL);
	assert_int_equal(digest_sha384("", 0, NULL), -EINVAL);
}

static void test_signature_fits_one_text_and_one_key(void **state)
{
	const struct key *key = *state;
	uint8_t signature[DIGEST_RSA_BYTES], modulus[DIGEST_RSA_BYTES];

	sign(key, EVP_sha384(), RSA_PKCS1_PADDING, "text", 4, signature);
	assert_true(is_valid(key->modulus, 65537, signature, "text"));
	assert_false(is_valid(key->modulus, 65537, signature, "Text"));
	assert_false(is_valid(key->modulus, 65537, signature, ""));
	assert_false(is_valid(key->modulus, 3, signature, "text"));
	for (size_t i = 0; i < DIGEST_RSA_BYTES; i += 31) {
		signature[i] ^= 1;
		assert_false(is_valid(key->modulus, 65537, signature, "text"));
		signature[i] ^= 1;
		memcpy(modulus, key->modulus, sizeof(modulus));
		modulus[i] ^= 2;
		assert_false(is_valid(modulus, 65537, signature, "text"));
	}
	assert_true(is_valid(key->modulus, 65537, signature, "text"));
}

static void test_other_schemes_do_not_count(void **state)
{
	const struct key *key = *state;
	uint8_t signature[DIGEST_RSA_BYTES];

	sign(key, EVP_sha256(), RSA_PKCS1_PADDING, "text", 4, signature);
	assert_false(is_valid(key->modulus, 65537, signature, "text"));
	sign(key, EVP_sha384(), RSA_PKCS1_PSS_PADDING, "text", 4, signature);
	assert_false(is_valid(key->modulus, 65537, signature, "text"));
}

static void test_no_key_signs_nothing(void **state)
{
	const struct key *key = *state;
	uint8_t signature[DIGEST_RSA_BYTES], modulus[DIGEST_RSA_BYTES] = { 0 };
	bool valid;

	sign(key, EVP_sha384(), RSA_PKCS1_PADDING, "text", 4, signature);
	assert_false(is_valid(modulus, 65537, signature, "text"));
	modulus[0] = 1;
	assert_false(is_valid(modulus, 65537, signature, "text"));
	memset(modulus, 0xff, sizeof(modulus));
	assert_false(is_valid(modulus, 65537, signature, "text"));
	memcpy(modulus, key->modulus, sizeof(modulus));
	modulus[0] ^= 1; /* even */
	assert_false(is_valid(modulus, 65537, signature, "text"));
	memcpy(modulus, key->modulus, sizeof(modulus));
	modulus[DIGEST_RSA_BYTES - 1] = 0; /* short */
	assert_false(is_valid(modulus, 65537, signature, "text"));
	assert_false(is_valid(key->modulus, 0, signature, "text"));
	assert_false(is_valid(key->modulus, 1, signature, "text"));
	assert_false(is_valid(key->modulus, 65536, signature, "text"));
	memset(signature, 0, sizeof(signature));
	assert_false(is_valid(key->modulus, 65537, signature, "text"));
	memset(signature, 0xff, sizeof(signature));
	assert_false(is_valid(key->modulus, 65537, signature, "text"));
	assert_int_equal(digest_verify_rsa(NULL, 65537, signature, "", 0, &valid),
			 -EINVAL);
}

/* Cut anywhere, the two parts give what the whole does. */
static void test_in_two_steps(void **state)
{
	static const char text[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	struct tdxupd_digest whole, parts;
	struct digest_state *digest;

	(void)state;
	assert_int_equal(digest_sha384(text, sizeof(text), &whole), 0);
	for (size_t i = 0; i <= sizeof(text); i++) {
		assert_int_equal(digest_begin(text, i, &digest), 0);
		assert_int_equal(digest_end(digest, text + i, sizeof(text) - i, &parts),
				 0);
		assert_true(tdxupd_digest_is_equal(&whole, &parts));
		digest_state_free(digest);
	}
	digest_state_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_two_steps),
		cmocka_unit_test(test_hex),
		cmocka_unit_test(test_sha384),
		cmocka_unit_test(test_signature_fits_one_text_and_one_key),
		cmocka_unit_test(test_other_schemes_do_not_count),
		cmocka_unit_test(test_no_key_signs_nothing),
	};

	return cmocka_run_group_tests(tests, make_key, free_key);
}
