// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>

#include "test.h"
#include "compat.h"
#include "facts.h"

/* 1.5.06 runs, its image is there, and 1.5.16 is about to follow: all is fine. */
struct scene {
	struct tdxupd_host *host;
	struct tdxupd_catalog *catalog;
	struct tdxupd_policy *policy;
	struct tdxupd_entry *running, *next;
};

static struct scene scene_new(void)
{
	struct scene scene = { .host = facts_host(), .catalog = facts_catalog(4) };

	scene.running = facts_add(scene.catalog, "1.5.06");
	scene.next = facts_add(scene.catalog, "1.5.16");
	assert_int_equal(tdxupd_policy_new(&scene.policy), 0);
	return scene;
}

static void scene_done(struct scene *scene)
{
	free(scene->host);
	facts_catalog_free(scene->catalog);
	tdxupd_policy_free(scene->policy);
}

static struct tdxupd_report *check_image(const struct scene *scene)
{
	struct tdxupd_module_facts from;
	struct tdxupd_report *report;

	tdxupd_compat_running(scene->host, scene->catalog, &from);
	assert_int_equal(tdxupd_report_new(&report), 0);
	assert_int_equal(tdxupd_compat_check_image(scene->host, &from, scene->next,
						   scene->policy, report),
			 0);
	/* The short form never disagrees with the one in words. */
	assert_int_equal(
		compat_find_blockers(scene->host, &from, scene->next, scene->policy) == 0,
		tdxupd_report_is_passed(report));
	return report;
}

static struct tdxupd_report *check_host(const struct scene *scene, uint32_t updates)
{
	struct tdxupd_report *report;

	assert_int_equal(tdxupd_report_new(&report), 0);
	assert_int_equal(
		tdxupd_compat_check_host(scene->host, scene->policy, updates, report), 0);
	return report;
}

static void assert_only(struct tdxupd_report *report, enum tdxupd_check check,
			enum tdxupd_severity severity, const char *found,
			const char *wanted)
{
	const struct tdxupd_verdict *verdict = tdxupd_report_get(report, 0);

	assert_int_equal(tdxupd_report_count(report), 1);
	assert_string_equal(tdxupd_check_to_string(verdict->check),
			    tdxupd_check_to_string(check));
	assert_string_equal(tdxupd_severity_to_string(verdict->severity),
			    tdxupd_severity_to_string(severity));
	if (found)
		assert_string_equal(verdict->found, found);
	if (wanted)
		assert_string_equal(verdict->wanted, wanted);
	tdxupd_report_free(report);
}

static void assert_passed(struct tdxupd_report *report)
{
	assert_int_equal(tdxupd_report_count(report), 0);
	tdxupd_report_free(report);
}

static void test_nothing_speaks_against_a_good_pair(void **state)
{
	struct scene scene = scene_new();

	(void)state;
	assert_passed(check_image(&scene));
	assert_passed(check_host(&scene, 12));
	scene_done(&scene);
}

/* ---- the image on this host ---- */

