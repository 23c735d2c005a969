// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Host x images x holds x configuration -> one word. The table has each word's cases; the
 * walk goes through all combinations and holds "nothing to do" to its one meaning.
 */
#include <errno.h>

#include "test.h"
#include "facts.h"

/*
 * @host: letters: l lost, a absent, v version unreadable, o a CPU offline, e an empty
 *	slot for a CPU, x no slots, b CPU bug, u no interface, c CPUs unknown
 * @images: versions, each with letters: d damaged so that nothing can be parsed, s bad
 *	signature, b in Blocked=, m not in AllowedMrSeam=, c for another CPU, h handoff
 *	range, n nothing tells its version (then with the SVN of 1.5.06)
 * @holds: versions or "all", with f for those that failed
 */
struct facts {
	const char *host;
	const char *images;
	const char *holds;
	const char *pin;
	const char *target;
};

struct scene {
	struct tdxupd_host *host;
	struct tdxupd_catalog *catalog;
	struct tdxupd_policy *policy;
};

static bool has(const char *letters, char letter)
{
	return letters && strchr(letters, letter);
}

static void set_host(struct tdxupd_host *host, const char *letters)
{
	if (has(letters, 'l'))
		host->state = TDXUPD_TDX_LOST;
	if (has(letters, 'a'))
		host->state = TDXUPD_TDX_ABSENT;
	if (has(letters, 'v'))
		host->state = TDXUPD_TDX_UNKNOWN;
	if (host->state != TDXUPD_TDX_LIVE)
		host->module_version = (struct tdxupd_version){ 0 };
	if (has(letters, 'o'))
		tdxupd_cpuset_parse("0-2", &host->online);
	if (has(letters, 'e'))
		tdxupd_cpuset_parse("0-7", &host->possible);
	if (has(letters, 'x'))
		host->remaining_updates = 0;
	host->has_cpu_bug = has(letters, 'b');
	host->has_fw_upload = !has(letters, 'u');
	if (has(letters, 'c'))
		host->socket_count = 0;
}

static void refuse(struct tdxupd_entry *entry, enum tdxupd_check check)
{
	assert_int_equal(tdxupd_report_add(entry->report, check, TDXUPD_SEVERITY_REFUSE,
					   NULL, NULL),
			 0);
}

static void add_image(struct tdxupd_catalog *catalog, const char *version,
		      const char *letters)
{
	struct tdxupd_entry *entry = facts_add(catalog, version);

	if (has(letters, 's'))
		refuse(entry, TDXUPD_CHECK_SIGNATURE_INVALID);
	if (has(letters, 'b'))
		refuse(entry, TDXUPD_CHECK_BLOCKED);
	if (has(letters, 'm'))
		refuse(entry, TDXUPD_CHECK_MRSEAM_NOT_ALLOWED);
	if (has(letters, 'c'))
		entry->image->cpus[1] = 0xa06d0;
	if (has(letters, 'h'))
		entry->image->min_update_hv = entry->image->module_hv = 7;
	if (has(letters, 'n')) {
		entry->has_version = false;
		facts_unmap(entry);
		refuse(entry, TDXUPD_CHECK_VERSION_UNKNOWN);
	}
	if (has(letters, 'd')) {
		free(entry->image);
		entry->image = NULL;
		refuse(entry, TDXUPD_CHECK_IMAGE_MAGIC);
	}
}

/* "1.5.16f" -> "1.5.16" and "f". */
static const char *split(const char *word, char *ret_version)
{
	size_t length = strspn(word, "0123456789.");

	memcpy(ret_version, word, length);
	ret_version[length] = '\0';
	return word + length;
}

static void add_hold(struct tdxupd_policy *policy, const char *word)
{
	char version[32];
	const char *letters = split(word, version);
	struct tdxupd_hold hold = {
		.is_all = strcmp(word, "all") == 0,
		.is_failed = strcmp(letters, "f") == 0,
		.since_usec = UINT64_C(1796407560000000),
		.reason = (char *)"a word",
		.by = (char *)"uid 1000",
	};

	if (!hold.is_all)
		hold.version = facts_version(version);
	assert_int_equal(tdxupd_policy_hold(policy, &hold), 0);
}

