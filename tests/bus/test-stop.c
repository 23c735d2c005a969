// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Stop buttons: holds, the pin, and what forbids in tdxupd.conf. Each counts as soon as
 * it is answered, wherever a job is by then: it ends with an error of its own, gives back
 * what it has staged, and nothing is committed after the answer.
 *
 * `update --direct`, which nobody can call, is told by SIGHUP of what was written to
 * tdxupd.conf or holds.json, and answers on standard error.
 *
 * TDXUPD_CRASHES is the number of random moments, TDXUPD_SEED their seed.
 */
#include <fcntl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "../unit/test.h"
#include "ctl.h"
#include "story.h"
#include "util.h"

#define ERROR(name) "org.tdxupd1.Error." name

/* The gate opens after so long, and the button is pressed about then. */
#define GATE_USEC 2000

/* The MRSEAM of no image. */
#define NO_MRSEAM                                          \
	"111111111111111111111111111111111111111111111111" \
	"111111111111111111111111111111111111111111111111"

/* ---- the buttons ---- */

/* What Hold and Pin say beside "yes"; free() it. */
static char *press_method(struct scene *scene, const char *member, const char *types,
			  const char *what)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	char *copy;
	const char *note;
	int r;

	r = sd_bus_call_method(scene->bus, "org.tdxupd1", SCENE_MANAGER,
			       "org.tdxupd1.Manager", member, &error, &reply, types, what,
			       "a test", UINT64_C(0));
	if (r < 0)
		fail_msg("%s: %s", member, error.message);
	assert_true(sd_bus_message_read(reply, "s", &note) >= 0);
	copy = strdup(note);
	sd_bus_message_unref(reply);
	return copy;
}

static char *press_hold_all(struct scene *scene)
{
	return press_method(scene, "Hold", "sst", "all");
}

static char *press_hold(struct scene *scene)
{
	return press_method(scene, "Hold", "sst", "1.5.16");
}

static char *press_pin(struct scene *scene)
{
	return press_method(scene, "Pin", "ss", "1.5.06");
}

static char *reload_with(struct scene *scene, const char *config)
{
	scene_put_config(scene, config);
	assert_null(scene_call(scene, SCENE_MANAGER, "Reload"));
	return strdup("");
}

static char *press_blocked(struct scene *scene)
{
	return reload_with(scene, "Blocked=1.5.16\n");
}

static char *press_allowed(struct scene *scene)
{
	return reload_with(scene, "AllowedMrSeam=" NO_MRSEAM "\n");
}

static char *press_target(struct scene *scene)
{
	return reload_with(scene, "Target=1.5.06\n");
}

static char *press_reserve(struct scene *scene)
{
	return reload_with(scene, "ReserveUpdates=1000\n");
}

static const struct button {
	const char *name;
	char *(*press)(struct scene *scene);
	const char *result;
	bool is_asked_unplanned; /* it forbids a target, whatever its image */
} buttons[] = {
	{ "hold all", press_hold_all, "Held", true },
	{ "hold 1.5.16", press_hold, "Held", true },
	{ "pin 1.5.06", press_pin, "Pinned", true },
	{ "Blocked=", press_blocked, "Forbidden", true },
	{ "Target=", press_target, "Forbidden", true },
	{ "AllowedMrSeam=", press_allowed, "Forbidden", false },
	{ "ReserveUpdates=", press_reserve, "Exhausted", false },
};

/* ---- wherever a job is ---- */

static void assert_given_back(struct scene *scene)
{
	world_assert_reads(&scene->world, WORLD_UPLOAD "loading", "0\n");
	scene_assert(scene, SCENE_MANAGER, "CurrentJob", "/");
}

static void press_at_once(struct scene *scene, const struct button *button)
{
	_cleanup_(cleanup_free)
	char *note = button->press(scene);

	print_message("%s\n", button->name);
	assert_string_equal(note, "");
}

