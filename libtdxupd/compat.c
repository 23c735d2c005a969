// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * May this module follow that one on this host? Every rule answers for itself, so that
 * all reasons are known and not just the first. What holds for every image is decided in
 * compat-host.c; whether a file may be trusted at all, in image and catalog.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "compat.h"
#include "policy.h"
#include "util.h"

/* No file tells what the next module is to be held against. */
#define RUNNING_UNKNOWN "no image and no record of the running module"
#define HANDOFF_UNKNOWN "the running module's handoff version is not on record"

/* "Fine" beside the severities of a verdict. */
#define PASS ((enum tdxupd_severity)(-1))

struct pair {
	const struct tdxupd_host *host;
	const struct tdxupd_module_facts *from;
	const struct tdxupd_image *image;
	const struct tdxupd_version *version;
	bool is_known; /* @version is the measured one, not the file name's */
	const struct tdxupd_release *release;
};

/* The words of a verdict, made only where somebody reads them. */
struct words {
	char found[TDXUPD_VERDICT_TEXT_BYTES];
	char wanted[TDXUPD_VERDICT_TEXT_BYTES];
};

static void say(char *text, const char *format, ...) _printf_(2, 3);
static void say(char *text, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(text, TDXUPD_VERDICT_TEXT_BYTES, format, args);
	va_end(args);
}

static enum tdxupd_severity doubt(struct words *ret, const char *found)
{
	if (ret)
		say(ret->found, "%s", found);
	return TDXUPD_SEVERITY_UNKNOWN;
}

static void say_version(char *ret, const struct tdxupd_version *version)
{
	char text[TDXUPD_VERSION_TEXT_BYTES];

	say(ret, "%s", tdxupd_version_format(version, text));
}

/* ---- rules ---- */

/* The stepping does not count (spec of SIGSTRUCT, CPU table). */
static bool supports_cpu(const struct tdxupd_image *image, uint32_t signature)
{
	for (size_t i = 0; i < image->cpu_count; i++)
		if ((image->cpus[i] & ~0xfu) == (signature & ~0xfu))
			return true;
	return false;
}

static void say_cpus(const struct tdxupd_image *image, char *ret)
{
	size_t used = 0;

	for (size_t i = 0; i < image->cpu_count; i++) {
		int n = snprintf(ret + used, TDXUPD_VERDICT_TEXT_BYTES - used, "%s0x%X",
				 i ? ", " : "", image->cpus[i]);

		if (n < 0 || (size_t)n >= TDXUPD_VERDICT_TEXT_BYTES - used)
			break;
		used += (size_t)n;
	}
}

static enum tdxupd_severity check_cpu(const struct pair *p, struct words *ret)
{
	const struct tdxupd_socket *socket = p->host->sockets;

	if (p->host->socket_count == 0)
		return doubt(ret, "CPUs can't be told from /proc/cpuinfo");
	for (size_t i = 0; i < p->host->socket_count; i++, socket++) {
		if (supports_cpu(p->image, socket->signature))
			continue;
		if (ret) {
			say(ret->found, "0x%X in socket %u", socket->signature,
			    socket->physical_id);
			say_cpus(p->image, ret->wanted);
		}
		return TDXUPD_SEVERITY_REFUSE;
	}
	return PASS;
}

/* As everywhere else; "1.5" would look like a version. */
static void say_svn(char *ret, const char *before, uint16_t svn)
{
	say(ret, "%s0x%04x", before, svn);
}

static enum tdxupd_severity refuse_svn(struct words *ret, const struct pair *p,
				       const char *wanted)
{
	if (ret) {
		say_svn(ret->found, "", p->image->svn);
		say_svn(ret->wanted, wanted, p->from->svn);
	}
	return TDXUPD_SEVERITY_REFUSE;
}

static enum tdxupd_severity check_svn_major(const struct pair *p, struct words *ret)
{
	if (p->image->svn >> 8 == 0) {
		if (ret)
			say_svn(ret->found, "", p->image->svn);
		return TDXUPD_SEVERITY_REFUSE;
	}
	if (!p->from->has_svn)
		return doubt(ret, RUNNING_UNKNOWN);
	if (p->image->svn >> 8 == p->from->svn >> 8)
		return PASS;
	return refuse_svn(ret, p, "major of ");
}

/* Minors of different majors can't be compared; check_svn_major() refuses those. */
static enum tdxupd_severity check_svn_lower(const struct pair *p, struct words *ret)
{
	if (!p->from->has_svn)
		return doubt(ret, RUNNING_UNKNOWN);
	if (p->image->svn >> 8 != p->from->svn >> 8 ||
	    (p->image->svn & 0xff) >= (p->from->svn & 0xff))
		return PASS;
	return refuse_svn(ret, p, "at least ");
}

static bool is_same_series(const struct pair *p)
{
	return p->version->major == p->from->version.major &&
	       p->version->minor == p->from->version.minor;
}

/*
 * Handoff versions never fell within a series so far (0 up to 1.5.16 and 2.0.08, 1 at
 * 1.5.28 and 2.0.16, 2 at 1.5.34 and 2.0.18). So of a later module of the series of which
 * only the running one's handoff version is missing, "not above the new one's" follows
 * from the order, and "not below its minimum" from a minimum of 0. The order must be
 * proven: a file's name proves none.
 */