static struct scene scene_new(const struct facts *facts)
{
	struct scene scene = { .host = facts_host(), .catalog = facts_catalog(16) };
	char images[256], holds[128], version[32], *word, *save = NULL;
	struct tdxupd_version pin;

	assert_int_equal(tdxupd_policy_new(&scene.policy), 0);
	set_host(scene.host, facts->host);
	snprintf(images, sizeof(images), "%s", facts->images);
	for (word = strtok_r(images, " ", &save); word;
	     word = strtok_r(NULL, " ", &save)) {
		const char *letters = split(word, version);

		add_image(scene.catalog, version, letters);
	}
	snprintf(holds, sizeof(holds), "%s", facts->holds ? facts->holds : "");
	for (word = strtok_r(holds, " ", &save); word; word = strtok_r(NULL, " ", &save))
		add_hold(scene.policy, word);
	if (facts->pin) {
		pin = facts_version(facts->pin);
		tdxupd_policy_pin(scene.policy, &pin);
		assert_int_equal(
			tdxupd_policy_explain_pin(scene.policy, 0, "the verifiers", NULL),
			0);
	}
	return scene;
}

static void scene_done(struct scene *scene)
{
	free(scene->host);
	facts_catalog_free(scene->catalog);
	tdxupd_policy_free(scene->policy);
}

static struct tdxupd_plan *plan_of(const struct scene *scene, const struct facts *facts)
{
	struct tdxupd_version target;
	struct tdxupd_plan *plan;

	if (facts->target)
		target = facts_version(facts->target);
	assert_int_equal(tdxupd_plan_new(scene->host, scene->catalog, scene->policy,
					 facts->target ? &target : NULL, &plan),
			 0);
	return plan;
}

/* "update 1.5.16", "current", "held": the word, and for an update where it leads. */
static const char *word_of(const struct tdxupd_plan *plan, char *ret, size_t size)
{
	char to[TDXUPD_VERSION_TEXT_BYTES];

	assert_int_equal(plan->reason == TDXUPD_REASON_NONE,
			 plan->result != TDXUPD_PLAN_BLOCKED);
	assert_int_equal(plan->why != NULL, plan->result == TDXUPD_PLAN_BLOCKED);
	assert_int_equal(plan->advice != NULL, plan->result == TDXUPD_PLAN_BLOCKED);
	if (plan->result == TDXUPD_PLAN_UPDATE)
		snprintf(ret, size, "update %s", tdxupd_version_format(&plan->to, to));
	else
		snprintf(ret, size, "%s",
			 plan->result == TDXUPD_PLAN_CURRENT
				 ? "current"
				 : tdxupd_reason_to_string(plan->reason));
	return ret;
}

/* ---- the table ---- */