static void test_while_it_waits(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(buttons); i++) {
		_cleanup_(cleanup_free)
		char *job = NULL;
		struct scene scene;

		scene_start(&scene, "host kernel=mainline", NULL);
		job = scene_update_waiting(&scene);
		world_assert_reads(&scene.world, WORLD_UPLOAD "loading", "1\n");
		press_at_once(&scene, &buttons[i]);
		/* By the time of the answer, not some time after. */
		scene_assert(&scene, job, "State", "failed");
		scene_await_end(&scene, job, buttons[i].result);
		assert_given_back(&scene);
		world_do(&scene.world, "td step vm1 finalize");
		usleep(20000);
		scene_assert_host(&scene, "1.5.06", 0);
		scene_end(&scene);
	}
}

/* One that is forbidden in the line, and one behind it that is not. */
static void test_while_it_is_queued(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(buttons); i++) {
		_cleanup_(cleanup_free)
		char *first = NULL;
		_cleanup_(cleanup_free)
		char *second = NULL;
		struct scene scene;

		scene_set(&scene, NULL);
		scene_put_images(&scene, "1.5.06,ctx=1", "1.5.08,ctx=1", "1.5.16,ctx=2",
				 NULL);
		scene_run(&scene);
		scene_begin_build(&scene);
		first = scene_update(&scene, "1.5.08");
		scene_await(&scene, first, "State", "waiting");
		second = scene_update(&scene, "1.5.16");
		scene_assert(&scene, second, "State", "queued");
		press_at_once(&scene, &buttons[i]);
		if (buttons[i].is_asked_unplanned)
			scene_assert(&scene, second, "State", "failed");
		world_do(&scene.world, "td step vm1 finalize");
		scene_await_end(&scene, second, buttons[i].result);
		world_assert_reads(&scene.world, WORLD_UPLOAD "loading", "0\n");
		free(scene_await_result(&scene, first));
		assert_int_equal(story_ask_truth(&scene).updates <= 1, true);
		scene_end(&scene);
	}
}

static void test_in_backoff(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(buttons); i++) {
		_cleanup_(cleanup_free)
		char *job = NULL;
		struct scene scene;

		scene_set(&scene, "host kernel=patched",
			  "boot version=1.5.06 svn=0x0106 ctx=1 hv=1 "
			  "features0=0x80002e1f0fbf",
			  "set remaining=10", NULL);
		scene_put_images(&scene, "1.5.16,hv=1,features0=0x80226f3f0fbf", NULL);
		scene_run(&scene);
		scene_begin_build(&scene);
		job = scene_update_with(&scene, NULL, 1, "guard", "s", "off");
		scene_await(&scene, job, "State", "backoff");
		press_at_once(&scene, &buttons[i]);
		scene_await_end(&scene, job, buttons[i].result);
		world_do(&scene.world, "td step vm1 finalize");
		usleep(20000);
		scene_assert_host(&scene, "1.5.06", 0);
		scene_end(&scene);
	}
}

/* Pressed during the commit of the first step it is too late for that one. */
static void test_between_two_steps(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(buttons); i++) {
		_cleanup_(cleanup_free)
		char *job = NULL;
		_cleanup_(cleanup_free)
		char *note = NULL;
		struct scene scene;

		scene_set(&scene, "host kernel=mainline", "upload hold=programming",
			  NULL);
		scene_put_images(&scene, "1.5.06", "1.5.08", "1.5.16,min_module=1.5.08",
				 NULL);
		scene_run(&scene);
		job = scene_update(&scene, "1.5.16");
		world_do(&scene.world, "wait upload programming");
		scene_await(&scene, job, "State", "confirming");
		print_message("%s\n", buttons[i].name);
		note = buttons[i].press(&scene);
		if (*note)
			assert_string_equal(note, "too late for job 1, counts from the "
						  "next step");
		assert_int_equal(*note != '\0', i < 3);
		world_do(&scene.world, "upload hold=none");
		scene_await_end(&scene, job, buttons[i].result);
		scene_assert_host(&scene, "1.5.08", 1);
		world_assert_reads(&scene.world, WORLD_UPLOAD "loading", "0\n");
		scene_end(&scene);
	}
}

