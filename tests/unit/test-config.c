// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <sys/stat.h>

#include "test.h"
#include "config.h"
#include "duration.h"

#define DIGEST                                             \
	"000102030405060708090a0b0c0d0e0f1011121314151617" \
	"18191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f"

static char root[] = "/tmp/test-config-XXXXXX";

static void write_config(const char *text)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "%s/etc/tdxupd/tdxupd.conf", root);
	file = fopen(path, "we");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int set_up(void **state)
{
	char path[64];

	(void)state;
	if (!mkdtemp(root))
		return -1;
	snprintf(path, sizeof(path), "%s/etc", root);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/etc/tdxupd", root);
	return mkdir(path, 0755);
}

static int tear_down(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", root);
	return system(command);
}

static void test_nothing_said_is_the_safest(void **state)
{
	struct config *config;

	(void)state;
	write_config("");
	assert_int_equal(config_load(root, &config, NULL), 0);
	assert_string_equal(config->images, "/usr/lib/firmware/intel/tdx-module");
	assert_null(config->mapping);
	assert_false(config->has_target);
	assert_int_equal(config->guard, GATE_STRICT);
	assert_true(config->deadline_usec == USEC_INFINITY);
	assert_int_equal(config->policy->trusted_signer_count, 1);
	assert_int_equal(config->policy->accepted, 0);
	config_unref(config);
}

static void test_every_key_counts(void **state)
{
	struct config *config;

	(void)state;
	write_config(
		"[Update]\nImagesDirectory=/srv/images\nMapping=/srv/m.json\n"
		"Target=1.5.16\nStrategy=smallest\nReserveUpdates=3\nGuard=observed\n"
		"DeadlineSec=30min\nTrustedSigner=" DIGEST "\nAllowedMrSeam=" DIGEST
		"\nBlocked=1.5.05 " DIGEST
		"\nAutoUpdate=apply\nSettleSec=1s\nDrainAfterSec=2s\n"
		"BarrierMaxSec=3s\nInhibitDelayMaxSec=4s\nDrainMethod=fence\nDrainSlice="
		"vm.slice\n"
		"LoadDriver=no\nHistoryMaxBytes=100000\nHistoryFiles=9\n");
	assert_int_equal(config_load(root, &config, NULL), 0);
	assert_string_equal(config->images, "/srv/images");
	assert_string_equal(config->mapping, "/srv/m.json");
	assert_true(config->has_target);
	assert_int_equal(config->target.update, 16);
	assert_int_equal(config->policy->strategy, TDXUPD_STRATEGY_SMALLEST);
	assert_int_equal(config->policy->reserve_updates, 3);
	assert_int_equal(config->guard, GATE_OBSERVED);
	assert_true(config->deadline_usec == 1800 * USEC_PER_SEC);
	assert_int_equal(config->policy->trusted_signer_count, 2);
	assert_int_equal(config->policy->allowed_mrseam_count, 1);
	assert_int_equal(config->policy->blocked_version_count, 1);
	assert_int_equal(config->policy->blocked_mrseam_count, 1);
	assert_int_equal(config->auto_update, AUTO_UPDATE_APPLY);
	assert_true(config->settle_usec == 1 * USEC_PER_SEC);
	assert_true(config->drain_after_usec == 2 * USEC_PER_SEC);
	assert_true(config->barrier_max_usec == 3 * USEC_PER_SEC);
	assert_true(config->inhibit_delay_max_usec == 4 * USEC_PER_SEC);
	assert_int_equal(config->drain_method, DRAIN_FENCE);
	assert_string_equal(config->drain_slice, "vm.slice");
	assert_int_equal(config->load_driver, LOAD_DRIVER_NO);
	assert_true(config->history_limits.file_bytes == 100000);
	assert_int_equal(config->history_limits.files, 9);
	config_unref(config);
}

