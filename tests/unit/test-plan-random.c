// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Random hosts and catalogs, and every plan held against a search that tries all paths
 * with rules written down a second time, as the specification has them.
 *
 * TDXUPD_SEED=N repeats one case, TDXUPD_RUNS=N makes that many.
 */
#include "test.h"
#include "facts.h"

#define RUNS        12000
#define ENTRIES_MAX 8

static uint64_t random_state;

static uint32_t roll(uint32_t sides)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 32) % sides;
}

/* True once in @n times. */
static bool rarely(uint32_t n)
{
	return roll(n) == 0;
}

struct scene {
	struct tdxupd_host *host;
	struct tdxupd_catalog *catalog;
	struct tdxupd_policy *policy;
	bool has_target;
	struct tdxupd_version target;
	/* the running module's image, if it is evidence */
	const struct tdxupd_entry *running;
};

/* ---- making scenes ---- */

static void change_release(struct tdxupd_release *release)
{
	int min = release->version.update - 1 - (int)roll(8);

	release->min_module_version.update = (uint16_t)(min > 1 ? min : 1);
	if (rarely(8))
		release->min_seamldr_versions[0].update = (uint16_t)roll(4);
	if (rarely(20))
		release->min_seamldr_count = roll(2);
	if (rarely(20))
		release->has_features0 = false;
	if (rarely(8))
		release->features0 ^= UINT64_C(1) << (30 + roll(3));
}

static void change_image(struct tdxupd_image *image, unsigned update)
{
	image->svn = (uint16_t)(0x0100 + update / 4 + roll(2));
	if (rarely(30))
		image->svn = (uint16_t)(0x0100 * roll(3) + 6);
	if (rarely(3)) {
		image->module_hv = (uint16_t)roll(3);
		image->min_update_hv = (uint16_t)roll(image->module_hv + 1u);
	}
	image->no_downgrade = rarely(2);
	if (rarely(25))
		image->cpus[1] = 0xa06d0;
}

static void add_entry(struct tdxupd_catalog *catalog, const char *version)
{
	struct tdxupd_entry *entry = facts_add(catalog, version);

	change_image(entry->image, entry->version.update);
	change_release(facts_release(entry));
	if (rarely(15))
		facts_unmap(entry);
	if (rarely(15))
		tdxupd_report_add(entry->report, TDXUPD_CHECK_HASH_MISMATCH,
				  TDXUPD_SEVERITY_REFUSE, NULL, NULL);
	if (rarely(15))
		tdxupd_report_add(entry->report, TDXUPD_CHECK_BLOCKED,
				  TDXUPD_SEVERITY_REFUSE, NULL, NULL);
	if (rarely(10))
		tdxupd_report_add(entry->report, TDXUPD_CHECK_VERSION_UNKNOWN,
				  TDXUPD_SEVERITY_WARN, NULL, NULL);
}

static struct tdxupd_catalog *make_catalog(void)
{
	struct tdxupd_catalog *catalog = facts_catalog(ENTRIES_MAX);

	for (unsigned update = 1; update < 16; update++) {
		char version[TDXUPD_VERSION_TEXT_BYTES];

		snprintf(version, sizeof(version), "1.5.%02u", update);
		if (rarely(2) && catalog->entry_count < ENTRIES_MAX - 1)
			add_entry(catalog, version);
	}
	if (rarely(4))
		add_entry(catalog, "2.0.05");
	return catalog;
}

static void change_host(struct tdxupd_host *host, const struct tdxupd_catalog *catalog)
{
	host->module_version.update = (uint16_t)(1 + roll(10));
	if (catalog->entry_count && !rarely(8))
		host->module_version =
			catalog->entries[roll((uint32_t)catalog->entry_count)].version;
	host->seamldr_version.update = (uint16_t)roll(4);
	host->remaining_updates = roll(8);
	host->has_features0 = !rarely(3);
	if (rarely(40))
		host->has_seamldr_version = false;
	if (rarely(40))
		host->has_remaining_updates = false;
	if (rarely(20))
		host->seamldr_version.major = 2;
	if (rarely(30))
		host->sockets[host->socket_count++] =
			(struct tdxupd_socket){ 1, rarely(2) ? 0x806f8 : 0xa06d1 };
	if (rarely(40))
		tdxupd_cpuset_parse("0-2", &host->online);
	if (rarely(60))
		host->state = (enum tdxupd_tdx_state)roll(_TDXUPD_TDX_MAX);
}

