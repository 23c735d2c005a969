// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the administrator trusts, allows and blocks, as values. Where they come from (the
 * daemon's configuration, a command line) is not known here, and what is done with them
 * is decided by image, catalog, compat and plan.
 */
#include <errno.h>
#include <stdlib.h>

#include "policy.h"
#include "tdxupd.h"
#include "util.h"

/* SHA-384 of the RSA modulus, as stored, in every image that Intel published so far. */
static const struct tdxupd_digest intels_signer = { {
	0xc8, 0x57, 0x2f, 0x54, 0x88, 0x69, 0xa0, 0xbe, 0xca, 0x19, 0x37, 0x6b,
	0x81, 0xc2, 0xdf, 0xfc, 0x2a, 0x23, 0xb5, 0xa5, 0xf7, 0x1d, 0xa0, 0xb8,
	0x75, 0x79, 0xb4, 0x3f, 0x40, 0x8d, 0xaa, 0x1a, 0x33, 0xba, 0xd9, 0xc1,
	0x49, 0xeb, 0x56, 0xc6, 0x34, 0xf8, 0x83, 0x73, 0x79, 0x68, 0xa3, 0x4c,
} };

DEFINE_CLEANUP(struct tdxupd_policy, policy, tdxupd_policy_free)

static const char *const strategies[_TDXUPD_STRATEGY_MAX] = {
	[TDXUPD_STRATEGY_FEWEST] = "fewest",
	[TDXUPD_STRATEGY_SMALLEST] = "smallest",
};

_Static_assert(_TDXUPD_CHECK_MAX <= 64, "policy.accepted has one bit a check");

PUBLIC_STRING_TABLE_TO(tdxupd_strategy, enum tdxupd_strategy, strategies)
PUBLIC_STRING_TABLE_FROM(tdxupd_strategy, enum tdxupd_strategy, strategies)

_public_ int tdxupd_policy_new(struct tdxupd_policy **ret)
{
	_cleanup_(cleanup_policy)
	struct tdxupd_policy *policy = NULL;
	int rc;

	if (!ret)
		return -EINVAL;
	policy = calloc(1, sizeof(*policy));
	if (!policy)
		return -ENOMEM;
	rc = tdxupd_policy_trust(policy, &intels_signer);
	if (rc < 0)
		return rc;
	*ret = TAKE_PTR(policy);
	return 0;
}

_public_ struct tdxupd_policy *tdxupd_policy_free(struct tdxupd_policy *policy)
{
	if (policy) {
		free(policy->trusted_signers);
		free(policy->allowed_mrseams);
		free(policy->blocked_mrseams);
		free(policy->blocked_versions);
		tdxupd_policy_hold_nothing(policy);
		policy_forget_pin(policy);
	}
	free(policy);
	return NULL;
}

static bool has_digest(const struct tdxupd_digest *digests, size_t count,
		       const struct tdxupd_digest *digest)
{
	for (size_t i = 0; i < count; i++)
		if (tdxupd_digest_is_equal(&digests[i], digest))
			return true;
	return false;
}

static int add_digest(struct tdxupd_digest **digests, size_t *count,
		      const struct tdxupd_digest *digest)
{
	struct tdxupd_digest *more;

	if (!digest)
		return -EINVAL;
	if (has_digest(*digests, *count, digest))
		return 0;
	more = reallocarray(*digests, *count + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	more[(*count)++] = *digest;
	*digests = more;
	return 0;
}

_public_ int tdxupd_policy_trust(struct tdxupd_policy *policy,
				 const struct tdxupd_digest *signer)
{
	if (!policy)
		return -EINVAL;
	return add_digest(&policy->trusted_signers, &policy->trusted_signer_count,
			  signer);
}

_public_ void tdxupd_policy_trust_nobody(struct tdxupd_policy *policy)
{
	free(TAKE_PTR(policy->trusted_signers));
	policy->trusted_signer_count = 0;
}

_public_ int tdxupd_policy_allow(struct tdxupd_policy *policy,
				 const struct tdxupd_digest *mrseam)
{
	if (!policy)
		return -EINVAL;
	return add_digest(&policy->allowed_mrseams, &policy->allowed_mrseam_count,
			  mrseam);
}

static int block_version(struct tdxupd_policy *policy,
			 const struct tdxupd_version *version)
{
	struct tdxupd_version *more;

	if (policy_is_version_blocked(policy, version))
		return 0;
	more = reallocarray(policy->blocked_versions, policy->blocked_version_count + 1,
			    sizeof(*more));
	if (!more)
		return -ENOMEM;
	more[policy->blocked_version_count++] = *version;
	policy->blocked_versions = more;
	return 0;
}

_public_ int tdxupd_policy_block(struct tdxupd_policy *policy, const char *text)
{
	struct tdxupd_version version;
	struct tdxupd_digest mrseam;
	int rc;

	if (!policy || !text)
		return -EINVAL;
	if (tdxupd_version_parse(text, &version) == 0)
		return block_version(policy, &version);
	rc = tdxupd_digest_parse(text, &mrseam);
	if (rc < 0)
		return rc;
	return add_digest(&policy->blocked_mrseams, &policy->blocked_mrseam_count,
			  &mrseam);
}

_public_ int tdxupd_policy_accept(struct tdxupd_policy *policy, enum tdxupd_check check)
{
	const struct tdxupd_check_info *info = tdxupd_check_describe(check);

	if (!policy || !info)
		return -EINVAL;
	if (!info->override)
		return -EPERM;
	policy->accepted |= UINT64_C(1) << check;
	return 0;
}

_public_ void tdxupd_policy_pin(struct tdxupd_policy *policy,
				const struct tdxupd_version *version)
{
	policy_forget_pin(policy);
	policy->has_pin = version;
	policy->pin = version ? *version : (struct tdxupd_version){ 0 };
}

_public_ bool tdxupd_policy_is_trusted(const struct tdxupd_policy *policy,
				       const struct tdxupd_digest *signer)
{
	return has_digest(policy->trusted_signers, policy->trusted_signer_count, signer);
}

enum tdxupd_severity policy_weigh(const struct tdxupd_policy *policy,
				  enum tdxupd_check check, enum tdxupd_severity severity)
{
	if (policy->accepted & UINT64_C(1) << check)
		return TDXUPD_SEVERITY_WARN;
	return severity;
}

bool policy_is_mrseam_allowed(const struct tdxupd_policy *policy,
			      const struct tdxupd_digest *mrseam)
{
	return policy->allowed_mrseam_count == 0 ||
	       has_digest(policy->allowed_mrseams, policy->allowed_mrseam_count, mrseam);
}

bool policy_is_mrseam_blocked(const struct tdxupd_policy *policy,
			      const struct tdxupd_digest *mrseam)
{
	return has_digest(policy->blocked_mrseams, policy->blocked_mrseam_count, mrseam);
}

bool policy_is_pinned_elsewhere(const struct tdxupd_policy *policy,
				const struct tdxupd_version *version)
{
	return policy->has_pin && tdxupd_version_compare(&policy->pin, version) != 0;
}

bool policy_is_version_blocked(const struct tdxupd_policy *policy,
			       const struct tdxupd_version *version)
{
	for (size_t i = 0; i < policy->blocked_version_count; i++)
		if (tdxupd_version_compare(&policy->blocked_versions[i], version) == 0)
			return true;
	return false;
}