static const struct row {
	struct facts facts;
	const char *word;
	const char *why;
	const char *advice;
} rows[] = {
	/* what runs is the newest that may be used */
	{ { .images = "1.5.06 1.5.16" }, "update 1.5.16", NULL, NULL },
	{ { .images = "1.5.05 1.5.06" }, "current", NULL, NULL },
	{ { .images = "1.5.05" }, "current", NULL, NULL },
	{ { .images = "1.5.06 1.5.16b" }, "current", NULL, NULL },
	{ { .images = "1.5.06 1.5.16m" }, "current", NULL, NULL },
	{ { .images = "1.5.16b" }, "current", NULL, NULL },
	{ { .images = "1.5.06 1.5.16c 2.0.05" }, "current", NULL, NULL },
	{ { .images = "1.5.06", .host = "o" }, "current", NULL, NULL },
	{ { .images = "1.5.06", .host = "x" }, "current", NULL, NULL },
	/* named: what runs is what was wanted, and needs no image */
	{ { .images = "", .target = "1.5.06" }, "current", NULL, NULL },
	{ { .images = "1.5.06 1.5.16", .target = "1.5.06" }, "current", NULL, NULL },
	{ { .images = "1.5.06", .target = "1.5.06", .holds = "all" },
	  "current",
	  NULL,
	  NULL },
	/* held */
	{ { .images = "1.5.06 1.5.16", .holds = "1.5.16" },
	  "held",
	  "1.5.16 is here, held since 2026-12-04 18:06 UTC by uid 1000: a word",
	  "`tdxupdctl unhold 1.5.16`: then" },
	{ { .images = "1.5.06 1.5.16", .holds = "all" },
	  "held",
	  "1.5.16 is here, and all updates are held since 2026-12-04 18:06 UTC by uid "
	  "1000: a word",
	  "`tdxupdctl unhold all`: then" },
	{ { .images = "1.5.06 1.5.16", .holds = "all 1.5.16f" },
	  "held",
	  "and all updates are held",
	  "`tdxupdctl unhold all` and `tdxupdctl reset-failed`: then" },
	{ { .images = "1.5.06 1.5.16", .holds = "all 1.5.16" },
	  "held",
	  "and all updates are held",
	  "`tdxupdctl unhold all` and `tdxupdctl unhold 1.5.16`: then" },
	{ { .images = "1.5.06 1.5.08 1.5.16", .holds = "1.5.16" },
	  "update 1.5.08",
	  NULL,
	  NULL },
	{ { .images = "1.5.06 1.5.16", .holds = "1.5.16", .target = "1.5.16" },
	  "held",
	  "1.5.16 is here, held",
	  "unhold 1.5.16" },
	{ { .images = "1.5.05 1.5.06", .holds = "all", .target = "1.5.05" },
	  "held",
	  "1.5.05 is here, and all",
	  "unhold all" },
	{ { .images = "1.5.06 1.5.16", .holds = "1.5.16", .host = "o" },
	  "held",
	  "1.5.16 is here, held",
	  "unhold" },
	/* the other way: a hold on a host that is current */
	{ { .images = "1.5.06", .holds = "all" }, "current", NULL, NULL },
	{ { .images = "1.5.06", .holds = "1.5.06" }, "current", NULL, NULL },
	{ { .images = "1.5.05 1.5.06", .holds = "1.5.05f 1.5.99" },
	  "current",
	  NULL,
	  NULL },
	{ { .images = "1.5.06 1.5.16b", .holds = "1.5.16" }, "current", NULL, NULL },
	/* failed */
	{ { .images = "1.5.06 1.5.16", .holds = "1.5.16f" },
	  "failed",
	  "1.5.16 is here, held since 2026-12-04 18:06 UTC by uid 1000: a word",
	  "`tdxupdctl reset-failed`: then" },
	{ { .images = "1.5.06 1.5.16", .holds = "1.5.16f", .target = "1.5.16" },
	  "failed",
	  "1.5.16 is here, held",
	  "reset-failed" },
	/* pinned */
	{ { .images = "1.5.06 1.5.16", .pin = "1.5.06" },
	  "pinned",
	  "1.5.16 is here, and 1.5.06 is pinned: the verifiers",
	  "`tdxupdctl unpin`" },
	{ { .images = "1.5.06 1.5.16", .pin = "1.5.06", .target = "1.5.16" },
	  "pinned",
	  "1.5.16 is here, and 1.5.06 is pinned",
	  "unpin" },
	{ { .images = "1.5.06", .pin = "1.5.06", .target = "1.5.16" },
	  "pinned",
	  "1.5.16 is not here, and 1.5.06 is pinned",
	  "unpin" },
	{ { .images = "1.5.06 1.5.16", .pin = "1.5.16" }, "update 1.5.16", NULL, NULL },
	{ { .images = "1.5.05 1.5.06", .pin = "1.5.06" }, "current", NULL, NULL },
	{ { .images = "1.5.06 1.5.16b", .pin = "1.5.06" }, "current", NULL, NULL },
	{ { .images = "", .pin = "1.5.06" }, "no-image", "no compatible image", "Put" },
	{ { .images = "1.5.06", .pin = "1.5.16" }, "no-image", "1.5.16", "no image of" },
	{ { .images = "1.5.06 1.5.16", .pin = "1.5.16", .holds = "1.5.16" },
	  "held",
	  "1.5.16 is here, held",
	  "unhold 1.5.16" },
	/* forbidden by the configuration, and asked for */
	{ { .images = "1.5.06 1.5.16b", .target = "1.5.16" },
	  "forbidden",
	  "1.5.16 is here: blocked by the administrator",
	  "Blocked=" },
	{ { .images = "1.5.06 1.5.16m", .target = "1.5.16" },
	  "forbidden",
	  "1.5.16 is here: measurement is not on the list",
	  "AllowedMrSeam=" },
	/* not to be trusted */
	{ { .images = "1.5.06 1.5.16s" }, "untrusted", "1.5.16 is here: signature", "" },
	{ { .images = "1.5.06 1.5.16d" }, "untrusted", "1.5.16 is here: not a TDX", "" },
	{ { .images = "1.5.06 1.5.16n" }, "untrusted", "is here: version is not", "" },
	/* for this host, and refused */
	{ { .images = "1.5.06 1.5.16", .host = "o" },
	  "refused",
	  "1.5.16 is here: a CPU is offline: found CPU 3 offline, wanted all online",
	  "Bring every CPU online" },
	{ { .images = "1.5.06 1.5.16", .host = "e" },
	  "refused",
	  "1.5.16 is here: cannot be ruled out: a possible CPU is not present",
	  "AcceptAbsentCpus=yes" },
	{ { .images = "1.5.06 1.5.16h" },
	  "refused",
	  "1.5.16 is here: modules do not",
	  "" },
	{ { .images = "1.5.06 1.5.16", .host = "c" }, "refused", "1.5.16 is here: ", "" },
	{ { .images = "1.5.06 1.5.16", .host = "v" },
	  "refused",
	  "cannot be ruled out: TDX is lost",
	  "" },
	{ { .images = "1.5.06 2.0.05", .target = "2.0.05" },
	  "refused",
	  "2.0.05 is here: ",
	  "" },
	/* the host can't */
	{ { .images = "1.5.06 1.5.16", .host = "x" },
	  "exhausted",
	  "1.5.16 is here: no update left",
	  "Reboot" },
	{ { .images = "1.5.06 1.5.16", .host = "b" },
	  "unsupported",
	  "1.5.16 is here",
	  "" },
	{ { .images = "1.5.06 1.5.16", .host = "u" },
	  "unsupported",
	  "1.5.16 is here",
	  "" },
	{ { .images = "1.5.06 1.5.16", .host = "a" }, "unsupported", "no TDX", "" },
	{ { .images = "1.5.06 1.5.16", .host = "l" }, "lost", "TDX is lost", "reboot" },
	{ { .images = "1.5.06 1.5.16", .host = "l", .holds = "1.5.16f" },
	  "lost",
	  "TDX is lost",
	  "reboot" },
	{ { .images = "", .host = "l" }, "lost", "TDX is lost", "reboot" },
	/* nothing here is for this host */
	{ { .images = "" }, "no-image", "no compatible image", "Put" },
	{ { .images = "", .holds = "all" }, "no-image", "no compatible image", "Put" },
	{ { .images = "2.0.05" }, "no-image", "none of the 1 here", "Put" },
	{ { .images = "1.5.05c 1.5.16c" }, "no-image", "none of the 2 here", "Put" },
	{ { .images = "1.5.05s" }, "no-image", "none of the 1 here", "Put" },
	{ { .images = "1.5.06", .target = "1.5.16" },
	  "no-image",
	  "there is no image of 1.5.16 here",
	  "1.5.16" },
};

