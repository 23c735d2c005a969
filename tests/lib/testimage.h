/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Synthetic module images: of the layout that Intel publishes, signed with a test key.
 * The first module page begins with a line that tells the simulated TDX module what no
 * SIGSTRUCT says:
 *
 *   TDXUPD-TEST-MODULE version=1.5.16 features0=0x226f3f0fbf ctx=2
 *
 * Nothing is random: the same specification gives the same bytes.
 */
#ifndef TESTIMAGE_H
#define TESTIMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tdxupd.h"

#define TESTIMAGE_CPUS_MAX 8
#define TESTIMAGE_DEBUG    (UINT32_C(1) << 31) /* for module_type */

enum testimage_key {
	TESTIMAGE_KEY_TRUSTED,
	TESTIMAGE_KEY_FOREIGN, /* good for nothing but being refused */
};

/*
 * @ctx: what a TD's unfinished measurement must find again (the model's
 *	crypto_ctx_version); where it differs, an update corrupts TDs under build
 * @salt: makes modules of one version differ
 */
struct testimage_spec {
	struct tdxupd_version version;
	uint64_t features0;
	uint16_t ctx;
	uint16_t container;
	uint16_t svn;
	uint32_t date;
	uint32_t module_type;
	uint16_t module_hv;
	uint16_t min_update_hv;
	bool no_downgrade;
	size_t cpu_count;
	uint32_t cpus[TESTIMAGE_CPUS_MAX];
	uint32_t module_pages;
	uint32_t salt;
	enum testimage_key key;
};

/*
 * What the published module of this version has (SVN, date, FEATURES0, CPUs), or
 * something that could be its successor; 4 pages, container 0x100, ctx 1.
 */
struct testimage_spec testimage_default(struct tdxupd_version version);
/* The same from text, which must be a version: a test's own constant. */
struct testimage_spec testimage_default_text(const char *version);

/* Return: 0; -EINVAL a specification that has no image; -ENOMEM. */
int testimage_build(const struct testimage_spec *spec, uint8_t **ret, size_t *ret_bytes);

/*
 * After an image's bytes were changed: make hash, signature and checksum fit again, in
 * this order, so that only the change itself is wrong.
 */
int testimage_sign(uint8_t *image, size_t bytes_count, enum testimage_key key);
void testimage_fix_checksum(uint8_t *image, size_t bytes_count);

/* Digest of the key's modulus, as TrustedSigner= wants it. */
struct tdxupd_digest testimage_signer(enum testimage_key key);

#endif
