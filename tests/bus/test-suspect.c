// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Builds that an update went through, on a kernel that does not refuse: each is told of
 * by the signal and in the history, by name or by number.
 */
#include <unistd.h>

#include "../unit/test.h"
#include "history.h"
#include "scene.h"
#include "util.h"

struct told {
	unsigned count;
	char source[32];
	char who[64];
	uint32_t pid;
	char harm[16];
	char strict_compat[16];
};

static int on_suspect(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct told *told = userdata;
	const char *source, *who, *harm, *strict_compat;
	uint64_t since;

	(void)error;
	assert_true(sd_bus_message_read(message, "ssutss", &source, &who, &told->pid,
					&since, &harm, &strict_compat) >= 0);
	snprintf(told->harm, sizeof(told->harm), "%s", harm);
	snprintf(told->strict_compat, sizeof(told->strict_compat), "%s", strict_compat);
	snprintf(told->source, sizeof(told->source), "%s", source);
	snprintf(told->who, sizeof(told->who), "%s", who);
	told->count++;
	return 0;
}

static void listen_for(struct scene *scene, struct told *told)
{
	*told = (struct told){ 0 };
	assert_true(sd_bus_match_signal(scene->bus, NULL, "org.tdxupd1", SCENE_MANAGER,
					"org.tdxupd1.Manager", "BuildSuspect", on_suspect,
					told) >= 0);
}

static void await_told(struct scene *scene, const struct told *told, unsigned count)
{
	unsigned waited = 0;

	while (told->count < count && scene_listen(scene->bus, &waited))
		;
	assert_int_equal(told->count, count);
}

static void assert_recorded(struct scene *scene, const char *detail)
{
	_cleanup_(cleanup_free)
	char *text = NULL;
	char expected[128];

	snprintf(expected, sizeof(expected),
		 "\"reason\":\"build-suspect\",\"detail\":\"%s", detail);
	assert_int_equal(world_read(&scene->world, STATE_DIR "/" HISTORY_FILE, &text), 0);
	if (!strstr(text, expected))
		fail_msg("%s is not in\n%s", expected, text);
}

static void start(struct scene *scene, struct told *told)
{
	scene_start(scene, "host kernel=piece", "set guard=no", NULL);
	listen_for(scene, told);
}

/* The kernel has no names for them. */
static void test_a_build_that_the_kernel_counts(void **state)
{
	struct scene scene;
	struct told told;
	_cleanup_(cleanup_free)
	char *job = NULL;

	(void)state;
	start(&scene, &told);
	scene_begin_build(&scene);
	job = scene_update_with(&scene, NULL, 1, "guard", "s", "off");
	scene_await_end(&scene, job, "done");
	await_told(&scene, &told, 1);
	assert_string_equal(told.source, "kernel");
	assert_string_equal(told.who, "1 TD seen by kernel");
	assert_int_equal(told.pid, 0);
	assert_recorded(&scene, "may have been hit by the update: 1 TD seen by kernel;");
	/* No record tells the crypto contexts of these two. */
	assert_string_equal(told.harm, "unknown");
	assert_string_equal(told.strict_compat, "unknown");
	scene_end(&scene);
}

/* Begun and ended while the daemon was in its one write. */
static void test_a_build_within_the_update(void **state)
{
	struct scene scene;
	struct told told;
	_cleanup_(cleanup_free)
	char *job = NULL;

	(void)state;
	start(&scene, &told);
	world_do(&scene.world, "slow update 1s");
	world_do(&scene.world, "td build vm1 manual");
	job = scene_update(&scene, NULL);
	usleep(500000);
	world_do(&scene.world, "td step vm1 init");
	world_do(&scene.world, "td step vm1 finalize");
	scene_await_end(&scene, job, "done");
	await_told(&scene, &told, 1);
	assert_string_equal(told.who, "1 TD seen by kernel");
	assert_recorded(&scene, "may have been hit by the update: 1 TD seen by kernel;");
	scene_end(&scene);
}

