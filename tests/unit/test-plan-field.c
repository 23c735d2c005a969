// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The hosts of the field: what runs there, on which CPU, beside which state of Intel's
 * mapping file. Images are values with what is on record of the published ones; handoff
 * versions that are not on record are those of the module before.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>

#include "catalog-mapping.h"
#include "catalog-release.h"
#include "facts.h"
#include "io.h"
#include "known.h"
#include "test.h"
#include "util.h"

#define SKIPPED 77

/* CPUID.1 EAX of Sapphire Rapids, Emerald Rapids, Sierra Forest and Granite Rapids. */
#define SPR_SIGNATURE 0x806f8
#define EMR_SIGNATURE 0xc06f2
#define SRF_SIGNATURE 0xa06f3
#define GNR_SIGNATURE 0xa06d1

static struct tdxupd_known_module *known;
static size_t known_count;
static int mappings_fd;

/* NULL: no mapping file at all, as Intel's newer releases come. */
static const char *const mappings[] = { "2026-53e0e6e.json", "2026-14c28ce.json", NULL };

static const char *const images[] = { "1.5.16", "1.5.24", "1.5.25", "1.5.28", "1.5.34",
				      "2.0.08", "2.0.14", "2.0.16", "2.0.18" };

static uint8_t *read_text(int dir_fd, const char *name, size_t *ret_bytes)
{
	uint8_t *text = NULL;
	int r = io_read_file(dir_fd, name, MAPPING_BYTES_MAX, &text, ret_bytes);

	if (r < 0)
		errx(1, "%s: %s", name, io_strerror(r));
	return text;
}

static void add_image(struct tdxupd_catalog *catalog, const char *version)
{
	struct tdxupd_entry *entry = &catalog->entries[catalog->entry_count++];
	struct tdxupd_image *image = calloc(1, sizeof(*image));
	const struct tdxupd_known_module *record;

	entry->version = facts_version(version);
	record = known_find(known, known_count, &entry->version);
	assert_non_null(record);
	assert_non_null(image);
	image->svn = record->svn;
	image->mrseam = record->mrseam;
	image->module_hv = record->module_hv;
	image->no_downgrade = record->no_downgrade;
	image->cpu_count = record->cpu_count;
	memcpy(image->cpus, record->cpus, sizeof(record->cpus));
	entry->name = strdup(version);
	entry->has_version = true;
	entry->is_known = true;
	entry->known = record;
	entry->image = image;
	entry->release = tdxupd_catalog_find_release(catalog, &entry->version);
	assert_int_equal(tdxupd_report_new(&entry->report), 0);
}

static struct tdxupd_catalog *make_catalog(const char *mapping)
{
	struct tdxupd_catalog *catalog = facts_catalog(ARRAY_SIZE(images));

	if (mapping) {
		size_t bytes;
		_cleanup_(cleanup_free)
		uint8_t *text = read_text(mappings_fd, mapping, &bytes);

		free(catalog->releases);
		catalog->releases = NULL;
		assert_int_equal(mapping_parse((char *)text, bytes, &catalog->releases,
					       &catalog->release_count, NULL),
				 0);
	}
	assert_int_equal(releases_add_records(&catalog->releases, &catalog->release_count,
					      known, known_count, "mapping_file.json",
					      NULL),
			 0);
	catalog->known = known;
	catalog->known_count = known_count;
	return catalog;
}

static void drop_catalog(struct tdxupd_catalog *catalog)
{
	for (size_t i = 0; i < catalog->release_count; i++)
		free(catalog->releases[i].strict_compat_versions);
	facts_catalog_free(catalog);
}

static struct tdxupd_host *make_host(uint32_t signature, const char *running)
{
	struct tdxupd_host *host = facts_host();

	host->module_version = facts_version(running);
	host->sockets[0].signature = signature;
	/* Mainline shows none. */
	host->has_features0 = false;
	if (signature != SPR_SIGNATURE && signature != EMR_SIGNATURE)
		host->seamldr_version = facts_version("2.0.00");
	return host;
}

