// SPDX-License-Identifier: LGPL-2.1-or-later
/* The keys of tdxupd.conf: their defaults, and what each value means. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "config-keys.h"
#include "duration.h"

/* What a launch can be held for before its own callers give up. */
#define BARRIER_MAX_USEC (60 * USEC_PER_SEC)

/* A single record must fit, and nobody looks through a gigabyte. */
#define HISTORY_BYTES_MIN (UINT64_C(1) << 16)
#define HISTORY_BYTES_MAX (UINT64_C(1) << 30)

static const char *const auto_updates[] = {
	[AUTO_UPDATE_OFF] = "off",
	[AUTO_UPDATE_STAGE] = "stage",
	[AUTO_UPDATE_APPLY] = "apply",
};

static const char *const drain_methods[] = {
	[DRAIN_LEASES] = "leases",
	[DRAIN_FENCE] = "fence",
};

static const char *const load_drivers[] = {
	[LOAD_DRIVER_NO] = "no",
	[LOAD_DRIVER_AUTO] = "auto",
	[LOAD_DRIVER_SIMULATION] = "tdx-host-sim",
};

STRING_TABLE_TO(auto_update, enum auto_update, auto_updates)
STRING_TABLE_FROM(auto_update, enum auto_update, auto_updates)
STRING_TABLE_TO(drain_method, enum drain_method, drain_methods)
STRING_TABLE_FROM(drain_method, enum drain_method, drain_methods)
STRING_TABLE_TO(load_driver, enum load_driver, load_drivers)
STRING_TABLE_FROM(load_driver, enum load_driver, load_drivers)

/* Returns NULL, or what is wrong with the value. */
typedef const char *(*apply_fn)(struct config *config, const char *value);

static const char no_memory[] = "out of memory";

/* ---- lists ---- */

/* Calls @each for every word of a list; stops at the first complaint. */
static const char *for_each_word(struct config *config, const char *value, apply_fn each)
{
	_cleanup_(cleanup_free)
	char *copy = strdup(value);
	char *save = NULL;

	if (!copy)
		return no_memory;
	for (char *word = strtok_r(copy, " \t\n", &save); word;
	     word = strtok_r(NULL, " \t\n", &save)) {
		const char *why = each(config, word);

		if (why)
			return why;
	}
	return NULL;
}

static const char *apply_one_signer(struct config *config, const char *word)
{
	struct tdxupd_digest digest;

	if (strcmp(word, "none") == 0) {
		tdxupd_policy_trust_nobody(config->policy);
		return NULL;
	}
	if (tdxupd_digest_parse(word, &digest) < 0)
		return "not a list of SHA-384 digests (96 hex digits) of RSA moduli";
	return tdxupd_policy_trust(config->policy, &digest) < 0 ? no_memory : NULL;
}

static const char *apply_one_mrseam(struct config *config, const char *word)
{
	struct tdxupd_digest digest;

	if (tdxupd_digest_parse(word, &digest) < 0)
		return "not a list of MRSEAM digests (96 hex digits)";
	return tdxupd_policy_allow(config->policy, &digest) < 0 ? no_memory : NULL;
}

static const char *apply_one_blocked(struct config *config, const char *word)
{
	int r = tdxupd_policy_block(config->policy, word);

	if (r == -ENOMEM)
		return no_memory;
	return r < 0 ? "not a list of versions and MRSEAM digests" : NULL;
}

static const char *apply_signers(struct config *config, const char *value)
{
	return for_each_word(config, value, apply_one_signer);
}

static const char *apply_mrseams(struct config *config, const char *value)
{
	return for_each_word(config, value, apply_one_mrseam);
}

static const char *apply_blocked(struct config *config, const char *value)
{
	return for_each_word(config, value, apply_one_blocked);
}

/* ---- single values ---- */

static const char *apply_path(char **ret, const char *value)
{
	if (value[0] != '/' || strchr(value, '\n') || strlen(value) >= PATH_MAX)
		return "not an absolute path";
	free(*ret);
	*ret = strdup(value);
	return *ret ? NULL : no_memory;
}