static void change_socket(struct scene *s)
{
	s->host->socket_count = 2;
	s->host->sockets[1] = (struct tdxupd_socket){ 1, 0xa06d1 };
}
static void change_stepping(struct scene *s)
{
	s->host->sockets[0].signature = 0xc06ff;
}
static void forget_sockets(struct scene *s)
{
	s->host->socket_count = 0;
}
static void set_svn_zero(struct scene *s)
{
	s->next->image->svn = 0x000b;
}
static void set_svn_major(struct scene *s)
{
	s->next->image->svn = 0x0206;
}
static void set_svn_lower(struct scene *s)
{
	s->next->image->svn = 0x0105;
}
static void set_svn_equal(struct scene *s)
{
	s->next->image->svn = 0x0106;
}
static void set_handoff_low(struct scene *s)
{
	s->next->image->min_update_hv = 1;
	s->next->image->module_hv = 2;
}
static void set_handoff_high(struct scene *s)
{
	s->running->image->module_hv = 2;
	s->next->image->module_hv = 1;
}
static void set_handoff_inside(struct scene *s)
{
	s->running->image->module_hv = 1;
	s->next->image->module_hv = 1;
}
static void unmap(struct scene *s)
{
	facts_unmap(s->next);
}
static void set_seamldr_low(struct scene *s)
{
	facts_release(s->next)->min_seamldr_versions[0] = facts_version("1.5.02");
}
static void set_seamldr_other(struct scene *s)
{
	s->host->seamldr_version = facts_version("3.0.00");
}
static void set_seamldr_two(struct scene *s)
{
	s->host->seamldr_version = facts_version("2.0.00");
}
static void forget_seamldr(struct scene *s)
{
	s->host->has_seamldr_version = false;
}
static void set_min_module(struct scene *s)
{
	facts_release(s->next)->min_module_version = facts_version("1.5.08");
}
static void set_min_module_equal(struct scene *s)
{
	facts_release(s->next)->min_module_version = facts_version("1.5.06");
}
static void set_series(struct scene *s)
{
	s->next->version = facts_version("1.6.16");
}
static void lose_feature(struct scene *s)
{
	s->host->features0 |= UINT64_C(1) << 63 | UINT64_C(1) << 36;
}
static void gain_feature(struct scene *s)
{
	facts_release(s->next)->features0 |= UINT64_C(1) << 63;
}
static void forget_new_features(struct scene *s)
{
	facts_release(s->next)->has_features0 = false;
}
static void forget_features(struct scene *s)
{
	s->host->has_features0 = false;
	facts_release(s->running)->has_features0 = false;
}
static void forget_host_features(struct scene *s)
{
	s->host->has_features0 = false;
}