static bool can_infer_handoff(const struct pair *p)
{
	return p->from->has_svn && p->is_known && p->image->min_update_hv == 0 &&
	       is_same_series(p) &&
	       tdxupd_version_compare(&p->from->version, p->version) < 0;
}

/*
 * Linux asks the running module for its module_hv and shuts it down with just that
 * (arch/x86/virt/vmx/tdx/tdx.c), so its own no_downgrade never bites; what matters is
 * whether the next module reads that version.
 */
static enum tdxupd_severity check_handoff(const struct pair *p, struct words *ret)
{
	const struct tdxupd_image *image = p->image;

	if (ret)
		say(ret->wanted, "%u to %u", image->min_update_hv, image->module_hv);
	if (!p->from->has_handoff && can_infer_handoff(p)) {
		if (ret)
			say(ret->found,
			    "not on record; inferred to be at most %u, as handoff "
			    "versions never fell within a series so far",
			    image->module_hv);
		return TDXUPD_SEVERITY_WARN;
	}
	if (!p->from->has_handoff)
		return doubt(ret, p->from->has_svn ? HANDOFF_UNKNOWN : RUNNING_UNKNOWN);
	if (p->from->module_hv >= image->min_update_hv &&
	    p->from->module_hv <= image->module_hv)
		return PASS;
	if (ret)
		say(ret->found, "%u", p->from->module_hv);
	return TDXUPD_SEVERITY_REFUSE;
}

static enum tdxupd_severity check_mapping(const struct pair *p, struct words *ret)
{
	if (p->release)
		return PASS;
	if (ret)
		say_version(ret->found, p->version);
	return TDXUPD_SEVERITY_UNKNOWN;
}

/* Where the mapping is silent, check_mapping() has said so, here and below. */
static enum tdxupd_severity check_seamldr(const struct pair *p, struct words *ret)
{
	const struct tdxupd_version *mine = &p->host->seamldr_version, *min;
	bool has_major = false;

	if (!p->release)
		return PASS;
	if (!p->host->has_seamldr_version)
		return doubt(ret, "seamldr_version can't be read");
	for (size_t i = 0; i < p->release->min_seamldr_count; i++) {
		min = &p->release->min_seamldr_versions[i];
		if (min->major != mine->major)
			continue;
		has_major = true;
		if (tdxupd_version_compare(mine, min) >= 0)
			continue;
		if (ret) {
			say_version(ret->found, mine);
			say_version(ret->wanted, min);
		}
		return TDXUPD_SEVERITY_REFUSE;
	}
	if (has_major)
		return PASS;
	if (ret) {
		say_version(ret->found, mine);
		if (p->release->min_seamldr_count)
			say_version(ret->wanted, &p->release->min_seamldr_versions[0]);
	}
	return TDXUPD_SEVERITY_REFUSE;
}

static enum tdxupd_severity check_module(const struct pair *p, struct words *ret)
{
	const struct tdxupd_version *min;

	if (!p->release)
		return PASS;
	min = &p->release->min_module_version;
	if (tdxupd_version_compare(&p->from->version, min) >= 0)
		return PASS;
	if (ret) {
		say_version(ret->found, &p->from->version);
		say_version(ret->wanted, min);
	}
	return TDXUPD_SEVERITY_REFUSE;
}

static enum tdxupd_severity check_series(const struct pair *p, struct words *ret)
{
	if (is_same_series(p))
		return PASS;
	if (ret) {
		say(ret->found, "%u.%u", p->version->major, p->version->minor);
		say(ret->wanted, "%u.%u", p->from->version.major, p->from->version.minor);
	}
	return TDXUPD_SEVERITY_REFUSE;
}

static void say_features(char *ret, uint64_t features)
{
	size_t used = 0;

	for (unsigned bit = 0; bit < 64; bit++) {
		const char *name = tdxupd_feature_to_string(bit);
		int n;

		if (!(features >> bit & 1))
			continue;
		n = snprintf(ret + used, TDXUPD_VERDICT_TEXT_BYTES - used, "%sbit %u%s%s",
			     used ? ", " : "without ", bit, name ? " " : "",
			     name ? name : "");
		if (n < 0 || (size_t)n >= TDXUPD_VERDICT_TEXT_BYTES - used)
			break;
		used += (size_t)n;
	}
}

/* How far the word of those who say so goes. */
static enum tdxupd_severity refuse_features(const struct pair *p, uint64_t lost,
					    struct words *ret)
{
	bool is_disputed =
		p->from->is_features0_disputed || p->release->is_features0_disputed;

	if (ret) {
		say_features(ret->found, lost);
		say(ret->wanted, "all of 0x%llx%s",
		    (unsigned long long)p->from->features0,
		    is_disputed ? "; mapping file and record differ" : "");
	}
	return is_disputed ? TDXUPD_SEVERITY_UNKNOWN : TDXUPD_SEVERITY_REFUSE;
}