/* Of a way of two steps the second is forbidden: the first is not made either. */
static void test_a_way_that_leads_nowhere_is_not_begun(void **state)
{
	_cleanup_(cleanup_free)
	char *job = NULL;
	struct scene scene;

	(void)state;
	scene_set(&scene, NULL);
	scene_put_images(&scene, "1.5.06", "1.5.08", "1.5.16,min_module=1.5.08", NULL);
	scene_run(&scene);
	job = scene_update_waiting(&scene);
	press_at_once(&scene, &buttons[1]);
	scene_await_end(&scene, job, "Held");
	world_do(&scene.world, "td step vm1 finalize");
	usleep(20000);
	scene_assert_host(&scene, "1.5.06", 0);
	scene_end(&scene);
}

/* What is held but not where it goes, and what only widens, change nothing. */
static void test_what_forbids_nothing(void **state)
{
	_cleanup_(cleanup_free)
	char *job = NULL;
	struct scene scene;

	(void)state;
	scene_start(&scene, NULL);
	job = scene_update_waiting(&scene);
	assert_null(scene_hold(&scene, "1.5.18", 0));
	assert_null(scene_pin(&scene, "1.5.16"));
	free(reload_with(&scene, "Guard=off\nTarget=1.5.16\nReserveUpdates=3\n"));
	scene_assert(&scene, job, "State", "waiting");
	world_do(&scene.world, "td step vm1 finalize");
	scene_await_end(&scene, job, "done");
	world_assert_mrtd(&scene.world, "vm1", true);
	scene_end(&scene);
}

/* ---- whatever else is wrong ---- */

static void test_a_configuration_that_has_become_invalid(void **state)
{
	_cleanup_(cleanup_free)
	char *job = NULL;
	struct scene scene;

	(void)state;
	scene_start(&scene, NULL);
	job = scene_update_waiting(&scene);
	scene_put_config(&scene, "Nonsense=1\n");
	press_at_once(&scene, &buttons[1]);
	scene_await_end(&scene, job, "Held");
	scene_await(&scene, SCENE_MANAGER, "NextVersion", "");
	scene_update_refused(&scene, ERROR("Held"), "1.5.16", 0);
	assert_null(scene_unhold(&scene, "1.5.16"));
	scene_await(&scene, SCENE_MANAGER, "NextVersion", "1.5.16");
	world_do(&scene.world, "td step vm1 finalize");
	scene_assert_host(&scene, "1.5.06", 0);
	scene_end(&scene);
}

/* With AutoUpdate= and a configuration that can't be read again. */
static void test_a_refused_version_is_tried_once(void **state)
{
	struct scene scene;

	(void)state;
	scene_set(&scene, "fail step=shutdown", NULL);
	scene_put_config(&scene, "AutoUpdate=apply\n");
	scene_begin_build(&scene);
	scene_run(&scene);
	scene_await(&scene, "/org/tdxupd1/job/_1", "State", "waiting");
	scene_put_config(&scene, "Nonsense=1\n");
	world_do(&scene.world, "td step vm1 finalize");
	scene_await_end(&scene, "/org/tdxupd1/job/_1", "Refused");
	world_do(&scene.world, "fail none");
	for (unsigned i = 0; i < 3; i++) {
		assert_null(
			scene_call_with(&scene, SCENE_MANAGER, "CheckNew", "a{sv}", 0));
		scene_await(&scene, SCENE_MANAGER, "NextVersion", "");
		scene_assert(&scene, SCENE_MANAGER, "CurrentJob", "/");
	}
	scene_assert_host(&scene, "1.5.06", 0);
	scene_end(&scene);
}

/* ---- what is said of it ---- */