struct expectation {
	uint32_t signature;
	const char *running;
	const char *to; /* NULL: nothing newer */
	bool is_inferred;
	/* by the mapping file of early 2026 alone it would be refused */
	bool is_outdated;
	enum tdxupd_build_harm harm;
};

#define UNKNOWN TDXUPD_BUILD_HARM_UNKNOWN
#define HURT    TDXUPD_BUILD_HARM_CERTAIN
#define FINE    TDXUPD_BUILD_HARM_NONE

static const struct expectation expectations[] = {
	{ SPR_SIGNATURE, "1.5.06", "1.5.34", false, false, UNKNOWN },
	{ SPR_SIGNATURE, "1.5.16", "1.5.34", false, false, UNKNOWN },
	{ SPR_SIGNATURE, "1.5.20", "1.5.34", true, false, UNKNOWN },
	{ SPR_SIGNATURE, "1.5.24", "1.5.34", true, false, UNKNOWN },
	{ SPR_SIGNATURE, "1.5.28", "1.5.34", false, false, HURT },
	{ SPR_SIGNATURE, "1.5.34", NULL, false, false, UNKNOWN },
	{ EMR_SIGNATURE, "1.5.20", "1.5.34", true, false, UNKNOWN },
	{ EMR_SIGNATURE, "1.5.28", "1.5.34", false, false, HURT },
	{ EMR_SIGNATURE, "1.5.34", NULL, false, false, UNKNOWN },
	{ SRF_SIGNATURE, "1.5.20", "1.5.34", true, false, UNKNOWN },
	{ SRF_SIGNATURE, "1.5.25", "1.5.34", true, false, UNKNOWN },
	{ SRF_SIGNATURE, "1.5.28", "1.5.34", false, false, HURT },
	{ GNR_SIGNATURE, "2.0.04", "2.0.18", false, true, UNKNOWN },
	{ GNR_SIGNATURE, "2.0.05", "2.0.18", false, false, UNKNOWN },
	{ GNR_SIGNATURE, "2.0.08", "2.0.18", false, true, UNKNOWN },
	{ GNR_SIGNATURE, "2.0.12", "2.0.18", true, false, UNKNOWN },
	{ GNR_SIGNATURE, "2.0.16", "2.0.18", false, false, FINE },
	{ GNR_SIGNATURE, "2.0.18", NULL, false, false, UNKNOWN },
};

static const struct tdxupd_candidate *last_step(const struct tdxupd_plan *plan)
{
	assert_int_equal(plan->step_count, 1);
	return &plan->candidates[plan->steps[0]];
}

static const struct tdxupd_verdict *find_verdict(const struct tdxupd_report *report,
						 enum tdxupd_check check)
{
	for (size_t i = 0; i < tdxupd_report_count(report); i++)
		if (tdxupd_report_get(report, i)->check == check)
			return tdxupd_report_get(report, i);
	return NULL;
}

static void check_step(const struct expectation *wanted, const struct tdxupd_host *host,
		       const struct tdxupd_catalog *catalog,
		       const struct tdxupd_plan *plan, bool is_old_mapping)
{
	const struct tdxupd_candidate *step = last_step(plan);
	const struct tdxupd_verdict *handoff =
		find_verdict(step->report, TDXUPD_CHECK_HANDOFF_RANGE);
	const struct tdxupd_verdict *features =
		find_verdict(step->report, TDXUPD_CHECK_MAPPING_OUTDATED);
	struct tdxupd_module_facts from, to = { .has_crypto_context = false };
	const struct tdxupd_version target = facts_version(wanted->to);

	assert_int_equal(tdxupd_version_compare(&plan->to, &target), 0);
	assert_int_equal(!!handoff, wanted->is_inferred);
	if (handoff)
		assert_non_null(strstr(handoff->found, "inferred"));
	/* The record knows better than the outdated file, and says so. */
	assert_int_equal(!!features, wanted->is_outdated && is_old_mapping);
	if (features)
		assert_non_null(strstr(features->found, "a newer one differs"));
	tdxupd_compat_running(host, catalog, &from);
	assert_int_equal(from.identity, TDXUPD_IDENTITY_RECORD);
	to.has_crypto_context = step->entry->known->has_crypto_context;
	to.crypto_context = step->entry->known->crypto_context;
	assert_int_equal(tdxupd_compat_build_harm(&from, &to), wanted->harm);
}