static void test_rules_of_a_pair(void **state)
{
#define NONE   _TDXUPD_CHECK_MAX
#define REFUSE TDXUPD_SEVERITY_REFUSE
#define DOUBT  TDXUPD_SEVERITY_UNKNOWN
	static const struct {
		void (*change)(struct scene *scene);
		enum tdxupd_check check;
		enum tdxupd_severity severity;
		const char *found, *wanted;
	} cases[] = {
		{ change_socket, TDXUPD_CHECK_CPU_UNSUPPORTED, REFUSE,
		  "0xA06D1 in socket 1", "0x806F8, 0xC06F0" },
		{ change_stepping, NONE, 0, NULL, NULL },
		{ forget_sockets, TDXUPD_CHECK_CPU_UNSUPPORTED, DOUBT, NULL, NULL },
		{ set_svn_zero, TDXUPD_CHECK_SVN_MAJOR, REFUSE, "0x000b", NULL },
		{ set_svn_major, TDXUPD_CHECK_SVN_MAJOR, REFUSE, "0x0206",
		  "major of 0x0106" },
		{ set_svn_lower, TDXUPD_CHECK_SVN_LOWER, REFUSE, "0x0105",
		  "at least 0x0106" },
		{ set_svn_equal, NONE, 0, NULL, NULL },
		{ set_handoff_low, TDXUPD_CHECK_HANDOFF_RANGE, REFUSE, "0", "1 to 2" },
		{ set_handoff_high, TDXUPD_CHECK_HANDOFF_RANGE, REFUSE, "2", "0 to 1" },
		{ set_handoff_inside, NONE, 0, NULL, NULL },
		{ unmap, TDXUPD_CHECK_MAPPING_MISSING, DOUBT, "1.5.16", NULL },
		{ set_seamldr_low, TDXUPD_CHECK_SEAMLDR_TOO_OLD, REFUSE, "1.5.00",
		  "1.5.02" },
		{ set_seamldr_other, TDXUPD_CHECK_SEAMLDR_TOO_OLD, REFUSE, "3.0.00",
		  "1.5.00" },
		{ set_seamldr_two, NONE, 0, NULL, NULL },
		{ forget_seamldr, TDXUPD_CHECK_SEAMLDR_TOO_OLD, DOUBT, NULL, NULL },
		{ set_min_module, TDXUPD_CHECK_MODULE_TOO_OLD, REFUSE, "1.5.06",
		  "1.5.08" },
		{ set_min_module_equal, NONE, 0, NULL, NULL },
		{ set_series, TDXUPD_CHECK_SERIES_MISMATCH, REFUSE, "1.6", "1.5" },
		{ lose_feature, TDXUPD_CHECK_FEATURES_LOST, REFUSE,
		  "without bit 36 DYNAMIC_PAMT, bit 63", "all of 0x800000102e1f0fbf" },
		{ gain_feature, NONE, 0, NULL, NULL },
		{ forget_new_features, TDXUPD_CHECK_FEATURES_LOST, DOUBT, NULL, NULL },
		{ forget_features, TDXUPD_CHECK_FEATURES_LOST, DOUBT, NULL, NULL },
		{ forget_host_features, NONE, 0, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scene scene = scene_new();
		struct tdxupd_report *report;

		cases[i].change(&scene);
		report = check_image(&scene);
		if (cases[i].check == NONE) {
			assert_passed(report);
		} else {
			assert_only(report, cases[i].check, cases[i].severity,
				    cases[i].found, cases[i].wanted);
		}
		scene_done(&scene);
	}
}

static void test_all_reasons_are_given(void **state)
{
	struct scene scene = scene_new();
	struct tdxupd_report *report;

	(void)state;
	change_socket(&scene);
	set_svn_lower(&scene);
	set_handoff_low(&scene);
	set_seamldr_low(&scene);
	set_min_module(&scene);
	lose_feature(&scene);
	report = check_image(&scene);
	assert_int_equal(tdxupd_report_count(report), 6);
	tdxupd_report_free(report);
	scene_done(&scene);
}

/* ---- the running module ---- */

static void drop_running_image(struct scene *scene)
{
	/* Not proven any more: whoever changes a byte changes what it says. */
	assert_int_equal(tdxupd_report_add(scene->running->report,
					   TDXUPD_CHECK_SIGNATURE_INVALID,
					   TDXUPD_SEVERITY_REFUSE, NULL, NULL),
			 0);
}

static void test_an_unknown_running_module_is_doubted(void **state)
{
	struct scene scene = scene_new();
	struct tdxupd_report *report;

	(void)state;
	drop_running_image(&scene);
	report = check_image(&scene);
	assert_int_equal(tdxupd_report_count(report), 3);
	assert_true(tdxupd_report_has(report, TDXUPD_CHECK_SVN_MAJOR));
	assert_true(tdxupd_report_has(report, TDXUPD_CHECK_SVN_LOWER));
	assert_true(tdxupd_report_has(report, TDXUPD_CHECK_HANDOFF_RANGE));
	assert_false(tdxupd_report_is_passed(report));
	tdxupd_report_free(report);
	scene_done(&scene);
}

/* Its image is gone, and it is on record: that is as good. */
static void test_the_record_tells_what_runs(void **state)
{
	struct tdxupd_known_module known = {
		.version = { 1, 5, 6 },
		.has_svn = true,
		.svn = 0x0106,
		.has_handoff = true,
	};
	struct scene scene = scene_new();

	(void)state;
	drop_running_image(&scene);
	scene.catalog->known = &known;
	scene.catalog->known_count = 1;
	assert_passed(check_image(&scene));
	known.module_hv = 1;
	known.no_downgrade = true;
	assert_only(check_image(&scene), TDXUPD_CHECK_HANDOFF_RANGE,
		    TDXUPD_SEVERITY_REFUSE, NULL, NULL);
	known.has_handoff = false;
	assert_only(check_image(&scene), TDXUPD_CHECK_HANDOFF_RANGE,
		    TDXUPD_SEVERITY_UNKNOWN, NULL, NULL);
	scene.catalog->known = NULL;
	scene.catalog->known_count = 0;
	scene_done(&scene);
}

static void test_a_blocked_image_still_tells_what_runs(void **state)
{
	struct scene scene = scene_new();

	(void)state;
	assert_int_equal(tdxupd_report_add(scene.running->report, TDXUPD_CHECK_BLOCKED,
					   TDXUPD_SEVERITY_REFUSE, NULL, NULL),
			 0);
	assert_passed(check_image(&scene));
	scene_done(&scene);
}

static void test_overrides_turn_into_warnings(void **state)
{
	static const struct {
		void (*change)(struct scene *scene);
		enum tdxupd_check check;
		bool is_passed;
	} cases[] = {
		{ lose_feature, TDXUPD_CHECK_FEATURES_LOST, true },
		{ forget_features, TDXUPD_CHECK_FEATURES_LOST, true },
		/* Known to be wrong is fatal, and nobody's to accept. */
		{ set_handoff_low, TDXUPD_CHECK_HANDOFF_RANGE, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scene scene = scene_new();
		struct tdxupd_report *report;

		assert_int_equal(tdxupd_policy_accept(scene.policy, cases[i].check), 0);
		cases[i].change(&scene);
		report = check_image(&scene);
		assert_int_equal(tdxupd_report_count(report), 1);
		assert_int_equal(tdxupd_report_is_passed(report), cases[i].is_passed);
		tdxupd_report_free(report);
		scene_done(&scene);
	}
}

static void test_an_unknown_handoff_may_be_accepted(void **state)
{
	struct scene scene = scene_new();
	struct tdxupd_report *report;

	(void)state;
	assert_int_equal(tdxupd_policy_accept(scene.policy, TDXUPD_CHECK_HANDOFF_RANGE),
			 0);
	drop_running_image(&scene);
	report = check_image(&scene);
	for (size_t i = 0; i < tdxupd_report_count(report); i++) {
		const struct tdxupd_verdict *verdict = tdxupd_report_get(report, i);

		assert_int_equal(verdict->severity,
				 verdict->check == TDXUPD_CHECK_HANDOFF_RANGE
					 ? TDXUPD_SEVERITY_WARN
					 : TDXUPD_SEVERITY_UNKNOWN);
	}
	tdxupd_report_free(report);
	scene_done(&scene);
}

/* ---- records ---- */

/* 1.5.20 runs: its SVN is on record, its handoff version is not. */
static void run_recorded(struct scene *scene, struct tdxupd_known_module *known)
{
	*known = (struct tdxupd_known_module){
		.version = { 1, 5, 6 },
		.has_svn = true,
		.svn = 0x0106,
	};
	drop_running_image(scene);
	scene->catalog->known = known;
	scene->catalog->known_count = 1;
	scene->next->is_known = true;
	scene->next->image->module_hv = 2;
}

static void take_over_from_one(struct scene *s)
{
	s->next->image->min_update_hv = 1;
}
static void be_older(struct scene *s)
{
	s->next->version = facts_version("1.5.05");
	facts_release(s->next)->min_module_version = facts_version("1.5.01");
}
static void be_named_only(struct scene *s)
{
	s->next->is_known = false;
}
static void change_nothing(struct scene *s)
{
	(void)s;
}

/* The whole table of the one inference, and of what may be accepted instead of it. */
static void test_handoff_is_inferred_or_accepted(void **state)
{
	static const struct {
		void (*change)(struct scene *scene);
		bool is_accepted, is_passed;
	} cases[] = {
		{ change_nothing, false, true },      { change_nothing, true, true },
		{ take_over_from_one, false, false }, { take_over_from_one, true, true },
		{ be_older, false, false },           { be_older, true, true },
		{ be_named_only, false, false },      { be_named_only, true, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tdxupd_known_module known;
		struct scene scene = scene_new();
		struct tdxupd_report *report;

		run_recorded(&scene, &known);
		cases[i].change(&scene);
		if (cases[i].is_accepted)
			assert_int_equal(tdxupd_policy_accept(scene.policy,
							      TDXUPD_CHECK_HANDOFF_RANGE),
					 0);
		report = check_image(&scene);
		assert_int_equal(tdxupd_report_is_passed(report), cases[i].is_passed);
		/* Never in silence. */
		assert_true(tdxupd_report_has(report, TDXUPD_CHECK_HANDOFF_RANGE));
		tdxupd_report_free(report);
		scene.catalog->known = NULL;
		scene.catalog->known_count = 0;
		scene_done(&scene);
	}
}

/* File and record differ and neither is known to be wrong: both must let it pass. */
static void test_disputed_features_are_unknown(void **state)
{
	static const struct {
		uint64_t recorded;
		bool is_passed;
	} cases[] = { { UINT64_C(0x22e1f0fbf), true }, { UINT64_C(0x2e1f0fbe), false } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scene scene = scene_new();
		struct tdxupd_release *release = facts_release(scene.next);
		struct tdxupd_report *report;

		release->is_features0_disputed = true;
		release->recorded_features0 = cases[i].recorded;
		report = check_image(&scene);
		assert_int_equal(tdxupd_report_is_passed(report), cases[i].is_passed);
		if (!cases[i].is_passed)
			assert_int_equal(tdxupd_report_get(report, 0)->severity,
					 TDXUPD_SEVERITY_UNKNOWN);
		tdxupd_report_free(report);
		scene_done(&scene);
	}
}

/* An image by its name only, and a record, that cannot both be what runs. */
static void test_evidence_that_disagrees_is_unknown(void **state)
{
	struct tdxupd_known_module known = {
		.version = { 1, 5, 6 },
		.has_svn = true,
		.svn = 0x0105,
		.has_handoff = true,
	};
	struct scene scene = scene_new();
	struct tdxupd_module_facts facts;

	(void)state;
	scene.catalog->known = &known;
	scene.catalog->known_count = 1;
	tdxupd_compat_running(scene.host, scene.catalog, &facts);
	assert_int_equal(facts.identity, TDXUPD_IDENTITY_DISPUTED);
	assert_false(facts.has_svn);
	assert_false(facts.has_handoff);
	assert_true(strlen(facts.dispute) > 0);
	known.svn = 0x0106;
	tdxupd_compat_running(scene.host, scene.catalog, &facts);
	assert_int_equal(facts.identity, TDXUPD_IDENTITY_IMAGE);
	assert_true(facts.has_svn);
	scene.catalog->known = NULL;
	scene.catalog->known_count = 0;
	scene_done(&scene);
}

/*
 * The kernel shows MRSEAM and TEE_TCB_SVN: what they are held against, and what follows.
 * Digests are of one repeated byte here.
 */
static void test_the_measurement_tells_what_runs(void **state)
{
	static const struct {
		uint8_t mrseam, recorded, image; /* 0: there is none */
		uint16_t svn;                    /* 0: not shown */
		const char *recorded_version;
		enum tdxupd_identity identity;
		bool has_svn, has_handoff;
	} cases[] = {
		/* all agree */
		{ 1, 1, 1, 0x0106, "1.5.06", TDXUPD_IDENTITY_MRSEAM, true, true },
		{ 1, 1, 0, 0x0106, "1.5.06", TDXUPD_IDENTITY_MRSEAM, true, true },
		{ 1, 0, 1, 0x0106, NULL, TDXUPD_IDENTITY_MRSEAM, true, true },
		/* neither image nor record: the kernel tells the SVN, nobody the rest */
		{ 1, 0, 0, 0x0106, NULL, TDXUPD_IDENTITY_MRSEAM, true, false },
		{ 1, 0, 0, 0, NULL, TDXUPD_IDENTITY_MRSEAM, false, false },
		/* an image of this version with another MRSEAM is not what runs */
		{ 1, 0, 2, 0x0106, NULL, TDXUPD_IDENTITY_MRSEAM, true, false },
		{ 1, 1, 2, 0x0106, "1.5.06", TDXUPD_IDENTITY_MRSEAM, true, true },
		/* contradictions */
		{ 1, 2, 0, 0x0106, "1.5.06", TDXUPD_IDENTITY_DISPUTED, false, false },
		{ 1, 1, 0, 0x0106, "1.5.08", TDXUPD_IDENTITY_DISPUTED, false, false },
		{ 1, 1, 0, 0x0107, "1.5.06", TDXUPD_IDENTITY_DISPUTED, false, false },
		{ 1, 0, 1, 0x0107, NULL, TDXUPD_IDENTITY_DISPUTED, false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tdxupd_known_module known = {
			.has_mrseam = true,
			.has_svn = true,
			.svn = 0x0106,
			.has_handoff = true,
		};
		struct scene scene = scene_new();
		struct tdxupd_module_facts facts;

		scene.host->has_mrseam = true;
		memset(&scene.host->mrseam, cases[i].mrseam, sizeof(known.mrseam));
		scene.host->has_tee_tcb_svn = cases[i].svn;
		scene.host->tee_tcb_svn[0] = cases[i].svn & 0xff;
		scene.host->tee_tcb_svn[1] = cases[i].svn >> 8;
		if (cases[i].image)
			memset(&scene.running->image->mrseam, cases[i].image,
			       sizeof(known.mrseam));
		else
			drop_running_image(&scene);
		if (cases[i].recorded) {
			memset(&known.mrseam, cases[i].recorded, sizeof(known.mrseam));
			known.version = facts_version(cases[i].recorded_version);
			scene.catalog->known = &known;
			scene.catalog->known_count = 1;
		}
		tdxupd_compat_running(scene.host, scene.catalog, &facts);
		print_message("case %zu: %s %s\n", i,
			      tdxupd_identity_to_string(facts.identity), facts.dispute);
		assert_int_equal(facts.identity, cases[i].identity);
		assert_int_equal(facts.has_svn, cases[i].has_svn);
		assert_int_equal(facts.has_handoff, cases[i].has_handoff);
		assert_int_equal(!facts.dispute[0],
				 facts.identity != TDXUPD_IDENTITY_DISPUTED);
		assert_int_equal(facts.version.update, 6);
		scene.catalog->known = NULL;
		scene.catalog->known_count = 0;
		scene_done(&scene);
	}
}

/* ---- the host ---- */

static void be_absent(struct scene *s)
{
	*s->host = (struct tdxupd_host){};
}
static void be_lost(struct scene *s)
{
	s->host->state = TDXUPD_TDX_LOST;
}
static void be_unknown(struct scene *s)
{
	s->host->state = TDXUPD_TDX_UNKNOWN;
}
static void drop_support(struct scene *s)
{
	s->host->features0 &= ~TDXUPD_FEATURE_TD_PRESERVING;
}
static void drop_interface(struct scene *s)
{
	s->host->has_fw_upload = false;
}
static void have_trigger_only(struct scene *s)
{
	s->host->has_fw_upload = false;
	s->host->has_trigger = true;
}
static void have_bug(struct scene *s)
{
	s->host->has_cpu_bug = true;
}
static void forget_bugs(struct scene *s)
{
	s->host->has_cpu_bugs = false;
}
static void take_cpu_offline(struct scene *s)
{
	tdxupd_cpuset_parse("0,2", &s->host->online);
}
static void unplug_cpu(struct scene *s)
{
	tdxupd_cpuset_parse("0-2", &s->host->online);
	tdxupd_cpuset_parse("0-2", &s->host->present);
}
static void forget_cpus(struct scene *s)
{
	s->host->has_cpus = false;
}
static void empty_cpus(struct scene *s)
{
	tdxupd_cpuset_parse("", &s->host->online);
	tdxupd_cpuset_parse("", &s->host->present);
	tdxupd_cpuset_parse("", &s->host->possible);
}
static void use_up(struct scene *s)
{
	s->host->remaining_updates = 0;
}
static void keep_reserve(struct scene *s)
{
	s->host->remaining_updates = 3;
	s->policy->reserve_updates = 3;
}
static void keep_smaller_reserve(struct scene *s)
{
	s->host->remaining_updates = 4;
	s->policy->reserve_updates = 3;
}
static void keep_huge_reserve(struct scene *s)
{
	s->policy->reserve_updates = UINT32_MAX;
}
static void forget_updates(struct scene *s)
{
	s->host->has_remaining_updates = false;
}

static void test_rules_of_a_host(void **state)
{
	static const struct {
		void (*change)(struct scene *scene);
		enum tdxupd_check check;
		enum tdxupd_severity severity;
		const char *found, *wanted;
	} cases[] = {
		{ be_absent, TDXUPD_CHECK_TDX_ABSENT, REFUSE, NULL, NULL },
		{ be_lost, TDXUPD_CHECK_TDX_LOST, REFUSE, NULL, NULL },
		{ be_unknown, TDXUPD_CHECK_TDX_LOST, DOUBT, NULL, NULL },
		{ drop_support, TDXUPD_CHECK_UPDATE_UNSUPPORTED, REFUSE,
		  "FEATURES0 0x2e1f0fbd", "bit 1" },
		{ drop_interface, TDXUPD_CHECK_INTERFACE_MISSING, REFUSE, NULL, NULL },
		{ have_trigger_only, NONE, 0, NULL, NULL },
		{ have_bug, TDXUPD_CHECK_CPU_BUG, REFUSE, "seamret_invd_vmcs", NULL },
		{ forget_bugs, TDXUPD_CHECK_CPU_BUG, DOUBT, NULL, NULL },
		{ take_cpu_offline, TDXUPD_CHECK_CPU_OFFLINE, REFUSE, "CPU 1,3 offline",
		  "all online" },
		{ unplug_cpu, TDXUPD_CHECK_CPU_ABSENT, DOUBT,
		  "CPU 3 possible and not present", NULL },
		{ forget_cpus, TDXUPD_CHECK_CPU_OFFLINE, DOUBT, NULL, NULL },
		{ empty_cpus, TDXUPD_CHECK_CPU_OFFLINE, DOUBT, NULL, NULL },
		{ use_up, TDXUPD_CHECK_UPDATES_EXHAUSTED, REFUSE,
		  "0 left, 0 of them in reserve", "1" },
		{ keep_reserve, TDXUPD_CHECK_UPDATES_EXHAUSTED, REFUSE,
		  "3 left, 3 of them in reserve", "1" },
		{ keep_smaller_reserve, NONE, 0, NULL, NULL },
		{ keep_huge_reserve, TDXUPD_CHECK_UPDATES_EXHAUSTED, REFUSE, NULL, NULL },
		{ forget_updates, TDXUPD_CHECK_UPDATES_EXHAUSTED, DOUBT, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scene scene = scene_new();
		struct tdxupd_report *report;

		cases[i].change(&scene);
		report = check_host(&scene, 1);
		if (cases[i].check == NONE)
			assert_passed(report);
		else
			assert_only(report, cases[i].check, cases[i].severity,
				    cases[i].found, cases[i].wanted);
		scene_done(&scene);
	}
}

static void test_several_updates_need_as_many_slots(void **state)
{
	struct scene scene = scene_new();

	(void)state;
	assert_passed(check_host(&scene, 12));
	assert_only(check_host(&scene, 13), TDXUPD_CHECK_UPDATES_EXHAUSTED, REFUSE, NULL,
		    "13");
	assert_int_equal(compat_get_budget(scene.host, scene.policy), 12);
	scene_done(&scene);
}

static void test_empty_slots_may_be_accepted_and_offline_cpus_not(void **state)
{
	struct scene scene = scene_new();
	struct tdxupd_report *report;

	(void)state;
	assert_int_equal(tdxupd_policy_accept(scene.policy, TDXUPD_CHECK_CPU_OFFLINE),
			 -EPERM);
	assert_int_equal(tdxupd_policy_accept(scene.policy, TDXUPD_CHECK_CPU_ABSENT), 0);
	unplug_cpu(&scene);
	report = check_host(&scene, 1);
	assert_true(tdxupd_report_is_passed(report));
	tdxupd_report_free(report);
	take_cpu_offline(&scene);
	report = check_host(&scene, 1);
	assert_false(tdxupd_report_is_passed(report));
	tdxupd_report_free(report);
	forget_cpus(&scene);
	report = check_host(&scene, 1);
	assert_false(tdxupd_report_is_passed(report));
	tdxupd_report_free(report);
	scene_done(&scene);
}

static void test_bad_arguments(void **state)
{
	struct scene scene = scene_new();

	(void)state;
	assert_int_equal(tdxupd_compat_check_host(scene.host, scene.policy, 1, NULL),
			 -EINVAL);
	assert_int_equal(tdxupd_compat_check_image(scene.host, NULL, scene.next,
						   scene.policy, NULL),
			 -EINVAL);
	scene_done(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_speaks_against_a_good_pair),
		cmocka_unit_test(test_rules_of_a_pair),
		cmocka_unit_test(test_all_reasons_are_given),
		cmocka_unit_test(test_an_unknown_running_module_is_doubted),
		cmocka_unit_test(test_the_record_tells_what_runs),
		cmocka_unit_test(test_a_blocked_image_still_tells_what_runs),
		cmocka_unit_test(test_overrides_turn_into_warnings),
		cmocka_unit_test(test_an_unknown_handoff_may_be_accepted),
		cmocka_unit_test(test_handoff_is_inferred_or_accepted),
		cmocka_unit_test(test_disputed_features_are_unknown),
		cmocka_unit_test(test_evidence_that_disagrees_is_unknown),
		cmocka_unit_test(test_the_measurement_tells_what_runs),
		cmocka_unit_test(test_rules_of_a_host),
		cmocka_unit_test(test_several_updates_need_as_many_slots),
		cmocka_unit_test(test_empty_slots_may_be_accepted_and_offline_cpus_not),
		cmocka_unit_test(test_bad_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