static const char *apply_images(struct config *config, const char *value)
{
	return apply_path(&config->images, value);
}

static const char *apply_mapping(struct config *config, const char *value)
{
	return *value ? apply_path(&config->mapping, value) : NULL;
}

static const char *apply_target(struct config *config, const char *value)
{
	if (!*value || strcmp(value, "newest") == 0)
		return NULL;
	if (tdxupd_version_parse(value, &config->target) < 0)
		return "neither a version such as 1.5.16 nor `newest`";
	config->has_target = true;
	return NULL;
}

static const char *apply_strategy(struct config *config, const char *value)
{
	enum tdxupd_strategy strategy = tdxupd_strategy_from_string(value);

	if (strategy < 0)
		return "neither `fewest` nor `smallest`";
	config->policy->strategy = strategy;
	return NULL;
}

static const char *apply_guard(struct config *config, const char *value)
{
	enum gate_policy guard = gate_policy_from_string(value);

	if (guard < 0)
		return "neither `strict`, `observed` nor `off`";
	config->guard = guard;
	return NULL;
}

static int apply_number(uint64_t *ret, const char *value, uint64_t min, uint64_t max)
{
	unsigned long long number;
	char *end;

	errno = 0;
	number = strtoull(value, &end, 10);
	if (value[0] < '0' || value[0] > '9' || *end || errno || number < min ||
	    number > max)
		return -EBADMSG;
	*ret = number;
	return 0;
}

static const char *apply_reserve(struct config *config, const char *value)
{
	uint64_t number;

	if (apply_number(&number, value, 0, UINT32_MAX) < 0)
		return "not a number of updates";
	config->policy->reserve_updates = (uint32_t)number;
	return NULL;
}

static const char *apply_auto_update(struct config *config, const char *value)
{
	enum auto_update mode = auto_update_from_string(value);

	if (mode < 0)
		return "neither `off`, `stage` nor `apply`";
	config->auto_update = mode;
	return NULL;
}

static const char *apply_drain_method(struct config *config, const char *value)
{
	enum drain_method method = drain_method_from_string(value);

	if (method < 0)
		return "neither `leases` nor `fence`";
	config->drain_method = method;
	return NULL;
}

static const char *apply_drain_slice(struct config *config, const char *value)
{
	size_t length = strlen(value);

	if (length <= strlen(".slice") || length > NAME_MAX || strchr(value, '/') ||
	    strcmp(value + length - strlen(".slice"), ".slice") != 0)
		return "not the name of a slice";
	free(config->drain_slice);
	config->drain_slice = strdup(value);
	return config->drain_slice ? NULL : no_memory;
}

static const char *apply_load_driver(struct config *config, const char *value)
{
	enum load_driver policy = load_driver_from_string(value);

	if (policy < 0)
		return "neither `auto`, `no` nor `tdx-host-sim`";
	config->load_driver = policy;
	return NULL;
}

static const char *apply_span(uint64_t *ret, const char *value)
{
	return duration_parse(value, ret) < 0
		       ? "not a span of time such as `30s`, nor `infinity`"
		       : NULL;
}

static const char *apply_settle(struct config *config, const char *value)
{
	return apply_span(&config->settle_usec, value);
}

static const char *apply_drain_after(struct config *config, const char *value)
{
	return apply_span(&config->drain_after_usec, value);
}

/* The bound is a promise to whoever starts a VM: it has to be one. */
static const char *apply_barrier_max(struct config *config, const char *value)
{
	const char *trouble = apply_span(&config->barrier_max_usec, value);

	if (!trouble && config->barrier_max_usec > BARRIER_MAX_USEC)
		return "more than a minute";
	return trouble;
}

/* Whoever wants to hold it up for as long as they like takes one that blocks. */
static const char *apply_inhibit_delay_max(struct config *config, const char *value)
{
	const char *trouble = apply_span(&config->inhibit_delay_max_usec, value);

	if (!trouble && config->inhibit_delay_max_usec == USEC_INFINITY)
		return "has to end";
	return trouble;
}