static void test_history_says_what_holds_say(void **state)
{
	struct scene scene;
	struct history_record record;
	_cleanup_(cleanup_free)
	char *job = NULL;

	(void)state;
	scene_start(&scene, NULL);
	job = scene_update_waiting(&scene);
	press_at_once(&scene, &buttons[1]);
	record = story_find(&scene, "held");
	assert_string_equal(record.detail, "1.5.16 by root (uid 0): a test");
	history_record_done(&record);
	record = story_find(&scene, "failed");
	assert_string_equal(record.reason, ERROR("Held"));
	assert_memory_equal(record.detail, "1.5.16 is held since ", 21);
	assert_non_null(strstr(record.detail, " UTC by root (uid 0): a test"));
	history_record_done(&record);
	press_at_once(&scene, &buttons[2]);
	record = story_find(&scene, "pinned");
	assert_string_equal(record.detail, "1.5.06 by root (uid 0): a test");
	history_record_done(&record);
	scene_end(&scene);
}

/* ---- random moments ---- */

static unsigned read_number(const char *variable, unsigned fallback)
{
	const char *text = getenv(variable);

	return text && *text ? (unsigned)strtoul(text, NULL, 10) : fallback;
}

static uintmax_t now_nsec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uintmax_t)now.tv_sec * 1000000000 + (uintmax_t)now.tv_nsec;
}

/* As if nothing had been pressed or loaded. */
static void prepare(struct scene *scene, bool is_auto)
{
	world_do(&scene->world, "boot version=1.5.06 svn=0x0106 ctx=1");
	world_do(&scene->world, "set remaining=10");
	tree_drop(&scene->world.tree, STORY_FILE);
	tree_drop(&scene->world.tree, STATE_DIR "/holds.json");
	tree_drop(&scene->world.tree, STATE_DIR "/last-update.json");
	scene_put_config(scene, is_auto ? "AutoUpdate=apply\n" : "");
}

/* @stopped, @too_late: counted */
struct tally {
	unsigned stopped;
	unsigned too_late;
};

/* Nothing was committed after the answer, and what was stopped says so. */
static void judge(struct scene *scene, const struct truth *before, uintmax_t accepted,
		  const char *note, const char *what, struct tally *tally)
{
	_cleanup_(cleanup_free)
	char *result = NULL;
	struct truth after;

	/* The end of whatever is under way; a job that was never asked for has none. */
	scene_await(scene, SCENE_MANAGER, "CurrentJob", "/");
	usleep(2000);
	scene_assert(scene, SCENE_MANAGER, "CurrentJob", "/");
	result = scene_get(scene, SCENE_MANAGER, "LastResult");
	after = story_ask_truth(scene);
	if (after.updates == before->updates) {
		assert_string_not_equal(result, "done");
		tally->stopped++;
		return;
	}
	tally->too_late++;
	if (after.trigger_nsec > accepted)
		fail_msg("%s: committed %ju us after it was accepted", what,
			 (after.trigger_nsec - accepted) / 1000);
	(void)note;
	assert_string_equal(result, "done");
}

/* The update is ready, and goes as soon as the child that is returned has ended. */
static pid_t begin(struct scene *scene, bool is_auto)
{
	static const char job[] = "/org/tdxupd1/job/_1";
	pid_t gate;
	int fd;

	scene_begin_build(scene);
	scene_run(scene);
	if (!is_auto)
		free(scene_update(scene, NULL));
	scene_await(scene, job, "State", "waiting");
	assert_null(scene_take(scene, "Inhibit", &fd, "sssa{sv}", "a test", "to race",
			       "block", 0));
	world_do(&scene->world, "td abort vm1");
	gate = scene_fork();
	if (gate == 0) {
		usleep(GATE_USEC);
		_exit(0);
	}
	close(fd);
	return gate;
}