static void change_policy(struct tdxupd_policy *policy)
{
	static const enum tdxupd_check checks[] = {
		TDXUPD_CHECK_HANDOFF_RANGE,
		TDXUPD_CHECK_MAPPING_MISSING,
		TDXUPD_CHECK_FEATURES_LOST,
	};

	policy->reserve_updates = rarely(3) ? roll(3) : 0;
	policy->strategy = rarely(2) ? TDXUPD_STRATEGY_SMALLEST : TDXUPD_STRATEGY_FEWEST;
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		if (rarely(5))
			assert_int_equal(tdxupd_policy_accept(policy, checks[i]), 0);
}

static bool is_harmless(const struct tdxupd_entry *entry)
{
	return !tdxupd_report_has(entry->report, TDXUPD_CHECK_HASH_MISMATCH);
}

static bool is_version(const struct tdxupd_entry *entry,
		       const struct tdxupd_version *version)
{
	return tdxupd_version_compare(&entry->version, version) == 0;
}

static struct scene scene_new(void)
{
	struct scene scene = { .host = facts_host(), .catalog = make_catalog() };

	assert_int_equal(tdxupd_policy_new(&scene.policy), 0);
	change_host(scene.host, scene.catalog);
	change_policy(scene.policy);
	for (size_t i = 0; i < scene.catalog->entry_count; i++)
		if (is_version(&scene.catalog->entries[i], &scene.host->module_version) &&
		    is_harmless(&scene.catalog->entries[i]))
			scene.running = &scene.catalog->entries[i];
	if (scene.catalog->entry_count && rarely(2)) {
		scene.has_target = true;
		scene.target =
			scene.catalog->entries[roll((uint32_t)scene.catalog->entry_count)]
				.version;
	}
	return scene;
}

static void scene_done(struct scene *scene)
{
	free(scene->host);
	facts_catalog_free(scene->catalog);
	tdxupd_policy_free(scene->policy);
}

/* ---- the rules again ---- */

static bool accepts(const struct scene *scene, enum tdxupd_check check)
{
	return scene->policy->accepted >> check & 1;
}

static bool host_allows(const struct scene *scene)
{
	const struct tdxupd_host *host = scene->host;

	return host->state == TDXUPD_TDX_LIVE &&
	       tdxupd_cpuset_count(&host->online) == 4 && host->has_remaining_updates &&
	       host->remaining_updates > scene->policy->reserve_updates;
}

static bool cpus_allow(const struct scene *scene, const struct tdxupd_image *image)
{
	for (size_t i = 0; i < scene->host->socket_count; i++) {
		bool is_listed = false;

		for (size_t j = 0; j < image->cpu_count; j++)
			is_listed |= scene->host->sockets[i].signature >> 4 ==
				     image->cpus[j] >> 4;
		if (!is_listed)
			return false;
	}
	return true;
}

static bool seamldr_allows(const struct scene *scene,
			   const struct tdxupd_release *release)
{
	bool has_major = false;

	if (!scene->host->has_seamldr_version)
		return false;
	for (size_t i = 0; i < release->min_seamldr_count; i++) {
		const struct tdxupd_version *min = &release->min_seamldr_versions[i];

		if (min->major != scene->host->seamldr_version.major)
			continue;
		has_major = true;
		if (tdxupd_version_compare(&scene->host->seamldr_version, min) < 0)
			return false;
	}
	return has_major;
}

/* FEATURES0 of what runs: of an image the mapping knows it, of the first the kernel. */
static bool features_allow(const struct scene *scene, const struct tdxupd_entry *from,
			   bool is_first, const struct tdxupd_entry *to)
{
	const struct tdxupd_release *release = from ? from->release : NULL;
	uint64_t features;

	if (accepts(scene, TDXUPD_CHECK_FEATURES_LOST))
		return true;
	if (is_first)
		release = tdxupd_catalog_find_release(scene->catalog,
						      &scene->host->module_version);
	if (is_first && scene->host->has_features0)
		features = scene->host->features0;
	else if (release && release->has_features0)
		features = release->features0;
	else
		return false;
	return to->release->has_features0 && !(features & ~to->release->features0);
}

/* @from: NULL where nothing proves what runs. */
static bool svn_allows(const struct tdxupd_entry *from, const struct tdxupd_entry *to)
{
	return from && from->image->svn >> 8 == to->image->svn >> 8 &&
	       to->image->svn >> 8 != 0 && to->image->svn >= from->image->svn;
}