static void test_a_build_under_a_lease_is_named(void **state)
{
	struct scene scene;
	struct told told;
	int lease;
	_cleanup_(cleanup_free)
	char *job = NULL;

	(void)state;
	start(&scene, &told);
	assert_null(scene_take(&scene, "BeginBuild", &lease, "sa{sv}", "web1", 0));
	job = scene_update_with(&scene, NULL, 1, "guard", "s", "off");
	scene_await_end(&scene, job, "done");
	await_told(&scene, &told, 1);
	assert_string_equal(told.source, "leases");
	assert_string_equal(told.who, "web1");
	assert_int_equal(told.pid, getpid());
	assert_recorded(&scene, "being built during the update: web1, pid ");
	close(lease);
	scene_end(&scene);
}

/* An update that hit nobody says nothing. */
static void test_an_update_between_two_builds(void **state)
{
	struct scene scene;
	struct told told;
	_cleanup_(cleanup_free)
	char *job = NULL;
	_cleanup_(cleanup_free)
	char *text = NULL;

	(void)state;
	start(&scene, &told);
	scene_begin_build(&scene);
	job = scene_update(&scene, NULL);
	scene_await(&scene, job, "State", "waiting");
	world_do(&scene.world, "td step vm1 finalize");
	scene_await_end(&scene, job, "done");
	world_do(&scene.world, "td build vm2 manual");
	world_do(&scene.world, "td step vm2 init");
	await_told(&scene, &told, 0);
	assert_int_equal(world_read(&scene.world, STATE_DIR "/" HISTORY_FILE, &text), 0);
	assert_null(strstr(text, "build-suspect"));
	scene_end(&scene);
}

/* What opened the gate has seen no builds: `population`, or nothing at all. */
static void test_what_cannot_be_excluded(void **state)
{
	static const struct {
		const char *guard, *source, *who, *recorded;
	} table[] = {
		{ "strict", "population", "1 TD created since the last look",
		  "may have been hit by the update: 1 TD created since" },
		{ "off", "", "not excluded",
		  "it cannot be excluded that a TD was being built" },
	};
	struct scene scene;
	struct told told;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		_cleanup_(cleanup_free)
		char *job = NULL;

		scene_start(&scene, "host kernel=mainline", "upload hold=transferring",
			    NULL);
		listen_for(&scene, &told);
		if (i == 1)
			scene_begin_build(&scene);
		job = scene_update_with(&scene, NULL, 1, "guard", "s", table[i].guard);
		world_do(&scene.world, "wait upload transferring");
		world_do(&scene.world, "td build vm2 manual");
		world_do(&scene.world, "td step vm2 init");
		world_do(&scene.world, "upload hold=none");
		scene_await_end(&scene, job, "done");
		await_told(&scene, &told, 1);
		assert_string_equal(told.source, table[i].source);
		assert_string_equal(told.who, table[i].who);
		assert_recorded(&scene, table[i].recorded);
		scene_end(&scene);
	}
}

/* ---- what it does to a TD, by what is on record of the pair ---- */

static char *ask_ctl(struct scene *scene, const char *verb)
{
	char command[512], *text = calloc(1, 65536);
	FILE *pipe;

	assert_non_null(text);
	snprintf(command, sizeof(command),
		 "COLUMNS=1000 %s --bus-address %s --root %s %s 2>&1",
		 getenv("TDXUPD_CTL"), scene->address, scene->world.tree.path, verb);
	pipe = popen(command, "re");
	assert_non_null(pipe);
	(void)!fread(text, 1, 65535, pipe);
	pclose(pipe);
	return text;
}

static void assert_says(struct scene *scene, const char *verb, const char *what)
{
	_cleanup_(cleanup_free)
	char *text = ask_ctl(scene, verb);

	if (!strstr(text, what))
		fail_msg("`%s' does not say \"%s\":\n%s", verb, what, text);
}