static void test_the_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct scene scene = scene_new(&row->facts);
		struct tdxupd_plan *plan = plan_of(&scene, &row->facts);
		char word[48];

		word_of(plan, word, sizeof(word));
		if (strcmp(word, row->word) != 0)
			fail_msg("row %zu, images \"%s\": %s, not %s (%s)", i,
				 row->facts.images, word, row->word,
				 plan->why ? plan->why : "");
		if (row->why && !strstr(plan->why, row->why))
			fail_msg("row %zu: \"%s\" has no \"%s\"", i, plan->why, row->why);
		if (row->advice && !strstr(plan->advice, row->advice))
			fail_msg("row %zu: \"%s\" has no \"%s\"", i, plan->advice,
				 row->advice);
		tdxupd_plan_free(plan);
		scene_done(&scene);
	}
}

static void test_every_word_is_in_the_table(void **state)
{
	(void)state;
	for (int i = TDXUPD_REASON_NONE + 1; i < _TDXUPD_REASON_MAX; i++) {
		const char *word = tdxupd_reason_to_string((enum tdxupd_reason)i);
		bool is_there = false;

		for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++)
			is_there = is_there || strcmp(rows[r].word, word) == 0;
		if (!is_there)
			fail_msg("no row leads to \"%s\"", word);
	}
}

/* ---- the walk ---- */