static bool handoff_allows(const struct scene *scene, const struct tdxupd_entry *from,
			   const struct tdxupd_entry *to)
{
	if (!from)
		return accepts(scene, TDXUPD_CHECK_HANDOFF_RANGE);
	return from->image->module_hv >= to->image->min_update_hv &&
	       from->image->module_hv <= to->image->module_hv;
}

static bool may_follow(const struct scene *scene, const struct tdxupd_entry *from,
		       bool is_first, const struct tdxupd_entry *to)
{
	const struct tdxupd_version *running =
		is_first ? &scene->host->module_version : &from->version;

	if (!tdxupd_report_is_passed(to->report) || !cpus_allow(scene, to->image) ||
	    !svn_allows(from, to) || !handoff_allows(scene, from, to) ||
	    running->major != to->version.major || running->minor != to->version.minor)
		return false;
	if (!to->release)
		return accepts(scene, TDXUPD_CHECK_MAPPING_MISSING);
	return seamldr_allows(scene, to->release) &&
	       tdxupd_version_compare(running, &to->release->min_module_version) >= 0 &&
	       features_allow(scene, from, is_first, to);
}

/* ---- all paths ---- */

/* Of the paths to one target: the length of the shortest, and the first of all when the
 * nearest version comes first at every step. */
struct paths {
	size_t shortest; /* 0: none */
	size_t count;
	size_t steps[ENTRIES_MAX];
};

static void walk(const struct scene *scene, size_t target, size_t depth, size_t budget,
		 size_t *steps, struct paths *ret)
{
	const struct tdxupd_entry *entries = scene->catalog->entries;
	const struct tdxupd_entry *from = depth ? &entries[steps[depth - 1]] : NULL;
	const struct tdxupd_version *at =
		from ? &from->version : &scene->host->module_version;
	bool is_falling = tdxupd_version_compare(&entries[target].version,
						 &scene->host->module_version) < 0;

	if (depth && steps[depth - 1] == target) {
		if (!ret->shortest) {
			ret->count = depth;
			memcpy(ret->steps, steps, depth * sizeof(*steps));
		}
		if (!ret->shortest || depth < ret->shortest)
			ret->shortest = depth;
		return;
	}
	if (depth == budget)
		return;
	for (size_t k = 0; k < scene->catalog->entry_count; k++) {
		size_t i = is_falling ? scene->catalog->entry_count - 1 - k : k;
		int order = tdxupd_version_compare(&entries[i].version, at);

		if ((is_falling ? order >= 0 : order <= 0) ||
		    (is_falling ? i < target : i > target) ||
		    !may_follow(scene, depth ? from : scene->running, !depth,
				&entries[i]))
			continue;
		steps[depth] = i;
		walk(scene, target, depth + 1, budget, steps, ret);
	}
}

static struct paths find_paths(const struct scene *scene, size_t target)
{
	struct paths paths = {};
	size_t steps[ENTRIES_MAX];
	size_t budget;

	if (!host_allows(scene))
		return paths;
	budget = scene->host->remaining_updates - scene->policy->reserve_updates;
	walk(scene, target, 0, budget, steps, &paths);
	return paths;
}

/* ---- comparing ---- */

static enum tdxupd_candidate_state expected_state(const struct scene *scene, size_t i,
						  const struct paths *paths)
{
	const struct tdxupd_entry *entry = &scene->catalog->entries[i];
	const struct tdxupd_version *running = &scene->host->module_version;
	int order = tdxupd_version_compare(&entry->version, running);

	if (scene->host->state == TDXUPD_TDX_LIVE && order == 0)
		return TDXUPD_CANDIDATE_RUNNING;
	if (!paths->shortest)
		return TDXUPD_CANDIDATE_REFUSED;
	if (order > 0 || (scene->has_target && is_version(entry, &scene->target)))
		return paths->shortest == 1 ? TDXUPD_CANDIDATE_OFFERED
					    : TDXUPD_CANDIDATE_REACHABLE;
	return paths->shortest == 1 ? TDXUPD_CANDIDATE_OLDER : TDXUPD_CANDIDATE_REFUSED;
}