/* @ctx: what the simulated modules have, which decides; @from, @to: what is on record */
static const struct harm_case {
	const char *ctx, *from, *to;
	const char *strict, *strict_compat, *strict_text;
	const char *harm, *plan, *suspect;
	bool is_measurement_right;
} harms[] = {
	{ "2", "1", "2", ",strict=1.5.05:1.5.06", "listed",
	  "This pair is on Intel's list", "certain", "Step 1 changes the crypto context",
	  "its measurement is wrong", false },
	{ "1", "1", "1", ",strict=1.5.05", "unlisted", "This pair is not on Intel's list",
	  "none", "Step 1 keeps the crypto context", "its measurement is right", true },
	{ "2", "1", NULL, "", "unknown", NULL, "unknown",
	  "Step 1 can change the crypto context", "its measurement can be wrong", false },
	{ "1", NULL, "1", ",strict=", "unlisted", "not on Intel's list", "unknown",
	  "Step 1 can change the crypto context", "its measurement can be wrong", true },
};

static void put_pair(struct scene *scene, const struct harm_case *c)
{
	char to[64];

	snprintf(to, sizeof(to), "1.5.16,ctx=%s%s", c->ctx, c->strict);
	scene_put_images(scene, "1.5.06,ctx=1", to, NULL);
	scene_put_records(scene, c->from, c->to);
}

/* Through the plan, the signal, history, the job, and the programs that show them. */
static void check_harm(const struct harm_case *c)
{
	char member[64];
	struct scene scene;
	struct told told;
	_cleanup_(cleanup_free)
	char *job = NULL;

	print_message("%s, %s\n", c->harm, c->strict_compat);
	scene_set(&scene, "host kernel=piece", "set guard=no", NULL);
	put_pair(&scene, c);
	scene_run(&scene);
	listen_for(&scene, &told);
	snprintf(member, sizeof(member), "\"build_harm\":\"%s\"", c->harm);
	assert_says(&scene, "plan --json", member);
	assert_says(&scene, "plan", c->plan);
	if (c->strict_text) {
		assert_says(&scene, "plan", c->strict_text);
		assert_says(&scene, "list --why", c->strict_text);
	}
	world_do(&scene.world, "td build vm1 manual");
	world_do(&scene.world, "td step vm1 extend");
	job = scene_update_with(&scene, NULL, 1, "guard", "s", "off");
	scene_await_end(&scene, job, "done");
	await_told(&scene, &told, 1);
	assert_string_equal(told.harm, c->harm);
	assert_string_equal(told.strict_compat, c->strict_compat);
	assert_says(&scene, "history --json", c->suspect);
	if (c->strict_text)
		assert_says(&scene, "history --json", "on Intel's list");
	/* And that is what became of it. */
	world_do(&scene.world, "td step vm1 finalize");
	world_assert_mrtd(&scene.world, "vm1", c->is_measurement_right);
	scene_end(&scene);
}

static void test_what_an_update_does_to_a_build(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(harms); i++)
		check_harm(&harms[i]);
}

/* No TD then and none now: whatever may have been built is gone. */
static void test_nobody_was_there(void **state)
{
	struct scene scene;
	struct told told;
	_cleanup_(cleanup_free)
	char *job = NULL;

	(void)state;
	scene_start(&scene, "host kernel=mainline", NULL);
	listen_for(&scene, &told);
	job = scene_update(&scene, NULL);
	scene_await_end(&scene, job, "done");
	await_told(&scene, &told, 0);
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_build_that_the_kernel_counts),
		cmocka_unit_test(test_a_build_within_the_update),
		cmocka_unit_test(test_a_build_under_a_lease_is_named),
		cmocka_unit_test(test_an_update_between_two_builds),
		cmocka_unit_test(test_what_cannot_be_excluded),
		cmocka_unit_test(test_nobody_was_there),
		cmocka_unit_test(test_what_an_update_does_to_a_build),
	};

	if (!scene_is_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
