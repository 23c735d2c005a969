// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Whether an image may be trusted: who signed it, whether the signature and the hash fit
 * the bytes, and whether the administrator's lists let it pass.
 */
#include <errno.h>
#include <string.h>

#include "digest.h"
#include "image-format.h"
#include "policy.h"
#include "util.h"

static int refuse(struct tdxupd_report *report, enum tdxupd_check check,
		  const struct tdxupd_digest *found, const char *wanted)
{
	char text[TDXUPD_DIGEST_TEXT_BYTES];

	return tdxupd_report_add(report, check, TDXUPD_SEVERITY_REFUSE,
				 tdxupd_digest_format(found, text), wanted);
}

static int check_signer(const struct tdxupd_image *image,
			const struct tdxupd_policy *policy, struct tdxupd_report *report)
{
	/* Not the fact that parse made: the bytes that are there are what counts. */
	struct tdxupd_digest signer;
	int rc = digest_sha384(image->bytes + IMAGE_SIGSTRUCT + SIGSTRUCT_MODULUS,
			       SIGSTRUCT_RSA_BYTES, &signer);

	if (rc < 0)
		return rc;
	if (tdxupd_policy_is_trusted(policy, &signer))
		return 0;
	return refuse(report, TDXUPD_CHECK_SIGNER_UNTRUSTED, &signer, "a trusted signer");
}

static int check_signature(const struct tdxupd_image *image,
			   const struct tdxupd_policy *policy,
			   struct tdxupd_report *report)
{
	const uint8_t *s = image->bytes + IMAGE_SIGSTRUCT;
	uint8_t text[SIGSTRUCT_SIGNED_BYTES];
	bool is_valid;
	int rc;

	(void)policy;
	memcpy(text, s, SIGSTRUCT_SIGNED_HEAD);
	memcpy(text + SIGSTRUCT_SIGNED_HEAD, s + SIGSTRUCT_SEAMHASH,
	       SIGSTRUCT_SIGNED_TAIL);
	rc = digest_verify_rsa(s + SIGSTRUCT_MODULUS, load_le32(s + SIGSTRUCT_EXPONENT),
			       s + SIGSTRUCT_SIGNATURE, text, sizeof(text), &is_valid);
	if (rc < 0 || is_valid)
		return rc;
	return tdxupd_report_add(report, TDXUPD_CHECK_SIGNATURE_INVALID,
				 TDXUPD_SEVERITY_REFUSE, "a signature of other bytes",
				 "the signer's of these");
}

static int check_hash(const struct tdxupd_image *image,
		      const struct tdxupd_policy *policy, struct tdxupd_report *report)
{
	char wanted[TDXUPD_DIGEST_TEXT_BYTES];
	struct tdxupd_digest digest;
	int rc = digest_sha384(image->bytes + IMAGE_MODULE,
			       image->bytes_count - IMAGE_MODULE, &digest);

	(void)policy;
	if (rc < 0 || tdxupd_digest_is_equal(&digest, &image->mrseam))
		return rc;
	return refuse(report, TDXUPD_CHECK_HASH_MISMATCH, &digest,
		      tdxupd_digest_format(&image->mrseam, wanted));
}

static int check_allowed(const struct tdxupd_image *image,
			 const struct tdxupd_policy *policy, struct tdxupd_report *report)
{
	if (policy_is_mrseam_allowed(policy, &image->mrseam))
		return 0;
	return refuse(report, TDXUPD_CHECK_MRSEAM_NOT_ALLOWED, &image->mrseam,
		      "one of AllowedMrSeam=");
}

static int check_blocked(const struct tdxupd_image *image,
			 const struct tdxupd_policy *policy, struct tdxupd_report *report)
{
	if (!policy_is_mrseam_blocked(policy, &image->mrseam))
		return 0;
	return refuse(report, TDXUPD_CHECK_BLOCKED, &image->mrseam, "none of Blocked=");
}

_public_ int tdxupd_image_verify(const struct tdxupd_image *image,
				 const struct tdxupd_policy *policy,
				 struct tdxupd_report *report)
{
	static int (*const all[])(const struct tdxupd_image *,
				  const struct tdxupd_policy *,
				  struct tdxupd_report *) = {
		check_signer, check_signature, check_hash, check_allowed, check_blocked,
	};

	if (!image || !policy || !report)
		return -EINVAL;
	if (!image->bytes)
		return -ENODATA;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		int rc = all[i](image, policy, report);

		if (rc < 0)
			return rc;
	}
	return 0;
}