static const char *apply_history_bytes(struct config *config, const char *value)
{
	uint64_t bytes;

	if (apply_number(&bytes, value, HISTORY_BYTES_MIN, HISTORY_BYTES_MAX) < 0)
		return "not a number of bytes from 65536 to 1073741824";
	config->history_limits.file_bytes = bytes;
	return NULL;
}

static const char *apply_history_files(struct config *config, const char *value)
{
	uint64_t files;

	if (apply_number(&files, value, 0, 99) < 0)
		return "not a number from 0 to 99";
	config->history_limits.files = (unsigned)files;
	return NULL;
}

static const char *apply_deadline(struct config *config, const char *value)
{
	uint64_t usec;

	if (duration_parse(value, &usec) < 0 || usec == 0)
		return "not a span of time such as `30min`, nor `infinity`";
	config->deadline_usec = usec;
	return NULL;
}

/* ---- the keys ---- */

/* In the order in which tdxupd.conf(5) documents them. */
static const struct setting {
	const char *key;
	const char *fallback;
	apply_fn apply;
} settings[] = {
	{ "ImagesDirectory", "/usr/lib/firmware/intel/tdx-module", apply_images },
	{ "Mapping", "", apply_mapping },
	{ "Target", "newest", apply_target },
	{ "Strategy", "fewest", apply_strategy },
	{ "ReserveUpdates", "0", apply_reserve },
	{ "Guard", "strict", apply_guard },
	{ "DeadlineSec", "infinity", apply_deadline },
	{ "TrustedSigner", "", apply_signers },
	{ "AllowedMrSeam", "", apply_mrseams },
	{ "Blocked", "", apply_blocked },
	{ "AutoUpdate", "off", apply_auto_update },
	{ "SettleSec", "5s", apply_settle },
	{ "DrainAfterSec", "1min", apply_drain_after },
	{ "BarrierMaxSec", "5s", apply_barrier_max },
	{ "InhibitDelayMaxSec", "5s", apply_inhibit_delay_max },
	{ "DrainMethod", "leases", apply_drain_method },
	{ "DrainSlice", "machine.slice", apply_drain_slice },
	{ "LoadDriver", "auto", apply_load_driver },
	{ "HistoryMaxBytes", "1048576", apply_history_bytes },
	{ "HistoryFiles", "4", apply_history_files },
};

static int parse_boolean(const char *value)
{
	static const char *const yes[] = { "yes", "true", "on", "1" };
	static const char *const no[] = { "no", "false", "off", "0" };

	if (string_table_find(yes, ARRAY_SIZE(yes), value) >= 0)
		return 1;
	if (string_table_find(no, ARRAY_SIZE(no), value) >= 0)
		return 0;
	return -EINVAL;
}

static bool is_override(const char *key, enum tdxupd_check check)
{
	const char *override = tdxupd_check_describe(check)->override;

	return override && strcmp(override, key) == 0;
}

/* The table of checks names the key that makes a warning of each refusal. */
static const char *apply_override(struct config *config, const char *key,
				  const char *value)
{
	int yes = parse_boolean(value);

	if (yes < 0)
		return "neither `yes` nor `no`";
	for (int check = 0; yes && check < _TDXUPD_CHECK_MAX; check++)
		if (is_override(key, (enum tdxupd_check)check))
			tdxupd_policy_accept(config->policy, (enum tdxupd_check)check);
	return NULL;
}

const char *config_key_name(size_t i, const char **ret_fallback)
{
	if (i >= ARRAY_SIZE(settings))
		return NULL;
	*ret_fallback = settings[i].fallback;
	return settings[i].key;
}

int config_key_apply(struct config *config, const char *key, const char *value,
		     const char **ret_trouble)
{
	const char *trouble = NULL;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(settings); i++)
		if (strcmp(settings[i].key, key) == 0)
			break;
	trouble = i < ARRAY_SIZE(settings) ? settings[i].apply(config, value)
					   : apply_override(config, key, value);
	if (!trouble)
		return 0;
	if (trouble == no_memory)
		return -ENOMEM;
	*ret_trouble = trouble;
	return -EBADMSG;
}