#define EACH(name, list)                       \
	for (const char *const *name = (list); \
	     name < (list) + sizeof(list) / sizeof(*(list)); name++)

/* The meaning of "nothing to do", read from the letters and not from the plan. */
static bool is_nothing_to_do(const struct facts *facts)
{
	char images[256], version[32], *save = NULL;
	bool has_judged = false, has_riddle = false;

	if (has(facts->host, 'l') || has(facts->host, 'a') || has(facts->host, 'v'))
		return false;
	if (facts->target)
		return strcmp(facts->target, "1.5.06") == 0;
	if (facts->pin && strcmp(facts->pin, "1.5.06") != 0)
		return false;
	snprintf(images, sizeof(images), "%s", facts->images);
	for (char *word = strtok_r(images, " ", &save); word;
	     word = strtok_r(NULL, " ", &save)) {
		const char *letters = split(word, version);
		bool is_newer = strcmp(version, "1.5.06") > 0;

		if (strncmp(version, "1.5.", 4) != 0 ||
		    (has(letters, 'c') && !has(facts->host, 'c')))
			continue;
		if (has(letters, 'n')) {
			has_riddle = true;
			continue;
		}
		/* Whatever keeps it away, but for the configuration, is to be told. */
		if (is_newer && !has(letters, 'b') && !has(letters, 'm'))
			return false;
		has_judged = has_judged || (!has(letters, 's') && !has(letters, 'd') &&
					    !has(facts->host, 'c'));
	}
	return has_judged && !has_riddle;
}

static size_t walk(const struct facts *facts)
{
	struct scene scene = scene_new(facts);
	struct tdxupd_plan *plan = plan_of(&scene, facts);
	bool is_current = plan->result == TDXUPD_PLAN_CURRENT;
	char word[48];

	word_of(plan, word, sizeof(word));
	if (is_current != is_nothing_to_do(facts))
		fail_msg("host \"%s\" images \"%s\" holds \"%s\" pin %s target %s: %s",
			 facts->host, facts->images, facts->holds,
			 facts->pin ? facts->pin : "none",
			 facts->target ? facts->target : "none", word);
	/* What is held, pinned away or cannot be loaded is no update. */
	if (plan->result == TDXUPD_PLAN_UPDATE) {
		assert_false(strstr(facts->holds, "all"));
		assert_false(strstr(facts->holds, word + strlen("update ")));
		assert_true(!facts->pin ||
			    strcmp(facts->pin, word + strlen("update ")) == 0);
		assert_true(plan->step_count > 0);
	}
	tdxupd_plan_free(plan);
	scene_done(&scene);
	return is_current;
}

static void test_nothing_to_do_has_one_meaning(void **state)
{
	static const char *const hosts[] = { "", "o", "e", "x", "b", "l", "a", "v", "c" };
	static const char *const images[] = {
		"",
		"1.5.06",
		"1.5.05 1.5.06",
		"1.5.06 1.5.16",
		"1.5.16",
		"1.5.06 1.5.08 1.5.16",
		"1.5.06 1.5.16s",
		"1.5.06 1.5.16d",
		"1.5.06 1.5.16b",
		"1.5.06 1.5.16m",
		"1.5.06 1.5.16c",
		"1.5.06 1.5.16h",
		"1.5.06 1.5.16n",
		"2.0.05",
		"1.5.05s",
		"1.5.06 2.0.05",
	};
	static const char *const holds[] = { "",       "all",     "1.5.16",     "1.5.16f",
					     "1.5.06", "1.5.08f", "all 1.5.16f" };
	static const char *const pins[] = { NULL, "1.5.06", "1.5.16" };
	static const char *const targets[] = { NULL, "1.5.06", "1.5.16" };
	size_t current_count = 0, count = 0;

	(void)state;
	EACH(host, hosts)
	EACH(image, images)
	EACH(hold, holds)
	EACH(pin, pins)
	EACH(target, targets)
	{
		struct facts facts = { *host, *image, *hold, *pin, *target };

		current_count += walk(&facts);
		count++;
	}
	/* A walk that meets one answer only would show nothing. */
	assert_true(current_count > count / 20 && current_count < count * 19 / 20);
}

/* ---- what holds and pins say ---- */

