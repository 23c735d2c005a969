// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Written from the description of the format and not with the library's own code, so that
 * a mistake in one of them shows.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "testimage.h"
#include "testimage-keys.h"

#define PAGE          4096
#define RSA_BYTES     384
#define SIGSTRUCT     4096 /* offsets in the file */
#define MODULE        8192
#define SIGNED_1      128 /* bytes from SIGSTRUCT's start */
#define SIGNED_2      900 /* bytes up to its end */
#define SIGNED_2_SIZE 1148
#define PAGES_MAX     496

/*
 * The published modules, from mapping_file.json and their SIGSTRUCTs. The dates
 * of 1.5.08, 1.5.09, 1.5.13, 2.0.04 and 2.0.08 are made up.
 */
static const struct published {
	struct tdxupd_version version;
	uint16_t svn;
	uint32_t date;
	uint64_t features0;
} published[] = {
	{ { 1, 5, 1 }, 0x0104, 0x20231008, 0xf0fbf },
	{ { 1, 5, 5 }, 0x0105, 0x20240129, 0x61f0fbf },
	{ { 1, 5, 6 }, 0x0106, 0x20240407, 0x2e1f0fbf },
	{ { 1, 5, 8 }, 0x0107, 0x20240601, 0x22e1f0fbf },
	{ { 1, 5, 9 }, 0x0108, 0x20240801, 0x26f1f0fbf },
	{ { 1, 5, 13 }, 0x010a, 0x20241101, 0x226f1f0fbf },
	{ { 1, 5, 16 }, 0x010b, 0x20250219, 0x226f3f0fbf },
	{ { 2, 0, 2 }, 0x0303, 0x20240814, 0x22e1f0fbf },
	{ { 2, 0, 4 }, 0x0304, 0x20241101, 0x12af1f0fbf },
	{ { 2, 0, 5 }, 0x0304, 0x20250123, 0x226f3f0fbf },
	{ { 2, 0, 8 }, 0x0305, 0x20250601, 0x32a71f0fbf },
};

static void put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, (uint16_t)v);
	put16(p + 2, (uint16_t)(v >> 16));
}

/* Series 1.5 is for Sapphire and Emerald Rapids, 2.0 for Granite Rapids. */
static void set_default_cpus(struct testimage_spec *spec)
{
	static const uint32_t of_1_5[] = { 0x806f8, 0xc06f0, 0xa06f0 };
	static const uint32_t of_2_0[] = { 0xa06d0, 0xa06e0 };
	bool is_2 = spec->version.major >= 2;

	spec->cpu_count = is_2 ? 2 : 3;
	memcpy(spec->cpus, is_2 ? of_2_0 : of_1_5, spec->cpu_count * sizeof(uint32_t));
}

struct testimage_spec testimage_default(struct tdxupd_version version)
{
	struct testimage_spec spec = {
		.version = version,
		.features0 = 0x226f3f0fbf,
		.ctx = 1,
		.container = 0x100,
		.svn = (uint16_t)((version.major >= 2 ? 0x0300 : 0x0100) |
				  (version.update < 0xff ? version.update : 0xff)),
		.date = 0x20250219,
		.module_pages = 4,
	};

	for (size_t i = 0; i < sizeof(published) / sizeof(published[0]); i++) {
		if (tdxupd_version_compare(&published[i].version, &version) != 0)
			continue;
		spec.svn = published[i].svn;
		spec.date = published[i].date;
		spec.features0 = published[i].features0;
	}
	set_default_cpus(&spec);
	return spec;
}

struct testimage_spec testimage_default_text(const char *version)
{
	struct tdxupd_version v;

	if (tdxupd_version_parse(version, &v) < 0)
		abort();
	return testimage_default(v);
}

static EVP_PKEY *open_key(enum testimage_key key)
{
	const char *text = key == TESTIMAGE_KEY_TRUSTED ? key_trusted : key_foreign;
	BIO *bio = BIO_new_mem_buf(text, -1);
	EVP_PKEY *ret = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;

	BIO_free(bio);
	if (!ret)
		abort(); /* our own constant */
	return ret;
}

static void put_modulus(uint8_t *modulus, EVP_PKEY *key)
{
	BIGNUM *n = NULL;

	if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) != 1 ||
	    BN_bn2lebinpad(n, modulus, RSA_BYTES) != RSA_BYTES)
		abort();
	BN_free(n);
}

struct tdxupd_digest testimage_signer(enum testimage_key key)
{
	EVP_PKEY *pkey = open_key(key);
	struct tdxupd_digest digest;
	uint8_t modulus[RSA_BYTES];

	put_modulus(modulus, pkey);
	EVP_PKEY_free(pkey);
	if (EVP_Digest(modulus, sizeof(modulus), digest.bytes, NULL, EVP_sha384(),
		       NULL) != 1)
		abort();
	return digest;
}

void testimage_fix_checksum(uint8_t *image, size_t bytes_count)
{
	uint16_t sum = 0;

	put16(image + 2, 0);
	for (size_t i = 0; i < bytes_count; i++)
		sum = (uint16_t)(sum + (i & 1 ? image[i] << 8 : image[i]));
	put16(image + 2, (uint16_t)(0x10000 - sum));
}