static enum tdxupd_severity check_features(const struct pair *p, struct words *ret)
{
	uint64_t offered, lost;

	if (!p->release)
		return PASS;
	if (!p->from->has_features0)
		return doubt(ret, "FEATURES0 of the running module is not known");
	if (!p->release->has_features0)
		return doubt(ret, "neither mapping nor record tell its FEATURES0");
	offered = p->release->features0;
	if (p->release->is_features0_disputed)
		offered &= p->release->recorded_features0;
	lost = p->from->features0 & ~offered;
	return lost ? refuse_features(p, lost, ret) : PASS;
}

/* The file that is known to be outdated would have refused: why this does not. */
static enum tdxupd_severity check_outdated(const struct pair *p, struct words *ret)
{
	if (!p->release || !p->from->has_features0 || !p->release->has_features0 ||
	    !(p->from->claimed_features0 & ~p->release->claimed_features0) ||
	    p->from->features0 & ~p->release->features0)
		return PASS;
	if (ret)
		say(ret->found,
		    "by it alone, features would vanish; a newer one differs");
	return TDXUPD_SEVERITY_WARN;
}

static const struct {
	enum tdxupd_check check;
	enum tdxupd_severity (*decide)(const struct pair *p, struct words *ret);
} rules[] = {
	{ TDXUPD_CHECK_CPU_UNSUPPORTED, check_cpu },
	{ TDXUPD_CHECK_SVN_MAJOR, check_svn_major },
	{ TDXUPD_CHECK_SVN_LOWER, check_svn_lower },
	{ TDXUPD_CHECK_HANDOFF_RANGE, check_handoff },
	{ TDXUPD_CHECK_MAPPING_MISSING, check_mapping },
	{ TDXUPD_CHECK_SEAMLDR_TOO_OLD, check_seamldr },
	{ TDXUPD_CHECK_MODULE_TOO_OLD, check_module },
	{ TDXUPD_CHECK_SERIES_MISMATCH, check_series },
	{ TDXUPD_CHECK_FEATURES_LOST, check_features },
	{ TDXUPD_CHECK_MAPPING_OUTDATED, check_outdated },
};

/*
 * An administrator may accept that the running module's handoff version is unknown, not
 * that it is known to be wrong: that is fatal.
 */
static enum tdxupd_severity weigh(const struct tdxupd_policy *policy,
				  enum tdxupd_check check, enum tdxupd_severity severity)
{
	if (severity == PASS ||
	    (check == TDXUPD_CHECK_HANDOFF_RANGE && severity == TDXUPD_SEVERITY_REFUSE))
		return severity;
	return policy_weigh(policy, check, severity);
}

static struct pair make_pair(const struct tdxupd_host *host,
			     const struct tdxupd_module_facts *from,
			     const struct tdxupd_entry *entry)
{
	return (struct pair){
		.host = host,
		.from = from,
		.image = entry->image,
		.version = &entry->version,
		.is_known = entry->is_known,
		.release = entry->release,
	};
}

/* What its own report says already: there is nothing to compare. */
static bool can_compare(const struct tdxupd_entry *entry)
{
	return entry->image && entry->has_version;
}

uint64_t compat_find_blockers(const struct tdxupd_host *host,
			      const struct tdxupd_module_facts *from,
			      const struct tdxupd_entry *entry,
			      const struct tdxupd_policy *policy)
{
	struct pair pair = make_pair(host, from, entry);
	uint64_t blockers = 0;

	if (!can_compare(entry))
		return CHECK_BIT(TDXUPD_CHECK_VERSION_UNKNOWN);
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		enum tdxupd_severity severity =
			weigh(policy, rules[i].check, rules[i].decide(&pair, NULL));

		if (severity != PASS && severity != TDXUPD_SEVERITY_WARN)
			blockers |= CHECK_BIT(rules[i].check);
	}
	return blockers;
}

bool compat_may_follow(const struct tdxupd_host *host,
		       const struct tdxupd_module_facts *from,
		       const struct tdxupd_image *image)
{
	const struct pair pair = { .host = host, .from = from, .image = image };

	return check_cpu(&pair, NULL) != TDXUPD_SEVERITY_REFUSE &&
	       check_svn_major(&pair, NULL) != TDXUPD_SEVERITY_REFUSE &&
	       check_svn_lower(&pair, NULL) != TDXUPD_SEVERITY_REFUSE;
}

_public_ int tdxupd_compat_check_image(const struct tdxupd_host *host,
				       const struct tdxupd_module_facts *from,
				       const struct tdxupd_entry *entry,
				       const struct tdxupd_policy *policy,
				       struct tdxupd_report *report)
{
	struct pair pair;

	if (!host || !from || !entry || !policy || !report)
		return -EINVAL;
	if (!can_compare(entry))
		return 0;
	pair = make_pair(host, from, entry);
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		struct words words = {};
		enum tdxupd_severity severity =
			weigh(policy, rules[i].check, rules[i].decide(&pair, &words));
		int r;

		if (severity == PASS)
			continue;
		r = tdxupd_report_add(report, rules[i].check, severity, words.found,
				      words.wanted);
		if (r < 0)
			return r;
	}
	return 0;
}