static void test_nonsense_is_named_with_file_and_key(void **state)
{
	static const struct {
		const char *line;
		const char *complaint;
	} table[] = {
		{ "ImagesDirectory=here", "ImagesDirectory=: not an absolute path" },
		{ "ImagesDirectory=", "ImagesDirectory=: not an absolute path" },
		{ "Mapping=m.json", "Mapping=: not an absolute path" },
		{ "Target=new", "Target=: neither a version" },
		{ "Target=1.5", "Target=: neither a version" },
		{ "Strategy=best", "Strategy=: neither" },
		{ "ReserveUpdates=-1", "ReserveUpdates=: not a number" },
		{ "ReserveUpdates=4294967296", "ReserveUpdates=: not a number" },
		{ "ReserveUpdates=two", "ReserveUpdates=: not a number" },
		{ "Guard=none", "Guard=: neither" },
		{ "DeadlineSec=0", "DeadlineSec=: not a span" },
		{ "DeadlineSec=soon", "DeadlineSec=: not a span" },
		{ "TrustedSigner=abc", "TrustedSigner=: not a list" },
		{ "AllowedMrSeam=" DIGEST "0", "AllowedMrSeam=: not a list" },
		{ "AutoUpdate=yes", "AutoUpdate=: neither" },
		{ "SettleSec=", "SettleSec=: not a span" },
		{ "DrainAfterSec=-1", "DrainAfterSec=: not a span" },
		{ "BarrierMaxSec=infinity", "BarrierMaxSec=: more than a minute" },
		{ "InhibitDelayMaxSec=infinity", "InhibitDelayMaxSec=: has to end" },
		{ "InhibitDelayMaxSec=soon", "InhibitDelayMaxSec=: not a span" },
		{ "BarrierMaxSec=61", "BarrierMaxSec=: more than a minute" },
		{ "DrainMethod=kill", "DrainMethod=: neither" },
		{ "DrainSlice=../x.slice", "DrainSlice=: not the name of a slice" },
		{ "DrainSlice=.slice", "DrainSlice=: not the name of a slice" },
		{ "LoadDriver=tdx-host", "LoadDriver=: neither" },
		{ "HistoryMaxBytes=1", "HistoryMaxBytes=: not a number" },
		{ "HistoryMaxBytes=99999999999", "HistoryMaxBytes=: not a number" },
		{ "HistoryFiles=many", "HistoryFiles=: not a number" },
		{ "Blocked=1.5.x", "Blocked=: not a list" },
		{ "AcceptFeaturesLost=maybe",
		  "AcceptFeaturesLost=: neither `yes` nor `no`" },
		{ "Blokced=1.5.05", "Blokced=: no such key" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct config *config = NULL;
		char text[256];
		char *why = NULL;

		snprintf(text, sizeof(text), "[Update]\n%s\n", table[i].line);
		write_config(text);
		assert_int_equal(config_load(root, &config, &why), -EBADMSG);
		assert_null(config);
		assert_non_null(why);
		assert_non_null(strstr(why, "/etc/tdxupd/tdxupd.conf: "));
		if (!strstr(why, table[i].complaint))
			fail_msg("%s: %s", table[i].line, why);
		free(why);
	}
}

/* Every key there is, also one that is added tomorrow. */
static void test_no_key_takes_nonsense(void **state)
{
	static const char *const nonsense[] = { "?", "-1", "1.5.16,", "\x01", "yes no" };
	static char huge[70000];
	struct config *all;

	(void)state;
	memset(huge, 'x', sizeof(huge) - 1);
	write_config("");
	assert_int_equal(config_load(root, &all, NULL), 0);
	assert_true(all->value_count > 20);
	for (size_t i = 0; i < all->value_count; i++)
		for (size_t j = 0; j <= ARRAY_SIZE(nonsense); j++) {
			const char *key = all->values[i].key;
			const char *value = j < ARRAY_SIZE(nonsense) ? nonsense[j] : huge;
			struct config *config = NULL;
			char complaint[128];
			char *text, *why = NULL;

			assert_true(asprintf(&text, "[Update]\n%s=%s\n", key, value) > 0);
			write_config(text);
			free(text);
			if (config_load(root, &config, &why) != -EBADMSG)
				fail_msg("%s= takes '%.20s'", key, value);
			snprintf(complaint, sizeof(complaint),
				 "/etc/tdxupd/tdxupd.conf: %s=: ", key);
			if (!why || !strstr(why, complaint))
				fail_msg("%s= of '%.20s': %s", key, value, why);
			free(why);
		}
	config_unref(all);
}

static void test_all_complaints_come_at_once(void **state)
{
	struct config *config;
	char *why = NULL;

	(void)state;
	write_config("Strategy=fewest\n[Update]\nGuard=x\nTarget=y\n[Other]\nBlocked=\n");
	assert_int_equal(config_load(root, &config, &why), -EBADMSG);
	assert_non_null(strstr(why, "Strategy=: stands outside of [Update]"));
	assert_non_null(strstr(why, "Guard=: neither"));
	assert_non_null(strstr(why, "Target=: neither"));
	free(why);
}

static void test_a_file_that_wins_is_named(void **state)
{
	struct config *config;
	bool has_seen = false;

	(void)state;
	write_config("[Update]\nGuard=observed\n");
	assert_int_equal(config_load(root, &config, NULL), 0);
	for (size_t i = 0; i < config->value_count; i++) {
		const struct config_value *value = &config->values[i];

		if (strcmp(value->key, "Guard") != 0) {
			assert_null(value->file);
			continue;
		}
		has_seen = true;
		assert_string_equal(value->value, "observed");
		assert_non_null(strstr(value->file, "/etc/tdxupd/tdxupd.conf"));
	}
	assert_true(has_seen);
	config_unref(config);
}

/* Made from memory: what the file says by now is of no account. */
static void test_a_copy_needs_no_file(void **state)
{
	struct config *config, *copy, *now;

	(void)state;
	write_config("[Update]\nBlocked=1.5.16\nTarget=1.5.13\nGuard=off\n"
		     "AcceptUnmapped=yes\nReserveUpdates=3\nTrustedSigner=" DIGEST "\n");
	assert_int_equal(config_load(root, &config, NULL), 0);
	assert_int_equal(tdxupd_policy_block(config->policy, "1.5.18"), 0);
	write_config("[Update]\nNonsense=1\n");
	assert_int_equal(config_copy(config, &copy), 0);
	assert_true(config_is_same(config, copy));
	assert_int_equal(copy->policy->blocked_version_count, 1);
	assert_int_equal(copy->policy->trusted_signer_count,
			 config->policy->trusted_signer_count);
	assert_int_equal(copy->policy->reserve_updates, 3);
	assert_true(copy->policy->accepted == config->policy->accepted);
	assert_true(copy->has_target);
	assert_int_equal(copy->guard, GATE_OFF);
	config_unref(copy);
	write_config("[Update]\nBlocked=1.5.16\n");
	assert_int_equal(config_load(root, &now, NULL), 0);
	assert_false(config_is_same(config, now));
	config_unref(now);
	config_unref(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_said_is_the_safest),
		cmocka_unit_test(test_every_key_counts),
		cmocka_unit_test(test_nonsense_is_named_with_file_and_key),
		cmocka_unit_test(test_no_key_takes_nonsense),
		cmocka_unit_test(test_all_complaints_come_at_once),
		cmocka_unit_test(test_a_file_that_wins_is_named),
		cmocka_unit_test(test_a_copy_needs_no_file),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