static void check_host(const struct expectation *wanted, size_t mapping)
{
	struct tdxupd_catalog *catalog = make_catalog(mappings[mapping]);
	struct tdxupd_host *host = make_host(wanted->signature, wanted->running);
	struct tdxupd_policy *policy;
	struct tdxupd_plan *plan = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(images); i++)
		if (strcmp(images[i], wanted->running) != 0)
			add_image(catalog, images[i]);
	assert_int_equal(tdxupd_policy_new(&policy), 0);
	assert_int_equal(tdxupd_plan_new(host, catalog, policy, NULL, &plan), 0);
	print_message("%X %s %s: %s%s\n", wanted->signature, wanted->running,
		      mappings[mapping] ? mappings[mapping] : "no mapping",
		      tdxupd_plan_result_to_string(plan->result),
		      wanted->to ? "" : " (nothing newer)");
	assert_int_equal(plan->result,
			 wanted->to ? TDXUPD_PLAN_UPDATE : TDXUPD_PLAN_CURRENT);
	if (wanted->to)
		check_step(wanted, host, catalog, plan, mapping == 0);
	tdxupd_plan_free(plan);
	tdxupd_policy_free(policy);
	free(host);
	drop_catalog(catalog);
}

static void test_every_host_of_the_field_has_a_plan(void **state)
{
	(void)state;
	for (size_t m = 0; m < ARRAY_SIZE(mappings); m++)
		for (size_t i = 0; i < ARRAY_SIZE(expectations); i++)
			check_host(&expectations[i], m);
}

/* From 1.5.28 and 2.0.16 on there is no way back at run time. */
static void test_no_way_back(void **state)
{
	static const struct {
		uint32_t signature;
		const char *running, *target;
	} cases[] = {
		{ SPR_SIGNATURE, "1.5.34", "1.5.28" },
		{ SPR_SIGNATURE, "1.5.28", "1.5.24" },
		{ SPR_SIGNATURE, "1.5.20", "1.5.16" }, /* unknown is no yes */
		{ GNR_SIGNATURE, "2.0.18", "2.0.16" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tdxupd_catalog *catalog = make_catalog(mappings[1]);
		struct tdxupd_host *host =
			make_host(cases[i].signature, cases[i].running);
		const struct tdxupd_version target = facts_version(cases[i].target);
		struct tdxupd_policy *policy;
		struct tdxupd_plan *plan = NULL;

		for (size_t j = 0; j < ARRAY_SIZE(images); j++)
			add_image(catalog, images[j]);
		assert_int_equal(tdxupd_policy_new(&policy), 0);
		assert_int_equal(tdxupd_plan_new(host, catalog, policy, &target, &plan),
				 0);
		assert_int_equal(plan->result, TDXUPD_PLAN_BLOCKED);
		tdxupd_plan_free(plan);
		tdxupd_policy_free(policy);
		free(host);
		drop_catalog(catalog);
	}
}

static void read_inputs(void)
{
	const char *source = getenv("TDXUPD_SOURCE");
	int source_fd = open(source ? source : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	size_t bytes;
	uint8_t *text = read_text(source_fd, "libtdxupd/known-modules.json", &bytes);

	if (known_parse((char *)text, bytes, &known, &known_count, NULL) < 0)
		errx(1, "known-modules.json");
	free(text);
	mappings_fd = openat(source_fd, "../shared/field/mappings",
			     O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	close(source_fd);
	if (mappings_fd < 0) {
		printf("skipped: no mapping files of the field in ../shared/field\n");
		exit(SKIPPED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_host_of_the_field_has_a_plan),
		cmocka_unit_test(test_no_way_back),
	};
	int r;

	read_inputs();
	r = cmocka_run_group_tests(tests, NULL, NULL);
	free(known);
	return r;
}