static int sign_sigstruct(uint8_t *sigstruct, EVP_PKEY *key)
{
	uint8_t text[SIGNED_1 + SIGNED_2_SIZE], big[RSA_BYTES];
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	size_t size = sizeof(big);
	bool is_signed;

	memcpy(text, sigstruct, SIGNED_1);
	memcpy(text + SIGNED_1, sigstruct + SIGNED_2, SIGNED_2_SIZE);
	/* PKCS#1 v1.5 is what EVP does with an RSA key unless told otherwise. */
	is_signed = context &&
		    EVP_DigestSignInit(context, NULL, EVP_sha384(), NULL, key) == 1 &&
		    EVP_DigestSign(context, big, &size, text, sizeof(text)) == 1;
	EVP_MD_CTX_free(context);
	if (!is_signed)
		return -ENOMEM;
	for (size_t i = 0; i < RSA_BYTES; i++)
		sigstruct[516 + i] = big[RSA_BYTES - 1 - i];
	return 0;
}

int testimage_sign(uint8_t *image, size_t bytes_count, enum testimage_key key)
{
	EVP_PKEY *pkey = open_key(key);
	uint8_t *sigstruct = image + SIGSTRUCT;
	int rc = -ENOMEM;

	put_modulus(sigstruct + 128, pkey);
	if (EVP_Digest(image + MODULE, bytes_count - MODULE, sigstruct + 900, NULL,
		       EVP_sha384(), NULL) == 1)
		rc = sign_sigstruct(sigstruct, pkey);
	EVP_PKEY_free(pkey);
	if (rc == 0)
		testimage_fix_checksum(image, bytes_count);
	return rc;
}

static void put_header(uint8_t *image, size_t bytes_count, uint16_t container)
{
	put16(image, container);
	if (container == 0x200) {
		memcpy(image + 4, "TDX-BLOB", 8);
		put32(image + 12, 1);
		put32(image + 16, (uint32_t)(bytes_count / PAGE - 2));
	} else {
		put32(image + 4, MODULE);
		memcpy(image + 8, "TDX-BLOB", 8);
		put32(image + 16, (uint32_t)bytes_count);
	}
}

static void put_sigstruct(uint8_t *s, const struct testimage_spec *spec)
{
	static const uint32_t header[] = { 6, 0xe1, 0x10000 };

	for (size_t i = 0; i < 3; i++)
		put32(s + 4 * i, header[i]);
	put32(s + 12, spec->module_type);
	put32(s + 16, 0x8086);
	put32(s + 20, spec->date);
	put32(s + 24, 0x200);
	put32(s + 28, 0x60);
	put32(s + 32, 0x60);
	put32(s + 36, 1);
	put32(s + 512, 65537);
	put16(s + 948, spec->svn);
	put32(s + 958, 0x1000); /* entry offset */
	s[962] = 1;             /* stack, TLS, keyhole and data pages, as published */
	s[963] = 1;
	put16(s + 964, 0x7f);
	put16(s + 966, 0x15);
	put16(s + 984, spec->module_hv);
	put16(s + 986, spec->min_update_hv);
	s[988] = spec->no_downgrade;
	put16(s + 990, 13); /* handoff pages minus 1 */
	put32(s + 1024, (uint32_t)spec->cpu_count);
	for (size_t i = 0; i < spec->cpu_count; i++)
		put32(s + 1028 + 4 * i, spec->cpus[i]);
}

/* The line, zeros up to its page's end, then pages that look like code: all differ. */
static void put_module(uint8_t *module, size_t bytes_count,
		       const struct testimage_spec *spec)
{
	uint32_t noise = 0x9e3779b9u ^ spec->salt ^ (uint32_t)spec->version.update << 16 ^
			 spec->version.minor;

	snprintf((char *)module, PAGE,
		 "TDXUPD-TEST-MODULE version=%u.%u.%02u features0=0x%" PRIx64 " ctx=%u\n",
		 spec->version.major, spec->version.minor, spec->version.update,
		 spec->features0, spec->ctx);
	put32(module + PAGE - 4, spec->salt);
	for (size_t i = PAGE; i < bytes_count; i++) {
		noise = noise * 1664525 + 1013904223;
		module[i] = (uint8_t)(noise >> 24);
	}
}

int testimage_build(const struct testimage_spec *spec, uint8_t **ret, size_t *ret_bytes)
{
	size_t bytes_count;
	uint8_t *image;
	int rc;

	if (!spec || !ret || !ret_bytes || spec->module_pages < 1 ||
	    spec->module_pages > PAGES_MAX || spec->cpu_count > TESTIMAGE_CPUS_MAX ||
	    (spec->container != 0x100 && spec->container != 0x200))
		return -EINVAL;
	bytes_count = MODULE + (size_t)spec->module_pages * PAGE;
	image = calloc(1, bytes_count);
	if (!image)
		return -ENOMEM;
	put_header(image, bytes_count, spec->container);
	put_sigstruct(image + SIGSTRUCT, spec);
	put_module(image + MODULE, bytes_count - MODULE, spec);
	rc = testimage_sign(image, bytes_count, spec->key);
	if (rc < 0) {
		free(image);
		return rc;
	}
	*ret = image;
	*ret_bytes = bytes_count;
	return 0;
}