/* The entry to go to, or the count of entries where none can be reached. */
static size_t expected_goal(const struct scene *scene, const struct paths *paths)
{
	const struct tdxupd_catalog *catalog = scene->catalog;
	size_t goal = catalog->entry_count;

	for (size_t i = 0; i < catalog->entry_count; i++) {
		const struct tdxupd_entry *entry = &catalog->entries[i];

		if (!paths[i].shortest)
			continue;
		if (scene->has_target
			    ? is_version(entry, &scene->target)
			    : tdxupd_version_compare(&entry->version,
						     &scene->host->module_version) > 0)
			goal = i;
	}
	return goal;
}

static bool check_steps(const struct scene *scene, const struct tdxupd_plan *plan,
			const struct paths *paths)
{
	const struct tdxupd_entry *entries = scene->catalog->entries;

	if (scene->policy->strategy == TDXUPD_STRATEGY_SMALLEST)
		return plan->step_count == paths->count &&
		       memcmp(plan->steps, paths->steps,
			      paths->count * sizeof(*plan->steps)) == 0;
	if (plan->step_count != paths->shortest)
		return false;
	for (size_t i = 0; i < plan->step_count; i++)
		if (!may_follow(scene, i ? &entries[plan->steps[i - 1]] : scene->running,
				i == 0, &entries[plan->steps[i]]))
			return false;
	return true;
}

/* Return: NULL or what is wrong. */
static const char *compare(const struct scene *scene, const struct tdxupd_plan *plan)
{
	struct paths paths[ENTRIES_MAX] = {};
	size_t count = scene->catalog->entry_count, goal;

	for (size_t i = 0; i < count; i++) {
		paths[i] = find_paths(scene, i);
		if (plan->candidates[i].state != expected_state(scene, i, &paths[i]))
			return "state";
	}
	goal = expected_goal(scene, paths);
	if ((plan->result == TDXUPD_PLAN_UPDATE) != (goal < count))
		return "result";
	if (plan->result == TDXUPD_PLAN_BLOCKED && !plan->advice)
		return "advice";
	if (plan->result != TDXUPD_PLAN_UPDATE)
		return plan->step_count ? "steps of no update" : NULL;
	if (!is_version(&scene->catalog->entries[goal], &plan->to) ||
	    plan->steps[plan->step_count - 1] != goal)
		return "goal";
	return check_steps(scene, plan, &paths[goal]) ? NULL : "steps";
}

static enum tdxupd_plan_result run(uint64_t seed, size_t *ret_steps)
{
	struct scene scene;
	struct tdxupd_plan *plan, *again;
	enum tdxupd_plan_result result;
	const char *wrong;

	random_state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	for (int i = 0; i < 8; i++)
		roll(2);
	scene = scene_new();
	assert_int_equal(tdxupd_plan_new(scene.host, scene.catalog, scene.policy,
					 scene.has_target ? &scene.target : NULL, &plan),
			 0);
	assert_int_equal(tdxupd_plan_new(scene.host, scene.catalog, scene.policy,
					 scene.has_target ? &scene.target : NULL, &again),
			 0);
	wrong = compare(&scene, plan);
	if (!wrong && strcmp(plan->id, again->id) != 0)
		wrong = "id";
	if (wrong)
		fail_msg("TDXUPD_SEED=%llu: wrong %s", (unsigned long long)seed, wrong);
	result = plan->result;
	*ret_steps = plan->step_count;
	tdxupd_plan_free(plan);
	tdxupd_plan_free(again);
	scene_done(&scene);
	return result;
}

static void test_no_search_of_all_paths_does_better(void **state)
{
	const char *seed = getenv("TDXUPD_SEED"), *runs = getenv("TDXUPD_RUNS");
	uint64_t count = runs ? strtoull(runs, NULL, 10) : RUNS;
	unsigned results[_TDXUPD_PLAN_MAX] = {}, longer = 0;
	size_t steps;

	(void)state;
	if (seed) {
		run(strtoull(seed, NULL, 10), &steps);
		return;
	}
	for (uint64_t i = 0; i < count; i++) {
		results[run(i, &steps)]++;
		longer += steps > 1;
	}
	print_message("%u updates (%u of more than one step), %u current, %u blocked\n",
		      results[TDXUPD_PLAN_UPDATE], longer, results[TDXUPD_PLAN_CURRENT],
		      results[TDXUPD_PLAN_BLOCKED]);
	/* Else the scenes are too dull to show anything. */
	assert_true(results[TDXUPD_PLAN_UPDATE] > count / 20);
	assert_true(results[TDXUPD_PLAN_BLOCKED] > count / 20);
	assert_true(longer > count / 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_search_of_all_paths_does_better),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