static void press_at_random(const char *kernel, bool is_auto, unsigned count,
			    unsigned *seed)
{
	struct tally tally = { 0 };
	struct scene scene;
	char what[128];
	unsigned middle = GATE_USEC;

	snprintf(what, sizeof(what), "host kernel=%s", kernel);
	scene_set(&scene, what, "set install-time=2ms", NULL);
	for (unsigned i = 0; i < count; i++) {
		const struct button *button =
			&buttons[(unsigned)rand_r(seed) % ARRAY_SIZE(buttons)];
		unsigned usec = (unsigned)rand_r(seed) % (2 * middle);
		unsigned stopped = tally.stopped;
		_cleanup_(cleanup_free)
		char *note = NULL;
		struct truth before;
		pid_t gate;

		prepare(&scene, is_auto);
		before = story_ask_truth(&scene);
		gate = begin(&scene, is_auto);
		usleep(usec);
		note = button->press(&scene);
		snprintf(what, sizeof(what), "%s, moment %u, %s after %u us", kernel, i,
			 button->name, usec);
		judge(&scene, &before, now_nsec(), note, what, &tally);
		assert_int_equal(scene_reap(gate), 0);
		/* Around the commit, however fast this machine is today. */
		middle = tally.stopped > stopped ? middle + middle / 16 + 1
						 : middle - middle / 16;
		assert_int_equal(scene_stop(&scene), 0);
	}
	print_message("%s, %s: of %u moments %u stopped the update, %u came too late\n",
		      kernel, is_auto ? "AutoUpdate=" : "asked for", count, tally.stopped,
		      tally.too_late);
	/* Moments that all miss the update would prove nothing. */
	assert_true(count < 20 || (tally.stopped && tally.too_late));
	scene_end(&scene);
}

static void test_random_moments(void **state)
{
	unsigned count = read_number("TDXUPD_CRASHES", 100);
	unsigned seed = read_number("TDXUPD_SEED", 1);

	(void)state;
	print_message("%u moments, TDXUPD_SEED=%u\n", count, seed);
	press_at_random("mainline", false, count * 3 / 10, &seed);
	press_at_random("piece", false, count * 3 / 10, &seed);
	press_at_random("mainline", true, count * 2 / 10, &seed);
	press_at_random("piece", true, count * 2 / 10, &seed);
}

/* ---- without a daemon ---- */

static void write_config(struct scene *scene, const char *text)
{
	scene_put_config(scene, text);
}

static void write_holds(struct scene *scene, const char *text)
{
	tree_put(&scene->world.tree, STATE_DIR "/holds.json", text);
	assert_int_equal(fchmodat(scene->world.tree.fd, STATE_DIR "/holds.json", 0600, 0),
			 0);
}

static const struct direct_button {
	const char *name;
	void (*write)(struct scene *scene, const char *text);
	const char *text;
	int code;
} direct_buttons[] = {
	{ "Blocked=", write_config, "Blocked=1.5.16\n", CTL_EXIT_FORBIDDEN },
	{ "Target=", write_config, "Target=1.5.06\n", CTL_EXIT_FORBIDDEN },
	{ "hold all", write_holds, "{\"holds\":[{\"what\":\"all\",\"reason\":\"x\"}]}",
	  CTL_EXIT_HELD },
	{ "pin", write_holds,
	  "{\"holds\":[],\"pin\":{\"version\":\"1.5.06\",\"reason\":\"x\"}}",
	  CTL_EXIT_PINNED },
	/* What can't be understood holds everything. */
	{ "nonsense", write_holds, "nonsense", CTL_EXIT_HELD },
};

/* @ret_errors: its standard error */
static pid_t spawn_direct(struct scene *scene, int *ret_errors)
{
	int ends[2];
	pid_t pid;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = scene_fork();
	if (pid == 0) {
		dup2(ends[1], STDERR_FILENO);
		execl(getenv("TDXUPD_CTL"), "tdxupdctl", "-q", "--root",
		      scene->world.tree.path, "update", "--direct", NULL);
		_exit(127);
	}
	close(ends[1]);
	*ret_errors = ends[0];
	return pid;
}

static void await_staged(struct scene *scene)
{
	for (unsigned i = 0; i < 4000; i++) {
		_cleanup_(cleanup_free)
		char *loading = NULL;

		if (world_read(&scene->world, WORLD_UPLOAD "loading", &loading) == 0 &&
		    strcmp(loading, "1\n") == 0)
			return;
		usleep(2500);
	}
	fail_msg("nothing was staged");
}