static void test_holds_replace_each_other(void **state)
{
	struct tdxupd_policy *policy;
	struct tdxupd_hold hold = { .version = { 1, 5, 16 },
				    .reason = (char *)"a\x1b[31m" };

	(void)state;
	assert_int_equal(tdxupd_policy_new(&policy), 0);
	assert_int_equal(tdxupd_policy_hold(policy, &hold), 0);
	assert_string_equal(policy->holds[0].reason, "a?[31m");
	assert_string_equal(policy->holds[0].by, "");
	hold.is_failed = true;
	assert_int_equal(tdxupd_policy_hold(policy, &hold), 0);
	assert_int_equal(policy->hold_count, 1);
	assert_true(policy->holds[0].is_failed);
	hold.is_all = true;
	assert_int_equal(tdxupd_policy_hold(policy, &hold), 0);
	assert_int_equal(tdxupd_policy_hold(policy, &hold), 0);
	assert_int_equal(policy->hold_count, 2);
	tdxupd_policy_hold_nothing(policy);
	assert_int_equal(policy->hold_count, 0);
	assert_int_equal(tdxupd_policy_explain_pin(policy, 0, "why", NULL), -EINVAL);
	assert_int_equal(tdxupd_policy_hold(NULL, &hold), -EINVAL);
	tdxupd_policy_free(policy);
}

static bool has_check(const struct tdxupd_report *report, enum tdxupd_check check,
		      const char *found)
{
	for (size_t i = 0; i < tdxupd_report_count(report); i++)
		if (tdxupd_report_get(report, i)->check == check)
			return strstr(tdxupd_report_get(report, i)->found, found);
	return false;
}

/* Checks of their own, never "blocked by the administrator". */
static void test_candidates_say_who_holds_them(void **state)
{
	const struct facts facts = { .images = "1.5.05 1.5.06 1.5.08 1.5.16",
				     .holds = "1.5.05 1.5.08 1.5.16f",
				     .pin = "1.5.06" };
	struct scene scene = scene_new(&facts);
	struct tdxupd_plan *plan = plan_of(&scene, &facts);

	(void)state;
	assert_true(has_check(plan->candidates[0].report, TDXUPD_CHECK_HELD,
			      "1.5.05 since 2026-12-04 18:06 UTC by uid 1000: a word"));
	assert_true(has_check(plan->candidates[2].report, TDXUPD_CHECK_HELD, "1.5.08"));
	assert_true(has_check(plan->candidates[3].report, TDXUPD_CHECK_FAILED, "1.5.16"));
	assert_true(has_check(plan->candidates[3].report, TDXUPD_CHECK_PINNED,
			      "1.5.06: the verifiers"));
	for (size_t i = 0; i < plan->candidate_count; i++)
		assert_false(tdxupd_report_has(plan->candidates[i].report,
					       TDXUPD_CHECK_BLOCKED));
	tdxupd_plan_free(plan);
	scene_done(&scene);
}

/* What lies there and is no image, and what to do about it. */
static void test_says_what_the_files_are(void **state)
{
	const struct facts facts = { .images = "" };
	struct scene scene = scene_new(&facts);
	struct tdxupd_left_out left_outs[] = {
		{ (char *)"a.gz", (char *)"compressed" },
		{ (char *)"b\x1b", (char *)"a directory" },
		{ (char *)"c", (char *)"no TDX module image" },
		{ (char *)"d", (char *)"no TDX module image" },
	};
	struct tdxupd_plan *plan;

	(void)state;
	scene.catalog->left_outs = left_outs;
	scene.catalog->left_out = 4;
	plan = plan_of(&scene, &facts);
	assert_int_equal(plan->reason, TDXUPD_REASON_NO_IMAGE);
	assert_string_equal(
		plan->why, "no compatible image: none of the 4 files here is a TDX "
			   "module image: a.gz (compressed), b? (a directory), c (no TDX "
			   "module image), ...");
	tdxupd_plan_free(plan);
	scene.catalog->left_outs = NULL;
	scene.catalog->left_out = 0;
	scene_done(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_table),
		cmocka_unit_test(test_every_word_is_in_the_table),
		cmocka_unit_test(test_nothing_to_do_has_one_meaning),
		cmocka_unit_test(test_holds_replace_each_other),
		cmocka_unit_test(test_candidates_say_who_holds_them),
		cmocka_unit_test(test_says_what_the_files_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