/* Until it has said that this counts, or has ended. Return: when. */
static uintmax_t await_answer(int errors)
{
	char text[4096];
	size_t used = 0;
	ssize_t n;

	while (used < sizeof(text) - 1 &&
	       (n = read(errors, text + used, sizeof(text) - 1 - used)) > 0) {
		used += (size_t)n;
		text[used] = '\0';
		if (strstr(text, "say now counts"))
			break;
	}
	return now_nsec();
}

static void judge_direct(struct scene *scene, const struct truth *before,
			 uintmax_t accepted, int code, const struct direct_button *button,
			 struct tally *tally)
{
	struct truth after = story_ask_truth(scene);

	if (after.updates == before->updates) {
		if (code != button->code)
			fail_msg("%s: left with %d, not %d", button->name, code,
				 button->code);
		world_assert_reads(&scene->world, WORLD_UPLOAD "loading", "0\n");
		tally->stopped++;
		return;
	}
	tally->too_late++;
	if (after.trigger_nsec > accepted)
		fail_msg("%s: committed %ju us after it was accepted", button->name,
			 (uintmax_t)(after.trigger_nsec - accepted) / 1000);
	assert_int_equal(code, 0);
}

/* The build ends about when the button is pressed: the gate is open then. */
static pid_t open_soon(struct scene *scene)
{
	pid_t pid = scene_fork();

	if (pid)
		return pid;
	usleep(GATE_USEC);
	world_do(&scene->world, "td abort vm1");
	_exit(0);
}

static void press_one_direct(struct scene *scene, const struct direct_button *button,
			     unsigned usec, struct tally *tally)
{
	struct truth before;
	uintmax_t accepted;
	int errors, code;
	pid_t direct, gate;

	prepare(scene, false);
	before = story_ask_truth(scene);
	scene_begin_build(scene);
	direct = spawn_direct(scene, &errors);
	await_staged(scene);
	gate = open_soon(scene);
	usleep(usec);
	button->write(scene, button->text);
	kill(direct, SIGHUP);
	accepted = await_answer(errors);
	code = scene_reap(direct);
	close(errors);
	assert_int_equal(scene_reap(gate), 0);
	judge_direct(scene, &before, accepted, code, button, tally);
}

static void test_random_moments_without_a_daemon(void **state)
{
	unsigned count = read_number("TDXUPD_CRASHES", 100) / 5;
	unsigned seed = read_number("TDXUPD_SEED", 1), middle = GATE_USEC;
	struct tally tally = { 0 };
	struct scene scene;

	(void)state;
	scene_set(&scene, "host kernel=mainline", "set install-time=2ms", NULL);
	for (unsigned i = 0; i < count; i++) {
		const struct direct_button *button =
			&direct_buttons[(unsigned)rand_r(&seed) %
					ARRAY_SIZE(direct_buttons)];
		unsigned stopped = tally.stopped;

		press_one_direct(&scene, button, (unsigned)rand_r(&seed) % (2 * middle),
				 &tally);
		middle = tally.stopped > stopped ? middle + middle / 16 + 1
						 : middle - middle / 16;
	}
	print_message("--direct: of %u moments %u stopped the update, %u came too late\n",
		      count, tally.stopped, tally.too_late);
	assert_true(count < 20 || (tally.stopped && tally.too_late));
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_while_it_waits),
		cmocka_unit_test(test_while_it_is_queued),
		cmocka_unit_test(test_in_backoff),
		cmocka_unit_test(test_between_two_steps),
		cmocka_unit_test(test_a_way_that_leads_nowhere_is_not_begun),
		cmocka_unit_test(test_what_forbids_nothing),
		cmocka_unit_test(test_a_configuration_that_has_become_invalid),
		cmocka_unit_test(test_a_refused_version_is_tried_once),
		cmocka_unit_test(test_history_says_what_holds_say),
		cmocka_unit_test(test_random_moments),
		cmocka_unit_test(test_random_moments_without_a_daemon),
	};

	if (!scene_is_possible())
		return TEST_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
